"""An archive that is reached by DICOMweb: STOW-RS (PS3.18 10.5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from capture_app.archive.multipart import RelatedInstance
from capture_app.archive.one_by_one import request_by_request
from capture_app.archive.outcomes import (
    DUPLICATE,
    SLOWEST_BYTES_PER_SECOND,
    ProofMethod,
    Proven,
    stored,
    stored_by_web,
)
from capture_app.archive.proof import unexpected_status
from capture_app.archive.recoding import as_sent
from capture_app.clock import Clock
from capture_app.dicom.coding import sendable_in
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import Instance, ProofReceipt, StoreReceipt
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import Reason
from capture_app.model.words import tr
from capture_app.net.deadline import Deadline, Interruption, UnderWay
from capture_app.net.dicom.association import SUCCESS
from capture_app.net.http import HttpClient, HttpResponse

_LONGEST_ANSWER: Final = 1 << 18  # it names one instance
# Statuses with a body that names instances; some archives put a success into a 400 or a 409.
_NAMING: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT})
_REFERENCED_SOP_SEQUENCE: Final = "00081199"
_FAILED_SOP_SEQUENCE: Final = "00081198"
_REFERENCED_SOP_CLASS_UID: Final = "00081150"
_REFERENCED_SOP_INSTANCE_UID: Final = "00081155"
_WARNING_REASON: Final = "00081196"
_FAILURE_REASON: Final = "00081197"
_CANNOT_UNDERSTAND: Final = 0xC000
_LARGEST_REASON: Final = 0xFFFF  # US (PS3.5 6.2)
_TRANSFER_SYNTAX_NOT_SUPPORTED: Final = 0xC122


class StowArchive:
    """An `outbox.ports.Archive` over STOW-RS: one instance a request, so that each has its answer.

    What counts as stored is what the answer names, never its HTTP status: an archive whose disk is
    full was seen to answer 200 and to name nothing. Others say no more than that when all is well:
    one that names nothing is asked whether it has the image, by the way in which it proves.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        client: HttpClient,
        proof: ProofMethod,
        clock: Clock,
        deadline_seconds: float,
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._client = client
        self._proof = proof
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._under_way = UnderWay()

    @property
    def name(self) -> str:
        return self._name

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        with self._under_way.exchange() as interruption:

            def ask(instance: Instance) -> StoreReceipt | DeliveryError:
                try:
                    file = read(instance)
                except DeliveryError as error:
                    return error
                answer = self._taken(instance, file, interruption)
                if isinstance(answer, DeliveryError):
                    return answer
                return self._outcome(instance, answer) or self._asked(instance, interruption)

            for instance, outcome in request_by_request(instances, ask):
                yield instance.sop_instance_uid, outcome

    def prove(self, instances: Sequence[Instance]) -> Proven:
        with self._under_way.exchange() as interruption:
            yield from self._proof.prove(instances, interruption)

    def interrupt(self) -> None:
        self._under_way.interrupt()

    def _taken(
        self, instance: Instance, file: Part10File, interruption: Interruption
    ) -> HttpResponse | DeliveryError:
        """The answer to the sealed file, or to the first of its other codings that is taken."""
        answer = self._sent(instance, file, interruption)
        for syntax in sendable_in(instance.transfer_syntax_uid)[1:]:
            if not _refuses_coding(answer, instance):
                break
            try:
                decoded = as_sent(file, instance, syntax)
            except RefusedDeliveryError as error:  # about this file alone
                return error
            answer = self._sent(instance, decoded, interruption)
        return answer

    def _sent(
        self, instance: Instance, file: Part10File, interruption: Interruption
    ) -> HttpResponse:
        body = RelatedInstance(file, boundary=self._clock.new_uid())
        seconds = self._deadline_seconds + instance.largest_size / SLOWEST_BYTES_PER_SECOND
        return self._client.exchange(
            "POST",
            f"{self._url}/studies",
            headers={"Content-Type": body.content_type, "Accept": "application/dicom+json"},
            body=body,
            longest_answer=_LONGEST_ANSWER,
            deadline=Deadline.after(self._clock, seconds),
            interruption=interruption,
        )

    def _asked(
        self, instance: Instance, interruption: Interruption
    ) -> StoreReceipt | DeliveryError:
        """Whether it has what it did not name; else it is sent again later."""
        outcome: ProofReceipt | DeliveryError | None = None
        try:
            for uid, proof in self._proof.prove([instance], interruption):
                outcome = proof if uid == instance.sop_instance_uid else outcome
        except DeliveryError as error:
            outcome = error
        # Where it holds something else under this UID, or can prove nothing at all, the proof of
        # the next step says so.
        if isinstance(outcome, ProofReceipt | RefusedDeliveryError):
            words = tr("{name} did not name it; it was asked for it.", name=self._name)
            return StoreReceipt(instance.sop_instance_uid, SUCCESS, words)
        return TransientDeliveryError(Reason.of("not-named", name=self._name))

    def _outcome(
        self, instance: Instance, answer: HttpResponse
    ) -> StoreReceipt | DeliveryError | None:
        """What an answer says of the image; None where it says nothing against it or for it."""
        uid = instance.sop_instance_uid
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return RefusedDeliveryError(Reason.of("too-large", name=self._name))
        is_good = 200 <= answer.status < 300
        if not is_good and answer.status not in _NAMING:
            return unexpected_status(self._name, answer.status)
        named = _Named.in_answer(answer, instance.sop_class_uid)
        if uid in named.failed:
            return stored_by_web(self._name, uid, named.failed[uid])
        if uid in named.stored:
            return stored(self._name, uid, named.stored[uid])
        if answer.status == HTTPStatus.CONFLICT:
            # It has something under this UID: the proof shows whether it is ours.
            return stored(self._name, uid, DUPLICATE)
        if answer.status == HTTPStatus.BAD_REQUEST:
            return unexpected_status(self._name, answer.status)
        return None


