"""Files that an earlier version sealed (tests/golden/sealed-1): they lie on the disks of hospitals.

They were written by the code of their day and are never written anew. In them: a draft of raw
pixels and one of JPEG, and a sealed instance of each; the sender was no longer who took them.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.catalog.catalog import choice_of
from capture_app.clock import FixedClock
from capture_app.dicom.part10 import read
from capture_app.model.encoded_image import PixelCoding
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.sealing.identity import SealedIdentity, read_identity
from capture_app.outbox.steps.tasks import open_tasks, read_instance
from capture_app.store.sealed import open_identity
from tests import outboxes, sealing
from tests.outboxes import PACS
from tests.waiting import Eventually

pytestmark = pytest.mark.expects_log("trail-broken")  # the database of these files is not here

GOLDEN = Path(__file__).parents[2] / "golden" / "sealed-1"
RAW_DRAFT, JPEG_DRAFT, JPEG, RAW = (
    f"2.25.2419785715537801474500735927719873741{n}" for n in "1234"
)

_TODAY = sealing.description()
assert _TODAY.procedure is not None
DESCRIBED = replace(
    _TODAY,
    procedure=replace(_TODAY.procedure, one_sided=False),  # was another field then
    purpose=choice_of(sealing.catalog().purposes, "treatment"),
)


@pytest.fixture
def old(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    """A data folder with the files of before, whose database was lost."""
    for _ in range(20):  # the UIDs of its day were given out then
        clock.new_uid()
    shutil.copytree(GOLDEN, tmp_path, dirs_exist_ok=True)
    for file in filter(Path.is_file, tmp_path.rglob("*")):  # not of the day of the checkout
        os.utime(file, (clock.now().timestamp(),) * 2)
    outbox = outboxes.open_outbox(tmp_path, clock)
    yield outbox
    outboxes.close(outbox)


def identities(outbox: Outbox) -> dict[str, SealedIdentity]:
    spool, found = outbox.spool, {}
    for path in outboxes.sealed_files(spool.instances):
        header, record = open_identity(path, spool.cipher)
        assert header.version == 1
        found[header.uid] = read_identity(header, record)
    return found


def test_they_are_read(old: Outbox) -> None:
    found = identities(old)
    assert set(found) == {JPEG, RAW}
    for uid, identity in found.items():
        assert identity.instance.sop_instance_uid == identity.capture_id == uid
        assert identity.patient == identity.kept.exam.patient == sealing.MAI
        assert identity.kept.description == DESCRIBED
        assert (identity.kept.exam.operator.user_id, identity.user_id) == ("aokafor", "rlee")
        # What a file of before does not say is not made up.
        assert (identity.destinations, identity.sender, identity.shown) == ((), None, None)
        assert identity.instance.stream_length is None


def test_they_are_whole_and_wait_to_be_adopted(old: Outbox) -> None:
    found = inspect(old.spool)
    assert (found.files, found.broken, len(found.without_row)) == (6, (), 6)
    recover(old.spool, (PACS,))
    found = inspect(old.spool)
    assert (found.files, found.without_row, found.damaged, found.missing) == (6, (), (), ())


def test_they_go_where_the_settings_say_for_they_name_no_archive(
    old: Outbox, clock: FixedClock, tmp_path: Path, eventually: Eventually
) -> None:
    report = recover(old.spool, (PACS,))
    assert (report.adopted_captures, report.adopted_instances, report.alarms) == (4, 2, [])
    assert {task.destination for task in open_tasks(old.spool)} == {PACS}
    archive = outboxes.DirectoryArchive(tmp_path / "archive")
    engine = outboxes.open_engine(old, tmp_path, clock, archive)
    engine.start()
    try:
        eventually(lambda: old.counts().confirmed_today == 2)
    finally:
        assert engine.stop()
    assert set(archive.holds()) == {JPEG, RAW}
    for uid, part10 in archive.holds().items():
        ds = read(part10)
        assert ds.SOPInstanceUID == uid
        assert (
            ds.file_meta.TransferSyntaxUID == read_instance(old.spool, uid)[0].transfer_syntax_uid
        )


def test_their_drafts_are_sealed_in_the_form_of_today(old: Outbox) -> None:
    recover(old.spool, (PACS,))
    drafts = {draft.capture_id: draft.description for draft in old.drafts()}
    assert set(drafts) == {RAW_DRAFT, JPEG_DRAFT}
    assert old.image_of(RAW_DRAFT).coding is PixelCoding.RGB
    old.seal([*drafts], sealing.NURSE, seen=drafts, release_now=True)
    for uid in drafts:
        instance, file = read_instance(old.spool, uid)
        assert file is not None
        header, record = open_identity(old.spool.instances / file, old.spool.cipher, uid=uid)
        identity = read_identity(header, record)
        assert header.version == 2
        assert identity.destinations == (PACS,)
        assert identity.instance.fragments == instance.fragments != ()
