import pytest

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState, TaskKind, TaskState
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.status import StatusFilter
from tests import sealing
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
