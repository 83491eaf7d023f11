"""Who wants to hear that the census changed."""

from __future__ import annotations

from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)


class Listeners:
    """Callbacks, called on the thread of whoever tells. One that fails keeps no other from it."""

    def __init__(self) -> None:
        self._callbacks: tuple[Callable[[], None], ...] = ()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back from now on; gives the way to end that."""
        self._callbacks = (*self._callbacks, callback)

        def unsubscribe() -> None:
            self._callbacks = tuple(one for one in self._callbacks if one is not callback)

        return unsubscribe

    def tell(self) -> None:
        """Calls all back."""
        for callback in self._callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - what was stored is stored, whoever fails to hear of it
                _log.exception("census-listener-failed")
