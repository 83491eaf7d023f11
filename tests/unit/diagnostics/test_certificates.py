from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from capture_app.clock import FixedClock
from capture_app.diagnostics.certificates import CertificateWatch, certificate_lives
from capture_app.settings.schema import ArchiveDestination, Settings
from tests.certificates import certificate_between


def settings_of(folder: Path, *, ca: bytes = b"", own: bytes = b"") -> Settings:
    """Settings with one archive and these files."""
    paths = {"ca.pem": ca, "own.pem": own}
    for name, content in paths.items():
        (folder / name).write_bytes(content)
    archive = ArchiveDestination(
        "pacs",
        ca_file=str(folder / "ca.pem") if ca else "",
        certificate_file=str(folder / "own.pem") if own else "",
    )
    return Settings(folder / "data", archives=(archive,))


def lasting(now: datetime, **left: float) -> bytes:
    return certificate_between(now - timedelta(days=400), now + timedelta(**left))


@pytest.mark.parametrize(
    ("left", "stage", "problem"),
    [
        ({"days": 31}, None, ""),
        ({"days": 30}, 30, "It expires in 30 days."),
        ({"days": 14, "hours": 1}, 30, "It expires in 14 days."),
        ({"days": 14}, 14, "It expires in 14 days."),
        ({"days": 6}, 7, "It expires in 6 days."),
        ({"days": 1}, 1, "It expires in 1 day."),
        ({"hours": 5}, 1, "It expires within a day."),
        ({"days": -2}, 0, "It expired on 2024-06-30."),
    ],
)
def test_what_is_left_is_told(
    tmp_path: Path, clock: FixedClock, left: dict[str, float], stage: int | None, problem: str
) -> None:
    settings = settings_of(tmp_path, own=lasting(clock.now(), **left))
    (life,) = certificate_lives(settings, clock.now())
    assert (life.key, life.owner) == ("archives[0].certificate_file", "pacs")
    assert (life.stage, life.problem) == (stage, problem)
    assert life.is_valid == (stage != 0)


def test_one_of_tomorrow_does_not_hold_yet(tmp_path: Path, clock: FixedClock) -> None:
    begins = clock.now() + timedelta(days=1)
    own = certificate_between(begins, begins + timedelta(days=90))
    (life,) = certificate_lives(settings_of(tmp_path, own=own), clock.now())
    assert (life.is_valid, life.problem) == (False, "It holds only from 2024-07-03 on.")


def test_a_chain_is_as_short_as_its_shortest_and_authorities_as_long_as_their_longest(
    tmp_path: Path, clock: FixedClock
) -> None:
    both = lasting(clock.now(), days=3) + lasting(clock.now(), days=300)
    lives = certificate_lives(settings_of(tmp_path, ca=both, own=both), clock.now())
    assert [(life.key.rpartition(".")[2], life.days) for life in lives] == [
        ("certificate_file", 3),
        ("ca_file", 300),
    ]


def test_a_file_that_is_replaced_counts_at_once(tmp_path: Path, clock: FixedClock) -> None:
    settings = settings_of(tmp_path, own=lasting(clock.now(), days=3))
    assert certificate_lives(settings, clock.now())[0].days == 3
    (tmp_path / "own.pem").write_bytes(lasting(clock.now(), days=90) + b"\n")
    assert certificate_lives(settings, clock.now())[0].days == 90
    (tmp_path / "own.pem").write_bytes(b"nothing")
    assert certificate_lives(settings, clock.now()) == ()


def test_each_stage_is_logged_once_and_an_end_every_day(tmp_path: Path, clock: FixedClock) -> None:
    settings = settings_of(tmp_path, own=lasting(clock.now(), days=31, hours=1))
    watch = CertificateWatch(settings, clock)
    told: list[tuple[str, int]] = []
    for _hour in range(34 * 24):
        with capture_logs() as entries:
            watch.look()
            watch.look()
        told += [(entry["event"], entry["days"]) for entry in entries]
        clock.advance(3600)
    assert told == [
        *[("certificate-ends", days) for days in (30, 14, 7, 1)],
        *[("certificate-not-valid", days) for days in (0, -1, -2, -3)],
    ]
