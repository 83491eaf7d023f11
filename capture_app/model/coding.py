"""Coded concepts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept, as the Code Sequence Macro has it (PS3.3 8.8)."""

    value: str
    scheme: str
    """Coding Scheme Designator: SCT, LN, DCM, FMA, 99..."""
    meaning: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two codes the same: scheme and value. The meaning is only a label."""
        return (self.scheme, self.value)
