from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from capture_app.devices.card import CardFile, FileSort
from capture_app.exam.card_sorting import Group, SeenFile, Why, sort_card
from capture_app.model.slate import Slate, SlateCode, slate_code
from tests import sealing

NOW = sealing.STARTED_AT + timedelta(hours=1)
BEGAN = sealing.STARTED_AT
MAI = Slate("A" * 26, sealing.MAI, sealing.VISIT, None, BEGAN, "aokafor")
DOE = Slate("B" * 26, sealing.MAI, None, None, BEGAN, "aokafor")
PRINTED = replace(MAI, token="C" * 26, is_printed=True)
SLATES = {one.token: one for one in (MAI, DOE, PRINTED)}


@dataclass
class Card:
    """Files of one camera, a number and some seconds apart."""

    at: datetime = BEGAN
    off: timedelta = timedelta()
    number: int = 0
    files: list[SeenFile] = field(default_factory=list)

    def add(
        self,
        *codes: SlateCode,
        after: float = 5,
        sort: FileSort = FileSort.PICTURE,
        skip: int = 0,
        **facts: object,
    ) -> SeenFile:
        self.at += timedelta(seconds=after)
        self.number += 1 + skip
        name = Path(f"/card/DCIM/100CANON/IMG_{self.number:04}.JPG")
        file = CardFile(name, 1, 0, sort, "/card/DCIM", 100, self.number)
        time = self.at.replace(tzinfo=None) + self.off
        seen = SeenFile(file, f"d{self.number}", time, "E-1", codes)
        self.files.append(replace(seen, **facts))  # type: ignore[arg-type]
        return self.files[-1]

    def show(self, slate: Slate, *, closes: bool = False, **facts: object) -> None:
        at = self.at + timedelta(seconds=5)
        shown = None if slate.is_printed else at
        self.add(SlateCode(slate.token, shown, closes), **facts)  # type: ignore[arg-type]

    def shoot(self, count: int = 1) -> None:
        for _ in range(count):
            self.add()

    def groups(self, now: datetime = NOW) -> tuple[Group, ...]:
        return sort_card(self.files[::-1], SLATES, now)

    def told(self, now: datetime = NOW) -> list[tuple[object, ...]]:
        """Whose, why not, whose perhaps, how many."""
        return [
            (g.slate and g.slate.token[0], g.why, g.offered and g.offered.token[0], len(g.files))
            for g in self.groups(now)
        ]


def test_pictures_are_of_the_slate_before_them() -> None:
    card = Card()
    card.show(MAI)
    card.shoot(3)
    card.show(DOE)
    card.shoot(2)
    assert card.told() == [("A", None, None, 3), ("B", None, None, 2)]
    assert [g.clock_off for g in card.groups()] == [timedelta(), timedelta()]


def test_before_the_first_slate_they_are_nobodys() -> None:
    card = Card()
    card.shoot(2)
    card.show(MAI)
    card.shoot()
    assert card.told() == [(None, Why.NO_SLATE, None, 2), ("A", None, None, 1)]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"after": 181}, Why.GAP),
        ({"skip": 1}, Why.RESTART),
        ({"after": -3}, Why.DATE_JUMP),
        ({"after": 20 * 3600}, Why.DATE_JUMP),
        ({"camera_time": None}, Why.NO_TIME),
        ({"camera": "E-2"}, Why.OTHER_CAMERA),
    ],
)
def test_after_a_break_they_are_nobodys_until_a_person_says_so(
    facts: dict[str, object], why: Why
) -> None:
    card = Card()
    card.number = 100
    card.show(MAI)
    card.shoot()
    card.add(**facts)  # type: ignore[arg-type]
    assert (None, why, "A", 1) in card.told()
    assert all(g.slate is None or len(g.files) == 1 for g in card.groups())


def test_three_minutes_are_no_gap_and_also_the_slate_may_be_before_one() -> None:
    card = Card()
    card.show(MAI)
    card.add(after=180)
    assert card.told() == [("A", None, None, 1)]
    late = Card()
    late.show(MAI)
    late.add(after=200)
    assert late.told() == [(None, Why.GAP, "A", 1)]


