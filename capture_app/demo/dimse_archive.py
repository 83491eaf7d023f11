"""The simulated archive's DIMSE side: C-ECHO, C-STORE, C-FIND and storage commitment.

Storage commitment (PS3.4 Annex J) answers on an association of its own, to the address that is on
file for the caller's AE title, as Orthanc and most archives do.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import structlog
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pynetdicom import AE, evt
from pynetdicom.presentation import AllStoragePresentationContexts
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made by pynetdicom at import
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

from capture_app.demo.scp import Scp
from capture_app.demo.shelf import DuplicateDiffersError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pynetdicom.events import Event

    from capture_app.demo.shelf import Shelf, ShelvedInstance

log = structlog.get_logger()

STORAGE_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
STORABLE_TRANSFER_SYNTAXES = [
    "1.2.840.10008.1.2.4.50",  # JPEG Baseline
    "1.2.840.10008.1.2.4.80",  # JPEG-LS Lossless
    "1.2.840.10008.1.2.1",  # Explicit VR Little Endian
    "1.2.840.10008.1.2",  # Implicit VR Little Endian
]
_QUERY_LEVELS = {
    "STUDY": ("study_instance_uid",),
    "SERIES": ("study_instance_uid", "series_instance_uid"),
    "IMAGE": ("study_instance_uid", "series_instance_uid", "sop_instance_uid"),
}


class PracticeArchive:
    """An SCP on 127.0.0.1 over a shelf. `commitment_peers` maps AE titles to (host, port)."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        ae_title: str = "PRACTICE",
        port: int = 0,
        commitment_peers: Mapping[str, tuple[str, int]] | None = None,
    ) -> None:
        self._shelf = shelf
        self._ae_title = ae_title
        self._peers = dict(commitment_peers or {})
        self._requests: SimpleQueue[tuple[str, Dataset] | None] = SimpleQueue()
        ae = AE(ae_title=ae_title)
        ae.maximum_pdu_size = 131_072
        ae.add_supported_context(Verification)
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        ae.add_supported_context(StorageCommitmentPushModel)
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(str(context.abstract_syntax), STORABLE_TRANSFER_SYNTAXES)
        self._scp = Scp(
            ae,
            port,
            [
                (evt.EVT_C_ECHO, lambda _event: 0x0000),
                (evt.EVT_C_STORE, self._on_store),
                (evt.EVT_C_FIND, self._on_find),
                (evt.EVT_N_ACTION, self._on_commitment_request),
            ],
        )
        self.port = self._scp.port
        self._reporter = threading.Thread(target=self._report, name="practice-commitment")
        self._reporter.start()

    def stop(self) -> None:
        """Ends the SCP and its threads."""
        self._scp.stop()
        self._requests.put(None)
        self._reporter.join()

    # -- C-STORE

    def _on_store(self, event: Event) -> int:
        try:
            self._shelf.add(event.encoded_dataset())
        except DuplicateDiffersError:
            return 0x0111
        except (InvalidDicomError, AttributeError):
            return 0xC000
        except OSError:
            return 0xA700
        return 0x0000

    # -- C-FIND, Study Root (PS3.4 C.6.2)

    def _on_find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        identifier = event.identifier
        keys = _QUERY_LEVELS.get(str(identifier.get("QueryRetrieveLevel", "")))
        if keys is None:
            yield 0xA900, None
            return
        wanted = {
            "study_instance_uid": str(identifier.get("StudyInstanceUID", "")),
            "series_instance_uid": str(identifier.get("SeriesInstanceUID", "")),
            "sop_instance_uid": str(identifier.get("SOPInstanceUID", "")),
            "patient_id": str(identifier.get("PatientID", "")),
        }
        seen: set[tuple[str, ...]] = set()
        for instance in self._shelf.matching(**wanted):
            key = tuple(getattr(instance, name) for name in keys)
            if key not in seen:
                seen.add(key)
                yield 0xFF00, _answer(identifier, instance)

    # -- storage commitment

    def _on_commitment_request(self, event: Event) -> tuple[int, None]:
        caller = str(event.assoc.requestor.ae_title).strip()
        if caller not in self._peers:
            return 0x0110, None  # nowhere to send the report to
        self._requests.put((caller, event.action_information))
        return 0x0000, None

    def _report(self) -> None:
        while (request := self._requests.get()) is not None:
            caller, asked = request
            report, event_type = self._commitment_report(asked)
            host, port = self._peers[caller]
            ae = AE(ae_title=self._ae_title)
            ae.connection_timeout = ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 5
            ae.add_requested_context(StorageCommitmentPushModel)
            assoc: Any = ae.associate(host, port, ae_title=caller, ext_neg=[_commitment_scp_role()])
            if not assoc.is_established:
                log.info("practice commitment report not delivered")
                continue
            assoc.send_n_event_report(
                report, event_type, StorageCommitmentPushModel, STORAGE_COMMITMENT_INSTANCE
            )
            assoc.release()

    def _commitment_report(self, asked: Dataset) -> tuple[Dataset, int]:
        report = Dataset()
        report.TransactionUID = asked.TransactionUID
        held, missing = [], []
        for item in asked.ReferencedSOPSequence:
            copy = Dataset()
            copy.ReferencedSOPClassUID = item.ReferencedSOPClassUID
            copy.ReferencedSOPInstanceUID = item.ReferencedSOPInstanceUID
            if self._shelf.get(str(item.ReferencedSOPInstanceUID)):
                held.append(copy)
            else:
                copy.FailureReason = 0x0112
                missing.append(copy)
        if held:
            report.ReferencedSOPSequence = held
        if missing:
            report.FailedSOPSequence = missing
        return report, 2 if missing else 1


def _commitment_scp_role() -> Any:
    from pynetdicom import build_role  # noqa: PLC0415 - only when a report is sent

    return build_role(StorageCommitmentPushModel, scp_role=True)


def _answer(identifier: Dataset, instance: ShelvedInstance) -> Dataset:
    """What was asked, filled from the stored header; what is not there stays empty."""
    header = instance.header()
    answer = Dataset()
    answer.SpecificCharacterSet = "ISO_IR 192"
    answer.QueryRetrieveLevel = identifier.QueryRetrieveLevel
    for element in identifier:
        if element.keyword in {"QueryRetrieveLevel", "SpecificCharacterSet"}:
            continue
        found = header.get(element.tag)
        if found is not None:
            answer.add(found)
        else:
            answer.add_new(element.tag, element.VR, None)
    answer.RetrieveAETitle = "PRACTICE"
    return answer
