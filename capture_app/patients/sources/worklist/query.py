"""The Modality Worklist client (RAD-5, RAD-130): one question and its answer."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from capture_app.clock import Clock, zone_of
from capture_app.errors import FeedError
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom.association import UNCOMPRESSED, Peer, open_association
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.wire import Address
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.sources.worklist.items import ItemReader, identifier_for
from capture_app.settings.feeds import Worklist

_log = structlog.get_logger(__name__)

MODALITY_WORKLIST_FIND: Final = "1.2.840.10008.5.1.4.31"


def peer_of(worklist: Worklist, calling_ae_title: str) -> Peer:
    """Whom the settings of a worklist name."""
    address = Address(worklist.name, worklist.host, worklist.port)
    return Peer(address, worklist.ae_title, calling_ae_title)


def ask(
    worklist: Worklist, calling_ae_title: str, clock: Clock, interruption: Interruption
) -> WorklistAnswer:
    """The items of yesterday, today and tomorrow, at most as many as the settings allow.

    Items that cannot be used are counted and left out. Raises DeliveryError where there is no whole
    answer by the deadline.
    """
    now = clock.now()
    here = now.astimezone(zone_of(worklist.zone))
    items: list[WorklistItem] = []
    reader = ItemReader.of(worklist)
    skipped = 0
    cut = threading.Event()
    with open_association(
        peer_of(worklist, calling_ae_title),
        [Context(MODALITY_WORKLIST_FIND, UNCOMPRESSED)],
        Deadline.after(clock, worklist.deadline_seconds),
        interruption,
    ) as assoc:
        for ds in assoc.find(
            MODALITY_WORKLIST_FIND,
            identifier_for(worklist, now),
            most=worklist.max_items,
            on_cut=cut.set,
        ):
            try:
                items.append(reader.read(ds, here))
            except FeedError as error:
                skipped += 1
                _log.info("worklist-item-skipped", worklist=worklist.name, reason=str(error))
            except Exception as error:  # noqa: BLE001 - hostile bytes: the decoder may raise anything
                skipped += 1
                kind = type(error).__name__
                _log.info("worklist-item-skipped", worklist=worklist.name, error_type=kind)
    return WorklistAnswer(worklist.name, tuple(items), now, skipped, cut.is_set())
