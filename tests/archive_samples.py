"""Instances to send, made without our own builder: archives are tested apart from it."""

import dataclasses
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, VLPhotographicImageStorage

from capture_app.archive.dimse import dataset_of
from capture_app.clock import SystemClock
from capture_app.dicom.part10 import describe_instance
from capture_app.model.delivery import Fragment, Instance

new_uid = SystemClock().new_uid


@dataclass(frozen=True, slots=True)
class Sample:
    """A sealed image as the outbox would hand it over."""

    instance: Instance
    part10: bytes

    @property
    def uid(self) -> str:
        return self.instance.sop_instance_uid

    @property
    def dataset(self) -> bytes:
        """The encoded dataset: what has to arrive, byte for byte."""
        return bytes(dataset_of(self.part10))

    def seen_as(self, **changes: str) -> Instance:
        """What the outbox would say of it, had it these other values."""
        return dataclasses.replace(self.instance, **changes)  # type: ignore[arg-type]


def photo(
    *,
    jpeg: bool = True,
    patient_id: str = "900001",
    issuer: str = "HOSPITAL",
    study_uid: str = "",
    series_uid: str = "",
    sop_instance_uid: str = "",
    seed: int = 0,
    size: tuple[int, int] = (48, 64),
) -> Sample:
    """A VL Photographic Image of noise; `size` is (rows, columns)."""
    rows, columns = size
    pixels = np.random.default_rng(seed).integers(0, 255, (rows, columns, 3), dtype=np.uint8)
    syntax = JPEGBaseline8Bit if jpeg else ExplicitVRLittleEndian
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = VLPhotographicImageStorage
    ds.SOPInstanceUID = sop_instance_uid or new_uid()
    ds.StudyInstanceUID = study_uid or new_uid()
    ds.SeriesInstanceUID = series_uid or new_uid()
    ds.PatientName = "Probe^Petra=山田^花子"
    ds.PatientID = patient_id
    ds.IssuerOfPatientID = issuer
    ds.PatientBirthDate, ds.PatientSex = "19700102", "F"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20240702", "093000", "1", ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "XC", 1, 1
    ds.Rows, ds.Columns = rows, columns
    ds.SamplesPerPixel, ds.PlanarConfiguration = 3, 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.PhotometricInterpretation = "YBR_FULL_422" if jpeg else "RGB"
    stream = BytesIO()
    if jpeg:
        Image.fromarray(pixels).save(stream, "JPEG", quality=80)
        ds.PixelData = encapsulate([stream.getvalue()])
    else:
        ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OB"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    part10, coded = file.getvalue(), stream.getvalue()
    fragments = (Fragment(1, part10.index(coded), len(coded)),) if jpeg else ()
    return Sample(describe_instance(ds, len(part10), fragments), part10)
