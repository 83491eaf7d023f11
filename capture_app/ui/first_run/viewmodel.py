"""A computer that is not connected yet: what is missing, where it is written, and Practice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capture_app.model.words import isolated, tr
from capture_app.settings.schema import Settings


class FirstRunChoice(StrEnum):
    """What the person chose."""

    PRACTICE = "practice"
    OPEN = "open"
    """Open the application as it is: without an archive pictures wait, encrypted."""
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """One thing that a connected station has."""

    title: str
    words: str
    done: bool


@dataclass(frozen=True, slots=True)
class FirstRunState:
    """The page."""

    settings_file: str
    steps: tuple[SetUpStep, ...]

    @property
    def missing(self) -> int:
        """How many are not done."""
        return sum(not step.done for step in self.steps)


def is_first_run(settings: Settings) -> bool:
    """Whether there is nobody to list and nowhere to send: nothing real can be done yet."""
    has_patients = settings.adt is not None or bool(settings.worklists)
    return not settings.practice and not (has_patients and settings.archives)


class FirstRunViewModel(QObject):
    """Says what the settings lack. It changes nothing: settings are written by an administrator."""

    chosen = Signal(object)
    """The FirstRunChoice."""

    def __init__(
        self, settings: Settings, settings_file: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.state = FirstRunState(isolated(str(settings_file)), _steps(settings))

    def practise(self) -> None:
        """The simulated hospital."""
        self.chosen.emit(FirstRunChoice.PRACTICE)

    def open_anyway(self) -> None:
        """The application as it is."""
        self.chosen.emit(FirstRunChoice.OPEN)

    def quit(self) -> None:
        """Not now."""
        self.chosen.emit(FirstRunChoice.QUIT)


def _steps(settings: Settings) -> tuple[SetUpStep, ...]:
    has_patients = settings.adt is not None or bool(settings.worklists)
    station = settings.station.name
    return (
        SetUpStep(
            tr("Patients"),
            tr("A feed is set up.")
            if has_patients
            else tr("No feed yet: add [adt] for admissions, or [[worklists]] for orders."),
            has_patients,
        ),
        SetUpStep(
            tr("Archive"),
            tr("An archive is set up.")
            if settings.archives
            else tr("No archive yet: add [[archives]], with how it proves that it keeps pictures."),
            bool(settings.archives),
        ),
        SetUpStep(
            tr("Camera"),
            tr("A camera is set up.")
            if settings.devices
            else tr("No camera yet: add [[devices]], for instance kind = camera, address = 0."),
            bool(settings.devices),
        ),
        SetUpStep(
            tr("Station"),
            tr("This station is called {name}.", name=isolated(station))
            if station
            else tr("No name yet: pictures will bear the name of this computer."),
            bool(station),
        ),
    )
