"""Why a picture stands still: a stable code and its values. Worded when shown, never before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from capture_app.model.words import tr

# Codes that more than one place goes by.
NOT_IN_ARCHIVE: Final = "not-in-archive"
"""A proof that found nothing: the archive answered, and has no such instance.

The engine asks again a few times (an archive may index late) and then sends the same bytes again.
"""
IDENTITY_MISMATCH: Final = "identity-mismatch"
"""A proof that found the instance under another patient."""
STUDY_MISMATCH: Final = "study-mismatch"
"""A proof that found the instance in another study."""
CLASS_MISMATCH: Final = "class-mismatch"
"""A proof that found an instance of another SOP class under our SOP Instance UID."""
CONTENT_MISMATCH: Final = "content-mismatch"
"""A proof that found other pixels under our SOP Instance UID."""
SEAL_BROKEN: Final = "seal-broken"
"""A sealed file that fails its own check."""
FILE_MISSING: Final = "file-missing"
FILE_UNREADABLE: Final = "file-unreadable"
DESCRIPTION_UNREADABLE: Final = "description-unreadable"
ROW_UNREADABLE: Final = "row-unreadable"
FILE_SET_APART: Final = "file-set-apart"
"""A sealed file without a row that cannot be read: nobody knows whose it is."""
UNKNOWN_DESTINATION: Final = "unknown-destination"
UNEXPECTED: Final = "unexpected"
BROKEN_OFF: Final = frozenset({"timeout", "aborted", "protocol"})
"""The peer had the question and gave no answer that counts: it says something of what was asked
just then, and nothing of what was not asked yet.
"""
OF_ONE_PERHAPS: Final = BROKEN_OFF | {"forbidden", "redirected", "too-long"}
"""What may be about the very image that was under way, or about the peer: the next one tells."""
VISIT_CANCELLED: Final = "visit-cancelled"
VISIT_MOVED: Final = "visit-moved"
PATIENT_MERGED: Final = "patient-merged"
NUMBER_RETIRED: Final = "number-retired"
NUMBER_OF_TWO: Final = "number-of-two"
ORDER_DOUBTED: Final = "order-doubted"
UNANSWERABLE: Final = frozenset({ORDER_DOUBTED})
"""What the feed says against sending and nobody may send all the same: it would go to another
patient's study."""
IDENTITY_CHANGED: Final = "identity-changed"


class Asked(StrEnum):
    """Who can do something about it."""

    CLINICIAN = "clinician"
    IT = "it"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused, failed or waits. `str` is the whole of it in words."""

    code: str
    """A stable short word, such as "timeout" or "status-A700"; the archive's status is in it."""
    values: tuple[tuple[str, str], ...] = ()
    """What the words name, by name: an archive, a count. No patient data."""
    said: str = ""
    """A sentence as an older version stored it; shown as it stands."""

    @classmethod
    def of(cls, code: str, **values: object) -> Self:
        """The reason with that code and these values."""
        return cls(code, tuple((name, str(value)) for name, value in values.items()))

    @classmethod
    def from_text(cls, text: str, code: str = "") -> Self | None:
        """The reason that `to_text` wrote; None for an empty text.

        What is no such text is the sentence of an older version, with the code that was stored
        beside it.
        """
        if not text:
            return cls(code) if code else None
        try:
            stored = json.loads(text)
            return cls(str(stored.pop("code")), tuple((n, str(v)) for n, v in stored.items()))
        except (ValueError, AttributeError, TypeError, LookupError):
            return cls(code, said=text)

    def to_text(self) -> str:
        """As one JSON object: the code and the values."""
        return json.dumps({"code": self.code, **dict(self.values)}, ensure_ascii=False)

    @property
    def asked(self) -> Asked:
        """Who can do something about it."""
        return Asked.CLINICIAN if self.code in _FOR_A_CLINICIAN else Asked.IT

    @property
    def headline(self) -> str:
        """What is wrong, in one sentence."""
        return self.said or self._filled(0)

    @property
    def advice(self) -> str:
        """What follows from it, or what to do; empty where there is nothing to add."""
        return "" if self.said else self._filled(1)

    def __str__(self) -> str:
        return " ".join(part for part in (self.headline, self.advice) if part)

    def _filled(self, part: int) -> str:
        sentence = _sentences(self.code)[part]
        family = {"status": self.code.rpartition("-")[2]}
        try:
            return tr(sentence, **{**family, **dict(self.values)}) if sentence else ""
        except (LookupError, ValueError):  # stored without a value that the words have now
            return tr("The reason has the code {code}.", code=self.code) if part == 0 else ""


