"""A process whose children record until they are killed, and say each second that they promise.

A line on its standard input is one child: the data folder, frames between two promises, and how
many frames in all. It says READY first, and OVER at the end of each child.
"""

import os
import sys
from pathlib import Path

from capture_app.clock import SystemClock
from tests import filming, outboxes


def record(folder: Path, sync_every: int, frames: int) -> None:
    outbox = outboxes.open_outbox(folder, SystemClock())
    exam = outboxes.begin(outbox, outbox.spool.clock)
    recording = outbox.record(filming.identity(exam, outbox), filming.SHAPE)
    _say(f"RECORDS {os.getpid()} {recording.capture_id}")
    for number in range(frames):
        recording.add(filming.jpeg(number, size=60_000), number * 33_000)
        if number % sync_every == sync_every - 1:
            _say(f"PROMISED {recording.sync().frames}")
    recording.finish()
    _say("ENDED")
    outboxes.close(outbox)


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def main() -> None:
    filming.jpeg(0, size=60_000)  # its libraries are read once
    _say("READY")
    for line in sys.stdin:
        folder, sync_every, frames = line.split()
        child = os.fork()  # noqa: TID251 - one thread, and none of those libraries
        if not child:
            record(Path(folder), int(sync_every), int(frames))
            os._exit(0)
        os.waitpid(child, 0)
        _say("OVER")


if __name__ == "__main__":
    main()
