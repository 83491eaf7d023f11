"""The log: only keys that can carry no patient data, and never the text of a stranger.

An entry is a constant event name and values under ALLOWED_KEYS; any other key is dropped and only
its name is noted. Tracebacks have file, line and function of each frame, no local variables, and
the message of our own errors alone: a library's message may quote a patient. What other libraries
log is reduced to who, where and how grave.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from capture_app.clock import Clock, SystemClock
from capture_app.errors import CaptureAppError
from capture_app.settings.log_files import ProcessLogFile, remove_old_files
from capture_app.settings.log_repeats import ENTRY, REPEATED, CountingHandler

ALLOWED_KEYS: Final = frozenset(
    {
        # what, where, how grave: added by the log itself
        *("at", "dropped", "event", "exception", "function", "level", "line", "logger", "module"),
        *("repeated",),
        # which of ours: identifiers that we mint or that the settings name
        *("archive", "backend", "capture_id", "database", "destination", "device_id", "exam_id"),
        *("feed", "host", "peer", "pid", "port", "procedure_id", "send_id", "source", "thread"),
        *("transaction_uid", "uid", "user_id", "version", "worker", "worklist"),
        # how it went: short coded facts and numbers
        *("ack", "action", "attempt", "bytes", "code", "count", "days", "deadline_s", "due_s"),
        *("error_type", "event_type", "failures", "kind", "mode", "ms", "outcome", "proof"),
        *("protocol", "reason", "role", "seconds", "size", "state", "status", "step", "task"),
        *("transfer_syntax",),
        # what a camera was asked for and what it gave: a coding, numbers
        *("asked", "got"),
    }
)
"""Before adding a key ask: can its value ever come from a feed, a picture or a typing hand?"""

LOG_FOLDER: Final = "logs"
_LONGEST_VALUE: Final = 200
_MOST_FRAMES: Final = 50


def configure(
    data_dir: Path | None,
    *,
    program: str = "capture-app",
    json_console: bool = False,
    level: str = "info",
    console_level: str = "warning",
    stream: TextIO | None = None,
    clock: Clock | None = None,
) -> None:
    """Puts the log in place for this process; called once, first thing.

    JSON lines go to `logs/<program>-<pid>.jsonl` of the data folder where one is given: a file of
    its own for each process, for two cannot rotate one file without losing lines. Old files of
    processes that have ended are removed. Entries of `console_level` and above go to `stream`
    (stderr), for people or as JSON. Lines that say the same within a minute are counted.
    """
    clock = clock or SystemClock()
    logging.raiseExceptions = False  # else logging prints the arguments of what it could not write
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "of_capture_app", False):
            root.removeHandler(old)
            old.close()
    console = logging.StreamHandler(stream or sys.stderr)
    console.setLevel(console_level.upper())
    console.setFormatter(_Formatter(clock, as_json=json_console))
    handlers: list[logging.Handler] = [console]
    if data_dir is not None:
        folder = data_dir / LOG_FOLDER
        file = ProcessLogFile(folder, f"{program}-{os.getpid()}")
        remove_old_files(folder)
        file.setFormatter(_Formatter(clock, as_json=True))
        handlers.append(file)
    for handler in handlers:
        counting = CountingHandler(handler, clock, _entry_of)
        counting.of_capture_app = True  # type: ignore[attr-defined]
        root.addHandler(counting)
    root.setLevel(logging.WARNING)
    logging.getLogger("capture_app").setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            render_exception,
            keep_allowed_keys,
            _to_record,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # modules get their loggers before this runs
    )


def log_what_nobody_caught() -> None:
    """Routes uncaught exceptions of every thread here: Python would print their messages."""
    log = structlog.get_logger("capture_app.uncaught")

    def of_main(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught", exc_info=(kind, error, traceback))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            info = (args.exc_type, args.exc_value, args.exc_traceback)
            log.critical("uncaught", thread=args.thread.name if args.thread else "", exc_info=info)

    def of_destructor(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            info = (args.exc_type, args.exc_value, args.exc_traceback)
            log.error("uncaught", kind="unraisable", exc_info=info)

    sys.excepthook = of_main
    threading.excepthook = of_thread
    sys.unraisablehook = of_destructor


def keep_allowed_keys(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drops every key that is not allowed and notes the names of those that were."""
    dropped = sorted(key for key in event if key not in ALLOWED_KEYS)
    kept = {key: _plain(key, value) for key, value in event.items() if key in ALLOWED_KEYS}
    if dropped:
        kept["dropped"] = dropped
    return kept


