"""The port on which archives report to us: N-EVENT-REPORT, and C-ECHO so that they can try it.

It stands open to the network, so it is careful: known calling AE titles only, a cap on connections
and on PDUs, little time before an association stands. An association proves a caller: those without
one are the first to go when it is crowded (see `Listener`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor

from capture_app.clock import Clock
from capture_app.net.callers import AllowedCallers
from capture_app.net.deadline import Deadline
from capture_app.net.dicom import upper_layer
from capture_app.net.dicom.association import (
    SUCCESS,
    UNCOMPRESSED,
    VERIFICATION,
    EventReport,
    answer_event_report,
)
from capture_app.net.dicom.dimse_messages import (
    C_ECHO_RQ,
    IS_RESPONSE,
    N_EVENT_REPORT_RQ,
    Conversation,
    DimseMessage,
    ReleaseRequested,
)
from capture_app.net.dicom.upper_layer import AcceptedContext, Terms
from capture_app.net.listener import MOST_CALLERS, Caller, Listener
from capture_app.net.wire import Wire, failure

_log = structlog.get_logger(__name__)

_ASSOCIATE_SECONDS: Final = 5.0
_CONVERSATION_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 1.0
_CALLER: Final = "caller"  # in errors that are logged, never shown
_REJECTED_PERMANENTLY: Final = 0x01
_BY_SERVICE_USER: Final = 0x01
_CALLING_AE_TITLE_UNKNOWN: Final = 0x03
_CALLED_AE_TITLE_UNKNOWN: Final = 0x07
# Called and Calling AE title in an A-ASSOCIATE-RQ, its header counted (PS3.8 Table 9-11).
_TITLES_BEGIN: Final = (10, 26)
_TITLE_LENGTH: Final = 16
_TITLES_END: Final = 42


class EventReportScp:
    """Takes N-EVENT-REPORTs of one SOP class. `on_report` answers with a status, from any thread.

    `known_ae_titles` may call, each from where one of those who have it may; `ae_title` is ours.
    With `tls`, callers must show a certificate.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ae_title: str,
        known_ae_titles: Mapping[str, Sequence[AllowedCallers]],
        sop_class_uid: str,
        on_report: Callable[[EventReport], int],
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        most_connections: int = MOST_CALLERS,
    ) -> None:
        self._negotiator = _Negotiator(ae_title, dict(known_ae_titles), sop_class_uid)
        self._on_report = on_report
        self._clock = clock
        self._listener = Listener(
            host,
            port,
            self._converse,
            name="event-reports",
            clock=clock,
            most_callers=most_connections,
            tls=tls,
        )

    def start(self) -> None:
        """Begins to listen. Raises OSError where the port cannot be had."""
        self._listener.start()

    @property
    def port(self) -> int:
        """The port it listens on; the one it was given, or the free one it found for 0."""
        return self._listener.port

    def stop(self) -> None:
        """Stops listening, ends what is under way and waits for its threads."""
        self._listener.stop()

    def _converse(self, caller: Caller) -> None:
        begin = Deadline.after(self._clock, _ASSOCIATE_SECONDS)
        wire = Wire(caller.sock, _CALLER, begin, caller.interruption)
        terms = self._negotiator.agree(wire, caller)
        caller.prove()
        conversation = Conversation(wire, terms)
        while True:
            wire.deadline = Deadline.after(self._clock, _CONVERSATION_SECONDS)
            try:
                message = conversation.receive()
            except ReleaseRequested:
                wire.send(upper_layer.RELEASE_RP_PDU)
                _let_the_caller_close(wire)
                return
            caller.begin_work()
            self._answer(conversation, message)
            caller.end_work()

    def _answer(self, conversation: Conversation, message: DimseMessage) -> None:
        if message.field == N_EVENT_REPORT_RQ:
            answer_event_report(conversation, message, self._on_report)
        elif message.field == C_ECHO_RQ and message.message_id is not None:
            conversation.send(
                message.context.context_id,
                CommandField=C_ECHO_RQ | IS_RESPONSE,
                MessageIDBeingRespondedTo=message.message_id,
                AffectedSOPClassUID=UID(VERIFICATION),
                Status=SUCCESS,
            )
        else:
            conversation.protocol_error()


