"""What the workspace says, exactly: the words that a person acts on."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from capture_app.devices.capture import Live, LiveState
from capture_app.exam.describing import as_chosen
from capture_app.exam.rules import MissingPart
from capture_app.imaging.quality import Quality, QualityChip
from capture_app.model.procedure import Description, Side
from capture_app.ui.words.marks import Tone
from capture_app.ui.workspace import words
from capture_app.ui.workspace.live import Stillness
from capture_app.ui.workspace.live_words import live_marks
from capture_app.ui.workspace.state import Shot, in_order
from tests import sealing

AT = datetime(2026, 11, 24, 14, 2, tzinfo=timezone(timedelta(hours=1)))
WOUND = sealing.description()


@pytest.mark.parametrize(
    ("pictures", "parts", "midline", "what", "todo"),
    [
        (
            3,
            (MissingPart.PROCEDURE, MissingPart.SIDE),
            False,
            "Nothing was sent. 3 pictures need 2 things.",
            "Choose the procedure (1-9) and the side (Alt+R or Alt+L). Both go to all 3.",
        ),
        (
            1,
            (MissingPart.SIDE,),
            True,
            "Nothing was sent. 1 picture needs 1 thing.",
            "Choose the side (Alt+R, Alt+L or Alt+M).",
        ),
        (
            2,
            (MissingPart.PROCEDURE, MissingPart.REGION),
            False,
            "Nothing was sent. 2 pictures need 2 things.",
            "Choose the procedure (1-9) and the site (B). Both go to all 2.",
        ),
        (
            4,
            (MissingPart.REGION,),
            False,
            "Nothing was sent. 4 pictures need 1 thing.",
            "Choose the site (B). It goes to all 4.",
        ),
    ],
)
def test_the_stop_says_what_is_missing_and_by_which_key(
    pictures: int, parts: tuple[MissingPart, ...], *, midline: bool, what: str, todo: str
) -> None:
    message = words.stop_message(pictures, parts, goes_to=pictures, midline=midline)
    assert (message.what, message.todo) == (what, todo)
    assert message.stop
    assert message.act


def test_a_thumbnail_names_site_and_side_or_what_is_missing() -> None:
    assert WOUND.region is not None
    left = replace(WOUND, side=Side.LEFT)
    assert words.thumb_words(left).startswith("Left ")
    assert "(" not in words.thumb_words(left)
    assert words.thumb_words(Description()) == "No procedure, no site"
    assert words.thumb_words(replace(WOUND, side=None)) == "No side"
    assert words.thumb_words(replace(WOUND, procedure=None, side=None)) == "No procedure, no side"


def test_the_badge_of_a_draft_says_the_gravest_thing() -> None:
    missing = (MissingPart.REGION,)
    assert words.draft_badge(missing, blurred=True, stopped=False).words == "Needs 1"
    assert words.draft_badge(missing, blurred=True, stopped=True).tone is Tone.BAD
    assert words.draft_badge((), blurred=True, stopped=False).words == "Blurred"
    assert words.draft_badge((), blurred=False, stopped=False).words == "Draft"


def test_a_lost_camera_says_when_it_stopped_and_what_is_safe() -> None:
    lost = LiveState(Live.LOST, AT, "It was unplugged.", was_live=True)
    marks = live_marks(lost, sealing.CAMERA, None, safe=3, others=True)
    assert marks.absent == "Camera stopped at \u206614:02\u2069."
    assert marks.absent_help == "It was unplugged. 3 pictures are safe. Trying again."
    assert marks.can_choose


def test_a_camera_that_never_came_says_why() -> None:
    absent = LiveState(Live.LOST, AT, "Camera not found. Check the cable.")
    marks = live_marks(absent, None, None, safe=0, others=False)
    assert marks.absent == "Camera not found. Check the cable."
    assert marks.absent_help == "Drafts are safe."
    assert not marks.can_choose
    opening = live_marks(LiveState(Live.OPENING, AT), None, None, safe=0, others=False)
    assert opening.absent == "Opening the camera"


def test_quality_warns_with_a_mark_and_a_word() -> None:
    live = LiveState(Live.LIVE, AT, was_live=True)
    dark = Quality(5.0, 20.0, 0.0, (QualityChip.BLURRED, QualityChip.TOO_DARK))
    marks = live_marks(live, sealing.CAMERA, dark, safe=0, others=False)
    assert [chip.words for chip in marks.trailing] == ["Blurred, hold still", "Too dark"]
    assert {chip.tone for chip in marks.trailing} == {Tone.WARN}
    assert all(chip.icon for chip in (*marks.leading, *marks.trailing))
    assert marks.absent == ""


def test_pictures_stand_as_they_were_taken_whenever_they_were_read() -> None:
    said = as_chosen(WOUND)
    now = Shot("new", 1, said)  # taken before the store was read
    first, second = (Shot(f"{n}", n, said, kept_at=AT + timedelta(n)) for n in (2, 3))
    assert in_order([now, second, first]) == (first, second, now)


@pytest.mark.parametrize(
    ("keeps", "words_on_send"),
    [
        ((), ""),
        (("record", "record"), "Keep: Record"),
        (("record", "record-30"), "Keep: not the same for all"),
        ((None,), "Keep: not chosen"),
    ],
)
def test_send_says_what_becomes_of_the_pictures(
    keeps: tuple[str | None, ...], words_on_send: str
) -> None:
    chosen = {keep.choice_id: keep for keep in sealing.catalog().keeps}
    said = [replace(WOUND, keep=chosen[one] if one else None) for one in keeps]
    assert words.keeping_words(said) == words_on_send


@pytest.mark.parametrize(
    ("stillness", "chips", "tone"),
    [
        (Stillness.MOVES, [], None),
        (Stillness.STANDS, ["Picture does not change"], Tone.WARN),
        (Stillness.FROZEN, ["Frozen"], Tone.TEXT),
        (Stillness.FROZEN_BEFORE, ["Frozen before this exam"], Tone.WARN),
    ],
)
def test_a_picture_that_stands_says_so(
    stillness: Stillness, chips: list[str], tone: Tone | None
) -> None:
    live = LiveState(Live.LIVE, AT, was_live=True)
    marks = live_marks(live, sealing.CAMERA, None, safe=0, others=False, stillness=stillness)
    assert [chip.words for chip in marks.trailing] == chips
    assert [chip.tone for chip in marks.trailing] == ([] if tone is None else [tone])
