"""The settings of memory cards and watched folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from capture_app.model.procedure import ImageKind
from capture_app.settings.kinds import LongText, Name
from capture_app.settings.rules import FullPath, Help, Text


@dataclass(frozen=True, slots=True)
class CardFolder:
    """Where the pictures of a camera come to that no cable ties to this computer."""

    id: Annotated[Name, Help("Its short name in logs and in the trail.")]
    name: Annotated[str, Text(64, may_be_empty=False), Help("What the window calls it.")]
    folder: Annotated[
        str,
        FullPath(),
        Help(
            "The folder that is watched, or the one where the card appears when it is put in (its "
            "mount point, its drive); all below it counts. It may be absent at times."
        ),
    ]
    image_kind: Annotated[
        ImageKind,
        Help("What its pictures become: XC photograph, DMS dermoscopy, ES endoscopy, ..."),
    ] = ImageKind.PHOTO
    manufacturer: Annotated[LongText, Help("Manufacturer (0008,0070) of the camera.")] = ""
    model_name: Annotated[LongText, Help("Manufacturer's Model Name (0008,1090).")] = ""
    serial_number: Annotated[LongText, Help("Device Serial Number (0018,1000).")] = ""
