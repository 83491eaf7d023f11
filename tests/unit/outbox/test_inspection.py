from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.outbox.keeping.drafts import UNDO_DELETE_FOR
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.steps.retain import clean_deleted
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import verify_sealed
from capture_app.store.sealed_form import SealedHeader
from tests import sealing
from tests.outboxes import begin, keep


def while_it_looks(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Does something once, after the first file was proved."""
    acts = [act]

    def verify(path: Path, cipher: Cipher) -> SealedHeader:
        proved = verify_sealed(path, cipher)
        if acts:
            acts.pop()()
        return proved

    monkeypatch.setattr("capture_app.outbox.recovery.inspection.verify_sealed", verify)


def test_a_whole_folder_is_whole(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    keep(outbox, exam)
    outbox.seal([keep(outbox, exam)], sealing.NURSE, release_now=True)
    found = inspect(outbox.spool)
    assert found.whole
    assert (found.files, found.without_row) == (3, ())


def test_what_is_damaged_gone_or_unknown_is_named(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    uids = [keep(outbox, exam) for _ in range(3)]
    rows = outbox.spool.database.read().execute("SELECT capture_id, file FROM capture")
    files = dict(rows.fetchall())
    damaged, gone, unknown = (outbox.spool.captures / files[uid] for uid in uids)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    gone.unlink()
    stray = unknown.with_name("0123456789abcdef.sealed")
    stray.write_bytes(unknown.read_bytes())
    found = inspect(outbox.spool)
    assert not found.whole
    assert (found.broken, found.missing, found.without_row) == (
        (damaged.name,),
        (uids[1],),
        (stray.name,),
    )


def test_whole_files_that_changed_places_are_broken(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    sent = [keep(outbox, exam) for _ in range(2)]
    outbox.seal(sent, sealing.NURSE, release_now=True)
    folders = (outbox.spool.captures, outbox.spool.instances)
    for folder in folders:
        one, other = folder.glob("*.sealed")
        aside = folder / "aside"
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
    found = inspect(outbox.spool)
    named = sorted(path.name for folder in folders for path in folder.glob("*.sealed"))
    assert sorted(found.broken) == named
    assert not found.whole


def test_what_is_kept_or_removed_meanwhile_is_no_damage(
    outbox: Outbox, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = begin(outbox, clock)
    old = [keep(outbox, exam) for _ in range(2)]
    outbox.delete(old, sealing.NURSE)

    def work() -> None:
        keep(outbox, exam)
        clock.advance((UNDO_DELETE_FOR + timedelta(minutes=1)).total_seconds())
        assert clean_deleted(outbox.spool) == 2

    while_it_looks(monkeypatch, work)
    found = inspect(outbox.spool)
    assert found.whole
    assert not found.without_row
