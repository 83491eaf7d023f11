"""The admissions feed: receives, answers, keeps what it could not use (ITI-30, ITI-31)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.errors import FeedError, MessageError, StoreError
from capture_app.hl7.ack import AckOutcome, Refusal, build_ack
from capture_app.hl7.split import Hl7Message, parse_header, refuse_if_cut
from capture_app.model.audit_event import AuditAction
from capture_app.model.words import tr
from capture_app.net.callers import AllowedCallers, caller_place
from capture_app.net.listener import Caller
from capture_app.net.mllp import Limits, MllpListener
from capture_app.net.tls import Tls, server_tls
from capture_app.patients.census.census import Census
from capture_app.patients.census.reporting import ADT
from capture_app.patients.census.status import Link
from capture_app.patients.census.visits import EVENTS
from capture_app.settings.feeds import AdtFeed

_log = structlog.get_logger(__name__)

_DAY_S: Final = 86_400.0
_ASK_CLOCK_AGAIN_S: Final = 60.0
_MOST_RECORDED: Final = 100
_MERGES: Final = frozenset({"A18", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42", "A43"})
"""Events that merge patients or visits, or move identifiers between them."""
_LINKS: Final = frozenset({"A24", "A37"})
"""Events that say that two patients are one person, or are not."""
_DELETES: Final = frozenset({"A29"})
_NAMING_TWO: Final = _MERGES | {"A17", "A44", "A45", "A46", "A47", "A48", "A49", "A50", "A51"}
"""Events of two patients or numbers: refused, they mark the rows of all whom they name."""
_MAY_NAME_TWO: Final = frozenset({"A06", "A07"})
"""Events that may give a visit another number: with an MRG segment they do."""
_MRG: Final = re.compile(rb"[\r\n]MRG")


@dataclass(frozen=True, slots=True)
class _Refused:
    outcome: AckOutcome
    refusal: Refusal
    is_merge: bool = False
    """It merges, links or deletes whom it names: their rows are marked."""


class AdtReceiver:
    """Takes the admissions feed for the census of this process, which must hold the engine role."""

    def __init__(
        self,
        census: Census,
        adt: AdtFeed,
        clock: Clock,
        *,
        record: Callable[[AuditAction, Mapping[str, str]], None] = lambda _action, _details: None,
    ) -> None:
        """`record` puts into the trail who sends and who was turned away, each once a run. Raises
        OSError for certificate files that cannot be used.
        """
        self._census = census
        self._processing_id = adt.processing_id
        self._reader = census.reader
        self._clock = clock
        self._problem = ""
        self._tidy_at = 0.0
        self._record = record
        self._recorded: set[tuple[str, ...]] = set()
        self._recording = threading.Lock()
        self._listener = MllpListener(
            adt.host,
            adt.port,
            self.handle,
            on_too_long=self.refuse_too_long,
            clock=clock,
            limits=Limits(max_bytes=adt.max_message_bytes),
            allowed=AllowedCallers.of(adt.senders, adt.sender_certificates),
            tls=_tls(adt),
            on_sender=self._note_sender,
            on_not_allowed=self._note_stranger,
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    def start(self) -> None:
        """Begins to listen. FeedError where the port cannot be had; it stands in the status too."""
        self._census.watch(ADT, self.link)
        try:
            self._listener.start()
        except FeedError as error:
            self._problem = str(error)
            raise
        self._problem = ""

    def stop(self) -> None:
        """Ends listening, its connections and threads."""
        self._listener.stop()
        self._census.watch(ADT, None)

    def link(self) -> Link:
        """Whether a sender is connected now, and what is wrong."""
        return Link(self._listener.connections > 0, self._problem)

    def handle(self, raw: bytes, peer: str = "") -> bytes:
        """The answer to one message, given after it is stored durably; b"" where none is wanted.

        `peer`: the address that it came from.

        A message that cannot be used is kept, answered with the reason, and the feed goes on. One
        that cannot be stored is answered with an error and is the sender's to send again.
        """
        received_at = self._clock.now()
        header: Hl7Message | None = None
        try:
            self._tidy_daily()
            header = parse_header(raw)
            refused = self._use(raw, header, received_at, peer)
        except MessageError as error:
            refused = _Refused(_outcome(error), Refusal(str(error)), _names_two(header, raw))
        except StoreError as error:
            return self._not_stored(header, error, peer)
        except Exception:  # noqa: BLE001 - logged with its traceback, kept, and the feed goes on
            _log.exception("feed-message-failed", feed=ADT)
            reason = tr("The message met a fault of this application; it is kept.")
            refused = _Refused(AckOutcome.ERROR, Refusal(reason))
        if refused is None:
            return build_ack(header, AckOutcome.ACCEPTED, None, self._clock)
        return self._refuse(raw, header, refused, received_at, peer)

    def refuse_too_long(self, beginning: bytes, peer: str = "") -> bytes:
        """The answer to a message that is longer than allowed; its beginning is kept."""
        try:
            header = parse_header(beginning)
        except MessageError:
            header = None
        refusal = Refusal(tr("The message is longer than the settings allow (max_message_bytes)."))
        refused = _Refused(AckOutcome.ERROR, refusal)
        return self._refuse(beginning, header, refused, self._clock.now(), peer)

    def _note_sender(self, caller: Caller) -> None:
        shown = caller.certificate.fingerprint if caller.certificate else ""
        _log.info("feed-sender", feed=ADT, peer=caller.peer)
        self._once(AuditAction.FEED_SENDER_HEARD, caller.peer, shown)

    def _note_stranger(self, peer: str) -> None:
        self._once(AuditAction.FEED_SENDER_TURNED_AWAY, peer, "")

    def _once(self, action: AuditAction, peer: str, certificate: str) -> None:
        """Strangers must not fill the trail."""
        key = (action, caller_place(peer), certificate)
        with self._recording:
            if key in self._recorded or len(self._recorded) >= _MOST_RECORDED:
                return
            self._recorded.add(key)
        shown = {"certificate": certificate} if certificate else {}
        self._record(action, {"feed": ADT, "peer": peer, **shown})

    def _tidy_daily(self) -> None:
        # By a wall clock that was set forward everybody would be long gone.
        now = self._clock.monotonic()
        if now < self._tidy_at:
            return
        if not self._clock.is_confirmed():
            self._tidy_at = now + _ASK_CLOCK_AGAIN_S
            return
        self._tidy_at = now + _DAY_S
        try:
            gone = self._census.forget_long_gone()
        except StoreError as error:
            _log.warning("census-not-tidied", feed=ADT, reason=str(error))
        else:
            _log.info("census-tidied", feed=ADT, count=gone)

    def _use(
        self, raw: bytes, header: Hl7Message, received_at: datetime, peer: str
    ) -> _Refused | None:
        """Stores and folds a message in; why not, for one that is not taken here."""
        if (refused := self._not_for_us(header)) is not None:
            refuse_if_cut(raw)  # of a header that was cut nothing is believed, nor what is missing
            return refused
        message = self._reader.split(raw)
        if (refused := _not_taken(message.event)) is not None:
            return refused
        events = self._reader.events_of(message, received_at)
        if (sent_at := events[0].order.sent_at) is not None:
            self._clock.heard(sent_at)
        is_new = self._census.apply(raw, message, events, sender=caller_place(peer))
        _log.debug(
            "feed-message",
            feed=ADT,
            event_type=message.event,
            mode="new" if is_new else "repeat",
            peer=peer,
        )
        return None

    def _not_for_us(self, header: Hl7Message) -> _Refused | None:
        if header.msh.text(11) != self._processing_id:
            reason = tr("The processing ID (MSH-11) is not the one that this site uses here.")
            return _Refused(AckOutcome.REJECTED, Refusal(reason, "202"))
        if header.message_type != "ADT":
            reason = tr("Only ADT messages are taken here.")
            return _Refused(AckOutcome.REJECTED, Refusal(reason, "200"))
        return None

    def _refuse(
        self,
        raw: bytes,
        header: Hl7Message | None,
        refused: _Refused,
        received_at: datetime,
        peer: str,
    ) -> bytes:
        code = f"A{refused.outcome}"
        reason = refused.refusal.reason
        _log.info("feed-message-refused", feed=ADT, ack=code, reason=reason, peer=peer)
        try:
            self._census.keep_dead_letter(
                raw,
                header,
                reason=reason,
                ack_code=code,
                at=received_at,
                is_merge=refused.is_merge,
                sender=caller_place(peer),
            )
        except StoreError as error:
            return self._not_stored(header, error, peer)
        except Exception:  # noqa: BLE001 - logged with its traceback; the sender is answered
            _log.exception("feed-message-failed", feed=ADT)
            fault = tr("The message met a fault of this application; it is not kept.")
            return build_ack(header, AckOutcome.ERROR, Refusal(fault), self._clock)
        return build_ack(header, refused.outcome, refused.refusal, self._clock)

    def _not_stored(self, header: Hl7Message | None, error: StoreError, peer: str) -> bytes:
        _log.error("feed-message-not-stored", feed=ADT, reason=str(error), peer=peer)
        return build_ack(header, AckOutcome.ERROR, Refusal(str(error)), self._clock)


def _tls(adt: AdtFeed) -> Tls | None:
    if not adt.tls:
        return None
    return server_tls(
        ADT,
        ca_file=adt.ca_file,
        certificate_file=adt.certificate_file,
        key_file=adt.certificate_key_file,
        asks_callers=bool(adt.ca_file),
    )


def _names_two(header: Hl7Message | None, raw: bytes) -> bool:
    """Whether a message that is refused is one of two patients or numbers; one that cannot be read
    is not.
    """
    try:
        event = header.event if header is not None else ""
    except MessageError:
        return False
    return event in _NAMING_TWO or (event in _MAY_NAME_TWO and _MRG.search(raw) is not None)


def _not_taken(event: str) -> _Refused | None:
    if event in EVENTS:
        return None
    if event in _MERGES:
        reason = tr(
            "Patients or visits are merged by this message, which is not done here: "
            "a person has to look at it."
        )
        return _Refused(AckOutcome.ERROR, Refusal(reason), is_merge=True)
    if event in _LINKS:
        reason = tr(
            "Two patients are linked, or told apart, by this message, which is not done here: "
            "a person has to look at it."
        )
        return _Refused(AckOutcome.ERROR, Refusal(reason), is_merge=True)
    if event in _DELETES:
        reason = tr(
            "A patient is deleted by this message, which is not done here: "
            "a person has to look at it."
        )
        return _Refused(AckOutcome.ERROR, Refusal(reason), is_merge=True)
    return _Refused(AckOutcome.REJECTED, Refusal(tr("This ADT event is not taken here."), "201"))


def _outcome(error: MessageError) -> AckOutcome:
    return AckOutcome.REJECTED if error.ack_code == "AR" else AckOutcome.ERROR
