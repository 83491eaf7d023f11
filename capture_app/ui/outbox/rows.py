"""The rows of the outbox: the images of one send that stand alike, and what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from capture_app.errors import CaptureAppError
from capture_app.model.delivery import AtArchive, ImageState, ImageStatus, ProofKind
from capture_app.model.patient import Patient
from capture_app.model.reason import FILE_SET_APART, ORDER_DOUBTED, Reason
from capture_app.model.words import isolated, tr, trn
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving.filed import scanner_of
from capture_app.outbox.recovery.set_apart import FileSetApart
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Tone


class Section(StrEnum):
    """The parts of the page."""

    NEEDS_YOU = "needs-you"
    IT_ASKED = "it-asked"
    WAITING = "waiting"
    CONFIRMED = "confirmed"


class OutboxAct(StrEnum):
    """What a person can do for a row."""

    TRY_NOW = "try-now"
    ASK_NOW = "ask-now"
    SEND_AGAIN = "send-again"
    SEND_WITHOUT_ORDER = "send-without-order"
    HOLD = "hold"
    RELEASE = "release"
    BACK_TO_DRAFT = "back-to-draft"
    SHOW_PROOF = "show-proof"


@dataclass(frozen=True, slots=True)
class Sent:
    """The images of one send that are in one section. `key` is the same at each reading."""

    key: str
    patient: Patient | None
    """As sent. None where no row that says it can be read: then nobody is named."""
    site: str
    images: tuple[ImageStatus, ...]
    archives: Mapping[str, tuple[AtArchive, ...]]
    """How each image stands at each of its archives, by SOP Instance UID."""

    @property
    def counts_down(self) -> bool:
        """Whether its words hold a time that runs."""
        return any(image.due_at for image in self.images)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row, in words."""

    key: str
    section: Section
    capture_id: str
    """Whose picture stands for the row; empty where nobody's does."""
    states: tuple[tuple[str, ImageState], ...]
    """Its images by SOP Instance UID, each as it is said to stand."""
    recallable: tuple[str, ...]
    """Those of them that can be drafts again."""
    name: str
    digits: str
    what: str
    icon: str
    tone: Tone
    state: str
    sentence: str
    when: str
    acts: tuple[OutboxAct, ...]
    share: float | None = None
    """How much of it is delivered, for the thin bar; None for no bar."""

    @property
    def sop_instance_uids(self) -> tuple[str, ...]:
        """Of its images."""
        return tuple(uid for uid, _ in self.states)


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One image of a proof or of the details."""

    number: str
    state: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProofReport:
    """What is known of a send, image by image: what was said by whom and when, nothing more."""

    key: str
    title: str
    summary: str
    images: tuple[ProofLine, ...]


def section_of(state: ImageState) -> Section:
    """Where an image is listed."""
    if state is ImageState.NEEDS_YOU:
        return Section.NEEDS_YOU
    if state is ImageState.IT_ASKED:
        return Section.IT_ASKED
    if state in (ImageState.CONFIRMED, ImageState.PURGED):
        return Section.CONFIRMED
    return Section.WAITING


def group_sends(outbox: Outbox, statuses: Iterable[ImageStatus]) -> tuple[Sent, ...]:
    """Groups what was sent together and stands alike; needs you first, newest first in each.

    What is held stands apart from what goes, and what was stopped by another reason too.
    """
    groups: dict[tuple[Section, str, str, str], list[ImageStatus]] = {}
    for status in statuses:
        key = (section_of(status.state), status.exam_id, status.send_id, _apart(status))
        groups.setdefault(key, []).append(status)
    exams = outbox.readable_exams({exam_id for _, exam_id, _, _ in groups})
    patients = outbox.sent_patients(images[0].sop_instance_uid for images in groups.values())
    listed = [image.sop_instance_uid for images in groups.values() for image in images]
    archives = outbox.at_archives(listed)
    sends = []
    for key, images in groups.items():
        ordered = tuple(sorted(images, key=lambda image: (image.kept_at, image.capture_id)))
        site = _site_of(outbox, ordered[0])
        exam = exams.get(key[1])
        patient = patients.get(images[0].sop_instance_uid) or (exam.patient if exam else None)
        sends.append(Sent("|".join(key), patient, site, ordered, archives))
    order = tuple(Section)
    return tuple(
        sorted(
            sends,
            key=lambda sent: (
                order.index(section_of(sent.images[0].state)),
                -max(image.changed_at for image in sent.images).timestamp(),
                sent.key,
            ),
        )
    )


def _apart(status: ImageStatus) -> str:
    if status.state is ImageState.HELD:
        return "held-by-person" if status.held_by_person else "held"
    is_stopped = status.state in (ImageState.NEEDS_YOU, ImageState.IT_ASKED)
    return status.reason.code if is_stopped and status.reason else ""


def _site_of(outbox: Outbox, image: ImageStatus) -> str:
    try:
        description = outbox.description_of(image.capture_id)
        if description.procedure is None:
            scanner = scanner_of(outbox.spool, image.sop_instance_uid)
            if scanner is not None:
                return wording.of_scanner(scanner)
        return wording.site(description)
    except CaptureAppError:
        return ""  # its file or row is damaged: the row says so in its own words


def _name_of(sent: Sent) -> str:
    if sent.patient is None:
        return tr("The patient cannot be read")
    return wording.shown_name(sent.patient.name)


def row_of(sent: Sent, now: datetime) -> OutboxRow:
    """A row, as of now."""
    section = section_of(sent.images[0].state)
    said = {
        Section.NEEDS_YOU: _needs_you,
        Section.IT_ASKED: _it_asked,
        Section.WAITING: _waiting,
        Section.CONFIRMED: _confirmed,
    }[section](sent, now)
    recallable = tuple(image.sop_instance_uid for image in sent.images if image.can_be_recalled)
    n = trn("{n} picture", "{n} pictures", len(sent.images))
    return OutboxRow(
        key=sent.key,
        section=section,
        capture_id=sent.images[0].capture_id,
        states=tuple((image.sop_instance_uid, image.state) for image in sent.images),
        recallable=recallable,
        name=_name_of(sent),
        digits=wording.last_digits(sent.patient.patient_id) if sent.patient else "",
        what=f"{sent.site}, {n}" if sent.site else n,
        icon=said.icon,
        tone=said.tone,
        state=said.state,
        sentence=said.sentence,
        when=said.when,
        acts=(*said.acts, OutboxAct.BACK_TO_DRAFT) if recallable else said.acts,
        share=said.share,
    )


def row_of_file(file: FileSetApart, now: datetime) -> OutboxRow:
    """A file of which nobody knows whose picture it is: IT is asked."""
    reason = Reason(FILE_SET_APART)
    local = file.found_at.astimezone(now.tzinfo)
    at = wording.clock_time(local)
    return OutboxRow(
        key=_key_of_file(file),
        section=Section.IT_ASKED,
        capture_id="",
        states=(),
        recallable=(),
        name=tr("A file without a patient"),
        digits="",
        what=isolated(file.path.name),
        icon="warning",
        tone=Tone.WARN,
        state=reason.headline,
        sentence=tr("Found {time}.", time=f"{wording.day(local.date())} {at}"),
        when=tr("Code {code}", code=isolated(reason.code)),
        acts=(OutboxAct.SHOW_PROOF,),
    )


def report_of_file(file: FileSetApart) -> ProofReport:
    """What is known of such a file, and what to do."""
    reason = Reason(FILE_SET_APART)
    where = (
        tr("File {name}", name=isolated(file.path.name)),
        tr("Folder {path}", path=isolated(str(file.path.parent))),
    )
    line = ProofLine(tr("File"), tr("Set apart"), where)
    return ProofReport(_key_of_file(file), tr("Details"), str(reason), (line,))


def _key_of_file(file: FileSetApart) -> str:
    return f"file|{file.path.parent.name}|{file.path.name}"


@dataclass(frozen=True, slots=True)
class _Said:
    icon: str
    tone: Tone
    state: str
    sentence: str
    when: str
    acts: tuple[OutboxAct, ...]
    share: float | None = None


def _needs_you(sent: Sent, _now: datetime) -> _Said:
    reason = _reason(sent)
    return _Said(
        "warning-circle",
        Tone.BAD,
        reason.headline,
        reason.advice,
        tr("Waits for you"),
        (OutboxAct.SHOW_PROOF, _way_out(reason)),
    )


def _way_out(reason: Reason) -> OutboxAct:
    """Under an order that may be another patient's nothing is sent, whoever wants it."""
    is_doubted = reason.code == ORDER_DOUBTED
    return OutboxAct.SEND_WITHOUT_ORDER if is_doubted else OutboxAct.SEND_AGAIN


