"""When each patient's last picture was taken: by number and issuer, deleted ones left out."""

from dataclasses import replace
from pathlib import Path

from capture_app.clock import FixedClock
from tests import outboxes, sealing


def test_the_last_picture_of_each_patient_is_known(tmp_path: Path, clock: FixedClock) -> None:
    outbox = outboxes.open_outbox(tmp_path, clock)
    mai = sealing.MAI
    namesake = replace(mai, patient_id=replace(mai.patient_id, issuer="OTHER"))
    exam = outboxes.begin(outbox, clock)
    outboxes.keep(outbox, exam)
    clock.advance(60)
    last = clock.now()
    outboxes.keep(outbox, exam)
    clock.advance(60)
    outbox.delete([outboxes.keep(outbox, exam)], exam.operator)

    assert outbox.last_taken([mai, namesake]) == {mai.patient_id.key: last}
    assert outbox.last_taken([]) == {}
    outboxes.close(outbox)