def render_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by what `describe_exception` tells of it."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = info if isinstance(info, BaseException) else None
    if isinstance(info, tuple):
        error = info[1]
    elif error is None:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = describe_exception(error)
    return event


def describe_exception(error: BaseException) -> list[dict[str, Any]]:
    """The exception and those that led to it, newest first: type, frames, our own messages only."""
    described: list[dict[str, Any]] = []
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting and len(described) < 10:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        entry: dict[str, Any] = {
            "type": f"{type(current).__module__}.{type(current).__qualname__}",
            "frames": _frames(current.__traceback__),
        }
        if isinstance(current, CaptureAppError):
            entry["message"] = str(current)
        described.append(entry)
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        if current.__cause__ is not None:
            waiting.append(current.__cause__)
        elif current.__context__ is not None and not current.__suppress_context__:
            waiting.append(current.__context__)
    return described


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    return frames[-_MOST_FRAMES:]


def _short(file_name: str) -> str:
    """The file without the folders above the package: they may name a person."""
    parts = Path(file_name).parts
    for root in ("site-packages", "capture_app", "tests"):
        if root in parts:
            at = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[at + (root == "site-packages") :])
    return parts[-1] if parts else "?"


def _plain(key: str, value: Any) -> Any:
    """Numbers and short texts as they are; of anything else only the type."""
    if key in ("exception", "dropped") or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value) if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "..."
    if isinstance(value, list | tuple):
        return [_plain("", item) for item in value[:20]]
    return f"<{type(value).__name__}>"


def _to_record(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> tuple[tuple[str], dict[str, Any]]:
    """The last processor: hands the entry to the standard library's log, which has the handlers."""
    return (str(event.get("event", "")),), {"extra": {ENTRY: event}}


class _Formatter(logging.Formatter):
    """One line an entry, as JSON or for people."""

    def __init__(self, clock: Clock, *, as_json: bool) -> None:
        super().__init__()
        self._clock = clock
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        entry = _entry_of(record)
        at = self._clock.now()
        if self._as_json:
            line: MutableMapping[str, Any] = {"at": at.isoformat(timespec="milliseconds"), **entry}
            return json.dumps(line, ensure_ascii=False, default=str)
        facts = "".join(
            f" {key}={value}"
            for key, value in entry.items()
            if key not in ("event", "level", "logger", "exception", REPEATED)
        )
        text = f"{at:%H:%M:%S} {entry.get('level', '')} {entry.get('event', '')}{facts}"
        if times := entry.get(REPEATED):
            text += f" (this line repeated {times} times)"
        for error in entry.get("exception", ()):
            text += f"\n  {error['type']} {error.get('message', '')}".rstrip()
            text += "".join(f"\n    {frame}" for frame in error["frames"])
        return text


def _entry_of(record: logging.LogRecord) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = getattr(record, ENTRY, None) or _reduced(record)
    return entry


def _reduced(record: logging.LogRecord) -> dict[str, Any]:
    """What may be told of another library's entry: its text may quote a dataset or a message."""
    entry: dict[str, Any] = {
        "event": "third-party",
        "level": record.levelname.lower(),
        "logger": record.name,
        "module": record.module,
        "function": record.funcName,
        "line": record.lineno,
    }
    if record.exc_info and record.exc_info[1] is not None:
        entry["exception"] = describe_exception(record.exc_info[1])
    return entry
