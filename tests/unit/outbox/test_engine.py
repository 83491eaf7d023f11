from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from capture_app.audit.verify import verify_chain
from capture_app.clock import FixedClock
from capture_app.errors import (
    DeliveryError,
    RefusedDeliveryError,
    TransientDeliveryError,
)
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import (
    ImageState,
    Instance,
    ProofKind,
    ProofReceipt,
    StoreReceipt,
)
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import Reason
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.steps.tasks import claim, open_tasks
from capture_app.settings.schema import Capture
from capture_app.store.role import EngineRole
from tests import outboxes, sealing
from tests.outboxes import PACS, DirectoryArchive
from tests.unit.outbox.rig import Rig
from tests.waiting import Eventually


def test_a_sent_picture_is_stored_proved_and_confirmed(rig: Rig) -> None:
    (uid,) = rig.send()
    rig.start()
    rig.until(ImageState.CONFIRMED, uid)
    status = rig.status(uid)
    assert (status.proof, status.destination, status.last_error) == (
        ProofKind.PIXEL_HASH,
        "pacs",
        "",
    )
    assert list(rig.archive.holds()) == [uid]
    assert rig.actions()[-3:] == [
        AuditAction.TRANSFER_BEGUN,
        AuditAction.TRANSFERRED,
        AuditAction.CONFIRMED,
    ]
    spool = rig.outbox.spool
    assert verify_chain(spool.database.read(), cipher=spool.cipher).whole


def test_what_is_held_waits_for_undo_and_then_goes(rig: Rig) -> None:
    rig.start()
    (uid,) = rig.send(release_now=False)
    rig.pass_time(0)
    rig.pass_time(9)
    assert rig.status(uid).state is ImageState.HELD
    assert not rig.archive.asked
    rig.passing(5, ImageState.CONFIRMED, uid)


def test_what_a_person_holds_back_does_not_go_by_itself(rig: Rig) -> None:
    rig.start()
    held, other = rig.send(2, release_now=False)
    rig.outbox.hold([held], sealing.NURSE)
    rig.passing(10, ImageState.CONFIRMED, other)
    assert rig.status(held).state is ImageState.HELD
    rig.outbox.release([held], sealing.NURSE)
    rig.until(ImageState.CONFIRMED, held)


def test_many_go_in_batches_and_each_is_settled(rig: Rig) -> None:
    kept = rig.send(7)
    rig.start(batch=3)
    rig.until(ImageState.CONFIRMED, *kept)
    stored = [uids for act, uids in rig.archive.asked if act == "store"]
    assert [len(uids) for uids in stored] == [3, 3, 1]
    assert sorted(uid for uids in stored for uid in uids) == sorted(kept)


@pytest.mark.expects_log("destination-silent")
def test_every_archive_gets_it_and_each_proves_for_itself(
    tmp_path: Path, clock: FixedClock, eventually: Eventually
) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock, destinations=("a", "b"))
    one, two = DirectoryArchive(tmp_path / "a", "a"), DirectoryArchive(tmp_path / "b", "b")
    two.is_down = True
    rig = Rig(tmp_path, clock, eventually, outbox, one)
    (uid,) = rig.send()
    engine = rig.start(one, two)
    rig.failed(uid, 1)
    assert rig.status(uid).state is ImageState.QUEUED
    assert rig.status(uid).destination == "b"
    eventually(lambda: [act for act, _ in one.asked] == ["store", "prove"])
    proofs = "SELECT 1 FROM task WHERE kind = 'prove' AND state = 'done'"
    eventually(lambda: outbox.spool.database.read().execute(proofs).fetchone())
    assert (rig.status(uid).state, rig.status(uid).proof) == (ImageState.QUEUED, None)
    two.is_down = False
    rig.pass_time(30)
    rig.until(ImageState.CONFIRMED, uid)
    assert rig.status(uid).destination == "a, b"
    assert [act for act, _ in one.asked] == ["store", "prove"]
    assert engine.stop()
    outboxes.close(outbox)


@pytest.mark.expects_log("destination-silent")
def test_an_archive_that_is_down_is_tried_for_ever_with_the_same_bytes(rig: Rig) -> None:
    rig.archive.is_down = True
    (uid,) = rig.send()
    rig.start()
    for times, seconds in ((1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600)):
        status = rig.failed(uid, times)
        assert status.state is ImageState.QUEUED
        assert status.last_error == "pacs did not answer in time."
        assert status.due_at is not None
        assert (status.due_at - rig.clock.now()).total_seconds() == seconds
        rig.pass_time(seconds)
    rig.failed(uid, 8)
    rig.archive.is_down = False
    rig.pass_time(600)
    rig.until(ImageState.CONFIRMED, uid)
    assert list(rig.archive.holds()) == [uid]


