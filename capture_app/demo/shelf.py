"""What the simulated archive holds: Part 10 files in a folder, and an index of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import dcmread

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom import Dataset


@dataclass(frozen=True, slots=True)
class ShelvedInstance:
    """One stored instance, as the archive indexed it."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    path: Path

    def read(self) -> bytes:
        """The Part 10 file, as it was received."""
        return self.path.read_bytes()

    def header(self) -> Dataset:
        """Every element but the pixels."""
        return dcmread(self.path, stop_before_pixels=True)


class DuplicateDiffersError(Exception):
    """The same SOP Instance UID came again with other bytes: the first stays."""


class Shelf:
    """A folder of instances that several associations and requests may fill at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._instances: dict[str, ShelvedInstance] = {}
        for path in sorted(folder.glob("*.dcm")):
            instance = self._indexed(path, path.read_bytes())
            self._instances[instance.sop_instance_uid] = instance

    def add(self, part10: bytes) -> ShelvedInstance:
        """Keeps a Part 10 file.

        Raises:
            DuplicateDiffersError: the UID is held already, with other bytes.
            pydicom.errors.InvalidDicomError: the bytes are no Part 10 file.
            AttributeError: an identifying element is missing.
        """
        with self._lock:
            name = f"{len(self._instances) + 1:06}.dcm"
            instance = self._indexed(self._folder / name, part10)
            held = self._instances.get(instance.sop_instance_uid)
            if held is not None:
                if held.read() != part10:
                    raise DuplicateDiffersError
                return held
            instance.path.write_bytes(part10)
            self._instances[instance.sop_instance_uid] = instance
            return instance

    def get(self, sop_instance_uid: str) -> ShelvedInstance | None:
        """The instance of that UID, if it is held."""
        with self._lock:
            return self._instances.get(sop_instance_uid)

    def all(self) -> tuple[ShelvedInstance, ...]:
        """Everything held, oldest first."""
        with self._lock:
            return tuple(self._instances.values())

    def matching(self, **wanted: str) -> Iterable[ShelvedInstance]:
        """The instances whose index has all the wanted values; an empty value matches any."""
        for instance in self.all():
            if all(not value or getattr(instance, key) == value for key, value in wanted.items()):
                yield instance

    @staticmethod
    def _indexed(path: Path, part10: bytes) -> ShelvedInstance:
        ds = dcmread(BytesIO(part10), stop_before_pixels=True)
        return ShelvedInstance(
            sop_class_uid=str(ds.SOPClassUID),
            sop_instance_uid=str(ds.SOPInstanceUID),
            study_instance_uid=str(ds.StudyInstanceUID),
            series_instance_uid=str(ds.SeriesInstanceUID),
            patient_id=str(ds.PatientID),
            issuer_of_patient_id=str(ds.get("IssuerOfPatientID", "")),
            path=path,
        )