def _it_asked(sent: Sent, _now: datetime) -> _Said:
    reason = _reason(sent)
    return _Said(
        "warning",
        Tone.WARN,
        reason.headline,
        reason.advice,
        tr("Code {code}", code=isolated(reason.code)) if reason.code else "",
        (OutboxAct.SHOW_PROOF, OutboxAct.SEND_AGAIN),
    )


def _reason(sent: Sent) -> Reason:
    """Why it stopped; the images of a row have the same code."""
    return next((image.reason for image in sent.images if image.reason), Reason(""))


def _waiting(sent: Sent, now: datetime) -> _Said:
    states = Counter(image.state for image in sent.images)
    total = len(sent.images)
    delivered = states[ImageState.SENT] + states[ImageState.LISTED]
    if states[ImageState.SENDING] or (delivered and states[ImageState.QUEUED]):
        words = tr("{n} of {total} delivered.", n=delivered, total=total)
        share = delivered / total
        return _Said("arrow-up", Tone.ACCENT, tr("Sending"), words, "", (OutboxAct.HOLD,), share)
    if states[ImageState.QUEUED]:
        return _queued(sent, now)
    if states[ImageState.HELD]:
        return _held(sent, now)
    wait = _due_in(sent, now)
    asks = tr("Asks again in {time}", time=wait) if wait else ""
    if states[ImageState.SENT]:
        return _Said(
            "check",
            Tone.TEXT_2,
            tr("Sent {time}.", time=_changed(sent, now)),
            _error(sent) or tr("The archive's proof is still due."),
            asks,
            (OutboxAct.ASK_NOW,),
        )
    return _Said(
        "eye",
        Tone.TEXT_2,
        tr("Listed {time}.", time=_changed(sent, now)),
        tr("The archive shows it. Its promise to keep it is still due."),
        asks,
        (OutboxAct.ASK_NOW,),
    )


