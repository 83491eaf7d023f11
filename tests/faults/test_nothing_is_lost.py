"""Every picture that was promised (SAFE) is in the archive once, under the right patient, with the
same pixels, wherever the process was killed. Real processes, real disk, real Orthanc.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import pytest

from capture_app.dicom.part10 import pixel_sha256, read
from capture_app.imaging.jpeg import prepare_jpeg
from tests.draws import PATIENCE_S, drawn
from tests.faults import shutter
from tests.faults.kills import SIDE_BY_SIDE, Children, Life, Point, points_of, spread
from tests.faults.shutter import PICTURES, Order
from tests.peers import Orthanc

LEAST_KILLS = 100
WRITES_PER_RUN = drawn(8, whole=10_000)
"""Of the many pwrite64 of SQLite in one run, so many are taken, evenly spread; of the rest all."""


@dataclass
class Rig:
    """Kills at chosen points, some at a time, each in its own folder and for its own patient."""

    orthanc: Orthanc
    folder: Path
    children: list[Children]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def order(self, act: str, number: int, plant: str = "") -> Order:
        archive = {
            "name": "pacs",
            "host": "127.0.0.1",
            "port": self.orthanc.dicom_port,
            "ae_title": self.orthanc.aet,
            "url": self.orthanc.dicomweb,
            "user": self.orthanc.auth[0],
            "password_key": "pacs-password",
        }
        folder = self.folder / f"{number}"
        folder.mkdir(exist_ok=True)
        return Order(act, str(folder), f"9{number:05d}", archive, plant)

    def clean_runs(self) -> tuple[Life, Life]:
        """One undisturbed life, in its two processes: shutter to Send, and queue to Confirmed."""
        number = next(self.numbers)
        children = self.children[0]
        shot = children.run(self.order("shoot", number), trace=self.folder / "shoot.txt")
        delivered = children.run(self.order("deliver", number), trace=self.folder / "deliver.txt")
        assert shot.said[-1] == "SENT", shot.said
        assert delivered.said == ("CONFIRMED",), delivered.said
        return shot, delivered

    def run(self, points: Sequence[tuple[str, Point]], plant: str = "") -> list["Run"]:
        """Kills at each point, restarts, and waits until all is confirmed."""
        spare: SimpleQueue[Children] = SimpleQueue()
        for children in self.children:
            spare.put(children)

        def one(number: int, act: str, point: Point) -> Run:
            children = spare.get()
            try:
                return self._one(children, number, act, point, plant)
            finally:
                spare.put(children)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            tries = [pool.submit(one, next(self.numbers), act, p) for act, p in points]
            return [each.result() for each in tries]

    def _one(self, children: Children, number: int, act: str, point: Point, plant: str) -> "Run":
        before: Life | None = None
        if act == "deliver":
            before = children.run(self.order("shoot", number, plant))
        life = children.run(self.order(act, number, plant), kill_at=point)
        finish = children.run(self.order("finish", number, plant))
        safe = (before or life).safe
        patient_id = self.order(act, number).patient_id
        return Run(act, point, patient_id, safe, life.was_killed, finish.said)

    def found(self) -> dict[str, list["Found"]]:
        """What the archive holds, by the hash of the pixels."""
        found: dict[str, list[Found]] = {}
        uids = self.orthanc.sop_instance_uids()
        assert len(uids) == len(set(uids)), "one UID is there twice, under several patients"
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for part10 in pool.map(self.orthanc.file, uids):
                ds = read(part10)
                one = Found(str(ds.SOPInstanceUID), str(ds.PatientID))
                found.setdefault(pixel_sha256(read(part10)), []).append(one)
        return found


@dataclass(frozen=True)
class Run:
    """One kill and what came after."""

    act: str
    point: Point
    patient_id: str
    safe: tuple[tuple[str, int], ...]
    was_killed: bool
    finish: tuple[str, ...]

    def faults(self, archive: dict[str, list["Found"]]) -> Iterator[str]:
        """Every way in which the promise was broken."""
        where = f"{self.act} {self.point.call} {self.point.nth}"
        if self.finish not in {("CONFIRMED",), ()}:
            yield f"{where}: the restart said {self.finish}"
        promised = {number: uid for uid, number in self.safe}
        for number in range(PICTURES):
            image = prepare_jpeg(shutter.picture(self.patient_id, number))
            there = archive.get(sha256(image.data).hexdigest(), [])
            if number in promised and not there:
                yield f"{where}: picture {number} was promised and is lost"
            if len(there) > 1:
                yield f"{where}: picture {number} is there {len(there)} times"
            for found in there:
                if found.patient_id != self.patient_id:
                    yield f"{where}: picture {number} is under another patient"
                if number in promised and found.uid != promised[number]:
                    yield f"{where}: picture {number} is there under another UID"


@dataclass(frozen=True)
class Found:
    """One instance in the archive."""

    uid: str
    patient_id: str


@pytest.fixture
def rig(orthanc: Orthanc, tmp_path: Path, three_children: list[Children]) -> Rig:
    return Rig(orthanc, tmp_path, three_children)


def chosen(rig: Rig) -> list[tuple[str, Point]]:
    """The points of one clean life: all but SQLite's page writes, and of those a fair share."""
    points = []
    for act, life in zip(("shoot", "deliver"), rig.clean_runs(), strict=True):
        every = points_of(life.calls())
        pages = [point for point in every if point.call == "pwrite64"]
        others = [point for point in every if point.call != "pwrite64"]
        points += [(act, point) for point in (*others, *spread(pages, WRITES_PER_RUN))]
    return points


