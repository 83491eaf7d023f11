"""An archive that is reached by DIMSE: C-STORE (PS3.4 B)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from capture_app.archive.one_by_one import one_by_one
from capture_app.archive.outcomes import (
    SLOWEST_BYTES_PER_SECOND,
    ProofMethod,
    Proven,
    stored,
)
from capture_app.archive.recoding import as_sent
from capture_app.clock import Clock
from capture_app.dicom.coding import sendable_in
from capture_app.errors import DeliveryError, RefusedDeliveryError
from capture_app.model.delivery import Instance, StoreReceipt
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import SEAL_BROKEN, Reason
from capture_app.net.deadline import Deadline, Interruption, UnderWay
from capture_app.net.dicom.association import Association, Peer, no_context, open_association
from capture_app.net.dicom.upper_layer import Context

_META_BEGINS: Final = 132
_GROUP_LENGTH: Final = struct.Struct("<4s2sHL")  # (0002,0000) UL 4


class DimseArchive:
    """An `outbox.ports.Archive` over DIMSE."""

    def __init__(
        self, peer: Peer, *, proof: ProofMethod, clock: Clock, deadline_seconds: float
    ) -> None:
        self._peer = peer
        self._proof = proof
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._under_way = UnderWay()

    @property
    def name(self) -> str:
        return self._peer.address.name

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        with self._under_way.exchange() as interruption:

            def establish(waiting: Sequence[Instance]) -> AbstractContextManager[Association]:
                return self._association(waiting, interruption)

            def ask(assoc: Association, instance: Instance) -> StoreReceipt | DeliveryError:
                return self._store(assoc, instance, read)

            for instance, outcome in one_by_one(instances, establish, ask):
                yield instance.sop_instance_uid, outcome

    def prove(self, instances: Sequence[Instance]) -> Proven:
        with self._under_way.exchange() as interruption:
            yield from self._proof.prove(instances, interruption)

    def interrupt(self) -> None:
        self._under_way.interrupt()

    def _association(
        self, instances: Sequence[Instance], interruption: Interruption
    ) -> AbstractContextManager[Association]:
        kinds = dict.fromkeys((i.sop_class_uid, i.transfer_syntax_uid) for i in instances)
        # A context of its own for each transfer syntax: in a common one the archive could choose
        # the uncompressed one, and the sealed bytes are better.
        wanted = dict.fromkeys(
            (sop_class, syntax) for sop_class, sealed in kinds for syntax in sendable_in(sealed)
        )
        contexts = [Context(sop_class, (syntax,)) for sop_class, syntax in wanted]
        return open_association(self._peer, contexts, self._deadline(instances[0]), interruption)

    def _store(
        self, assoc: Association, instance: Instance, read: Callable[[Instance], Part10File]
    ) -> StoreReceipt | DeliveryError:
        syntax = next(
            (
                one
                for one in sendable_in(instance.transfer_syntax_uid)
                if assoc.accepts(instance.sop_class_uid, one)
            ),
            None,
        )
        if syntax is None:
            return no_context(self.name)
        try:
            dataset = EncodedDataset.of(as_sent(read(instance), instance, syntax))
        except DeliveryError as error:
            return error
        assoc.renew(self._deadline(instance))
        status = assoc.store(
            dataset,
            sop_class_uid=instance.sop_class_uid,
            sop_instance_uid=instance.sop_instance_uid,
            transfer_syntax_uid=syntax,
        )
        return stored(self.name, instance.sop_instance_uid, status)

    def _deadline(self, instance: Instance) -> Deadline:
        seconds = self._deadline_seconds + instance.largest_size / SLOWEST_BYTES_PER_SECOND
        return Deadline.after(self._clock, seconds)


@dataclass(frozen=True, slots=True)
class EncodedDataset:
    """The encoded dataset of a Part 10 file, in pieces: all that follows its meta information."""

    file: Part10File
    begin: int
    """Where it begins in the file."""

    @classmethod
    def of(cls, file: Part10File) -> EncodedDataset:
        """Raises RefusedDeliveryError "seal-broken" for what is no such file (PS3.10 7.1)."""
        return cls(file, _dataset_begins(next(iter(file), b""), len(file)))

    def __len__(self) -> int:
        return len(self.file) - self.begin

    def __iter__(self) -> Iterator[bytes]:
        before = self.begin
        for piece in self.file:
            rest = piece[before:] if before else piece
            before = max(0, before - len(piece))
            if rest:
                yield rest


def dataset_of(part10: bytes) -> memoryview:
    """The same of a file that is in memory. Raises as `EncodedDataset.of`."""
    return memoryview(part10)[_dataset_begins(part10, len(part10)) :]


def _dataset_begins(first: bytes, size: int) -> int:
    """Where it begins in a file of that size, which begins with `first`."""
    if len(first) >= _META_BEGINS + _GROUP_LENGTH.size and first[128:132] == b"DICM":
        tag, vr, number, length = _GROUP_LENGTH.unpack_from(first, _META_BEGINS)
        begin = _META_BEGINS + _GROUP_LENGTH.size + int(length)
        if (tag, vr, number) == (b"\x02\x00\x00\x00", b"UL", 4) and begin < size:
            return begin
    raise RefusedDeliveryError(Reason.of(SEAL_BROKEN))
