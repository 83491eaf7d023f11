"""Reads what a console writes in its banner: in a child, by a model that the site provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capture_app.clock import Clock
from capture_app.errors import ChildEndedError, DeviceError, TaskRefusedError
from capture_app.model.words import tr
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import ChildTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_BYTES: Final = 4_000_000
"""A banner of 1920 x 600 pixels."""
_MOST_TEXTS: Final = 64
_WITHIN_S: Final = 15.0


def reading_task(model: str) -> ChildTask:
    """What the child may have that reads by this model."""
    return ChildTask(
        "read-console", memory=1 << 30, most_in=_MOST_BYTES, readable=(model,), cpu_seconds=None
    )


class ConsoleReader:
    """Reads with one child, which stays. For use by one thread at a time."""

    def __init__(self, model: str, clock: Clock) -> None:
        self._model = model
        self._child = Child(reading_task(model), clock)

    def read(self, banner: NDArray[np.uint8]) -> tuple[str, ...]:
        """The texts in (rows, columns, 3) RGB pixels, in the order of the lines; what they say is
        what a machine took it for. Some tenths of a second.

        Raises DeviceError where nothing can be read: the model is none, or its child ended.
        """
        rows, columns, _ = banner.shape
        if not 0 < rows * columns * 3 <= _MOST_BYTES:
            raise DeviceError(tr("The console's banner is too large to be read."))
        question = {"model": self._model, "rows": rows, "columns": columns}
        try:
            answer = self._child.ask(question, banner.tobytes(), within=_WITHIN_S)
        except TaskRefusedError:
            raise DeviceError(tr("The console cannot be read: this is not a model.")) from None
        except ChildEndedError as error:
            raise DeviceError(str(error)) from error
        texts = answer.facts.get("texts")
        if not isinstance(texts, list):
            return ()
        return tuple(text for text in texts[:_MOST_TEXTS] if isinstance(text, str))

    def close(self) -> None:
        """Ends the child."""
        self._child.close()
