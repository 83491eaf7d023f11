"""The answer to who asks for an association at a port of ours (PS3.8 7.1).

By the two titles and the address first: of a stranger nothing else is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, negotiate_as_acceptor

from capture_app.net.callers import AllowedCallers
from capture_app.net.deadline import Deadline
from capture_app.net.dicom import upper_layer
from capture_app.net.dicom.upper_layer import AcceptedContext, Terms
from capture_app.net.listener import Caller
from capture_app.net.wire import Wire, failure

_log = structlog.get_logger(__name__)

ASSOCIATE_SECONDS: Final = 5.0
"""How long a caller has to ask."""
_CLOSE_SECONDS: Final = 1.0
_REJECTED_PERMANENTLY: Final = 0x01
_BY_SERVICE_USER: Final = 0x01
_CALLING_AE_TITLE_UNKNOWN: Final = 0x03
_CALLED_AE_TITLE_UNKNOWN: Final = 0x07
# Called and Calling AE title in an A-ASSOCIATE-RQ, its header counted (PS3.8 Table 9-11).
_TITLES_BEGIN: Final = (10, 26)
_TITLE_LENGTH: Final = 16
_TITLES_END: Final = 42


class Acceptor:
    """Answers A-ASSOCIATE-RQ.

    `known_ae_titles` may call, each from where one of those who have it may; `ae_title` is ours;
    `supported` are the presentation contexts that are taken. `source` names the port in the log.
    """

    def __init__(
        self,
        ae_title: str,
        known_ae_titles: Mapping[str, Sequence[AllowedCallers]],
        supported: Sequence[PresentationContext],
        *,
        source: str,
        on_stranger: Callable[[str], None] = lambda _peer: None,
    ) -> None:
        """`on_stranger` is given the address of who was not known."""
        self._ae_title = ae_title
        self._known_ae_titles = dict(known_ae_titles)
        self._supported = list(supported)
        self._source = source
        self._on_stranger = on_stranger

    def agree(self, wire: Wire, caller: Caller) -> Terms:
        """Reads the request and answers it. Raises what the wire raises, "rejected", "protocol"."""
        kind, pdu = upper_layer.read_pdu(wire)
        if kind != upper_layer.ASSOCIATE_RQ or len(pdu) < _TITLES_END:
            raise failure(wire.name, "protocol")
        # By the two titles alone: nothing else that a stranger sends is decoded.
        if (reason := self._reason_to_reject(pdu, caller)) is not None:
            wire.send(A_ASSOCIATE_RJ(_rejection(reason)).encode())
            let_the_caller_close(wire)
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
            _log.info("caller-not-known", source=self._source, peer=caller.peer)
            self._on_stranger(caller.peer)
            return _CALLING_AE_TITLE_UNKNOWN
        return None

    def _accepted(self, wire: Wire, asked: Any) -> tuple[A_ASSOCIATE, Terms]:
        roles: dict[UID, tuple[bool | None, bool | None]] = {
            UID(item.sop_class_uid or ""): (item.scu_role, item.scp_role)
            for item in asked.user_information
            if isinstance(item, SCP_SCU_RoleSelectionNegotiation)
        }
        results, agreed_roles = negotiate_as_acceptor(
            asked.presentation_context_definition_list, self._supported, roles
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


def _title(pdu: bytes, begin: int) -> str:
    return pdu[begin : begin + _TITLE_LENGTH].decode("latin-1").strip(" \0")


def let_the_caller_close(wire: Wire) -> None:
    """Waits a moment for the caller to hang up."""
    # PS3.8 9.2.2, state 13: who closes at once may take the last word back with it.
    wire.deadline = Deadline.after(wire.deadline.clock, _CLOSE_SECONDS)
    wire.await_close()


def _rejection(reason: int) -> A_ASSOCIATE:
    answer = A_ASSOCIATE()
    answer.result = _REJECTED_PERMANENTLY
    answer.result_source = _BY_SERVICE_USER
    answer.diagnostic = reason
    return answer
