"""The texts that archives list: derived from coded choices, never typed, always in English."""

from __future__ import annotations

from typing import Final

from capture_app.dicom.texts import LO_LENGTH
from capture_app.model.procedure import Description, ProcedureEntry, Side

_SIDE_WORDS: Final = {
    Side.RIGHT: "right",
    Side.LEFT: "left",
    Side.MIDLINE: "midline",
    Side.BOTH: "both sides",
}
_SHORTEST_NAME: Final = 8


def series_description(description: Description) -> str:
    """What, where and which side, in at most 64 characters. Where it is too long the name of the
    procedure is cut: it is also there in codes; site and side always stand whole.
    """
    site = [description.region.label] if description.region is not None else []
    if description.side is not None:
        site.append(_SIDE_WORDS[description.side])
    name = description.procedure.display_name if description.procedure is not None else ""
    room = LO_LENGTH - sum(len(part) + 2 for part in site)
    if len(name) > room:
        name = f"{name[: room - 3].rstrip(' ,(')}..." if room >= _SHORTEST_NAME else ""
    return ", ".join(part for part in (name, *site) if part)[:LO_LENGTH]


def study_description(entry: ProcedureEntry, department: str = "") -> str:
    """The coded act and the department: true of every image to come.

    The entry's own display name belongs to the series: another entry of the same coded act may join
    the study later.
    """
    parts = [entry.code.meaning, department or entry.department]
    return ", ".join(part for part in parts if part)[:LO_LENGTH].rstrip(" ,")
