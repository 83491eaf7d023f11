import ast
import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import capture_app
from capture_app.clock import FixedClock
from capture_app.errors import StoreError
from capture_app.settings import log_files, log_repeats
from capture_app.settings.log import (
    ALLOWED_KEYS,
    configure,
    describe_exception,
    log_what_nobody_caught,
)

PATIENT = "JONES^ANNA"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(autouse=True)
def _everything_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("capture_app")
    levels, raising = (root.level, ours.level), logging.raiseExceptions
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield
    for handler in list(root.handlers):
        if getattr(handler, "of_capture_app", False):
            root.removeHandler(handler)
            handler.close()
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.raiseExceptions = raising
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture
def lines(tmp_path: Path, stream: io.StringIO, clock: FixedClock) -> Lines:
    """Configures the log and reads its file back."""
    configure(tmp_path, program="test", stream=stream, clock=clock)

    def read() -> list[dict[str, Any]]:
        text = (tmp_path / "logs" / f"test-{os.getpid()}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    return read


@pytest.fixture
def ours() -> Any:
    return structlog.get_logger("capture_app.test")


def fail_with_a_patient() -> None:
    name = PATIENT
    message = f"no such patient: {name}"
    raise LookupError(message)


def test_entry_is_one_line_of_json(lines: Lines, ours: Any) -> None:
    ours.info("image-stored", uid="2.25.1", status=0, ms=12.5, destination="pacs")
    assert lines() == [
        {
            "at": "2024-07-02T09:30:00.000+02:00",
            "event": "image-stored",
            "level": "info",
            "logger": "capture_app.test",
            "uid": "2.25.1",
            "status": 0,
            "ms": 12.5,
            "destination": "pacs",
        }
    ]


@pytest.mark.expects_log("image-refused")
def test_key_that_is_not_allowed_is_dropped_and_its_name_noted(
    lines: Lines, ours: Any, stream: io.StringIO
) -> None:
    ours.bind(patient_id="4711").error("image-refused", name=PATIENT, uid="2.25.1")
    (entry,) = lines()
    assert entry["dropped"] == ["name", "patient_id"]
    assert entry["uid"] == "2.25.1"
    assert "JONES" not in stream.getvalue() + json.dumps(entry)
    assert "4711" not in stream.getvalue() + json.dumps(entry)


def test_values_are_plain_and_short(lines: Lines, ours: Any) -> None:
    ours.info("x", reason="r" * 1000, kind=object(), state={"a": PATIENT}, code=["a", b"raw"])
    (entry,) = lines()
    assert entry["reason"] == "r" * 200 + "..."
    assert entry["kind"] == "<object>"
    assert entry["state"] == "<dict>"
    assert entry["code"] == ["a", "<bytes>"]


@pytest.mark.expects_log("feed-message-failed")
def test_traceback_has_frames_but_neither_locals_nor_the_strangers_words(
    lines: Lines, ours: Any, stream: io.StringIO
) -> None:
    try:
        fail_with_a_patient()
    except LookupError:
        ours.exception("feed-message-failed")
    (entry,) = lines()
    (error,) = entry["exception"]
    assert error["type"] == "builtins.LookupError"
    assert "message" not in error
    assert error["frames"][-1].startswith("tests/unit/settings/test_log.py:")
    assert error["frames"][-1].endswith(" fail_with_a_patient")
    assert "LookupError" in stream.getvalue()
    assert "JONES" not in stream.getvalue() + json.dumps(entry)


@pytest.mark.expects_log("keep-failed")
def test_our_own_words_stay_and_what_led_to_them_is_told(lines: Lines, ours: Any) -> None:
    try:
        try:
            fail_with_a_patient()
        except LookupError as error:
            message = "The disk refused."
            raise StoreError(message) from error
    except StoreError as error:
        ours.error("keep-failed", exc_info=error)
    described = lines()[0]["exception"]
    assert [one["type"] for one in described] == [
        "capture_app.errors.StoreError",
        "builtins.LookupError",
    ]
    assert described[0]["message"] == "The disk refused."
    assert "JONES" not in json.dumps(described)


def test_groups_and_circles_of_exceptions_are_described() -> None:
    first, second = ValueError(PATIENT), KeyError(PATIENT)
    first.__cause__ = second
    second.__cause__ = first
    described = describe_exception(ExceptionGroup(PATIENT, [first, second]))
    assert [one["type"] for one in described] == [
        "builtins.ExceptionGroup",
        "builtins.ValueError",
        "builtins.KeyError",
    ]
    assert "JONES" not in json.dumps(described)


@pytest.mark.expects_log(PATIENT)  # the test's own handler sees the record as it came
@pytest.mark.parametrize("name", ["pydicom", "pynetdicom.acse", "urllib3", "capture_app.loose"])
def test_what_others_log_is_reduced(lines: Lines, stream: io.StringIO, name: str) -> None:
    stranger = logging.getLogger(name)
    stranger.info("below the mark: %s", PATIENT)
    stranger.warning("wrong value: %s", PATIENT)
    entries = [entry for entry in lines() if entry["level"] == "warning"]
    assert len(entries) == 1
    assert entries[0]["event"] == "third-party"
    assert entries[0]["logger"] == name
    assert entries[0]["module"] == "test_log"
    assert entries[0]["line"] > 0
    assert "JONES" not in json.dumps(lines())
    assert "JONES" not in stream.getvalue()


@pytest.mark.expects_log("went wrong")
def test_their_tracebacks_are_reduced_too(lines: Lines, stream: io.StringIO) -> None:
    try:
        fail_with_a_patient()
    except LookupError:
        logging.getLogger("pynetdicom").exception("went wrong")
    (entry,) = lines()
    assert entry["exception"][0]["type"] == "builtins.LookupError"
    assert "JONES" not in json.dumps(entry) + stream.getvalue()


@pytest.mark.expects_log(PATIENT)
def test_python_warnings_go_the_same_way(lines: Lines, stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"invalid value for PN: {PATIENT}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    (entry,) = lines()
    assert entry["logger"] == "py.warnings"
    assert "JONES" not in json.dumps(entry) + stream.getvalue()


@pytest.mark.expects_log("everywhere")
def test_levels(lines: Lines, ours: Any, stream: io.StringIO) -> None:
    ours.debug("hidden")
    ours.info("in-the-file")
    ours.warning("everywhere", code="x")
    assert [entry["event"] for entry in lines()] == ["in-the-file", "everywhere"]
    assert stream.getvalue() == "09:30:00 warning everywhere code=x\n"


def test_console_can_speak_json(stream: io.StringIO, clock: FixedClock, ours: Any) -> None:
    configure(None, json_console=True, console_level="info", stream=stream, clock=clock)
    ours.info("ready", port=2575)
    assert json.loads(stream.getvalue())["port"] == 2575


def test_configuring_again_replaces_and_does_not_double(
    tmp_path: Path, clock: FixedClock, ours: Any
) -> None:
    for _ in range(3):
        configure(tmp_path, program="test", stream=io.StringIO(), clock=clock)
    ours.info("once")
    (path,) = (tmp_path / "logs").glob("*.jsonl")
    assert len(path.read_text().splitlines()) == 1


def test_log_is_closed_to_others(lines: Lines, ours: Any, tmp_path: Path) -> None:
    ours.info("x")
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "logs").iterdir())


