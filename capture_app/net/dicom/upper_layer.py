"""The DICOM Upper Layer as one blocking conversation (PS3.8 7, 9.3).

pynetdicom encodes and decodes the association PDUs. Its own reactor is not used: its time-outs do
not bound a peer that hangs, its abort hangs with it, and it takes PDUs of any announced length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext, build_context

from capture_app.errors import DeliveryError, TransientDeliveryError
from capture_app.model.implementation import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
)
from capture_app.model.reason import Reason
from capture_app.net.wire import Wire, failure

ASSOCIATE_RQ: Final = 0x01
ASSOCIATE_AC: Final = 0x02
ASSOCIATE_RJ: Final = 0x03
P_DATA: Final = 0x04
RELEASE_RQ: Final = 0x05
RELEASE_RP: Final = 0x06
ABORT: Final = 0x07

LONGEST_PDU: Final = 1 << 20
"""A peer that announces a longer one is cut off before a byte of it is read."""
LONGEST_ASSOCIATE_PDU: Final = 1 << 16
"""128 contexts of ten transfer syntaxes each fit. Anybody may send one, and of each of its bytes
the decoder makes some fifty: it must be small."""

_LONGEST: Final = {
    ASSOCIATE_RQ: LONGEST_ASSOCIATE_PDU,
    ASSOCIATE_AC: LONGEST_ASSOCIATE_PDU,
    ASSOCIATE_RJ: 4,
    P_DATA: LONGEST_PDU,
    RELEASE_RQ: 4,
    RELEASE_RP: 4,
    ABORT: 4,
}

APPLICATION_CONTEXT_NAME: Final = UID("1.2.840.10008.3.1.1.1")
RELEASE_RP_PDU: Final = struct.pack(">BxLL", RELEASE_RP, 4, 0)
_RELEASE_RQ_PDU: Final = struct.pack(">BxLL", RELEASE_RQ, 4, 0)
_ABORT_PDU: Final = struct.pack(">BxLxxBB", ABORT, 4, 0, 0)  # by the service user

_ANNOUNCED_PDU: Final = 1 << 17  # what we ask peers to keep to
_LARGEST_FRAGMENT: Final = 1 << 17
_SMALLEST_FRAGMENT: Final = 64
_WRITTEN_TOGETHER: Final = 1 << 18
_IS_COMMAND: Final = 0x01
_IS_LAST: Final = 0x02


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context as it is proposed: the peer picks one of the transfer syntaxes."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcceptedContext:
    """A presentation context as it was agreed."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides agreed on. `longest_fragment` is how much of a message fits one PDU."""

    peer_ae_title: str
    contexts: tuple[AcceptedContext, ...]
    longest_fragment: int


@dataclass(frozen=True, slots=True)
class DataValue:
    """A presentation data value (PS3.8 9.3.5.1)."""

    context_id: int
    is_command: bool
    is_last: bool
    data: memoryview


def read_pdu(wire: Wire, *, within_message: bool = False) -> tuple[int, bytes]:
    """The next PDU: its type, and all of its bytes.

    Raises "protocol" for one that there is not (PS3.8 9.3.1), or that is too long for its type.
    """
    header = wire.receive(6, within_message=within_message)
    kind, length = struct.unpack(">BxL", header)
    if length > _LONGEST.get(kind, -1):
        raise failure(wire.name, "protocol")
    return kind, header + wire.receive(length, within_message=True)


def request_association(
    wire: Wire, *, calling: str, called: str, contexts: Sequence[Context]
) -> Terms:
    """Proposes an association and reads the answer (PS3.8 7.1).

    Raises TransientDeliveryError: "rejected-calling-ae-title", "rejected-called-ae-title",
    "rejected-busy", "rejected", and what the wire raises. Which contexts were accepted is in the
    answer; none is no error here.
    """
    proposed = [build_context(c.abstract_syntax, list(c.transfer_syntaxes)) for c in contexts]
    for number, context in enumerate(proposed):
        context.context_id = 2 * number + 1
    request = A_ASSOCIATE()
    request.application_context_name = APPLICATION_CONTEXT_NAME
    request.calling_ae_title = calling
    request.called_ae_title = called
    request.presentation_context_definition_list = proposed
    request.user_information = user_information()
    wire.send(A_ASSOCIATE_RQ(request).encode())
    kind, pdu = read_pdu(wire)
    if kind == ASSOCIATE_RJ:
        raise _rejection(wire.name, pdu)
    if kind == ABORT:
        raise failure(wire.name, "aborted")
    if kind != ASSOCIATE_AC:
        raise failure(wire.name, "protocol")
    try:
        answer = A_ASSOCIATE_AC()
        answer.decode(pdu)
        primitive: Any = answer.to_primitive()
        return _terms(wire.name, called, proposed, primitive)
    except DeliveryError:
        raise
    except Exception as error:  # hostile bytes: the decoder may raise anything
        raise failure(wire.name, "protocol") from error


