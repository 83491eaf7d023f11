"""What the outbox asks of an archive: that it takes instances, and proves that it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from capture_app.errors import DeliveryError
from capture_app.model.delivery import Instance, ProofReceipt, StoreReceipt
from capture_app.model.exam import Exam
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import Reason

Hindrances = Callable[[Exam], Sequence[Reason]]
"""All that the feeds say now against sending pictures of an exam, whose patient is worded as they
are sealed. Asked before each attempt until one may have reached an archive."""


class Archive(Protocol):
    """One destination. Called by one worker at a time for each `workers` of its settings.

    Both calls yield one outcome for each instance, named by SOP Instance UID, in any order and as
    soon as it is known: the engine settles each before it asks for the next. An outcome is a
    receipt, `TransientDeliveryError` (same bytes and UID again, later) or `RefusedDeliveryError`
    (a person is needed). A `DeliveryError` that is raised instead of yielded is about the archive,
    and the outcome of all instances not yet named. Any other exception is a bug: the engine logs
    it and hands those instances to a person.

    What may be about one instance (OF_ONE_PERHAPS, a silence first of all) is yielded for the one
    that was under way then, and for no other: the next are tried on a new connection. After
    `MOST_BROKEN_OFF` of them in a row the call may end: what it named no outcome for was not
    tried, and is due as before. An error says `reached_nobody` where the archive certainly has
    nothing of what it is about.

    Each call has a total deadline of its own; the engine sets none.
    """

    @property
    def name(self) -> str:
        """The destination's name in the settings; stable, it is stored with each task."""
        ...

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        """Sends instances (C-STORE, PS3.4 B; STOW-RS, PS3.18 10.5), all of them in one go.

        `read` gives the Part 10 file of one instance, proved whole and decrypted piece by piece;
        call it just before that one is sent, and go through it as often as is needed.
        It raises `RefusedDeliveryError` for a file that is gone or fails its check: yield that as
        the outcome of that instance, and go on with the others.
        """
        ...

    def prove(
        self, instances: Sequence[Instance]
    ) -> Iterator[tuple[str, ProofReceipt | DeliveryError]]:
        """Asks the archive to show that it holds these instances, under our patient and study.

        A receipt of kind PIXEL_HASH or STORAGE_COMMITMENT is given only where Patient ID, its
        issuer and Study Instance UID are equal to ours as well. LISTED says no more than that a
        query found it: the engine asks again later.
        """
        ...

    def interrupt(self) -> None:
        """Ends, from another thread, a transfer that is under way: its call returns soon."""
        ...
