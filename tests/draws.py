"""How much is drawn of what has no end: some of it in `make test`, all of it by a command of its
own (`make faults`, `make fuzz`), which takes minutes.
"""

import os
from typing import Final, TypeVar

IS_WHOLE: Final = os.environ.get("CAPTURE_TEST_DRAWS") == "whole"
PATIENCE_S: Final = 7_200 if IS_WHOLE else 300
"""After this a test that draws has hung."""

T = TypeVar("T")


def drawn(some: T, *, whole: T) -> T:
    """The one or the other, by what is asked for."""
    return whole if IS_WHOLE else some
