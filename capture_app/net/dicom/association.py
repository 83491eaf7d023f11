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
from capture_app.net.body import Body
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
    """An N-EVENT-REPORT (PS3.7 10.1.1), and the AE title of who sent it."""

    ae_title: str
    sop_class_uid: str
    sop_instance_uid: str
    event_type_id: int
    information: Dataset


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits for its answer."""

    context: AcceptedContext
    field: int
    message_id: int
    sop_class_uid: str
    sop_instance_uid: str

    def is_answered_by(self, message: DimseMessage) -> bool:
        """Whether a response is one to this request; UIDs that it leaves out contradict nothing."""
        return (
            message.context == self.context
            and message.field == self.field | IS_RESPONSE
            and message.responds_to == self.message_id
            and message.affected_sop_class_uid in {"", self.sop_class_uid}
            and message.affected_sop_instance_uid in {"", self.sop_instance_uid}
        )


class Association:
    """An established association. Made by `open_association`; used by one thread.

    All requests raise TransientDeliveryError ("timeout", "aborted", "protocol", "tls",
    "interrupted"), after which nothing more can be asked on it, and RefusedDeliveryError
    "no-context" for what the peer did not accept. An answer is one to what was asked: of its kind,
    with its message id, on its context, and of no other SOP class or instance (PS3.7 9.3, 10.3);
    anything else is "protocol".
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
        asked = self._request(context, C_ECHO_RQ, VERIFICATION)
        return self._status(self._response(asked))

    def store(
        self,
        dataset: Body,
        *,
        sop_class_uid: str,
        sop_instance_uid: str,
        transfer_syntax_uid: str,
    ) -> int | None:
        """C-STORE (PS3.7 9.1.1) of an encoded dataset, byte for byte as given, piece by piece.

        The answer's status; None for an answer without one. Nothing is re-coded to please a peer
        that does not accept this class in this transfer syntax.
        """
        context = self._context(sop_class_uid, transfer_syntax_uid)
        asked = self._request(
            context,
            C_STORE_RQ,
            sop_class_uid,
            sop_instance_uid,
            dataset,
            Priority=_MEDIUM_PRIORITY,
        )
        return self._response(asked).status

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
        asked = self._request(
            context,
            C_FIND_RQ,
            model,
            data=self._conversation.encoded(identifier, context),
            Priority=_MEDIUM_PRIORITY,
        )
        count, is_cut = 0, False
        while (status := self._status(message := self._response(asked))) in PENDING:
            if count < most:
                count += 1
                yield self._conversation.decoded(message)
            elif not is_cut:
                is_cut = True
                self._cancel(asked)
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
        asked = self._request(
            context,
            N_ACTION_RQ,
            sop_class_uid,
            sop_instance_uid,
            self._conversation.encoded(information, context),
            ActionTypeID=action_type,
        )
        return self._status(self._response(asked))

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
        sop_class_uid: str,
        sop_instance_uid: str = "",
        data: bytes | Body = b"",
        **elements: object,
    ) -> _Asked:
        self._message_id = self._message_id % 0xFFFF + 1
        whose = "Requested" if field == N_ACTION_RQ else "Affected"
        elements[f"{whose}SOPClassUID"] = UID(sop_class_uid)
        if sop_instance_uid:
            elements[f"{whose}SOPInstanceUID"] = UID(sop_instance_uid)
        self._conversation.send(
            context.context_id, data, CommandField=field, MessageID=self._message_id, **elements
        )
        return _Asked(context, field, self._message_id, sop_class_uid, sop_instance_uid)

    def _cancel(self, asked: _Asked) -> None:
        self._conversation.send(
            asked.context.context_id,
            CommandField=C_CANCEL_RQ,
            MessageIDBeingRespondedTo=asked.message_id,
        )

    def _response(self, asked: _Asked) -> DimseMessage:
        while True:
            try:
                message = self._conversation.receive()
            except ReleaseRequested:
                raise failure(self._conversation.wire.name, "aborted") from None
            if not message.field & IS_RESPONSE:
                self._answer(message)
            elif asked.is_answered_by(message):
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
    code = "no-context" if is_image else "no-service"
    return RefusedDeliveryError(Reason.of(code, name=name), reached_nobody=True)


def answer_echo(conversation: Conversation, message: DimseMessage) -> None:
    """Answers a C-ECHO (PS3.7 9.3.5)."""
    conversation.send(
        message.context.context_id,
        CommandField=C_ECHO_RQ | IS_RESPONSE,
        MessageIDBeingRespondedTo=message.message_id,
        AffectedSOPClassUID=UID(VERIFICATION),
        Status=SUCCESS,
    )


def answer_event_report(
    conversation: Conversation, message: DimseMessage, answer: Callable[[EventReport], int]
) -> None:
    """Reads an N-EVENT-REPORT, asks `answer` for the status, and sends it (PS3.7 10.3.1)."""
    if (
        message.message_id is None
        or message.event_type_id is None
        or message.affected_sop_class_uid != message.context.abstract_syntax
    ):
        conversation.protocol_error()
    report = EventReport(
        conversation.terms.peer_ae_title,
        message.affected_sop_class_uid,
        message.affected_sop_instance_uid,
        message.event_type_id,
        conversation.decoded(message),
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
