"""Images of scanners that are a patient's: what made them, and their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capture_app.errors import SealBrokenError, StoreError
from capture_app.model.device import DeviceInfo
from capture_app.model.words import tr
from capture_app.outbox.sealing.identity import read_identity
from capture_app.outbox.spool import Spool
from capture_app.store.sealed import open_identity, open_sealed


@dataclass(frozen=True, slots=True)
class FiledObject:
    """A Part 10 file and its coding."""

    content: bytes
    transfer_syntax_uid: str


def scanner_of(spool: Spool, sop_instance_uid: str) -> DeviceInfo | None:
    """What made a filed image; None where no scanner sent it, or it cannot be said any more."""
    try:
        path = _path(spool, sop_instance_uid)
        if path is None:
            return None
        header, record = open_identity(path, spool.cipher, uid=sop_instance_uid)
        return read_identity(header, record, unnamed=()).kept.device
    except (SealBrokenError, StoreError, OSError):
        return None  # the row says so in its own words


def open_filed(spool: Spool, sop_instance_uid: str) -> FiledObject | None:
    """The file of a filed image; None where no scanner sent it. Raises StoreError after the purge,
    SealBrokenError, OSError.
    """
    path = _path(spool, sop_instance_uid)
    if path is None:
        return None
    opened = open_sealed(path, spool.cipher, uid=sop_instance_uid)
    identity = read_identity(opened.header, opened.identity, unnamed=())
    return FiledObject(opened.content, identity.instance.transfer_syntax_uid)


def _path(spool: Spool, sop_instance_uid: str) -> Path | None:
    row = (
        spool.database.read()
        .execute(
            "SELECT file FROM instance WHERE sop_instance_uid = ?1 AND EXISTS "
            "(SELECT 1 FROM received WHERE sop_instance_uid = ?1 AND filed_at <> '')",
            (sop_instance_uid,),
        )
        .fetchone()
    )
    if row is None:
        return None
    if row[0] is None:
        raise StoreError(tr("The picture is no longer on this computer."))
    return spool.instances / str(row[0])
