"""Which act may be offered at which site: what a camera, a scope or a probe can see, and what the
code of an act is about. Read for every pair; the lists of the catalogue must agree with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from capture_app.model.procedure import ImageKind, ProcedureEntry, Region, SideRule


class SiteKind(StrEnum):
    """What sort of thing a site is."""

    SKIN = "skin"
    NAIL = "nail"
    HAIR = "hair"
    LINING = "lining"
    """Of the mouth and of the outer genitals: seen without an instrument."""
    EYE = "eye"
    """What of an eye is seen from outside."""
    TOOTH = "tooth"
    PART = "part"
    """A part of the body as a whole, with its surface: a hand, the neck."""
    WHOLE = "whole"
    """Several parts together, up to the entire body."""
    JOINT = "joint"
    BONE = "bone"
    SPINE = "spine"
    MUSCLE = "muscle"
    """Tendons too."""
    VESSEL = "vessel"
    ORGAN = "organ"
    """Inside the body, cavities and passages too."""
    NOTHING = "nothing"
    """No part of a body: a phantom."""


_OUTSIDE: Final = frozenset(
    {
        *(SiteKind.SKIN, SiteKind.NAIL, SiteKind.HAIR, SiteKind.LINING, SiteKind.EYE),
        *(SiteKind.TOOTH, SiteKind.PART, SiteKind.WHOLE, SiteKind.JOINT),
    }
)
_BODY: Final = frozenset(SiteKind) - {SiteKind.NOTHING}
_SEEN_BY: Final[Mapping[ImageKind, frozenset[SiteKind]]] = MappingProxyType(
    {
        ImageKind.PHOTO: _OUTSIDE,
        ImageKind.DERMOSCOPY: frozenset(
            {SiteKind.SKIN, SiteKind.NAIL, SiteKind.HAIR, SiteKind.LINING}
        ),
        ImageKind.ENDOSCOPY: frozenset(
            {
                *(SiteKind.ORGAN, SiteKind.JOINT, SiteKind.VESSEL),
                *(SiteKind.LINING, SiteKind.PART, SiteKind.SPINE),
            }
        ),
        ImageKind.MICROSCOPY: _BODY,
        ImageKind.ULTRASOUND: _BODY - {SiteKind.HAIR, SiteKind.TOOTH},
    }
)
"""What each kind of picture can show of a living person."""

_OPENS_THE_BODY: Final = frozenset({("DCM", "112700")})
"""Acts at which a camera sees what is inside: Peri-operative Photographic Imaging."""

_LIMB: Final = frozenset(
    {SiteKind.JOINT, SiteKind.BONE, SiteKind.MUSCLE, SiteKind.PART, SiteKind.VESSEL}
)
_OF_CODE: Final[Mapping[tuple[str, str], frozenset[SiteKind]]] = MappingProxyType(
    {
        ("LN", "39453-6"): frozenset({SiteKind.JOINT, SiteKind.MUSCLE, SiteKind.PART}),
        ("LN", "80854-3"): _LIMB - {SiteKind.VESSEL},
        ("LN", "80855-0"): _LIMB - {SiteKind.VESSEL},
        ("LN", "72530-9"): frozenset({SiteKind.JOINT, SiteKind.PART}),
        ("LN", "37917-2"): frozenset({SiteKind.MUSCLE, SiteKind.PART, SiteKind.JOINT}),
        ("LN", "30643-1"): frozenset({SiteKind.VESSEL, SiteKind.PART, SiteKind.SKIN}),
        ("LN", "39139-1"): frozenset({SiteKind.VESSEL, SiteKind.PART, SiteKind.JOINT}),
        ("LN", "81165-3"): frozenset({SiteKind.VESSEL, SiteKind.PART}),
        ("LN", "46375-2"): frozenset({SiteKind.VESSEL}),
        ("SCT", "13714004"): frozenset({SiteKind.JOINT, SiteKind.PART}),
    }
)
"""What the public code of an act is about, where it says so: a tendon, a joint, a vein."""

_HAS_NO_SIDE: Final = frozenset({SideRule.UNPAIRED, SideRule.NONE})


def nonsense(entry: ProcedureEntry, region: Region, kind: SiteKind) -> str:
    """Why an act has no sense at a site; empty where it has."""
    name = f"{':'.join(region.code.key)} ({region.label})"
    if entry.one_sided and region.side_rule in _HAS_NO_SIDE:
        return f"It is done on a side, and {name} has none."
    seen = frozenset().union(*(_SEEN_BY[k] for k in (entry.image_kind, *entry.other_kinds)))
    if entry.code.key in _OPENS_THE_BODY:
        seen = _BODY
    if kind not in seen:
        return f"{name}, a site of the kind {kind}, cannot be seen by it."
    about = _OF_CODE.get(entry.code.key)
    if about is not None and kind not in about:
        return f"{name}, a site of the kind {kind}, is not what {entry.code.meaning!r} is about."
    return ""
