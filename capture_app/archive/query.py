"""What an archive says in a query of what it holds (C-FIND, Study Root; PS3.4 C.6.2).

A query shows under which patient and study an instance is filed. It is no proof of custody: many
archives answer from an index that runs ahead of their disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydicom.dataset import Dataset

from capture_app.archive.identity import HeldIdentity, contradiction
from capture_app.archive.outcomes import Proven, not_in_archive
from capture_app.clock import Clock
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import Instance, ProofKind, ProofReceipt
from capture_app.model.reason import Reason
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom.association import UNCOMPRESSED, Association, Peer, open_association
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.wire import failure

STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"

_MOST_MATCHES: Final = 50  # for a question whose right answer is one


class ListedOnly:
    """A `ProofMethod` for archives that can only be queried: at most LISTED."""

    def __init__(self, peer: Peer, *, clock: Clock, deadline_seconds: float) -> None:
        self._peer = peer
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    def prove(self, instances: Sequence[Instance], interruption: Interruption) -> Proven:
        name = self._peer.address.name
        deadline = Deadline.after(self._clock, self._deadline_seconds)
        try:
            for instance, filing in check_filing(self._peer, instances, deadline, interruption):
                uid = instance.sop_instance_uid
                yield uid, filing or ProofReceipt(uid, ProofKind.LISTED, name)
        except RefusedDeliveryError as error:
            raise RefusedDeliveryError(Reason.of("no-proof", name=name)) from error


def check_filing(
    peer: Peer, instances: Sequence[Instance], deadline: Deadline, interruption: Interruption
) -> Iterator[tuple[Instance, DeliveryError | None]]:
    """For each instance None where the archive has it filed as ours, else what is wrong.

    Raises TransientDeliveryError for a broken association, RefusedDeliveryError "no-context" for
    an archive that cannot be queried.
    """
    contexts = [Context(STUDY_ROOT_FIND, UNCOMPRESSED)]
    with open_association(peer, contexts, deadline, interruption) as assoc:
        questions = _Questions(assoc, peer.address.name)
        for instance in instances:
            try:
                filing = questions.filing(instance)
            except (TypeError, ValueError) as error:  # values that are none of their kind
                raise failure(peer.address.name, "protocol") from error
            yield instance, filing


class _Questions:
    """Asks on one association, each study once."""

    def __init__(self, assoc: Association, name: str) -> None:
        self._assoc = assoc
        self._name = name
        self._studies: dict[str, HeldIdentity | None] = {}

    def filing(self, instance: Instance) -> DeliveryError | None:
        study = self._study_that_holds(instance)
        if study is None:
            return not_in_archive(self._name)
        if study not in self._studies:
            self._studies[study] = self._identity(study)
        identity = self._studies[study]
        if identity is None:
            return not_in_archive(self._name)
        return contradiction(self._name, instance, identity)

    def _study_that_holds(self, instance: Instance) -> str | None:
        uid = instance.sop_instance_uid
        where_we_sent_it = self._ask(
            "IMAGE",
            StudyInstanceUID=instance.study_instance_uid,
            SeriesInstanceUID=instance.series_instance_uid,
            SOPInstanceUID=uid,
        )
        if any(match.get("SOPInstanceUID") == uid for match in where_we_sent_it):
            return instance.study_instance_uid
        # It may have been moved. Not every archive can be asked without naming the study
        # (relational queries, PS3.4 C.4.1.3): a refusal says no more than the first answer did.
        try:
            anywhere = self._ask(
                "IMAGE", StudyInstanceUID="", SeriesInstanceUID="", SOPInstanceUID=uid
            )
        except TransientDeliveryError as error:
            if not error.code.startswith("status-"):
                raise
            return None
        studies = [m.get("StudyInstanceUID") for m in anywhere if m.get("SOPInstanceUID") == uid]
        return next((str(study) for study in studies if study), None)

    def _identity(self, study_instance_uid: str) -> HeldIdentity | None:
        matches = self._ask(
            "STUDY", StudyInstanceUID=study_instance_uid, PatientID="", IssuerOfPatientID=""
        )
        for match in matches:
            if match.get("StudyInstanceUID") == study_instance_uid:
                return HeldIdentity.of(match)
        return None

    def _ask(self, level: str, **keys: str) -> list[Dataset]:
        identifier = Dataset()
        identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        return list(self._assoc.find(STUDY_ROOT_FIND, identifier, most=_MOST_MATCHES))
