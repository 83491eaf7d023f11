"""Tells who asked that a picture or an exam changed, whichever thread or process changed it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from capture_app.store.database import Database

_log = structlog.get_logger(__name__)

OnChange = Callable[[str], None]
_NEWS: Final = "SELECT revision, capture_id FROM change WHERE revision > ? ORDER BY revision"
LAST_REVISION: Final = 2**53
"""A number beyond it was not counted up to: it is damage, after which no other could follow."""
_NEWEST: Final = "SELECT coalesce(max(revision), 0) FROM change"


class Changes:
    """Reads what is new in the table that the database's triggers keep, and tells it on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._callbacks: list[OnChange] = []
        self._put_right()
        (self._revision,) = database.read().execute(_NEWEST).fetchone()
        self._data_versions = threading.local()

    def _put_right(self) -> None:
        questions = (
            "SELECT 1 FROM change WHERE revision > ?",
            "SELECT 1 FROM sqlite_sequence WHERE name = 'change' AND seq > ?",
        )
        reader = self._database.read()
        if not any(reader.execute(one, (LAST_REVISION,)).fetchone() for one in questions):
            return
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM change WHERE revision > ?", (LAST_REVISION,))
            connection.execute(
                "UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(revision), 0) FROM change) "
                "WHERE name = 'change' AND seq > ?",
                (LAST_REVISION,),
            )
        _log.warning("row-put-right", kind="change")

    def subscribe(self, callback: OnChange) -> Callable[[], None]:
        """Calls back with the id of a picture or of an exam at each change, from any thread.

        Returns the way out.
        """
        with self._lock:
            self._callbacks.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unsubscribe

    def tell_if_any(self) -> None:
        """The same, where SQLite says that another connection has changed the file at all."""
        # The number is each connection's own, and so each thread's.
        version = self._database.data_version()
        if version != getattr(self._data_versions, "seen", None):
            self._data_versions.seen = version
            self.tell()

    def tell(self) -> None:
        """Calls back for everything that changed since the last time."""
        with self._lock:
            reader = self._database.read()
            rows = reader.execute(_NEWS, (self._revision,)).fetchall()
            if rows:
                self._revision = rows[-1][0]
            callbacks = tuple(self._callbacks)
        for _, changed_id in rows:
            for callback in callbacks:
                try:
                    callback(changed_id)
                except Exception:  # noqa: BLE001 - logged; one deaf listener must not stop the rest
                    _log.exception("change-listener-failed", uid=changed_id)
