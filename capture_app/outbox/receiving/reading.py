"""Received objects are read in a child that can be killed: what it says, as values of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from capture_app.clock import Clock
from capture_app.errors import SandboxError
from capture_app.model.delivery import PixelLayout
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import BlockRule, ChildTask

LONGEST_OBJECT: Final = 400_000_000
HEAD: Final = "head"
_LONGEST_HEAD: Final = 32_000_000
READ_RECEIVED: Final = ChildTask(
    "read-received",
    memory=2 << 30,
    most_in=LONGEST_OBJECT,
    blocks=(BlockRule(HEAD, _LONGEST_HEAD),),
)
_WITHIN_S: Final = 60.0
_TEXTS: Final = (
    *("sop_instance_uid", "sop_class_uid", "study_instance_uid", "series_instance_uid"),
    *("patient_id", "issuer", "universal_id", "name", "birth_date", "sex"),
    *("modality", "manufacturer", "model_name", "serial_number", "software_versions"),
    "pixel_sha256",
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a received object says of itself."""

    texts: Mapping[str, str]
    """By the names of the fields of ReceivedObject and StatedPatient."""
    is_unreadable: bool
    pixels_at: int
    pixel_layout: PixelLayout


@dataclass(frozen=True, slots=True)
class Coerced:
    """A dataset up to its pixels with another patient in it, and which keywords changed."""

    head: bytes
    changed: tuple[str, ...]


class ReceivedReader:
    """One warm child. For use by any thread. Everything raises SandboxError."""

    def __init__(self, clock: Clock) -> None:
        self._child = Child(READ_RECEIVED, clock)

    def read(self, dataset: bytes, transfer_syntax_uid: str, charset_when_absent: str) -> Read:
        """What an encoded dataset says of itself."""
        answer = self._child.ask(
            {
                "transfer_syntax_uid": transfer_syntax_uid,
                "charset_when_absent": charset_when_absent,
            },
            dataset,
            within=_WITHIN_S,
        )
        return _read(answer.facts, len(dataset))

    def coerce(
        self,
        dataset: bytes,
        transfer_syntax_uid: str,
        charset_when_absent: str,
        patient: Mapping[str, str],
        *,
        removed: Sequence[str],
        at: str,
        system: str,
    ) -> Coerced:
        """The part of a dataset before its pixels, with these values by keyword and
        without what is `removed`. `at` (DT) and
        `system` are what Original Attributes Sequence says of the change.
        """
        answer = self._child.ask(
            {
                "transfer_syntax_uid": transfer_syntax_uid,
                "charset_when_absent": charset_when_absent,
                "coerce": dict(patient),
                "removed": list(removed),
                "at": at,
                "system": system,
            },
            dataset,
            within=_WITHIN_S,
        )
        block, changed = answer.block(HEAD), answer.facts.get("changed")
        may_change = {*patient, *removed}
        if block is None or not isinstance(changed, list) or not may_change.issuperset(changed):
            raise SandboxError
        return Coerced(bytes(block.data), tuple(changed))

    def rest(self) -> None:
        """Ends the child until it is needed again."""
        self._child.rest()

    def close(self) -> None:
        """Ends the child."""
        self._child.close()


def _read(facts: Mapping[str, Any], size: int) -> Read:
    """Raises SandboxError for an answer that is none: a child may have been taken over."""
    texts = {name: facts.get(name) for name in _TEXTS}
    pixels_at, layout = facts.get("pixels_at"), facts.get("pixel_layout")
    if (
        not all(isinstance(text, str) for text in texts.values())
        or not isinstance(pixels_at, int)
        or not 0 < pixels_at < size
        or not isinstance(layout, dict)
    ):
        raise SandboxError
    try:
        return Read(
            {name: str(text) for name, text in texts.items()},
            bool(facts.get("is_unreadable")),
            pixels_at,
            PixelLayout(**layout),
        )
    except TypeError:
        raise SandboxError from None