def test_a_closing_slate_ends_them_and_answers_a_gap() -> None:
    card = Card()
    card.show(MAI)
    card.shoot()
    card.add(after=600)
    card.show(MAI, closes=True)
    card.shoot()
    assert card.told() == [
        ("A", None, None, 1),
        ("A", None, None, 1),
        (None, Why.CLOSED, None, 1),
    ]
    assert [g.is_closed for g in card.groups()] == [True, True, False]


def test_a_closing_slate_answers_no_missing_file() -> None:
    card = Card()
    card.show(MAI)
    card.add(skip=1)
    card.show(MAI, closes=True)
    assert card.told() == [(None, Why.RESTART, "A", 1)]


@pytest.mark.parametrize("between", ["deleted", "damaged"])
def test_a_closing_slate_answers_nothing_where_a_slate_may_be_lost(between: str) -> None:
    """The slate of another is lost, then a pause, then the slate of the first one is lost too."""
    card = Card()
    card.show(MAI)
    card.shoot()
    if between == "damaged":
        card.add(fault="damaged", camera_time=None, camera="")
        card.shoot()
    else:
        card.add(skip=1)
    card.add(after=300)
    card.show(MAI, closes=True, skip=1)
    assert [told[0] for told in card.told()] == ["A", None, None]
    unslated = Card()
    unslated.show(MAI)
    unslated.add(after=300)
    unslated.add(skip=1)
    unslated.show(MAI, closes=True)
    assert [told[0] for told in unslated.told()] == [None, None]


def test_shown_only_at_the_end_it_is_offered() -> None:
    card = Card()
    card.shoot(2)
    card.show(MAI, closes=True)
    assert card.told() == [(None, Why.NO_SLATE, "A", 2)]


def test_between_the_slate_of_one_and_the_closing_slate_of_another_they_are_nobodys() -> None:
    card = Card()
    card.show(DOE)
    card.shoot(2)
    card.show(MAI, closes=True)
    assert card.told() == [(None, Why.CONTRADICTED, None, 2)]


def test_what_cannot_be_read_may_have_been_a_slate() -> None:
    card = Card()
    card.show(MAI)
    card.shoot()
    card.add(fault="damaged", camera_time=None, camera="")
    card.shoot(2)
    card.add(after=400)
    card.show(MAI, closes=True)
    assert card.told() == [
        ("A", None, None, 1),
        (None, Why.UNREADABLE, "A", 2),
        (None, Why.UNREADABLE, "A", 1),
    ]


def test_a_film_is_neither_a_slate_nor_a_gap_and_hides_none() -> None:
    card = Card()
    card.show(MAI)
    card.add(sort=FileSort.FILM, camera_time=None, camera="")
    card.shoot()
    card.add(sort=FileSort.FILM, camera_time=None, camera="", after=300)
    card.shoot()
    assert card.told() == [("A", None, None, 1), (None, Why.GAP, "A", 1)]


def test_two_slates_in_one_picture_name_nobody() -> None:
    card = Card()
    card.add(SlateCode(MAI.token, card.at), SlateCode(DOE.token, card.at))
    card.shoot()
    assert card.told() == [(None, Why.TWO_SLATES, None, 1)]


def test_a_slate_of_another_station_names_nobody_and_is_not_offered() -> None:
    card = Card()
    card.add(SlateCode("Z" * 26, card.at))
    card.shoot()
    assert card.told() == [(None, Why.UNKNOWN_SLATE, None, 1)]


def test_a_code_from_before_its_slate_was_made_is_made_up() -> None:
    card = Card(at=BEGAN - timedelta(hours=1))
    card.show(MAI)
    card.shoot()
    assert card.told() == [(None, Why.UNKNOWN_SLATE, None, 1)]


