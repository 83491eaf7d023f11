"""A site that came with an act goes with it: *Change* makes pictures say what the panel says."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.procedure import ImageKind
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage, with_devices
from tests.ui.test_panel import MAI, in_archive, plays, said, settled

FAST, HEART, BLADDER = "ED-FAST", "ED-US-CARDIAC", "ED-US-BLADDER"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    """An ultrasound probe; acts on the keys 1 to 3, each with a usual site of its own."""
    with clinic(tmp_path / "station", clock) as opened:
        settings = opened.services.settings
        (device,) = settings.devices
        probes = (replace(device, image_kind=ImageKind.ULTRASOUND),)
        keys = replace(settings.capture, favourites=(FAST, HEART, BLADDER))
        services = replace(
            opened.services, settings=replace(settings, devices=probes, capture=keys)
        )
        opened.services = with_devices(services, probes, clock)
        yield opened
        opened.services.devices.stop()


@pytest.fixture
def mai(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        hands.scan(MAI)
        yield hands


def test_the_usual_site_of_the_right_act_goes_to_the_picture_with_it(mai: Hands) -> None:
    plays(mai, "key 1, shoot, key 2")
    assert mai.state.next_picture.words == (
        "Next: Ultrasound: heart, focused, Heart; 1 kept: Ultrasound: FAST (trauma), Abdomen"
    )
    mai.send()
    assert mai.page.toast.message.stop
    mai.page.toast.acted.emit()
    assert said(mai.state.thumbs) == [("Ultrasound: heart, focused", "Heart")]
    assert mai.state.region == "Heart"
    settled(mai)
    (ds,) = in_archive(mai)
    (region,) = ds.AnatomicRegionSequence
    assert region.CodeMeaning == "Heart"


def test_a_site_that_a_person_chose_for_the_picture_stays(mai: Hands) -> None:
    plays(mai, "key 1, shoot, select 1")
    catalog = mai.stage.services.catalog
    entry = catalog.procedure(FAST)
    assert entry is not None
    scheme, code = entry.region_choices[0]
    mai.page.viewmodel.describing.choose_region(scheme, code)
    plays(mai, "select 1, key 2")
    assert mai.state.next_picture.words.endswith("1 kept: Ultrasound: FAST (trauma)")
    mai.send()
    mai.page.toast.acted.emit()
    (shown,) = mai.state.thumbs
    assert shown.site == "Site does not fit"  # an act never changes a site that a person chose
    assert mai.stage.outbox.counts().held == 0


def test_keep_keeps_act_and_site(mai: Hands) -> None:
    plays(mai, "key 1, shoot, key 3")
    mai.send()
    mai.page.toast.other_acted.emit()
    settled(mai)
    (ds,) = in_archive(mai)
    (region,) = ds.AnatomicRegionSequence
    (protocol,) = ds.PerformedProtocolCodeSequence
    assert (protocol.CodeValue, region.CodeMeaning) == (FAST, "Abdomen")
