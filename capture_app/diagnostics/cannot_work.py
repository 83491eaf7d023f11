"""What is written rightly and cannot work all the same: for `settings check`.

It looks at this computer and at what ships, and speaks to no peer. It writes nothing. A start goes
on over these faults: pictures can be taken, and wait.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from capture_app.archive.connect import proof_choice
from capture_app.catalog.catalog import Catalog
from capture_app.catalog.load import load_catalog
from capture_app.clock import Clock
from capture_app.diagnostics.certificates import certificate_lives
from capture_app.errors import KeyUnavailableError, SettingsFault
from capture_app.model.words import tr
from capture_app.security.keys import look_for_key, read_secret
from capture_app.settings.cross_checks import is_loopback
from capture_app.settings.practice import folder_problem
from capture_app.settings.schema import ArchiveDestination, KeyStore, ProofChoice, Settings

OriginOf = Callable[[str], str]
_Found = tuple[str, str, str]  # key, problem, allowed
_ADDRESS_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)


def cannot_work(settings: Settings, origin_of: OriginOf, clock: Clock) -> tuple[SettingsFault, ...]:
    """Every fault, with the file that `origin_of` names for its key."""
    return tuple(
        SettingsFault(origin_of(key), key, problem, allowed)
        for key, problem, allowed in _faults(settings, clock)
    )


def _faults(settings: Settings, clock: Clock) -> Iterator[_Found]:
    yield from _nobody(settings)
    if settings.adt is not None:
        yield from _listening("adt.host", settings.adt.host, settings.adt.senders)
    if settings.receiver is not None:
        scanners = [place for sender in settings.receiver.senders for place in sender.addresses]
        yield from _listening("receiver.host", settings.receiver.host, scanners)
    for number, archive in enumerate(settings.archives):
        yield from _archive(f"archives[{number}]", archive)
        yield from _password(f"archives[{number}]", archive.password_key, settings)
    for number, device in enumerate(settings.devices):
        yield from _password(f"devices[{number}]", device.password_key, settings)
    yield from _shared_ports(settings)
    for life in certificate_lives(settings, clock.now()):
        if not life.is_valid:
            yield life.key, life.problem, tr("a certificate that holds now")
    yield from _folder_and_key(settings)
    yield from _of_the_catalogue(settings, load_catalog())


def _nobody(settings: Settings) -> Iterator[_Found]:
    if settings.adt is None and not settings.worklists:
        problem = tr("Nothing says who the patients are.")
        yield "adt", problem, tr("an admissions feed ([adt]), a worklist ([[worklists]]), or both")
    if not settings.archives:
        problem = tr("There is no archive that pictures could go to.")
        yield "archives", problem, tr("at least one [[archives]]")


def _archive(where: str, archive: ArchiveDestination) -> Iterator[_Found]:
    proof = proof_choice(archive)
    if proof is ProofChoice.AUTO:
        yield (
            f"{where}.proof",
            tr(
                "Nothing can prove that it holds a picture: none ever gets further than Listed, "
                "and none leaves this computer."
            ),
            tr("a url, for pixel-hash, or a commitment_port, for storage-commitment"),
        )
    if proof is not ProofChoice.STORAGE_COMMITMENT or archive.commitment_port is None:
        return
    key, host = f"{where}.commitment_host", archive.commitment_host
    if is_loopback(host) and not is_loopback(archive.host):
        yield (
            key,
            tr("The archive is another computer: its report cannot come here."),
            tr("an address of this computer that the archive reaches, or 0.0.0.0 for all"),
        )
    else:
        yield from _own_address(key, host)


def _listening(key: str, host: str, callers: Sequence[str]) -> Iterator[_Found]:
    """Whether we can listen there, and whether the callers that are named get there."""
    if is_loopback(host) and not all(map(_has_this_computer, callers)):
        yield (
            key,
            tr("Those who are to call are other computers: they cannot reach this address."),
            tr("an address of this computer that they reach, or 0.0.0.0 for all"),
        )
    else:
        yield from _own_address(key, host)


def _has_this_computer(network: str) -> bool:
    named = ip_network(network)
    own = ip_network("127.0.0.0/8" if named.version == 4 else "::1/128")
    return named.overlaps(own)


def _shared_ports(settings: Settings) -> Iterator[_Found]:
    """One port speaks TLS or does not, and to callers of the same authorities; and one listens on
    it, wherever two addresses are one.
    """
    first: dict[int, tuple[str, str]] = {}
    ways: dict[tuple[str, int], tuple[str, ...]] = {}
    for number, archive in enumerate(settings.archives):
        if proof_choice(archive) is not ProofChoice.STORAGE_COMMITMENT:
            continue
        if archive.commitment_port is None:
            continue
        has_tls = archive.tls and bool(archive.certificate_file)
        files = (archive.ca_file, archive.certificate_file, archive.certificate_key_file)
        way = files if has_tls else ()
        place = (archive.commitment_host, archive.commitment_port)
        host, address = first.setdefault(
            archive.commitment_port, (archive.commitment_host, _listens_at(archive.commitment_host))
        )
        if host != archive.commitment_host and _meet(address, _listens_at(archive.commitment_host)):
            yield (
                f"archives[{number}].commitment_host",
                tr(
                    "Another archive reports to this port at {host}, which is the same address or "
                    "includes it: only one of them can listen.",
                    host=host,
                ),
                tr("{host} for both, or a commitment_port of its own", host=host),
            )
            continue
        if ways.setdefault(place, way) != way:
            yield (
                f"archives[{number}].commitment_port",
                tr("Another archive reports to this port with other certificates, or without TLS."),
                tr("a port of its own, or tls and the same certificates for both"),
            )


def _listens_at(host: str) -> str:
    """The address that a port of ours at this host is bound to; empty where nothing knows it."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return ""  # told by itself
    return str(found[0][4][0])


