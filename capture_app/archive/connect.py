"""From the settings of a destination to the archive that the outbox sends to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from capture_app.archive.commitment import CommitmentListener, StorageCommitment
from capture_app.archive.dimse import DimseArchive
from capture_app.archive.echo import EchoResult, Way, echo_dimse, echo_web, find_no_study
from capture_app.archive.held_copy import ReadHeldCopy
from capture_app.archive.offered import Offer, offered_by
from capture_app.archive.outcomes import ProofMethod
from capture_app.archive.proof import PixelHash
from capture_app.archive.query import ListedOnly
from capture_app.archive.stow import StowArchive
from capture_app.clock import Clock
from capture_app.model.procedure import ImageKind
from capture_app.net.callers import AllowedCallers
from capture_app.net.dicom.association import Peer
from capture_app.net.http import HttpClient
from capture_app.net.tls import client_tls, server_tls
from capture_app.net.wire import Address
from capture_app.settings.schema import (
    ArchiveDestination,
    ArchiveProtocol,
    ProofChoice,
    Station,
)

Password = Callable[[str], str | None]
"""Gives the password that the key store holds under a name; None where it holds none."""


def connect(
    destination: ArchiveDestination,
    station: Station,
    *,
    listener: CommitmentListener | None,
    clock: Clock,
    password: Password,
    read_copy: ReadHeldCopy,
) -> DimseArchive | StowArchive:
    """An archive as the outbox wants it. Nothing is sent yet. `read_copy` reads what it gives back.

    Raises OSError for certificate files that cannot be used.
    """
    proof = _proof(destination, station, listener, clock, password, read_copy)
    if destination.protocol is ArchiveProtocol.STOW:
        return StowArchive(
            destination.name,
            destination.url,
            client=_client(destination, password, clock),
            proof=proof,
            clock=clock,
            deadline_seconds=destination.deadline_seconds,
        )
    return DimseArchive(
        _peer(destination, station),
        proof=proof,
        clock=clock,
        deadline_seconds=destination.deadline_seconds,
    )


def commitment_listeners(
    destinations: Sequence[ArchiveDestination], station: Station, clock: Clock
) -> Mapping[str, CommitmentListener]:
    """The listeners that the destinations need, by destination name; start and stop each once.

    Destinations with the same host and port share one. Raises OSError for certificate files that
    cannot be used.
    """
    by_place: dict[tuple[str, int], list[ArchiveDestination]] = {}
    for destination in destinations:
        if destination.commitment_port is not None and proof_choice(destination) is _COMMITMENT:
            place = (destination.commitment_host, destination.commitment_port)
            by_place.setdefault(place, []).append(destination)
    listeners: dict[str, CommitmentListener] = {}
    for (host, port), sharing in by_place.items():
        tls = None
        for destination in sharing:
            if destination.tls and destination.certificate_file:
                tls = server_tls(
                    destination.name,
                    ca_file=destination.ca_file,
                    certificate_file=destination.certificate_file,
                    key_file=destination.certificate_key_file,
                )
        listener = CommitmentListener(
            host=host,
            port=port,
            ae_title=station.ae_title,
            archive_ae_titles=_callers(sharing),
            clock=clock,
            tls=tls,
        )
        listeners |= {destination.name: listener for destination in sharing}
    return listeners


def _callers(sharing: Iterable[ArchiveDestination]) -> dict[str, list[AllowedCallers]]:
    """Who may report, by AE title: two archives may have the same one at two addresses."""
    callers: dict[str, list[AllowedCallers]] = {}
    for archive in sharing:
        may = AllowedCallers.of(archive.report_senders, archive.report_certificates)
        callers.setdefault(archive.ae_title, []).append(may)
    return callers


def ways(destination: ArchiveDestination) -> tuple[Way, ...]:
    """By which ways a destination must answer: to take images, and to prove that it has them."""
    takes = Way.WEB if destination.protocol is ArchiveProtocol.STOW else Way.DIMSE
    by_web = proof_choice(destination) is ProofChoice.PIXEL_HASH
    # Beside a commitment it is asked where it has filed the image (C-FIND).
    proves = (Way.WEB,) if by_web else (Way.DIMSE, Way.FIND)
    return tuple(dict.fromkeys((takes, *proves)))


def echo(
    destination: ArchiveDestination,
    station: Station,
    way: Way,
    *,
    clock: Clock,
    password: Password,
) -> EchoResult:
    """Tries one way to a destination: C-ECHO, or a search that finds nothing.

    Raises OSError for certificate files that cannot be used, and what `password` raises.
    """
    if way is Way.DIMSE:
        return echo_dimse(_peer(destination, station), clock, destination.deadline_seconds)
    if way is Way.FIND:
        return find_no_study(_peer(destination, station), clock, destination.deadline_seconds)
    client = _client(destination, password, clock)
    try:
        return echo_web(
            destination.name, destination.url, client, clock, destination.deadline_seconds
        )
    finally:
        client.close()


def offers(
    destination: ArchiveDestination, station: Station, kinds: Sequence[ImageKind], clock: Clock
) -> tuple[Offer, ...]:
    """What an archive that is spoken to by DIMSE says that it takes; nothing is sent.

    Raises DeliveryError, and OSError for certificate files that cannot be used.
    """
    peer, commits = _peer(destination, station), proof_choice(destination) is _COMMITMENT
    return offered_by(peer, kinds, clock, destination.deadline_seconds, commits=commits)


_COMMITMENT = ProofChoice.STORAGE_COMMITMENT


def proof_choice(destination: ArchiveDestination) -> ProofChoice:
    """What `auto` comes to; AUTO where the destination offers neither proof."""
    if destination.proof is not ProofChoice.AUTO:
        return destination.proof
    if destination.url:
        return ProofChoice.PIXEL_HASH
    return _COMMITMENT if destination.commitment_port is not None else ProofChoice.AUTO


def _proof(
    destination: ArchiveDestination,
    station: Station,
    listener: CommitmentListener | None,
    clock: Clock,
    password: Password,
    read_copy: ReadHeldCopy,
) -> ProofMethod:
    seconds = destination.deadline_seconds
    match proof_choice(destination):
        case ProofChoice.PIXEL_HASH:
            return PixelHash(
                destination.name,
                destination.url,
                client=_client(destination, password, clock),
                read_copy=read_copy,
                clock=clock,
                deadline_seconds=seconds,
            )
        case ProofChoice.STORAGE_COMMITMENT:
            return StorageCommitment(
                _peer(destination, station),
                listener=listener,
                clock=clock,
                deadline_seconds=seconds,
            )
        case ProofChoice.AUTO:
            return ListedOnly(_peer(destination, station), clock=clock, deadline_seconds=seconds)


def _peer(destination: ArchiveDestination, station: Station) -> Peer:
    tls = destination.tls and client_tls(
        destination.name,
        ca_file=destination.ca_file,
        certificate_file=destination.certificate_file,
        key_file=destination.certificate_key_file,
    )
    address = Address(destination.name, destination.host, destination.port or 0, tls or None)
    return Peer(address, destination.ae_title, station.ae_title)


def _client(destination: ArchiveDestination, password: Password, clock: Clock) -> HttpClient:
    def credentials() -> tuple[str, str] | None:
        if not destination.user:
            return None
        return destination.user, password(destination.password_key) or ""

    tls = None
    if destination.url.startswith("https:"):
        tls = client_tls(
            destination.name,
            ca_file=destination.ca_file,
            certificate_file=destination.certificate_file,
            key_file=destination.certificate_key_file,
        )
    return HttpClient(destination.name, credentials=credentials, tls=tls, heard=clock.heard)