@pytest.mark.timeout(PATIENCE_S)
def test_killed_anywhere_nothing_promised_is_lost(rig: Rig) -> None:
    runs = rig.run(chosen(rig))
    archive = rig.found()
    faults = [fault for run in runs for fault in run.faults(archive)]
    killed = Counter((run.act, run.point.call) for run in runs if run.was_killed)
    print(f"{killed.total()} kills of {len(runs)} points: {dict(killed)}")
    assert not faults, "\n".join(faults)
    assert killed.total() >= LEAST_KILLS
    calls = {call for _, call in killed}
    assert {"write", "pwrite64", "fsync", "fdatasync", "rename"} <= calls
    assert {"connect", "sendto", "recvfrom"} <= calls
    assert sum(len(run.safe) for run in runs) > LEAST_KILLS


SAFE_FIRST_POINTS = [("shoot", Point("write", 2)), ("shoot", Point("rename", 1))]
RETRY_POINTS = [("deliver", Point("recvfrom", nth)) for nth in range(3, 7)]


@pytest.mark.parametrize(
    ("plant", "points", "words"),
    [
        pytest.param(shutter.SAFE_FIRST, SAFE_FIRST_POINTS, "is lost", id="safe-before-the-write"),
        pytest.param(shutter.NEW_UID, RETRY_POINTS, "is there 2 times", id="new-uid-on-retry"),
    ],
)
def test_planted_fault_is_found(
    rig: Rig, plant: str, points: list[tuple[str, Point]], words: str
) -> None:
    runs = rig.run(points, plant)
    assert all(run.was_killed for run in runs)
    archive = rig.found()
    faults = [fault for run in runs for fault in run.faults(archive)]
    assert any(words in fault for fault in faults), faults


def test_everything_is_on_the_disk_before_a_picture_is_called_safe(rig: Rig) -> None:
    trace = rig.folder / "order.txt"
    order = rig.order("shoot", next(rig.numbers))
    life = rig.children[0].run(order, trace=trace, with_paths=True)
    assert len(life.safe) == PICTURES
    steps = _durable_steps(trace)
    assert steps.count("SAFE") == PICTURES
    for number in range(PICTURES):
        at = [i for i, step in enumerate(steps) if step == "SAFE"][number]
        since = steps[:at] if not number else steps[:at][_after_last_safe(steps, at) :]
        # The last of each kind before SAFE, in the order in which a promise needs them.
        wanted = ["fsync file", "rename", "fsync folder", "sync database", "SAFE"]
        assert [*since, "SAFE"][-len(wanted) :] == wanted, since


def _after_last_safe(steps: Sequence[str], before: int) -> int:
    return max(i for i in range(before) if steps[i] == "SAFE") + 1


def _durable_steps(trace: Path) -> list[str]:
    """The calls of a trace that make something durable or promise it, in words."""
    kinds = (
        (r'write\(1<.*>, "SAFE ', "SAFE"),
        (r"fsync\(\d+<.*/captures/[0-9a-f]+\.tmp>\)", "fsync file"),
        (r'rename\(".*/captures/[0-9a-f]+\.tmp", ".*/captures/[0-9a-f]+\.sealed"\)', "rename"),
        (r"fsync\(\d+<.*/captures>\)", "fsync folder"),
        (r"(fsync|fdatasync)\(\d+<.*/outbox\.db-wal>\)", "sync database"),
    )
    steps = []
    for line in trace.read_text("utf-8", "replace").splitlines():
        steps += [step for pattern, step in kinds if re.search(pattern, line)]
    return steps
