"""What one rule for one key cannot say: keys that need each other, names that must differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from capture_app.errors import SettingsFault
from capture_app.model.device import DeviceKind
from capture_app.model.words import tr
from capture_app.settings.console_checks import console_faults
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.receiving import Receiver
from capture_app.settings.rules import Host, WebAddress
from capture_app.settings.scanning import CheckDigit, ScanPattern, Suffix
from capture_app.settings.schema import (
    ArchiveDestination,
    ArchiveProtocol,
    Device,
    KeyStore,
    ProofChoice,
    Settings,
)

OriginOf = Callable[[str], str]
# key, problem, allowed
_Found = tuple[str, str, str]


def cross_checks(settings: Settings, origin_of: OriginOf) -> tuple[SettingsFault, ...]:
    """All faults between keys; `origin_of` says in which file a key stands."""
    return tuple(
        SettingsFault(origin_of(key), key, problem, allowed)
        for key, problem, allowed in _faults(settings)
    )


def is_loopback(host: str) -> bool:
    """True where the host can only be this computer."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _faults(settings: Settings) -> Iterator[_Found]:
    yield from _twice("worklists", "name", [worklist.name for worklist in settings.worklists])
    yield from _twice("archives", "name", [archive.name for archive in settings.archives])
    yield from _twice("devices", "id", [device.id for device in settings.devices])
    yield from _twice("cards", "id", [card.id for card in settings.cards])
    yield from _twice("scan_patterns", "name", [p.name for p in settings.scan_patterns])
    for number, pattern in enumerate(settings.scan_patterns):
        yield from _scan_pattern(f"scan_patterns[{number}]", pattern)
    for number, archive in enumerate(settings.archives):
        yield from _archive_ends(f"archives[{number}]", archive)
        yield from _archive_trust(f"archives[{number}]", archive)
    for number, device in enumerate(settings.devices):
        yield from _device(f"devices[{number}]", device)
        yield from console_faults(f"devices[{number}]", device)
    if settings.adt is not None:
        yield from _port_trust("adt", settings.adt, settings.adt.sender_certificates)
    if settings.receiver is not None:
        yield from _receiver(settings.receiver)
    yield from _ports(settings)
    if settings.security.key_store is KeyStore.FILE and not settings.security.key_file:
        yield ("security.key_file", _missing(), tr("a full path, for key_store = file"))
    elif not settings.practice and _is_in_data_folder(settings):
        yield (
            "security.key_file",
            tr("It lies in the data folder: whoever copies that has the key as well."),
            tr("a path outside {folder}; move the file there first", folder=settings.data_dir),
        )
    if settings.practice_ports and not settings.practice:
        yield (
            "practice_ports",
            tr("It is for practice alone."),
            tr("absent where practice is not true"),
        )


def _is_in_data_folder(settings: Settings) -> bool:
    security = settings.security
    if security.key_store is not KeyStore.FILE:
        return False
    return Path(security.key_file).resolve().is_relative_to(settings.data_dir.resolve())


def _twice(section: str, key: str, names: Sequence[str]) -> Iterator[_Found]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (
                f"{section}[{number}].{key}",
                tr("Another entry has this name."),
                tr("a name of its own for each entry"),
            )


