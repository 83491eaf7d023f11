"""One batch for one archive: hand it over, and settle each outcome as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import structlog

from capture_app.errors import (
    CaptureAppError,
    CodedReason,
    DeliveryError,
    RefusedDeliveryError,
    SealBrokenError,
    StoreError,
    TransientDeliveryError,
)
from capture_app.model.delivery import (
    MOST_BROKEN_OFF,
    Instance,
    ProofKind,
    ProofReceipt,
    StoreReceipt,
    TaskKind,
)
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import (
    FILE_MISSING,
    FILE_UNREADABLE,
    NOT_IN_ARCHIVE,
    OF_ONE_PERHAPS,
    SEAL_BROKEN,
    UNANSWERABLE,
    UNEXPECTED,
    Reason,
)
from capture_app.outbox.delivery.schedule import Schedule, backoff
from capture_app.outbox.keeping.exams import read_exam
from capture_app.outbox.ports import Archive, Hindrances
from capture_app.outbox.spool import Spool
from capture_app.outbox.steps import tasks
from capture_app.outbox.steps.tasks import Task
from capture_app.store.sealed import proved_content

_log = structlog.get_logger(__name__)

LOOK_AGAIN_S: Final = (2.0, 15.0)
"""An archive may index late: it is asked again after these times, and only then sent it again."""
MOST_RESENDS: Final = 3
"""An archive that has lost an image so often loses it always: a person is asked."""
MOST_UNEXPECTED: Final = 3
"""A picture whose rows cannot be read for an unexpected reason is tried so often."""
_SETTLE_AGAIN_S: Final = 5.0
_OURS: Final = frozenset({SEAL_BROKEN, FILE_MISSING, FILE_UNREADABLE, UNEXPECTED})

Result = StoreReceipt | ProofReceipt | DeliveryError


@dataclass(slots=True)
class _Batch:
    """What is still without an outcome, and what was learned on the way."""

    kind: TaskKind
    waiting: dict[str, Task]
    broken: dict[str, RefusedDeliveryError] = field(default_factory=dict)
    silent: list[tuple[Task, DeliveryError]] = field(default_factory=list)
    broken_off: list[tuple[Task, DeliveryError]] = field(default_factory=list)
    """Those at which the archive fell silent, or would not go on: the fault may be theirs."""
    has_answer: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """Takes batches of one kind to one archive. Used by the workers of its destination."""

    spool: Spool
    archive: Archive
    schedule: Schedule
    stopping: threading.Event
    tell: Callable[[], None]
    """Called after each step that was written down, so that who watches sees it move."""
    hindrances: Hindrances | None = None
    """Asked before each attempt to send a picture that no archive can have; None: no feed is."""

    def deliver(self, batch: Sequence[Task]) -> None:
        """Claims, hands over, settles. Never raises: what is unexpected goes to a person."""
        try:
            batch = self._unhindered(batch)
            claimed = tasks.claim(self.spool, batch)
        except StoreError:
            for task in batch:  # the database is busy or full; it said so in the log
                self.schedule.again(task, _SETTLE_AGAIN_S)
            return
        for task in batch:
            if task not in claimed:
                self.schedule.settled(task)
        if claimed:
            self.tell()
            self._hand_over(claimed)

    def _unhindered(self, batch: Sequence[Task]) -> Sequence[Task]:
        """Those against whose sending the feeds say nothing; the others wait for a person."""
        going = []
        for task in batch:
            reason = self._against(task) if task.kind is TaskKind.STORE else None
            if reason is None:
                going.append(task)
                continue
            tasks.settle_hindered(self.spool, task, reason)
            self.schedule.settled(task)
            _log.warning("delivery-hindered", destination=task.destination, code=reason.code)
        if len(going) < len(batch):
            self.tell()
        return going

    def _against(self, task: Task) -> Reason | None:
        """What the feeds say against an attempt, that nobody was told of. A row that cannot be
        read hinders none: what is wrong with it is shown where it is delivered. Raises StoreError
        where the database does not answer: nothing is sent unasked.
        """
        unbegun = tasks.unbegun(self.spool, task) if self.hindrances is not None else None
        if self.hindrances is None or unbegun is None:
            return None
        try:
            exam = read_exam(self.spool, unbegun.exam_id)
            instance, _ = tasks.read_instance(self.spool, task.sop_instance_uid)
            said = self.hindrances(replace(exam, patient=instance.patient or exam.patient))
        except SealBrokenError:
            return None
        except StoreError:
            raise
        except CaptureAppError:
            return None
        except Exception:  # noqa: BLE001 - logged; no picture is held up by a fault of the question
            _log.exception("hindrance-not-asked", uid=task.sop_instance_uid)
            return None
        answered = frozenset(unbegun.answered) - UNANSWERABLE
        return next((reason for reason in said if reason.code not in answered), None)

    def _hand_over(self, claimed: Sequence[Task]) -> None:
        state = _Batch(claimed[0].kind, {task.sop_instance_uid: task for task in claimed})
        try:
            instances, files = self._instances(state)
            if instances:
                for uid, result in self._results(instances, files, state):
                    task = state.waiting.get(uid)
                    if task is None:
                        _log.warning("outcome-without-question", destination=self.archive.name)
                        continue
                    self._settle(task, result, state)
                    del state.waiting[uid]
            rest: DeliveryError | None = None
        except DeliveryError as error:
            rest = error
        except Exception:  # noqa: BLE001 - a bug, ours or of an adapter: logged and shown
            _log.exception("delivery-failed", destination=self.archive.name)
            rest = RefusedDeliveryError(Reason(UNEXPECTED))
        self._settle_rest(state, rest)

    def _results(
        self,
        instances: Sequence[Instance],
        files: dict[str, str],
        state: _Batch,
    ) -> Iterator[tuple[str, Result]]:
        def read(instance: Instance) -> Part10File:
            uid = instance.sop_instance_uid
            try:
                path = self.spool.instances / files[uid]
                return proved_content(path, self.spool.cipher, uid=uid)
            except FileNotFoundError:
                reason = Reason(FILE_MISSING)
            except SealBrokenError:
                reason = Reason(SEAL_BROKEN)
            except OSError as error:
                reason = Reason(FILE_UNREADABLE)
                _log.error("file-unreadable", uid=uid, code=error.errno)
            except Exception:  # noqa: BLE001 - logged and shown; the others of the batch go on
                reason = Reason(UNEXPECTED)
                _log.exception("file-not-read", uid=uid)
            state.broken[uid] = RefusedDeliveryError(reason, reached_nobody=True)
            raise state.broken[uid]

        if state.kind is TaskKind.STORE:
            yield from self.archive.store(instances, read)
        else:
            yield from self.archive.prove(instances)

    def _instances(self, state: _Batch) -> tuple[list[Instance], dict[str, str]]:
        """What the archive needs to know. What is wrong with one picture stops that one alone."""
        instances, files = [], {}
        for uid, task in tuple(state.waiting.items()):
            try:
                instance, file = tasks.read_instance(self.spool, uid)
            except SealBrokenError:
                self._set_apart(task, Reason(SEAL_BROKEN), state)
                continue
            except StoreError:  # the database did not answer; it may the next time
                del state.waiting[uid]
                self.schedule.again(task, _SETTLE_AGAIN_S)
                continue
            except Exception:  # noqa: BLE001 - logged and shown; the others of the batch go on
                _log.exception("instance-not-read", uid=uid)
                self._settle_unread(task, state)
                continue
            if task.kind is TaskKind.STORE and (
                file is None or not (self.spool.instances / file).is_file()
            ):
                self._set_apart(task, Reason(FILE_MISSING), state)
                continue
            instances.append(instance)
            files[uid] = file or ""
        return instances, files

    def _settle_unread(self, task: Task, state: _Batch) -> None:
        """A fault of this computer may pass: it is shown, and tried a few times more."""
        error = TransientDeliveryError(Reason(UNEXPECTED), reached_nobody=True)
        if task.failures < MOST_UNEXPECTED:
            del state.waiting[task.sop_instance_uid]
            self._try_later(task, error, by_outage=False)
        else:
            self._set_apart(task, Reason(UNEXPECTED), state)

    def _set_apart(self, task: Task, reason: Reason, state: _Batch) -> None:
        del state.waiting[task.sop_instance_uid]
        self._settle(task, RefusedDeliveryError(reason, reached_nobody=True), state)

    def _settle_rest(self, state: _Batch, rest: DeliveryError | None) -> None:
        """Those without an outcome of their own, and those that the archive was silent about.

        `rest` is what became of all that were not named; None where the archive told of none.
        """
        untried: list[Task] = []
        for uid, task in tuple(state.waiting.items()):
            del state.waiting[uid]
            if outcome := state.broken.get(uid):
                self._settle(task, outcome, state)
            elif isinstance(rest, RefusedDeliveryError):
                self._settle(task, rest, state)
            elif rest:
                state.silent.append((task, rest))
            elif state.broken_off:  # it gave up at those: this one was never sent
                untried.append(task)
            else:
                self._settle(task, TransientDeliveryError(Reason("no-answer")), state)
        is_out = bool(state.silent) or len(state.broken_off) >= MOST_BROKEN_OFF
        self._note_destination(state, is_out=is_out)
        by_outage = is_out and not state.has_answer
        for task, error in state.silent:
            self._try_later(task, error, by_outage=by_outage)
        for task, error in state.broken_off:
            self._try_later(task, error, by_outage=by_outage, is_suspect=True)
        for task in untried:
            self._give_back(task, reached_nobody=True)
        self.tell()

    def _note_destination(self, state: _Batch, *, is_out: bool) -> None:
        """Whether it answers, told in the log when that changes."""
        name = self.archive.name
        if state.has_answer:
            if self.schedule.answered(name, state.kind):
                _log.info("destination-answers", destination=name, kind=state.kind)
        elif is_out and not self.stopping.is_set() and self.schedule.silent(name, state.kind):
            _, error = (state.silent or state.broken_off)[-1]
            _log.warning("destination-silent", destination=name, kind=state.kind, code=error.code)

    def _settle(self, task: Task, result: Result, state: _Batch) -> None:
        """Writes one outcome down. Where that fails the step is found again by the scheduler."""
        try:
            self._settle_one(task, result, state)
        except StoreError:
            _log.warning("outcome-not-written", uid=task.sop_instance_uid)
            self.schedule.again(task, _SETTLE_AGAIN_S)
        except Exception:  # noqa: BLE001 - logged; the others of the batch go on
            _log.exception("outcome-not-written", uid=task.sop_instance_uid)
            self.schedule.again(task, _SETTLE_AGAIN_S)
        self.tell()

    def _settle_one(self, task: Task, result: Result, state: _Batch) -> None:
        match result:
            case StoreReceipt():
                state.has_answer = True
                tasks.settle_stored(self.spool, task, result)
                self.schedule.settled(task)
                _log.info(
                    "delivery-stored",
                    destination=task.destination,
                    uid=task.sop_instance_uid,
                    kind=task.kind,
                    status=f"{result.status:04X}",
                )
            case ProofReceipt(kind=ProofKind.LISTED):
                state.has_answer = True
                self._again(task, backoff(task.failures + 1), listed=True)
            case ProofReceipt():
                state.has_answer = True
                tasks.settle_proved(self.spool, task, result)
                self.schedule.settled(task)
                _log.info(
                    "delivery-proved",
                    destination=task.destination,
                    uid=task.sop_instance_uid,
                    kind=task.kind,
                    proof=result.kind,
                )
            case DeliveryError() if task.kind is TaskKind.PROVE and result.code == NOT_IN_ARCHIVE:
                state.has_answer = True
                self._settle_not_there(task, result)
            case RefusedDeliveryError():
                # What is wrong here says nothing of the archive.
                state.has_answer = state.has_answer or result.code not in _OURS
                self._needs_you(task, result.reason, reached_nobody=result.reached_nobody)
            case DeliveryError() if result.code in OF_ONE_PERHAPS:
                state.broken_off.append((task, result))
            case DeliveryError():
                state.silent.append((task, result))

    def _settle_not_there(self, task: Task, error: DeliveryError) -> None:
        if task.failures < len(LOOK_AGAIN_S):
            self._again(task, LOOK_AGAIN_S[task.failures], error=error)
        elif tasks.resends_of(self.spool, task) < MOST_RESENDS:
            tasks.settle_resend(self.spool, task, error=error)
            self.schedule.settled(task)
            _log.info(
                "delivery-sent-again",
                destination=task.destination,
                uid=task.sop_instance_uid,
                kind=task.kind,
                code=error.code,
            )
        else:
            self._needs_you(task, Reason.of("lost-by-archive", name=task.destination))

    def _needs_you(self, task: Task, reason: CodedReason, *, reached_nobody: bool = False) -> None:
        tasks.settle_needs_you(self.spool, task, reason, reached_nobody=reached_nobody)
        self.schedule.settled(task)
        _log.error(
            "delivery-needs-you",
            destination=task.destination,
            uid=task.sop_instance_uid,
            kind=task.kind,
            code=reason.code,
        )

    def _try_later(
        self, task: Task, error: DeliveryError, *, by_outage: bool, is_suspect: bool = False
    ) -> None:
        if self.stopping.is_set():  # cut short by us: no failure of the archive
            self._give_back(task, reached_nobody=error.reached_nobody)
            return
        try:
            delay = backoff(task.failures + 1)
            self._again(task, delay, error=error, by_outage=by_outage, is_suspect=is_suspect)
        except StoreError:
            _log.warning("outcome-not-written", uid=task.sop_instance_uid)
            self.schedule.again(task, _SETTLE_AGAIN_S)

    def _give_back(self, task: Task, *, reached_nobody: bool) -> None:
        """Not tried after all: due as it was."""
        try:
            tasks.settle_untried(self.spool, task, reached_nobody=reached_nobody)
            self.schedule.again(task, 0.0)
        except StoreError:
            _log.warning("outcome-not-written", uid=task.sop_instance_uid)
            self.schedule.again(task, _SETTLE_AGAIN_S)

    def _again(
        self,
        task: Task,
        delay: float,
        *,
        error: DeliveryError | None = None,
        listed: bool = False,
        by_outage: bool = False,
        is_suspect: bool = False,
    ) -> None:
        # Both are counted from one moment: what is shown and what is done are the same.
        now, since = self.spool.clock.now(), self.spool.clock.monotonic()
        due = now + timedelta(seconds=delay)
        tasks.settle_again(
            self.spool, task, due=due, error=error, listed=listed, is_suspect=is_suspect
        )
        code = error.code if error else "listed" if listed else ""
        failures = task.failures + 1
        _log.info(
            "delivery-later",
            destination=task.destination,
            uid=task.sop_instance_uid,
            kind=task.kind,
            code=code,
            failures=failures,
            due_s=delay,
        )
        # With its failure counted: it may fall due before the rows are read again.
        failed = replace(task, failures=task.failures + 1)
        self.schedule.again(failed, delay, since=since, by_outage=by_outage, is_suspect=is_suspect)
