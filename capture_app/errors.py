"""Every deliberate error of the application, as one tree.

CaptureAppError                 the text is for people: no patient data, says what to do
├── SettingsError               settings that cannot be used; carries every fault found
├── CatalogError                the coded data that ships or is configured is wrong
├── FeedError                   a patient feed cannot be used
│   └── MessageError            one HL7 message cannot be used; carries the code to acknowledge with
├── DeviceError                 a capture device failed, was lost or refused
├── ImageError                  bytes that are not a picture we may keep
├── RuleError                   a rule of the act was broken (see exam.rules for the typed answers)
│   ├── ChangedSinceSeenError   what the person saw is not what is kept: look again, then act
│   └── PartlyKeptError         something came between: what it counts is safe, the rest is not here
├── StoreError                  the disk or the database refused
│   ├── DiskFullError           no room: the shutter must say so
│   ├── SealBrokenError         a sealed file fails its own check
│   └── NewerDatabaseError      written by a later version of the application
├── KeyUnavailableError         the key store has no key or may not be used
├── SandboxError                a child that reads bytes from outside gave no answer
│   ├── ChildEndedError         it died or was ended over them; carries why
│   └── TaskRefusedError        it looked at them and will not go on; carries a code
├── SignInError                 who it is could not be established
│   ├── PinTooShortError        the PIN is right and too short by now: a new one first
│   └── UsersDamagedError       who may sign in was lost or changed by something else
├── ConformanceError            a dataset that would break the standard; a fault of ours
└── DeliveryError               an archive did not take, or did not prove, an instance
    ├── TransientDeliveryError  try again later, with the same bytes and UID
    └── RefusedDeliveryError    trying again cannot help: a person is needed

Anything else that is raised is a bug: it is logged with its traceback and shown, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class CaptureAppError(Exception):
    """A deliberate error. `str(error)` is a sentence for people that carries no patient data."""


@dataclass(frozen=True, slots=True)
class SettingsFault:
    """One wrong setting: where it stands, and what is allowed there."""

    file: str
    key: str
    problem: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.problem} Allowed: {self.allowed}"


class SettingsError(CaptureAppError):
    """The settings cannot be used. Holds all faults, not only the first."""

    def __init__(self, faults: tuple[SettingsFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class CatalogError(CaptureAppError):
    """The coded data is wrong or incomplete."""


class FeedError(CaptureAppError):
    """A patient feed cannot be used."""


class MessageError(FeedError):
    """One HL7 message cannot be used. `ack_code` is AE or AR (HL7 v2.5.1 2.9.2)."""

    def __init__(self, reason: str, *, ack_code: str = "AE") -> None:
        self.ack_code = ack_code
        super().__init__(reason)


class DeviceError(CaptureAppError):
    """A capture device failed, was lost or refused."""


class ImageError(CaptureAppError):
    """The bytes are not a picture that we may keep."""


class RuleError(CaptureAppError):
    """A rule of the clinician's act was broken."""


class ChangedSinceSeenError(RuleError):
    """An act carried what its person saw, and the store has something else: nothing was done."""


class PartlyKeptError(RuleError):
    """Some of several pictures were kept before something came between: those are safe."""


class StoreError(CaptureAppError):
    """The disk or the database refused."""


class DiskFullError(StoreError):
    """There is no room for another picture."""


class SealBrokenError(StoreError):
    """A sealed file fails its own check: changed, cut short, or sealed with another key."""


class NewerDatabaseError(StoreError):
    """The database was written by a later version of the application."""


class KeyUnavailableError(CaptureAppError):
    """The key store has no key, or its backend is not an allowed one."""


class SandboxError(CaptureAppError):
    """A child that reads bytes from outside gave no answer to one question."""


class ChildEndedError(SandboxError):
    """The child died, or was ended. `why` is one of sandbox.task.ChildEnd."""

    def __init__(self, why: str, words: str) -> None:
        self.why = why
        super().__init__(words)


class TaskRefusedError(SandboxError):
    """The child looked at the bytes and will not go on. `code` is a short word of its task
    (lower case, digits, hyphens), which whoever asked puts into words.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class SignInError(CaptureAppError):
    """Who is signing in could not be established."""


class PinTooShortError(SignInError):
    """The PIN is right, and shorter than a PIN may be by now: it must be changed first."""


class UsersDamagedError(SignInError):
    """The list of who may sign in is missing or was changed: no first start, and nobody's right."""


class ConformanceError(CaptureAppError):
    """A dataset would break the DICOM standard."""


class CodedReason(Protocol):
    """What model.reason.Reason is: a code and its values, which `str` words."""

    @property
    def code(self) -> str: ...
    @property
    def values(self) -> tuple[tuple[str, str], ...]: ...


class DeliveryError(CaptureAppError):
    """An archive did not take, or did not prove, an instance.

    `reason.code` is a stable short word (for instance "timeout", "status-A700"): it is stored with
    the reason's values, and worded when it is shown.
    """

    def __init__(self, reason: CodedReason, *, reached_nobody: bool = False) -> None:
        self.reason = reason
        self.reached_nobody = reached_nobody
        """Whether the archive was certainly given nothing of the instance, or did not look at it:
        the attempt was none.
        """
        super().__init__(reason.code)

    @property
    def code(self) -> str:
        """The reason's code."""
        return self.reason.code

    def __str__(self) -> str:
        return str(self.reason)


class TransientDeliveryError(DeliveryError):
    """Trying again later, with the same bytes and UID, may help."""


class RefusedDeliveryError(DeliveryError):
    """Trying again cannot help: a person has to act."""
