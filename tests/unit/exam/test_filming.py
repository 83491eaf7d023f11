"""Films of the open exam: promised by the second, and never of anybody else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from capture_app.clock import FixedClock
from capture_app.devices.replay import Replay
from capture_app.errors import ImageError, RuleError, StoreError
from capture_app.exam.filming import ENDS_AFTER_S, Filming, FilmService, FilmState
from capture_app.exam.session import ExamService
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.clip import FrameOfClip
from capture_app.model.device import DeviceKind
from capture_app.model.exam import Exam
from capture_app.outbox.keeping.clips import Recording
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from tests import sealing
from tests.filming import frame, jpeg, record
from tests.unit.exam.examining import SCAN, entry
from tests.waiting import Eventually


class Rig:
    def __init__(self, exams: ExamService, outbox: Outbox, clock: FixedClock) -> None:
        self.clock = clock
        self.outbox = outbox
        self.exams = exams
        self.ring = Replay(clock, 256_000_000)
        self.films = FilmService(exams, outbox, self.ring, clock)
        self.told: list[FilmState] = []
        self.running: list[Filming] = []

    def open(self) -> Exam:
        exam = self.exams.open(entry(self.clock), sealing.NURSE, SCAN)
        self.ring.begin(self.clock.monotonic())
        return exam

    def show(self, *numbers: int, **more: object) -> None:
        for number in numbers:
            self.clock.advance(1 / 30)
            self.ring.see(frame(self.clock, number, **more))  # type: ignore[arg-type]

    def record(self, exam: Exam) -> Filming:
        filming = self.films.record(
            exam,
            device=sealing.CAMERA,
            description=sealing.description(),
            told=self.told.append,
        )
        self.running.append(filming)
        return filming

    def keep_last(self, exam: Exam) -> str:
        return self.films.keep_last(exam, device=sealing.CAMERA, description=sealing.description())

    def frames(self, capture_id: str) -> list[bytes]:
        with self.outbox.film_of(capture_id) as clip:
            return [one for one, _ in clip.frames()]


@pytest.fixture
def rig(exams: ExamService, outbox: Outbox, clock: FixedClock) -> Iterator[Rig]:
    rig = Rig(exams, outbox, clock)
    yield rig
    for filming in rig.running:
        filming.end()
        assert filming.wait(20)


def ended(filming: Filming) -> FilmState:
    assert filming.wait(20)
    return filming.state


def test_the_last_seconds_become_a_draft(rig: Rig) -> None:
    exam = rig.open()
    rig.show(*range(20))
    capture_id = rig.keep_last(exam)
    assert rig.frames(capture_id) == [jpeg(n) for n in range(20)]
    (draft,) = rig.outbox.drafts(exam_id=exam.exam_id)
    assert draft.clip is not None
    assert draft.clip.seconds == pytest.approx(19 / 30, abs=0.001)
    assert draft.description.procedure == sealing.description().procedure


def test_the_last_seconds_never_reach_into_the_exam_before(rig: Rig) -> None:
    rig.open()
    rig.show(*range(20))
    rig.clock.advance(0.01)
    other = rig.exams.open(entry(rig.clock), sealing.NURSE, SCAN)
    # Somebody forgot to empty the ring: still none of them is kept.
    with pytest.raises(RuleError):
        rig.keep_last(other)
    rig.show(30, 31, 32)
    assert rig.frames(rig.keep_last(other)) == [jpeg(30), jpeg(31), jpeg(32)]


def test_nothing_is_kept_of_an_exam_that_is_not_open(rig: Rig) -> None:
    exam = rig.open()
    rig.show(*range(20))
    rig.exams.close()
    with pytest.raises(RuleError):
        rig.keep_last(exam)
    with pytest.raises(RuleError):
        rig.record(exam)


def test_a_recording_has_what_came_until_its_end(rig: Rig) -> None:
    exam = rig.open()
    rig.show(1, 2, 3)
    filming = rig.record(exam)
    rig.show(*range(10, 20))
    filming.end()
    state = ended(filming)
    assert (state.is_over, state.trouble) == (True, "")
    assert rig.frames(state.capture_id) == [jpeg(n) for n in range(10, 20)]
    (draft,) = rig.outbox.drafts()
    assert draft.clip is not None
    assert not draft.clip.is_partial
    assert rig.told[-1] == state


def test_the_promise_grows_by_the_second(rig: Rig, eventually: Eventually) -> None:
    filming = rig.record(rig.open())
    for second in range(1, 4):
        for _ in range(30):
            rig.show(second)
        rig.clock.advance(1.0)
        eventually(lambda: len(rig.told) >= second)  # noqa: B023 - asked at once
    promised = [state.promised.frames for state in rig.told]
    assert promised == sorted(promised)
    assert promised[0] >= 1
    filming.end()
    assert ended(filming).capture_id


def test_no_frame_of_before_the_exam_comes_into_a_recording(rig: Rig) -> None:
    exam = rig.open()
    filming = rig.record(exam)
    rig.show(1, before_s=5.0)  # it was on its way for long
    rig.show(2, 3)
    rig.show(4, before_s=9.0)
    filming.end()
    assert rig.frames(ended(filming).capture_id) == [jpeg(2), jpeg(3)]


def test_a_camera_that_stops_ends_it_with_what_there_is(rig: Rig, eventually: Eventually) -> None:
    filming = rig.record(rig.open())
    rig.show(1, 2, 3)
    eventually(lambda: filming.has_begun)
    rig.clock.advance(ENDS_AFTER_S + 0.1)
    state = ended(filming)
    assert "stopped" in state.trouble
    (draft,) = rig.outbox.drafts()
    assert draft.clip is not None
    assert (draft.clip.frames, draft.clip.is_partial) == (3, True)


def test_another_size_in_the_middle_ends_it_with_what_there_is(rig: Rig) -> None:
    filming = rig.record(rig.open())
    rig.show(1, 2, 3)
    rig.show(4, rows=96)
    state = ended(filming)
    assert "size" in state.trouble
    (draft,) = rig.outbox.drafts()
    assert draft.clip is not None
    assert (draft.clip.frames, draft.clip.is_partial) == (3, True)


def test_frames_that_are_no_pictures_are_told_at_once(rig: Rig) -> None:
    exam = rig.open()
    filming = rig.record(exam)
    rig.show(1, data=b"\x00" * 100)
    state = ended(filming)
    assert state.trouble
    assert rig.outbox.drafts() == ()
    rig.show(2, data=b"\x00" * 100)
    with pytest.raises(ImageError):
        rig.keep_last(exam)


def test_a_recording_of_nothing_says_so(rig: Rig) -> None:
    filming = rig.record(rig.open())
    filming.end()
    state = ended(filming)
    assert state.trouble
    assert not state.capture_id


@pytest.mark.expects_log("recording-not-ended")
def test_a_disk_that_refuses_the_end_loses_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    filming = rig.record(rig.open())
    rig.show(*range(10))
    rig.clock.advance(1.1)
    rig.show(11)
    eventually(lambda: rig.told)

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("refused")

    with monkeypatch.context() as broken:
        broken.setattr(Recording, "finish", refuse)
        filming.end()
        state = ended(filming)
    assert "safe" in state.trouble
    assert recover(rig.outbox.spool, ("pacs",)).adopted_captures == 1
    (draft,) = rig.outbox.drafts()
    assert draft.clip is not None
    assert draft.clip.frames >= rig.told[0].promised.frames > 0


def test_the_ring_follows_the_exam_on_the_screen(rig: Rig) -> None:
    exam = rig.exams.open(entry(rig.clock), sealing.NURSE, SCAN)
    rig.films.begin(exam)
    rig.show(1, 2)
    rig.films.lock()
    rig.exams.close()
    rig.show(3)
    assert rig.ring.film() == ()
    rig.exams.resume(exam)
    rig.films.resume(exam)
    rig.show(4)
    assert [one.jpeg for one in rig.ring.film()] == [jpeg(1), jpeg(2), jpeg(4)]
    assert rig.frames(rig.keep_last(exam)) == [jpeg(1), jpeg(2), jpeg(4)]
    rig.exams.close()
    rig.films.resume(exam)  # locked again before it came to that
    rig.show(5)
    assert rig.ring.film() == ()
    rig.films.begin(exam)
    rig.show(6)
    assert rig.ring.film() == ()


def test_it_says_of_what_no_clip_can_be_had(rig: Rig) -> None:
    rig.open()
    camera = sealing.CAMERA
    assert rig.films.refusal(camera) == ""
    rig.show(1, data=b"\x00" * 100)
    assert "one by one" in rig.films.refusal(camera)
    rig.show(2)
    assert rig.films.refusal(camera) == ""
    rig.show(3, data=b"\x00" * 100)  # one broken frame among others
    assert rig.films.refusal(camera) == ""
    assert rig.films.refusal(replace(camera, device_id="other")) == ""
    assert "file" in rig.films.refusal(replace(camera, kind=DeviceKind.FILE))


def test_a_still_is_kept_of_a_clip_of_the_patient_who_is_open(rig: Rig) -> None:
    exam = rig.open()
    rig.show(*range(5))
    clip = rig.keep_last(exam)
    still = rig.films.keep_still(exam, FrameOfClip(clip, 3), sealing.description())
    assert rig.outbox.image_of(still) == prepare_jpeg(jpeg(3))
    other = replace(sealing.MAI, patient_id=replace(sealing.MAI.patient_id, value="other"))
    of_other = rig.outbox.open_exam(sealing.exam(exam_id="of-other", patient=other))
    foreign = record(rig.outbox, of_other, 3).finish()
    with pytest.raises(RuleError, match="another patient"):
        rig.films.keep_still(exam, FrameOfClip(foreign, 1), sealing.description())
    rig.exams.close()
    with pytest.raises(RuleError):
        rig.films.keep_still(exam, FrameOfClip(clip, 3), sealing.description())


def test_a_clip_says_nothing_of_what_the_console_is_set_to(rig: Rig) -> None:
    """It may be set otherwise within the clip, and was not told of before it."""
    exam = rig.open()
    rig.show(*range(5))
    device = replace(sealing.CAMERA, preset=sealing.LINEAR_4_CM)
    clip = rig.films.keep_last(exam, device=device, description=sealing.description())
    assert rig.outbox.device_of(clip) == sealing.CAMERA
