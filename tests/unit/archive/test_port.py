"""The outbox's port: these archives fit it, and mean the same by its codes."""

from capture_app.archive import outcomes
from capture_app.archive.dimse import DimseArchive
from capture_app.archive.stow import StowArchive
from capture_app.outbox import ports


def as_the_outbox_sees_it(archive: DimseArchive | StowArchive) -> ports.Archive:
    """mypy holds that both fit; nothing at run time can."""
    return archive


def test_the_codes_that_the_engine_acts_on_are_the_same_words() -> None:
    assert outcomes.NOT_IN_ARCHIVE == ports.NOT_IN_ARCHIVE
    assert outcomes.IDENTITY_MISMATCH == ports.IDENTITY_MISMATCH
    assert outcomes.CONTENT_MISMATCH == ports.CONTENT_MISMATCH
    assert outcomes.SEAL_BROKEN == ports.SEAL_BROKEN
