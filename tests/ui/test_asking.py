"""The two ways of asking off the GUI thread: each end of each question is told, once."""

from collections.abc import Callable

import pytest
import shiboken6
from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from capture_app.errors import CaptureAppError, StoreError
from capture_app.ui.reading import Reading
from capture_app.ui.tasks import Tasks, UnexpectedError
from tests.ui.ends import SAID

# ---------------------------------------------------------------------------------- the two tools


class _Owner(QObject):
    pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, "done"),
        (StoreError("The disk refused."), "The disk refused."),
        pytest.param(RuntimeError("x"), SAID, marks=pytest.mark.expects_log("window-error")),
        pytest.param(MemoryError(), SAID, marks=pytest.mark.expects_log("window-error")),
        pytest.param(SystemExit(), SAID, marks=pytest.mark.expects_log("window-error")),
    ],
)
@pytest.mark.parametrize("in_order", [False, True])
def test_each_end_is_told_once_and_ends(
    qtbot: QtBot, error: BaseException | None, told: str, *, in_order: bool
) -> None:
    heard: list[str] = []
    pool, owner = Tasks(lambda e: heard.append(f"nobody's: {e}"), in_order=in_order), _Owner()

    def work() -> None:
        if error is not None:
            raise error

    pool.run(
        work,
        owner=owner,
        done=lambda _nothing: heard.append("done"),
        failed=lambda e: heard.append(str(e)),
        ended=lambda: heard.append("ended"),
    )
    qtbot.waitUntil(lambda: "ended" in heard)
    pool.stop()
    assert len(heard) == 2
    assert heard[0].startswith(told)


@pytest.mark.expects_log("window-error")
@pytest.mark.parametrize("fails", [False, True])
def test_an_end_that_raises_itself_still_ends(qtbot: QtBot, *, fails: bool) -> None:
    heard: list[str] = []
    pool, owner = Tasks(lambda e: heard.append(type(e).__name__)), _Owner()

    def work() -> None:
        if fails:
            raise StoreError("The disk refused.")

    def bug(_told: object) -> None:
        raise RuntimeError("in the end")

    pool.run(work, owner=owner, done=bug, failed=bug, ended=lambda: heard.append("ended"))
    qtbot.waitUntil(lambda: "ended" in heard)
    pool.stop()
    assert heard == ["UnexpectedError", "ended"]


@pytest.mark.expects_log("window-error")
def test_where_no_thread_can_be_started_it_is_told(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[CaptureAppError] = []
    done: list[str] = []
    acts, owner = Tasks(heard.append, in_order=True), _Owner()

    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refused)
    acts.run(lambda: done.append("told as failed"), owner=owner)
    qtbot.waitUntil(lambda: bool(heard))
    monkeypatch.undo()
    acts.run(lambda: done.append("the next"), owner=owner)
    acts.stop()
    assert isinstance(heard[0], UnexpectedError)
    assert done == ["the next"], "what was told as failed is not done later"


def test_an_act_on_pictures_that_failed_is_told_when_its_page_is_gone(qtbot: QtBot) -> None:
    """A search whose page is gone is nobody's; an act on pictures is always somebody's."""
    heard: list[str] = []
    acts, owner = Tasks(lambda e: heard.append(str(e)), in_order=True), _Owner()
    pool = Tasks(lambda e: heard.append(f"search: {e}"))

    def refuse() -> None:
        raise StoreError("The disk refused.")

    for each in (pool, acts):
        each.run(refuse, owner=owner, failed=lambda _e: heard.append("page"))
    shiboken6.delete(owner)
    qtbot.waitUntil(lambda: bool(heard))
    pool.stop()
    acts.stop()
    assert heard == ["The disk refused."]


@pytest.mark.expects_log("window-error")
def test_a_reading_asks_again_after_every_end(qtbot: QtBot) -> None:
    answers: list[BaseException | int] = [1, StoreError("No."), RuntimeError("x"), 4, 5]
    heard: list[object] = []
    pool, owner = Tasks(heard.append), _Owner()

    def question() -> Callable[[], int]:
        answer = answers.pop(0)

        def work() -> int:
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return work

    reading = Reading(
        pool, question, told=heard.append, failed=lambda e: heard.append(str(e)), parent=owner
    )
    for n in range(1, 4):
        reading.ask()
        assert reading.is_asking
        qtbot.waitUntil(lambda: not reading.is_asking)
        assert len(heard) == n
    reading.ask()
    reading.ask()
    reading.ask()  # stale by two: asked once more
    qtbot.waitUntil(lambda: len(heard) == 5)
    pool.stop()
    assert heard[:2] == [1, "No."]
    assert str(heard[2]).startswith(SAID)
    assert heard[3:] == [4, 5]
    assert not answers


def test_changes_without_a_pause_do_not_put_a_question_off_for_ever(qtbot: QtBot) -> None:
    """150 pictures on their way change more often than a page is read."""
    heard: list[object] = []
    pool, owner = Tasks(heard.append), _Owner()
    reading = Reading(pool, lambda: lambda: 1, told=heard.append, soon_ms=100, parent=owner)
    stream = QTimer(owner)
    stream.timeout.connect(reading.ask_soon)
    stream.start(5)
    qtbot.waitUntil(lambda: len(heard) >= 2)
    assert stream.isActive()
    stream.stop()
    reading.close()
    qtbot.waitUntil(lambda: not reading.is_asking)
    pool.stop()
    assert set(heard) == {1}


def test_a_reading_that_is_closed_tells_nothing_more(qtbot: QtBot) -> None:
    heard: list[object] = []
    pool, owner = Tasks(heard.append), _Owner()
    reading = Reading(pool, lambda: lambda: 1, told=heard.append, soon_ms=1, parent=owner)
    reading.ask()
    reading.ask_soon()
    reading.close()
    qtbot.waitUntil(lambda: not reading.is_asking)
    reading.ask()
    assert not reading.is_asking
    pool.stop()
    assert not heard
