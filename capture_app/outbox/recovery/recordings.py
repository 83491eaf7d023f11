"""Recordings whose process ended before they did: what of them was promised becomes a draft."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import structlog

from capture_app.errors import SealBrokenError
from capture_app.model.clip import ClipLength
from capture_app.outbox.keeping.clips import write_clip
from capture_app.outbox.keeping.drafts import PictureIdentity
from capture_app.outbox.spool import Spool, stamp
from capture_app.store.clip import clip_content, open_clip, salvage
from capture_app.store.record import from_record
from capture_app.store.sealed import SUFFIX, Staged, stage_sealed
from capture_app.store.sealed_form import CHUNK_BYTES, HEADER_BYTES
from capture_app.store.sealed_pieces import GROWING_SUFFIX, give_name, left_over

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A clip that has its end, and not its name."""

    uid: str
    identity: bytes
    length: ClipLength


def growing_files(spool: Spool) -> list[Path]:
    """Recordings without their end or their name, whoever writes them."""
    return sorted(spool.captures.glob(f"*{GROWING_SUFFIX}"))


def take_in(spool: Spool, path: Path) -> bool:
    """Makes a draft of what is whole of one recording, if nobody writes it; True where it did.

    One of which nothing can have been promised is removed. Raises SealBrokenError where it is
    damaged, OSError, DiskFullError, StoreError: then it stays as it is.
    """
    with ExitStack() as stack:
        with spool.database.transaction():  # a recording begins, and gets its name, under this lock
            if not path.exists():
                return False
            file = stack.enter_context(left_over(path))
        return file is not None and _take_in(spool, path, file)


def _take_in(spool: Spool, path: Path, file: BinaryIO) -> bool:
    kept_at = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), spool.clock.now())
    if (whole := _whole(spool, path)) is not None:
        file.close()  # Windows names no file that is open
        staged = Staged(path, path.with_suffix(SUFFIX))
    else:
        staged_and_whole = _copied(spool, path, file)
        file.close()
        if staged_and_whole is None:
            path.unlink()
            return False
        staged, whole = staged_and_whole
    is_new = _make_draft(spool, staged, whole, stamp(kept_at))
    path.unlink(missing_ok=True)
    return is_new


def _whole(spool: Spool, path: Path) -> _Whole | None:
    with suppress(SealBrokenError), open_clip(path, spool.cipher) as clip:
        return _Whole(clip.uid, clip.identity, clip.length)
    return None


def _copied(spool: Spool, path: Path, file: BinaryIO) -> tuple[Staged, _Whole] | None:
    """What is whole, in a new file and marked as a part; None where nothing was promised."""
    if path.stat().st_size < HEADER_BYTES + CHUNK_BYTES:  # not even one second is there
        return None
    left = salvage(file, spool.cipher)
    if left is None or (first := next(left.frames, None)) is None:
        return None
    frames = chain((first,), left.frames)
    staged = stage_sealed(
        spool.captures,
        uid=left.header.uid,
        identity=left.identity,
        content=clip_content(left.shape, frames, is_partial=True),
        cipher=spool.cipher,
        kind="clip",
    )
    with open_clip(staged.temporary, spool.cipher, uid=left.header.uid) as clip:
        return staged, _Whole(clip.uid, clip.identity, clip.length)


def _make_draft(spool: Spool, staged: Staged, whole: _Whole, kept_at: str) -> bool:
    """False where it is a draft already, or was one: then the staged file is removed."""
    kept = from_record(PictureIdentity, whole.identity)
    with spool.database.transaction() as connection:
        row = connection.execute(
            "SELECT file FROM capture WHERE capture_id = ?", (whole.uid,)
        ).fetchone()
        if row is None:
            give_name(staged)
            write_clip(connection, spool, whole.uid, kept, staged.path, whole.length, kept_at)
        elif row[0] is not None and not (spool.captures / row[0]).is_file():
            give_name(staged)
            connection.execute(
                "UPDATE capture SET file = ?, fault = '' WHERE capture_id = ?",
                (staged.path.name, whole.uid),
            )
    staged.temporary.unlink(missing_ok=True)
    if row is None:
        _log.info("recording-adopted", capture_id=whole.uid)
    return row is None
