from pathlib import Path

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState, ProofKind
from tests import outboxes, sealing
from tests.outboxes import DirectoryArchive
from tests.waiting import Eventually


def test_a_sent_picture_is_stored_proved_and_confirmed(
    tmp_path: Path, clock: FixedClock, eventually: Eventually
) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock)
    archive = DirectoryArchive(tmp_path / "archive")
    engine = outboxes.open_engine(outbox, tmp_path, clock, archive)
    exam = outboxes.begin(outbox, clock)
    capture_id = outboxes.keep(outbox, exam)
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    engine.start()
    eventually(lambda: outbox.statuses()[0].state is ImageState.CONFIRMED)
    assert outbox.statuses()[0].proof is ProofKind.PIXEL_HASH
    assert engine.stop()
    outboxes.close(outbox)
