"""What was imaged, where on the body, why and for how long: coded, never typed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capture_app.model.coding import Code


class Side(StrEnum):
    """The side that a person chose."""

    RIGHT = "R"
    LEFT = "L"
    MIDLINE = "M"
    BOTH = "B"
    """Both sides are in the frame."""


class Turn(StrEnum):
    """By how much a person turned a picture: degrees, clockwise."""

    NONE = "0"
    RIGHT = "90"
    HALF = "180"
    LEFT = "270"

    def then(self, other: Turn) -> Turn:
        """This turn, and another one after it."""
        return Turn(f"{(int(self) + int(other)) % 360}")


class SideRule(StrEnum):
    """What a region asks of the side."""

    PAIRED = "paired"
    SIDE_OR_MIDLINE = "side-or-midline"
    UNPAIRED = "unpaired"
    NONE = "none"
    """Its name is its side, or it lies in the middle: like UNPAIRED it takes none."""
    LEFT_ONLY = "L only"
    RIGHT_ONLY = "R only"


class ImageKind(StrEnum):
    """The kind of object that a procedure makes; dicom maps it to SOP class and modality."""

    PHOTO = "XC"
    DERMOSCOPY = "DMS"
    ENDOSCOPY = "ES"
    MICROSCOPY = "GM"
    ULTRASOUND = "US"


@dataclass(frozen=True, slots=True)
class Region:
    """An anatomic region (DICOM CID 4029, 4031, 4040 and additions)."""

    code: Code
    cids: tuple[str, ...]
    side_rule: SideRule
    label: str
    """Plain English for people; translated at the rim."""
    body_part_examined: str = ""
    """Body Part Examined (0018,0015) of PS3.16 Annex L, where it has a term for this region."""
    recognizable: bool = False
    """True where a picture of the region shows who it is: a face (0028,0302)."""
    intimate: bool = False
    """True where a picture of the region is a nude picture (CID 900, 131391)."""


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    """An entry of the catalogue: a coded imaging act."""

    entry_id: str
    """Local identifier, at most 16 characters; stable across catalogue versions."""
    display_name: str
    code: Code
    department: str
    department_code: Code | None
    image_kind: ImageKind
    region_choices: tuple[tuple[str, str], ...]
    """Keys (scheme, value) of the regions at which this act is done, best first. Empty only in
    descriptions of earlier versions, which did not write down the regions of a list: any.
    """
    reason: Code | None
    """The clinical reason that is true of every image of this act, where there is one."""
    sensitive: bool = False
    selectable: bool = True
    """False for acts that need what is not built yet (a specimen container, for instance)."""
    other_kinds: tuple[ImageKind, ...] = ()
    """Kinds of source that will do as well: a colposcope may have an outside camera."""
    sensitive_content: Code | None = None
    """Sensitive Content Code Sequence (0008,001D) of every image of this act (CID 900)."""
    one_sided: bool = False
    """True where the act is done on one side or on both, never in the midline."""
    recognizable: bool = False
    """True where the whole person is in the frame, whatever the region is called (0028,0302)."""
    view: Code | None = None
    """From where every image of this act is taken (PS3.16 CID 4062); None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a small coded set: a purpose, a keeping rule, a consent."""

    choice_id: str
    label: str
    code: Code | None
    days: int | None = None
    """For keeping rules: how many days the local copy stays after it is confirmed."""
    asks_keep: bool = False
    """For purposes: nothing is kept by default, so that a person must say what becomes of it."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one image shows and is for. Parts may be missing until the gate."""

    procedure: ProcedureEntry | None = None
    region: Region | None = None
    side: Side | None = None
    purpose: Choice | None = None
    keep: Choice | None = None
    consent: Choice | None = None
    turn: Turn = Turn.NONE
    """How it is sent and shown. The kept picture stays as it came."""