def _sentences(code: str) -> tuple[str, str]:
    """The words for a code: its own, else those of the longest beginning that has some."""
    for end in range(len(code), 0, -1):
        if code[:end] in _WORDS:
            return _WORDS[code[:end]]
    return _WORDS[""]


_FOR_A_CLINICIAN: Final = frozenset(
    {
        *(FILE_MISSING, SEAL_BROKEN, IDENTITY_MISMATCH, DESCRIPTION_UNREADABLE),
        *(VISIT_CANCELLED, VISIT_MOVED, PATIENT_MERGED, NUMBER_RETIRED, NUMBER_OF_TWO),
        *(ORDER_DOUBTED, IDENTITY_CHANGED),
    }
)

# Statuses are those of C-STORE (PS3.4 B.2.3, PS3.7 C); a family is found by its beginning.
_NO_ROOM: Final = "{name} has no room or no time for it now (status {status})."
_UNFINISHED: Final = "{name} could not finish it (status {status})."
_NOT_UNDERSTOOD: Final = "{name} does not understand the image (status {status})."
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "": ("The reason was not recorded.", ""),
    # the way there
    "refused": ("{name} does not listen.", "Nothing answers at its address."),
    "unknown-host": ("{name} cannot be found.", "Its host name has no address."),
    "unreachable": ("{name} cannot be reached over the network.", ""),
    "timeout": ("{name} did not answer in time.", ""),
    "aborted": ("{name} broke the connection off.", ""),
    "protocol": ("{name} answered with something that is not understood.", ""),
    "tls": ("{name} could not be reached safely.", "Its certificate or ours was not accepted."),
    "tls-expired": (
        "{name} could not be reached safely.",
        "Its certificate has expired: it needs a new one.",
    ),
    "tls-not-yet-valid": (
        "{name} could not be reached safely.",
        "Its certificate is not valid yet: look at the clocks of both computers.",
    ),
    "tls-wrong-host": (
        "{name} could not be reached safely.",
        "Its certificate is of another host name than the settings give.",
    ),
    "tls-unknown-authority": (
        "{name} could not be reached safely.",
        "Nobody whom this station trusts vouches for its certificate: see ca_file in the settings.",
    ),
    "tls-ours": (
        "{name} does not accept the certificate of this station.",
        "See certificate_file in the settings.",
    ),
    "tls-certificate-wanted": (
        "{name} wants a certificate of this station, and got none that it takes.",
        "See certificate_file in the settings.",
    ),
    "tls-certificate-missing": (
        "{name} showed no certificate, and is asked for one.",
        "It must show one that ca_file in the settings vouches for.",
    ),
    "tls-weak-certificate": (
        "{name} could not be reached safely.",
        "The key or the signature of its certificate is too weak: it needs a new one.",
    ),
    "tls-wrong-purpose": (
        "{name} could not be reached safely.",
        "Its certificate is not made for a server: it needs another one.",
    ),
    "tls-too-old": (
        "{name} could not be reached safely.",
        "It speaks an old TLS only: it must offer TLS 1.2 or 1.3.",
    ),
    "tls-no-common-cipher": (
        "{name} could not be reached safely.",
        "It takes no cipher of this station: it must offer ECDHE with AES-GCM or ChaCha20.",
    ),
    "tls-plaintext": (
        "{name} speaks no TLS at this port.",
        "The settings name another port than its TLS port, or want TLS where it has none.",
    ),
    "tls-broken-off": (
        "{name} broke off the TLS handshake.",
        "Perhaps it speaks no TLS at this port, or wants a certificate of this station.",
    ),
    "auth": ("{name} does not accept this station's user or password.", ""),
    "forbidden": (
        "{name} does not allow this station to do that.",
        "Its user lacks a right there, or a filter on the way stops the image.",
    ),
    "redirected": ("{name} wants the data sent somewhere else, which is not done.", ""),
    "too-long": ("{name} sends more than was asked for.", ""),
    "interrupted": ("This application stopped it.", "It will be tried again."),
    "rejected": ("{name} refused the connection without a reason.", ""),
    "rejected-calling-ae-title": ("{name} does not know this station's AE title.", ""),
    "rejected-called-ae-title": ("{name} does not go by the AE title in the settings.", ""),
    "rejected-busy": ("{name} is busy and takes no connection now.", ""),
    "no-context": (
        "{name} does not take images of this kind in this coding.",
        "It must take JPEG Baseline: what a camera coded with loss is not decoded to fit.",
    ),
    "no-service": ("{name} does not offer what was asked of it.", ""),
    "question-": ("{name} could not answer the question (status {status}).", ""),
    "http-": ("{name} answered with HTTP status {status}.", ""),
    # storing
    "no-status": ("{name} answered without saying whether it stored the image.", ""),
    "no-answer": ("The archive did not say what became of the image.", ""),
    "not-named": (
        "{name} answered without naming the image as stored.",
        "Its disk may be full.",
    ),
    "too-large": ("{name} does not take an image of this size.", ""),
    "status-": ("{name} refused the image (status {status}).", ""),
    "status-0122": ("{name} does not take images of this kind (status 0122).", ""),
    "status-0124": ("{name} does not allow this station to store (status 0124).", ""),
    "status-A7": (_NO_ROOM, ""),
    "status-0213": (_NO_ROOM, ""),
    "status-0110": (_UNFINISHED, ""),
    "status-FE00": (_UNFINISHED, ""),
    "status-B00F": (_UNFINISHED, ""),
    "status-A9": (_NOT_UNDERSTOOD, ""),
    "status-C": (_NOT_UNDERSTOOD, ""),
    # proving
    NOT_IN_ARCHIVE: ("{name} does not hold this image, though it was sent.", ""),
    "lost-by-archive": (
        "{name} says that it takes this image, but it does not have it.",
        "",
    ),
    IDENTITY_MISMATCH: (
        "{name} holds this image under another patient.",
        "Say to IT of whom it was taken; do not send it again before that is settled.",
    ),
    STUDY_MISMATCH: ("{name} holds this image in another study.", ""),
    CLASS_MISMATCH: ("{name} holds something of another kind under this image's UID.", ""),
    CONTENT_MISMATCH: ("{name} holds another picture under this image's UID.", ""),
    "recoded": (
        "{name} gives the image back in another coding, so its pixels cannot be compared.",
        "Storage commitment can prove it instead.",
    ),
    "no-proof": (
        "{name} cannot show that it holds an image.",
        "It offers no query, and the settings name neither a url nor a commitment port.",
    ),
    "no-commitment": (
        "{name} does not offer storage commitment.",
        "The settings want it to prove by that that it holds an image.",
    ),
    "commitment-": ("{name} does not promise to keep it (reason {status}).", ""),
    "commitment-pending": ("{name} has not yet answered the request to keep it.", ""),
    "commitment-not-named": ("{name} did not say whether it keeps this image.", ""),
    "commitment-request-": (
        "{name} does not take the request to keep images (status {status}).",
        "",
    ),
    # what the feed says
    VISIT_CANCELLED: (
        "The visit was cancelled while this picture waited to be sent.",
        "Ask admissions; then Send again sends it, Back to draft takes it back.",
    ),
    VISIT_MOVED: (
        "The visit became another patient's while this picture waited to be sent.",
        "Look whose it is; then Send again sends it, Back to draft takes it back.",
    ),
    PATIENT_MERGED: (
        "The feed merged or deleted this patient while this picture waited to be sent.",
        "Look whose it is; then Send again sends it, Back to draft takes it back.",
    ),
    NUMBER_RETIRED: (
        "The record number went out of use while this picture waited to be sent.",
        "Take it back to draft, and ask IT; Send again sends it under the old number.",
    ),
    NUMBER_OF_TWO: (
        "Worklists gave the record number to two people while this picture waited to be sent.",
        "Look whose it is; then Send again sends it, Back to draft takes it back.",
    ),
    ORDER_DOUBTED: (
        "A worklist gave the order of this picture to another patient before it was sent.",
        "Send it without the order, or take it back to draft; tell IT.",
    ),
    IDENTITY_CHANGED: (
        "The feed changed who this is while this picture waited to be sent.",
        "Look whose it is; then Send again sends it, Back to draft takes it back.",
    ),
    # this computer
    FILE_MISSING: (
        "The file of this picture is missing.",
        "Ask for help before anything else; take it again while the patient is here.",
    ),
    SEAL_BROKEN: (
        "The file of this picture was changed or cut short, so it is not sent.",
        "Ask for help; take it again while the patient is here.",
    ),
    FILE_UNREADABLE: ("The disk cannot read the file of this picture.", "Ask for help."),
    DESCRIPTION_UNREADABLE: (
        "What was chosen for this picture cannot be read.",
        "Choose procedure and site again.",
    ),
    ROW_UNREADABLE: (
        "A row of the database cannot be read: {row}.",
        "The picture is kept. Run capture-app outbox --check.",
    ),
    FILE_SET_APART: (
        "This file cannot be read, so nobody knows whose picture it is.",
        "It is kept. Put a whole copy in its place or move it away, then start again.",
    ),
    UNEXPECTED: (
        "An unexpected fault stopped this image.",
        "It is kept; the log says more.",
    ),
    UNKNOWN_DESTINATION: (
        "The settings no longer name this archive.",
        "Put it back, or retire it: capture-app outbox retire.",
    ),
}
