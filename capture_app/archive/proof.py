"""Proof by content: the archive's own copy is read back (WADO-RS) and its pixels are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from capture_app.archive.held_clip import HeldClip, NoEncapsulatedPixelsError
from capture_app.archive.held_copy import HeldCopy, ReadHeldCopy
from capture_app.archive.identity import contradiction
from capture_app.archive.multipart import single_part
from capture_app.archive.one_by_one import request_by_request
from capture_app.archive.outcomes import (
    SLOWEST_BYTES_PER_SECOND,
    Proven,
    not_in_archive,
)
from capture_app.clock import Clock
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import Instance, ProofKind, ProofReceipt
from capture_app.model.reason import CLASS_MISMATCH, CONTENT_MISMATCH, Reason
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.http import HttpClient, HttpResponse, Sink
from capture_app.net.wire import failure

# Without transfer-syntax=* an archive sends a JPEG decompressed: true, large and not comparable.
_ACCEPT: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_MAY_ADD_BYTES: Final = 1 << 20  # what an archive may have added around the pixels


class PixelHash:
    """A `ProofMethod` by WADO-RS (PS3.18 10.4): PIXEL_HASH, or what is wrong."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        client: HttpClient,
        read_copy: ReadHeldCopy,
        clock: Clock,
        deadline_seconds: float,
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._client = client
        self._read_copy = read_copy
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    def prove(self, instances: Sequence[Instance], interruption: Interruption) -> Proven:
        def ask(instance: Instance) -> ProofReceipt | DeliveryError:
            if instance.is_clip:
                return self._clip_compared(instance, interruption)
            return self._compared(instance, self._retrieved(instance, interruption))

        for instance, outcome in request_by_request(instances, ask):
            yield instance.sop_instance_uid, outcome

    def _clip_compared(
        self, instance: Instance, interruption: Interruption
    ) -> ProofReceipt | DeliveryError:
        """As `_compared`, of a copy that is never held whole."""
        copies: list[HeldClip] = []

        def into(content_type: str) -> Callable[[bytes], object]:
            copies.append(HeldClip(content_type))
            return copies[-1].write

        try:
            answer = self._retrieved(instance, interruption, into)
            if isinstance(answer, DeliveryError) or not copies:
                return self._compared(instance, answer)
            return self._judged(instance, copies[-1].read(self._read_copy))
        except NoEncapsulatedPixelsError:
            return self._recoded()
        except DeliveryError:
            raise
        except Exception:  # noqa: BLE001 - hostile bytes: the decoder may raise anything
            return failure(self._name, "protocol")

    def _retrieved(
        self, instance: Instance, interruption: Interruption, into: Sink | None = None
    ) -> HttpResponse | DeliveryError:
        """A DeliveryError is about this instance; one about the archive is raised."""
        seconds = self._deadline_seconds + instance.largest_size / SLOWEST_BYTES_PER_SECOND
        try:
            return self._client.exchange(
                "GET",
                f"{self._url}/studies/{instance.study_instance_uid}"
                f"/series/{instance.series_instance_uid}/instances/{instance.sop_instance_uid}",
                headers={"Accept": _ACCEPT},
                longest_answer=instance.largest_size + _MAY_ADD_BYTES,
                deadline=Deadline.after(self._clock, seconds),
                interruption=interruption,
                into=into,
            )
        except TransientDeliveryError as error:
            if error.code == "too-long":
                return self._recoded()
            raise

    def _compared(
        self, instance: Instance, answer: HttpResponse | DeliveryError
    ) -> ProofReceipt | DeliveryError:
        if isinstance(answer, DeliveryError):
            return answer
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return not_in_archive(self._name)
        if answer.status != HTTPStatus.OK:
            return unexpected_status(self._name, answer.status)
        return self._shown(instance, answer)

    def _shown(self, instance: Instance, answer: HttpResponse) -> ProofReceipt | DeliveryError:
        """What the instance in an answer proves."""
        try:
            part10 = single_part(answer.content_type, answer.body)
            held = self._read_copy(part10, instance.stream_length)
        except Exception:  # noqa: BLE001 - hostile bytes: the decoder may raise anything
            return failure(self._name, "protocol")
        return self._judged(instance, held)

    def _judged(self, instance: Instance, held: HeldCopy | str) -> ProofReceipt | DeliveryError:
        if isinstance(held, str):
            return self._recoded()
        if held.sop_instance_uid != instance.sop_instance_uid:
            return failure(self._name, "protocol")
        if refusal := contradiction(self._name, instance, held.identity):
            return refusal
        if held.sop_class_uid != instance.sop_class_uid:
            return RefusedDeliveryError(Reason.of(CLASS_MISMATCH, name=self._name))
        if _is_picture_of(instance, held):
            return ProofReceipt(instance.sop_instance_uid, ProofKind.PIXEL_HASH, self._name)
        if held.transfer_syntax_uid != instance.transfer_syntax_uid:
            return self._recoded()
        return RefusedDeliveryError(Reason.of(CONTENT_MISMATCH, name=self._name))

    def _recoded(self) -> RefusedDeliveryError:
        return RefusedDeliveryError(Reason.of("recoded", name=self._name))


def unexpected_status(name: str, status: int) -> DeliveryError:
    """The outcome of an HTTP status that says neither yes nor no (PS3.18 8.5)."""
    # 404 to a store, 405, 406, 415 ...: what has to change stands in the settings.
    is_for_a_person = 400 <= status < 500 and status not in _PASSING
    kind = RefusedDeliveryError if is_for_a_person else TransientDeliveryError
    return kind(Reason.of(f"http-{status}", name=name), reached_nobody=status in _NOT_LOOKED_AT)


_PASSING: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


def _is_picture_of(instance: Instance, held: HeldCopy) -> bool:
    ours = {instance.pixel_sha256, instance.decoded_sha256} - {""}
    is_same = bool(ours & {held.digest, held.decoded_digest})
    return is_same and instance.pixel_layout in (None, held.layout)


_NOT_LOOKED_AT: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""By which a server says that it did nothing with the request (RFC 9110 15.6.4, RFC 6585 4)."""