def _queued(sent: Sent, now: datetime) -> _Said:
    error = _error(sent)
    wait = _due_in(sent, now)
    if not error:
        return _Said("clock", Tone.TEXT_2, tr("Queued."), tr("Goes next."), "", (OutboxAct.HOLD,))
    when = tr("Tries in {time}", time=wait) if wait else tr("Tries now")
    acts = (OutboxAct.TRY_NOW, OutboxAct.HOLD)
    return _Said("clock", Tone.TEXT_2, tr("Queued."), error, when, acts)


def _held(sent: Sent, now: datetime) -> _Said:
    if any(image.held_by_person for image in sent.images):
        return _Said(
            "pause",
            Tone.TEXT_2,
            tr("Held."),
            tr("Kept back since {time}.", time=_changed(sent, now)),
            tr("Until you release it"),
            (OutboxAct.RELEASE,),
        )
    return _Said(
        "hourglass-medium",
        Tone.TEXT_2,
        tr("Held."),
        tr("A few seconds for second thoughts, then it goes by itself."),
        "",
        (OutboxAct.RELEASE, OutboxAct.HOLD),
    )


def _confirmed(sent: Sent, now: datetime) -> _Said:
    image = max(sent.images, key=lambda one: one.changed_at)
    local = image.changed_at.astimezone(now.tzinfo)
    return _Said(
        "check-circle",
        Tone.OK,
        tr("Confirmed {time}", time=wording.clock_time(local)),
        _proof_words(image),
        wording.clock_time(local, seconds=True),
        (OutboxAct.SHOW_PROOF,),
    )


