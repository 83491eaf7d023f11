"""Received objects as files and rows: nothing that a scanner was told to be safe is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.errors import DiskFullError, RuleError
from capture_app.model.operator import Operator, Role
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving import keeping
from capture_app.outbox.receiving.keeping import Kept, keep_received, waiting_objects
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from tests.outboxes import PACS, begin, close, keep, open_outbox, sealed_files
from tests.receiving import keep_one, letters

BOSS = Operator("boss", "Boss", (Role.ADMINISTER,))
UID = "2.25.9"


@pytest.fixture
def outbox(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    outbox = open_outbox(tmp_path, clock)
    yield outbox
    close(outbox)


def test_the_file_of_a_discarded_object_goes_after_a_day_and_not_before(
    outbox: Outbox, clock: FixedClock
) -> None:
    received = keep_one(outbox)
    keeping.discard(outbox.spool, received.letter, BOSS)
    clock.advance(23 * 3600)
    assert keeping.clean_discarded(outbox.spool) == 0
    keeping.bring_back(outbox.spool, received.letter, BOSS)
    keeping.discard(outbox.spool, received.letter, BOSS)
    clock.advance(23 * 3600)
    assert keeping.clean_discarded(outbox.spool) == 0, "the day begins anew"
    clock.advance(2 * 3600)
    assert keeping.clean_discarded(outbox.spool) == 1
    assert sealed_files(outbox.spool.received) == []
    with pytest.raises(RuleError, match="too long ago"):
        keeping.bring_back(outbox.spool, received.letter, BOSS)
    assert recover(outbox.spool, (PACS,)).alarms == []
    assert inspect(outbox.spool).whole


def test_what_was_discarded_and_comes_again_waits_again(outbox: Outbox) -> None:
    received = keep_one(outbox)
    keeping.discard(outbox.spool, received.letter, BOSS)
    assert letters(outbox, UID) == []
    keep_one(outbox)
    assert letters(outbox, UID) == [received.letter]


def test_two_that_say_different_things_under_one_uid_wait_side_by_side(outbox: Outbox) -> None:
    first, second = keep_one(outbox), keep_one(outbox, patient_id="777")
    assert keep_one(outbox).letter == first.letter, "the same once more is not another"
    assert set(letters(outbox, UID)) == {first.letter, second.letter}
    assert [one.letters for one in waiting_objects(outbox.spool)] == [2, 2]
    assert not any(one.is_alone for one in waiting_objects(outbox.spool))


def test_an_object_under_the_uid_of_a_picture_of_ours_is_not_kept(
    outbox: Outbox, clock: FixedClock
) -> None:
    ours = keep(outbox, begin(outbox, clock))
    keep_one(outbox, ours)
    assert letters(outbox, ours) == []
    received = keep_one(outbox)
    spool = outbox.spool
    again = keep_received(spool, received, b"", min_free_bytes=0, most_a_day=10)
    assert again is Kept.AGAIN


def test_the_room_of_a_day_is_that_of_the_last_24_hours(outbox: Outbox, clock: FixedClock) -> None:
    keep_one(outbox)
    (size,) = (one.size for one in waiting_objects(outbox.spool))
    with pytest.raises(DiskFullError, match="24 hours"):
        keep_one(outbox, "2.25.10", most_a_day=size + 1)
    clock.advance(timedelta(days=1).total_seconds() + 1)
    keep_one(outbox, "2.25.10", most_a_day=size + 1)
    with pytest.raises(DiskFullError, match="room"):
        keep_one(outbox, "2.25.11", min_free_bytes=1 << 60)
    assert len(waiting_objects(outbox.spool)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(damage, marks=pytest.mark.expects_log("received-rows-put-right"))
        for damage in (
            "filed_at = 'zz'",
            "discarded_at = '9999-12-31T23:59:59.000000+00:00'",
            "letter = 'zz'",
            "sealed = x'00'",
        )
    ]
    + ["file = NULL", "file = 'zz'", "sop_instance_uid = 'zz'"],
)
def test_a_damaged_row_is_named_and_its_image_waits_after_the_next_start(
    outbox: Outbox, damage: str
) -> None:
    received = keep_one(outbox)
    with outbox.spool.database.transaction() as connection:
        connection.execute(f"UPDATE received SET {damage}")  # noqa: S608 - words of this test
    assert not inspect(outbox.spool).whole
    recover(outbox.spool, (PACS,))
    (waiting,) = waiting_objects(outbox.spool)
    assert waiting.received == received
    assert keeping.open_received(outbox.spool, received.letter)[1]
