"""What is said of the pictures of a card. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from capture_app.exam.card_sorting import Group, Why
from capture_app.model.delivery import ImageState
from capture_app.model.patient import Patient
from capture_app.model.words import isolated, tr, trn
from capture_app.outbox.keeping.slates import KeptFile
from capture_app.ui.words import wording

_EXACT = timedelta(seconds=60)
_DIVIDER = " \N{MIDDLE DOT} "
_CONFIRMED = frozenset({ImageState.CONFIRMED, ImageState.PURGED})


def name_of(patient: Patient) -> str:
    """NAME, Given; born; the end of the number: as the rows of the list say it."""
    number = wording.last_digits(patient.patient_id)
    parts = (wording.shown_name(patient.name), wording.born(patient), number)
    return _DIVIDER.join(filter(None, parts))


def facts(group: Group) -> str:
    """How many, and from when to when by the clock of the camera."""
    n = len(group.files)
    said = trn("{n} picture", "{n} pictures", n)
    times = [seen.camera_time for seen in group.files if seen.camera_time is not None]
    if not times:
        return said
    first, last = min(times), max(times)
    return tr(
        "{pictures}, {first} to {last} by the camera's clock",
        pictures=said,
        first=wording.clock_time(first),
        last=wording.clock_time(last),
    )


def why_nobodys(group: Group) -> str:
    """Why they are nobody's, and what can be done."""
    said = {
        Why.NO_SLATE: tr("No slate stands before them."),
        Why.GAP: tr("More than three minutes lie before them."),
        Why.RESTART: tr("Files are missing before them, or the camera began to count anew."),
        Why.DATE_JUMP: tr("The clock of the camera jumped before them."),
        Why.NO_TIME: tr("They do not say when they were taken."),
        Why.CLOSED: tr("They come after a closing slate."),
        Why.UNREADABLE: tr("A picture that cannot be read may be a slate before them."),
        Why.TWO_SLATES: tr("Two slates are in one picture before them."),
        Why.UNKNOWN_SLATE: tr("This station does not know the slate before them."),
        Why.STALE_SLATE: tr(
            "The slate before them is of another time than the camera says: it is an old one, or "
            "the clock of the camera is wrong."
        ),
        Why.OTHER_CAMERA: tr("Another camera took them."),
        Why.CONTRADICTED: tr("A slate of one patient is before them, one of another behind them."),
    }[group.why or Why.NO_SLATE]
    if group.offered is not None:
        return said
    return f"{said} {tr('They stay on the card and are not sent.')}"


def clock_words(group: Group) -> str:
    """How far off the clock of the camera was; empty where it was right or nobody knows."""
    off = group.clock_off
    if off is None or abs(off) < _EXACT:
        return ""
    length = wording.span(abs(off))
    if off > timedelta():
        return tr("The camera's clock is {time} ahead: put right by the slate.", time=length)
    return tr("The camera's clock is {time} behind: put right by the slate.", time=length)


def kept_words(group: Group, kept: Mapping[str, KeptFile]) -> str:
    """What became of those that are pictures here already; empty where none is."""
    states = [kept[seen.digest].state for seen in group.files if seen.digest in kept]
    if not states:
        return ""
    n, confirmed = len(states), sum(state in _CONFIRMED for state in states)
    drafts = sum(state is ImageState.DRAFT for state in states)
    if confirmed == n:
        return trn("{n} is confirmed.", "{n} are confirmed.", n)
    if drafts:
        return trn(
            "{n} is safe here as a draft: say what it shows, and send it, at its patient.",
            "{n} are safe here as drafts: say what they show, and send them, at their patient.",
            drafts,
        )
    return trn("{n} is on its way.", "{n} are on their way.", n - confirmed)


def act_words(group: Group, new: int, whose: Patient) -> str:
    """What one touch does."""
    name = isolated(wording.family(whose.name))
    digits = wording.last_digits(whose.patient_id)
    if group.slate is not None:
        return trn(
            "Keep {n} for {name} {digits}",
            "Keep {n} for {name} {digits}",
            new,
            name=name,
            digits=digits,
        )
    return trn(
        "It is of {name} {digits} too: keep it",
        "They are of {name} {digits} too: keep {n}",
        new,
        name=name,
        digits=digits,
    )


def kept_now(n: int, whose: Patient) -> str:
    """After the touch."""
    return trn(
        "{n} picture is safe: a draft of {name}.",
        "{n} pictures are safe: drafts of {name}.",
        n,
        name=isolated(wording.family(whose.name)),
    )


def removed_words(removed: int, stay: int) -> str:
    """After files were removed."""
    said = trn(
        "{n} file was removed from the card.", "{n} files were removed from the card.", removed
    )
    if not stay:
        return said
    left = trn("{n} could not be removed.", "{n} could not be removed.", stay)
    return f"{said} {left}"


def left_out(films: int, faults: Sequence[str]) -> tuple[str, ...]:
    """What of the card is not kept at all, a line each."""
    said = []
    if films:
        said.append(
            trn(
                "{n} film stays on the card: it is not kept from here.",
                "{n} films stay on the card: they are not kept from here.",
                films,
            )
        )
    return (*said, *faults)
