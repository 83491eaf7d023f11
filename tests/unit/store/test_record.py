from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum

import pytest

from capture_app.errors import SealBrokenError
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description
from capture_app.store.record import from_record, to_brief_record, to_record
from tests import sealing


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    pairs: tuple[tuple[str, int], ...]
    both: tuple[str, float]


@dataclass(frozen=True, slots=True)
class Everything:
    text: str
    number: int
    share: float
    yes: bool
    raw: bytes
    colour: Colour
    day: date
    at: datetime
    inner: Inner
    maybe: Inner | None
    none: date | None
    by_pair: Mapping[tuple[str, int], Inner]
    later: str = "default"


WHOLE = Everything(
    "阮 ^\\=\n\u2066",
    -3,
    0.5,
    yes=True,
    raw=b"\x00\xff",
    colour=Colour.RED,
    day=date(1956, 7, 14),
    at=datetime(2024, 7, 2, 9, 30, tzinfo=UTC),
    inner=Inner((("a", 1), ("b", 2)), ("x", 2)),
    maybe=Inner((), ("", 1.5)),
    none=None,
    by_pair={("a", 1): Inner((), ("", 2.0)), ("a", 2): Inner((("b", 3),), ("", 2.5))},
)


def test_every_kind_of_value_comes_back_equal() -> None:
    assert from_record(Everything, to_record(WHOLE)) == WHOLE
    assert from_record(Exam, to_record(sealing.exam(order=sealing.ORDER))) == sealing.exam(
        order=sealing.ORDER
    )
    assert from_record(Description, to_record(sealing.description())) == sealing.description()


def test_an_older_record_takes_defaults_and_a_newer_one_loses_what_we_do_not_know() -> None:
    older = to_record(WHOLE).replace(b',"later":"default"', b"")
    newer = to_record(WHOLE).replace(b'"later":', b'"unheard-of":[1],"later":')
    assert from_record(Everything, older) == WHOLE
    assert from_record(Everything, newer) == WHOLE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"number":-3', b'"number":"-3"'),
        (b'"number":-3', b'"number":true'),
        (b'"text":', b'"texts":'),
        (b'"red"', b'"blue"'),
        (b'"1956-07-14"', b'"14.7.1956"'),
        (b'["x",2]', b'["x",2,3]'),
        (b'"raw":"00ff"', b'"raw":"zz"'),
        (b'[["a",1],', b'[["a",1],0,'),
        (b'[["a",1],', b'[["a","1"],'),
        (b"}", b""),
    ],
)
def test_what_does_not_fit_is_damage_and_is_not_quoted(before: bytes, after: bytes) -> None:
    record = to_record(WHOLE)
    assert before in record
    with pytest.raises(SealBrokenError) as caught:
        from_record(Everything, record.replace(before, after))
    assert "1956" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_brief_record_leaves_out_what_is_as_it_is_by_default_and_comes_back_equal() -> None:
    changed = replace(WHOLE, later="not the default")
    assert b"later" not in to_brief_record(WHOLE)
    assert b"later" in to_brief_record(changed)
    assert from_record(Everything, to_brief_record(WHOLE)) == WHOLE
    assert from_record(Everything, to_brief_record(changed)) == changed
    assert b"later" in to_record(WHOLE)  # what must be read for years says all


def test_what_has_no_place_in_a_record_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="no place in a record"):
        to_record({"free", "form"})
