"""What the patients page shows, and what an answer of the census makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from capture_app.exam.second_identifier import Question
from capture_app.model.encounter import EncounterState
from capture_app.model.patient import Patient
from capture_app.model.words import isolated, tr
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.status import FeedStatus
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.patients.drafts import DraftCard
from capture_app.ui.patients.feeds import FeedLine, feed_chip, feed_note
from capture_app.ui.patients.found import Found, count_moves
from capture_app.ui.patients.masking import masked_cards, masked_rows
from capture_app.ui.patients.rows import PatientRow, RowKey
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText


@dataclass(frozen=True, slots=True)
class PatientsState:
    """The page."""

    text: str = ""
    tab: Tab = Tab.WARD
    counts: tuple[tuple[Tab, int], ...] = ()
    rows: tuple[PatientRow, ...] = ()
    marked: RowKey | None = None
    asked: RowKey | None = None
    """The row whose second identifier is being asked: what would answer is hidden."""
    order_asked: RowKey | None = None
    """The row of the worklist whose order is being asked."""
    record_label: str = ""
    changes: int = 0
    """Rows that changed while the list is held still."""
    feeds: tuple[ChipText, ...] = ()
    feed_note: str = ""
    feed_lines: tuple[FeedLine, ...] = ()
    """What of the feeds IT should look at, a line each."""
    drafts: tuple[DraftCard, ...] = ()
    empty: str = ""
    empty_act: str = ""
    loading: str = ""
    opening: bool = False


def state_of(
    before: PatientsState,
    found: Found,
    newer: Found | None,
    feeds: Sequence[FeedStatus],
    asked: tuple[Patient, Question] | None,
    now: datetime,
) -> PatientsState:
    """What an answer of the census shows.

    `newer`: another answer, whose rows wait. `feeds`: as they are now. `asked`: the patient whose
    second identifier is being asked, and what is asked: nothing is shown that answers.
    """
    rows, cards, marked = found.rows, found.drafts.cards, before.marked
    if marked not in {row.key for row in rows}:
        marked = rows[0].key if found.text and rows else None
    if asked is not None:
        patient, question = asked
        rows = masked_rows(rows, [entry.patient for entry in found.entries], patient, question)
        cards = masked_cards(cards, patient)
    issuers = {entry.patient.patient_id.issuer for entry in found.entries}
    one_issuer = len(issuers) == 1
    empty, act = ("", "") if rows else empty_words(found, feeds)
    return replace(
        before,
        counts=found.counts,
        rows=rows,
        marked=marked,
        record_label=wording.record_label(found.entries[0].patient.patient_id)
        if one_issuer
        else tr("MRN"),
        changes=0 if newer is None else count_moves(found, newer),
        feeds=tuple(feed_chip(feed) for feed in feeds),
        feed_note=feed_note(feeds, now),
        drafts=cards,
        empty=empty,
        empty_act=act,
        loading="",
    )


def empty_words(found: Found, feeds: Iterable[FeedStatus]) -> tuple[str, str]:
    """What an empty list says, and the act that may help. `feeds`: as they are now."""
    tab = tab_words(found.tab)
    look = tr("Look in All") if found.tab is not Tab.ALL else ""
    if found.text:
        words = tr('No one matches "{text}" in {tab}.', text=isolated(found.text), tab=tab)
        return words, look
    if found.tab is Tab.RECENT:
        return tr("No patient was opened here yet."), look
    if found.tab is Tab.WORKLIST:
        return tr("No orders for this station."), look
    heard = [feed.age_seconds for feed in feeds if feed.age_seconds is not None]
    if not heard:
        return tr("No patients yet. No feed has sent anything so far."), ""
    age = wording.span(timedelta(seconds=min(heard)))
    return tr("No patients in {tab}. Last message {age} ago.", tab=tab, age=age), look


def tab_words(tab: Tab) -> str:
    """What a tab is called."""
    return {
        Tab.WARD: tr("Ward"),
        Tab.WORKLIST: tr("Worklist"),
        Tab.RECENT: tr("Recent"),
        Tab.ALL: tr("All"),
    }[tab]


def current_visit(entries: tuple[PatientListEntry, ...]) -> PatientListEntry:
    """Of one patient's visits the open one that began last; else the first."""
    open_ones = [
        entry
        for entry in entries
        if entry.encounter is not None and entry.encounter.state is EncounterState.OPEN
    ]
    dated = [entry for entry in open_ones if entry.encounter and entry.encounter.admitted_at]
    if dated:
        return max(dated, key=_admitted)
    return (open_ones or list(entries))[0]


def _admitted(entry: PatientListEntry) -> float:
    encounter = entry.encounter
    return encounter.admitted_at.timestamp() if encounter and encounter.admitted_at else 0.0