def _terms(name: str, called: str, proposed: list[PresentationContext], answer: Any) -> Terms:
    results = answer.presentation_context_definition_results_list
    if not results:  # each context that was proposed has to be answered (PS3.8 9.3.3.2)
        raise failure(name, "protocol")
    ours = {context.context_id: context for context in proposed}
    accepted = tuple(
        AcceptedContext(
            context.context_id,
            str(ours[context.context_id].abstract_syntax),
            str(context.transfer_syntax[0]),
        )
        for context in results
        if context.result == 0 and context.context_id in ours
        # One that was not proposed is no agreement (PS3.8 9.3.3.2): a deflated one least of all.
        if context.transfer_syntax[0] in ours[context.context_id].transfer_syntax
    )
    return Terms(called, accepted, longest_fragment(name, answer.maximum_length_received))


def longest_fragment(name: str, peers_longest_pdu: int | None) -> int:
    """How much of a message fits one PDU of the peer; even, as fragments must be (PS3.8 E.1)."""
    room = (peers_longest_pdu or _LARGEST_FRAGMENT + 6) - 6
    if room < _SMALLEST_FRAGMENT:
        raise failure(name, "protocol")
    return min(room - room % 2, _LARGEST_FRAGMENT)


def user_information() -> list[Any]:
    """Who we are and how long a PDU we take (PS3.7 D.3.3)."""
    length = MaximumLengthNotification()
    length.maximum_length_received = _ANNOUNCED_PDU
    class_uid = ImplementationClassUIDNotification()
    class_uid.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    return [length, class_uid, version]


def _rejection(name: str, pdu: bytes) -> TransientDeliveryError:
    # Always transient: what has to change is a table of the archive or its load, not the image.
    try:
        answer = A_ASSOCIATE_RJ()
        answer.decode(pdu)
        source, reason = answer.source, answer.reason_diagnostic
    except Exception:  # noqa: BLE001 - hostile bytes: the decoder may raise anything
        source, reason = None, None
    match source, reason:
        case 1, 3:
            return TransientDeliveryError(Reason.of("rejected-calling-ae-title", name=name))
        case 1, 7:
            return TransientDeliveryError(Reason.of("rejected-called-ae-title", name=name))
        case 3, 1 | 2:
            return TransientDeliveryError(Reason.of("rejected-busy", name=name))
        case _:
            return TransientDeliveryError(Reason.of("rejected", name=name))


def send_message(
    wire: Wire, context_id: int, command: bytes, data: Iterable[bytes], *, longest: int
) -> None:
    """Sends a DIMSE message as P-DATA-TF PDUs (PS3.8 9.3.5), the data as it is. Empty: none.

    The data is gone through once and never held; its pieces have even lengths but for the last.
    """
    together: list[bytes | memoryview] = []
    size = 0
    for part in chain(
        data_pdus(context_id, (command,), is_command=True, longest=longest),
        data_pdus(context_id, data, is_command=False, longest=longest),
    ):
        together.append(part)
        size += len(part)
        if size >= _WRITTEN_TOGETHER:
            wire.send(b"".join(together))
            together, size = [], 0
    if together:
        wire.send(b"".join(together))


def data_pdus(
    context_id: int, data: Iterable[bytes], *, is_command: bool, longest: int
) -> Iterator[bytes | memoryview]:
    """A message's command or data as P-DATA-TF PDUs of one fragment each: header, data, ..."""
    for piece, is_last in _cut(data, longest):
        control = (_IS_COMMAND if is_command else 0) | (_IS_LAST if is_last else 0)
        length = len(piece) + 2
        yield struct.pack(">BxLLBB", P_DATA, length + 4, length, context_id, control)
        yield piece


def _cut(data: Iterable[bytes], longest: int) -> Iterator[tuple[memoryview, bool]]:
    """Pieces of at most that length, each with whether it is the last."""
    waiting: memoryview | None = None
    for piece in data:
        view = memoryview(piece)
        for begin in range(0, len(view), longest):
            if waiting is not None:
                yield waiting, False
            waiting = view[begin : begin + longest]
    if waiting is not None:
        yield waiting, True


def fragments(wire: Wire, pdu: bytes) -> Iterator[DataValue]:
    """The presentation data values of a P-DATA-TF PDU."""
    view = memoryview(pdu)[6:]
    while view:
        if len(view) < 6:
            raise failure(wire.name, "protocol")
        length, context_id, control = struct.unpack_from(">LBB", view)
        if not 2 <= length <= len(view) - 4:
            raise failure(wire.name, "protocol")
        yield DataValue(
            context_id, bool(control & _IS_COMMAND), bool(control & _IS_LAST), view[6 : 4 + length]
        )
        view = view[4 + length :]


def release(wire: Wire) -> None:
    """Ends the association in order (PS3.8 7.2); a peer that does not answer is left."""
    with suppress(DeliveryError):
        wire.send(_RELEASE_RQ_PDU)
        while read_pdu(wire)[0] == P_DATA:  # an answer that crossed our request
            pass


def abort(wire: Wire) -> None:
    """Tells the peer that the association is over (PS3.8 7.3); no answer is awaited."""
    with suppress(DeliveryError):
        wire.send(_ABORT_PDU)
