"""A feed that lost its mind: the listener answers, goes on, and believes nothing of whom it
did not speak.
"""

import socket
from pathlib import Path
from random import Random

import pytest

from capture_app.clock import FixedClock
from capture_app.hl7.split import parse_header
from capture_app.net.mllp import Framed, Unframer, framed
from capture_app.patients.census.census import open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.draws import PATIENCE_S, drawn
from tests.fuzz.hl7_messages import message, out_of_frame
from tests.fuzz.spoiling import MAY_GROW_BY, Growth

HOST = "127.0.0.1"
MESSAGES = drawn(2_000, whole=100_000)
AT_ONCE = 50
SHORT = 300
"""Bytes of each that is out of frame: all at once they are not enough to be cut off for."""
ANSWERS_WITHIN_S = 60
NAMES = ("Control^Ann", "Control^Ben", "Control^Cyd")


def control(number: int, control_id: str) -> bytes:
    """A message about a patient of whom the rest of the feed never speaks."""
    return (
        f"MSH|^~\\&|ADT|HOSP|APP|SITE|20240702080000||ADT^A08|{control_id}|P|2.5.1||||||"
        "UNICODE UTF-8\rEVN|A08|20240702080000\r"
        f"PID|1||900900{number}^^^HOSP^MR||{NAMES[number]}||1956071{number}|F\r"
        f"PV1|1|I|4B^12{'|' * 16}V900900{number}\r"
    ).encode()


def answers_until(sock: socket.socket, control_id: str) -> list[Framed]:
    """All answers up to the one about a message; it has to come."""
    unframer, found = Unframer(1_000_000), list[Framed]()
    wanted = f"|AA|{control_id}"
    in_msa = wanted.replace("|AA|", "MSA|AA|").encode()
    while not (found and in_msa in found[-1].content):
        data = sock.recv(65_536)
        assert data, "the listener ended the connection"
        found += unframer.feed(data)
    return found


@pytest.mark.timeout(PATIENCE_S)
def test_no_message_stops_the_feed_or_touches_another_patient(
    tmp_path: Path, clock: FixedClock
) -> None:
    settings = AdtFeed(host=HOST, port=0, assigning_authority="HOSP", max_message_bytes=20_000)
    census = open_census(
        tmp_path, Cipher(b"k" * 32), clock, Settings(data_dir=tmp_path, adt=settings)
    )
    receiver = AdtReceiver(census, settings, clock)
    receiver.start()
    chance, answered = Random(7), 0
    try:
        growth = Growth()
        for batch in range(MESSAGES // AT_ONCE):
            clock.advance(1)
            control_id, number = f"CONTROL{batch}", batch % len(NAMES)
            raws = [message(chance, f"M{batch}-{n}") for n in range(AT_ONCE)]
            is_framed = chance.random() < 0.8
            sent = [framed(raw) if is_framed else out_of_frame(chance, raw[:SHORT]) for raw in raws]
            stream = b"".join(sent) + framed(control(number, control_id))
            with socket.create_connection((HOST, receiver.port), timeout=ANSWERS_WITHIN_S) as sock:
                at = 0
                while at < len(stream):
                    step = chance.choice((1, 7, 100, 5_000, 100_000))
                    sock.sendall(stream[at : at + step])
                    at += step
                answers = answers_until(sock, control_id)
            assert all(parse_header(one.content).message_type == "ACK" for one in answers)
            assert len(answers) <= AT_ONCE + 1 or not is_framed
            answered += len(answers) - 1
            growth.look()
        assert answered > MESSAGES * 0.6  # some ask for no answer, some have no frame
        assert growth.most <= MAY_GROW_BY, f"grew by {growth.most >> 20} MiB"
        for number, name in enumerate(NAMES):
            (entry,) = census.lookup(f"900900{number}", "HOSP")
            born = entry.patient.birth_date
            assert (entry.patient.name.pn, f"{born:%Y%m%d}") == (name, f"1956071{number}")
            assert entry.encounter is not None
            assert entry.encounter.visit_number == f"V900900{number}"
        print(f"{MESSAGES} messages, {answered} answers, +{growth.most >> 20} MiB")
    finally:
        receiver.stop()
        census.close()