def test_a_photographed_slate_of_another_day_names_nobody() -> None:
    card = Card(at=BEGAN + timedelta(days=3))
    card.add(SlateCode(MAI.token, BEGAN + timedelta(minutes=1)))
    card.shoot()
    assert card.told(now=card.at + timedelta(hours=1)) == [(None, Why.STALE_SLATE, None, 1)]


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-4000)])
def test_a_wrong_clock_of_the_camera_is_measured_by_the_slate(off: timedelta) -> None:
    card = Card(off=off)
    card.show(MAI)
    card.shoot()
    (group,) = card.groups()
    assert (group.slate, group.clock_off) == (MAI, off)


def test_a_clock_that_is_ahead_of_now_is_wrong_for_sure_and_else_only_perhaps() -> None:
    ahead = Card(off=timedelta(days=1))
    ahead.show(MAI)
    ahead.shoot()
    assert ahead.told() == [("A", None, None, 1)]
    perhaps = Card(off=timedelta(hours=3))
    perhaps.show(MAI)
    perhaps.shoot()
    assert perhaps.told(now=NOW + timedelta(hours=6)) == [(None, Why.STALE_SLATE, None, 1)]


def test_a_printed_slate_is_for_its_day() -> None:
    card = Card()
    card.show(PRINTED)
    card.shoot()
    assert card.told() == [("C", None, None, 1)]
    assert card.told(now=NOW + timedelta(days=2)) == [("C", None, None, 1)]
    again = Card(at=BEGAN + timedelta(days=1))
    again.show(PRINTED)
    again.shoot()
    assert again.told(now=NOW + timedelta(days=2)) == [(None, Why.STALE_SLATE, None, 1)]


def test_outside_dcim_each_camera_is_sorted_by_itself_and_a_doubt_is_everybodys() -> None:
    card = Card()
    card.show(MAI)
    card.shoot(2)
    loose = [
        replace(seen, file=replace(seen.file, root="", folder_number=0, number=None))
        for seen in card.files
    ]
    missing = [loose[0], loose[2]]
    numbered = [
        replace(seen, file=replace(seen.file, number=at))
        for seen, at in zip(missing, (1, 3), strict=True)
    ]
    (late,) = sort_card(numbered, SLATES, NOW)
    assert (late.slate, late.why, late.offered) == (None, Why.RESTART, MAI)
    other = replace(loose[-1], camera="E-2", digest="other")
    told = [(g.slate, g.why, len(g.files)) for g in sort_card([*loose, other], SLATES, NOW)]
    assert told == [(MAI, None, 2), (None, Why.NO_SLATE, 1)]
    bad = SeenFile(replace(loose[0].file, path=Path("/card/x.jpg")), fault="damaged")
    doubted = [(g.slate, g.why, g.offered) for g in sort_card([*loose, bad], SLATES, NOW)]
    assert doubted == [(None, Why.UNREADABLE, MAI)]


def test_the_numbers_go_on_in_the_next_folder() -> None:
    card = Card(number=9997)
    card.show(MAI)
    card.shoot()
    last = card.add()
    first = replace(last.file, folder_number=101, number=1)
    card.files[-1] = replace(last, file=first)
    assert card.told() == [("A", None, None, 2)]
    card.files[-1] = replace(last, file=replace(first, number=5))
    assert card.told() == [("A", None, None, 1), (None, Why.RESTART, "A", 1)]


@pytest.mark.parametrize(
    "text",
    ["0012345678", "CAPSLATE1:short", "CAPSLATE2:" + "A" * 26, f"CAPSLATE1:{'A' * 26}:x", ""],
)
def test_other_codes_are_no_slates(text: str) -> None:
    assert slate_code(text) is None


def test_a_code_says_what_was_put_into_it() -> None:
    at = BEGAN.replace(microsecond=0)
    for code in (
        SlateCode("A" * 26),
        SlateCode("A" * 26, at),
        SlateCode("A" * 26, at, closes=True),
    ):
        assert slate_code(code.text) == code
    assert "Nguy" not in SlateCode(MAI.token, at).text
