"""What a stranger may send to the port on which archives report: PDUs of every kind, mostly bad."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from random import Random
from typing import Final

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context

from tests.fuzz.spoiling import spoilt

AE_TITLE: Final = "CAPTURE"
ARCHIVE: Final = "PACS"
COMMITMENT: Final = "1.2.840.10008.1.20.1"
VERIFICATION: Final = "1.2.840.10008.1.1"
_RELEASE: Final = struct.pack(">BxLL", 0x05, 4, 0)
_ABORT: Final = struct.pack(">BxLxxBB", 0x07, 4, 0, 0)
_LENGTHS: Final = (0, 1, 5, 1 << 17, (1 << 20) + 1, 0x7FFFFFFF, 0xFFFFFFFF)


def request(syntaxes: Sequence[UID] = (ImplicitVRLittleEndian,)) -> bytes:
    """A-ASSOCIATE-RQ of an archive that we know (PS3.8 9.3.2)."""
    asked = A_ASSOCIATE()
    asked.application_context_name = "1.2.840.10008.3.1.1.1"
    asked.calling_ae_title, asked.called_ae_title = ARCHIVE, AE_TITLE
    longest, ours = MaximumLengthNotification(), ImplementationClassUIDNotification()
    longest.maximum_length_received = 16_384
    ours.implementation_class_uid = "1.2.3.4"
    asked.user_information = [longest, ours]
    contexts = [build_context(one, list(syntaxes)) for one in (COMMITMENT, VERIFICATION)]
    for number, context in enumerate(contexts):
        context.context_id = 2 * number + 1
    asked.presentation_context_definition_list = contexts
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(asked)
    return pdu.encode()


def _encoded(ds: Dataset) -> bytes:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, True
    write_dataset(stream, ds)
    return stream.getvalue()


def _element(tag: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHL", 0, tag, len(value)) + value


def _command(*elements: bytes) -> bytes:
    content = b"".join(elements)
    return _element(0x0000, struct.pack("<L", len(content))) + content


def _p_data(context_id: int, control: int, content: bytes) -> bytes:
    item = struct.pack(">LBB", len(content) + 2, context_id, control) + content
    return struct.pack(">BxL", 0x04, len(item)) + item


def _short(number: int) -> bytes:
    return struct.pack("<H", number & 0xFFFF)


def echo(number: int) -> list[bytes]:
    """C-ECHO-RQ (PS3.7 9.3.5)."""
    command = _command(
        _element(0x0002, VERIFICATION.encode()),
        _element(0x0100, _short(0x0030)),
        _element(0x0110, _short(number)),
        _element(0x0800, _short(0x0101)),
    )
    return [_p_data(3, 0x03, command)]


def _report(chance: Random, number: int) -> list[bytes]:
    """N-EVENT-REPORT-RQ on commitments (PS3.4 J.3.3) of transactions that nobody asked for."""
    command = _command(
        _element(0x0002, COMMITMENT.encode()),
        _element(0x0100, _short(0x0100)),
        _element(0x0110, _short(number)),
        _element(0x0800, _short(0x0001)),
        _element(0x1000, b"1.2.840.10008.1.20.1.1"),
        _element(0x1002, _short(chance.choice((1, 2, 3)))),
    )
    ds = Dataset()
    ds.TransactionUID = f"2.25.{chance.getrandbits(100)}"
    items = []
    for _ in range(chance.choice((0, 1, 3, 50))):
        item = Dataset()
        item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
        item.ReferencedSOPInstanceUID = f"2.25.{chance.getrandbits(100)}"
        item.FailureReason = chance.randrange(1 << 16)
        items.append(item)
    ds.ReferencedSOPSequence, ds.FailedSOPSequence = items, items[:1]
    content = _encoded(ds)
    if chance.random() < 0.5:
        content = spoilt(chance, content)
    if chance.random() < 0.1:  # nested deeper than anybody reads
        content = struct.pack("<HHL", 0x0008, 0x1199, 0xFFFFFFFF) * 1_000 + content
    half = len(content) // 2
    pieces = [(0x00, content[:half]), (0x02, content[half:])]
    return [_p_data(1, 0x03, command), *(_p_data(1, c, part) for c, part in pieces)]


def large_report(chance: Random) -> list[bytes]:
    """A report of a megabyte, the most that is read of one, in elements as small as they can be."""
    command = _command(
        _element(0x0002, COMMITMENT.encode()),
        _element(0x0100, _short(0x0100)),
        _element(0x0110, _short(1)),
        _element(0x0800, _short(0x0001)),
        _element(0x1000, b"1.2.840.10008.1.20.1.1"),
        _element(0x1002, _short(1)),
    )
    item = chance.choice((b"\xfe\xff\x00\xe0\0\0\0\0", b"\x08\x00\x55\x11\0\0\0\0"))
    content = struct.pack("<HHL", 0x0008, 0x1199, 0xFFFFFFFF) + item * 130_000
    pieces = [content[at : at + (1 << 17)] for at in range(0, len(content), 1 << 17)]
    controls = [0x00] * (len(pieces) - 1) + [0x02]
    data = [_p_data(1, control, piece) for control, piece in zip(controls, pieces, strict=True)]
    return [_p_data(1, 0x03, command), *data]


def conversation(chance: Random) -> list[bytes]:
    """The PDUs of one caller, in order; most of them are not what they should be."""
    others = [ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
    begin = request([ImplicitVRLittleEndian] if chance.random() < 0.8 else others)
    pdus = [spoilt(chance, begin) if chance.random() < 0.25 else begin]
    for number in range(chance.randint(1, 8)):
        match chance.randrange(8):
            case 0 | 1:
                said = echo(number)
            case 2 | 3 | 4:
                said = _report(chance, number)
            case 5:
                kind, length = chance.randrange(256), chance.choice(_LENGTHS)
                said = [struct.pack(">BxL", kind, length) + chance.randbytes(min(length, 64))]
            case 6:
                said = [_p_data(chance.randrange(256), chance.randrange(4), chance.randbytes(80))]
            case _:
                said = [chance.choice((_RELEASE, _ABORT, begin))]
        if chance.random() < 0.4:
            at = chance.randrange(len(said))
            said[at] = spoilt(chance, said[at])
        pdus += said
    return pdus
