"""What is said of a Send: that it is held, taken back, too late, or did not happen."""

from __future__ import annotations

from capture_app.model.exam import Exam
from capture_app.model.words import tr, trn
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Message, Tone


def sent_message(pictures: int, exam: Exam) -> Message:
    """4 held for NGUYEN ...678: for some seconds they can be taken back."""
    name, digits = _whose(exam)
    what = tr("{n} held for {name} {digits}.", n=pictures, name=name, digits=digits)
    return Message(
        what, "", "paper-plane-right", Tone.OK, tr("Undo"), "arrow-u-up-left", tr("Ctrl") + "+Z"
    )


def drafts_again_message(pictures: int, exam: Exam) -> Message:
    """3 pictures of NGUYEN ...678 are drafts again: whose came back, wherever one is by now."""
    name, digits = _whose(exam)
    what = trn(
        "{n} picture of {name} {digits} is a draft again.",
        "{n} pictures of {name} {digits} are drafts again.",
        pictures,
        name=name,
        digits=digits,
    )
    return Message(what, "", "arrow-u-up-left")


def too_late_message() -> Message:
    """A Send that cannot be taken back."""
    what = tr("Too late to undo: the pictures are on their way.")
    return Message(what, "", "warning-circle", Tone.BAD)


def not_sent_message(reason: str) -> Message:
    """Nothing was sent, and why. An empty reason: some pictures are not described yet."""
    why = reason or tr("Some pictures are not described yet.")
    return Message(tr("Nothing was sent. {reason}", reason=why), "", "warning-circle", Tone.BAD)


def received_message(images: int, exam: Exam) -> Message:
    """2 images of a scanner filed to NGUYEN ...678: by what they say themselves."""
    name, digits = _whose(exam)
    what = trn(
        "{n} image of a scanner filed to {name} {digits}.",
        "{n} images of a scanner filed to {name} {digits}.",
        images,
        name=name,
        digits=digits,
    )
    return Message(what, "", "check-circle", Tone.OK)


def still_open(exam: Exam) -> str:
    """Whose exam goes on, after something that opened nobody."""
    return tr("Still open: {who}.", who=whose(exam))


def whose(exam: Exam) -> str:
    """NGUYEN ...678."""
    return " ".join(_whose(exam))


def _whose(exam: Exam) -> tuple[str, str]:
    patient = exam.patient
    return wording.family(patient.name), wording.last_digits(patient.patient_id)
