"""With what: General Equipment and what else had a hand in it (PS3.3 C.7.5.1, C.12.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset

import capture_app
from capture_app.dicom.elements import code_item, item, put, put_codes, put_known
from capture_app.dicom.request import SealRequest
from capture_app.dicom.texts import descriptive
from capture_app.dicom.times import dt
from capture_app.model.coding import Code

APPLICATION: Final = "Capture App"
IMAGE_CAPTURE: Final = Code("CAPTURE", "DCM", "Image Capture")
"""DICOM CID 30."""


def general_equipment_module(ds: Dataset, request: SealRequest) -> None:
    """The device that made the light into a picture, and where it stands."""
    device, institution = request.device, request.institution
    put(ds, "Manufacturer", device.manufacturer)
    put_known(ds, "ManufacturerModelName", device.model_name)
    put_known(ds, "DeviceSerialNumber", device.serial_number)
    put_known(ds, "SoftwareVersions", device.software_versions)
    put_known(ds, "InstitutionName", institution.name)
    put_known(ds, "InstitutionalDepartmentName", descriptive(_department(request)))
    put_codes(ds, "InstitutionalDepartmentTypeCodeSequence", [_department_type(request)])
    put_known(ds, "StationName", _station_name(request))


def contributing_equipment(ds: Dataset, request: SealRequest, sealed_at: datetime) -> None:
    """The grabber, where there is one, and this application, which wrapped what came."""
    own = item(
        [
            ("PurposeOfReferenceCodeSequence", [code_item(IMAGE_CAPTURE)]),
            ("Manufacturer", APPLICATION),
            ("ManufacturerModelName", APPLICATION),
            ("SoftwareVersions", capture_app.__version__),
            ("InstitutionName", request.institution.name),
            ("StationName", _station_name(request)),
            ("ContributionDateTime", dt(sealed_at)),
        ]
    )
    put(ds, "ContributingEquipmentSequence", [*_grabber(request), own])


def _grabber(request: SealRequest) -> Iterator[Dataset]:
    """CID 7005 has no word for it: it captures images, as this application does."""
    grabber = request.device.grabber
    if grabber is not None:
        yield item(
            [
                ("PurposeOfReferenceCodeSequence", [code_item(IMAGE_CAPTURE)]),
                ("Manufacturer", grabber.manufacturer),
                ("ManufacturerModelName", grabber.model_name),
                ("DeviceSerialNumber", grabber.serial_number),
                ("SoftwareVersions", grabber.software_versions),
                ("ContributionDescription", "Frame grabber"),
            ]
        )


def _department(request: SealRequest) -> str:
    """Where the equipment was (PS3.3 C.7.5.1): ward and room of the patient where it goes to
    patients, else where it belongs.
    """
    return _away(request) or _home(request)


def _department_type(request: SealRequest) -> Code | None:
    """Of the department that is named, and of no other: of the settings, of the places of the
    station, or as the catalogue knows its departments.
    """
    place, institution, entry = request.place, request.institution, request.description.procedure
    named = place.ward if place is not None and _away(request) else _home(request)
    known = [one.department_code for one in request.station.places if one.ward == named]
    if named == institution.department or not (institution.department or _away(request)):
        known.insert(0, institution.department_code)
    if entry is not None and entry.department == named:
        known.append(entry.department_code)
    return next(filter(None, known), None)


def _home(request: SealRequest) -> str:
    return request.exam.department or request.station.department or request.institution.department


def _away(request: SealRequest) -> str:
    """Ward and room, where they are told and are not where the equipment belongs."""
    place = request.place
    if place is None or not place.ward or place.ward == _home(request):
        return ""
    return ", ".join(part for part in (place.ward, place.room) if part)


def _station_name(request: SealRequest) -> str:
    return request.exam.station_name or request.station.name
