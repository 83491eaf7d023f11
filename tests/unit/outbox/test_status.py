from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import ChangedSinceSeenError
from capture_app.model.delivery import ImageState, TaskKind, TaskState
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.status import StatusFilter
from capture_app.outbox.steps.tasks import claim, open_tasks
from tests import outboxes, sealing
from tests.outboxes import begin, keep

S, P, R = TaskKind.STORE, TaskKind.PROVE, TaskKind.RETAIN
T = TaskState


def put(outbox: Outbox, uid: str, *tasks: tuple[TaskKind, str, TaskState, str]) -> None:
    """Makes the tasks of an instance exactly these: kind, destination, state, proof."""
    with outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM task WHERE sop_instance_uid = ?", (uid,))
        connection.executemany(
            "INSERT INTO task (kind, sop_instance_uid, destination, state, proof, changed_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                (kind, uid, dest, state, proof, outbox.spool.now())
                for kind, dest, state, proof in tasks
            ],
        )


@pytest.mark.parametrize(
    ("tasks", "state"),
    [
        ([(S, "a", T.HELD, "")], ImageState.HELD),
        ([(S, "a", T.QUEUED, "")], ImageState.QUEUED),
        ([(S, "a", T.RUNNING, "")], ImageState.SENDING),
        ([(S, "a", T.NEEDS_YOU, "")], ImageState.IT_ASKED),
        ([(S, "a", T.DONE, ""), (P, "a", T.QUEUED, "")], ImageState.SENT),
        ([(S, "a", T.DONE, ""), (P, "a", T.RUNNING, "")], ImageState.SENT),
        ([(S, "a", T.DONE, ""), (P, "a", T.QUEUED, "listed")], ImageState.LISTED),
        ([(S, "a", T.DONE, ""), (P, "a", T.RUNNING, "listed")], ImageState.LISTED),
        ([(S, "a", T.DONE, ""), (P, "a", T.NEEDS_YOU, "")], ImageState.IT_ASKED),
        ([(S, "a", T.QUEUED, ""), (P, "a", T.WITHDRAWN, "")], ImageState.QUEUED),
        (
            [(S, "a", T.DONE, ""), (P, "a", T.DONE, "pixel-hash"), (R, "", T.QUEUED, "")],
            ImageState.CONFIRMED,
        ),
        (
            [(S, "a", T.DONE, ""), (P, "a", T.DONE, "pixel-hash"), (R, "", T.DONE, "")],
            ImageState.PURGED,
        ),
        # Two archives: what is farthest from proof speaks, and a person before all.
        (
            [(S, "a", T.DONE, ""), (P, "a", T.DONE, "pixel-hash"), (S, "b", T.QUEUED, "")],
            ImageState.QUEUED,
        ),
        ([(S, "a", T.RUNNING, ""), (S, "b", T.NEEDS_YOU, "")], ImageState.IT_ASKED),
        (
            [(S, "a", T.DONE, ""), (P, "a", T.QUEUED, ""), (P, "b", T.QUEUED, "listed")],
            ImageState.SENT,
        ),
        # Nothing that could go on: never silently fine.
        ([], ImageState.IT_ASKED),
        ([(S, "a", T.DONE, "")], ImageState.IT_ASKED),
    ],
)
def test_a_state_is_what_the_tasks_say(
    outbox: Outbox,
    clock: FixedClock,
    tasks: list[tuple[TaskKind, str, TaskState, str]],
    state: ImageState,
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.seal([capture_id], sealing.NURSE)
    put(outbox, capture_id, *tasks)
    (status,) = outbox.statuses()
    assert status.state is state


def test_filters_narrow_together(outbox: Outbox, clock: FixedClock) -> None:
    exam, other = begin(outbox, clock), begin(outbox, clock)
    draft, held, elsewhere = keep(outbox, exam), keep(outbox, exam), keep(outbox, other)
    clock.advance(60)
    outbox.seal([held], sealing.NURSE)

    def found(**wanted: object) -> set[str]:
        return {s.capture_id for s in outbox.statuses(StatusFilter(**wanted))}  # type: ignore[arg-type]

    assert found() == {draft, held, elsewhere}
    assert found(exam_id=exam.exam_id) == {draft, held}
    assert found(states=frozenset({ImageState.HELD})) == {held}
    assert found(states=frozenset({ImageState.DRAFT})) == {draft, elsewhere}
    assert found(states=frozenset({ImageState.DRAFT}), exam_id=exam.exam_id) == {draft}
    assert found(capture_ids=(draft, "2.25.404")) == {draft}
    assert found(changed_since=clock.now()) == {held}
    assert found(states=frozenset()) == set()
    assert len(outbox.statuses(StatusFilter(limit=2))) == 2


def test_newest_change_comes_first(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = []
    for _ in range(3):
        kept.append(keep(outbox, exam))
        clock.advance(1)
    assert [s.capture_id for s in outbox.statuses()] == kept[::-1]


def test_counts_say_how_many_stand_where(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(7)]
    outbox.seal(kept[1:], sealing.NURSE)
    put(outbox, kept[2], (S, "a", T.QUEUED, ""))
    put(outbox, kept[3], (S, "a", T.DONE, ""), (P, "a", T.QUEUED, ""))
    put(outbox, kept[4], (S, "a", T.DONE, ""), (P, "a", T.QUEUED, "listed"))
    put(outbox, kept[5], (S, "a", T.NEEDS_YOU, ""))
    done = [(S, "a", T.DONE, ""), (P, "a", T.DONE, "pixel-hash"), (R, "", T.QUEUED, "")]
    put(outbox, kept[6], *done)
    counts = outbox.counts()
    assert (counts.drafts, counts.held, counts.queued, counts.sending) == (1, 1, 1, 0)
    assert (counts.sent, counts.listed, counts.it_asked) == (1, 1, 1)
    assert counts.confirmed_today == 1
    assert counts.waiting == 4
    clock.advance(24 * 3600)
    assert outbox.counts().confirmed_today == 0


def test_acts_move_what_they_may_and_are_in_the_trail(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(3)]
    outbox.seal(kept, sealing.NURSE)
    put(outbox, kept[0], (S, "a", T.NEEDS_YOU, ""))
    put(outbox, kept[1], (S, "a", T.QUEUED, ""))
    put(outbox, kept[2], (S, "a", T.RUNNING, ""))
    assert outbox.try_now([*kept, "2.25.404"], sealing.NURSE) == 2
    assert outbox.hold(kept, sealing.NURSE) == 2
    assert outbox.hold(kept, sealing.NURSE) == 0
    states = {s.capture_id: s.state for s in outbox.statuses()}
    assert [states[k] for k in kept] == [ImageState.HELD, ImageState.HELD, ImageState.SENDING]
    assert outbox.release(kept, sealing.NURSE) == 2
    assert outbox.release(kept, sealing.NURSE) == 0
    (events,) = outbox.spool.database.read().execute(
        "SELECT group_concat(json_extract(event, '$.action')) FROM audit WHERE seq > 7"
    )
    wanted = ["retry-asked"] * 2 + ["held-asked"] * 2 + ["released"] * 2
    assert events[0].split(",") == wanted


# ------------------------------------------------------- an act carries what its row showed


@pytest.fixture
def other(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    """Another process on the same data folder."""
    other = outboxes.open_outbox(tmp_path, clock)
    yield other
    outboxes.close(other)


def shown(outbox: Outbox) -> dict[str, ImageState]:
    return {status.sop_instance_uid: status.state for status in outbox.statuses()}


def trail_rows(outbox: Outbox) -> int:
    return len(list(read_trail(outbox.spool.database.read())))


def test_an_act_on_a_picture_that_stands_otherwise_by_now_is_refused_and_changes_nothing(
    outbox: Outbox, other: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(2)]
    outbox.seal(kept, sealing.NURSE, release_now=True)
    queued = shown(outbox)
    other.hold(kept[:1], sealing.NURSE)
    held = shown(outbox)
    rows = trail_rows(outbox)
    acts: list[Callable[[], object]] = [
        lambda: outbox.hold(kept, sealing.NURSE, queued),
        lambda: outbox.try_now(kept, sealing.NURSE, queued),
        lambda: outbox.release(kept, sealing.NURSE, queued),
        lambda: outbox.call_back(kept, sealing.NURSE, seen=queued),
    ]
    for act in acts:
        with pytest.raises(ChangedSinceSeenError, match="stand otherwise by now"):
            act()
    assert shown(outbox) == held
    assert trail_rows(outbox) == rows
    assert outbox.release(kept, sealing.NURSE, held) == 1


def test_a_picture_that_was_called_back_elsewhere_is_not_acted_on(
    outbox: Outbox, other: Outbox, clock: FixedClock
) -> None:
    kept = [keep(outbox, begin(outbox, clock))]
    outbox.seal(kept, sealing.NURSE, release_now=True)
    seen = shown(outbox)
    other.call_back(kept, sealing.NURSE)
    other.seal(kept, sealing.NURSE, release_now=True)
    with pytest.raises(ChangedSinceSeenError):
        outbox.hold(kept, sealing.NURSE, seen)
    assert set(shown(outbox).values()) == {ImageState.QUEUED}


def test_what_went_on_by_itself_stops_no_hold_of_the_rest(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(2)]
    outbox.seal(kept, sealing.NURSE, release_now=True)
    seen = shown(outbox)
    first = [task for task in open_tasks(outbox.spool) if task.sop_instance_uid == kept[0]]
    claim(outbox.spool, first)
    assert outbox.hold(kept, sealing.NURSE, seen) == 1
    assert shown(outbox) == {kept[0]: ImageState.SENDING, kept[1]: ImageState.HELD}
    with pytest.raises(ChangedSinceSeenError):  # nothing of it can be held any more
        outbox.hold(kept[:1], sealing.NURSE, {kept[0]: ImageState.QUEUED})


def test_a_send_of_which_a_part_was_called_back_is_not_undone(
    outbox: Outbox, other: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    kept = [keep(outbox, exam) for _ in range(2)]
    sending = outbox.seal(kept, sealing.NURSE)
    other.call_back(kept[:1], sealing.NURSE)
    with pytest.raises(ChangedSinceSeenError, match="called back meanwhile"):
        outbox.undo(sending.send_id, sealing.NURSE, sending.capture_ids)
    assert shown(outbox)[kept[1]] is ImageState.HELD
    assert outbox.undo(sending.send_id, sealing.NURSE, kept[1:])
    with pytest.raises(ChangedSinceSeenError, match="called back already"):  # it is not on its way
        outbox.undo(sending.send_id, sealing.NURSE, kept[1:])
