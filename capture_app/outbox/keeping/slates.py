"""Slates as rows, and which file of a card became which picture."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from capture_app.errors import SealBrokenError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator
from capture_app.model.procedure import Description
from capture_app.model.slate import KNOWN_FOR, Slate
from capture_app.outbox.act_on_image import record_on_image
from capture_app.outbox.keeping.description import description_context
from capture_app.outbox.spool import Spool, stamp
from capture_app.outbox.status import StatusFilter, statuses

_log = structlog.get_logger(__name__)

FORENSIC: Final = "forensic"
"""Id of the purpose of pictures whose original stays where it is."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was kept as a picture, and where that stands."""

    capture_id: str
    state: ImageState
    may_be_removed: bool
    """Every archive has proved that it holds it, and no picture of its study is for safeguarding,
    as far as all of them can be read.
    """


def put_slates(spool: Spool, slates: Sequence[Slate], *, exam_id: str = "") -> None:
    """Writes down whom slates stand for, and each in the trail. `exam_id`: of the open exam."""
    with spool.database.transaction() as connection:
        for slate in slates:
            connection.execute(
                "INSERT INTO slate (token, made_at, sealed) VALUES (?, ?, ?)",
                (slate.token, stamp(slate.made_at), spool.seal(slate, slate_context(slate.token))),
            )
            spool.record(
                connection,
                AuditEvent(
                    AuditAction.SLATE_MADE,
                    slate.made_by,
                    exam_id=exam_id,
                    patient_key=spool.patient_key(slate.patient),
                    details={"how": "printed" if slate.is_printed else "shown"},
                ),
            )


def read_slates(spool: Spool, tokens: Collection[str]) -> Mapping[str, Slate]:
    """Those of the slates that are known and not forgotten yet, by their token."""
    rows = spool.database.read().execute(
        "SELECT token, sealed FROM slate WHERE token IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(tokens)),),
    )
    found = {}
    for token, cell in rows:
        try:
            slate = spool.unseal(Slate, cell, slate_context(token))
        except SealBrokenError:
            _log.warning("slate-row-unreadable")
            continue
        if slate.token == token and slate.made_at + KNOWN_FOR > spool.clock.now():
            found[token] = slate
    return found


def forget_slates(spool: Spool) -> int:
    """Removes the slates that name nobody any more; returns how many."""
    before = stamp(spool.clock.now() - KNOWN_FOR)
    old = "SELECT 1 FROM slate WHERE made_at < ? LIMIT 1"
    if spool.database.read().execute(old, (before,)).fetchone() is None:
        return 0
    with spool.database.transaction() as connection:
        return connection.execute("DELETE FROM slate WHERE made_at < ?", (before,)).rowcount


def slate_context(token: str) -> str:
    """The place of a slate's encrypted cell."""
    return f"slate {token}"


# ----------------------------------------------------------------------------------- their files


def note_file(connection: sqlite3.Connection, digest: str, capture_id: str) -> None:
    """Writes down which picture a file became, in the transaction that keeps it."""
    connection.execute(
        "INSERT INTO card_file (digest, capture_id) VALUES (?, ?) "
        "ON CONFLICT (digest) DO UPDATE SET capture_id = excluded.capture_id",
        (digest, capture_id),
    )


def kept_files(spool: Spool, digests: Collection[str]) -> Mapping[str, KeptFile]:
    """Those of the files that are pictures here, by the SHA-256 of their bytes.

    A picture that a person deleted is none: its file is new again.
    """
    rows = spool.database.read().execute(
        "SELECT digest, card_file.capture_id FROM card_file JOIN capture USING (capture_id) "
        "WHERE deleted_at = '' AND digest IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(digests)),),
    )
    by_digest = dict(rows.fetchall())
    wanted = StatusFilter(capture_ids=tuple(by_digest.values()), limit=len(by_digest))
    states = {one.capture_id: one.state for one in statuses(spool, wanted)} if by_digest else {}
    return {
        digest: KeptFile(
            capture_id,
            states[capture_id],
            states[capture_id] in (ImageState.CONFIRMED, ImageState.PURGED)
            and _is_plain(spool, capture_id),
        )
        for digest, capture_id in by_digest.items()
        if capture_id in states
    }


def _is_plain(spool: Spool, capture_id: str) -> bool:
    """Whether each picture of the same visit and day says what it shows, and none is for
    safeguarding. What cannot be read, or is said no more, is not taken for a no.
    """
    rows = spool.database.read().execute(
        "SELECT other.capture_id, other.description FROM capture JOIN exam USING (exam_id) "
        "JOIN exam AS same ON same.visit_key = exam.visit_key "
        "JOIN capture AS other ON other.exam_id = same.exam_id "
        "WHERE capture.capture_id = ? AND other.deleted_at = ''",
        (capture_id,),
    )
    for one, cell in rows.fetchall():
        try:
            said = spool.unseal(Description, cell, description_context(one))
        except SealBrokenError:
            return False
        if said.procedure is None or said.purpose is None or said.purpose.choice_id == FORENSIC:
            return False
    return True


def record_removed(spool: Spool, capture_ids: Sequence[str], operator: Operator) -> None:
    """Writes into the trail that the files of these pictures are removed from their card."""
    with spool.database.transaction() as connection:
        for capture_id in capture_ids:
            record_on_image(
                connection, spool, AuditAction.FILE_REMOVED, operator.user_id, capture_id
            )
