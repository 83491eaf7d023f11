"""The workspace as a page shows it, made from what its view-model knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from capture_app.catalog.catalog import Catalog
from capture_app.exam.describing import Coding, DescriptionPart, common, sides_of
from capture_app.exam.orders import StationIdentity, offered
from capture_app.exam.rules import MissingPart
from capture_app.exam.second_identifier import Question
from capture_app.exam.standing import Standing
from capture_app.model.clip import ClipLength
from capture_app.model.delivery import ImageState
from capture_app.model.device import DeviceInfo
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ProcedureEntry, Region, Side
from capture_app.model.words import tr
from capture_app.outbox.keeping.drafts import may_delete, not_yours
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Message, Tone
from capture_app.ui.words.order_words import order_shown
from capture_app.ui.words.shown import ListRow, OrderShown, Selection, Thumb, ThumbGroup
from capture_app.ui.workspace import words
from capture_app.ui.workspace.whose_words import BannerState, Identified, banner_of

_MOST_FOUND = 40


class SendStop(StrEnum):
    """Why Send did not send."""

    MISSING = "missing"
    """Something must still be chosen."""
    DIFFERS = "differs"
    """The panels say otherwise than the newest pictures: which of the two holds?"""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of this patient. It has no capture id until it is safe on the disk."""

    capture_id: str
    number: int
    coding: Coding
    kept: Description = Description()  # noqa: RUF009 - frozen
    """What the store says of it, as far as this window knows: what its acts have seen."""
    state: ImageState = ImageState.DRAFT
    blurred: bool = False
    clip: ClipLength | None = None
    """How much of a clip there is; None for a picture."""
    exam_id: str = ""
    """The exam it was taken in; empty until it was read from the disk."""
    kept_at: datetime | None = None
    """As the store has it; None until it was read there: then it has just been taken."""
    taken_by: str = ""
    """The user id of who took it; empty until it was read there, or where it is no draft."""

    @property
    def description(self) -> Description:
        """What it is said to show: shown on its thumbnail, and sealed."""
        return self.coding.description

    @property
    def is_draft(self) -> bool:
        """Whether it is safe and not sent: it may be described, deleted and sent."""
        return bool(self.capture_id) and self.state is ImageState.DRAFT


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that the page is made from."""

    exam: Exam
    standing: Standing
    """What the feed says now of its patient and visit: what is shown, and sent."""
    identified: Identified
    today: date
    """For the patient's age."""
    panels: Coding
    """What the next picture gets."""
    prefilled: Description
    """What an order filled in."""
    ours: StationIdentity
    """By what an order shows that it is for this station."""
    touched: frozenset[DescriptionPart] = frozenset()
    """What of the panels a person changed since the last picture, for no picture in particular."""
    shots: tuple[Shot, ...] = ()
    selected: frozenset[str] = frozenset()
    filter_text: str = ""
    stop: SendStop | None = None
    message: Message | None = None
    message_number: int = 0
    hint: str = ""
    """What was wrong with the last touch; instead of the usual line under the sides."""
    sending: frozenset[str] = frozenset()
    """The pictures of a Send that is under way: nobody may change them any more."""
    device: DeviceInfo | None = None
    orders: tuple[Order, ...] = ()
    """What the list shows for this patient and visit."""
    ordering: bool = False
    """Another order was chosen, and the exam is being begun anew."""
    due: bool = False
    """Idle or locked since: the patient is asked for again at Send."""
    asked: Question | None = None
    """What is asked of the patient right now: what would answer it is hidden."""
    changed_at: datetime | None = None
    """When the feed worded the patient anew."""
    picks_place: bool = False
    """Whether the place may be picked."""
    picked: Location | None = None
    """Where the next pictures are taken; None: where the visit says."""

    @property
    def choice(self) -> Description:
        """What the panels show: what the selected drafts share, else what the next picture gets."""
        if self.chosen:
            return common(tuple(shot.description for shot in self.chosen))
        return self.panels.description

    @property
    def proposes_site(self) -> bool:
        """Whether the panels show a site that nobody chose."""
        if self.chosen:
            return all(shot.coding.proposes_site for shot in self.chosen)
        return self.panels.proposes_site

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
        said = self.panels.chosen == Description() != self.prefilled
        return said and not self.chosen

    @property
    def drafts(self) -> tuple[Shot, ...]:
        """What may be sent, in the order in which it was taken."""
        return tuple(s for s in self.shots if s.is_draft and s.capture_id not in self.sending)

    @property
    def chosen(self) -> tuple[Shot, ...]:
        """The drafts that a person selected."""
        return tuple(shot for shot in self.drafts if shot.capture_id in self.selected)

    @property
    def is_selection_lost(self) -> bool:
        """Whether nothing of what a person selected is a draft any more: no other is meant."""
        left = {shot.capture_id for shot in self.drafts}.union(self.sending)
        return bool(self.selected) and left.isdisjoint(self.selected)

    @property
    def to_delete(self) -> tuple[Shot, ...]:
        """What Delete would take: the selected drafts, else the newest."""
        return self.chosen or self.drafts[-1:]

    @property
    def may_delete(self) -> bool:
        """Whether all of that may be deleted by who is signed in: by who took it, else by role."""
        operator = self.exam.operator
        return all(may_delete(operator, s.taken_by or operator.user_id) for s in self.to_delete)

    @property
    def open_parts(self) -> frozenset[DescriptionPart]:
        """In what the panels differ from the newest draft, by a choice made since the last picture.

        Empty while they agree. A part that the panels leave open is no difference.
        """
        if not self.drafts:
            return frozenset()
        said, newest = self.panels.description, self.drafts[-1].description
        touched = self.touched
        if DescriptionPart.PROCEDURE in touched and self.drafts[-1].coding.proposes_site:
            touched |= {
                DescriptionPart.REGION,
                DescriptionPart.SIDE,
            }  # the usual site came with the act, not by a touch
        return frozenset(
            part
            for part in touched
            if getattr(said, part.value) not in (None, getattr(newest, part.value))
        )

    @property
    def staying(self) -> tuple[Shot, ...]:
        """The newest draft and those that are said to show the same, where the panels were changed
        since and differ: they keep what they say. Drafts of other sites are no matter of theirs.
        """
        if not (parts := self.open_parts):
            return ()
        newest = self.drafts[-1].description
        same = parts | {DescriptionPart.PROCEDURE, DescriptionPart.REGION, DescriptionPart.SIDE}

        def is_alike(said: Description) -> bool:
            return all(getattr(said, part.value) == getattr(newest, part.value) for part in same)

        return tuple(shot for shot in self.drafts if is_alike(shot.description))


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """What the page shows."""

    banner: BannerState
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
    site_proposed: bool = False
    """The panels show the usual site of the act: nobody chose it."""
    hint: str = ""
    hint_tone: Tone = Tone.TEXT_2
    choices: Mapping[str, tuple[ListRow, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    next_picture: ChipText = field(default_factory=lambda: ChipText("", ""))
    thumbs: tuple[Thumb, ...] = ()
    sendable: int = 0
    deletable: int = 0
    delete_refusal: str = ""
    """Why what Delete would take may not be deleted; empty where it may."""
    family: str = ""
    digits: str = ""
    keeping: str = ""
    """What becomes of the pictures that Send would take, in a word."""
    groups: tuple[ThumbGroup, ...] = ()
    """All pictures, by what they are said to show."""
    order: OrderShown | None = None
    message: Message | None = None
    message_number: int = 0
    """Rises with every message, so that the same words can be said again."""


def in_order(shots: Iterable[Shot]) -> tuple[Shot, ...]:
    """As they were taken: those of earlier exams first, whenever they were read."""
    latest = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(shots, key=lambda shot: (shot.kept_at or latest, shot.number)))


def missing_parts(known: Known) -> tuple[MissingPart, ...]:
    """What holds up sending, over all drafts, in the order in which a person chooses."""
    missing = {p for shot in known.drafts for p in words.missing_of(shot.description)}
    return tuple(part for part in MissingPart if part in missing)


def state_of(
    known: Known, catalog: Catalog, favourites: Sequence[ProcedureEntry]
) -> WorkspaceState:
    """The page."""
    choice = known.choice
    stopped = known.stop is SendStop.MISSING
    parts = missing_parts(known) if stopped else ()
    procedure_needed, site_needed = words.needed_words(parts)
    hint, tone = words.side_hint(choice, stopped=stopped)
    complete = choice.region is not None and (choice.side is not None or not sides_of(choice))
    patient = known.standing.patient
    hidden = known.asked is not None and known.asked.last > 0
    rows = procedure_rows(known, catalog, favourites)
    thumbs = tuple((shot, _thumb(shot, known)) for shot in known.shots if shot.capture_id)
    return WorkspaceState(
        banner=banner_of(
            known.exam,
            known.standing,
            known.identified,
            known.today,
            due=known.due,
            asked=known.asked,
            changed_at=known.changed_at,
            picked=known.picked,
            picks_place=known.picks_place,
        ),
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
            part.value: tuple(ListRow(c.choice_id, tr(c.label)) for c in offered_choices)
            for part, offered_choices in (
                (DescriptionPart.PURPOSE, catalog.purposes),
                (DescriptionPart.KEEP, catalog.keeps),
                (DescriptionPart.CONSENT, catalog.consents),
            )
        },
        values={
            part.value: chosen.choice_id if chosen else ""
            for part, chosen in (
                (DescriptionPart.PURPOSE, choice.purpose),
                (DescriptionPart.KEEP, choice.keep),
                (DescriptionPart.CONSENT, choice.consent),
            )
        },
        from_order=known.is_prefilled,
        site_proposed=known.proposes_site and not known.is_prefilled,
        next_picture=_next(known),
        thumbs=tuple(thumb for _, thumb in thumbs),
        groups=_groups(thumbs),
        sendable=0 if known.sending else len(known.drafts),
        deletable=len(known.to_delete) if known.may_delete else 0,
        delete_refusal="" if known.may_delete else str(not_yours()),
        keeping=words.keeping_words([shot.description for shot in known.drafts]),
        family=wording.family(patient.name),
        digits=wording.last_digits(patient.patient_id) if not hidden else "",
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
    """The sites that the list offers: those of the act; before one is chosen, those that are seen
    from outside.
    """
    if description.procedure is not None:
        regions = catalog.regions_for(description.procedure)
    else:
        seen = {
            key
            for known in catalog.region_lists
            if known.name == "outside"
            for key in known.regions
        }
        regions = tuple(region for region in catalog.regions if region.code.key in seen)
    return tuple(
        ListRow(region_id(region), tr(region.label), also=catalog.words_of(region))
        for region in (regions or catalog.regions)
    )


def region_id(region: Region) -> str:
    """SCHEME:CODE."""
    return ":".join(region.code.key)


def _row(entry: ProcedureEntry, key: str, device: DeviceInfo | None) -> ListRow:
    note = words.kind_note(device, entry)
    return ListRow(entry.entry_id, tr(entry.display_name), key, note, usable=not note)


def _next(known: Known) -> ChipText:
    staying = known.staying
    if staying and not known.chosen:
        said = known.panels.description
        return words.kept_words(said, staying[0].description, len(staying), known.open_parts)
    return words.next_words(
        known.choice, from_order=known.is_prefilled, proposed=known.proposes_site
    )


def _thumb(shot: Shot, known: Known) -> Thumb:
    if not shot.is_draft:
        badge = words.state_badge(shot.state)
    else:
        missing = words.missing_of(shot.description)
        stopped = known.stop is SendStop.MISSING
        badge = words.draft_badge(missing, blurred=shot.blurred, stopped=stopped)
    procedure = shot.description.procedure
    return Thumb(
        capture_id=shot.capture_id,
        number=shot.number,
        badge=badge,
        site=words.thumb_words(shot.description),
        procedure=tr(procedure.display_name) if procedure else tr("No procedure"),
        side=words.side_mark(shot.description),
        selected=shot.capture_id in known.selected,
        is_draft=shot.is_draft,
        turn=shot.description.turn,
        clip="" if shot.clip is None else wording.clip_length(shot.clip.seconds),
        is_partial=shot.clip is not None and shot.clip.is_partial,
    )


def _groups(thumbs: Sequence[tuple[Shot, Thumb]]) -> tuple[ThumbGroup, ...]:
    """By procedure, site and side, in the order of the first picture of each."""
    found: dict[tuple[str, str], list[Thumb]] = {}
    for shot, thumb in thumbs:
        site = wording.site(shot.description) or tr("No site")
        found.setdefault((thumb.procedure, site), []).append(thumb)
    return tuple(ThumbGroup(f"{act}, {site}", tuple(of)) for (act, site), of in found.items())


def _message(known: Known, parts: Sequence[MissingPart]) -> Message | None:
    if known.message is not None:
        return known.message
    if known.stop is SendStop.DIFFERS and known.staying:
        said, parts_open = known.panels.description, known.open_parts
        return words.differs_message(
            said, known.staying[0].description, len(known.staying), parts_open
        )
    if not parts:
        return None
    wanting = [shot for shot in known.drafts if words.missing_of(shot.description)]
    midline = any(Side.MIDLINE in sides_of(shot.description) for shot in wanting)
    n = len(known.chosen) or len(wanting)
    return words.stop_message(len(wanting), parts, goes_to=n, midline=midline)
