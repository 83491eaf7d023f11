"""Proof by storage commitment (PS3.4 J): the archive promises in writing to keep the instances.

We ask with N-ACTION; the archive answers with N-EVENT-REPORT, on the same association or, more
often, later on one of its own to the port where `CommitmentListener` listens. The promise names
UIDs only, so the patient and the study are compared by a query before it counts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import structlog
from pydicom.dataset import Dataset

from capture_app.archive.outcomes import Proven, not_in_archive
from capture_app.archive.query import check_filing
from capture_app.clock import Clock
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import MOST_BROKEN_OFF, Instance, ProofKind, ProofReceipt
from capture_app.model.reason import BROKEN_OFF, Reason
from capture_app.net.callers import AllowedCallers
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom.association import (
    SUCCESS,
    UNCOMPRESSED,
    Association,
    EventReport,
    Peer,
    open_association,
)
from capture_app.net.dicom.event_report_scp import EventReportScp
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.tls import Tls

_log = structlog.get_logger()

STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
_STORAGE_COMMITMENT_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
_REQUEST_COMMITMENT: Final = 1  # action type (PS3.4 J.3.2.1)

_MOST_IN_ONE_REQUEST: Final = 100  # Orthanc keeps reports of a limited number
_WAIT_SECONDS: Final = 10.0  # for the report; a later one is kept for the next attempt
_LINGER_SECONDS: Final = 1.0  # on the association of the request, for a report on that one
_GLANCE_SECONDS: Final = 0.02
_ASK_ANEW_AFTER_SECONDS: Final = 600.0

_NOT_TAKEN: Final = "commitment-request-"
_HELD: Final = 0x0000
_NOT_NAMED: Final = -1
_PROCESSING_FAILURE: Final = 0x0110
_NO_SUCH_OBJECT_INSTANCE: Final = 0x0112
_NO_SUCH_EVENT_TYPE: Final = 0x0113
_CLASS_INSTANCE_CONFLICT: Final = 0x0119
_REFUSALS: Final = frozenset({_CLASS_INSTANCE_CONFLICT, 0x0122})  # another class, or none it knows
_EVENT_TYPES: Final = frozenset({1, 2})  # all are kept; some are not (PS3.4 J.3.3.1)


@dataclass(slots=True)
class Transaction:
    """One request for commitment and, once it has come, the answer: a reason for each UID."""

    transaction_uid: str
    asked_at: float
    ae_title: str
    """Who was asked: nobody else can answer."""
    sop_classes: Mapping[str, str]
    """What was asked for: SOP Instance UID to SOP Class UID."""
    reasons: Mapping[str, int] | None = None
    """0 for an instance that is kept, else its Failure Reason (PS3.3 C.14.1.1)."""

    def answer(self, information: Dataset) -> None:
        """Takes what a report says of the instances that were asked for, and of no others.

        A promise for our instance as one of another class is none. Raises whatever the decoder
        does for what cannot be read.
        """
        said: dict[str, int] = {}
        for item in information.get("ReferencedSOPSequence") or ():
            uid = str(item.ReferencedSOPInstanceUID)
            is_ours = str(item.ReferencedSOPClassUID) == self.sop_classes.get(uid)
            said[uid] = _HELD if is_ours else _CLASS_INSTANCE_CONFLICT
        for item in information.get("FailedSOPSequence") or ():
            reason = int(item.FailureReason)
            said[str(item.ReferencedSOPInstanceUID)] = reason or _PROCESSING_FAILURE
        self.reasons = MappingProxyType({u: r for u, r in said.items() if u in self.sop_classes})


@dataclass(slots=True)
class Transactions:
    """Where a request and its report meet, whichever association the report comes on."""

    _changed: threading.Condition = field(default_factory=threading.Condition)
    _open: dict[str, Transaction] = field(default_factory=dict)

    def begin(self, transaction: Transaction) -> None:
        with self._changed:
            self._open[transaction.transaction_uid] = transaction

    def end(self, transaction: Transaction) -> None:
        """Later reports on it are answered as unknown."""
        with self._changed:
            self._open.pop(transaction.transaction_uid, None)

    def report(self, report: EventReport) -> int:
        """Takes a report; the status to answer with (PS3.4 J.3.3)."""
        whose = (report.sop_class_uid, report.sop_instance_uid)
        if whose != (STORAGE_COMMITMENT, _STORAGE_COMMITMENT_INSTANCE):
            _log.warning("commitment-report-unreadable")
            return _NO_SUCH_OBJECT_INSTANCE
        if report.event_type_id not in _EVENT_TYPES:
            _log.warning("commitment-report-unreadable")
            return _NO_SUCH_EVENT_TYPE
        try:
            uid = str(report.information.TransactionUID)
            with self._changed:
                transaction = self._open.get(uid)
                if transaction is None or transaction.ae_title != report.ae_title:
                    _log.warning("commitment-report-unknown", transaction_uid=uid)
                    return _PROCESSING_FAILURE
                transaction.answer(report.information)
                self._changed.notify_all()
        except Exception:  # noqa: BLE001 - hostile bytes: the decoder may raise anything
            _log.warning("commitment-report-unreadable")
            return _PROCESSING_FAILURE
        return SUCCESS

    def wait(
        self, transactions: Iterable[Transaction], seconds: float, interruption: Interruption
    ) -> bool:
        """Whether all of them are answered, now or within that time."""
        awaited = list(transactions)

        def is_over() -> bool:
            return interruption.is_interrupted or all(t.reasons is not None for t in awaited)

        with interruption.ended_by(self._wake), self._changed:
            answered = self._changed.wait_for(is_over, seconds)
        interruption.raise_if_interrupted()
        return answered

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class CommitmentListener:
    """The port to which archives report, shared by all of them that know it."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ae_title: str,
        archive_ae_titles: Mapping[str, Sequence[AllowedCallers]],
        clock: Clock,
        tls: Tls | None = None,
    ) -> None:
        self.transactions = Transactions()
        self._scp = EventReportScp(
            host=host,
            port=port,
            ae_title=ae_title,
            known_ae_titles=archive_ae_titles,
            sop_class_uid=STORAGE_COMMITMENT,
            on_report=self.transactions.report,
            clock=clock,
            tls=tls,
        )

    @property
    def port(self) -> int:
        return self._scp.port

    def start(self) -> None:
        """Begins to listen. Raises OSError where the port cannot be had."""
        self._scp.start()

    def stop(self) -> None:
        """Stops listening and waits for its threads."""
        self._scp.stop()


