"""What an archive says in a query of what it holds (C-FIND, Study Root; PS3.4 C.6.2).

A query shows under which patient and study an instance is filed. It is no proof of custody: many
archives answer from an index that runs ahead of their disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from pydicom.dataset import Dataset

from capture_app.archive.identity import HeldIdentity, contradiction
from capture_app.archive.one_by_one import one_by_one
from capture_app.archive.outcomes import Proven, not_in_archive
from capture_app.clock import Clock
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import Instance, ProofKind, ProofReceipt
from capture_app.model.reason import CLASS_MISMATCH, Reason
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom.association import UNCOMPRESSED, Association, Peer, open_association
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.wire import failure

STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"

_QUESTION: Final = "question-"  # the archive answered with a status that is no answer
_MOST_MATCHES: Final = 500  # for a question whose right answer is one: not all archives heed keys
_UID: Final = re.compile(r"[0-9.]{1,64}")

Said = TypeVar("Said")


class ListedOnly:
    """A `ProofMethod` for archives that can only be queried: at most LISTED."""

    def __init__(self, peer: Peer, *, clock: Clock, deadline_seconds: float) -> None:
        self._peer = peer
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    def prove(self, instances: Sequence[Instance], interruption: Interruption) -> Proven:
        name = self._peer.address.name
        patience = partial(Deadline.after, self._clock, self._deadline_seconds)
        try:
            for instance, filing in check_filing(self._peer, instances, patience, interruption):
                uid = instance.sop_instance_uid
                yield uid, filing or ProofReceipt(uid, ProofKind.LISTED, name)
        except RefusedDeliveryError as error:
            raise RefusedDeliveryError(Reason.of("no-proof", name=name)) from error


def check_filing(
    peer: Peer,
    instances: Sequence[Instance],
    patience: Callable[[], Deadline],
    interruption: Interruption,
) -> Iterator[tuple[Instance, DeliveryError | None]]:
    """For each instance None where the archive has it filed as ours, else what is wrong.

    `patience` makes the deadline of each. Raises TransientDeliveryError where no association can be
    had, RefusedDeliveryError "no-context" for an archive that cannot be queried.
    """
    name = peer.address.name
    studies: dict[str, tuple[HeldIdentity, ...]] = {}

    def establish(_waiting: Sequence[Instance]) -> AbstractContextManager[Association]:
        contexts = [Context(STUDY_ROOT_FIND, UNCOMPRESSED)]
        return open_association(peer, contexts, patience(), interruption)

    def ask(assoc: Association, instance: Instance) -> DeliveryError | None:
        assoc.renew(patience())
        try:
            return _Questions(assoc, name, studies).filing(instance)
        except TransientDeliveryError as error:
            if not error.code.startswith(_QUESTION):
                raise
            return error
        except ValueError:  # an answer of no kind, read to its end: the next can be asked
            return failure(name, "protocol")

    yield from one_by_one(instances, establish, ask)


@dataclass(frozen=True, slots=True)
class _Match:
    """What a match at the level of images says: where the image is, and of which class it is."""

    study_instance_uid: str
    sop_class_uid: str


class _Questions:
    """Asks on one association; `studies` are those whose patients are known already."""

    def __init__(
        self, assoc: Association, name: str, studies: dict[str, tuple[HeldIdentity, ...]]
    ) -> None:
        self._assoc = assoc
        self._name = name
        self._studies = studies

    def filing(self, instance: Instance) -> DeliveryError | None:
        """What is wrong with where the archive has it; it must be right wherever it has it."""
        matches = self._matches(instance)
        if not matches:
            return not_in_archive(self._name)
        if any(match.sop_class_uid not in {"", instance.sop_class_uid} for match in matches):
            return RefusedDeliveryError(Reason.of(CLASS_MISMATCH, name=self._name))
        for study in dict.fromkeys(match.study_instance_uid for match in matches):
            if study not in self._studies:
                self._studies[study] = self._identities(study)
            if not self._studies[study]:
                return not_in_archive(self._name)
            for identity in self._studies[study]:
                if refusal := contradiction(self._name, instance, identity):
                    return refusal
        return None

    def _matches(self, instance: Instance) -> tuple[_Match, ...]:
        where_we_sent_it = self._images(
            instance, instance.study_instance_uid, instance.series_instance_uid
        )
        if where_we_sent_it:
            return where_we_sent_it
        # It may have been moved. Not every archive can be asked without naming the study
        # (relational queries, PS3.4 C.4.1.3): a refusal says no more than the first answer did.
        try:
            return self._images(instance, "", "")
        except TransientDeliveryError as error:
            if not error.code.startswith(_QUESTION):
                raise
            return ()

    def _images(self, instance: Instance, study: str, series: str) -> tuple[_Match, ...]:
        """Where it is, as the matches themselves say: never as we asked."""

        def of_it(match: Dataset) -> _Match | None:
            if _text(match, "SOPInstanceUID") != instance.sop_instance_uid:
                return None
            where = _text(match, "StudyInstanceUID")
            # A unique key, so it has to be in the answer (PS3.4 C.4.1.1.3.2); it is asked next.
            if not _UID.fullmatch(where):
                raise ValueError
            return _Match(where, _text(match, "SOPClassUID"))

        return self._ask(
            "IMAGE",
            of_it,
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            SOPInstanceUID=instance.sop_instance_uid,
            SOPClassUID="",
        )

    def _identities(self, study_instance_uid: str) -> tuple[HeldIdentity, ...]:
        def of_it(match: Dataset) -> HeldIdentity | None:
            held = HeldIdentity.of(match)
            return held if held.study_instance_uid == study_instance_uid else None

        return self._ask(
            "STUDY", of_it, StudyInstanceUID=study_instance_uid, PatientID="", IssuerOfPatientID=""
        )

    def _ask(
        self, level: str, read: Callable[[Dataset], Said | None], **keys: str
    ) -> tuple[Said, ...]:
        """What `read` makes of the matches. Raises ValueError where one of them cannot be read or
        is of another level, and for too many: an answer that was cut says nothing of its rest.
        """
        identifier = Dataset()
        identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        wrong: list[str] = []
        matches = self._assoc.find(
            STUDY_ROOT_FIND, identifier, most=_MOST_MATCHES, on_cut=lambda: wrong.append("cut")
        )
        found = []
        for match in matches:
            try:
                if _text(match, "QueryRetrieveLevel") not in {"", level}:
                    wrong.append("level")
                elif (said := read(match)) is not None:
                    found.append(said)
            except Exception:  # noqa: BLE001 - hostile bytes: the decoder may raise anything
                wrong.append("values")
        if wrong:
            raise ValueError
        return tuple(found)


def _text(ds: Dataset, keyword: str) -> str:
    return str(ds.get(keyword) or "").strip()