def _proof_words(image: ImageStatus) -> str:
    archive = isolated(image.destination) if image.destination else tr("the archive")
    match image.proof:
        case ProofKind.PIXEL_HASH:
            return tr("Pixels read back from {archive} and found equal", archive=archive)
        case ProofKind.STORAGE_COMMITMENT:
            return tr("Storage commitment from {archive}", archive=archive)
        case ProofKind.LISTED:
            return tr("Listed by {archive}: no proof that it is kept", archive=archive)
        case None:
            return tr("The kind of proof was not recorded.")


def _error(sent: Sent) -> str:
    return next((image.last_error for image in sent.images if image.last_error), "")


def _due_in(sent: Sent, now: datetime) -> str:
    """When the next of them is due, as a countdown; empty where it is due or not known."""
    due = [image.due_at for image in sent.images if image.due_at is not None]
    if not due:
        return ""
    left = (min(due) - now).total_seconds()
    return wording.countdown(left) if left >= 0.5 else ""


def _changed(sent: Sent, now: datetime) -> str:
    newest = max(image.changed_at for image in sent.images)
    return wording.clock_time(newest.astimezone(now.tzinfo))


def proof_of(sent: Sent, now: datetime) -> ProofReport:
    """What is known of each image of a send."""
    section = section_of(sent.images[0].state)
    confirmed = section is Section.CONFIRMED
    summary = (
        tr("What the archive proved, picture by picture. Patient and study were compared too.")
        if confirmed
        else tr("What happened so far, picture by picture. Nothing is lost.")
    )
    return ProofReport(
        key=sent.key,
        title=tr("Proof of delivery") if confirmed else tr("Details"),
        summary=summary,
        images=tuple(_proof_line(i + 1, image, sent, now) for i, image in enumerate(sent.images)),
    )


def _proof_line(number: int, image: ImageStatus, sent: Sent, now: datetime) -> ProofLine:
    def at(moment: datetime) -> str:
        local = moment.astimezone(now.tzinfo)
        return f"{wording.day(local.date())} {wording.clock_time(local, seconds=True)}"

    lines = [tr("Taken {time}", time=at(image.kept_at))]
    if image.sealed_at is not None:
        lines.append(tr("Sealed {time}", time=at(image.sealed_at)))
    if image.proof is not None:
        lines.append(_proof_words(image))
    state = wording.state_words(image.state)
    lines.append(tr("{state} since {time}", state=state, time=at(image.changed_at)))
    if image.failures:
        lines.append(trn("Tried {n} time in vain", "Tried {n} times in vain", image.failures))
    if image.last_error:
        lines.append(image.last_error)
    archives = sent.archives.get(image.sop_instance_uid, ())
    if len(archives) > 1:
        lines += map(_archive_words, archives)
    lines.append(tr("SOP Instance UID {uid}", uid=isolated(image.sop_instance_uid)))
    return ProofLine(tr("Picture {n}", n=number), state, tuple(lines))


def _archive_words(at: AtArchive) -> str:
    """One archive of several, and how the image stands there."""
    state = wording.state_words(at.state) if at.state else tr("Retired: not sent there")
    said = tr("{archive}: {state}", archive=isolated(at.destination), state=state)
    return f"{said}. {at.reason}" if at.reason else f"{said}."
