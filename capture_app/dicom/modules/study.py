"""Which study and series: General Study and General Series (PS3.3 C.7.2.1, C.7.3.1)."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from pydicom.dataset import Dataset

from capture_app.dicom.descriptions import series_description
from capture_app.dicom.elements import (
    authority_item,
    code_item,
    item,
    put,
    put_codes,
    put_fitting,
    put_known,
)
from capture_app.dicom.local_codes import entry_code, operator_code
from capture_app.dicom.request import SealRequest
from capture_app.dicom.texts import descriptive, person_name_that_fits
from capture_app.dicom.times import da, study_zone, tm
from capture_app.model.coding import Code
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.procedure import Choice, ImageKind, ProcedureEntry

HAS_INTENT = Code("363703001", "SCT", "Has intent")


def general_study_module(ds: Dataset, request: SealRequest) -> None:
    """The values that all images of the study share, as they were fixed at its first seal."""
    exam, study = request.exam, request.study
    started = study.started_at.astimezone(study_zone(study.started_at))
    order = exam.order
    put(ds, "StudyInstanceUID", request.study_instance_uid)
    put(ds, "StudyDate", da(started))
    put(ds, "StudyTime", tm(started))
    put(ds, "StudyID", study.study_id)
    put(ds, "AccessionNumber", "")
    if order is not None and order.accession_number:
        put_fitting(ds, "AccessionNumber", order.accession_number)
        issuer = authority_item(
            order.accession_issuer,
            order.accession_universal_id,
            order.accession_universal_id_type,
        )
        if len(issuer):
            put(ds, "IssuerOfAccessionNumberSequence", [issuer])
    put(ds, "ReferringPhysicianName", person_name_that_fits(study.referring_physician))
    put_known(ds, "StudyDescription", descriptive(study.description))
    put_codes(ds, "ProcedureCodeSequence", [study.procedure_code])
    put_codes(ds, "ReasonForPerformedProcedureCodeSequence", [study.reason])


def general_series_module(
    ds: Dataset, request: SealRequest, kind: ImageKind, entry: ProcedureEntry
) -> None:
    """One series holds one SOP class, device, region, side, purpose and catalogue entry."""
    exam, study, order = request.exam, request.study, request.exam.order
    put(ds, "Modality", kind.value)
    put(ds, "SeriesInstanceUID", request.series_instance_uid)
    put(ds, "SeriesNumber", request.series_number)
    began = exam.started_at.astimezone(study_zone(study.started_at))
    put(ds, "SeriesDate", da(began))  # of the exam, and no series has images of two
    put(ds, "SeriesTime", tm(began))
    put(ds, "SeriesDescription", series_description(request.description))
    put_codes(ds, "SeriesDescriptionCodeSequence", [entry_code(entry)])
    _operator(ds, request)
    protocol = [_protocol(entry, request.description.purpose)]
    if entry.code.key != study.procedure_code.key:  # an order named the study's procedure
        protocol.append(code_item(entry.code))
    put(ds, "PerformedProtocolCodeSequence", protocol)
    if order is not None:
        put(ds, "PerformedProcedureStepStartDate", da(began))
        put(ds, "PerformedProcedureStepStartTime", tm(began))
        put(ds, "PerformedProcedureStepID", _performed_step_id(exam))
        put(ds, "RequestAttributesSequence", [_request_attributes(order)])
    if (
        not exam.operator.is_service
        and exam.operator.user_id
        and (code := operator_code(exam.operator)) is not None
    ):
        known: list[tuple[str, Any]] = [("PersonIdentificationCodeSequence", [code_item(code)])]
        known.append(("InstitutionName", request.institution.name))
        if request.institution.name:  # Type 1C where no institution is coded
            put(ds, "OperatorIdentificationSequence", [item(known)])


def _performed_step_id(exam: Exam) -> str:
    """A step is one exam. Its ID is our own, 16 characters: what was asked for has another one."""
    return f"P{uuid5(NAMESPACE_OID, exam.exam_id).hex[:15].upper()}"


def _operator(ds: Dataset, request: SealRequest) -> None:
    """The name of the person who took it. What the window calls a user is no name of a person:
    "Ward 4B" has no family.
    """
    operator = request.exam.operator
    if not operator.is_service:
        put_known(ds, "OperatorsName", person_name_that_fits(operator.name))


def _protocol(entry: ProcedureEntry, purpose: Choice | None) -> Dataset:
    """The entry of the catalogue, and with what intent it was carried out."""
    protocol = code_item(entry_code(entry))
    if purpose is not None and purpose.code is not None:
        context = Dataset()
        put(context, "ValueType", "CODE")
        put_codes(context, "ConceptNameCodeSequence", [HAS_INTENT])
        put_codes(context, "ConceptCodeSequence", [purpose.code])
        put(protocol, "ProtocolContextSequence", [context])
    return protocol


def _request_attributes(order: Order) -> Dataset:
    """What was asked for (PS3.3 Table 10-9, PS3.17 Annex J)."""
    requested = order.requested_procedure_code
    ds = Dataset()
    put_fitting(ds, "AccessionNumber", order.accession_number)
    put(ds, "StudyInstanceUID", order.study_instance_uid)
    put_fitting(ds, "RequestedProcedureID", order.requested_procedure_id)
    put_known(
        ds, "RequestedProcedureDescription", descriptive(order.requested_procedure_description)
    )
    put_codes(ds, "RequestedProcedureCodeSequence", [requested])
    put_fitting(ds, "ScheduledProcedureStepID", order.scheduled_procedure_step_id)
    put_known(
        ds,
        "ScheduledProcedureStepDescription",
        descriptive(order.scheduled_procedure_step_description),
    )
    put_codes(ds, "ScheduledProtocolCodeSequence", order.scheduled_protocol_codes)
    return ds
