"""Worklist items for real servers: DCMTK's own examples, and names of pydicom's samples."""

import shutil
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian

_EXAMPLES = Path("/usr/share/doc/dcmtk/examples/wlistdb/OFFIS")
_SAMPLES = Path(pydicom.__file__).parent / "data" / "charset_files"
SAMPLE_NAMES = {
    "chrX1": "Wang^XiaoDong=王^小東",
    "chrX2": "Wang^XiaoDong=王^小东",
    "chrFren": "Buc^Jérôme",
    "chrGerm": "Äneas^Rüdiger",
    "chrGreek": "Διονυσιος",
    "chrRuss": "Люкceмбypг",
    "chrH31": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrI2": "Hong^Gildong=洪^吉洞=홍^길동",
}


def an_item(
    number: str,
    name: Any = "Doe^Jane",
    *,
    charset: str | Sequence[str] | None = "ISO_IR 192",
    day: date | None = None,
    modality: str = "XC",
    station: str = "CAPTURE",
    accession: str = "A1",
    **elements: Any,
) -> Dataset:
    """One scheduled step, complete as PS3.4 K.6 and EBIW have it."""
    ds = Dataset()
    if charset:
        ds.SpecificCharacterSet = list(charset) if not isinstance(charset, str) else charset
    ds.AccessionNumber = accession
    ds.InstitutionName = "St Anne"
    ds.ReferringPhysicianName = "Haddad^Rania^^Dr"
    ds.InstitutionalDepartmentName = "Surgery"
    ds.PatientName = name
    ds.PatientID = number
    ds.IssuerOfPatientID = "HOSP"
    ds.PatientBirthDate = "19560714"
    ds.PatientSex = "F"
    ds.StudyInstanceUID = f"1.2.826.0.1.3680043.8.498.{int.from_bytes(accession.encode(), 'big')}"
    ds.RequestedProcedureDescription = "Wound photography"
    ds.RequestedProcedureCodeSequence = Items([_code("WNDPHOTO", "99TEST", "Wound photography")])
    ds.AdmissionID = "V" + number[:10]
    issuer = Dataset()
    issuer.LocalNamespaceEntityID = "HOSP"
    ds.IssuerOfAdmissionIDSequence = Items([issuer])
    ds.CurrentPatientLocation = "4B^^12"
    step = Dataset()
    step.Modality = modality
    step.ScheduledStationAETitle = station
    step.ScheduledProcedureStepStartDate = f"{day:%Y%m%d}" if day else ""
    step.ScheduledProcedureStepStartTime = "081500"
    step.ScheduledPerformingPhysicianName = "Performer^Pat"
    step.ScheduledProcedureStepDescription = "Photograph of wound"
    step.ScheduledProtocolCodeSequence = Items([_code("P1", "99TEST", "Wound protocol")])
    step.ScheduledProcedureStepID = "S" + accession
    ds.ScheduledProcedureStepSequence = Items([step])
    ds.RequestedProcedureID = "R" + accession
    for keyword, value in elements.items():  # some are wrong on purpose
        vr = dictionary_VR(keyword)
        ds[keyword] = DataElement(keyword, vr, value, validation_mode=IGNORE)
    return ds


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return ds


def write_item(folder: Path, name: str, item: Dataset) -> None:
    """Puts an item where a worklist server finds it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.31")
    meta.MediaStorageSOPInstanceUID = item.StudyInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", item, file_meta=meta, preamble=b"\0" * 128)
    partial = folder / f"{name}.tmp"
    file.save_as(partial, enforce_file_format=True)
    partial.rename(folder / f"{name}.wl")


def write_samples(folder: Path, day: date) -> None:
    """Items whose names are those of pydicom's samples of each character set."""
    for stem in SAMPLE_NAMES:
        sample = pydicom.dcmread(_SAMPLES / f"{stem}.dcm")
        charset = sample.SpecificCharacterSet
        item = an_item(
            stem,
            sample.PatientName,
            charset=charset if isinstance(charset, str) else list(charset),
            accession=stem,
            day=day,
        )
        write_item(folder, stem, item)


def write_dcmtk_examples(folder: Path, day: date) -> None:
    """DCMTK's own example items, scheduled for that day."""
    dump2dcm = shutil.which("dump2dcm")
    assert dump2dcm, "DCMTK is part of the set-up for tests"
    for dump in sorted(_EXAMPLES.glob("*.dump")):
        made = folder / f"{dump.stem}.tmp"
        subprocess.run([dump2dcm, "-q", "-g", dump, made], check=True, timeout=60)
        ds = pydicom.dcmread(made)
        ds.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = f"{day:%Y%m%d}"
        ds.save_as(made)
        made.rename(made.with_suffix(".wl"))