@pytest.mark.expects_log("destination-silent")
def test_an_archive_that_comes_back_gets_all_that_waited_at_once(rig: Rig) -> None:
    rig.archive.is_down = True
    kept = rig.send(5)
    rig.start(batch=1)
    rig.failed(kept[0], 1)
    for times in (2, 3):
        rig.pass_time(60 * times)
        rig.eventually(lambda times=times: len(rig.archive.asked) >= times)  # type: ignore[misc]
    rig.archive.is_down = False
    rig.pass_time(30)
    rig.until(ImageState.CONFIRMED, *kept)


def test_an_image_at_which_the_archive_falls_silent_takes_no_other_with_it(rig: Rig) -> None:
    bad, *good = kept = rig.send(20)
    rig.archive.hangs = {bad}
    rig.start()
    rig.until(ImageState.CONFIRMED, *good)
    status = rig.failed(bad, 1)
    assert (status.state, status.last_error) == (ImageState.QUEUED, "pacs did not answer in time.")
    assert rig.archive.asked[0] == ("store", tuple(kept))
    later = rig.send(3)
    rig.until(ImageState.CONFIRMED, *later)
    latest = rig.send(3)
    rig.outbox.hold(latest, sealing.NURSE)
    rig.pass_time(30)
    rig.failed(bad, 2)
    assert [uids for act, uids in rig.archive.asked if bad in uids][1:] == [(bad,)]
    rig.archive.hangs.clear()
    rig.pass_time(60)
    rig.until(ImageState.CONFIRMED, bad)


def test_a_restart_does_not_forget_at_which_image_the_archive_fell_silent(rig: Rig) -> None:
    bad, *good = kept = rig.send(5)
    rig.archive.hangs = {bad}
    first = rig.start()
    rig.until(ImageState.CONFIRMED, *good)
    rig.failed(bad, 1)
    assert first.stop()
    rig.engines.clear()
    later = rig.send(3)
    rig.start()
    rig.until(ImageState.CONFIRMED, *later)
    rig.failed(bad, 2)
    stored = [uids for act, uids in rig.archive.asked if act == "store"]
    assert (stored[0], stored[-2:]) == (tuple(kept), [tuple(later), (bad,)])


def test_what_was_under_way_as_the_computer_ended_goes_alone_after_all_others(rig: Rig) -> None:
    under_way = rig.send(2)
    claim(rig.outbox.spool, open_tasks(rig.outbox.spool))  # and the process is no more
    later = rig.send(2)
    rig.start()
    rig.until(ImageState.CONFIRMED, *under_way, *later)
    stored = [uids for act, uids in rig.archive.asked if act == "store"]
    assert stored == [tuple(later), *((uid,) for uid in under_way)]
    assert not any(task.is_suspect for task in open_tasks(rig.outbox.spool))


@pytest.mark.expects_log("destination-silent")
def test_what_was_never_sent_is_not_told_that_the_archive_was_silent(rig: Rig) -> None:
    kept = rig.send(6)
    rig.archive.hangs = set(kept)
    rig.start()
    for uid in kept[:2]:
        assert rig.failed(uid, 1).last_error == "pacs did not answer in time."
    rig.eventually(lambda: [rig.status(uid).state for uid in kept] == [ImageState.QUEUED] * 6)
    assert [(rig.status(uid).failures, rig.status(uid).reason) for uid in kept[2:]] == [
        (0, None)
    ] * 4
    # It answered nothing: nothing else is asked for a while, then all others go before those two.
    rig.archive.hangs.clear()
    rig.pass_time(30)
    rig.until(ImageState.CONFIRMED, *kept)
    assert [uids for act, uids in rig.archive.asked if act == "store"] == [
        tuple(kept),
        tuple(kept[2:]),
        (kept[0],),
        (kept[1],),
    ]


@pytest.mark.expects_log("destination-silent")
def test_try_now_does_not_wait_for_the_clock(rig: Rig) -> None:
    rig.archive.is_down = True
    (uid,) = rig.send()
    rig.start()
    rig.failed(uid, 1)
    rig.archive.is_down = False
    rig.outbox.try_now([uid], sealing.NURSE)
    rig.until(ImageState.CONFIRMED, uid)


