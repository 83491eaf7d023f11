"""What the parts of the workspace show: plain values that its view-model gives to its page."""

from __future__ import annotations

from dataclasses import dataclass

from capture_app.model.procedure import Side, Turn
from capture_app.ui.words.marks import ChipText

RegionKey = tuple[str, str]
"""Coding scheme and code value."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of a list. `key`: the key cap before it; `note`: quiet words at its end; `also`: what
    it is found by too, and not shown.
    """

    row_id: str
    words: str
    key: str = ""
    note: str = ""
    usable: bool = True
    also: str = ""


@dataclass(frozen=True, slots=True)
class OrderShown:
    """What the banner says of orders: which one is in use, or which may be, and how."""

    label: str
    value: str
    whole: str
    """Everything, in a sentence: for the tooltip and for a reader."""
    at_once: str = ""
    """The row id of the order that a press uses; empty where a press lists what there is."""
    usable: bool = True
    warns: bool = False


@dataclass(frozen=True, slots=True)
class ClipState:
    """What the buttons and chips say of clips of the live image."""

    refusal: str = ""
    """Why the device in use gives no clips, a sentence; empty where it does."""
    is_live: bool = False
    held_s: int = 0
    """How many of the last seconds could be kept."""
    is_capped: bool = False
    """Whether they are fewer than ten because the memory for them is full."""
    recorded_s: int | None = None
    """For how long it has been recorded; None where nothing is."""
    safe_s: int = 0
    """How much of that is on the disk, whatever happens."""


@dataclass(frozen=True, slots=True)
class PlayerState:
    """A kept clip that is looked at; nothing is while it has no capture id."""

    capture_id: str = ""
    number: int = 0
    """In the filmstrip."""
    frame: int = 0
    """On the screen; the first is 0."""
    frames: int = 0
    """None until the clip was opened."""
    at_s: float = 0.0
    length_s: float = 0.0
    is_playing: bool = False
    is_partial: bool = False
    """Whether the recording was cut off."""
    is_broken: bool = False
    """Whether this frame is no whole picture: the one before it is shown."""


@dataclass(frozen=True, slots=True)
class LiveMarks:
    """The chips on the picture, and the words that stand in its place when there is none."""

    leading: tuple[ChipText, ...] = ()
    """From the leading upper corner on: what is seen."""
    trailing: tuple[ChipText, ...] = ()
    """Up to the trailing upper corner: how good it is."""
    absent: str = ""
    """What happened, where there is no live image."""
    absent_help: str = ""
    """What to do, or what is safe."""
    can_choose: bool = False
    """Whether another camera may be chosen."""


@dataclass(frozen=True, slots=True)
class Thumb:
    """One picture of the filmstrip."""

    capture_id: str
    number: int
    badge: ChipText
    site: str
    """Site and side in words, or what is missing."""
    procedure: str = ""
    side: str = ""
    """The side in a letter, as it stands on the picture; empty where there is none."""
    selected: bool = False
    is_draft: bool = True
    turn: Turn = Turn.NONE
    """How its picture is drawn: as it will be sent."""
    clip: str = ""
    """Of a clip how long it is, 0:07; empty for a picture."""
    is_partial: bool = False
    """Whether the clip was cut off."""


@dataclass(frozen=True, slots=True)
class ThumbGroup:
    """Pictures of one procedure, site and side, as the contact sheet has them together."""

    words: str
    thumbs: tuple[Thumb, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen, as far as the body map can show it."""

    key: RegionKey
    side: Side | None
    side_is_open: bool
    """A side must still be chosen: both limbs are tinted."""
