"""What a mark means and what a message says: plain values that view-models give to pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """What a colour of text or of a mark means; the theme gives the colour."""

    TEXT = "text"
    TEXT_2 = "text_2"
    ACCENT = "accent"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class ChipText:
    """What a chip or badge says. An empty icon only where the words stand beside a mark."""

    words: str
    icon: str
    tone: Tone = Tone.TEXT_2
    whole: str = ""
    """The words as a reader says them, where those that are shown are cut."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a toast says. A stop stays until it is solved; others leave by themselves."""

    what: str
    todo: str = ""
    icon: str = "info"
    tone: Tone = Tone.TEXT_2
    act: str = ""
    act_icon: str = ""
    act_key: str = ""
    other_act: str = ""
    """What may be done instead of the act."""
    stop: bool = False
    is_loud: bool = False
    """In the colour of a stop, but it leaves by itself."""
