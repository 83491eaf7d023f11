"""The engine: one process of a data folder delivers, the others follow and stand ready.

One thread tells what other processes wrote (PRAGMA data_version), whoever holds the engine role.
One scheduler thread, and some workers for each destination while this process holds it: the
scheduler releases what was held, mends what a fault left behind, and wakes the workers. Nothing
that fails here ends them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.errors import StoreError
from capture_app.outbox.delivery.batch import Delivery
from capture_app.outbox.delivery.schedule import Schedule
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.ports import Archive, Hindrances
from capture_app.outbox.receiving.keeping import clean_discarded
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps import tasks
from capture_app.outbox.steps.forget import forget_over
from capture_app.outbox.steps.retain import clean_deleted, purge_due
from capture_app.store.role import EngineRole

_log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.4
"""How often the role is tried and the work of other processes looked for."""
BATCH: Final = 20
_TIDY_EVERY_S: Final = 60.0
_AFTER_A_FAULT_S: Final = 5.0
_INTERRUPT_EVERY_S: Final = 0.1

OnRole = Callable[[bool], None]


class Engine:
    """Delivers what the outbox promised. `start` once, `stop` once; both may be called anywhere."""

    def __init__(
        self,
        outbox: Outbox,
        archives: Sequence[Archive],
        clock: Clock,
        *,
        role: EngineRole,
        workers: Mapping[str, int] | None = None,
        on_role: OnRole | None = None,
        on_round: Callable[[], None] | None = None,
        hindrances: Hindrances | None = None,
        batch: int = BATCH,
    ) -> None:
        """`workers` is how many transfers run side by side, by destination (1 where not named).

        `hindrances` is asked before each attempt to send a picture until one may have reached an
        archive; None: no feed is.
        `on_role` is called from the scheduler thread with True when this process takes the engine
        role (before anything is delivered) and with False before it gives the role back: feeds and
        listening ports go with the role.
        `on_round` is called from the scheduler thread after each of its rounds, a few seconds apart
        at most, while all threads of the engine live: it is the sign that none hangs or has gone.
        """
        self._outbox = outbox
        self._spool = outbox.spool
        self._archives = tuple(archives)
        self._clock = clock
        self._role = role
        self._workers = dict(workers or {})
        self._on_role = on_role
        self._on_round = on_round
        self._hindrances = hindrances
        self._batch = batch
        self._schedule = Schedule(clock, outbox.rules.capture.hold_seconds)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._work = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._alarms: tuple[str, ...] = ()
        self._leads = False
        self._tidied: float | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def leads(self) -> bool:
        """Whether this process holds the engine role and delivers."""
        return self._leads

    @property
    def alarms(self) -> tuple[str, ...]:
        """What recovery found that a person must know, in words; empty where all was well."""
        return self._alarms

    def start(self) -> None:
        """Starts to look for what others change, and the scheduler, which takes the role as soon as
        that is free.
        """
        self._unsubscribe = self._outbox.on_change(lambda _: self._wake.set())
        self._spawn("outbox-watch", self._watch)
        self._spawn("outbox-scheduler", self._run)

    def stop(self, deadline: float = 5.0) -> bool:
        """Ends transfers and threads; False where one had not ended after `deadline` seconds.

        What was under way is queued again, now or at the next start. Then the role is given back;
        where a thread did not end it is kept until the process ends.
        """
        self._stopping.set()
        self._wake.set()
        with self._work:
            self._work.notify_all()
        if self._unsubscribe is not None:
            self._unsubscribe()
        late = self._join(deadline)
        if late:
            _log.error("engine-did-not-stop", thread=", ".join(late))
            return False
        if self._leads:
            self._leads = False
            self._tell_role(leads=False)
        self._role.release()
        return True

    def _join(self, deadline: float) -> list[str]:
        """Waits for the threads; returns the names of those that had not ended."""
        rounds = max(1, round(deadline / _INTERRUPT_EVERY_S))
        for _ in range(rounds):
            running = [thread for thread in self._threads if thread.is_alive()]
            if not running:
                return []
            for archive in self._archives:  # again: a call that begins just now would miss one
                archive.interrupt()
            running[0].join(_INTERRUPT_EVERY_S)
        return [thread.name for thread in self._threads if thread.is_alive()]

    # ------------------------------------------------------------------------------------ watch

    def _watch(self) -> None:
        """Tells what other processes changed, however long the scheduler is at something."""
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self._outbox.tell_others_changes()
            except StoreError as error:
                _log.warning("changes-not-read", error_type=type(error).__name__)
                self._stopping.wait(LOOK_EVERY_S)
            except Exception:  # noqa: BLE001 - logged; who watches must go on to see
                _log.exception("changes-not-read")
                self._stopping.wait(_AFTER_A_FAULT_S)

    # -------------------------------------------------------------------------------- scheduler

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.is_set():
            try:
                self._pass()
                pause = self._schedule.seconds_to_next(LOOK_EVERY_S)
            except StoreError as error:  # said in words by the database; it may mend
                _log.warning("engine-waits", error_type=type(error).__name__)
                pause = _AFTER_A_FAULT_S
            except Exception:  # noqa: BLE001 - logged; delivery goes on with the next pass
                _log.exception("engine-pass-failed")
                pause = _AFTER_A_FAULT_S
            self._tell_round()
            self._wake.wait(pause)
            self._wake.clear()

    def _tell_round(self) -> None:
        if self._on_round is not None and all(thread.is_alive() for thread in self._threads):
            self._on_round()

    def _pass(self) -> None:
        if not self._leads and self._role.try_acquire():
            self._take_over()
        if not self._leads:
            return
        if tasks.has_running(self._spool, self._schedule.in_flight()):
            # A step that could not be settled (a full disk, a busy database) is nobody's: again.
            tasks.requeue_running(self._spool, self._schedule.in_flight)
        released = self._schedule.see(tasks.open_tasks(self._spool))
        if released:
            tasks.release_held(self._spool, released)
            self._schedule.see(tasks.open_tasks(self._spool))
            self._outbox.tell_changes()
        self._tidy()
        with self._work:
            self._work.notify_all()

    def _take_over(self) -> None:
        """Recovery first: nothing is delivered before rows and files agree."""
        report = recover(
            self._spool,
            [archive.name for archive in self._archives],
            live_sends=self._outbox.live_sends(),
            others_may_undo=self._outbox.others_may_undo(),
        )
        self._alarms = tuple(report.alarms)
        _log.info("engine-leads", count=report.adopted_captures + report.adopted_instances)
        self._tell_role(leads=True)
        self._leads = True
        for archive in self._archives:
            for number in range(self._workers.get(archive.name, 1)):
                delivery = Delivery(
                    self._spool,
                    archive,
                    self._schedule,
                    self._stopping,
                    self._outbox.tell_changes,
                    self._hindrances,
                )
                self._spawn(f"outbox-{archive.name}-{number + 1}", self._deliver, delivery)
        self._outbox.tell_changes()

    def _tidy(self) -> None:
        now = self._clock.monotonic()
        if self._tidied is None or now - self._tidied >= _TIDY_EVERY_S:
            self._tidied = now
            tidied = (purge_due, clean_deleted, clean_discarded, forget_over)
            if sum(tidy(self._spool) for tidy in tidied):
                self._outbox.tell_changes()
            self._spool.database.shrink()

    def _tell_role(self, *, leads: bool) -> None:
        if self._on_role is not None:
            self._on_role(leads)

    # ---------------------------------------------------------------------------------- workers

    def _deliver(self, delivery: Delivery) -> None:
        while not self._stopping.is_set():
            batch = self._schedule.take(delivery.archive.name, self._batch)
            if not batch:
                with self._work:
                    if not self._stopping.is_set():
                        self._work.wait(LOOK_EVERY_S)
                continue
            try:
                delivery.deliver(batch)
            except Exception:  # noqa: BLE001 - logged; what it held is found again by the scheduler
                _log.exception("worker-failed", destination=delivery.archive.name)
                for task in batch:
                    self._schedule.again(task, _AFTER_A_FAULT_S)
            self._wake.set()

    def _spawn(self, name: str, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
