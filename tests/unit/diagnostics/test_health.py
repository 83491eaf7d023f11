"""Figures for a monitoring system, from a real outbox on a real disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.diagnostics.health import DestinationHealth, EngineProbe, HealthReport, health
from capture_app.diagnostics.health_pages import page_of
from capture_app.model.worklist import FeedSource
from capture_app.outbox.outbox import Outbox
from capture_app.patients.census.status import FeedStatus
from capture_app.settings.schema import ArchiveDestination, Capture, Settings
from tests import sealing
from tests.certificates import certificate_between
from tests.outboxes import begin, keep, open_outbox
from tests.receiving import keep_one

ADT = FeedStatus("adt", FeedSource.ADT, True, None, 12.5, 7, dead_letters=3, without_effect=2)


@pytest.fixture
def outbox(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    with closing(open_outbox(tmp_path, clock, destinations=("pacs", "vna"))) as outbox:
        yield outbox


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    pacs = ArchiveDestination("pacs", host="pacs.example.org", port=104, ae_title="PACS")
    return Settings(tmp_path, archives=(pacs,), capture=Capture(min_free_mb=1))


def look(
    settings: Settings,
    outbox: Outbox,
    clock: FixedClock,
    *,
    feed: FeedStatus = ADT,
    round_at: float | None = 0.0,
) -> HealthReport:
    engine = EngineProbe(lambda: True, lambda: round_at)
    return health(settings, outbox, lambda: (feed,), engine, clock)


def test_what_scanners_sent_and_is_nobodys_is_counted(
    settings: Settings, outbox: Outbox, clock: FixedClock
) -> None:
    keep_one(outbox)
    clock.advance(600)
    keep_one(outbox, "2.25.10")
    found = look(settings, outbox, clock, round_at=clock.monotonic())
    assert (found.received, found.oldest_received_s) == (2, 600.0)
    assert found.problems == (), "a person is asked, not the monitoring"
    page = page_of(lambda: found)("/metrics")
    assert page is not None
    assert "capture_app_received 2\n" in page.body
    assert "capture_app_oldest_received_seconds 600\n" in page.body


def test_the_oldest_that_waits_is_told_by_destination(
    settings: Settings, outbox: Outbox, clock: FixedClock
) -> None:
    for _ in range(2):
        capture_id = keep(outbox, begin(outbox, clock))
        outbox.seal([capture_id], sealing.NURSE)
        clock.advance(600)
    found = look(settings, outbox, clock, round_at=clock.monotonic())
    assert found.destinations == (
        DestinationHealth("pacs", 2, 1200.0, 0),
        DestinationHealth("vna", 2, 1200.0, 0),  # named no more, and still waited for
    )
    assert (found.problems, found.drafts) == ((), 0)


def test_a_destination_without_anything_is_told_too(
    settings: Settings, outbox: Outbox, clock: FixedClock
) -> None:
    found = look(settings, outbox, clock)
    assert found.destinations == (DestinationHealth("pacs", 0, 0.0, 0),)


@pytest.mark.parametrize(("round_at", "age"), [(None, 0), (0.0, 61)])
def test_an_engine_that_ends_no_round_is_a_problem(
    settings: Settings, outbox: Outbox, clock: FixedClock, round_at: float | None, age: float
) -> None:
    clock.advance(age)
    assert look(settings, outbox, clock, round_at=round_at).problems == ("engine-silent",)


def test_every_problem_has_its_code(tmp_path: Path, outbox: Outbox, clock: FixedClock) -> None:
    ended = tmp_path / "ca.pem"
    ended.write_bytes(
        certificate_between(clock.now() - timedelta(9), clock.now() - timedelta(days=1, hours=1))
    )
    pacs = ArchiveDestination("pacs", host="h", port=1, ae_title="A", ca_file=str(ended))
    settings = Settings(tmp_path, archives=(pacs,), capture=Capture(min_free_mb=1_000_000_000))
    trouble = FeedStatus("adt", FeedSource.ADT, False, None, None, 0, problem="Of Maria Garcia")
    outbox.spool.database.close()
    found = look(settings, outbox, clock, feed=trouble)
    assert found.problems == ("store-unreadable", "disk-low", "certificate-expired")
    assert [one.days for one in found.certificates] == [-2]


def test_a_disk_that_is_gone_and_a_certificate_of_tomorrow_are_problems_among_others(
    tmp_path: Path, outbox: Outbox, clock: FixedClock
) -> None:
    early = tmp_path / "ours.pem"
    early.write_bytes(
        certificate_between(clock.now() + timedelta(days=1), clock.now() + timedelta(days=9))
    )
    pacs = ArchiveDestination("pacs", host="h", port=1, ae_title="A", ca_file=str(early))
    found = look(Settings(tmp_path / "gone", archives=(pacs,)), outbox, clock)
    assert found.problems == ("disk-unreadable", "certificate-not-yet-valid")
    page = page_of(lambda: found)
    health_page, metrics = page("/health"), page("/metrics")
    assert health_page is not None
    assert metrics is not None
    assert json.loads(health_page.body)["disk_free_bytes"] is None
    assert "capture_app_disk_free_bytes" not in metrics.body
    assert 'capture_app_problem{code="disk-unreadable"} 1' in metrics.body


def test_a_feed_in_trouble_is_told_by_its_code_alone(
    settings: Settings, outbox: Outbox, clock: FixedClock
) -> None:
    trouble = FeedStatus("adt", FeedSource.ADT, False, None, None, 0, problem="Of Maria Garcia")
    found = look(settings, outbox, clock, feed=trouble)
    assert found.problems == ("feed-trouble",)
    page = page_of(lambda: found)
    for path in ("/health", "/metrics"):
        answer = page(path)
        assert answer is not None
        assert "Garcia" not in answer.body


def test_a_large_figure_is_told_to_its_last_digit(
    settings: Settings, outbox: Outbox, clock: FixedClock
) -> None:
    found = replace(look(settings, outbox, clock), disk_free_bytes=512_345_678_901)
    answer = page_of(lambda: found)("/metrics")
    assert answer is not None
    assert "capture_app_disk_free_bytes 512345678901" in answer.body.splitlines()


def test_the_pages_are_json_and_the_format_of_prometheus(
    settings: Settings, outbox: Outbox, clock: FixedClock
) -> None:
    page = page_of(lambda: look(settings, outbox, clock))
    answer = page("/health")
    assert answer is not None
    assert (answer.status, answer.content_type) == (HTTPStatus.OK, "application/json")
    assert json.loads(answer.body)["good"] is True
    answer = page("/metrics")
    assert answer is not None
    lines = answer.body.splitlines()
    assert 'capture_app_feed_dead_letters{feed="adt",kind="adt"} 3' in lines
    assert 'capture_app_feed_last_message_age_seconds{feed="adt",kind="adt"} 12.5' in lines
    assert "# TYPE capture_app_oldest_waiting_seconds gauge" in lines
    samples = [line for line in lines if not line.startswith("#")]
    assert all(line.startswith("capture_app_") and len(line.split(" ")) == 2 for line in samples)
    clock.advance(61)
    answer = page("/health")
    assert answer is not None
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert page("/") is None
