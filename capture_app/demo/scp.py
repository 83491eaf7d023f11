"""Runs a DICOM SCP on 127.0.0.1 that ends when it is told to, whoever is still connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynetdicom import AE
    from pynetdicom.events import EventHandlerType

SILENCE_S: Final = 2.0
"""A caller that says nothing for so long is let go. The library's own limits are 30 and 60 s."""


class Scp:
    """A running server. `port` 0 takes a free one; `port` afterwards says which."""

    def __init__(self, ae: AE, port: int, handlers: Sequence[EventHandlerType]) -> None:
        ae.require_called_aet = True
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = SILENCE_S
        server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=list(handlers))
        if server is None:  # block=False always gives the server; the types cannot say so
            raise RuntimeError("the server did not start")
        self._server = server
        self.port: int = server.server_address[1]

    def stop(self) -> None:
        """Ends the server, and waits for the threads of callers, which end by their limits."""
        self._server.shutdown()
        for assoc in self._server.active_associations:
            assoc.join(3 * SILENCE_S)
