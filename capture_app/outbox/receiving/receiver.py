"""The port for scanners: what they store is read in a child, kept durably, and only then answered.

Nothing is filed here. Whose an image is, is settled where a patient is open (`filing`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from capture_app.dicom import part10
from capture_app.dicom.values import fits
from capture_app.errors import ChildEndedError, DiskFullError, SandboxError, StoreError
from capture_app.model.audit_event import AuditAction
from capture_app.model.received import ReceivedObject, StatedPatient
from capture_app.net.callers import AllowedCallers, caller_place
from capture_app.net.dicom.storage_scp import (
    CANNOT_UNDERSTAND,
    DOES_NOT_MATCH,
    INVALID_INSTANCE,
    OUT_OF_RESOURCES,
    STORED,
    StorageScp,
    StoreRequest,
)
from capture_app.net.tls import Tls, server_tls
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving.keeping import Kept, keep_received
from capture_app.outbox.receiving.reading import Read, ReceivedReader
from capture_app.sandbox.task import ChildEnd
from capture_app.settings.receiving import Receiver, SendingScanner

_log = structlog.get_logger(__name__)

SOP_CLASSES: Final = (
    "1.2.840.10008.5.1.4.1.1.6.1",  # Ultrasound Image
    "1.2.840.10008.5.1.4.1.1.3.1",  # Ultrasound Multi-frame Image
    "1.2.840.10008.5.1.4.1.1.6",  # their forms of before, which scanners in use still send
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture Image
    "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture Image
    "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame True Color Secondary Capture Image
    "1.2.840.10008.5.1.4.1.1.77.1.1",  # VL Endoscopic Image
    "1.2.840.10008.5.1.4.1.1.77.1.2",  # VL Microscopic Image
    "1.2.840.10008.5.1.4.1.1.77.1.4",  # VL Photographic Image
)
_MEGABYTE: Final = 1_000_000
_MOST_RECORDED: Final = 100
_WHOLE_UIDS: Final = {
    "sop_instance_uid": "SOPInstanceUID",
    "sop_class_uid": "SOPClassUID",
    "study_instance_uid": "StudyInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
}


@dataclass(frozen=True, slots=True)
class _Refused:
    status: int
    reason: str


class ObjectReceiver:
    """Takes what scanners send into the data folder of this process, which holds the engine role.

    `record` puts into the trail what is no object of ours: who was turned away, what was refused.
    Raises OSError for certificate files that cannot be used.
    """

    def __init__(
        self,
        outbox: Outbox,
        receiver: Receiver,
        *,
        record: Callable[[AuditAction, Mapping[str, str]], None] = lambda _action, _details: None,
    ) -> None:
        self._outbox = outbox
        self._spool = outbox.spool
        self._settings = receiver
        self._record = record
        self._senders = tuple(
            (sender, AllowedCallers.of(sender.addresses, sender.certificates))
            for sender in receiver.senders
        )
        self._recorded = set[str]()
        self._lock = threading.Lock()
        self._reader = ReceivedReader(self._spool.clock)
        known: dict[str, list[AllowedCallers]] = {}
        for sender, allowed in self._senders:
            known.setdefault(sender.ae_title, []).append(allowed)
        self._scp = StorageScp(
            host=receiver.host,
            port=receiver.port,
            ae_title=receiver.ae_title or outbox.rules.station.ae_title,
            known_ae_titles=known,
            sop_class_uids=SOP_CLASSES,
            on_store=self._store,
            clock=self._spool.clock,
            longest_object=receiver.max_object_mb * _MEGABYTE,
            tls=_tls(receiver),
            on_stranger=self._note_stranger,
            on_too_long=self._note_too_long,
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._scp.port

    def start(self) -> None:
        """Begins to listen. Raises OSError where the port cannot be had."""
        self._scp.start()

    def stop(self) -> None:
        """Ends listening, its connections and threads, and the child."""
        self._scp.stop()
        self._reader.rest()

    def close(self) -> None:
        """Ends the child for good."""
        self._reader.close()

    # --------------------------------------------------------------------------------- one object

    def _store(self, request: StoreRequest) -> int:
        sender = self._sender(request)
        if sender is None:  # the settings were read once, so this is a fault of ours
            return CANNOT_UNDERSTAND
        try:
            refused = self._take(request, sender)
        except DiskFullError as error:
            _log.error("object-not-kept", source=sender.name, reason=str(error))
            refused = _Refused(OUT_OF_RESOURCES, "no-room")
        except StoreError as error:
            _log.error("object-not-kept", source=sender.name, reason=str(error))
            refused = _Refused(OUT_OF_RESOURCES, "not-stored")
        except Exception:  # noqa: BLE001 - logged with its traceback; the scanner keeps the image
            _log.exception("object-failed", source=sender.name)
            refused = _Refused(OUT_OF_RESOURCES, "failed")
        if refused is None:
            return STORED
        _log.warning("object-refused", source=sender.name, code=refused.reason, peer=request.peer)
        self._record(AuditAction.OBJECT_REFUSED, {"sender": sender.name, "reason": refused.reason})
        return refused.status

    def _take(self, request: StoreRequest, sender: SendingScanner) -> _Refused | None:
        """Keeps it; why not, for one that is not kept."""
        try:
            read = self._reader.read(
                request.dataset, request.transfer_syntax_uid, sender.charset_when_absent
            )
        except ChildEndedError as error:
            is_ours = error.why in (ChildEnd.NOT_STARTED, ChildEnd.CLOSED)
            return _Refused(OUT_OF_RESOURCES if is_ours else CANNOT_UNDERSTAND, str(error.why))
        except SandboxError:
            return _Refused(CANNOT_UNDERSTAND, "unreadable")
        texts = read.texts
        if not all(fits(keyword, texts[name]) for name, keyword in _WHOLE_UIDS.items()):
            return _Refused(CANNOT_UNDERSTAND, "uids")
        if (texts["sop_class_uid"], texts["sop_instance_uid"]) != (
            request.sop_class_uid,
            request.sop_instance_uid,
        ):
            return _Refused(DOES_NOT_MATCH, "does-not-match")
        received = self._received(request, sender, read)
        kept = keep_received(
            self._spool,
            received,
            part10.wrap(
                request.dataset,
                sop_class_uid=received.sop_class_uid,
                sop_instance_uid=received.sop_instance_uid,
                transfer_syntax_uid=received.transfer_syntax_uid,
            ),
            min_free_bytes=self._outbox.rules.capture.min_free_mb * _MEGABYTE,
            most_a_day=self._settings.max_mb_per_day * _MEGABYTE,
        )
        if kept is Kept.UID_SENT:
            return _Refused(INVALID_INSTANCE, "uid-sent")
        _log.info(
            "object-received",
            source=sender.name,
            uid=received.sop_instance_uid,
            mode="new" if kept is Kept.NEW else "repeat",
        )
        self._outbox.tell_changes()
        return None

    def _received(
        self, request: StoreRequest, sender: SendingScanner, read: Read
    ) -> ReceivedObject:
        texts = read.texts
        return ReceivedObject(
            **{name: texts[name] for name in _WHOLE_UIDS},
            transfer_syntax_uid=request.transfer_syntax_uid,
            stated=StatedPatient(
                patient_id=texts["patient_id"],
                issuer=texts["issuer"]
                or ("" if texts["universal_id"] else sender.issuer_of_patient_id),
                universal_id=texts["universal_id"],
                name=texts["name"],
                birth_date=texts["birth_date"],
                sex=texts["sex"],
                is_unreadable=read.is_unreadable,
            ),
            sender=sender.name,
            charset_when_absent=sender.charset_when_absent,
            modality=texts["modality"],
            manufacturer=texts["manufacturer"],
            model_name=texts["model_name"],
            serial_number=texts["serial_number"],
            software_versions=texts["software_versions"],
            pixel_sha256=texts["pixel_sha256"],
            pixel_layout=read.pixel_layout,
            pixels_at=read.pixels_at,
            received_at=self._spool.clock.now(),
            letter=self._spool.cipher.keyed_hash(
                "received object", request.transfer_syntax_uid, part10.sha256_of(request.dataset)
            ),
        )

    def _sender(self, request: StoreRequest) -> SendingScanner | None:
        return next(
            (
                sender
                for sender, allowed in self._senders
                if sender.ae_title == request.calling_ae_title
                and allowed.admits(request.peer, request.certificate)
            ),
            None,
        )

    def _note_stranger(self, peer: str) -> None:
        """Strangers must not fill the trail."""
        place = caller_place(peer)
        with self._lock:
            if place in self._recorded or len(self._recorded) >= _MOST_RECORDED:
                return
            self._recorded.add(place)
        self._record(AuditAction.SCANNER_TURNED_AWAY, {"peer": peer})

    def _note_too_long(self, peer: str) -> None:
        _log.warning("object-refused", source="receiver", code="too-long", peer=peer)
        self._record(AuditAction.OBJECT_REFUSED, {"peer": peer, "reason": "too-long"})


def _tls(receiver: Receiver) -> Tls | None:
    if not receiver.tls:
        return None
    return server_tls(
        "receiver",
        ca_file=receiver.ca_file,
        certificate_file=receiver.certificate_file,
        key_file=receiver.certificate_key_file,
        asks_callers=bool(receiver.ca_file),
    )
