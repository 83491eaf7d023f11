"""The set-up page of the scanner, by real keys: what it learns, tries and saves."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from capture_app.errors import StoreError
from capture_app.model.operator import Operator, Role
from capture_app.settings.learnt import SCANNER_FILE
from capture_app.settings.scanning import Alphabet, ScanPattern
from capture_app.ui.scanner.page import ScannerPage
from capture_app.ui.scanner.viewmodel import Listening, ScannerState
from tests.ui.conftest import Desk
from tests.ui.keyboard import Keyboard
from tests.ui.stage import Stage

BANDS = ("0009812204", "0012345678", "0012354687")


@pytest.fixture
def at_page(desk: Desk) -> tuple[Desk, ScannerPage, Keyboard]:
    desk.sign_in()
    desk.content.patients.scan_card.set_up.click()
    page = desk.window.findChildren(ScannerPage)[0]
    desk.qtbot.waitUntil(page.isVisible)
    handle = desk.window.windowHandle()
    assert handle is not None
    return desk, page, Keyboard(handle)


def state_of(page: ScannerPage) -> ScannerState:
    return page._vm.state


def learn(desk: Desk, page: ScannerPage, keyboard: Keyboard, *codes: str) -> None:
    page.start.click()
    for n, code in enumerate(codes, 1):
        keyboard.type(code, gap_ms=70)
        desk.qtbot.waitUntil(lambda: len(state_of(page).heard) == n)  # noqa: B023 - waited for here


def test_three_scans_are_learnt_tried_and_saved(
    at_page: tuple[Desk, ScannerPage, Keyboard], stage: Stage
) -> None:
    desk, page, keyboard = at_page
    learn(desk, page, keyboard, *(f"P{band}\t" for band in BANDS))
    assert desk.content.exam is None
    assert state_of(page).heard[0] == "11 characters, then Tab, at most 70 ms between keys"
    assert 'prefix = "P"' in state_of(page).proposal
    assert not any(band in state_of(page).proposal for band in BANDS)
    page.trial.click()
    keyboard.type(f"P{BANDS[1]}\t", gap_ms=70)
    desk.qtbot.waitUntil(lambda: bool(state_of(page).trial))
    assert state_of(page).trial.startswith("It would open the patient ")
    assert state_of(page).trial_is_good
    page.save.click()
    desk.qtbot.waitUntil(lambda: bool(state_of(page).saved))
    assert (stage.folder / SCANNER_FILE).is_file()
    # It holds at once: slow as it is, with Tab, by its prefix alone.
    keyboard.at_ms += 3_000
    keyboard.type(f"P{BANDS[0]}\t", gap_ms=70)
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None)
    exam = desk.content.exam
    assert exam is not None
    assert exam.patient.patient_id.value == BANDS[0]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (f"P{BANDS[1]}\r", "The pattern does not allow it"),
        ("P0000000009\t", "nobody listed"),
    ],
)
def test_a_trial_says_who_would_not_be_opened(
    at_page: tuple[Desk, ScannerPage, Keyboard], typed: str, words: str
) -> None:
    desk, page, keyboard = at_page
    learn(desk, page, keyboard, *(f"P{band}\t" for band in BANDS))
    page.trial.click()
    keyboard.type(typed, gap_ms=5)
    desk.qtbot.waitUntil(lambda: bool(state_of(page).trial))
    assert words in state_of(page).trial
    assert not state_of(page).trial_is_good


def test_one_band_scanned_three_times_teaches_nothing(
    at_page: tuple[Desk, ScannerPage, Keyboard],
) -> None:
    desk, page, keyboard = at_page
    learn(desk, page, keyboard, *[f"{BANDS[0]}\r"] * 3)
    assert state_of(page).problem.startswith("Scan three different wristbands")
    assert not page.save.isEnabled()


def test_bare_numbers_bring_the_advice_of_a_prefix(
    at_page: tuple[Desk, ScannerPage, Keyboard],
) -> None:
    desk, page, keyboard = at_page
    learn(desk, page, keyboard, *(f"{band}\r" for band in BANDS))
    assert state_of(page).advice.startswith("Recommended:")


def test_leaving_the_page_ends_the_listening(
    at_page: tuple[Desk, ScannerPage, Keyboard],
) -> None:
    desk, page, keyboard = at_page
    page.start.click()
    desk.content.go_to_patients()
    assert state_of(page).listening is Listening.NOTHING
    keyboard.type(f"{BANDS[0]}\r", gap_ms=5)
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None)


def test_what_the_site_says_stands_above_the_page(
    ada: Operator, open_desk: Callable[[], Desk], stage: Stage
) -> None:
    site = (ScanPattern("site", alphabet=Alphabet.DIGITS),)
    settings = replace(stage.services.settings, scan_patterns=site)
    stage.services = replace(stage.services, settings=settings)
    desk = open_desk()
    desk.sign_in()
    desk.content.show_scanner()
    (page,) = desk.window.findChildren(ScannerPage)
    handle = desk.window.windowHandle()
    assert handle is not None
    learn(desk, page, Keyboard(handle), *(f"{band}\r" for band in BANDS))
    assert "Give these lines to IT" in state_of(page).advice
    assert not page.save.isEnabled()


def test_only_an_administrator_sets_the_scanner_up(
    ada: Operator, stage: Stage, open_desk: Callable[[], Desk], qtbot: QtBot
) -> None:
    stage.add_user("bo", "B. Nurse", Role.CAPTURE)
    operator = stage.services.users.sign_in("bo", "248613")
    with pytest.raises(Exception, match="administrator"):
        stage.services.users.record_scanner_set_up(operator)


def test_a_file_that_cannot_be_written_is_said_and_can_be_tried_again(
    at_page: tuple[Desk, ScannerPage, Keyboard], stage: Stage
) -> None:
    desk, page, keyboard = at_page
    learn(desk, page, keyboard, *(f"P{band}\t" for band in BANDS))
    (stage.folder / SCANNER_FILE).mkdir()  # a file cannot take the place of a folder
    page.save.click()
    desk.qtbot.waitUntil(lambda: bool(state_of(page).problem))
    assert "cannot be written" in state_of(page).problem
    assert page.save.isEnabled()
    assert StoreError.__name__ not in state_of(page).problem
