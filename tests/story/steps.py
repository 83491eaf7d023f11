"""The steps of which a story is drawn: each says how often it comes, and from what it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., None])
_STEPS: dict[str, dict[str, Sequence[Any]]] = {}
_WEIGHTS: list[int] = []


def rule(weight: int, **choices: Sequence[Any]) -> Callable[[Method], Method]:
    """A step of a story, how often it comes, and from what its arguments are drawn."""

    def marked(method: Method) -> Method:
        _STEPS[method.__name__] = choices
        _WEIGHTS.append(weight)
        return method

    return marked


def drawn(chance: Random) -> tuple[str, dict[str, Any]]:
    """One step with its arguments."""
    (step,) = chance.choices(list(_STEPS), list(_WEIGHTS))
    return step, {name: chance.choice(values) for name, values in _STEPS[step].items()}
