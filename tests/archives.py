"""Archives of ours towards the peers of a test, and what is asked of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from capture_app.archive.commitment import CommitmentListener
from capture_app.archive.connect import commitment_listeners, connect
from capture_app.archive.dimse import DimseArchive
from capture_app.archive.held_copy import read_held_copy
from capture_app.archive.stow import StowArchive
from capture_app.clock import Clock, SystemClock
from capture_app.errors import DeliveryError, TransientDeliveryError
from capture_app.model.delivery import MOST_BROKEN_OFF, Instance, ProofReceipt, StoreReceipt
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import OF_ONE_PERHAPS, Reason
from capture_app.settings.schema import ArchiveDestination, Station
from tests.archive_samples import Sample

STATION = Station(ae_title="CAPTURE")
CLOCK = SystemClock()
SECONDS = 10.0
"""The deadline towards a peer that is well. A test of one that is not sets its own."""

Archive = DimseArchive | StowArchive
Outcome = StoreReceipt | ProofReceipt | DeliveryError


def archive_for(
    destination: ArchiveDestination,
    listener: CommitmentListener | None = None,
    *,
    password: Callable[[str], str | None] = {"pacs-password": "rigpass"}.get,
    clock: Clock = CLOCK,
) -> Archive:
    return connect(
        destination,
        STATION,
        listener=listener,
        clock=clock,
        password=password,
        read_copy=read_held_copy,
    )


@contextmanager
def listening_archive(destination: ArchiveDestination) -> Iterator[Archive]:
    """The archive with its commitment listener started."""
    listener = commitment_listeners([destination], STATION, CLOCK)[destination.name]
    listener.start()
    try:
        yield archive_for(destination, listener)
    finally:
        listener.stop()


def store(
    archive: Archive,
    samples: Sequence[Sample],
    before_read: Callable[[Instance], object] = lambda _instance: None,
) -> list[Outcome]:
    """The outcomes in the order of the samples; an error that is raised is that of the rest.

    One that was not tried, after as many as the port names were broken off, is "untried".
    """
    files = {sample.uid: sample.part10 for sample in samples}
    outcomes: dict[str, Outcome] = {}

    def read(instance: Instance) -> Part10File:
        before_read(instance)
        return Part10File.of(files[instance.sop_instance_uid])

    try:
        for uid, outcome in archive.store([sample.instance for sample in samples], read):
            assert uid not in outcomes, "two outcomes for one instance"
            outcomes[uid] = outcome
    except DeliveryError as error:
        return [outcomes.get(sample.uid, error) for sample in samples]
    broken_off = [o for o in outcomes.values() if getattr(o, "code", "") in OF_ONE_PERHAPS]
    assert len(outcomes) == len(samples) or len(broken_off) == MOST_BROKEN_OFF
    untried = TransientDeliveryError(Reason("untried"))
    return [outcomes.get(sample.uid, untried) for sample in samples]


def prove(archive: Archive, instances: Sequence[Instance]) -> list[Outcome]:
    """As `store`, of the proof."""
    outcomes: dict[str, Outcome] = {}
    try:
        for uid, outcome in archive.prove(instances):
            assert uid not in outcomes, "two outcomes for one instance"
            outcomes[uid] = outcome
    except DeliveryError as error:
        return [outcomes.get(i.sop_instance_uid, error) for i in instances]
    return [outcomes[i.sop_instance_uid] for i in instances]


def said(outcome: Outcome) -> str:
    """An outcome in a word: "stored", "stored B000", a proof, or the class and code of an error."""
    match outcome:
        case StoreReceipt(status=0):
            return "stored"
        case StoreReceipt(status=status, warning=warning):
            assert warning, "a warning without words"
            return f"stored {status:04X}"
        case ProofReceipt(kind=kind):
            return kind.value
        case _:
            assert str(outcome), "an error without words"
            return f"{type(outcome).__name__.removesuffix('DeliveryError').lower()} {outcome.code}"
