"""Messages whose place in the order of arrival is damaged: no other could follow the last one."""

from __future__ import annotations

from typing import Final

import structlog

from capture_app.store.database import Database

_log = structlog.get_logger(__name__)

LAST_PLACE: Final = 2**53
"""A place beyond it was not counted up to."""


def put_places_right(database: Database) -> None:
    """Gives messages that stand beyond LAST_PLACE a place after all others.

    The state of their patients is lost by that: it is made again from the messages, in the order of
    what they say. Raises StoreError.
    """
    question = "SELECT event_id, patient_key FROM events WHERE event_id > ? ORDER BY event_id"
    if database.read().execute(question, (LAST_PLACE,)).fetchone() is None:
        return
    with database.transaction() as connection:
        for place, patient_key in connection.execute(question, (LAST_PLACE,)).fetchall():
            connection.execute(
                "UPDATE events SET event_id = (SELECT coalesce(max(event_id), 0) + 1 FROM events"
                " WHERE event_id <= ?) WHERE event_id = ?",
                (LAST_PLACE, place),
            )
            connection.execute(
                "UPDATE events SET state = NULL, reading = NULL"
                " WHERE patient_key = ? AND state IS NOT NULL",
                (patient_key,),
            )
            _log.warning("row-put-right", kind="events")
