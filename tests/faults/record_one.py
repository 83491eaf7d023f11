"""A process whose children record until they are killed, and say each second that they promise.

A line on its standard input is one child: the data folder, frames in a second, and how many frames
in all. It says READY first, and OVER at the end of each child. They record as the window does: what
is PROMISED is what the window says is safe.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

from capture_app.clock import FixedClock
from capture_app.devices.replay import Replay
from capture_app.exam.filming import FilmService, FilmState
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.worklist import FeedSource, IdentifiedBy, PatientListEntry, PersonNow
from tests import filming, outboxes, sealing


def record(folder: Path, a_second: int, frames: int) -> None:
    clock = FixedClock(sealing.TAKEN_AT)
    outbox = outboxes.open_outbox(folder, clock)
    entry = PatientListEntry(sealing.MAI, sealing.VISIT, (), FeedSource.ADT, clock.now())
    exams = ExamService(
        outbox,
        sealing.catalog(),
        clock,
        sealing.STATION,
        lambda _number: PersonNow(sealing.MAI, (sealing.VISIT,), (entry,)),
        lambda _number: frozenset(),
        surgery,
    )
    ring = Replay(clock, 256_000_000)
    films = FilmService(exams, outbox, ring, clock)
    exam = exams.open(entry, sealing.NURSE, IdentifiedBy.SCAN)
    films.begin(exam)
    told: list[FilmState] = []

    def tell(state: FilmState) -> None:
        told.append(state)
        _say("ENDED" if state.is_over else f"PROMISED {state.promised.frames}")

    film = films.record(exam, device=sealing.CAMERA, description=sealing.description(), told=tell)
    for number in range(frames):
        clock.advance(1 / a_second)
        ring.see(filming.frame(clock, number, data=filming.jpeg(number, size=60_000)))
        if not number:
            _until(lambda: film.has_begun)
            _say(f"RECORDS {os.getpid()} {film.capture_id}")
        if number % a_second == a_second - 1:
            seconds = (number + 1) // a_second
            _until(lambda: len(told) >= seconds)  # noqa: B023 - asked at once
    film.end()
    assert film.wait(20)
    outboxes.close(outbox)


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        Event().wait(0.0005)


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def main() -> None:
    for number in range(3):  # its libraries are read once, and nothing is made twice
        filming.jpeg(number, size=60_000)
    sealing.catalog()
    _say("READY")
    for line in sys.stdin:
        folder, a_second, frames = line.split()
        child = os.fork()  # noqa: TID251 - one thread, and none of those libraries
        if not child:
            record(Path(folder), int(a_second), int(frames))
            os._exit(0)
        os.waitpid(child, 0)
        _say("OVER")


if __name__ == "__main__":
    main()
