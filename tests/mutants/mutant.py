"""What is planted, and how it ended."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: `text` stands in `file` exactly once and is put out by `instead`."""

    name: str
    file: str
    """From the root of the project."""
    text: str
    instead: str
    tests: tuple[str, ...]
    """Files or node ids of which one must fail."""
    quick: bool = False
    """Planted by `make test` too: its tests take some seconds."""


class Verdict(StrEnum):
    """How a planted fault ended."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    ERROR = "ERROR"
    """It could not be planted, or its tests did not run: nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutant, its verdict and the test that caught it, or what went wrong."""

    mutant: Mutant
    verdict: Verdict
    said: str
    seconds: float
