"""The port for commitment reports under callers who know everything but a transaction."""

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from random import Random

import pytest
from pynetdicom.pdu import A_ASSOCIATE_RJ

from capture_app.archive.commitment import CommitmentListener, Transaction
from capture_app.archive.connect import commitment_listeners
from capture_app.clock import SystemClock
from capture_app.net.callers import ANYBODY, AllowedCallers
from capture_app.net.dicom.upper_layer import ABORT, ASSOCIATE_AC, ASSOCIATE_RJ
from capture_app.net.listener import MOST_CALLERS
from capture_app.settings.schema import ArchiveDestination, ProofChoice, Station
from tests.fuzz.dicom_pdus import AE_TITLE, ARCHIVE, COMMITMENT, large_report, request
from tests.fuzz.spoiling import MAY_GROW_BY, Growth
from tests.fuzz.test_pdus_over_tcp import is_heard
from tests.peers import free_port

HOST, ELSEWHERE = "127.0.0.1", "127.0.0.2"
WAITS_S = 30
STRANGER = b"STRANGER"
CALLING = slice(26, 42)
NOT_RECOGNISED = 3


def listening(*allowed: AllowedCallers) -> CommitmentListener:
    return CommitmentListener(
        host=HOST,
        port=0,
        ae_title=AE_TITLE,
        archive_ae_titles={ARCHIVE: allowed},
        clock=SystemClock(),
    )


@pytest.fixture
def listener() -> Iterator[CommitmentListener]:
    listener = listening(ANYBODY)
    listener.start()
    yield listener
    listener.stop()


def called_from(place: str, listener: CommitmentListener) -> socket.socket:
    return socket.create_connection((HOST, listener.port), WAITS_S, source_address=(place, 0))


def associated(place: str, listener: CommitmentListener) -> socket.socket:
    sock = called_from(place, listener)
    sock.sendall(request())
    assert read_pdu(sock)[0] == ASSOCIATE_AC
    return sock


def read_pdu(sock: socket.socket) -> bytes:
    """All of it; empty where the port hung up."""
    with sock.makefile("rb") as reader:
        head = reader.read(6)
        return head + reader.read(struct.unpack(">BxL", head)[1]) if len(head) == 6 else b""


def test_of_a_stranger_nothing_is_decoded_but_the_titles(listener: CommitmentListener) -> None:
    asked = bytearray(request())
    asked[74:] = b"\xff" * (len(asked) - 74)  # what would end the decoder, and did
    with called_from(HOST, listener) as sock:
        sock.sendall(asked)
        assert read_pdu(sock) == b"", "one who is known is hung up on"
    asked[CALLING] = STRANGER.ljust(16)
    with called_from(HOST, listener) as sock:
        sock.sendall(asked)
        rejected = A_ASSOCIATE_RJ()
        rejected.decode(read_pdu(sock))
    assert rejected.pdu_type == ASSOCIATE_RJ
    assert rejected.reason_diagnostic == NOT_RECOGNISED
    assert is_heard(listener.port)


@pytest.mark.parametrize(
    ("kind", "length"),
    [(1, (1 << 16) + 1), (1, 1 << 20), (5, 5), (7, 1 << 16), (8, 0), (0, 4)],
)
def test_a_pdu_that_is_longer_than_its_kind_can_be_is_not_waited_for(
    listener: CommitmentListener, kind: int, length: int
) -> None:
    """A megabyte of contexts takes a decoder seven seconds: anybody may ask for an association."""
    with called_from(HOST, listener) as sock:
        sock.sendall(struct.pack(">BxL", kind, length))
        assert read_pdu(sock) == b""
    assert is_heard(listener.port)


def test_reports_of_the_largest_size_from_all_places_at_once_are_bounded(
    listener: CommitmentListener,
) -> None:
    asked = Transaction("2.25.1", 0.0, ARCHIVE, {"2.25.2": COMMITMENT})
    listener.transactions.begin(asked)
    chance, growth = Random(6), Growth()
    with ExitStack() as stack:
        socks = [stack.enter_context(associated(HOST, listener)) for _ in range(MOST_CALLERS)]
        for sock in socks:
            sock.sendall(b"".join(large_report(chance)[:-1]))  # its end is still to come
        growth.look()
        for sock in socks:
            with suppress(OSError):
                sock.sendall(large_report(chance)[-1])
        for sock in socks:
            with suppress(ConnectionResetError):
                assert read_pdu(sock)[:1] in {b"", bytes([ABORT])}
            growth.look()
    assert growth.most <= MAY_GROW_BY, f"grew by {growth.most >> 20} MiB"
    assert asked.reasons is None
    assert is_heard(listener.port)


def test_a_stranger_with_a_known_title_in_all_places_does_not_keep_the_archive_out(
    listener: CommitmentListener,
) -> None:
    with ExitStack() as stack:
        for _ in range(2 * MOST_CALLERS):
            stack.enter_context(associated(ELSEWHERE, listener))
        assert is_heard(listener.port)


def test_a_title_counts_from_its_own_address_alone() -> None:
    listener = listening(AllowedCallers.of([HOST], []))
    listener.start()
    try:
        with called_from(ELSEWHERE, listener) as sock:
            sock.sendall(request())
            assert read_pdu(sock)[0] == ASSOCIATE_RJ
        assert is_heard(listener.port)
    finally:
        listener.stop()


def test_two_archives_of_one_title_report_each_from_its_own_address() -> None:
    here, there = ArchiveDestination("a"), ArchiveDestination("b")
    pair = [
        replace(
            one,
            host=place,
            port=104,
            ae_title=ARCHIVE,
            proof=ProofChoice.STORAGE_COMMITMENT,
            commitment_port=free_port(),
            report_senders=(place,),
        )
        for one, place in ((here, HOST), (there, ELSEWHERE))
    ]
    port = pair[0].commitment_port
    pair[1] = replace(pair[1], commitment_port=port)
    listeners = commitment_listeners(pair, Station(ae_title=AE_TITLE), SystemClock())
    (listener,) = set(listeners.values())
    listener.start()
    try:
        for place, answer in ((HOST, ASSOCIATE_AC), (ELSEWHERE, ASSOCIATE_AC), ("127.0.0.3", 3)):
            with called_from(place, listener) as sock:
                sock.sendall(request())
                assert read_pdu(sock)[0] == answer
    finally:
        listener.stop()
