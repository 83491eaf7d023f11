"""How acts of the trail and its state are said to people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from capture_app.audit.trail import AuditRow
from capture_app.audit.verify import ChainReport
from capture_app.model.audit_event import AuditAction, EventOutcome
from capture_app.model.words import isolated, tr, trn
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import ListRow


def act_words() -> Mapping[AuditAction, str]:
    """Every act in words."""
    return {
        AuditAction.APPLICATION_STARTED: tr("Capture started"),
        AuditAction.APPLICATION_STOPPED: tr("Capture stopped"),
        AuditAction.SIGNED_IN: tr("Signed in"),
        AuditAction.SIGN_IN_FAILED: tr("Sign-in failed"),
        AuditAction.LOCKED: tr("Locked"),
        AuditAction.SESSION_ENDED: tr("Session ended"),
        AuditAction.PATIENTS_LISTED: tr("Patients listed by command"),
        AuditAction.PATIENT_OPENED: tr("Patient opened"),
        AuditAction.ORDER_CHOSEN: tr("Order chosen"),
        AuditAction.ORDER_LEFT: tr("Gone on without an order in doubt"),
        AuditAction.IDENTITY_CHECKED: tr("Identity checked"),
        AuditAction.IDENTITY_CHECK_FAILED: tr("Identity check failed"),
        AuditAction.WORDING_FOLLOWED: tr("Name, birth date or sex followed the feed"),
        AuditAction.PLACE_PICKED: tr("Place picked"),
        AuditAction.CAPTURED: tr("Picture taken"),
        AuditAction.IMPORTED: tr("Picture imported"),
        AuditAction.SLATE_MADE: tr("Slate made"),
        AuditAction.FILE_REMOVED: tr("File removed from its card"),
        AuditAction.DESCRIBED: tr("Picture described"),
        AuditAction.DELETED: tr("Draft deleted"),
        AuditAction.RESTORED: tr("Draft brought back"),
        AuditAction.SEND_ASKED: tr("Send pressed"),
        AuditAction.SEND_UNDONE: tr("Send undone"),
        AuditAction.CALLED_BACK: tr("Taken back to draft"),
        AuditAction.STOPPED_BY_FEED: tr("Stopped by the feed"),
        AuditAction.TRANSFER_BEGUN: tr("Transfer begun"),
        AuditAction.TRANSFERRED: tr("Transferred"),
        AuditAction.CONFIRMED: tr("Confirmed by the archive"),
        AuditAction.PURGED: tr("Local copy removed"),
        AuditAction.STEP_GIVEN_AGAIN: tr("Lost step given again"),
        AuditAction.RETRY_ASKED: tr("Retry asked"),
        AuditAction.ARCHIVE_RETIRED: tr("Archive retired"),
        AuditAction.HELD_ASKED: tr("Held back"),
        AuditAction.RELEASED: tr("Released"),
        AuditAction.USER_ADDED: tr("User added"),
        AuditAction.USER_REMOVED: tr("User removed"),
        AuditAction.ROLES_SET: tr("Roles set"),
        AuditAction.PIN_RESET: tr("PIN reset"),
        AuditAction.PIN_CHANGED: tr("PIN changed"),
        AuditAction.USERS_SEALED: tr("Users taken over from an earlier version"),
        AuditAction.USERS_BEGUN_ANEW: tr("Users begun anew"),
        AuditAction.SCANNER_SET_UP: tr("Scanner set up"),
        AuditAction.MERGE_SETTLED: tr("Refused merge of the feed settled"),
        AuditAction.FEED_SENDER_HEARD: tr("Sender of the feed heard for the first time"),
        AuditAction.FEED_SENDER_TURNED_AWAY: tr("Sender of the feed turned away"),
        AuditAction.MERGE_SETTLED: tr("Refused merge of the feed settled by hand"),
        AuditAction.OBJECT_RECEIVED: tr("Image of a scanner received"),
        AuditAction.OBJECT_REFUSED: tr("Image of a scanner refused"),
        AuditAction.OBJECT_FILED: tr("Image of a scanner filed to a patient"),
        AuditAction.OBJECT_DISCARDED: tr("Image of a scanner discarded"),
        AuditAction.OBJECT_BROUGHT_BACK: tr("Image of a scanner brought back"),
        AuditAction.SCANNER_TURNED_AWAY: tr("Scanner turned away"),
        AuditAction.TRAIL_BROKEN: tr("Trail found broken"),
        AuditAction.TRAIL_BREAK_SEEN: tr("Break of the trail seen by an auditor"),
        AuditAction.TRAIL_READ: tr("Trail read"),
        AuditAction.TRAIL_EXPORTED: tr("Trail exported"),
        AuditAction.CLOCK_JUMPED: tr("Clock was set"),
    }


def detail_words() -> Mapping[str, str]:
    """What each coded fact of an act is of, in words."""
    return {
        "acts": tr("acts"),
        "added": tr("user"),
        "against": tr("differs in"),
        "archive": tr("archive"),
        "broken_rows": tr("rows that do not hold"),
        "by": tr("by"),
        "capture": tr("picture"),
        "certificate": tr("certificate"),
        "changed": tr("changed"),
        "clip": tr("clip"),
        "coding": tr("coding"),
        "coerced": tr("put right"),
        "consent": tr("consent"),
        "count": tr("number"),
        "dead-letter": tr("refused message"),
        "destination": tr("archive"),
        "device": tr("device"),
        "failures": tr("failures"),
        "feed": tr("feed"),
        "frame": tr("frame"),
        "handling": tr("what was done to its bytes"),
        "how": tr("how"),
        "identified-by": tr("identified by"),
        "images": tr("images"),
        "instead": tr("in its place"),
        "keep": tr("kept"),
        "kind": tr("kind"),
        "last_row": tr("last row that was found"),
        "left-out": tr("left out"),
        "noted_row": tr("row that was noted elsewhere"),
        "of-exam": tr("of exam"),
        "order": tr("order"),
        "peer": tr("address"),
        "photographer": tr("taken by"),
        "place": tr("place"),
        "procedure": tr("procedure"),
        "program": tr("program"),
        "proof": tr("proof"),
        "purpose": tr("purpose"),
        "reason": tr("reason"),
        "region": tr("region"),
        "roles": tr("roles"),
        "row": tr("row"),
        "seconds": tr("seconds"),
        "send": tr("Send"),
        "sender": tr("sender"),
        "service": tr("service account"),
        "shown": tr("wording as shown"),
        "side": tr("side"),
        "since": tr("from"),
        "status": tr("status"),
        "stayed": tr("images that stayed"),
        "turn": tr("turned"),
        "until": tr("until"),
        "user": tr("user"),
        "users": tr("users"),
        "version": tr("version"),
        "what": tr("what"),
        "which_rows": tr("rows that were not told before"),
    }


def row_of(row: AuditRow) -> ListRow:
    """One act as a row of the list: when, who, what, and its coded facts."""
    event = row.event
    said = act_words().get(event.action, event.action.value)
    if event.outcome is not EventOutcome.SUCCESS:
        said = tr("{act} (not good)", act=said)
    words = detail_words()
    facts = ", ".join(
        f"{words.get(name, name)}: {value}" for name, value in event.details.items() if value
    )
    when = isolated(_when(row.at))
    parts = (when, isolated(event.user_id), said, isolated(facts) if facts else "")
    return ListRow(
        row_id=str(row.seq),
        words="   ".join(filter(None, parts)),
        note=f"{row.seq}",
        also=f"{event.action.value} {said} {event.user_id}".casefold(),
    )


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def verdict(found: ChainReport) -> tuple[str, Tone]:
    """What the proof of the whole trail says, in a sentence."""
    if found.has_untold:
        return tr(
            "The trail is broken, first at row {row}. Tell IT and your security officer.",
            row=found.first_broken or found.rows,
        ), Tone.BAD
    open_breaks = [one for one in found.breaks if not one.is_seen]
    if open_breaks:
        return trn(
            "The trail was found broken once and nobody has looked into it: "
            "see Trail found broken.",
            "The trail was found broken {n} times and nobody has looked into it: "
            "see Trail found broken.",
            len(open_breaks),
        ), Tone.BAD
    if found.breaks:
        return tr("{n} rows hold. Breaks of before were looked into.", n=found.rows), Tone.WARN
    return tr("The trail is whole: {n} rows.", n=found.rows), Tone.OK