def _archive_ends(where: str, archive: ArchiveDestination) -> Iterator[_Found]:
    commits = archive.proof is ProofChoice.STORAGE_COMMITMENT
    if archive.protocol is ArchiveProtocol.DIMSE or commits:
        reason = (
            tr("for storage-commitment")
            if archive.protocol is not ArchiveProtocol.DIMSE
            else tr("for protocol = dimse")
        )
        if not archive.host:
            yield (f"{where}.host", _missing(), f"{Host().allowed}, {reason}")
        if archive.port is None:
            yield (f"{where}.port", _missing(), f"1-65535, {reason}")
        if not archive.ae_title:
            yield (f"{where}.ae_title", _missing(), f"{tr('an AE title')}, {reason}")
    elif bool(archive.host) != (archive.port is not None):
        missing = "port" if archive.host else "host"
        yield (f"{where}.{missing}", _missing(), tr("host and port both, or neither"))
    if archive.host and (problem := Host().problem(archive.host)):
        yield (f"{where}.host", problem, Host().allowed)
    if not archive.url and archive.protocol is ArchiveProtocol.STOW:
        yield (f"{where}.url", _missing(), tr("an address, for protocol = stow"))
    if not archive.url and archive.proof is ProofChoice.PIXEL_HASH:
        yield (f"{where}.url", _missing(), tr("an address, for proof = pixel-hash"))
    if commits and archive.commitment_port is None:
        yield (f"{where}.commitment_port", _missing(), tr("1-65535, for storage-commitment"))


def _archive_trust(where: str, archive: ArchiveDestination) -> Iterator[_Found]:
    if bool(archive.user) != bool(archive.password_key):
        missing = "password_key" if archive.user else "user"
        yield (f"{where}.{missing}", _missing(), tr("user and password_key both, or neither"))
    if bool(archive.certificate_file) != bool(archive.certificate_key_file):
        missing = "certificate_key_file" if archive.certificate_file else "certificate_file"
        yield (f"{where}.{missing}", _missing(), tr("a certificate and its key, or neither"))
    yield from _authorities(where, archive.ca_file)
    yield from _certificate(where, archive)
    address = urlsplit(archive.url)
    if archive.user and address.scheme == "http" and not is_loopback(address.hostname or ""):
        yield (
            f"{where}.url",
            tr("The password would cross the network in clear."),
            tr("an https address where a user is given"),
        )


def _authorities(where: str, ca_file: str) -> Iterator[_Found]:
    """A file that is there but cannot be used: found now, not at the first connection."""
    if not Path(ca_file).is_file():
        return
    import ssl  # noqa: PLC0415 - it takes a while to read, and few settings need it

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError:
        yield (
            f"{where}.ca_file",
            tr("It holds no certificate that can be read."),
            tr("certificates of authorities, PEM"),
        )


def _certificate(where: str, peer: ArchiveDestination | AdtFeed | Receiver) -> Iterator[_Found]:
    """Files that are there but cannot be used: found now, not when the first image is sent."""
    certificate, key = peer.certificate_file, peer.certificate_key_file
    if not (Path(certificate).is_file() and Path(key).is_file()):
        return
    import ssl  # noqa: PLC0415 - it takes a while to read, and few settings need it

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(certificate, key, password=lambda: "")
    except OSError:
        yield (
            f"{where}.certificate_file",
            tr("It cannot be used with its key."),
            tr("a certificate and the key that belongs to it, PEM, without a password"),
        )


def _port_trust(
    where: str, port: AdtFeed | Receiver, caller_certificates: Sequence[str]
) -> Iterator[_Found]:
    if bool(port.certificate_file) != bool(port.certificate_key_file):
        missing = "certificate_key_file" if port.certificate_file else "certificate_file"
        yield (f"{where}.{missing}", _missing(), tr("a certificate and its key, or neither"))
    if port.tls and not port.certificate_file:
        yield (f"{where}.certificate_file", _missing(), tr("a certificate and its key, for tls"))
    if not port.tls and (port.ca_file or caller_certificates):
        key = "ca_file" if port.ca_file or where != "adt" else "sender_certificates"
        yield (f"{where}.{key}", tr("Without TLS no certificate is asked for."), tr("tls = true"))
    if caller_certificates and not port.ca_file:
        yield (f"{where}.ca_file", _missing(), tr("a file, for the certificates of callers"))
    yield from _authorities(where, port.ca_file)
    yield from _certificate(where, port)