def _refuses_coding(answer: HttpResponse, instance: Instance) -> bool:
    """Whether another transfer syntax may be taken (PS3.18 8.5, 10.5.3.1)."""
    if answer.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return True
    if answer.status not in _NAMING:
        return False
    named = _Named.in_answer(answer, instance.sop_class_uid).failed.get(instance.sop_instance_uid)
    return named == _TRANSFER_SYNTAX_NOT_SUPPORTED


@dataclass(frozen=True, slots=True)
class _Named:
    """The instances of a SOP class that an answer names, with their warning or failure reason."""

    stored: Mapping[str, int]
    failed: Mapping[str, int]

    @classmethod
    def in_answer(cls, answer: HttpResponse, sop_class_uid: str) -> _Named:
        try:
            ds = json.loads(answer.body)
            if isinstance(ds, list):
                ds = ds[0]
            failed = _reasons(ds, _FAILED_SOP_SEQUENCE, _FAILURE_REASON, _CANNOT_UNDERSTAND)
            stored = _reasons(ds, _REFERENCED_SOP_SEQUENCE, _WARNING_REASON, SUCCESS)
            return cls(
                {uid: r for uid, of_class, r in stored if of_class in {"", sop_class_uid}},
                {uid: r for uid, _, r in failed},
            )
        except Exception:  # noqa: BLE001 - hostile bytes: no DICOM JSON, so it names nothing
            return cls({}, {})


def _reasons(ds: Any, sequence: str, reason: str, default: int) -> Iterator[tuple[str, str, int]]:
    """SOP Instance UID, SOP Class UID (empty where it is not told) and reason of each item."""
    for item in ds.get(sequence, {}).get("Value", ()):
        uid = item[_REFERENCED_SOP_INSTANCE_UID]["Value"][0]
        of_class = (item.get(_REFERENCED_SOP_CLASS_UID, {}).get("Value") or [""])[0]
        (value, *_) = item.get(reason, {}).get("Value") or [default]
        if not 0 <= int(value) <= _LARGEST_REASON:
            raise ValueError
        yield str(uid), str(of_class), int(value)
