"""DIMSE messages on an association, whichever side opened it (PS3.7 6.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final, NoReturn

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.dsutils import decode, encode

from capture_app.errors import ConformanceError
from capture_app.net.body import Body
from capture_app.net.dicom import upper_layer
from capture_app.net.dicom.element_count import (
    refuse_too_many_elements,
    refuse_too_many_values,
)
from capture_app.net.dicom.upper_layer import AcceptedContext, DataValue, Terms
from capture_app.net.wire import Wire, failure

C_STORE_RQ: Final = 0x0001
C_FIND_RQ: Final = 0x0020
C_ECHO_RQ: Final = 0x0030
N_EVENT_REPORT_RQ: Final = 0x0100
N_ACTION_RQ: Final = 0x0130
C_CANCEL_RQ: Final = 0x0FFF
IS_RESPONSE: Final = 0x8000
_NO_DATA_SET: Final = 0x0101
_HAS_DATA_SET: Final = 0x0001

_LONGEST_COMMAND: Final = 1 << 16
_LONGEST_DATA: Final = 1 << 20  # answers to queries, commitment reports: no image comes this way


class ReleaseRequested(Exception):  # noqa: N818 - no error: the peer ends the association in order
    """The peer asked to release the association where a message could have begun."""


@dataclass(frozen=True, slots=True)
class DimseMessage:
    """A message as it was received, its command elements checked (PS3.7 E); absent ones are None.

    `responds_to` is Message ID Being Responded To. `data` is the dataset, still encoded.
    """

    context: AcceptedContext
    field: int
    message_id: int | None
    responds_to: int | None
    status: int | None
    event_type_id: int | None
    affected_sop_class_uid: str
    affected_sop_instance_uid: str
    data: bytes


class Conversation:
    """Messages in both directions on an established association. Used by one thread.

    Everything raises TransientDeliveryError: what the wire raises, "aborted" and "protocol".
    """

    def __init__(
        self,
        wire: Wire,
        terms: Terms,
        *,
        longest_data: int = _LONGEST_DATA,
        on_too_long: Callable[[], None] = lambda: None,
    ) -> None:
        """A dataset beyond `longest_data` bytes ends the association; `on_too_long` is told."""
        self.wire = wire
        self.terms = terms
        self._contexts = {context.context_id: context for context in terms.contexts}
        self._is_within_message = False
        self._context_id = 0
        self._longest_data = longest_data
        self._on_too_long = on_too_long
        self._first: DataValue | None = None
        self._incoming = self._fragments()

    def send(self, context_id: int, data: bytes | Body = b"", **elements: object) -> None:
        """Sends a message: its command elements by keyword, and its encoded dataset."""
        command = encoded_command(
            CommandDataSetType=_HAS_DATA_SET if len(data) else _NO_DATA_SET, **elements
        )
        upper_layer.send_message(
            self.wire,
            context_id,
            command,
            (data,) if isinstance(data, bytes) else data,
            longest=self.terms.longest_fragment,
        )

    def await_message(self) -> None:
        """Waits until a message begins. Raises ReleaseRequested where the peer wants to end."""
        self._first = self._next_fragment()

    def receive(self) -> DimseMessage:
        """The next whole message. Raises ReleaseRequested where the peer wants to end instead."""
        encoded = self._assembled(is_command=True, longest=_LONGEST_COMMAND)
        try:
            refuse_too_many_values(encoded)
            command = decode(BytesIO(encoded), is_implicit_vr=True, is_little_endian=True)
            field = int(command.CommandField)
            has_data = int(command.CommandDataSetType) != _NO_DATA_SET
            message_id, responds_to = (
                _number(command, "MessageID"),
                _number(command, "MessageIDBeingRespondedTo"),
            )
            status, event_type_id = _number(command, "Status"), _number(command, "EventTypeID")
            sop_class_uid = str(command.get("AffectedSOPClassUID") or "")
            sop_instance_uid = str(command.get("AffectedSOPInstanceUID") or "")
            context = self._contexts[self._context_id]
        except Exception as error:  # hostile bytes: the decoder may raise anything
            raise failure(self.wire.name, "protocol") from error
        data = self._assembled(is_command=False, longest=self._longest_data) if has_data else b""
        self._is_within_message = False
        return DimseMessage(
            context,
            field,
            message_id,
            responds_to,
            status,
            event_type_id,
            sop_class_uid,
            sop_instance_uid,
            data,
        )

    def decoded(self, message: DimseMessage) -> Dataset:
        """The dataset of a message, in the transfer syntax that was agreed."""
        syntax = UID(message.context.transfer_syntax)
        try:
            refuse_too_many_elements(message.data, is_implicit_vr=syntax.is_implicit_VR)
            refuse_too_many_values(message.data)
            return decode(BytesIO(message.data), syntax.is_implicit_VR, syntax.is_little_endian)
        except Exception as error:  # hostile bytes: the decoder may raise anything
            raise failure(self.wire.name, "protocol") from error

    def encoded(self, ds: Dataset, context: AcceptedContext) -> bytes:
        """A dataset of ours in the transfer syntax that was agreed."""
        syntax = UID(context.transfer_syntax)
        return _encoded(ds, is_implicit_vr=syntax.is_implicit_VR)

    def protocol_error(self) -> NoReturn:
        """Ends the association: the peer said something that has no place here."""
        raise failure(self.wire.name, "protocol")

    def _assembled(self, *, is_command: bool, longest: int) -> bytes:
        assembled = bytearray()
        while True:
            fragment = self._next_fragment()
            self._context_id = fragment.context_id
            if fragment.is_command != is_command:
                self.protocol_error()
            if len(assembled) + len(fragment.data) > longest:
                self._on_too_long()
                self.protocol_error()
            assembled += fragment.data
            if fragment.is_last:
                return bytes(assembled)

    def _next_fragment(self) -> DataValue:
        first, self._first = self._first, None
        if first is not None:
            return first
        for fragment in self._incoming:
            self._is_within_message = True
            return fragment
        return self.protocol_error()  # it is used after it failed

    def _fragments(self) -> Iterator[DataValue]:
        while True:
            kind, pdu = upper_layer.read_pdu(self.wire, within_message=self._is_within_message)
            if kind == upper_layer.P_DATA:
                yield from upper_layer.fragments(self.wire, pdu)
            elif kind == upper_layer.RELEASE_RQ and not self._is_within_message:
                raise ReleaseRequested
            elif kind in (upper_layer.ABORT, upper_layer.RELEASE_RQ):
                raise failure(self.wire.name, "aborted")
            else:
                self.protocol_error()


def encoded_command(**elements: object) -> bytes:
    """A command set with its group length: always Implicit VR Little Endian (PS3.7 6.3.1)."""
    command = Dataset()
    for keyword, value in elements.items():
        setattr(command, keyword, value)
    body = _encoded(command, is_implicit_vr=True)
    return struct.pack("<HHLL", 0x0000, 0x0000, 4, len(body)) + body


def _number(command: Dataset, keyword: str) -> int | None:
    value = command.get(keyword)
    return None if value is None else int(value)


def _encoded(ds: Dataset, *, is_implicit_vr: bool) -> bytes:
    encoded = encode(ds, is_implicit_vr, is_little_endian=True)
    if encoded is None:
        raise ConformanceError("a dataset of ours cannot be encoded")
    return encoded
