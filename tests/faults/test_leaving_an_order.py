"""A process that lets pictures go on without their order is killed, at every call: all of them
left it, or none did, and it can be done again.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest

from capture_app.audit.trail import read_trail
from capture_app.audit.verify import verify_chain
from capture_app.dicom import part10
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.sealing.leave_order import leave_order
from capture_app.store.sealed import open_sealed
from tests import sealing
from tests.draws import PATIENCE_S, drawn
from tests.faults import shutter
from tests.faults.kills import SIDE_BY_SIDE, Children, Life, Point, points_of, spread
from tests.faults.shutter import PICTURES, Order

PAGES_OF_SQLITE = drawn(12, whole=10_000)
"""Of the many pwrite64 so many are taken, evenly spread; of the rest all."""
ARCHIVE: dict[str, object] = {"name": "pacs"}


def order(act: str, folder: Path, number: int) -> Order:
    here = folder / f"{number}"
    here.mkdir(exist_ok=True)
    return Order(act, str(here), f"9{number:05d}", ARCHIVE)


@dataclass(frozen=True)
class Run:
    """One kill, and what a start found after it."""

    point: Point
    life: Life
    has_left: bool
    """Whether the act had happened."""
    faults: tuple[str, ...]


@contextmanager
def started(of: Order) -> Iterator[Outbox]:
    """The data folder, as the next start leaves it."""
    outbox = shutter.open_outbox(of)
    try:
        recover(outbox.spool, ("pacs",))
        yield outbox
    finally:
        outbox.spool.database.close()


def one_run(children: Children, folder: Path, number: int, point: Point) -> Run:
    assert children.run(order("prepare", folder, number)).said[-1] == "PREPARED"
    life = children.run(order("leave", folder, number), kill_at=point)
    with started(order("leave", folder, number)) as outbox:
        captures = [one.capture_id for one in outbox.statuses()]
        has_left = {outbox.exam_of(one).order is None for one in captures}
        faults = [*faults_in(outbox, captures, has_left=True in has_left)]
        if len(has_left) > 1:
            faults.append("some left the order and some did not")
        if "LEFT" in life.said and False in has_left:
            faults.append("it was said to have happened and did not")
        if has_left == {False}:  # the person acts again
            leave_order(outbox.spool, outbox.exam_of(captures[0]), sealing.NURSE)
        faults += faults_in(outbox, captures, has_left=True)
        faults += faults_when_sent(outbox, captures)
    return Run(point, life, True in has_left, tuple(faults))


def faults_in(outbox: Outbox, captures: list[str], *, has_left: bool) -> Iterator[str]:
    """What is not as it is before the act, or after it."""
    spool = outbox.spool
    if len(captures) != PICTURES:
        yield f"{len(captures)} pictures are there"
    if not inspect(spool).whole:
        yield "the folder is not whole"
    if not verify_chain(spool.database.read(), cipher=spool.cipher).whole:
        yield "the trail is broken"
    states = Counter(one.state for one in outbox.statuses())
    drafts = PICTURES if has_left else 1
    if states[ImageState.DRAFT] != drafts:
        yield f"the pictures are {states}"
    if len(list(spool.instances.glob("*.sealed"))) != PICTURES - drafts:
        yield "a sealed file is left, or gone"
    trail = Counter(row.event.action for row in read_trail(spool.database.read()))
    told = (trail[AuditAction.ORDER_LEFT], trail[AuditAction.CALLED_BACK])
    if told != ((1, PICTURES - 1) if has_left else (0, 0)):
        yield f"the trail tells it {told} times"
    for capture_id in captures:
        outbox.image_of(capture_id)


def faults_when_sent(outbox: Outbox, captures: list[str]) -> Iterator[str]:
    """What is not without the order once it is sent."""
    study = {outbox.exam_of(one).study_instance_uid for one in captures}
    outbox.seal(captures, sealing.NURSE, release_now=True)
    for path in outbox.spool.instances.glob("*.sealed"):
        ds = part10.read(open_sealed(path, outbox.spool.cipher).content)
        if {str(ds.StudyInstanceUID)} != study or ds.get("AccessionNumber"):
            yield "it was sent under the order"
    if study == {sealing.ORDER.study_instance_uid}:
        yield "the study is still that of the order"


@pytest.mark.timeout(PATIENCE_S)
def test_killed_anywhere_all_left_the_order_or_none(
    tmp_path: Path, three_children: list[Children]
) -> None:
    first = three_children[0]
    assert first.run(order("prepare", tmp_path, 0)).said[-1] == "PREPARED"
    whole = first.run(order("leave", tmp_path, 0), trace=tmp_path / "trace.txt")
    assert whole.said[-1] == "LEFT", whole.said
    every = points_of(whole.calls())
    pages = [point for point in every if point.call == "pwrite64"]
    others = [point for point in every if point.call != "pwrite64"]
    spare: SimpleQueue[Children] = SimpleQueue()
    for children in three_children:
        spare.put(children)

    def run(number: int, point: Point) -> Run:
        children = spare.get()
        try:
            return one_run(children, tmp_path, number, point)
        finally:
            spare.put(children)

    points = [*others, *spread(pages, PAGES_OF_SQLITE)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        runs = list(pool.map(run, range(1, len(points) + 1), points))
    faults = [f"{run.point}: {fault}" for run in runs for fault in run.faults]
    killed = Counter(run.has_left for run in runs if run.life.was_killed)
    print(f"{killed.total()} kills of {len(runs)} points; the act had happened: {killed}")
    assert not faults, "\n".join(faults)
    assert killed[False] > 5
    assert killed[True] > 1, "none came between the transaction and the files"
    assert any(run.point.call == "unlink" and run.has_left for run in runs)
