"""Whatever becomes of the slates on a card, no picture is given to another patient than its own.

A ward round is drawn: slates before pictures, pauses, closing slates; then files are lost from the
card (deleted, unreadable), slates as well as pictures. What the sorting still gives to somebody
must be of whoever stood before the camera.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from capture_app.devices.card import CardFile, FileSort
from capture_app.exam.card_sorting import SeenFile, sort_card
from capture_app.model.slate import Slate, SlateCode
from tests import sealing

_SLATES = tuple(
    Slate(letter * 26, sealing.MAI, None, None, sealing.STARTED_AT, "aokafor") for letter in "ABC"
)
_KNOWN = {slate.token: slate for slate in _SLATES}

_FATES = st.sampled_from(["kept", "kept", "deleted", "damaged"])
_ACTS = st.one_of(
    st.tuples(st.just("slate"), st.integers(0, 2), _FATES),
    st.tuples(st.just("shot"), st.integers(1, 180), _FATES),
    st.tuples(st.just("pause"), st.integers(181, 4000), st.integers(0, 2)),
    st.tuples(st.just("close"), st.just(0), _FATES),
    st.tuples(st.just("film"), st.integers(1, 170), st.just("kept")),
)


@dataclass
class Round:
    """What happens, and who stands before the camera at each picture."""

    at: float = 0.0
    number: int = 0
    truth: int | None = None
    slated: int | None = None
    """Whose slate was shown last, lost or not; None after a pause with another patient."""
    files: list[SeenFile] = field(default_factory=list)
    whose: dict[str, int | None] = field(default_factory=dict)

    def put(self, fate: str, *codes: SlateCode, sort: FileSort = FileSort.PICTURE) -> None:
        """A file that the camera wrote, and what became of it."""
        self.number += 1
        if fate == "deleted":
            return
        name = Path(f"/card/DCIM/100CANON/IMG_{self.number:04}.JPG")
        file = CardFile(name, 1, 0, sort, "/card/DCIM", 100, self.number)
        time = (sealing.STARTED_AT + timedelta(seconds=self.at)).replace(tzinfo=None)
        seen = SeenFile(file, f"d{self.number}", time, "E-1", codes)
        if fate == "damaged":
            seen = SeenFile(file, fault="damaged")
        if sort is FileSort.FILM:
            seen = SeenFile(file)
        self.files.append(seen)
        self.whose[str(name)] = self.truth

    def do(self, kind: str, value: int, fate: str | int) -> None:
        if kind == "pause":  # somebody else may come, without a slate
            self.at += value
            if fate != self.truth:
                self.truth = self.slated = None
            return
        self.at += 5 if kind in ("slate", "close") else value
        shown = sealing.STARTED_AT + timedelta(seconds=int(self.at))
        if kind == "slate":
            self.truth = self.slated = value
            self.put(str(fate), SlateCode(_SLATES[value].token, shown))
        elif kind == "close":
            if self.slated is not None:  # nobody closes what he did not open
                self.put(str(fate), SlateCode(_SLATES[self.slated].token, shown, closes=True))
                self.truth = self.slated = None
        else:
            self.put(str(fate), sort=FileSort.FILM if kind == "film" else FileSort.PICTURE)


@settings(max_examples=300)
@given(st.lists(_ACTS, min_size=3, max_size=30))
def test_no_picture_is_given_to_another(acts: list[tuple[str, int, str | int]]) -> None:
    walked = Round()
    for kind, value, fate in acts:
        walked.do(kind, value, fate)
    now = sealing.STARTED_AT + timedelta(seconds=walked.at + 60)
    given_away = 0
    for group in sort_card(walked.files, _KNOWN, now):
        for seen in group.files if group.slate is not None else ():
            owner = walked.whose[str(seen.file.path)]
            # After a closing slate nobody's pictures are taken: those that are, are nobody's.
            assert owner is not None
            assert _SLATES[owner] == group.slate
            given_away += 1
    event("some were given" if given_away else "none was given")


@settings(max_examples=100)
@given(st.lists(_ACTS, min_size=1, max_size=20))
def test_each_picture_is_in_one_group_and_none_is_lost(
    acts: list[tuple[str, int, str | int]],
) -> None:
    walked = Round()
    for kind, value, fate in acts:
        walked.do(kind, value, fate)
    now = sealing.STARTED_AT + timedelta(seconds=walked.at + 60)
    groups = sort_card([replace(seen) for seen in reversed(walked.files)], _KNOWN, now)
    sorted_ = [seen.file.path for group in groups for seen in group.files]
    expected = [
        seen.file.path
        for seen in walked.files
        if not seen.codes and not seen.fault and seen.file.sort is FileSort.PICTURE
    ]
    assert sorted_ == expected
