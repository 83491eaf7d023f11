"""What was measured, against what, and whether that is good enough."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `is_met` is None where there is no goal: it is told, not judged."""

    what: str
    ours: str
    peer: str
    figure: str
    goal: str = ""
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "PASS", False: "MISS"}[self.is_met]


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def slower_than(
    what: str,
    ours: Sequence[float],
    peer: str,
    theirs: Sequence[float],
    *,
    at_most: float | None = None,
) -> Measure:
    """Our time as a multiple of the peer's. One value a round, of both, in seconds."""
    figure = median(ours) / median(theirs)
    rounds = [our / their for our, their in zip(ours, theirs, strict=True)]
    return Measure(
        what,
        told(median(ours)),
        f"{peer} {told(median(theirs))}",
        f"{figure:.2f}x ({min(rounds):.2f} to {max(rounds):.2f})",
        "" if at_most is None else f"<= {at_most}x",
        None if at_most is None else figure <= at_most,
    )


def faster_than(
    what: str,
    ours: Sequence[float],
    peer: str,
    theirs: Sequence[float],
    *,
    at_least: float,
) -> Measure:
    """How many times our time goes into the peer's. One value a round, of both, in seconds."""
    figure = median(theirs) / median(ours)
    rounds = [their / our for our, their in zip(ours, theirs, strict=True)]
    return Measure(
        what,
        told(median(ours)),
        f"{peer} {told(median(theirs))}",
        f"{figure:.1f}x as fast ({min(rounds):.1f} to {max(rounds):.1f})",
        f">= {at_least:g}x",
        figure >= at_least,
    )


def within(what: str, values: Sequence[float], *, at_most: float | None = None) -> Measure:
    """The time that all but one in twenty keep to, in seconds."""
    p95 = quantiles(values, n=20)[-1]
    return Measure(
        what,
        told(median(values)),
        "",
        f"p95 {told(p95)}, {len(values)} times",
        "" if at_most is None else f"p95 <= {told(at_most)}",
        None if at_most is None else p95 <= at_most,
    )


def all_met(measures: Sequence[Measure]) -> bool:
    """Whether no goal was missed."""
    return all(measure.is_met is not False for measure in measures)


def told(value: float) -> str:
    """Seconds for people."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{1000 * value:.3g} ms"
