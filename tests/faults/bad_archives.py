"""How a bad archive is asked, and how long one waits for it."""

import dataclasses
from collections.abc import Callable
from typing import Any

from capture_app.clock import SystemClock
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from tests.archive_samples import Sample, photo
from tests.archives import Archive, archive_for, said
from tests.peers import HOST

PATIENT = 60.0
"""A deadline that has no part in the outcome."""

IMPATIENT = 0.3
"""The deadline where it is the outcome."""

AT_MOST_SECONDS = 30.0
"""What an answer may take in all: the manners of ending, a busy machine."""

JPEG_CONTEXT = "1.2.840.10008.1.2.4.50"


def stow(port: int, *, seconds: float = PATIENT, root: str = "dicom-web") -> Archive:
    settings = ArchiveDestination(
        "pacs",
        protocol=ArchiveProtocol.STOW,
        url=f"http://{HOST}:{port}/{root}",
        user="rig",
        password_key="pacs-password",
        deadline_seconds=seconds,
    )
    return archive_for(settings)


def patience_for(told: str) -> float:
    """Only where the deadline is what is told may a busy machine run into it."""
    return IMPATIENT if told == "transient timeout" else PATIENT


def timed(call: Callable[[], list[Any]]) -> list[str]:
    """The outcomes in words, and the promise that they came in time."""
    clock = SystemClock()
    begin = clock.monotonic()
    outcomes = [said(outcome) for outcome in call()]
    assert clock.monotonic() - begin < AT_MOST_SECONDS
    return outcomes


def big() -> Sample:
    """More than the socket buffers of both ends hold; of a size that buys it no time."""
    sample = photo(jpeg=False, size=(2000, 3000))
    return dataclasses.replace(sample, instance=dataclasses.replace(sample.instance, size=1))
