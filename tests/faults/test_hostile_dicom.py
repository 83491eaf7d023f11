"""What archives give back, against the child that parses it."""

import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from capture_app.archive.held_copy import (
    PARSE_DICOM,
    HeldCopy,
    SandboxedReader,
    read_held_copy,
)
from capture_app.clock import SystemClock
from capture_app.dicom.build import build
from capture_app.dicom.part10 import write
from capture_app.errors import ChildEndedError, SandboxError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import ChildEnd
from tests.faults.test_sandbox import HOSTILE
from tests.sealing import jpeg, request

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def reader() -> Iterator[SandboxedReader]:
    with closing(SandboxedReader(CLOCK)) as reader:
        yield reader


def part10() -> bytes:
    return write(build(request(image=prepare_jpeg(jpeg(48, 64)))))


def file_of(dataset: bytes, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A Part 10 file round the bytes of a dataset."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(uid)) + uid
    return (
        bytes(128)
        + b"DICM\x02\x00\x00\x00UL\x04\x00"
        + struct.pack("<L", len(meta))
        + meta
        + dataset
    )


def nested(depth: int) -> bytes:
    """Sequences within sequences: 20 bytes each, and a frame of the interpreter's stack."""
    return b"\x40\x00\x60\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * depth


def test_it_reads_as_the_application_itself_would(reader: SandboxedReader) -> None:
    instance = part10()
    for length in (None, 700):
        found = reader(instance, length)
        assert isinstance(found, HeldCopy)
        assert found == read_held_copy(instance, length)
        assert found.digest


def test_a_deflated_copy_is_named_and_not_inflated(reader: SandboxedReader) -> None:
    bomb = file_of(b"\x63\x60" * 1000, DeflatedExplicitVRLittleEndian)
    assert reader(bomb, None) == DeflatedExplicitVRLittleEndian


@pytest.mark.expects_log("child-ended")
@pytest.mark.parametrize(
    "hostile",
    [b"", b"no file of DICOM", file_of(nested(4_000)), file_of(b"\xff" * 5_000), part10()[:-30]],
    ids=["nothing", "text", "nested", "noise", "cut"],
)
def test_what_cannot_be_read_ends_nothing_but_its_own_question(
    reader: SandboxedReader, hostile: bytes
) -> None:
    with pytest.raises(SandboxError):
        reader(hostile, None)
    assert isinstance(reader(part10(), None), HeldCopy)


@pytest.mark.expects_log("child-ended", "'reason': 'memory'")
def test_a_parser_that_takes_too_much_is_ended() -> None:
    reader = SandboxedReader(CLOCK)
    reader._child = Child(replace(PARSE_DICOM, name="hog", memory=50 << 20), CLOCK, command=HOSTILE)
    with closing(reader), pytest.raises(ChildEndedError) as caught:
        reader(part10(), None)
    assert caught.value.why == ChildEnd.MEMORY