@pytest.mark.expects_log("delivery-needs-you")
def test_what_an_archive_refuses_needs_a_person_and_others_flow(rig: Rig) -> None:
    refused, busy, fine = rig.send(3)
    rig.archive.refuses = {
        refused: RefusedDeliveryError(Reason.of("status-C000", name=PACS)),
        busy: TransientDeliveryError(Reason.of("status-A700", name=PACS)),
    }
    rig.start()
    rig.until(ImageState.CONFIRMED, fine)
    rig.until(ImageState.IT_ASKED, refused)
    said = "pacs does not understand the image (status C000)."
    assert rig.status(refused).last_error == said
    assert rig.status(refused).due_at is None
    assert rig.failed(busy, 1).state is ImageState.QUEUED
    rig.archive.refuses = {}
    rig.pass_time(30)
    rig.until(ImageState.CONFIRMED, busy)
    assert rig.status(refused).state is ImageState.IT_ASKED
    rig.outbox.try_now([refused], sealing.NURSE)
    rig.until(ImageState.CONFIRMED, refused)
    assert sorted(rig.archive.holds()) == sorted([refused, busy, fine])


@pytest.mark.expects_log("delivery-needs-you")
@pytest.mark.parametrize(
    ("fault", "state", "words"),
    [
        ("relabels", ImageState.NEEDS_YOU, "pacs holds this image under another patient."),
        ("repaints", ImageState.IT_ASKED, "pacs holds another picture under this image's UID."),
    ],
)
def test_a_proof_of_something_else_is_no_proof(
    rig: Rig, fault: str, state: ImageState, words: str
) -> None:
    setattr(rig.archive, fault, True)
    (uid,) = rig.send()
    rig.start()
    rig.until(state, uid)
    assert rig.status(uid).last_error.startswith(words)
    rig.pass_time(10 * 24 * 3600)
    assert len(outboxes.sealed_files(rig.folder)) == 2, "nothing is purged without proof"


def test_listed_stays_listed_and_is_asked_again(rig: Rig) -> None:
    rig.archive.lists_only = True
    (uid,) = rig.send()
    rig.start()
    rig.until(ImageState.LISTED, uid)
    rig.pass_time(30)
    rig.failed(uid, 2)
    assert rig.status(uid).state is ImageState.LISTED
    rig.pass_time(40 * 24 * 3600)
    rig.failed(uid, 3)
    assert len(outboxes.sealed_files(rig.folder)) == 2
    rig.archive.lists_only = False
    rig.pass_time(600)
    rig.until(ImageState.CONFIRMED, uid)


def test_an_archive_that_lost_it_gets_the_same_bytes_again(rig: Rig) -> None:
    rig.archive.loses = True
    (uid,) = rig.send()
    rig.start()
    rig.failed(uid, 1)
    assert rig.status(uid).state is ImageState.SENT
    rig.pass_time(2)
    rig.failed(uid, 2)
    rig.archive.loses = False
    rig.pass_time(15)
    rig.until(ImageState.CONFIRMED, uid)
    acts = [act for act, _ in rig.archive.asked]
    assert acts == ["store", "prove", "prove", "prove", "store", "prove"]
    assert list(rig.archive.holds()) == [uid]


@pytest.mark.expects_log("delivery-needs-you")
def test_an_archive_that_always_loses_it_needs_a_person(rig: Rig) -> None:
    rig.archive.loses = True
    (uid,) = rig.send()
    rig.start()
    rig.passing(20, ImageState.IT_ASKED, uid)
    assert "does not have it" in rig.status(uid).last_error
    assert [act for act, _ in rig.archive.asked].count("store") == 4


@pytest.mark.expects_log("delivery-needs-you", "file-missing")
def test_a_damaged_file_is_never_sent_and_the_others_are(rig: Rig) -> None:
    damaged, gone, fine = rig.send(3)
    files = dict(
        rig.outbox.spool.database.read().execute("SELECT sop_instance_uid, file FROM instance")
    )
    path = rig.outbox.spool.instances / files[damaged]
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    (rig.outbox.spool.instances / files[gone]).rename(rig.folder / "elsewhere")
    rig.start()
    rig.until(ImageState.CONFIRMED, fine)
    rig.until(ImageState.NEEDS_YOU, damaged, gone)
    assert "changed or cut short" in rig.status(damaged).last_error
    assert "missing" in rig.status(gone).last_error
    assert list(rig.archive.holds()) == [fine]


