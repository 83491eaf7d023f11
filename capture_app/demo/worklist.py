"""The simulated worklist: a Modality Worklist SCP (PS3.4 Annex K)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made by pynetdicom at import
    ModalityWorklistInformationFind,
    Verification,
)

from capture_app.demo.scp import Scp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pynetdicom.events import Event


class WorklistPeer:
    """Answers every C-FIND on 127.0.0.1 from a fixed list of worklist items.

    It matches Patient ID, and station, date and modality of the scheduled step, as single values
    or date ranges; what is not asked for matches.
    """

    def __init__(
        self, items: Sequence[Dataset], *, ae_title: str = "PRACTICE", port: int = 0
    ) -> None:
        self._items = tuple(items)
        ae = AE(ae_title=ae_title)
        ae.add_supported_context(Verification)
        ae.add_supported_context(ModalityWorklistInformationFind)
        self._scp = Scp(
            ae,
            port,
            [(evt.EVT_C_ECHO, lambda _event: 0x0000), (evt.EVT_C_FIND, self._on_find)],
        )
        self.port = self._scp.port

    def stop(self) -> None:
        """Ends the SCP and its threads."""
        self._scp.stop()

    def _on_find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        identifier = event.identifier
        for item in self._items:
            if event.is_cancelled:
                yield 0xFE00, None
                return
            if _matches(identifier, item):
                yield 0xFF00, item


def _matches(identifier: Dataset, item: Dataset) -> bool:
    step_asked = (identifier.get("ScheduledProcedureStepSequence") or [Dataset()])[0]
    step = item.ScheduledProcedureStepSequence[0]
    return (
        _single(identifier, item, "PatientID")
        and _single(step_asked, step, "Modality")
        and _single(step_asked, step, "ScheduledStationAETitle")
        and _in_range(
            str(step_asked.get("ScheduledProcedureStepStartDate", "")),
            str(step.ScheduledProcedureStepStartDate),
        )
    )


def _single(asked: Dataset, held: Dataset, keyword: str) -> bool:
    wanted = str(asked.get(keyword, "") or "")
    return wanted in {"", "*", str(held.get(keyword, ""))}


def _in_range(asked: str, held: str) -> bool:
    if not asked:
        return True
    first, dash, last = asked.partition("-")
    if not dash:
        return held == first
    return (not first or held >= first) and (not last or held <= last)
