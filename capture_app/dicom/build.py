"""From what is known of an image or a clip to its DICOM instance."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGLSLossless

from capture_app.dicom.coding import coded
from capture_app.dicom.kinds import (
    SOP_CLASSES,
    ULTRASOUND_CLIP,
    KindMismatch,
    clip_class,
    object_kind,
)
from capture_app.dicom.modules.anatomy import anatomy
from capture_app.dicom.modules.equipment import contributing_equipment, general_equipment_module
from capture_app.dicom.modules.image import (
    acquisition_context_module,
    clip_pixel_module,
    dermoscopic_image_module,
    frame_of_reference_module,
    general_image_module,
    image_pixel_module,
    privacy,
    sop_common_module,
    source_image,
    view,
)
from capture_app.dicom.modules.multi_frame import multi_frame_module, secondary_capture_modules
from capture_app.dicom.modules.patient import patient_module, patient_study_module
from capture_app.dicom.modules.study import general_series_module, general_study_module
from capture_app.dicom.modules.ultrasound import us_image_module, us_region_calibration_module
from capture_app.dicom.part10 import file_meta
from capture_app.dicom.request import SealRequest
from capture_app.dicom.times import study_zone
from capture_app.errors import ConformanceError
from capture_app.model.coded_clip import CodedClip
from capture_app.model.encoded_image import PixelCoding
from capture_app.model.procedure import ImageKind, ProcedureEntry, Region


def build(request: SealRequest) -> Dataset:
    """The instance with its file meta information, ready for conformance.verify and part10.write.

    Raises ConformanceError where the description is not complete, the source cannot make what the
    procedure asks for, or a value breaks its VR. Neither message nor cause carries a value.
    """
    kind, entry, region = _act(request)
    ds = _common(request, kind, entry, region, SOP_CLASSES[kind])
    if kind is ImageKind.DERMOSCOPY:
        frame_of_reference_module(ds, request)
        dermoscopic_image_module(ds)
    if kind is not ImageKind.ULTRASOUND:
        acquisition_context_module(ds)
    source_image(ds, request.source)
    image = coded(request.image)
    image_pixel_module(ds, image)
    is_jpeg = image.coding is PixelCoding.JPEG_BASELINE
    transfer_syntax = JPEGBaseline8Bit if is_jpeg else JPEGLSLossless
    ds.file_meta = file_meta(ds, transfer_syntax, request.station.ae_title)
    return ds


def build_clip(request: SealRequest, clip: CodedClip) -> Dataset:
    """The instance of a clip of JPEG frames, but for the frames, ready for conformance.verify and
    part10.clip_pieces. The image of the request is the clip's first frame.

    Ultrasound Multi-frame Image, else Multi-frame True Color (or Grayscale Byte) Secondary Capture
    (PS3.3 A.7, A.8). Raises ConformanceError as `build`, and for frames that are no JPEG.
    """
    if clip.first.coding is not PixelCoding.JPEG_BASELINE:
        message = "a clip is made of baseline JPEG frames"
        raise ConformanceError(message)
    kind, entry, region = _act(request)
    sop_class = clip_class(kind, grey=clip.first.grey)
    ds = _common(request, kind, entry, region, sop_class)
    multi_frame_module(ds, clip.taken_us)
    if sop_class != ULTRASOUND_CLIP:
        secondary_capture_modules(ds, grey=clip.first.grey)
    clip_pixel_module(ds, clip)
    ds.file_meta = file_meta(ds, JPEGBaseline8Bit, request.station.ae_title)
    return ds


def _act(request: SealRequest) -> tuple[ImageKind, ProcedureEntry, Region]:
    entry, region = request.description.procedure, request.description.region
    if entry is None or region is None:
        message = "an image without procedure and region cannot be sealed"
        raise ConformanceError(message)
    kind = object_kind(request.device, entry)
    if isinstance(kind, KindMismatch):
        raise ConformanceError(kind.words)
    return kind, entry, region


def _common(
    request: SealRequest,
    kind: ImageKind,
    entry: ProcedureEntry,
    region: Region,
    sop_class_uid: str,
) -> Dataset:
    """The modules that every object has: who, which study, with what, of what."""
    zone = study_zone(request.study.started_at)
    taken_at, sealed_at = request.taken_at.astimezone(zone), request.sealed_at.astimezone(zone)
    started_on = request.study.started_at.astimezone(zone).date()
    exam = request.exam
    ds = Dataset()
    sop_common_module(ds, request, UID(sop_class_uid), sealed_at)
    patient_module(ds, exam.patient, request.institution.issuer_of_patient_id)
    patient_study_module(ds, exam, request.study, started_on)
    general_study_module(ds, request)
    general_series_module(ds, request, kind, entry)
    general_equipment_module(ds, request)
    contributing_equipment(ds, request, sealed_at)
    general_image_module(ds, request, taken_at)
    if kind is ImageKind.ULTRASOUND:
        us_image_module(ds, request.device.preset)
        us_region_calibration_module(ds, request)
    anatomy(ds, region, request.description.side)
    privacy(ds, entry, region)
    view(ds, entry)
    return ds
