"""DIMSE as a service class user: one association, one request at a time (PS3.7 9, 10).

    with open_association(peer, [Context(VERIFICATION, UNCOMPRESSED)], deadline) as assoc:
        status = assoc.echo()

No thread is behind it, and nothing in it waits longer than its deadline. Datasets are neither
logged nor put into an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from capture_app.errors import RefusedDeliveryError, TransientDeliveryError
from capture_app.model.reason import Reason
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom import upper_layer
from capture_app.net.dicom.dimse_messages import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_FIND_RQ,
    C_STORE_RQ,
    IS_RESPONSE,
    N_ACTION_RQ,
    N_EVENT_REPORT_RQ,
    Conversation,
    DimseMessage,
    ReleaseRequested,
)
from capture_app.net.dicom.upper_layer import AcceptedContext, Context, Terms
from capture_app.net.wire import Address, Wire, connect, failure

VERIFICATION: Final = "1.2.840.10008.1.1"
IMPLICIT_VR_LE: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LE: Final = "1.2.840.10008.1.2.1"
UNCOMPRESSED: Final = (EXPLICIT_VR_LE, IMPLICIT_VR_LE)

SUCCESS: Final = 0x0000
PENDING: Final = (0xFF00, 0xFF01)
_CANCELLED: Final = 0xFE00
_MEDIUM_PRIORITY: Final = 0x0000
_MOST_CONTEXTS: Final = 128  # context identifiers are the odd numbers of a byte (PS3.8 9.3.2.2)
_RELEASE_SECONDS: Final = 3.0
_ABORT_SECONDS: Final = 0.1  # the line may be stuffed with what was being sent


@dataclass(frozen=True, slots=True)
class Peer:
    """An application entity that we call: where it listens, its AE title and ours."""

    address: Address
    ae_title: str
    calling_ae_title: str


@dataclass(frozen=True, slots=True)
class EventReport:
    """An N-EVENT-REPORT (PS3.7 10.1.1)."""

    sop_class_uid: str
    event_type_id: int
    information: Dataset


class Association:
    """An established association. Made by `open_association`; used by one thread.

    All requests raise TransientDeliveryError ("timeout", "aborted", "protocol", "tls",
    "interrupted"), after which nothing more can be asked on it, and RefusedDeliveryError
    "no-context" for what the peer did not accept.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._message_id = 0
        self.on_event_report: Callable[[EventReport], int] | None = None
        """Answers an N-EVENT-REPORT that comes on this association with a status."""

    def renew(self, deadline: Deadline) -> None:
        """Gives the next request a deadline of its own."""
        self._conversation.wire.deadline = deadline

    def accepts(self, abstract_syntax: str, transfer_syntax: str = "") -> bool:
        """Whether the peer agreed to that service, in that coding where one is named."""
        return self._agreed(abstract_syntax, transfer_syntax) is not None

    def echo(self) -> int:
        """C-ECHO (PS3.7 9.1.5). The answer's status."""
        context = self._context(VERIFICATION)
        message_id = self._request(context, C_ECHO_RQ, AffectedSOPClassUID=UID(VERIFICATION))
        return self._status(self._response(message_id))

    def store(
        self,
        dataset: bytes | memoryview,
        *,
        sop_class_uid: str,
        sop_instance_uid: str,
        transfer_syntax_uid: str,
    ) -> int | None:
        """C-STORE (PS3.7 9.1.1) of an encoded dataset, byte for byte as given.

        The answer's status; None for an answer without one. Nothing is re-coded to please a peer
        that does not accept this class in this transfer syntax.
        """
        context = self._context(sop_class_uid, transfer_syntax_uid)
        message_id = self._request(
            context,
            C_STORE_RQ,
            dataset,
            Priority=_MEDIUM_PRIORITY,
            AffectedSOPClassUID=UID(sop_class_uid),
            AffectedSOPInstanceUID=UID(sop_instance_uid),
        )
        return self._response(message_id).status

    def find(
        self,
        model: str,
        identifier: Dataset,
        *,
        most: int,
        on_cut: Callable[[], None] | None = None,
    ) -> Iterator[Dataset]:
        """C-FIND (PS3.7 9.1.2): the matches, as they come, not converted to any character set.

        After `most` of them the rest is cancelled (C-CANCEL) and `on_cut` is called once. Raises
        TransientDeliveryError "status-XXXX" for an answer that is neither a match nor a good end.
        """
        context = self._context(model)
        message_id = self._request(
            context,
            C_FIND_RQ,
            self._conversation.encoded(identifier, context),
            Priority=_MEDIUM_PRIORITY,
            AffectedSOPClassUID=UID(model),
        )
        count, is_cut = 0, False
        while (status := self._status(message := self._response(message_id))) in PENDING:
            if count < most:
                count += 1
                yield self._conversation.decoded(message)
            elif not is_cut:
                is_cut = True
                self._cancel(context, message_id)
        if is_cut and on_cut is not None:
            on_cut()
        if status not in {SUCCESS, _CANCELLED}:
            raise TransientDeliveryError(
                Reason.of(f"question-{status:04X}", name=self._conversation.wire.name)
            )

    def action(
        self, sop_class_uid: str, sop_instance_uid: str, action_type: int, information: Dataset
    ) -> int:
        """N-ACTION (PS3.7 10.1.4). The answer's status."""
        context = self._context(sop_class_uid)
        message_id = self._request(
            context,
            N_ACTION_RQ,
            self._conversation.encoded(information, context),
            RequestedSOPClassUID=UID(sop_class_uid),
            RequestedSOPInstanceUID=UID(sop_instance_uid),
            ActionTypeID=action_type,
        )
        return self._status(self._response(message_id))

    def listen(self, seconds: float) -> bool:
        """Takes one N-EVENT-REPORT if one comes within that time. False: the peer hung up."""
        if not self._conversation.wire.is_readable(seconds):
            return True
        try:
            self._answer(self._conversation.receive())
        except ReleaseRequested:
            self._conversation.wire.send(upper_layer.RELEASE_RP_PDU)
            return False
        return True

    def _agreed(self, abstract_syntax: str, transfer_syntax: str) -> AcceptedContext | None:
        return next(
            (
                context
                for context in self._conversation.terms.contexts
                if context.abstract_syntax == abstract_syntax
                and transfer_syntax in {"", context.transfer_syntax}
            ),
            None,
        )

    def _context(self, abstract_syntax: str, transfer_syntax: str = "") -> AcceptedContext:
        if context := self._agreed(abstract_syntax, transfer_syntax):
            return context
        raise no_context(self._conversation.wire.name, is_image=bool(transfer_syntax))

    def _request(
        self,
        context: AcceptedContext,
        field: int,
        data: bytes | memoryview = b"",
        **elements: object,
    ) -> int:
        self._message_id = self._message_id % 0xFFFF + 1
        self._conversation.send(
            context.context_id, data, CommandField=field, MessageID=self._message_id, **elements
        )
        return self._message_id

    def _cancel(self, context: AcceptedContext, message_id: int) -> None:
        self._conversation.send(
            context.context_id, CommandField=C_CANCEL_RQ, MessageIDBeingRespondedTo=message_id
        )

    def _response(self, message_id: int) -> DimseMessage:
        while True:
            try:
                message = self._conversation.receive()
            except ReleaseRequested:
                raise failure(self._conversation.wire.name, "aborted") from None
            if not message.field & IS_RESPONSE:
                self._answer(message)
            elif message.responds_to == message_id:
                return message
            else:
                self._conversation.protocol_error()

    def _status(self, message: DimseMessage) -> int:
        if message.status is None:
            self._conversation.protocol_error()
        return message.status

    def _answer(self, message: DimseMessage) -> None:
        if message.field != N_EVENT_REPORT_RQ or self.on_event_report is None:
            self._conversation.protocol_error()
        answer_event_report(self._conversation, message, self.on_event_report)


