"""A port of ours that strangers may call: how many are served at once, who goes, and how it ends.

A bounded acceptor for every protocol that we serve. It goes on after an accept that failed (no file
descriptor left, a caller gone before it was taken); a caller that is not served costs no thread.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.errors import DeliveryError
from capture_app.net.callers import ANYBODY, AllowedCallers, Certificate, caller_place
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.tls import Tls
from capture_app.net.wire import failure_of, shut

_log = structlog.get_logger(__name__)

MOST_CALLERS: Final = 16
STOPS_WITHIN_S: Final = 15.0
"""The longest that `stop` waits for what is being answered."""

_LOOK_ROUND_S: Final = 0.5
_BACKLOG: Final = 128
_GIVES_WAY_WITHIN_S: Final = 1.0
_GRACE_S: Final = 0.25
"""A newcomer that has shown nothing by then may have to make room for another."""
_REFUSALS_LOGGED_EVERY_S: Final = 60.0
_HANDSHAKE_SECONDS: Final = 5.0
_MOST_KNOWN: Final = 1_000
_SHARE_OF_KNOWN: Final = 2


class Caller:
    """A connection to the port. Its thread says what it is at; the acceptor may end it."""

    def __init__(self, sock: socket.socket, peer: str, clock: Clock) -> None:
        self.sock = sock
        self.peer = peer
        """The address of the other side, for the log."""
        self.certificate: Certificate | None = None
        """What it showed, where TLS is spoken and callers are asked."""
        self.interruption = Interruption()
        """What frees the thread of this caller; the socket is shut by it already."""
        self.since = clock.monotonic()
        self._clock = clock
        self._lock = threading.Lock()
        self._idle_since: float | None = self.since
        self._is_proven = False
        self._is_ending = False

    @property
    def idle_since(self) -> float | None:
        """Since when nothing is read or answered for this caller; None while something is."""
        return self._idle_since

    @property
    def is_proven(self) -> bool:
        """Whether it has brought what this port is for: a crowd of newcomers cannot end it then."""
        return self._is_proven

    @property
    def is_ending(self) -> bool:
        """Whether it was told to make room, or the port is closing."""
        return self._is_ending

    def begin_work(self) -> None:
        """From now on something is read or answered. ConnectionAbortedError once it is ending."""
        with self._lock:
            if self._is_ending:
                raise ConnectionAbortedError
            self._idle_since = None

    def end_work(self) -> None:
        """From now on the caller is waited for."""
        with self._lock:
            self._idle_since = self._clock.monotonic()

    def prove(self) -> None:
        """The caller has brought what this port is for."""
        self._is_proven = True

    def end(self) -> None:
        """Ends its reads and writes, from any thread."""
        with self._lock:
            self._is_ending = True
        self.interruption.interrupt()

    def give_way(self, *, busy_since_before: float | None = None) -> bool:
        """Ends it if it is idle, or unproven since before that moment; False where it is not."""
        with self._lock:
            is_late = busy_since_before is not None and self.since <= busy_since_before
            if self._idle_since is None and not (is_late and not self._is_proven):
                return False
            self._is_ending = True
        self.interruption.interrupt()
        return True


class Listener:
    """Takes callers on a port and serves each on a thread of its own: `serve(caller)`.

    Who is not `allowed` is hung up on, by the address at once, by the certificate after the
    handshake. Never more than `most_callers` at once. With all places taken one is freed, of the
    address that has most of them: of those that have shown nothing yet the oldest, else that of the
    caller that has been idle longest. Where all of them are at work the newest is refused, but for
    one whose address has fewer places: so no address can keep another out, whatever it shows.
    Whence somebody has brought what the port is for, a connection and its successor go before those
    of strangers: nor can a crowd of them keep out who was there before.
    `serve` may raise DeliveryError and OSError for a connection that broke; anything else is a
    fault of ours: it is logged and ends this caller alone.
    """

    def __init__(
        self,
        host: str,
        port: int,
        serve: Callable[[Caller], None],
        *,
        name: str,
        clock: Clock,
        most_callers: int = MOST_CALLERS,
        allowed: AllowedCallers = ANYBODY,
        tls: Tls | None = None,
        on_not_allowed: Callable[[str], None] = lambda _peer: None,
    ) -> None:
        """`name` stands in the log and in the names of threads; port 0 takes a free one. With `tls`
        a caller's socket is served after the handshake. `on_not_allowed` is given the address of
        who was turned away.
        """
        self._host = host
        self._wanted_port = port
        self._serve = serve
        self._name = name
        self._clock = clock
        self._most_callers = most_callers
        self._allowed = allowed
        self._tls = tls
        self._on_not_allowed = on_not_allowed
        self._room = threading.Condition()
        self._callers: dict[Caller, threading.Thread] = {}
        self._stopping = threading.Event()
        self._server: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._known = dict[str, None]()
        """Whence callers came that proved themselves, the latest last."""
        self._refusals = Counter[str]()
        self._log_refusals_at = dict[str, float]()

    @property
    def port(self) -> int:
        """The port it listens on, which the system chose where 0 was asked for."""
        if self._server is None:
            return self._wanted_port
        return int(self._server.getsockname()[1])

    @property
    def callers(self) -> int:
        """How many are connected now and not on their way out."""
        with self._room:
            return sum(not caller.is_ending for caller in self._callers)

    def start(self, *, or_elsewhere: bool = False) -> None:
        """Binds and begins to take callers; with `or_elsewhere` on a free port where the wanted one
        cannot be had. OSError where none can: it is logged here, where port and cause are known.
        """
        server = self._server = self._bind(or_elsewhere=or_elsewhere)
        self._stopping.clear()
        self._acceptor = threading.Thread(
            target=self._accept, args=(server,), name=f"{self._name}-accept", daemon=True
        )
        self._acceptor.start()
        _log.info("port-opened", source=self._name, port=self.port)

    def stop(self) -> None:
        """Ends the port, every caller and every thread; waits STOPS_WITHIN_S at most."""
        ends = Deadline.after(self._clock, STOPS_WITHIN_S)
        self._stopping.set()
        with self._room:
            self._room.notify_all()
        server, self._server = self._server, None
        acceptor, self._acceptor = self._acceptor, None
        if server is None or acceptor is None:
            return
        shut(server)  # wakes the accept on Linux; elsewhere it looks round by itself
        acceptor.join(max(0.0, ends.remaining))
        server.close()
        with self._room:
            callers = dict(self._callers)
        for caller in callers:
            caller.end()
        for thread in callers.values():
            thread.join(max(0.0, ends.remaining))
        for caller, thread in callers.items():
            if thread.is_alive():
                _log.warning("caller-still-served", source=self._name, peer=caller.peer)

    def _bind(self, *, or_elsewhere: bool) -> socket.socket:
        try:
            return _bound(self._host, self._wanted_port)
        except OSError as error:
            if or_elsewhere:
                return _bound(self._host, 0)
            _log.warning(
                "port-not-had",
                source=self._name,
                host=self._host,
                port=self._wanted_port,
                reason=error.strerror or type(error).__name__,
            )
            raise

    def _accept(self, server: socket.socket) -> None:
        server.settimeout(_LOOK_ROUND_S)
        is_failing = False
        while not self._stopping.is_set():
            try:
                sock, address = server.accept()
                self._take(sock, str(address[0]))
            except (TimeoutError, ConnectionError):  # nobody, or gone before it was taken
                continue
            except Exception as error:  # noqa: BLE001 - no descriptor, thread or memory: in a moment there may be
                if self._stopping.is_set():
                    return
                if not is_failing:
                    _log.warning(
                        "accept-failed", source=self._name, error_type=type(error).__name__
                    )
                is_failing = True
                self._stopping.wait(_LOOK_ROUND_S)
            else:
                is_failing = False

    def _take(self, sock: socket.socket, peer: str) -> None:
        if not self._allowed.networks.admits(peer):
            self._turned_away(peer)
            sock.close()
            return
        caller = Caller(sock, peer, self._clock)
        thread = threading.Thread(
            target=self._run, args=(caller,), name=f"{self._name}-caller", daemon=True
        )
        if not self._has_room(peer):
            self._log_refusal(peer)
            sock.close()
            return
        with self._room:
            self._callers[caller] = thread
        try:
            thread.start()
        except BaseException:
            self._forget(caller)
            sock.close()
            raise

    def _has_room(self, peer: str) -> bool:
        """Whether one more from there can be served, after another has made room if need be."""
        with self._room:
            if len(self._callers) < self._most_callers:
                return True
            callers = [caller for caller in self._callers if not caller.is_ending]
        if not self._frees_one(callers, peer):
            return False
        with self._room:
            self._room.wait_for(self._is_free_or_over, _GIVES_WAY_WITHIN_S)
            return len(self._callers) < self._most_callers and not self._stopping.is_set()

    def _is_free_or_over(self) -> bool:
        return len(self._callers) < self._most_callers or self._stopping.is_set()

    def _frees_one(self, callers: list[Caller], peer: str) -> bool:
        for caller in callers:
            self._note_known(caller)
        asks, at = caller_place(peer), {caller: caller_place(caller.peer) for caller in callers}
        places = Counter(at.values())
        places[asks] += 1  # with the place that it asks for
        strangers = [one for one in callers if at[one] not in self._known]
        if asks in self._known and places[asks] <= _SHARE_OF_KNOWN and strangers:
            min(strangers, key=lambda caller: caller.since).end()
            return True
        if asks not in self._known:
            kept = {place for place in self._known if places[place] <= _SHARE_OF_KNOWN}
            callers = [one for one in callers if at[one] not in kept] or callers
        most = max([places[asks], *(places[at[one]] for one in callers)])
        crowd = [one for one in callers if places[at[one]] == most]
        if self._ends_one(crowd):
            return True
        if places[asks] == most or not crowd:
            return False
        max(crowd, key=lambda caller: caller.since).end()
        return True

    def _note_known(self, caller: Caller) -> None:
        if not caller.is_proven:
            return
        with self._room:
            place = caller_place(caller.peer)
            self._known.pop(place, None)
            self._known[place] = None
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]

    def _ends_one(self, callers: list[Caller]) -> bool:
        newcomers = [caller for caller in callers if not caller.is_proven]
        late = self._clock.monotonic() - _GRACE_S
        for caller in sorted(newcomers, key=lambda c: c.since):
            if caller.give_way(busy_since_before=late):
                return True
        if newcomers:  # in their first moment: the one that calls now has no better claim
            return False
        return any(
            caller.give_way() for caller in sorted(callers, key=lambda c: c.idle_since or 0.0)
        )

    def _run(self, caller: Caller) -> None:
        ended = partial(_log.info, "caller-ended", source=self._name, peer=caller.peer)
        try:
            with closing(caller.sock), caller.interruption.ended_by(partial(shut, caller.sock)):
                caller.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._secured(caller):
                    if self._allowed.admits_certificate(caller.certificate):
                        self._serve(caller)
                    else:
                        self._turned_away(caller.peer)
        except DeliveryError as error:
            ended(code=error.code)
        except OSError as error:
            # It went away or took too long; what was not answered it will send again.
            ended(code=failure_of("", error).code)
        except Exception:  # noqa: BLE001 - one caller's fault must not close the port
            _log.exception("caller-failed", source=self._name, peer=caller.peer)
        finally:
            self._forget(caller)

    @contextmanager
    def _secured(self, caller: Caller) -> Iterator[None]:
        if self._tls is None:
            yield
            return
        sock = self._tls.context().wrap_socket(
            caller.sock, server_side=True, do_handshake_on_connect=False
        )
        with closing(sock), caller.interruption.ended_by(partial(shut, sock)):
            sock.settimeout(_HANDSHAKE_SECONDS)
            sock.do_handshake()
            caller.sock, caller.certificate = sock, Certificate.of(sock)
            yield

    def _turned_away(self, peer: str) -> None:
        self._log_stranger(peer)
        self._on_not_allowed(peer)

    def _forget(self, caller: Caller) -> None:
        self._note_known(caller)
        with self._room:
            self._callers.pop(caller, None)
            self._room.notify_all()

    def _log_refusal(self, peer: str) -> None:
        if count := self._due_count("refused"):
            _log.warning("caller-refused", source=self._name, peer=peer, count=count)

    def _log_stranger(self, peer: str) -> None:
        if count := self._due_count("not-allowed"):
            _log.warning("caller-not-allowed", source=self._name, peer=peer, count=count)

    def _due_count(self, what: str) -> int:
        """How many of a kind the entry that is due now stands for; 0 where none is due.

        One a minute at most: a crowd must not push everything else out of the log.
        """
        now = self._clock.monotonic()
        with self._room:
            self._refusals[what] += 1
            if now < self._log_refusals_at.get(what, 0.0):
                return 0
            self._log_refusals_at[what] = now + _REFUSALS_LOGGED_EVERY_S
            return self._refusals.pop(what)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    server = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":  # there the other option lets a second process listen too
            server.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(place)
        server.listen(_BACKLOG)
    except BaseException:
        server.close()
        raise
    return server
