from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from capture_app.hl7.dates import date_of, moment_of, ts

ZONE = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("19560714", date(1956, 7, 14)),
        ("195607141230", date(1956, 7, 14)),
        ("19560714+0100", date(1956, 7, 14)),
        ("1956-0714", None),
        ("20000229", date(2000, 2, 29)),
        ("19000229", None),
        ("1956", None),
        ("195613", None),
        ("19561301", None),
        ("00000000", None),
        ("14.07.56", None),
        ("١٩٥٦٠٧١٤", None),
        ("", None),
    ],
)
def test_a_birth_date_is_its_first_eight_digits_or_nothing(text: str, day: date | None) -> None:
    assert date_of(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20240702", datetime(2024, 7, 2, tzinfo=ZONE)),
        ("2024070209", datetime(2024, 7, 2, 9, tzinfo=ZONE)),
        ("202407020930", datetime(2024, 7, 2, 9, 30, tzinfo=ZONE)),
        ("20240702093015.25", datetime(2024, 7, 2, 9, 30, 15, 250_000, tzinfo=ZONE)),
        ("20240702093015+0000", datetime(2024, 7, 2, 9, 30, 15, tzinfo=UTC)),
        (
            "202407020930-0330",
            datetime(2024, 7, 2, 9, 30, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
        ),
        ("20240702+0000", datetime(2024, 7, 2, tzinfo=UTC)),
        ("20240700", None),
        ("20240230", None),
        ("202407020930.5", None),
        ("2024070209٣٠", None),
        ("202407", None),
        ("00010101", None),
        ("00010101000000+0000", None),
        ("99991231235959", None),
        ("18991231", None),
        ("20240702250000", None),
        ("20240702093015+9900", None),
        ("yesterday", None),
    ],
)
def test_a_moment_is_in_the_zone_that_it_names_or_in_ours(
    text: str, moment: datetime | None
) -> None:
    read = moment_of(text, ZONE)
    assert read == moment
    assert read is None or read.tzinfo is not None


def test_a_moment_is_written_with_its_offset() -> None:
    assert ts(datetime(2024, 7, 2, 9, 30, tzinfo=ZONE)) == "20240702093000+0200"