def no_context(name: str, *, is_image: bool = True) -> RefusedDeliveryError:
    """What a person is told when the peer did not accept the service, or the kind of image."""
    return RefusedDeliveryError(Reason.of("no-context" if is_image else "no-service", name=name))


def answer_event_report(
    conversation: Conversation, message: DimseMessage, answer: Callable[[EventReport], int]
) -> None:
    """Reads an N-EVENT-REPORT, asks `answer` for the status, and sends it (PS3.7 10.3.1)."""
    if message.message_id is None or message.event_type_id is None:
        conversation.protocol_error()
    report = EventReport(
        message.affected_sop_class_uid, message.event_type_id, conversation.decoded(message)
    )
    conversation.send(
        message.context.context_id,
        CommandField=N_EVENT_REPORT_RQ | IS_RESPONSE,
        MessageIDBeingRespondedTo=message.message_id,
        AffectedSOPClassUID=UID(message.affected_sop_class_uid),
        AffectedSOPInstanceUID=UID(message.affected_sop_instance_uid),
        EventTypeID=message.event_type_id,
        Status=answer(report),
    )


@contextmanager
def open_association(
    peer: Peer,
    contexts: Sequence[Context],
    deadline: Deadline,
    interruption: Interruption | None = None,
) -> Iterator[Association]:
    """An association for the length of the block: released at its end, aborted after an error.

    Raises TransientDeliveryError where it cannot be had: what `wire.connect` raises,
    "rejected-calling-ae-title", "rejected-called-ae-title", "rejected-busy", "rejected"; and
    RefusedDeliveryError "no-context" where the peer accepts none of the contexts.
    """
    with connect(peer.address, deadline, interruption) as wire:
        terms = upper_layer.request_association(
            wire,
            calling=peer.calling_ae_title,
            called=peer.ae_title,
            contexts=contexts[:_MOST_CONTEXTS],
        )
        try:
            yield Association(_conversation(wire, terms))
        except BaseException:
            wire.deadline = Deadline.after(deadline.clock, _ABORT_SECONDS)
            upper_layer.abort(wire)
            raise
        # The exchange is done: its manner of ending is not worth the time of the next one.
        wire.deadline = Deadline.after(deadline.clock, _RELEASE_SECONDS)
        upper_layer.release(wire)


def _conversation(wire: Wire, terms: Terms) -> Conversation:
    if terms.contexts:
        return Conversation(wire, terms)
    raise no_context(wire.name)
