import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.archive.outcomes import failed, stored, stored_by_web
from capture_app.errors import RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import StoreReceipt


def test_success_has_no_warning() -> None:
    assert stored("pacs", "1.2", 0x0000) == StoreReceipt("1.2", 0x0000)


@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007, 0xB123, 0x0111])
def test_a_warning_is_stored_and_says_why(status: int) -> None:
    outcome = stored("pacs", "1.2", status)
    assert isinstance(outcome, StoreReceipt)
    assert outcome.status == status
    assert outcome.warning.startswith("pacs ")


@pytest.mark.parametrize("status", [0xA700, 0xA701, 0xA7A7, 0xA7FF])
def test_an_archive_without_room_is_tried_again_whatever_it_adds(status: int) -> None:
    assert isinstance(stored("pacs", "1.2", status), TransientDeliveryError)


@pytest.mark.parametrize("status", [0x0001, 0x0106, 0x0122, 0xA6FF, 0xA800, 0xA900, 0xC000, 0xFFFF])
def test_what_is_neither_success_nor_warning_is_not_stored(status: int) -> None:
    assert isinstance(stored("pacs", "1.2", status), RefusedDeliveryError)


def test_an_answer_without_a_status_is_asked_again() -> None:
    outcome = stored("pacs", "1.2", None)
    assert isinstance(outcome, TransientDeliveryError)
    assert outcome.code == "no-status"


@given(st.integers(0, 0xFFFF))
def test_every_other_status_has_a_code_and_words_and_is_never_a_success(status: int) -> None:
    outcome = failed("pacs", status)
    assert outcome.code == f"status-{status:04X}"
    assert str(outcome).startswith("pacs ")
    assert f"{status:04X}" in str(outcome)
    out_of_resources = 0xA700 <= status <= 0xA7FF
    assert not (out_of_resources and isinstance(outcome, RefusedDeliveryError))
    cannot_be_understood = 0xA900 <= status <= 0xA9FF or 0xC000 <= status <= 0xCFFF
    assert not (cannot_be_understood and isinstance(outcome, TransientDeliveryError))


def test_what_the_cloud_calls_a_duplicate_is_left_to_the_proof() -> None:
    outcome = stored_by_web("pacs", "1.2", 45070)
    assert isinstance(outcome, StoreReceipt)
    assert outcome.status == 0x0111
