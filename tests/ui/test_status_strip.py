"""The strip along the lower edge, on what only IT can mend."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.ui.shell.status import StatusViewModel
from capture_app.ui.shell.status_strip import StatusStrip
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Tone
from tests.certificates import certificate_between
from tests.ui.stage import Stage

Strip = Callable[[], tuple[StatusViewModel, StatusStrip]]


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
