"""Learns a scanner from three scans, tries it, and saves what it learnt. For administrators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.model.operator import Operator
from capture_app.model.words import tr, trn
from capture_app.patients.finding.keyboard_layouts import as_scanned
from capture_app.patients.finding.learning import (
    SCANS,
    CannotLearn,
    Learnt,
    ScanSample,
    learn,
)
from capture_app.patients.finding.scan import ScannedCode, ScannedNumber, ScanRules
from capture_app.settings.learnt import SCANNER_FILE, save_scanner, scanner_toml
from capture_app.settings.scanning import Suffix
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words import wording
from capture_app.ui.words.key_stroke import KeyStroke

_SILENCE_MS: Final = 700
"""So long after its last key a scan is over, however slow the scanner is."""


class Listening(Enum):
    """What the keys of the scanner are for."""

    NOTHING = "nothing"
    SCANS = "scans"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class ScannerState:
    """The page. No code is shown whole: it is a patient's number."""

    listening: Listening = Listening.NOTHING
    heard: tuple[str, ...] = ()
    problem: str = ""
    proposal: str = ""
    advice: str = ""
    trial: str = ""
    trial_is_good: bool = False
    can_save: bool = False
    saved: str = ""


class ScannerViewModel(QObject):
    """`stroke` gets every key while it listens; `listens` says when that begins and ends."""

    changed = Signal()
    listens = Signal(bool)
    saved = Signal(object)
    """The Learnt that was saved: it holds from now on."""

    def __init__(
        self, services: Services, tasks: Tasks, operator: Operator, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._own_authority = ScanRules.of(services.settings).own_authority
        self._strokes: list[KeyStroke] = []
        self._samples: list[ScanSample] = []
        self._learnt: Learnt | None = None
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(_SILENCE_MS)
        self._silence.timeout.connect(self._heard)
        self.state = ScannerState()

    def start(self) -> None:
        """Forgets what was learnt, and listens to SCANS scans."""
        self._samples.clear()
        self._learnt = None
        self._listen(ScannerState(Listening.SCANS))

    def try_it(self) -> None:
        """Listens to one more scan and says what it would do."""
        if self._learnt is not None:
            self._listen(replace(self.state, listening=Listening.TRIAL, trial=""))

    def stop(self) -> None:
        """Listens no more."""
        self._silence.stop()
        self._strokes.clear()
        if self.state.listening is not Listening.NOTHING:
            self._show(replace(self.state, listening=Listening.NOTHING))
            self.listens.emit(False)  # noqa: FBT003 - a signal has no keywords

    def stroke(self, key: KeyStroke) -> None:
        """One key of the scanner."""
        self._strokes.append(key)
        self._silence.start()

    def save(self) -> None:
        """Writes the file that the settings read. From now on it holds here."""
        learnt, services, operator = self._learnt, self._services, self._operator
        if learnt is None or not self.state.can_save:
            return
        scanner = replace(learnt.scanner, camera=services.settings.scanner.camera)

        def write() -> None:
            services.users.record_scanner_set_up(operator)
            save_scanner(services.settings.data_dir, scanner, (learnt.pattern,))

        self._show(replace(self.state, can_save=False))
        self._tasks.run(
            write, owner=self, done=lambda _nothing: self._was_saved(learnt), failed=self._not_saved
        )

    # ---------------------------------------------------------------------- what was heard

    def _listen(self, state: ScannerState) -> None:
        self._strokes.clear()
        self._show(state)
        self.listens.emit(True)  # noqa: FBT003 - a signal has no keywords

    def _heard(self) -> None:
        strokes, self._strokes = self._strokes, []
        text = "".join(key.text for key in strokes)
        ends = [key.suffix for key in strokes if key.suffix is not Suffix.NONE]
        gaps = [after.at - before.at for before, after in pairwise(strokes)]
        if len(text) < 2:
            return  # a hand
        sample = ScanSample(text, ends[0] if ends else Suffix.NONE, max(gaps))
        if self.state.listening is Listening.TRIAL:
            self._tried(sample)
        elif self.state.listening is Listening.SCANS:
            self._samples.append(sample)
            self._show(replace(self.state, heard=tuple(map(_sample_words, self._samples))))
            if len(self._samples) == SCANS:
                self.stop()
                self._propose()

    def _propose(self) -> None:
        learnt = learn(self._samples, self._is_known)
        if isinstance(learnt, CannotLearn):
            self._show(replace(self.state, problem=_cannot_words(learnt)))
            return
        self._learnt = learnt
        settings = self._services.settings
        is_free = not settings.scan_patterns or (settings.data_dir / SCANNER_FILE).is_file()
        advice = (
            ""
            if learnt.is_marked
            else tr(
                "Recommended: let the scanner put an AIM symbology identifier or a prefix before "
                "each code. Without one the rest of a code that stalled for more than 2 s cannot "
                "be told from a whole one."
            )
        )
        if not is_free:
            advice = tr(
                "The site's settings file names scan patterns already; it stands above this page. "
                "Give these lines to IT."
            )
        scanner = replace(learnt.scanner, camera=settings.scanner.camera)
        text = scanner_toml(scanner, (learnt.pattern,))
        self._show(replace(self.state, proposal=text, advice=advice, can_save=is_free))

    def _tried(self, sample: ScanSample) -> None:
        self.stop()
        learnt = self._learnt
        if learnt is None:
            return
        if sample.longest_gap_s * 1000 > learnt.scanner.gap_ms:
            self._show(
                replace(
                    self.state,
                    trial=tr("It came too slowly: nobody would be opened."),
                    trial_is_good=False,
                )
            )
            return
        text = as_scanned(sample.text, learnt.scanner.keyboard_layout)
        rules = ScanRules((learnt.pattern,), self._own_authority)
        number = rules.read(ScannedCode(text, sample.suffix))
        if not isinstance(number, ScannedNumber):
            words, is_good = tr("The pattern does not allow it: nobody would be opened."), False
        elif found := self._services.census.by_record_number(number):
            digits = wording.last_digits(found[0].patient.patient_id)
            people = {entry.patient.patient_id.key for entry in found}
            is_good = len(people) == 1
            words = tr("It would open the patient {digits}.", digits=digits)
            if not is_good:
                words = tr("Two listed patients have this number: nobody would be opened.")
        else:
            words, is_good = tr("It is a number of nobody listed: nobody would be opened."), False
        self._show(replace(self.state, trial=words, trial_is_good=is_good))

    def _is_known(self, number: str) -> bool:
        return bool(
            self._services.census.by_record_number(ScannedNumber(number, self._own_authority))
        )

    def _was_saved(self, learnt: Learnt) -> None:
        words = tr("Saved. It holds in this window now, and in others when they start again.")
        self._show(replace(self.state, saved=words))
        self.saved.emit(learnt)

    def _not_saved(self, error: Exception) -> None:
        self._show(replace(self.state, problem=str(error), can_save=True))

    def _show(self, state: ScannerState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


def _sample_words(sample: ScanSample) -> str:
    ends = {
        Suffix.ENTER: tr("then Enter"),
        Suffix.TAB: tr("then Tab"),
        Suffix.NONE: tr("no key after it"),
    }
    count = trn("{n} character", "{n} characters", len(sample.text))
    slowest = tr("at most {ms} ms between keys", ms=round(sample.longest_gap_s * 1000))
    return f"{count}, {ends[sample.suffix]}, {slowest}"


def _cannot_words(why: CannotLearn) -> str:
    return {
        CannotLearn.SAME_CODE: tr("Scan three different wristbands: one code shows no pattern."),
        CannotLearn.SUFFIXES_DIFFER: tr("The scans ended with different keys. Try again."),
        CannotLearn.TOO_SLOW: tr(
            "The scanner types as slowly as a hand. Set its delay between characters to 0 and "
            "try again."
        ),
        CannotLearn.NOT_WHOLE: tr(
            "Nothing says where the code ends. Let the scanner press Enter after each code and "
            "try again."
        ),
    }[why]