def _receiver(receiver: Receiver) -> Iterator[_Found]:
    certificates = [one for sender in receiver.senders for one in sender.certificates]
    yield from _port_trust("receiver", receiver, certificates)
    yield from _twice("receiver.senders", "name", [sender.name for sender in receiver.senders])
    if not receiver.senders:
        yield ("receiver.senders", _missing(), tr("at least one scanner"))
    for number, sender in enumerate(receiver.senders):
        if not sender.addresses:
            yield (
                f"receiver.senders[{number}].addresses",
                tr("An AE title alone proves nobody."),
                tr("at least one address or network"),
            )


def _device(where: str, device: Device) -> Iterator[_Found]:
    yield from _device_trust(where, device)
    key, address = f"{where}.address", device.address
    if device.kind is DeviceKind.STREAM:
        rule = WebAddress(("rtsp", "rtsps", "http", "https"))
        if not address:
            yield (key, _missing(), rule.allowed)
        elif problem := rule.problem(address.partition("?")[0]):  # cameras like their queries
            yield (key, problem, rule.allowed)
    elif device.kind is DeviceKind.FILE and not Path(address).is_absolute():
        yield (key, tr("It is not a full path."), tr("a full path, for kind = file"))
    elif device.kind is DeviceKind.CAMERA and not address:
        yield (key, _missing(), tr("a number or a device path, for kind = camera"))


def _device_trust(where: str, device: Device) -> Iterator[_Found]:
    yield from _authorities(where, device.ca_file)
    if bool(device.user) != bool(device.password_key):
        missing = "password_key" if device.user else "user"
        yield (f"{where}.{missing}", _missing(), tr("user and password_key both, or neither"))
    if device.kind is not DeviceKind.STREAM:
        for key in ("user", "ca_file"):
            if getattr(device, key):
                yield (f"{where}.{key}", tr("It is for streams alone."), tr("empty"))
    elif device.ca_file and not device.address.startswith(("https:", "rtsps:")):
        yield (
            f"{where}.ca_file",
            tr("The address is not encrypted: nothing would be checked."),
            tr("empty, or an https or rtsps address"),
        )


def _scan_pattern(where: str, pattern: ScanPattern) -> Iterator[_Found]:
    if pattern.shortest > pattern.longest:
        yield (
            f"{where}.longest",
            tr("It is less than shortest."),
            tr("at least as many as shortest"),
        )
    if pattern.suffix is not Suffix.NONE:
        return
    # Nothing but the code itself can say then that its end has come.
    if pattern.shortest < pattern.longest:
        yield (
            f"{where}.longest",
            tr("Without a suffix a code of another length cannot be told from a part of one."),
            tr("the same as shortest, for suffix = none"),
        )
    is_proven = pattern.check_digit is not CheckDigit.NONE or bool(pattern.gs1_element)
    if not (is_proven or pattern.is_marked):
        yield (
            f"{where}.suffix",
            tr("Nothing says that such a code is whole."),
            tr("enter or tab; none with a symbology, a prefix that is no digit, or a check digit"),
        )


def _ports(settings: Settings) -> Iterator[_Found]:
    """Archives may share a port for their reports; nothing else may."""
    adt = settings.adt.port if settings.adt is not None else None
    for number, archive in enumerate(settings.archives):
        if archive.commitment_port is not None and archive.commitment_port == adt:
            yield (
                f"archives[{number}].commitment_port",
                tr("The admissions feed listens on this port."),
                tr("a port that adt.port does not use"),
            )
    taken = {adt, *(archive.commitment_port for archive in settings.archives)} - {None}
    if settings.receiver is not None:
        if settings.receiver.port in taken:
            yield (
                "receiver.port",
                tr("The admissions feed or a commitment report comes to this port."),
                tr("a port of its own"),
            )
        taken.add(settings.receiver.port)
    if settings.health.port is not None and settings.health.port in taken:
        yield (
            "health.port",
            tr("Something else is received on this port."),
            tr("a port of its own"),
        )


def _missing() -> str:
    return tr("It is missing.")
