"""The port on which modalities store images (PS3.4 B): C-STORE, and C-ECHO so that they can try it.

It reads the association and the command, both small and bounded. The dataset goes to `on_store` as
it came: nothing of it is decoded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.uid import UID
from pynetdicom.presentation import PresentationContext, build_context

from capture_app.clock import Clock
from capture_app.net.callers import AllowedCallers, Certificate
from capture_app.net.deadline import Deadline
from capture_app.net.dicom import upper_layer
from capture_app.net.dicom.acceptor import ASSOCIATE_SECONDS, Acceptor, let_the_caller_close
from capture_app.net.dicom.association import UNCOMPRESSED, VERIFICATION, answer_echo
from capture_app.net.dicom.dimse_messages import (
    C_ECHO_RQ,
    C_STORE_RQ,
    IS_RESPONSE,
    Conversation,
    DimseMessage,
    ReleaseRequested,
)
from capture_app.net.listener import Caller, Listener
from capture_app.net.tls import Tls
from capture_app.net.wire import Wire

STORED: Final = 0x0000
OUT_OF_RESOURCES: Final = 0xA700
DOES_NOT_MATCH: Final = 0xA900
"""The dataset is not of the SOP class or instance that the command names."""
CANNOT_UNDERSTAND: Final = 0xC000
INVALID_INSTANCE: Final = 0x0117
"""PS3.7 C.5.6: here, another object of this UID is a patient's image already."""

TRANSFER_SYNTAXES: Final = (
    *UNCOMPRESSED,
    "1.2.840.10008.1.2.4.70",  # JPEG Lossless, first-order prediction
    "1.2.840.10008.1.2.4.57",  # JPEG Lossless
    "1.2.840.10008.1.2.4.80",  # JPEG-LS Lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 Lossless
    "1.2.840.10008.1.2.5",  # RLE Lossless
    "1.2.840.10008.1.2.4.50",  # JPEG Baseline
    "1.2.840.10008.1.2.4.51",  # JPEG Extended
    "1.2.840.10008.1.2.4.81",  # JPEG-LS Near-lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
)
"""In this order: who offers several in one context is never asked to lose anything. Neither a
deflated one, which has no limit until it is inflated, nor Big Endian, which is retired.
"""

MOST_CONNECTIONS: Final = 4
"""Each may hold an object in memory."""
_IDLE_SECONDS: Final = 60.0
_MESSAGE_SECONDS: Final = 30.0
_SLOWEST_BYTES_PER_SECOND: Final = 250_000
_CALLER: Final = "caller"  # in errors that are logged, never shown


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """A C-STORE as it came; `dataset` is still encoded, in `transfer_syntax_uid`."""

    peer: str
    calling_ae_title: str
    certificate: Certificate | None
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    dataset: bytes


class StorageScp:
    """Takes objects of the SOP classes. `on_store` answers with a status, from any thread.

    `known_ae_titles` may call, each from where one of those who have it may; `ae_title` is ours.
    With `tls` that asks for them, callers must show a certificate. `on_stranger` and `on_too_long`
    are given an address: of who may not call, and of who sent an object beyond `longest_object`.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ae_title: str,
        known_ae_titles: Mapping[str, Sequence[AllowedCallers]],
        sop_class_uids: Sequence[str],
        on_store: Callable[[StoreRequest], int],
        clock: Clock,
        longest_object: int,
        tls: Tls | None = None,
        on_stranger: Callable[[str], None] = lambda _peer: None,
        on_too_long: Callable[[str], None] = lambda _peer: None,
    ) -> None:
        self._acceptor = Acceptor(
            ae_title,
            known_ae_titles,
            _supported(sop_class_uids),
            source="receiver",
            on_stranger=on_stranger,
        )
        self._on_store = on_store
        self._on_too_long = on_too_long
        self._longest_object = longest_object
        self._clock = clock
        self._listener = Listener(
            host,
            port,
            self._converse,
            name="receiver",
            clock=clock,
            most_callers=MOST_CONNECTIONS,
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
        conversation = Conversation(
            wire,
            terms,
            longest_data=self._longest_object,
            on_too_long=lambda: self._on_too_long(caller.peer),
        )
        whole = _MESSAGE_SECONDS + self._longest_object / _SLOWEST_BYTES_PER_SECOND
        while True:
            wire.deadline = Deadline.after(self._clock, _IDLE_SECONDS)
            try:
                conversation.await_message()
            except ReleaseRequested:
                wire.send(upper_layer.RELEASE_RP_PDU)
                let_the_caller_close(wire)
                return
            caller.begin_work()  # an object that is on its way makes room for nobody
            wire.deadline = Deadline.after(self._clock, whole)
            self._answer(conversation, conversation.receive(), caller)
            caller.end_work()

    def _answer(self, conversation: Conversation, message: DimseMessage, caller: Caller) -> None:
        if message.message_id is None:
            conversation.protocol_error()
        if message.field == C_ECHO_RQ:
            answer_echo(conversation, message)
        elif (
            message.field == C_STORE_RQ
            and message.data
            and message.affected_sop_class_uid == message.context.abstract_syntax
        ):
            request = StoreRequest(
                caller.peer,
                conversation.terms.peer_ae_title,
                caller.certificate,
                message.affected_sop_class_uid,
                message.affected_sop_instance_uid,
                message.context.transfer_syntax,
                message.data,
            )
            status = self._on_store(request)
            conversation.wire.deadline = Deadline.after(self._clock, _MESSAGE_SECONDS)
            conversation.send(
                message.context.context_id,
                CommandField=C_STORE_RQ | IS_RESPONSE,
                MessageIDBeingRespondedTo=message.message_id,
                AffectedSOPClassUID=UID(message.affected_sop_class_uid),
                AffectedSOPInstanceUID=UID(message.affected_sop_instance_uid),
                Status=status,
            )
        else:
            conversation.protocol_error()


def _supported(sop_class_uids: Sequence[str]) -> list[PresentationContext]:
    images = [build_context(uid, list(TRANSFER_SYNTAXES)) for uid in sop_class_uids]
    return [*images, build_context(VERIFICATION, list(UNCOMPRESSED))]
