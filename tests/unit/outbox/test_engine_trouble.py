"""The engine where the database, a file or its leader is in trouble: nothing is lost or stuck."""

import sqlite3
from contextlib import closing
from threading import Event

import pytest

from capture_app.errors import (
    RefusedDeliveryError,
    StoreError,
)
from capture_app.model.delivery import (
    ImageState,
    Instance,
    TaskKind,
)
from capture_app.model.reason import UNEXPECTED, Reason
from capture_app.outbox.delivery.batch import MOST_UNEXPECTED, Delivery, _Batch
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.delivery.schedule import Schedule
from capture_app.outbox.spool import Spool
from capture_app.outbox.steps import tasks
from capture_app.outbox.steps.tasks import claim, open_tasks, requeue_running
from capture_app.store.role import EngineRole
from tests import outboxes
from tests.outboxes import DirectoryArchive
from tests.unit.outbox.rig import Rig


def test_the_role_is_told_taken_and_given_back(rig: Rig) -> None:
    roles: list[bool] = []
    engine = Engine(
        rig.outbox,
        (rig.archive,),
        rig.clock,
        role=EngineRole(rig.folder / "engine.lock"),
        on_role=roles.append,
    )
    engine.start()
    rig.eventually(lambda: engine.leads)
    assert engine.stop()
    assert roles == [True, False]


def test_a_follower_delivers_nothing_until_the_leader_ends(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.outbox.delivery.engine.LOOK_EVERY_S", 0.02)
    leader = rig.start()
    other = outboxes.open_outbox(rig.folder, rig.clock)
    told = Event()
    other.on_change(lambda _: told.set())
    idle = DirectoryArchive(rig.folder / "other")
    follower = outboxes.open_engine(other, rig.folder, rig.clock, idle)
    follower.start()
    (uid,) = rig.send()
    rig.until(ImageState.CONFIRMED, uid)
    assert told.wait(60), "the follower notices what others write"
    assert not follower.leads
    assert leader.stop()
    rig.eventually(lambda: follower.leads)
    rig.engines.clear()
    (second,) = rig.send()
    rig.until(ImageState.CONFIRMED, second)
    assert list(idle.holds()) == [second]
    assert follower.stop()
    outboxes.close(other)


@pytest.mark.expects_log("engine-waits")
def test_a_busy_database_is_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("capture_app.outbox.delivery.engine._AFTER_A_FAULT_S", 0.01)
    monkeypatch.setattr("capture_app.store.database.BUSY_TIMEOUT_MS", 20)
    slow = outboxes.open_outbox(rig.folder, rig.clock)
    (uid,) = rig.send()
    engine = outboxes.open_engine(slow, rig.folder, rig.clock, rig.archive)
    with rig.outbox.spool.database.transaction():
        engine.start()
        rig.eventually(lambda: engine._role.held)
        Event().wait(0.1)
    rig.until(ImageState.CONFIRMED, uid)
    assert engine.stop()
    outboxes.close(slow)


def test_a_step_that_is_claimed_just_now_is_not_taken_back(rig: Rig) -> None:
    rig.send()
    spool = rig.outbox.spool
    (task,) = claim(spool, open_tasks(spool))

    def in_flight() -> list[int]:
        # Nobody can claim between this and the change: the write lock is held.
        with (
            closing(sqlite3.connect(spool.database.path, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        return [task.task_id]

    assert requeue_running(spool, in_flight) == 0
    assert requeue_running(spool, list) == 1


@pytest.mark.expects_log("instance-not-read")
def test_a_picture_that_cannot_be_read_now_is_tried_again_and_the_others_go(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = rig.send(4)
    real, failed = tasks.read_instance, list[str]()

    def fails_once(spool: Spool, uid: str) -> tuple[Instance, str | None]:
        if uid == first and not failed:
            failed.append(uid)
            raise RuntimeError(uid)
        return real(spool, uid)

    monkeypatch.setattr(tasks, "read_instance", fails_once)
    rig.start()
    rig.until(ImageState.CONFIRMED, *others)
    assert rig.failed(first, 1).state is ImageState.QUEUED
    assert "unexpected fault" in rig.status(first).last_error
    rig.pass_time(30)
    rig.until(ImageState.CONFIRMED, first)


@pytest.mark.expects_log("instance-not-read", "delivery-needs-you")
def test_a_picture_that_can_never_be_read_is_told_to_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_spool: Spool, uid: str) -> tuple[Instance, str | None]:
        raise RuntimeError(uid)

    (uid,) = rig.send()
    monkeypatch.setattr(tasks, "read_instance", fails)
    rig.start()
    rig.passing(600, ImageState.IT_ASKED, uid)
    assert rig.status(uid).failures == MOST_UNEXPECTED + 1
    assert rig.status(uid).reason == Reason(UNEXPECTED)


def test_a_database_that_does_not_answer_stops_nobody_for_good(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = rig.send(2)
    real, failed = tasks.read_instance, list[str]()

    def busy_once(spool: Spool, uid: str) -> tuple[Instance, str | None]:
        if uid == first and not failed:
            failed.append(uid)
            raise StoreError("busy")
        return real(spool, uid)

    monkeypatch.setattr(tasks, "read_instance", busy_once)
    rig.start()
    rig.until(ImageState.CONFIRMED, second)
    assert rig.status(first).failures == 0
    rig.passing(5, ImageState.CONFIRMED, first)


@pytest.mark.expects_log("delivery-needs-you")
def test_a_file_that_is_gone_says_nothing_of_the_archive(rig: Rig) -> None:
    """Else what waits for the archive to come back would be tried at once."""
    batch = _Batch(TaskKind.STORE, {})
    rig.send()
    (task,) = claim(rig.outbox.spool, open_tasks(rig.outbox.spool))
    schedule = Schedule(rig.clock, 0.0)
    delivery = Delivery(rig.outbox.spool, rig.archive, schedule, Event(), lambda: None)
    for code in ("file-missing", "file-unreadable", "seal-broken", "unexpected"):
        batch.has_answer = False
        delivery._settle_one(task, RefusedDeliveryError(Reason(code)), batch)
        assert not batch.has_answer, code
