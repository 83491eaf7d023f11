"""An admission received, durable and acknowledged, against hl7apy parsing the same message."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from hl7apy.parser import parse_message

from capture_app.net.mllp import CR, FS, framed
from capture_app.patients.census.census import DATABASE, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.bench.measures import Measure, faster_than, seconds
from tests.bench.workshop import Workshop
from tests.peers import HOST

_MESSAGES = 300
_PARSED = 30
_IN_TURNS = 10  # a round is so many turns of either, so that both meet the same load
_LONGEST_S = 10.0
_LONGEST_ANSWER = 65_536
_END = FS + CR

_ADMISSION = (
    "MSH|^~\\&|RIG|HOSP|CAP|CART|20240702120000||ADT^A01^ADT_A01|MSG{n}|P|2.5\r"
    "EVN|A01|20240702120000\r"
    "PID|1||{n}^^^HOSP^MR~99{n}^^^NAT^NH||DOE^JANE^Q^^^^L||19700102|F|||"
    "1 MAIN ST^^TOWN^ST^12345||555-0100|||M||ACC{n}\r"
    "NK1|1|DOE^JOHN|SPO|1 MAIN ST^^TOWN^ST^12345\r"
    "PV1|1|I|ICU^12^B^HOSP||||1234^SMITH^ANN^^^DR|||SUR||||1|A0|||V{n}"
    "|||||||||||||||||||||||||20240702110000\r"
    "AL1|1|DA|PEN^Penicillin|SV|Rash\r"
    "DG1|1||L97.5^Ulcer^I10|Ulcer|20240702|A\r"
)


def admission(number: int) -> bytes:
    """An admission of 7 segments; each number is a patient of the authority HOSP."""
    return _ADMISSION.format(n=number).encode()


def measure(shop: Workshop) -> Iterator[Measure]:
    """Each message is another patient's; the sender waits for each acknowledgement."""
    room = shop.room("feed")
    adt = AdtFeed(host=HOST, port=0, assigning_authority="HOSP")
    settings = Settings(data_dir=room, adt=adt)
    ours, theirs = [], []
    numbers = count(100_001)
    with closing(open_census(room, Cipher(bytes(range(32))), shop.clock, settings)) as census:
        receiver = AdtReceiver(census, adt, shop.clock)
        receiver.start()
        try:
            with socket.create_connection((HOST, receiver.port), _LONGEST_S) as sender:
                sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for number in range(1, shop.rounds + 1):
                    acknowledged = parsed = 0.0
                    for _ in range(_IN_TURNS):
                        acknowledged += _acknowledged(sender, numbers)
                        parsed += _parsed()
                    ours.append(acknowledged / _MESSAGES)
                    theirs.append(parsed / _PARSED)
                    _see_that_all_are_kept(room, number * _MESSAGES)
        finally:
            receiver.stop()
    yield faster_than(
        "ADT A01 of 7 segments: received, durable, in the list, acknowledged",
        ours,
        "hl7apy only parses it:",
        theirs,
        at_least=10,
    )


def _acknowledged(sender: socket.socket, numbers: Iterator[int]) -> float:
    frames = [framed(admission(next(numbers))) for _ in range(_MESSAGES // _IN_TURNS)]

    def send() -> None:
        for frame in frames:
            sender.sendall(frame)
            answer = sender.recv(_LONGEST_ANSWER)
            while not answer.endswith(_END):
                answer += sender.recv(_LONGEST_ANSWER)
            assert b"MSA|AA" in answer

    return seconds(send)


def _parsed() -> float:
    message = admission(100_007).decode()

    def parse() -> None:
        for _ in range(_PARSED // _IN_TURNS):
            parse_message(message)

    return seconds(parse)


def _see_that_all_are_kept(room: Path, wanted: int) -> None:
    with closing(sqlite3.connect(room / DATABASE)) as connection:
        kept = connection.execute(
            "SELECT count(*), count(DISTINCT patient_key), count(state) FROM events"
        ).fetchone()
    assert kept == (wanted, wanted, wanted), f"{kept} of {wanted}"
