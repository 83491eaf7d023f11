"""Steps of delivery that were lost: what was sent and is not confirmed gets its step again.

Where nobody knows how far it had come, the archive is asked for a proof first. Does it not have the
image, the engine sends it: never twice without a look.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from capture_app.errors import SealBrokenError
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import TaskKind, TaskState
from capture_app.outbox.act_on_image import record_on_image
from capture_app.outbox.sealing.identity import read_identity
from capture_app.outbox.spool import LONGEST_KEEP_DAYS, Spool, stamp
from capture_app.outbox.steps.tasks import ENGINE_USER
from capture_app.store.sealed import open_identity

_log = structlog.get_logger(__name__)

_STEPS: Final = (
    "SELECT instance.sop_instance_uid, instance.send_id, instance.file, task.task_id, task.kind, "
    "task.destination, task.state, task.held_by_person, task.attempts "
    "FROM instance INDEXED BY instance_with_file "
    "LEFT JOIN task ON task.sop_instance_uid = instance.sop_instance_uid "
    "WHERE instance.file IS NOT NULL AND instance.withdrawn = 0 AND NOT EXISTS "
    "(SELECT 1 FROM task AS kept WHERE kept.sop_instance_uid = instance.sop_instance_uid "
    "AND kept.kind = 'retain')"
)
_OPEN: Final = frozenset({TaskState.HELD, TaskState.QUEUED, TaskState.RUNNING, TaskState.NEEDS_YOU})


@dataclass(frozen=True, slots=True)
class _Step:
    task_id: int
    kind: str
    destination: str
    state: str
    held_by_person: int
    attempts: int


@dataclass(slots=True)
class _Sent:
    """An image that is here and not confirmed, with the steps that are left of it."""

    uid: str
    send_id: str
    file: str
    steps: list[_Step]


def give_lost_steps_again(spool: Spool, destinations: Sequence[str]) -> int:
    """Returns how many images got a step again. Raises StoreError."""
    unconfirmed = _unconfirmed(spool)
    wanted = _wanted(spool, unconfirmed, destinations)
    mended = 0
    for sent in unconfirmed:
        if not _is_lost(sent, wanted[sent.send_id]):
            continue
        with spool.database.transaction() as connection:
            _put_right(connection, spool, sent, wanted[sent.send_id])
        _log.warning("step-given-again", uid=sent.uid)
        mended += 1
    _drop_steps_of_nothing(spool)
    return mended


def _drop_steps_of_nothing(spool: Spool) -> None:
    """Open steps that name no image: the images that they were of have theirs again."""
    with spool.database.transaction() as connection:
        dropped = connection.execute(
            "DELETE FROM task WHERE state IN ('held', 'queued', 'running', 'needs-you') "
            "AND NOT EXISTS (SELECT 1 FROM instance "
            "WHERE instance.sop_instance_uid = task.sop_instance_uid)"
        ).rowcount
    if dropped:
        _log.warning("steps-of-nothing-dropped", count=dropped)


def _unconfirmed(spool: Spool) -> tuple[_Sent, ...]:
    found: dict[str, _Sent] = {}
    for uid, send_id, file, task_id, *step in spool.database.read().execute(_STEPS):
        sent = found.setdefault(uid, _Sent(uid, send_id, file, []))
        if task_id is not None:
            sent.steps.append(_Step(task_id, *step))
    return tuple(found.values())


def _wanted(
    spool: Spool, unconfirmed: Sequence[_Sent], destinations: Sequence[str]
) -> Mapping[str, frozenset[str]]:
    """Where the images of each Send go, as the file of any of them says.

    Files of before do not say it: then what the steps of any of them say, else the settings. An
    archive that the settings named only later is none of them.
    """
    sends: dict[str, list[_Sent]] = {}
    for sent in unconfirmed:
        sends.setdefault(sent.send_id, []).append(sent)
    wanted = {}
    for send_id, together in sends.items():
        sealed = next(filter(None, (_sealed_destinations(spool, sent) for sent in together)), ())
        steps = {step.destination for sent in together for step in sent.steps} - {""}
        guessed = steps & {*destinations} or steps or destinations
        wanted[send_id] = frozenset(sealed or guessed)
    return wanted


def _sealed_destinations(spool: Spool, sent: _Sent) -> tuple[str, ...]:
    with suppress(SealBrokenError, OSError):  # told where the file is missed or proved
        header, record = open_identity(spool.instances / sent.file, spool.cipher, uid=sent.uid)
        return read_identity(header, record).destinations
    return ()


def _by_kind(sent: _Sent, destination: str) -> dict[str, _Step]:
    return {step.kind: step for step in sent.steps if step.destination == destination}


def _stands(steps: Mapping[str, _Step]) -> bool:
    """Whether the delivery to one destination goes on, or was proved."""
    readable = [steps[kind] for kind in (TaskKind.STORE, TaskKind.PROVE) if kind in steps]
    if any(step.state in _OPEN for step in readable):
        return True
    if TaskKind.STORE in steps and steps[TaskKind.STORE].state == TaskState.WITHDRAWN:
        return TaskKind.PROVE not in steps  # the archive was retired
    return TaskKind.PROVE in steps and steps[TaskKind.PROVE].state == TaskState.DONE


def _is_lost(sent: _Sent, wanted: frozenset[str]) -> bool:
    is_proved = all(
        step.state == TaskState.DONE
        for name in wanted
        for step in [_by_kind(sent, name).get(TaskKind.PROVE)]
        if step is not None
    ) and any((step.kind, step.state) == (TaskKind.PROVE, TaskState.DONE) for step in sent.steps)
    return not all(_stands(_by_kind(sent, name)) for name in wanted) or (
        is_proved and not any(step.state in _OPEN for step in sent.steps)
    )


def _put_right(
    connection: sqlite3.Connection, spool: Spool, sent: _Sent, wanted: frozenset[str]
) -> None:
    for step in sent.steps:
        if step.kind not in [*TaskKind]:
            connection.execute("DELETE FROM task WHERE task_id = ?", (step.task_id,))
    lost = sorted(name for name in wanted if not _stands(_by_kind(sent, name)))
    for name in lost:
        steps = [step for step in sent.steps if step.destination == name]
        if not steps or any(step.attempts for step in steps):
            _write(connection, spool, TaskKind.STORE, sent, name, TaskState.DONE)
            _write(connection, spool, TaskKind.PROVE, sent, name, TaskState.QUEUED)
        else:  # it had not begun
            is_held = any(step.held_by_person == 1 for step in steps)
            state = TaskState.HELD if is_held else TaskState.QUEUED
            _write(connection, spool, TaskKind.STORE, sent, name, state)
    if not lost:  # proved everywhere: its days are counted
        (days,) = connection.execute(
            "SELECT keep_days FROM instance WHERE sop_instance_uid = ?", (sent.uid,)
        ).fetchone()
        due = stamp(spool.clock.now() + timedelta(days=min(max(days, 0), LONGEST_KEEP_DAYS)))
        _write(connection, spool, TaskKind.RETAIN, sent, "", TaskState.QUEUED, due)
    record_on_image(
        connection,
        spool,
        AuditAction.STEP_GIVEN_AGAIN,
        ENGINE_USER,
        sent.uid,
        {"destination": ", ".join(lost)},
    )


def _write(
    connection: sqlite3.Connection,
    spool: Spool,
    kind: TaskKind,
    sent: _Sent,
    destination: str,
    state: TaskState,
    due_at: str = "",
) -> None:
    connection.execute(
        "INSERT INTO task (kind, sop_instance_uid, destination, state, due_at, changed_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, sop_instance_uid, destination) DO UPDATE "
        "SET state = excluded.state, due_at = excluded.due_at, changed_at = excluded.changed_at",
        (kind, sent.uid, destination, state, due_at, spool.now()),
    )
