"""The port on which archives report: strangers end, whatever they say, and an archive is heard."""

import socket
from random import Random

import pytest
from pynetdicom import AE

from capture_app.archive.commitment import CommitmentListener, Transaction
from capture_app.clock import FixedClock
from capture_app.net.callers import ANYBODY
from tests.draws import PATIENCE_S, drawn
from tests.fuzz.dicom_pdus import AE_TITLE, ARCHIVE, COMMITMENT, VERIFICATION, conversation
from tests.fuzz.spoiling import MAY_GROW_BY, Growth

HOST = "127.0.0.1"
PDUS = drawn(2_000, whole=50_000)
ANSWERS_WITHIN_S = 60
LOOK_EVERY = 50
SAID = (
    "WARNING pydicom",
    "pynetdicom",
    "commitment-report-unknown",
    "commitment-report-unreadable",
)


def said_back(port: int, pdus: list[bytes]) -> bytes:
    """All that is answered to a caller who says this and has nothing more to say."""
    answer = bytearray()
    with socket.create_connection((HOST, port), timeout=ANSWERS_WITHIN_S) as sock:
        try:
            sock.sendall(b"".join(pdus))
            sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(65_536):
                answer += data
        except OSError:  # cut off in the middle of what it said
            pass
    return bytes(answer)


def is_heard(port: int) -> bool:
    """Whether an archive, by somebody else's library, gets its echo."""
    ae = AE(ae_title=ARCHIVE)
    ae.add_requested_context(VERIFICATION)
    ae.add_requested_context(COMMITMENT)
    assoc = ae.associate(HOST, port, ae_title=AE_TITLE)
    if not assoc.is_established:
        return False
    try:
        return bool(assoc.send_c_echo().Status == 0x0000)
    finally:
        assoc.release()


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the libraries, about what they were given
@pytest.mark.expects_log(*SAID)
@pytest.mark.timeout(PATIENCE_S)
def test_no_pdu_stops_the_port_or_answers_for_an_archive(clock: FixedClock) -> None:
    listener = CommitmentListener(
        host=HOST, port=0, ae_title=AE_TITLE, archive_ae_titles={ARCHIVE: [ANYBODY]}, clock=clock
    )
    listener.start()
    asked = Transaction("2.25.1", clock.monotonic(), ARCHIVE, {"2.25.2": COMMITMENT})
    listener.transactions.begin(asked)
    chance, sent, callers, answered = Random(11), 0, 0, 0
    try:
        growth = Growth()
        while sent < PDUS:
            pdus = conversation(chance)
            sent, callers = sent + len(pdus), callers + 1
            answered += bool(said_back(listener.port, pdus))
            if callers % LOOK_EVERY == 0:
                assert is_heard(listener.port)
                growth.look()
        assert is_heard(listener.port)
        growth.look()
        assert answered > callers / 2  # most of what they began with was right
        assert asked.reasons is None, "a stranger answered what an archive was asked"
        assert growth.most <= MAY_GROW_BY, f"grew by {growth.most >> 20} MiB"
        print(f"{sent} PDUs of {callers} callers, {answered} answered, +{growth.most >> 20} MiB")
    finally:
        listener.stop()
