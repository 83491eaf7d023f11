"""The strip along the lower edge, on what only IT can mend."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pytestqt.qtbot import QtBot

from capture_app.audit.chain import TrailFault
from capture_app.audit.trail import mark_broken
from capture_app.clock import FixedClock
from capture_app.model.operator import Role
from capture_app.outbox.clock_watch import ClockWatch
from capture_app.ui.shell.status import StatusViewModel
from capture_app.ui.shell.status_strip import StatusStrip
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Tone
from tests.certificates import certificate_between
from tests.ui.stage import Stage

_NO_MARKS = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))


@pytest.mark.parametrize(
    ("left", "words", "tone"),
    [
        (timedelta(days=31), "", Tone.WARN),
        (timedelta(days=13, hours=1), "13 days left: certificate of pacs", Tone.WARN),
        (timedelta(days=1), "1 day left: certificate of pacs", Tone.WARN),
        (-timedelta(days=1), "Not valid: certificate of pacs", Tone.BAD),
    ],
)
def test_the_first_certificate_to_end_is_told_once_somebody_is_signed_in(
    stage: Stage,
    tasks: Tasks,
    qtbot: QtBot,
    clock: FixedClock,
    left: timedelta,
    words: str,
    tone: Tone,
) -> None:
    now = clock.now()
    own = stage.folder / "own.pem"
    own.write_bytes(certificate_between(now - timedelta(days=300), now + left))
    settings = stage.services.settings
    archive = replace(settings.archives[0], name="pacs", certificate_file=str(own))
    services = replace(stage.services, settings=replace(settings, archives=(archive,)))
    viewmodel = StatusViewModel(services, tasks)
    strip = StatusStrip(viewmodel)
    qtbot.addWidget(strip)
    strip.show()
    qtbot.waitUntil(lambda: bool(viewmodel.state.clock))
    told = viewmodel.state.certificate
    assert (told.words, told.tone) == (words, tone)
    assert not strip._certificate.isVisible()
    strip.show_user("A. Okafor", 300)
    assert strip._certificate.isVisible() == bool(words)
    viewmodel.close()


def strip_of(stage: Stage, tasks: Tasks, qtbot: QtBot) -> tuple[StatusViewModel, StatusStrip]:
    viewmodel = StatusViewModel(stage.services, tasks)
    strip = StatusStrip(viewmodel)
    qtbot.addWidget(strip)
    strip.show()
    strip.show_user("A. Okafor", 300)
    return viewmodel, strip


@pytest.mark.expects_log("trail-broken")
def test_a_broken_trail_is_told_until_an_auditor_has_looked(
    stage: Stage, tasks: Tasks, qtbot: QtBot, clock: FixedClock
) -> None:
    auditor = stage.add_user("carla", "Carla", Role.ADMINISTER, Role.AUDIT)
    viewmodel, strip = strip_of(stage, tasks, qtbot)
    qtbot.waitUntil(lambda: bool(viewmodel.state.clock))
    assert not strip._trail.isVisible()
    spool = stage.outbox.spool
    with spool.database.transaction() as connection:
        connection.execute("UPDATE audit_head SET mac = 'x'")
    viewmodel.read()
    qtbot.waitUntil(lambda: viewmodel.state.trail.words == "Trail broken: tell IT")
    assert strip._trail.isVisible()
    strip.show_locked()
    assert not strip._trail.isVisible()
    with spool.database.transaction() as connection:
        mark_broken(connection, clock, TrailFault.HEAD_CHANGED, cipher=spool.cipher)
    viewmodel.read()
    stage.services.auditing.see_breaks(auditor)
    viewmodel.read()
    qtbot.waitUntil(lambda: viewmodel.state.trail.words == "")
    viewmodel.close()


@pytest.mark.expects_log("clock-jumped")
@pytest.mark.parametrize(
    ("days", "words"),
    [(365, "Clock set forward by 365 days"), (-1, "Clock set back by 1 day")],
)
def test_a_clock_that_was_set_is_told_for_a_day(
    stage: Stage, tasks: Tasks, qtbot: QtBot, clock: FixedClock, days: int, words: str
) -> None:
    watch = ClockWatch(stage.outbox.spool)
    watch.look()
    clock.at += timedelta(days=days)
    watch.look()
    viewmodel, strip = strip_of(stage, tasks, qtbot)
    qtbot.waitUntil(lambda: bool(viewmodel.state.trail.words))
    told = viewmodel.state.trail
    assert (told.words.translate(_NO_MARKS), told.tone) == (words, Tone.WARN)
    assert strip._trail.isVisible()
    clock.advance(25 * 3600)
    viewmodel.read()
    qtbot.waitUntil(lambda: not viewmodel.state.trail.words)
    viewmodel.close()