class StorageCommitment:
    """A `ProofMethod` by storage commitment; without a listener the report must come at once."""

    def __init__(
        self,
        peer: Peer,
        *,
        listener: CommitmentListener | None,
        clock: Clock,
        deadline_seconds: float,
    ) -> None:
        self._peer = peer
        self._has_listener = listener is not None
        self._transactions = listener.transactions if listener else Transactions()
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._lock = threading.Lock()
        self._pending: dict[str, Transaction] = {}
        self._alone: set[str] = set()
        """Asked for together with others, and never answered: any of them may be why."""

    @property
    def _name(self) -> str:
        return self._peer.address.name

    def prove(self, instances: Sequence[Instance], interruption: Interruption) -> Proven:
        yield from self._ask_for_what_is_not_pending(instances, interruption)
        with self._lock:
            pending = {i.sop_instance_uid: self._pending.get(i.sop_instance_uid) for i in instances}
        asked = [(i, t) for i in instances if (t := pending[i.sop_instance_uid]) is not None]
        awaited = {id(transaction): transaction for _, transaction in asked}
        seconds = min(_WAIT_SECONDS, self._deadline_seconds)
        self._transactions.wait(awaited.values(), seconds, interruption)
        kept: list[tuple[Instance, Transaction]] = []
        for instance, transaction in asked:
            reason = _reason(instance, transaction)
            if reason == _HELD:
                kept.append((instance, transaction))
            else:
                yield instance.sop_instance_uid, self._not_kept(instance, reason)
        if kept:
            yield from self._identified(kept, interruption)

    def _patience(self) -> Deadline:
        return Deadline.after(self._clock, self._deadline_seconds)

    def _identified(
        self, kept: list[tuple[Instance, Transaction]], interruption: Interruption
    ) -> Proven:
        transactions = {instance.sop_instance_uid: transaction for instance, transaction in kept}
        instances = [instance for instance, _ in kept]
        try:
            filings = check_filing(self._peer, instances, self._patience, interruption)
            for instance, wrong in filings:
                uid = instance.sop_instance_uid
                transaction = transactions[uid]
                if not isinstance(wrong, TransientDeliveryError):
                    self._alone.discard(uid)
                    self._settle(uid)
                yield (
                    uid,
                    wrong
                    or ProofReceipt(
                        uid,
                        ProofKind.STORAGE_COMMITMENT,
                        self._name,
                        transaction_uid=transaction.transaction_uid,
                    ),
                )
        except RefusedDeliveryError:
            # It keeps them, but for whom it cannot be asked: that is no proof of custody.
            for uid in transactions:
                self._settle(uid)
                yield uid, ProofReceipt(uid, ProofKind.LISTED, self._name)

    def _not_kept(self, instance: Instance, reason: int | None) -> DeliveryError:
        if reason is None:
            return TransientDeliveryError(Reason.of("commitment-pending", name=self._name))
        self._alone.discard(instance.sop_instance_uid)
        self._settle(instance.sop_instance_uid)
        if reason == _NO_SUCH_OBJECT_INSTANCE:
            return not_in_archive(self._name)
        if reason == _NOT_NAMED:
            return TransientDeliveryError(Reason.of("commitment-not-named", name=self._name))
        kind = RefusedDeliveryError if reason in _REFUSALS else TransientDeliveryError
        return kind(Reason.of(f"commitment-{reason:04X}", name=self._name))

    def _settle(self, sop_instance_uid: str) -> None:
        with self._lock:
            transaction = self._pending.pop(sop_instance_uid, None)
            is_used = any(other is transaction for other in self._pending.values())
        if transaction is not None and not is_used:
            self._transactions.end(transaction)

    # -- asking

    def _ask_for_what_is_not_pending(
        self, instances: Sequence[Instance], interruption: Interruption
    ) -> Iterator[tuple[str, DeliveryError]]:
        """Asks, and yields those whose request the archive did not take, by word or by silence:
        any of them may be why, so each is asked for alone the next time.
        """
        now = self._clock.monotonic()
        with self._lock:
            stale = {
                uid: transaction
                for uid, transaction in self._pending.items()
                if now - transaction.asked_at > _ASK_ANEW_AFTER_SECONDS
            }
        for uid, transaction in stale.items():
            if transaction.reasons is None:
                self._alone.add(uid)
            self._settle(uid)
        with self._lock:
            new = [i for i in instances if i.sop_instance_uid not in self._pending]
        broken_off = 0
        for request in tuple(self._requests(new)):
            not_taken = self._ask(request, interruption)
            is_silence = not_taken is not None and not_taken.code in BROKEN_OFF
            broken_off = broken_off + 1 if is_silence else 0
            if not_taken is not None:
                for instance in request:
                    self._alone.add(instance.sop_instance_uid)
                    yield instance.sop_instance_uid, not_taken
            if broken_off == MOST_BROKEN_OFF:
                return

    def _requests(self, instances: Sequence[Instance]) -> Iterator[Sequence[Instance]]:
        """What is asked for together. What may be why a request had no answer, with no other."""
        together = [i for i in instances if i.sop_instance_uid not in self._alone]
        for begin in range(0, len(together), _MOST_IN_ONE_REQUEST):
            yield together[begin : begin + _MOST_IN_ONE_REQUEST]
        yield from ([i] for i in instances if i.sop_instance_uid in self._alone)

    def _ask(
        self, instances: Sequence[Instance], interruption: Interruption
    ) -> TransientDeliveryError | None:
        """Asks for a promise. None, or why the archive did not take the request: its word, or
        "timeout" and the like.
        """
        # A new UID each time: one that was used is refused as a duplicate (reason 0131).
        transaction = Transaction(
            self._clock.new_uid(),
            self._clock.monotonic(),
            self._peer.ae_title,
            {instance.sop_instance_uid: instance.sop_class_uid for instance in instances},
        )
        contexts = [Context(STORAGE_COMMITMENT, UNCOMPRESSED)]
        self._transactions.begin(transaction)
        is_open = False
        try:
            with open_association(self._peer, contexts, self._patience(), interruption) as assoc:
                is_open = True
                assoc.on_event_report = self._transactions.report
                status = assoc.action(
                    STORAGE_COMMITMENT,
                    _STORAGE_COMMITMENT_INSTANCE,
                    _REQUEST_COMMITMENT,
                    _information(transaction, instances),
                )
                self._refuse_unless_taken(status)
                with self._lock:
                    self._pending.update((i.sop_instance_uid, transaction) for i in instances)
                self._linger(assoc, transaction)
        except RefusedDeliveryError as error:
            self._transactions.end(transaction)
            raise RefusedDeliveryError(Reason.of("no-commitment", name=self._name)) from error
        except TransientDeliveryError as error:
            if error.code == "interrupted" or not self._is_pending(transaction):
                self._transactions.end(transaction)
                if is_open and (error.code in BROKEN_OFF or error.code.startswith(_NOT_TAKEN)):
                    return error
                raise
            # The request was taken; how the association ended is not worth a word.
        return None

    def _refuse_unless_taken(self, status: int) -> None:
        if status != SUCCESS:
            raise TransientDeliveryError(Reason.of(f"{_NOT_TAKEN}{status:04X}", name=self._name))

    def _linger(self, assoc: Association, transaction: Transaction) -> None:
        seconds = _LINGER_SECONDS if self._has_listener else _WAIT_SECONDS
        for _ in range(round(seconds / _GLANCE_SECONDS)):
            if transaction.reasons is not None or not assoc.listen(_GLANCE_SECONDS):
                return

    def _is_pending(self, transaction: Transaction) -> bool:
        with self._lock:
            return any(other is transaction for other in self._pending.values())


def _information(transaction: Transaction, instances: Sequence[Instance]) -> Dataset:
    information = Dataset()
    information.TransactionUID = transaction.transaction_uid
    information.ReferencedSOPSequence = [_reference(instance) for instance in instances]
    return information


def _reference(instance: Instance) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = instance.sop_class_uid
    item.ReferencedSOPInstanceUID = instance.sop_instance_uid
    return item


def _reason(instance: Instance, transaction: Transaction) -> int | None:
    if transaction.reasons is None:
        return None
    return transaction.reasons.get(instance.sop_instance_uid, _NOT_NAMED)
