"""Asks a worklist again and again, and keeps its last answer in memory, with its age."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.errors import DeliveryError
from capture_app.model.words import tr
from capture_app.net.deadline import Interruption
from capture_app.patients.census.census import Census
from capture_app.patients.census.orders import WorklistAnswer
from capture_app.patients.sources.worklist.query import ask
from capture_app.settings.feeds import Worklist
from capture_app.settings.schema import Station

_log = structlog.get_logger(__name__)

_STOPS_WITHIN_S: Final = 10.0


class WorklistPoller:
    """Asks one worklist again and again, on a thread of its own, and tells the census."""

    def __init__(self, census: Census, worklist: Worklist, station: Station, clock: Clock) -> None:
        self._census = census
        self._worklist = worklist
        self._calling_ae_title = station.ae_title
        self._clock = clock
        self._last = WorklistAnswer(worklist.name)
        self._stopping = threading.Event()
        self._interruption = Interruption()
        self._thread: threading.Thread | None = None
        self.asked = threading.Event()
        """Set once a first question ended, however it did."""

    def start(self) -> None:
        """Begins to ask, at once and then every `poll_seconds`."""
        self._stopping.clear()
        self._interruption = Interruption()
        self._census.put_worklist(self._last)
        self._thread = threading.Thread(
            target=self._run, name=f"worklist-{self._worklist.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and a question under way."""
        self._stopping.set()
        self._interruption.interrupt()
        if self._thread is not None:
            self._thread.join(_STOPS_WITHIN_S)
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.ask_once()
            self.asked.set()
            self._stopping.wait(self._worklist.poll_seconds)

    def ask_once(self) -> None:
        """Asks now, on this thread, and tells the census. Bounded by the worklist's deadline."""
        try:
            self._last = ask(
                self._worklist, self._calling_ae_title, self._clock, self._interruption
            )
        except DeliveryError as error:
            if self._stopping.is_set():
                return
            self._last = replace(self._last, problem=str(error))
            _log.info("worklist-unanswered", worklist=self._worklist.name, code=error.code)
        except Exception:  # noqa: BLE001 - logged with its traceback, told, and tried again
            _log.exception("worklist-failed", worklist=self._worklist.name)
            problem = tr("The worklist met a fault of this application.")
            self._last = replace(self._last, problem=problem)
        self._census.put_worklist(self._last)
