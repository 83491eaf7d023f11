"""What a picture shows and is for: an encrypted cell of its row, as last chosen."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import structlog

from capture_app.errors import ChangedSinceSeenError, RuleError, SealBrokenError
from capture_app.model.procedure import Description
from capture_app.model.reason import DESCRIPTION_UNREADABLE, Reason
from capture_app.model.words import tr
from capture_app.outbox.spool import Spool
from capture_app.store.database import Reader

_log = structlog.get_logger(__name__)

Seen = Mapping[str, Description]
"""What the person who acts saw of each picture, by capture id."""


def description_context(capture_id: str) -> str:
    """The place of a description's encrypted cell."""
    return f"description {capture_id}"


def open_description(
    spool: Spool, capture_id: str, cell: bytes
) -> tuple[Description, Reason | None]:
    """What a picture shows, as a person sees it. Of a damaged cell nothing is left, and the reason:
    the picture then lacks a procedure and a site, and is described anew.
    """
    try:
        return spool.unseal(Description, cell, description_context(capture_id)), None
    except SealBrokenError:
        _log.warning("draft-row-unreadable", capture_id=capture_id, kind="description")
        return Description(), Reason(DESCRIPTION_UNREADABLE)


def read_description(spool: Spool, capture_id: str) -> Description:
    """What a picture shows and is for, as last chosen; nothing where that cannot be read."""
    row = (
        spool.database.read()
        .execute("SELECT description FROM capture WHERE capture_id = ?", (capture_id,))
        .fetchone()
    )
    if row is None:
        raise RuleError(tr("There is no such picture."))
    return open_description(spool, capture_id, row[0])[0]


def require_seen(
    asked: sqlite3.Connection | Reader, spool: Spool, capture_id: str, seen: Seen | None
) -> None:
    """Raises ChangedSinceSeenError where the picture does not say what its person saw.

    None asks nothing: a command that wrote the description itself a moment ago.
    """
    if seen is None:
        return
    row = asked.execute(
        "SELECT description FROM capture WHERE capture_id = ?", (capture_id,)
    ).fetchone()
    if row is None or capture_id not in seen:
        raise changed_since_seen()
    if open_description(spool, capture_id, row[0])[0] != seen[capture_id]:
        raise changed_since_seen()


def changed_since_seen() -> ChangedSinceSeenError:
    """What is said where a picture was described anew under the eyes of whoever acts."""
    return ChangedSinceSeenError(
        tr("A picture was described anew in another window. Look at it, then do it again.")
    )
