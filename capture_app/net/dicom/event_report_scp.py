"""The port on which archives report to us: N-EVENT-REPORT, and C-ECHO so that they can try it.

It stands open to the network, so it is careful: known calling AE titles only, a cap on connections
and on PDUs, little time before an association stands. An association proves a caller: those without
one are the first to go when it is crowded (see `Listener`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pynetdicom.presentation import PresentationContext, build_context

from capture_app.clock import Clock
from capture_app.net.callers import AllowedCallers
from capture_app.net.deadline import Deadline
from capture_app.net.dicom import upper_layer
from capture_app.net.dicom.acceptor import ASSOCIATE_SECONDS, Acceptor, let_the_caller_close
from capture_app.net.dicom.association import (
    UNCOMPRESSED,
    VERIFICATION,
    EventReport,
    answer_echo,
    answer_event_report,
)
from capture_app.net.dicom.dimse_messages import (
    C_ECHO_RQ,
    N_EVENT_REPORT_RQ,
    Conversation,
    DimseMessage,
    ReleaseRequested,
)
from capture_app.net.listener import MOST_CALLERS, Caller, Listener
from capture_app.net.tls import Tls
from capture_app.net.wire import Wire

_CONVERSATION_SECONDS: Final = 30.0
_CALLER: Final = "caller"  # in errors that are logged, never shown


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
        tls: Tls | None = None,
        most_connections: int = MOST_CALLERS,
    ) -> None:
        self._acceptor = Acceptor(
            ae_title, known_ae_titles, _supported(sop_class_uid), source="event-reports"
        )
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
        begin = Deadline.after(self._clock, ASSOCIATE_SECONDS)
        wire = Wire(caller.sock, _CALLER, begin, caller.interruption)
        terms = self._acceptor.agree(wire, caller)
        caller.prove()
        conversation = Conversation(wire, terms)
        while True:
            wire.deadline = Deadline.after(self._clock, _CONVERSATION_SECONDS)
            try:
                message = conversation.receive()
            except ReleaseRequested:
                wire.send(upper_layer.RELEASE_RP_PDU)
                let_the_caller_close(wire)
                return
            caller.begin_work()
            self._answer(conversation, message)
            caller.end_work()

    def _answer(self, conversation: Conversation, message: DimseMessage) -> None:
        if message.field == N_EVENT_REPORT_RQ:
            answer_event_report(conversation, message, self._on_report)
        elif message.field == C_ECHO_RQ and message.message_id is not None:
            answer_echo(conversation, message)
        else:
            conversation.protocol_error()


def _supported(sop_class_uid: str) -> list[PresentationContext]:
    reports = build_context(sop_class_uid, list(UNCOMPRESSED))
    # An archive that reports on its own association asks to be the provider on it (PS3.7
    # D.3.3.4); one that does not ask is taken at its word all the same.
    reports.scu_role = reports.scp_role = True
    return [reports, build_context(VERIFICATION, list(UNCOMPRESSED))]