class _Negotiator:
    """Answers A-ASSOCIATE-RQ (PS3.8 7.1)."""

    def __init__(
        self,
        ae_title: str,
        known_ae_titles: Mapping[str, Sequence[AllowedCallers]],
        sop_class_uid: str,
    ) -> None:
        self._ae_title = ae_title
        self._known_ae_titles = known_ae_titles
        self._sop_class_uid = sop_class_uid

    def agree(self, wire: Wire, caller: Caller) -> Terms:
        """Reads the request and answers it. Raises what the wire raises, "rejected", "protocol"."""
        kind, pdu = upper_layer.read_pdu(wire)
        if kind != upper_layer.ASSOCIATE_RQ or len(pdu) < _TITLES_END:
            raise failure(wire.name, "protocol")
        # By the two titles alone: nothing else that a stranger sends is decoded.
        if (reason := self._reason_to_reject(pdu, caller)) is not None:
            wire.send(A_ASSOCIATE_RJ(_rejection(reason)).encode())
            _let_the_caller_close(wire)
            raise failure(wire.name, "aborted")
        try:
            request = A_ASSOCIATE_RQ()
            request.decode(pdu)
            asked: Any = request.to_primitive()
            answer, terms = self._accepted(wire, asked)
        except Exception as error:  # hostile bytes: the decoder may raise anything
            raise failure(wire.name, "protocol") from error
        wire.send(A_ASSOCIATE_AC(answer).encode())
        return terms

    def _reason_to_reject(self, pdu: bytes, caller: Caller) -> int | None:
        called, calling = (_title(pdu, begin) for begin in _TITLES_BEGIN)
        if called != self._ae_title:
            return _CALLED_AE_TITLE_UNKNOWN
        known = self._known_ae_titles.get(calling, ())
        if not any(one.admits(caller.peer, caller.certificate) for one in known):
            _log.info("caller-not-known", source="event-reports", peer=caller.peer)
            return _CALLING_AE_TITLE_UNKNOWN
        return None

    def _accepted(self, wire: Wire, asked: Any) -> tuple[A_ASSOCIATE, Terms]:
        roles: dict[UID, tuple[bool | None, bool | None]] = {
            UID(item.sop_class_uid or ""): (item.scu_role, item.scp_role)
            for item in asked.user_information
            if isinstance(item, SCP_SCU_RoleSelectionNegotiation)
        }
        results, agreed_roles = negotiate_as_acceptor(
            asked.presentation_context_definition_list, self._supported(), roles
        )
        answer = A_ASSOCIATE()
        answer.application_context_name = upper_layer.APPLICATION_CONTEXT_NAME
        answer.calling_ae_title = asked.calling_ae_title
        answer.called_ae_title = asked.called_ae_title
        answer.result, answer.result_source = 0x00, _BY_SERVICE_USER
        answer.presentation_context_definition_results_list = results
        answer.user_information = [*upper_layer.user_information(), *agreed_roles]
        contexts = tuple(
            AcceptedContext(
                context.context_id or 0, str(context.abstract_syntax), context.transfer_syntax[0]
            )
            for context in results
            if context.result == 0
        )
        longest = upper_layer.longest_fragment(wire.name, asked.maximum_length_received)
        return answer, Terms(asked.calling_ae_title.strip(), contexts, longest)

    def _supported(self) -> list[PresentationContext]:
        reports = build_context(self._sop_class_uid, list(UNCOMPRESSED))
        # An archive that reports on its own association asks to be the provider on it (PS3.7
        # D.3.3.4); one that does not ask is taken at its word all the same.
        reports.scu_role = reports.scp_role = True
        return [reports, build_context(VERIFICATION, list(UNCOMPRESSED))]


def _title(pdu: bytes, begin: int) -> str:
    return pdu[begin : begin + _TITLE_LENGTH].decode("latin-1").strip(" \0")


def _let_the_caller_close(wire: Wire) -> None:
    # PS3.8 9.2.2, state 13: who closes at once may take the last word back with it.
    wire.deadline = Deadline.after(wire.deadline.clock, _CLOSE_SECONDS)
    wire.await_close()


def _rejection(reason: int) -> A_ASSOCIATE:
    answer = A_ASSOCIATE()
    answer.result = _REJECTED_PERMANENTLY
    answer.result_source = _BY_SERVICE_USER
    answer.diagnostic = reason
    return answer