@pytest.mark.expects_log("uncaught")
def test_uncaught_exceptions_are_logged_and_not_printed(
    lines: Lines, stream: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    log_what_nobody_caught()
    thread = threading.Thread(target=fail_with_a_patient, name="worker-1")
    thread.start()
    thread.join()
    try:
        fail_with_a_patient()
    except LookupError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    entries = lines()
    assert [(entry["event"], entry["level"]) for entry in entries] == [("uncaught", "critical")] * 2
    assert entries[0]["thread"] == "worker-1"
    printed = "".join(capfd.readouterr())
    assert "JONES" not in printed + stream.getvalue() + json.dumps(entries)


@pytest.mark.expects_log("not-written")
def test_log_that_cannot_be_written_prints_no_values(
    tmp_path: Path, clock: FixedClock, capfd: pytest.CaptureFixture[str], ours: Any
) -> None:
    broken = io.StringIO()
    configure(None, stream=broken, clock=clock)
    broken.close()
    logging.getLogger("capture_app").setLevel("INFO")
    ours.critical("not-written", user_id=PATIENT)
    assert "JONES" not in "".join(capfd.readouterr())


def test_each_process_has_a_file_that_rotates(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, ours: Any
) -> None:
    monkeypatch.setattr(log_files, "ROTATE_AT_BYTES", 20_000)
    configure(tmp_path, program="test", stream=io.StringIO(), clock=clock)
    for number in range(500):
        ours.info("entry", count=number)
    files = sorted((tmp_path / "logs").glob("*.jsonl*"))
    name = f"test-{os.getpid()}.jsonl"
    assert [path.name for path in files] == [name, *(f"{name}.{n}" for n in range(1, len(files)))]
    assert len(files) > 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    entries = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert sorted(entry["count"] for entry in entries) == list(range(500))


def test_old_files_go_and_those_of_a_living_process_stay(
    lines: Lines, ours: Any, tmp_path: Path
) -> None:
    ours.info("before")
    folder = tmp_path / "logs"
    mine = folder / f"test-{os.getpid()}.jsonl"
    rotated = mine.with_name(f"{mine.name}.1")
    rotated.touch()
    for path in (mine, rotated):
        os.utime(path, (0, 0))
    for number in range(log_files.KEPT_FILES + 5):
        (folder / f"import-{number}.jsonl").touch()
        os.utime(folder / f"import-{number}.jsonl", (number, number))
    log_files.remove_old_files(folder)
    left = {path.name for path in folder.iterdir()}
    assert len(left) == log_files.KEPT_FILES + 3
    assert {mine.name, rotated.name, f"test-{os.getpid()}.lock"} < left
    assert not left & {f"import-{number}.jsonl" for number in range(5)}, "the oldest go"
    ours.info("after")
    assert [entry["event"] for entry in lines()] == ["before", "after"]


def test_what_a_killed_process_left_is_no_life(tmp_path: Path) -> None:
    for number in range(log_files.KEPT_FILES + 1):
        (tmp_path / f"serve-{number}.jsonl").touch()
        os.utime(tmp_path / f"serve-{number}.jsonl", (number, number))
    (tmp_path / "serve-0.lock").touch()
    log_files.remove_old_files(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"serve-{number}.jsonl" for number in range(1, log_files.KEPT_FILES + 1)}


def test_a_log_that_ends_gives_its_place_back(tmp_path: Path, clock: FixedClock) -> None:
    configure(tmp_path, program="test", stream=io.StringIO(), clock=clock)
    assert [path.suffix for path in (tmp_path / "logs").iterdir()] == [".lock"]
    configure(None, stream=io.StringIO(), clock=clock)
    assert not list((tmp_path / "logs").iterdir())


def test_a_file_that_was_deleted_by_hand_is_begun_anew(
    lines: Lines, ours: Any, tmp_path: Path
) -> None:
    ours.info("before")
    (tmp_path / "logs" / f"test-{os.getpid()}.jsonl").unlink()
    ours.info("after")
    assert [entry["event"] for entry in lines()] == ["after"]


@pytest.mark.expects_log("port-not-had", "feed-silent")
def test_what_is_said_again_is_counted(
    lines: Lines, ours: Any, stream: io.StringIO, clock: FixedClock
) -> None:
    for number in range(413):  # two things that fail in turn
        ours.warning("port-not-had", port=2575)
        ours.warning("feed-silent", feed="adt", count=min(number, 1))
    assert [entry["event"] for entry in lines()] == ["port-not-had", *["feed-silent"] * 2]
    clock.advance(log_repeats.WITHIN_S)
    ours.info("other")
    told = [(entry["event"], entry.get("repeated")) for entry in lines()[3:]]
    assert told == [("port-not-had", 412), ("feed-silent", 411), ("other", None)]
    assert lines()[3]["port"] == 2575
    ours.warning("port-not-had", port=2575)
    assert "port-not-had port=2575 (this line repeated 412 times)" in stream.getvalue()
    assert lines()[-1].keys() == lines()[0].keys(), "after a minute the line itself comes again"


@pytest.mark.expects_log("failed")
def test_counts_that_are_open_are_written_at_the_end(
    lines: Lines, ours: Any, clock: FixedClock
) -> None:
    for _ in range(3):
        try:
            fail_with_a_patient()
        except LookupError:
            ours.exception("failed")
    read = lines
    configure(None, stream=io.StringIO(), clock=clock)
    first, count = read()
    assert "exception" in first
    assert (count["repeated"], "exception" in count) == (2, False)


def test_many_different_lines_keep_no_memory(lines: Lines, ours: Any) -> None:
    ours.info("entry", count=0)
    ours.info("entry", count=0)
    for number in range(1, 200):
        ours.info("entry", count=number)
    (handler,) = (
        one
        for one in logging.getLogger().handlers
        if isinstance(one, log_repeats.CountingHandler) and one.level == logging.NOTSET
    )
    assert len(handler._lines) <= 64
    assert [entry["count"] for entry in lines() if "repeated" in entry] == [0]


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    package = Path(capture_app.__file__).parent
    methods = {"debug", "info", "warning", "error", "critical", "exception"}
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in methods
                and ast.unparse(node.func.value).split("(")[0].split(".")[-1].lower().strip("_")
                in ("log", "logger", "get_logger")
            ):
                yield f"{path.relative_to(package)}:{node.lineno}", node


def test_every_log_call_is_a_constant_event_with_allowed_keys() -> None:
    wrong, seen = [], 0
    for where, call in log_calls():
        seen += 1
        event = call.args[0] if call.args else None
        if len(call.args) != 1 or not isinstance(event, ast.Constant):
            wrong.append(f"{where}: the event must be one constant text")
        wrong += [
            f"{where}: {keyword.arg} is not an allowed key"
            for keyword in call.keywords
            if keyword.arg not in ALLOWED_KEYS | {"exc_info"}
        ]
    assert seen > 5
    assert not wrong, "\n".join(wrong)
