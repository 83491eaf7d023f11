"""What the workspace says: of a description, of a camera, of what is missing. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.exam.describing import DescriptionPart, sides_of
from capture_app.exam.rules import Missing, MissingPart, gate
from capture_app.model.delivery import ImageState
from capture_app.model.device import DeviceInfo
from capture_app.model.procedure import Choice, Description, ImageKind, ProcedureEntry, Side
from capture_app.model.words import tr, trn
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Message, Tone
from capture_app.ui.words.shown import Selection

_STATE_MARKS: Final = {
    ImageState.DRAFT: ("check", Tone.TEXT),
    ImageState.HELD: ("hourglass-medium", Tone.TEXT),
    ImageState.QUEUED: ("clock", Tone.TEXT),
    ImageState.SENDING: ("arrow-up", Tone.ACCENT),
    ImageState.SENT: ("check", Tone.TEXT),
    ImageState.LISTED: ("list-bullets", Tone.TEXT),
    ImageState.CONFIRMED: ("check-circle", Tone.OK),
    ImageState.PURGED: ("check-circle", Tone.OK),
    ImageState.NEEDS_YOU: ("warning-circle", Tone.BAD),
    ImageState.IT_ASKED: ("warning", Tone.WARN),
}


def missing_of(description: Description) -> tuple[MissingPart, ...]:
    """What a picture still needs before it may leave."""
    verdict = gate(description)
    return verdict.parts if isinstance(verdict, Missing) else ()


def kind_note(device: DeviceInfo | None, entry: ProcedureEntry) -> str:
    """Why an act cannot be done with the device in use, in two words; empty where it can."""
    if device is None:
        return ""
    kind = object_kind(device, entry)
    if not isinstance(kind, KindMismatch):
        return ""
    match kind.needed:
        case ImageKind.ULTRASOUND:
            return tr("needs ultrasound")
        case ImageKind.ENDOSCOPY:
            return tr("needs endoscope")
        case ImageKind.MICROSCOPY:
            return tr("needs microscope")
        case ImageKind.PHOTO | ImageKind.DERMOSCOPY:
            return tr("needs camera")


# -------------------------------------------------------------------------------- the filmstrip


def draft_badge(missing: Sequence[MissingPart], *, blurred: bool, stopped: bool) -> ChipText:
    """The badge of a picture that is not sent."""
    if missing:
        tone = Tone.BAD if stopped else Tone.WARN
        return ChipText(tr("Needs {n}", n=len(missing)), "warning-circle", tone)
    if blurred:
        return ChipText(tr("Blurred"), "warning", Tone.WARN)
    return state_badge(ImageState.DRAFT)


def state_badge(state: ImageState) -> ChipText:
    """The badge of a picture on its way: a mark and its state in words."""
    icon, tone = _STATE_MARKS[state]
    return ChipText(wording.state_words(state), icon, tone)


def thumb_words(description: Description) -> str:
    """Left lower leg; or what is missing: No procedure, no side."""
    missing = missing_of(description)
    if not missing:
        return _without_brackets(wording.site(description))
    misfit = description.region is not None
    first = {
        MissingPart.PATIENT: tr("No patient"),
        MissingPart.PROCEDURE: tr("No procedure"),
        MissingPart.REGION: tr("Site does not fit") if misfit else tr("No site"),
        MissingPart.SIDE: tr("No side"),
        MissingPart.KEEP: tr("Keep not chosen"),
    }
    other = {
        MissingPart.PATIENT: tr("no patient"),
        MissingPart.PROCEDURE: tr("no procedure"),
        MissingPart.REGION: tr("site does not fit") if misfit else tr("no site"),
        MissingPart.SIDE: tr("no side"),
        MissingPart.KEEP: tr("keep not chosen"),
    }
    return ", ".join([first[missing[0]], *(other[part] for part in missing[1:])])


def side_mark(description: Description) -> str:
    """R, L, M, or both: the mark on a picture; empty where there is no side."""
    marks = {
        Side.RIGHT: tr("R"),
        Side.LEFT: tr("L"),
        Side.MIDLINE: tr("M"),
        Side.BOTH: tr("R+L"),
    }
    return marks[description.side] if description.side is not None else ""


def _without_brackets(site: str) -> str:
    """Left lower leg, front: the shorter form, where room is scarce."""
    return re.sub(r"\s*\([^)]*\)", "", site)


def next_words(
    description: Description, *, from_order: bool = False, proposed: bool = False
) -> ChipText:
    """What the next picture will be filed as, beside the shutter, and who says so: a person, an
    order, or nobody yet.
    """
    missing = missing_of(description)
    if missing:
        return ChipText(tr("Next: {what}", what=thumb_words(description)), "info", Tone.TEXT_2)
    site = wording.site(description)
    if from_order:
        return ChipText(tr("From the order: {what}", what=site), "file-text", Tone.OK)
    if proposed:
        return ChipText(tr("Next: {what} (proposed)", what=site), "info", Tone.TEXT_2)
    return ChipText(tr("Next: {what}", what=site), "check-circle", Tone.OK)


def kept_words(
    said: Description, kept: Description, pictures: int, parts: Collection[DescriptionPart]
) -> ChipText:
    """Next: Left; 3 kept: Right. What the panels say now, and what pictures go on to say."""
    now, then = _now_and_then(said, kept, parts)
    what = tr("Next: {now}; {n} kept: {then}", n=pictures, now=now, then=then)
    return ChipText(what, "info", Tone.WARN)


def _now_and_then(
    said: Description, kept: Description, parts: Collection[DescriptionPart]
) -> tuple[str, str]:
    """What tells the two apart, as short as it can be: of one site the side alone."""
    if set(parts) == {DescriptionPart.SIDE}:
        return _side_words(said.side), _side_words(kept.side)
    return difference(said, parts), difference(kept, parts)


def difference(said: Description, parts: Collection[DescriptionPart]) -> str:
    """What a description says in these parts: Leg ulcer, Left lower leg, Verbal, for care."""
    found = []
    if DescriptionPart.PROCEDURE in parts:
        found.append(tr(said.procedure.display_name) if said.procedure else tr("No procedure"))
    if DescriptionPart.REGION in parts or DescriptionPart.SIDE in parts:
        found.append(wording.site(said) or tr("No site"))
    for part, caption in (
        (DescriptionPart.PURPOSE, tr("Purpose")),
        (DescriptionPart.KEEP, tr("Keep")),
        (DescriptionPart.CONSENT, tr("Consent")),
    ):
        choice: Choice | None = getattr(said, part.value)
        if part in parts:
            value = tr(choice.label) if choice else tr("not chosen")
            found.append(tr("{caption}: {value}", caption=caption, value=value))
    return ", ".join(found)


def _side_words(side: Side | None) -> str:
    return {
        Side.RIGHT: tr("Right"),
        Side.LEFT: tr("Left"),
        Side.MIDLINE: tr("Midline"),
        Side.BOTH: tr("Both"),
        None: tr("No side"),
    }[side]


def keeping_words(descriptions: Sequence[Description]) -> str:
    """Keep: Record. What becomes of the pictures that Send takes; empty where there are none."""
    if not descriptions:
        return ""
    found = {said.keep for said in descriptions}
    if len(found) > 1:
        return tr("Keep: not the same for all")
    (keep,) = found
    if keep is None:
        return tr("Keep: not chosen")
    return tr("Keep: {what}", what=tr(keep.label))


# ------------------------------------------------------------------------------------- the stop


def stop_message(
    pictures: int, parts: Sequence[MissingPart], *, goes_to: int, midline: bool
) -> Message:
    """Nothing was sent, why, and the keys that help. Stays until it is solved.

    `goes_to`: how many pictures get what is chosen now.
    """
    many, more = pictures > 1, len(parts) > 1
    sentence = {
        (False, False): "Nothing was sent. {n} picture needs {m} thing.",
        (False, True): "Nothing was sent. {n} picture needs {m} things.",
        (True, False): "Nothing was sent. {n} pictures need {m} thing.",
        (True, True): "Nothing was sent. {n} pictures need {m} things.",
    }[many, more]
    what = tr(sentence, n=pictures, m=len(parts))
    asked = {
        MissingPart.PATIENT: tr("the patient"),
        MissingPart.PROCEDURE: tr("the procedure (1-9)"),
        MissingPart.REGION: tr("the site (B)"),
        MissingPart.SIDE: tr("the side (Alt+R, Alt+L or Alt+M)")
        if midline
        else tr("the side (Alt+R or Alt+L)"),
        MissingPart.KEEP: tr("what becomes of them (Keep in)"),
    }
    names = [asked[part] for part in parts]
    if len(names) == 1:
        todo = tr("Choose {one}.", one=names[0])
    else:
        todo = tr("Choose {most} and {last}.", most=", ".join(names[:-1]), last=names[-1])
    if goes_to > 1:
        goes = {1: tr("It goes to all {n}.", n=goes_to), 2: tr("Both go to all {n}.", n=goes_to)}
        todo += " " + goes.get(len(names), tr("They go to all {n}.", n=goes_to))
    act = {
        MissingPart.PATIENT: tr("Go to the patients"),
        MissingPart.PROCEDURE: tr("Go to procedure"),
        MissingPart.REGION: tr("Go to the site"),
        MissingPart.SIDE: tr("Go to the side"),
        MissingPart.KEEP: tr("Go to Keep in"),
    }[parts[0]]
    return Message(what, todo, "warning-circle", Tone.BAD, act, "arrow-right", stop=True)


def differs_message(
    said: Description, kept: Description, pictures: int, parts: Collection[DescriptionPart]
) -> Message:
    """Nothing was sent yet: the panels were changed after the last picture, and say otherwise."""
    now, then = _now_and_then(said, kept, parts)
    todo = trn(
        "The panel says {now}, {n} picture says {then}.",
        "The panel says {now}, {n} pictures say {then}.",
        pictures,
        now=now,
        then=then,
    )
    return Message(
        tr("Not sent yet. Which holds? Either answer sends."),
        todo,
        "warning-circle",
        Tone.BAD,
        act=trn("Change this one", "Change these {n}", pictures),
        act_icon="check",
        other_act=tr("Keep"),
        stop=True,
    )


def needed_words(parts: Sequence[MissingPart]) -> tuple[str, str]:
    """The words in the titles of the two panels while they hold up sending."""
    procedure = tr("Needed to send") if MissingPart.PROCEDURE in parts else ""
    if MissingPart.REGION in parts:
        return procedure, tr("Site needed to send")
    return procedure, tr("Side needed to send") if MissingPart.SIDE in parts else ""


def side_hint(description: Description, *, stopped: bool) -> tuple[str, Tone]:
    """The line under the sides."""
    sides = sides_of(description)
    if description.region is None:
        return tr("Touch the map or the list"), Tone.TEXT_2
    if not sides:
        return tr("This site has no side"), Tone.TEXT_2
    if MissingPart.SIDE in missing_of(description):
        words = tr("Left, right or midline?") if Side.MIDLINE in sides else tr("Left or right?")
        return words, Tone.BAD if stopped else Tone.WARN
    if Side.MIDLINE not in sides:
        return tr("Midline is for face and trunk"), Tone.TEXT_2
    return tr("Alt + underlined letter"), Tone.TEXT_2


def selection_of(description: Description) -> Selection | None:
    """What the body map shows."""
    if description.region is None:
        return None
    open_side = bool(sides_of(description)) and description.side is None
    return Selection(description.region.code.key, description.side, open_side)


def selection_lost_message() -> Message:
    """What was selected went away elsewhere before the act came."""
    what = tr("What was selected is no draft any more: nothing was changed.")
    return Message(what, tr("See the pictures, and select again."), "warning-circle", Tone.BAD)


def deleted_message(pictures: int) -> Message:
    """1 picture deleted."""
    what = trn("{n} picture deleted.", "{n} pictures deleted.", pictures)
    undo_key = tr("Ctrl") + "+Z"
    return Message(what, "", "trash", Tone.TEXT_2, tr("Undo"), "arrow-u-up-left", undo_key)


def clip_not_turned_message() -> Message:
    """A clip is sent as it was recorded."""
    return Message(
        tr("A clip cannot be turned."),
        tr("Turn the camera and record it again, or take a still of it and turn that."),
        "info",
    )


def filled_message(what: str, pictures: int) -> Message:
    """Leg ulcer: 3 pictures changed."""
    said = trn("{what}: {n} picture changed.", "{what}: {n} pictures changed.", pictures, what=what)
    undo_key = tr("Ctrl") + "+Z"
    return Message(said, "", "check-circle", Tone.TEXT_2, tr("Undo"), "arrow-u-up-left", undo_key)


def stays_message(what: str, pictures: int) -> Message:
    """Next pictures: Left lower leg. 3 pictures stay as they are."""
    return Message(
        tr("Next pictures: {what}.", what=what),
        trn("{n} picture stays as it is.", "{n} pictures stay as they are.", pictures),
        "info",
        act=trn("Change it too", "Change these {n}", pictures),
        act_icon="check",
    )


def another_is_opened_message() -> Message:
    """The shutter was pressed after another patient was asked for, and before that one is shown."""
    return Message(
        tr("The picture was not taken: another patient is being opened."),
        tr("Take it when that name is in the banner."),
        "warning-circle",
        Tone.BAD,
    )


def taken_back_message(what: str, pictures: int, left: int, *, panels: bool) -> Message:
    """Taken back: Leg ulcer. 3 pictures are as before. `panels`: the panels are as before."""
    todo = []
    if pictures:
        todo.append(trn("{n} picture is as before.", "{n} pictures are as before.", pictures))
    if left:
        todo.append(
            trn(
                "{n} picture is not a draft any more, or was changed since.",
                "{n} pictures are not drafts any more, or were changed since.",
                left,
            )
        )
    if not (pictures or panels):
        not_back = tr("Not taken back: {what}.", what=what)
        return Message(not_back, " ".join(todo), "warning-circle", Tone.BAD)
    return Message(tr("Taken back: {what}.", what=what), " ".join(todo), "arrow-u-up-left")
