"""How dates, ages, record numbers and states are written for people: one way, everywhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from capture_app.model.delivery import ImageState
from capture_app.model.device import DeviceInfo
from capture_app.model.encounter import Location
from capture_app.model.order import Order
from capture_app.model.patient import Patient, PatientId, PersonName, Sex
from capture_app.model.procedure import Description, ImageKind, Side, Turn
from capture_app.model.words import isolated, tr, trn

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date | None) -> str:
    """14-Jul-1956: the month in letters, so that no country reads it wrongly. Isolated."""
    if value is None:
        return tr("not known")
    return isolated(f"{value.day:02d}-{_month(value)}-{value.year:04d}")


def born(patient: Patient) -> str:
    """14-Jul-1956; what is known of it where the feed gave it in part; else: not known."""
    partial = patient.partial_birth_date
    return isolated(str(partial)) if partial is not None else day(patient.birth_date)


def born_without_year(patient: Patient) -> str:
    """The same with its year hidden."""
    if patient.partial_birth_date is not None:
        return isolated("····")
    return day_without_year(patient.birth_date)


def shown_name(name: PersonName) -> str:
    """NGUYEN, Mai Thi; or that the feed gave none."""
    return name.shown or tr("Name not given")


def day_without_year(value: date | None) -> str:
    """The same with its year hidden, for a row whose year of birth is being asked."""
    if value is None:
        return tr("not known")
    return isolated(f"{value.day:02d}-{_month(value)}-····")


def _month(value: date) -> str:
    """The month, isolated too: after an Arabic one the year would else join it and change place."""
    return own_direction(tr(_MONTHS[value.month - 1]))


def longest_day() -> str:
    """The widest date of birth there can be, for the width of its column."""
    month = max((tr(month) for month in _MONTHS), key=len)
    return f"28-{month}-2888"


def own_direction(text: str) -> str:
    """Text of whatever script in isolates: a name keeps its comma and its full stop where it is."""
    return f"\u2068{text}\u2069"


def clock_time(value: datetime, *, seconds: bool = False) -> str:
    """14:02, in the zone that the value has. Isolated."""
    return isolated(value.strftime("%H:%M:%S" if seconds else "%H:%M"))


def clip_length(seconds: float) -> str:
    """0:07: how long a clip is, or is by now. Isolated."""
    minutes, rest = divmod(int(seconds), 60)
    return isolated(f"{minutes}:{rest:02}")


def moment(value: datetime, now: datetime) -> str:
    """Today 13:58, 12-Oct, or 12-Oct-2025: the shortest form that is still exact."""
    local = value.astimezone(now.tzinfo)
    if local.date() == now.date():
        return tr("Today {time}", time=clock_time(local))
    return _day_of(local, now)


def moment_inside(value: datetime, now: datetime) -> str:
    """The same inside a sentence: today 13:58."""
    local = value.astimezone(now.tzinfo)
    if local.date() == now.date():
        return tr("today {time}", time=clock_time(local))
    return _day_of(local, now)


def _day_of(local: datetime, now: datetime) -> str:
    if local.year == now.year:
        return isolated(f"{local.day:02d}-{_month(local.date())}")
    return day(local.date())


def age(patient: Patient, on: date) -> str:
    """70 y; for a child under two 14 mo, under two months 12 d. Empty where not known."""
    years = patient.age_years(on)
    if years is None or patient.birth_date is None:
        return ""
    if years >= 2:
        return isolated(tr("{n} y", n=years))
    days = (on - patient.birth_date).days
    if days < 61:
        return isolated(tr("{n} d", n=max(0, days)))
    born = patient.birth_date
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    return isolated(tr("{n} mo", n=months))


def span(length: timedelta) -> str:
    """40 s, 11 min, 1 h 12 min, 3 days: how long something took or how old it is."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return isolated(tr("{n} s", n=seconds))
    minutes = seconds // 60
    if minutes < 60:
        return isolated(tr("{n} min", n=minutes))
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return isolated(tr("{h} h {m} min", h=hours, m=rest) if rest else tr("{h} h", h=hours))
    return isolated(trn("{n} day", "{n} days", hours // 24))


def countdown(seconds: float) -> str:
    """1:30: what is left of a wait. Isolated."""
    whole = max(0, round(seconds))
    return isolated(f"{whole // 60}:{whole % 60:02d}")


def sex(value: Sex) -> str:
    """The word for a sex."""
    return {
        Sex.MALE: tr("Male"),
        Sex.FEMALE: tr("Female"),
        Sex.OTHER: tr("Other"),
        Sex.UNKNOWN: tr("not known"),
    }[value]


def order_number(order: Order) -> str:
    """By what people call an order: its accession number, else its other numbers. Isolated."""
    number = (
        order.accession_number or order.requested_procedure_id or order.scheduled_procedure_step_id
    )
    return isolated(number) if number else ""


def order_what(order: Order) -> str:
    """What an order asks for, in the words of the hospital; empty where it says nothing."""
    code = order.requested_procedure_code
    return (
        order.scheduled_procedure_step_description
        or order.requested_procedure_description
        or (code.meaning if code else "")
    )


def order(order: Order) -> str:
    """A-2026-0417, Wound photograph: the number and what it asks for."""
    parts = (order_number(order), own_direction(order_what(order)) if order_what(order) else "")
    return ", ".join(part for part in parts if part) or tr("Order")


def record_number(patient_id: PatientId) -> str:
    """0012 345 678: a long number in groups from its end, anything else as it is. Isolated.

    The spaces are thin, no-break and for the eye only; what is copied or sent is the value itself.
    """
    value = patient_id.value
    if not value.isascii() or not value.isdigit() or len(value) < 7:
        return isolated(value)
    head, tail = value[:-6], value[-6:]
    groups = [head, tail[:3], tail[3:]] if head else [tail[:3], tail[3:]]
    return isolated("\u00a0".join(groups))


def record_number_without_end(patient_id: PatientId, hidden: int) -> str:
    """The number with so many of its last characters hidden; whole where none are. Isolated."""
    if not hidden:
        return record_number(patient_id)
    return isolated(patient_id.value[:-hidden] + "····")


def last_digits(patient_id: PatientId) -> str:
    """...678: enough to tell two look-alikes apart at a glance. Isolated."""
    return isolated(f"...{patient_id.value[-3:]}")


def record_label(patient_id: PatientId) -> str:
    """MRN St Anne: what the number is, with who issued it."""
    kind = {"": "MRN", "MR": "MRN", "PI": "MRN"}.get(patient_id.type_code, patient_id.type_code)
    issuer = patient_id.issuer.replace("_", " ")
    return f"{tr(kind)} {isolated(issuer)}" if issuer else tr(kind)


def native(name: PersonName) -> str:
    """The name in its own script, where that is a second one: given name first, as most write it.

    Han, kana and hangul are written family name first, without a space.
    """
    group = name.ideographic
    if not str(name.alphabetic) or not (group.family or group.given):
        return ""
    if any("\u2e80" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in group.family):
        return group.family + group.given
    return " ".join(part for part in (group.given, group.middle, group.family) if part)


def family(name: PersonName) -> str:
    """The family name in capitals, as the Send button bears it."""
    group = name.alphabetic if str(name.alphabetic) else name.ideographic
    return (group.family or group.given).upper() or tr("Name not given")


def place(location: Location | None) -> str:
    """4B, bed 12. Isolated; empty where the feed gave no place."""
    if location is None:
        return ""
    parts = [location.ward]
    if location.room and location.room != location.bed:
        parts.append(location.room)
    if location.bed:
        parts.append(tr("bed {bed}", bed=location.bed))
    shown = ", ".join(part for part in parts if part)
    return isolated(shown) if shown else ""


def site(description: Description) -> str:
    """Left lower leg, Sacrum (midline): site and side as a person says them; empty where none."""
    region = description.region
    if region is None:
        return ""
    name = tr(region.label)
    match description.side:
        case Side.RIGHT:
            return tr("Right {site}", site=_lower(name))
        case Side.LEFT:
            return tr("Left {site}", site=_lower(name))
        case Side.BOTH:
            return tr("{site}, both sides", site=name)
        case Side.MIDLINE:
            return tr("{site}, midline", site=name)
        case None:
            return name


def of_scanner(device: DeviceInfo) -> str:
    """Ultrasound from us-4b: an image whose procedure and site are its scanner's to say."""
    if device.image_kind is ImageKind.ULTRASOUND:
        return tr("Ultrasound from {name}", name=isolated(device.name))
    return tr("Image from {name}", name=isolated(device.name))


def turn_words(turn: Turn) -> str:
    """Turned right; empty where it is not turned."""
    return {
        Turn.NONE: "",
        Turn.RIGHT: tr("Turned right"),
        Turn.HALF: tr("Turned upside down"),
        Turn.LEFT: tr("Turned left"),
    }[turn]


def _lower(name: str) -> str:
    """Lower leg becomes lower leg after a word; TMJ and Achilles tendon keep their capitals."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


_STATE_WORDS = {
    ImageState.DRAFT: "Draft",
    ImageState.HELD: "Held",
    ImageState.QUEUED: "Queued",
    ImageState.SENDING: "Sending",
    ImageState.SENT: "Sent",
    ImageState.LISTED: "Listed",
    ImageState.CONFIRMED: "Confirmed",
    ImageState.PURGED: "Confirmed",
    ImageState.NEEDS_YOU: "Needs you",
    ImageState.IT_ASKED: "IT is asked",
}


def state_words(state: ImageState) -> str:
    """The word for a state, the same everywhere."""
    return tr(_STATE_WORDS[state])
