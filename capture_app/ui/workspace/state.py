"""The workspace as a page shows it, made from what its view-model knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from capture_app.catalog.catalog import Catalog
from capture_app.exam.describing import sides_of
from capture_app.exam.orders import StationIdentity, offered
from capture_app.exam.rules import MissingPart
from capture_app.model.delivery import ImageState
from capture_app.model.device import DeviceInfo
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ProcedureEntry, Region, Side
from capture_app.model.words import tr
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Message, Tone
from capture_app.ui.words.order_words import order_shown
from capture_app.ui.words.shown import ListRow, OrderShown, Selection, Thumb
from capture_app.ui.workspace import words

PURPOSE, KEEP, CONSENT = "purpose", "keep", "consent"
_MOST_FOUND = 40


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of this patient. It has no capture id until it is safe on the disk."""

    capture_id: str
    number: int
    description: Description
    kept: Description = Description()  # noqa: RUF009 - frozen
    """What the store says of it, as far as this window knows: what its acts have seen."""
    state: ImageState = ImageState.DRAFT
    blurred: bool = False

    @property
    def is_draft(self) -> bool:
        """Whether it is safe and not sent: it may be described, deleted and sent."""
        return bool(self.capture_id) and self.state is ImageState.DRAFT


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that the page is made from."""

    exam: Exam
    choice: Description
    """What the panels show, and what the next picture gets."""
    prefilled: Description
    """What an order filled in."""
    ours: StationIdentity
    """By what an order shows that it is for this station."""
    shots: tuple[Shot, ...] = ()
    selected: frozenset[str] = frozenset()
    filter_text: str = ""
    stopped: bool = False
    message: Message | None = None
    message_number: int = 0
    hint: str = ""
    """What was wrong with the last touch; instead of the usual line under the sides."""
    sending: bool = False
    device: DeviceInfo | None = None
    orders: tuple[Order, ...] = ()
    """What the list shows for this patient and visit."""
    ordering: bool = False
    """Another order was chosen, and the exam is being begun anew."""

    @property
    def offers(self) -> tuple[Order, ...]:
        """The orders to offer with the device in use."""
        return offered(self.orders, self.device, self.ours)

    @property
    def order_is_open(self) -> bool:
        """Whether an order may be chosen: no picture is there, sent or not, or on its way."""
        return not self.shots

    @property
    def is_prefilled(self) -> bool:
        """Whether the panels show what an order filled in, untouched."""
        return self.choice == self.prefilled != Description()

    @property
    def drafts(self) -> tuple[Shot, ...]:
        """What may be sent, in the order in which it was taken."""
        return tuple(shot for shot in self.shots if shot.is_draft)

    @property
    def chosen(self) -> tuple[Shot, ...]:
        """The drafts that a person selected."""
        return tuple(shot for shot in self.drafts if shot.capture_id in self.selected)


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """What the page shows."""

    rows: tuple[ListRow, ...] = ()
    chosen_row: str = ""
    found_nothing: str = ""
    procedures: int = 0
    procedure_needed: str = ""
    region: str = ""
    region_key: str = ""
    side: Side | None = None
    sides: tuple[Side, ...] = ()
    selection: Selection | None = None
    site_needed: str = ""
    site_done: bool = False
    from_order: bool = False
    """The panels show what an order filled in: nobody chose it."""
    hint: str = ""
    hint_tone: Tone = Tone.TEXT_2
    choices: Mapping[str, tuple[ListRow, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    next_picture: ChipText = field(default_factory=lambda: ChipText("", ""))
    thumbs: tuple[Thumb, ...] = ()
    sendable: int = 0
    family: str = ""
    digits: str = ""
    order: OrderShown | None = None
    message: Message | None = None
    message_number: int = 0
    """Rises with every message, so that the same words can be said again."""


def missing_parts(known: Known) -> tuple[MissingPart, ...]:
    """What holds up sending, over all drafts, in the order in which a person chooses."""
    missing = {p for shot in known.drafts for p in words.missing_of(shot.description)}
    return tuple(part for part in MissingPart if part in missing)


def state_of(
    known: Known, catalog: Catalog, favourites: Sequence[ProcedureEntry]
) -> WorkspaceState:
    """The page."""
    choice = known.choice
    parts = missing_parts(known) if known.stopped else ()
    procedure_needed, site_needed = words.needed_words(parts)
    hint, tone = words.side_hint(choice, stopped=known.stopped)
    complete = choice.region is not None and (choice.side is not None or not sides_of(choice))
    patient = known.exam.patient
    rows = procedure_rows(known, catalog, favourites)
    return WorkspaceState(
        rows=rows,
        chosen_row=choice.procedure.entry_id if choice.procedure else "",
        found_nothing=tr("No procedure is called that."),
        procedures=len(catalog.selectable),
        procedure_needed=procedure_needed,
        region=tr(choice.region.label) if choice.region else "",
        region_key=region_id(choice.region) if choice.region else "",
        side=choice.side,
        sides=sides_of(choice),
        selection=words.selection_of(choice),
        site_needed=site_needed,
        site_done=complete and not site_needed,
        hint=known.hint or hint,
        hint_tone=Tone.WARN if known.hint else tone,
        choices={
            PURPOSE: tuple(ListRow(c.choice_id, tr(c.label)) for c in catalog.purposes),
            KEEP: tuple(ListRow(c.choice_id, tr(c.label)) for c in catalog.keeps),
            CONSENT: tuple(ListRow(c.choice_id, tr(c.label)) for c in catalog.consents),
        },
        values={
            PURPOSE: choice.purpose.choice_id if choice.purpose else "",
            KEEP: choice.keep.choice_id if choice.keep else "",
            CONSENT: choice.consent.choice_id if choice.consent else "",
        },
        from_order=known.is_prefilled,
        next_picture=words.next_words(choice, from_order=known.is_prefilled),
        thumbs=tuple(_thumb(shot, known) for shot in known.shots if shot.capture_id),
        sendable=0 if known.sending else len(known.drafts),
        family=wording.family(patient.name),
        digits=wording.last_digits(patient.patient_id),
        order=order_shown(
            known.exam.order, known.offers, known.device, is_open=known.order_is_open
        ),
        message=_message(known, parts),
        message_number=known.message_number,
    )


def procedure_rows(
    known: Known, catalog: Catalog, favourites: Sequence[ProcedureEntry]
) -> tuple[ListRow, ...]:
    """The favourites with their keys, and what is chosen where it is none of them; or what the
    filter finds.
    """
    if known.filter_text.strip():
        found = catalog.search(known.filter_text)[:_MOST_FOUND]
        return tuple(_row(entry, "", known.device) for entry in found)
    rows = [_row(entry, f"{n}", known.device) for n, entry in enumerate(favourites, 1)]
    chosen = known.choice.procedure
    if chosen is not None and chosen not in favourites:
        rows.append(_row(chosen, "", known.device))
    return tuple(rows)


def region_rows(description: Description, catalog: Catalog) -> tuple[ListRow, ...]:
    """The sites that the list offers: those of the act; before one is chosen, those of the skin."""
    if description.procedure is not None:
        regions = catalog.regions_for(description.procedure)
    else:
        skin = next((known.regions for known in catalog.region_lists if known.name == "skin"), ())
        regions = tuple(region for region in catalog.regions if region.code.key in skin)
    return tuple(
        ListRow(region_id(region), tr(region.label)) for region in (regions or catalog.regions)
    )


def region_id(region: Region) -> str:
    """SCHEME:CODE."""
    return ":".join(region.code.key)


def _row(entry: ProcedureEntry, key: str, device: DeviceInfo | None) -> ListRow:
    note = words.kind_note(device, entry)
    return ListRow(entry.entry_id, tr(entry.display_name), key, note, usable=not note)


def _thumb(shot: Shot, known: Known) -> Thumb:
    if not shot.is_draft:
        badge = words.state_badge(shot.state)
    else:
        missing = words.missing_of(shot.description)
        badge = words.draft_badge(missing, blurred=shot.blurred, stopped=known.stopped)
    return Thumb(
        capture_id=shot.capture_id,
        number=shot.number,
        badge=badge,
        site=words.thumb_words(shot.description),
        selected=shot.capture_id in known.selected,
        is_draft=shot.is_draft,
    )


def _message(known: Known, parts: Sequence[MissingPart]) -> Message | None:
    if known.message is not None or not parts:
        return known.message
    wanting = [shot for shot in known.drafts if words.missing_of(shot.description)]
    midline = any(Side.MIDLINE in sides_of(shot.description) for shot in wanting)
    return words.stop_message(len(wanting), parts, midline=midline)