class Buggy(DirectoryArchive):
    """An adapter with a bug that shows at the second image."""

    bug: Exception | None = None

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        for n, outcome in enumerate(super().store(instances, read)):
            if n == 1 and self.bug is not None:
                raise self.bug
            yield outcome


@pytest.mark.expects_log("delivery-failed", "delivery-needs-you")
def test_a_bug_is_logged_shown_and_does_not_end_the_engine(rig: Rig) -> None:
    archive = Buggy(rig.folder / "archive")
    archive.bug = ZeroDivisionError("secret 0012345678")
    first, *others = rig.send(3)
    rig.start(archive)
    rig.until(ImageState.CONFIRMED, first)
    rig.until(ImageState.IT_ASKED, *others)
    assert "unexpected fault" in rig.status(others[0]).last_error
    assert "0012345678" not in rig.status(others[0]).last_error
    archive.bug = None
    rig.outbox.try_now(others, sealing.NURSE)
    rig.until(ImageState.CONFIRMED, first, *others)


class Forgetful(DirectoryArchive):
    """Says nothing of the last image, once, and something of one nobody asked about."""

    silent: bool = True

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        for instance, outcome in zip(instances, super().store(instances, read), strict=True):
            if not (self.silent and instance is instances[-1]):
                yield outcome
        if self.silent:
            self.silent = False
            yield "2.25.404", StoreReceipt("2.25.404", 0)


@pytest.mark.expects_log("outcome-without-question")
def test_no_word_of_an_image_is_no_success(rig: Rig) -> None:
    first, last = rig.send(2)
    rig.start(Forgetful(rig.folder / "archive"))
    rig.until(ImageState.CONFIRMED, first)
    assert rig.failed(last, 1).state is ImageState.QUEUED
    rig.pass_time(30)
    rig.until(ImageState.CONFIRMED, last)


@dataclass
class Standing:
    """An archive that stands still until it is interrupted."""

    name: str = "pacs"
    entered: Event = field(default_factory=Event)
    interrupted: Event = field(default_factory=Event)

    def store(
        self,
        instances: Sequence[Instance],
        read: Callable[[Instance], Part10File],  # noqa: ARG002 - it never comes to that
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        self.entered.set()
        self.interrupted.wait(60)
        for instance in instances:
            stopped = TransientDeliveryError(Reason("interrupted"))
            yield instance.sop_instance_uid, stopped

    def prove(
        self, instances: Sequence[Instance]
    ) -> Iterator[tuple[str, ProofReceipt | DeliveryError]]:
        for instance in instances:
            yield instance.sop_instance_uid, TransientDeliveryError(Reason("interrupted"))

    def interrupt(self) -> None:
        self.interrupted.set()


def test_stop_interrupts_and_what_was_under_way_is_queued_untouched(rig: Rig) -> None:
    standing = Standing()
    (uid,) = rig.send()
    engine = Engine(
        rig.outbox,
        (standing,),
        rig.clock,
        role=EngineRole(rig.folder / "engine.lock"),
    )
    engine.start()
    assert standing.entered.wait(60)
    rig.until(ImageState.SENDING, uid)
    assert engine.stop()
    status = rig.status(uid)
    assert (status.state, status.failures) == (ImageState.QUEUED, 0)
    rig.start()
    rig.until(ImageState.CONFIRMED, uid)


def test_pixels_go_only_after_proof_and_their_days(rig: Rig) -> None:
    (uid,) = rig.send()
    rig.start()
    rig.until(ImageState.CONFIRMED, uid)
    rows = rig.outbox.spool.database.read().execute("SELECT keep_days FROM instance")
    days = int(rows.fetchone()[0])
    assert days == (sealing.catalog().keeps[0].days or Capture().retention_days)
    rig.pass_time(days * 24 * 3600 - 120)
    assert len(outboxes.sealed_files(rig.folder)) == 2
    rig.pass_time(180)
    rig.until(ImageState.PURGED, uid)
    rig.eventually(lambda: not outboxes.sealed_files(rig.folder))
    assert rig.actions()[-1] is AuditAction.PURGED
    assert rig.status(uid).proof is ProofKind.PIXEL_HASH


def test_who_watches_is_told_each_step(rig: Rig) -> None:
    told: list[str] = []
    (uid,) = rig.send()
    rig.outbox.on_change(told.append)
    rig.start()
    rig.until(ImageState.CONFIRMED, uid)
    assert set(told) == {uid}
    assert len(told) >= 2
