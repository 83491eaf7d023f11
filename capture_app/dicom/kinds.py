"""Which SOP class an image becomes: what the source is, and what the procedure asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from capture_app.model.device import DeviceInfo
from capture_app.model.procedure import ImageKind, ProcedureEntry
from capture_app.model.words import tr

SOP_CLASSES: Final[Mapping[ImageKind, str]] = MappingProxyType(
    {
        ImageKind.PHOTO: "1.2.840.10008.5.1.4.1.1.77.1.4",  # VL Photographic Image Storage
        ImageKind.DERMOSCOPY: "1.2.840.10008.5.1.4.1.1.77.1.7",  # Dermoscopic Photography
        ImageKind.ENDOSCOPY: "1.2.840.10008.5.1.4.1.1.77.1.1",  # VL Endoscopic
        ImageKind.MICROSCOPY: "1.2.840.10008.5.1.4.1.1.77.1.2",  # VL Microscopic
        ImageKind.ULTRASOUND: "1.2.840.10008.5.1.4.1.1.6.1",  # Ultrasound
    }
)
"""The value of an ImageKind is its Modality (0008,0060)."""

ULTRASOUND_CLIP: Final = "1.2.840.10008.5.1.4.1.1.3.1"
"""Ultrasound Multi-frame Image Storage."""
COLOR_CLIP: Final = "1.2.840.10008.5.1.4.1.1.7.4"
"""Multi-frame True Color Secondary Capture Image Storage."""
GREY_CLIP: Final = "1.2.840.10008.5.1.4.1.1.7.2"
"""Multi-frame Grayscale Byte Secondary Capture Image Storage."""

_VISIBLE_LIGHT: Final = frozenset(ImageKind) - {ImageKind.ULTRASOUND}


def clip_class(kind: ImageKind, *, grey: bool) -> str:
    """The SOP class of a clip of JPEG frames. DICOM has none of its own for photographs: of visible
    light they are Secondary Capture, with the modality of their kind.
    """
    if kind is ImageKind.ULTRASOUND:
        return ULTRASOUND_CLIP
    return GREY_CLIP if grey else COLOR_CLIP


@dataclass(frozen=True, slots=True)
class KindMismatch:
    """The source cannot make what the procedure asks for."""

    needed: ImageKind
    found: ImageKind

    @property
    def words(self) -> str:
        """A sentence for the person who chose."""
        match self.needed:
            case ImageKind.ULTRASOUND:
                return tr("This procedure needs an ultrasound source.")
            case ImageKind.ENDOSCOPY:
                return tr("This procedure needs an endoscope source.")
            case ImageKind.MICROSCOPY:
                return tr("This procedure needs a microscope source.")
            case ImageKind.PHOTO | ImageKind.DERMOSCOPY:
                return tr("This procedure needs a camera source.")


def object_kind(device: DeviceInfo, entry: ProcedureEntry) -> ImageKind | KindMismatch:
    """The kind of object that this source makes for this procedure.

    A procedure names the kind it is about and the kinds that do as well; a photograph may come from
    any visible-light source. The object then is what the source is. A dermoscopic object needs the
    whole identity of its device (Type 1): where the profile lacks any of it, and where a procedure
    is not about dermoscopy, it is a photograph. No serial number is ever made up.
    """
    source = device.image_kind
    takes = {entry.image_kind, *entry.other_kinds}
    if entry.image_kind is ImageKind.PHOTO:
        takes |= _VISIBLE_LIGHT
    if source not in takes:
        return KindMismatch(entry.image_kind, source)
    if source is ImageKind.DERMOSCOPY:
        is_about = ImageKind.DERMOSCOPY in {entry.image_kind, *entry.other_kinds}
        return ImageKind.DERMOSCOPY if is_about and is_identified(device) else ImageKind.PHOTO
    return source


def is_identified(device: DeviceInfo) -> bool:
    """Whether the profile has all that Enhanced General Equipment asks (PS3.3 C.7.5.2)."""
    return all(
        (device.manufacturer, device.model_name, device.serial_number, device.software_versions)
    )
