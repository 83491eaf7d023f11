"""The wording of the live picture: what is seen, how good it is, or why there is none."""

from __future__ import annotations

from capture_app.devices.capture import Live, LiveState
from capture_app.exam.console_guard import ConsoleSays
from capture_app.imaging.quality import Quality, QualityChip
from capture_app.model.device import DeviceInfo
from capture_app.model.words import tr, trn
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Message, Tone
from capture_app.ui.words.shown import ClipState, LiveMarks
from capture_app.ui.workspace.live import Stillness


def live_marks(
    state: LiveState,
    device: DeviceInfo | None,
    quality: Quality | None,
    *,
    safe: int,
    others: bool,
    size: tuple[int, int] | None = None,
    stillness: Stillness = Stillness.MOVES,
    clips: ClipState = ClipState(),  # noqa: B008 - frozen
    console: ConsoleSays = ConsoleSays.UNCLEAR,
) -> LiveMarks:
    """The chips on the picture; or what happened to the camera, and what is safe.

    `size`: columns and rows of the picture on the screen.
    """
    if state.live is Live.LIVE:
        name = "" if device is None else device.name
        leading = (
            ChipText(tr("Live"), "record", Tone.TEXT),
            *clip_chips(clips),
            ChipText(name, "camera"),
            *_size_chips(state),
        )
        judged = () if quality is None else _quality_chips(quality)
        said = (*_console_chips(device, size), *_preset_chips(device, size))
        return LiveMarks(
            leading, (*said, *_still_chips(stillness), *judged, *_guard_chips(console))
        )
    if state.live is Live.OPENING:
        return LiveMarks(absent=tr("Opening the camera"))
    pictures = trn("{n} picture is safe.", "{n} pictures are safe.", safe) if safe else ""
    if state.was_live:
        time = wording.clock_time(state.since)
        what = tr("Camera stopped at {time}.", time=time)
        told = (state.reason, pictures, tr("Trying again."))
        return LiveMarks(absent=what, absent_help=" ".join(filter(None, told)), can_choose=others)
    what = state.reason or tr("Camera not found. Check the cable.")
    return LiveMarks(absent=what, absent_help=tr("Drafts are safe."), can_choose=others)


def clip_chips(clips: ClipState) -> tuple[ChipText, ...]:
    """How long it has been recorded, and how much of that is on the disk; or how few of the last
    seconds there is memory for.
    """
    if clips.recorded_s is not None:
        length, safe = wording.clip_length(clips.recorded_s), wording.clip_length(clips.safe_s)
        words = tr("Recording {length}, {safe} safe", length=length, safe=safe)
        return (ChipText(words, "record", Tone.BAD),)
    if clips.is_capped and not clips.refusal:
        return (ChipText(last_words(clips.held_s), "clock", Tone.WARN),)
    return ()


def last_words(seconds: int) -> str:
    """Last 7 s: how much of the live image can still be kept."""
    return tr("Last {n} s", n=seconds)


def _size_chips(state: LiveState) -> tuple[ChipText, ...]:
    """What a camera gives less than it was asked for."""
    if state.mode is None or not state.mode.is_smaller:
        return ()
    got, wanted = state.mode.got, state.mode.wanted
    words = tr(
        "{got}, not {wanted} pixels",
        got=f"{got.columns} x {got.rows}",
        wanted=f"{wanted.columns} x {wanted.rows}",
    )
    return (ChipText(words, "warning", Tone.WARN),)


def _console_chips(device: DeviceInfo | None, size: tuple[int, int] | None) -> tuple[ChipText, ...]:
    """Whether the names that the console writes are cut away."""
    console = None if device is None else device.console
    if console is None or console.kept is None or size is None:
        return ()
    if console.kept_of(*size) is not None:
        return (ChipText(tr("Names cut away"), "eye-slash"),)
    return (ChipText(tr("Names not cut away: another size"), "warning", Tone.WARN),)


def _preset_chips(device: DeviceInfo | None, size: tuple[int, int] | None) -> tuple[ChipText, ...]:
    """What the console is said to be set to, and where its scale does not hold."""
    preset = None if device is None else device.preset
    if preset is None:
        return ()
    named = ChipText(preset.name, "check-circle")
    scale = preset.scale
    if scale is None or size in (None, scale.size):
        return (named,)
    words = tr("No scale: it is for {size}", size=f"{scale.columns} x {scale.rows}")
    return (named, ChipText(words, "warning", Tone.WARN))


def _still_chips(stillness: Stillness) -> tuple[ChipText, ...]:
    match stillness:
        case Stillness.MOVES:
            return ()
        case Stillness.STANDS:
            return (ChipText(tr("Picture does not change"), "warning", Tone.WARN),)
        case Stillness.FROZEN:
            return (ChipText(tr("Frozen"), "pause", Tone.TEXT),)
        case Stillness.FROZEN_BEFORE:
            return (ChipText(tr("Frozen before this exam"), "warning", Tone.WARN),)


def frozen_message() -> Message:
    """The picture of a scanner was frozen at its console, in this exam."""
    return Message(
        tr("The picture is frozen."),
        tr("Keep it?"),
        "pause",
        act=tr("Keep picture"),
        act_icon="camera",
        act_key=tr("Space"),
    )


def _guard_chips(says: ConsoleSays) -> tuple[ChipText, ...]:
    match says:
        case ConsoleSays.THIS_PATIENT:
            return (ChipText(tr("Console: same patient"), "check-circle", Tone.OK),)
        case ConsoleSays.NOT_THIS_PATIENT:
            return (ChipText(tr("Console: not this patient?"), "warning", Tone.WARN),)
        case ConsoleSays.UNCLEAR:
            return ()


def _quality_chips(quality: Quality) -> tuple[ChipText, ...]:
    words = {
        QualityChip.SHARP: ChipText(tr("Sharp"), "check-circle", Tone.OK),
        QualityChip.BLURRED: ChipText(tr("Blurred, hold still"), "warning", Tone.WARN),
        QualityChip.WELL_LIT: ChipText(tr("Exposure"), "check-circle", Tone.OK),
        QualityChip.TOO_DARK: ChipText(tr("Too dark"), "warning", Tone.WARN),
        QualityChip.TOO_BRIGHT: ChipText(tr("Too bright"), "warning", Tone.WARN),
        QualityChip.BLACK: ChipText(tr("Black picture"), "warning", Tone.WARN),
    }
    return tuple(words[chip] for chip in quality.chips)
