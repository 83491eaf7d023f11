"""Objects that no scanner would send, over a real association: each is answered, or cut off; the
port goes on, and what it said to be kept is kept whole.
"""

import struct
from collections import Counter
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from pydicom import dcmread

from capture_app.archive.dimse import dataset_of
from capture_app.clock import SystemClock
from capture_app.errors import ImageError, TransientDeliveryError
from capture_app.model.part10_file import Part10File
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import Peer, open_association
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.wire import Address
from capture_app.outbox.receiving.keeping import open_received, waiting_objects
from capture_app.outbox.receiving.looking import ReceivedPictures
from capture_app.outbox.recovery.inspection import inspect
from tests.draws import PATIENCE_S, drawn
from tests.fuzz.spoiling import MAY_GROW_BY, Growth, spoilt
from tests.outboxes import open_outbox
from tests.receiving import RECEIVER, ULTRASOUND, receiving, ultrasound

CLOCK = SystemClock()
OBJECTS = drawn(30, whole=3000)
US, EXPLICIT = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.1.2.1"


def store(port: int, dataset: bytes, uid: str) -> int | None:
    """The status; None where it was cut off."""
    peer = Peer(Address("receiver", "127.0.0.1", port), "CAPTURE", calling_ae_title="SCANNER1")
    deadline = Deadline.after(CLOCK, 90.0)
    with (
        suppress(TransientDeliveryError),
        open_association(peer, [Context(US, (EXPLICIT,))], deadline) as assoc,
    ):
        return assoc.store(
            Part10File.of(dataset),
            sop_class_uid=US,
            sop_instance_uid=uid,
            transfer_syntax_uid=EXPLICIT,
        )
    return None


def hostile(chance: Random, whole: bytes) -> bytes:
    """A dataset with its head spoilt, cut, with lengths that are none, or deep."""
    head, rest = whole[:1500], whole[1500:]
    match chance.randrange(5):
        case 0:
            return spoilt(chance, head) + rest
        case 1:
            return whole[: chance.randrange(2, len(whole)) // 2 * 2]
        case 2:
            at = chance.randrange(0, len(head) - 8)
            return head[:at] + struct.pack("<L", chance.getrandbits(32)) + head[at + 4 :] + rest
        case 3:
            level = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
            level += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
            return level * chance.randrange(1, 2000) + whole
        case _:
            return chance.randbytes(chance.randrange(2, 5000) // 2 * 2)


@pytest.mark.expects_log("object-refused", "child-ended")
@pytest.mark.filterwarnings("ignore::UserWarning")  # of the libraries, about what they were given
@pytest.mark.timeout(PATIENCE_S)
def test_each_is_answered_and_what_is_kept_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    ds = dcmread(ultrasound(tmp_path, ULTRASOUND[0], SOPInstanceUID="2.25.1"))
    ds.Rows, ds.Columns, ds.PixelData = 8, 8, bytes(192)
    small = tmp_path / "small.dcm"
    ds.save_as(small)
    whole = bytes(dataset_of(small.read_bytes()))
    chance, growth, told = Random(20_261_128), Growth(), Counter[int | None]()
    settings = replace(RECEIVER, max_object_mb=1)
    with (
        closing(open_outbox(folder, CLOCK)) as outbox,
        closing(ReceivedPictures(CLOCK)) as pictures,
        receiving(outbox, settings) as receiver,
    ):
        for _ in range(OBJECTS):
            told[store(receiver.port, hostile(chance, whole), "2.25.1")] += 1
            growth.look()
        assert store(receiver.port, whole, "2.25.1") == 0, "the port goes on"
        assert set(told) <= {0x0000, 0xA900, 0xC000, None}
        assert told[0xC000] + told[0xA900] > OBJECTS // 3
        waiting = waiting_objects(outbox.spool)
        assert len(waiting) <= told[0x0000] + 1
        for one in waiting:
            _, content = open_received(outbox.spool, one.letter)
            with suppress(ImageError):
                pictures.picture(content, EXPLICIT)
        assert inspect(outbox.spool).whole
    assert growth.most <= MAY_GROW_BY