def _meet(one: str, other: str) -> bool:
    """Whether only one of two ports of one number can be had at these addresses."""
    if not one or not other:
        return False
    a, b = ip_address(one), ip_address(other)
    # Of IPv6 all addresses are those of IPv4 too, where it is not told otherwise.
    return a == b or "::" in {one, other} or ("0.0.0.0" in {one, other} and a.version == b.version)  # noqa: S104 - it is compared


def _own_address(key: str, host: str) -> Iterator[_Found]:
    """Whether we can listen there; on no port in particular: ours may be in use, by a `serve`."""
    allowed = tr("an address of this computer, or 0.0.0.0 for all of them")
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        yield key, tr("Nothing knows this name."), allowed
        return
    for family, kind, protocol, _name, address in found:
        if family in _ADDRESS_FAMILIES:
            try:
                with socket.socket(family, kind, protocol) as probe:
                    probe.bind(address)
            except OSError:
                continue
            return
    yield key, tr("This computer does not have this address."), allowed


def _password(where: str, password_key: str, settings: Settings) -> Iterator[_Found]:
    if not password_key or settings.practice:
        return
    try:
        read_secret(settings.security, password_key)
    except KeyUnavailableError as error:
        yield f"{where}.password_key", str(error), tr("an entry that is there")


def _folder_and_key(settings: Settings) -> Iterator[_Found]:
    key = "data_dir"
    if problem := folder_problem(settings) or _not_writable(settings.data_dir):
        yield key, problem, tr("a folder of its own, that this user can write")
        return
    try:
        is_there = look_for_key(settings.security, settings.data_dir, practice=settings.practice)
    except KeyUnavailableError as error:
        yield _key_setting(settings), str(error), tr("the key of this data folder")
        return
    if settings.practice or settings.security.key_store is KeyStore.KEYRING:
        return
    if problem := _not_writable(Path(settings.security.key_file).parent):
        # Where there is no key yet, the first start makes one.
        if is_there:
            problem = tr("{problem} How far the trail goes is noted there.", problem=problem)
        yield "security.key_file", problem, tr("a file in a folder that this user can write")


def _key_setting(settings: Settings) -> str:
    is_file = settings.security.key_store is KeyStore.FILE
    return "security.key_file" if is_file else "security.key_store"


def _not_writable(folder: Path) -> str:
    """Why this user could not write there; of one that is not there yet, in the one above it."""
    try:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not there.is_dir():
            return tr("It is no folder.")
        if os.access(there, os.W_OK | os.X_OK):
            return ""
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return tr("The folder cannot be used: {reason}.", reason=reason)
    return tr("This user cannot write the folder.")


def _of_the_catalogue(settings: Settings, catalog: Catalog) -> Iterator[_Found]:
    department = settings.station.department.strip().casefold()
    known = sorted({entry.department for entry in catalog.procedures if entry.selectable})
    named = {*known, *catalog.department_favourites}
    if department and department not in {name.casefold() for name in named}:
        problem = tr("The catalogue has no such department.")
        yield "station.department", problem, tr("empty, or one of {words}", words=", ".join(known))
    for entry_id in settings.capture.favourites:
        entry = catalog.procedure(entry_id)
        if entry is None or not entry.selectable:
            yield (
                "capture.favourites",
                tr("The catalogue has no {entry_id} that can be chosen.", entry_id=entry_id),
                tr("ids as `capture-app catalog list` shows them"),
            )
