"""When each step is due: in memory, on the monotonic clock, so that no change of the wall clock can
stop or hurry a delivery. At start all is due.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from capture_app.clock import Clock
from capture_app.model.delivery import TaskKind
from capture_app.outbox.steps.tasks import Task

FIRST_RETRY_S: Final = 30.0
LONGEST_RETRY_S: Final = 600.0


def backoff(failures: int) -> float:
    """Seconds until the next try after so many failures (the first is 1): 30, 60, ... 600."""
    doublings = min(max(failures - 1, 0), 10)
    return float(min(FIRST_RETRY_S * 2**doublings, LONGEST_RETRY_S))


@dataclass(slots=True)
class _Entry:
    task: Task
    due: float
    is_absent: bool = False
    """The last reading did not have it. That reading may be older than what was agreed with `again`
    since, so it is remembered until a second one does not have it either.
    """
    by_outage: bool = False
    """Waits only because its destination did not answer: due at once when that answers again."""
    is_suspect: bool = False
    """The archive fell silent at it: it travels alone, and after all the others."""


@dataclass(slots=True)
class Schedule:
    """Which steps wait until when. Safe for use by many threads."""

    clock: Clock
    hold_seconds: float
    _entries: dict[int, _Entry] = field(default_factory=dict)
    _in_flight: set[int] = field(default_factory=set)
    _gates: dict[tuple[str, TaskKind], float] = field(default_factory=dict)
    """Who did not answer what: asked again, with one batch, from that moment on. By kind, because
    an archive that cannot send its commitment back takes images all the same."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def see(self, tasks: Sequence[Task], due_at_once: Collection[str] = ()) -> tuple[int, ...]:
        """Takes in what the database says is open. Returns what was held long enough for undo.

        A step is timed from when it is first seen, by whichever process wrote it.
        """
        now = self.clock.monotonic()
        with self._lock:
            known = self._entries
            self._entries = _absent(known, {task.task_id for task in tasks})
            for task in tasks:
                entry = known.get(task.task_id)
                if entry is None:
                    waits = task.is_held and task.sop_instance_uid not in due_at_once
                    due = now + self.hold_seconds if waits else now
                    entry = _Entry(task, due, is_suspect=task.is_suspect)
                elif task.nudges > entry.task.nudges:  # a person asked, or the archive lost it
                    entry = _Entry(task, now, is_suspect=entry.is_suspect)
                    self._gates.pop(_gate(task), None)
                elif entry.task.is_held and not task.is_held:
                    entry = _Entry(task, now, is_suspect=entry.is_suspect)
                entry.task, entry.is_absent = task, False
                self._entries[task.task_id] = entry
            return tuple(
                task_id
                for task_id, entry in self._entries.items()
                if entry.task.is_held and not entry.task.held_by_person and entry.due <= now
                if not entry.is_absent
            )

    def take(self, destination: str, limit: int) -> tuple[Task, ...]:
        """Due steps of one kind for a worker of a destination, oldest first; they are in flight.

        One at which the archive fell silent is taken alone, when nothing else is due.
        """
        now = self.clock.monotonic()
        with self._lock:
            due = [
                entry
                for task_id, entry in self._entries.items()
                if entry.task.destination == destination
                and not entry.task.is_held
                and not entry.is_absent
                and max(entry.due, self._gates.get(_gate(entry.task), now)) <= now
                and task_id not in self._in_flight
            ]
            due.sort(key=lambda entry: (entry.is_suspect, entry.task.task_id))
            if due and due[0].is_suspect:
                due = due[:1]
            batch = tuple(
                entry.task
                for entry in due
                if entry.task.kind is due[0].task.kind and entry.is_suspect is due[0].is_suspect
            )[:limit]
            self._in_flight.update(task.task_id for task in batch)
            return batch

    def settled(self, task: Task) -> None:
        """The step is done, or out of the engine's hands."""
        with self._lock:
            self._in_flight.discard(task.task_id)
            self._entries.pop(task.task_id, None)

    def again(
        self,
        task: Task,
        delay: float,
        *,
        since: float | None = None,
        by_outage: bool = False,
        is_suspect: bool = False,
    ) -> None:
        """The step is tried again after so many seconds, counted from `since` (else from now)."""
        with self._lock:
            self._in_flight.discard(task.task_id)
            due = (self.clock.monotonic() if since is None else since) + delay
            self._entries[task.task_id] = _Entry(
                task, due, by_outage=by_outage, is_suspect=is_suspect
            )

    def silent(self, destination: str, kind: TaskKind) -> bool:
        """The destination answered nothing of a whole batch: no other batch for a while.

        Returns whether it answered until then.
        """
        with self._lock:
            is_news = (destination, kind) not in self._gates
            self._gates[destination, kind] = self.clock.monotonic() + FIRST_RETRY_S
            return is_news

    def answered(self, destination: str, kind: TaskKind) -> bool:
        """The destination answered: what waited for it to come back is due.

        Returns whether it had not answered until then.
        """
        with self._lock:
            if self._gates.pop((destination, kind), None) is None:
                return False
            now = self.clock.monotonic()
            for entry in self._entries.values():
                if _gate(entry.task) == (destination, kind) and entry.by_outage:
                    entry.due = min(entry.due, now)
            return True

    def in_flight(self) -> tuple[int, ...]:
        """The steps that workers are at."""
        with self._lock:
            return tuple(self._in_flight)

    def seconds_to_next(self, at_most: float) -> float:
        """How long nothing more will become due, as far as is known.

        What is due already waits for a worker, not for a time.
        """
        now = self.clock.monotonic()
        with self._lock:
            waits = [
                max(entry.due, self._gates.get(_gate(entry.task), 0.0)) - now
                for task_id, entry in self._entries.items()
                if task_id not in self._in_flight and not entry.task.held_by_person
                if not entry.is_absent
            ]
        return min([wait for wait in waits if wait > 0] + [at_most])


def _absent(entries: dict[int, _Entry], present: Collection[int]) -> dict[int, _Entry]:
    """Those that this reading is the first not to have, marked as such."""
    absent = {}
    for task_id, entry in entries.items():
        if task_id not in present and not entry.is_absent:
            entry.is_absent = True
            absent[task_id] = entry
    return absent


def _gate(task: Task) -> tuple[str, TaskKind]:
    return (task.destination, task.kind)
