"""The settings themselves: every key with its type, default, limits and what it is for.

Names of tables and keys in a settings file are the names here. A change that breaks files in use
raises SCHEMA_VERSION. Secrets are never values: `password_key` names an entry of the key store.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from capture_app.model.coding import Code
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import ImageKind
from capture_app.settings.cards import CardFolder
from capture_app.settings.consoles import AConsole, AGrabber, Presets
from capture_app.settings.feeds import AdtFeed, Worklist
from capture_app.settings.kinds import (
    CallerCertificates,
    KeyName,
    LongText,
    Name,
    Seconds,
    ShortText,
)
from capture_app.settings.receiving import Receiver
from capture_app.settings.rules import (
    AeTitle,
    Between,
    ExistingFile,
    FullPath,
    Help,
    Host,
    Items,
    Line,
    Matching,
    Network,
    Text,
    WebAddress,
)
from capture_app.settings.scanning import Scanner, ScanPattern

SCHEMA_VERSION: Final = 1


class ArchiveProtocol(StrEnum):
    """How an image is sent."""

    DIMSE = "dimse"
    STOW = "stow"


class ProofChoice(StrEnum):
    """Which proof of custody is asked of an archive."""

    PIXEL_HASH = "pixel-hash"
    STORAGE_COMMITMENT = "storage-commitment"
    AUTO = "auto"


class KeyStore(StrEnum):
    """Where the key lives that encrypts every picture on this computer."""

    KEYRING = "keyring"
    FILE = "file"


class ThemeName(StrEnum):
    """The palette of the window."""

    DARK = "dark"
    LIGHT = "light"
    DIM = "dim"


@dataclass(frozen=True, slots=True)
class StationPlace:
    """A place that this station goes to."""

    ward: Annotated[
        str, Text(64, may_be_empty=False), Help("The ward, as the feed names it (PV1-3).")
    ]
    department_code: Annotated[
        Code | None,
        Help(
            "Institutional Department Type Code Sequence (0008,1041) of what is taken there, one "
            "item."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Station:
    """This computer."""

    name: Annotated[
        ShortText, Help("Station Name (0008,1010) of every image; empty: the computer's name.")
    ] = ""
    ae_title: Annotated[
        str, AeTitle(), Help("Our own application entity title, calling and called.")
    ] = "CAPTURE"
    department: Annotated[
        LongText,
        Help("The department whose procedures come first, as the catalogue names departments."),
    ] = ""
    goes_to_patients: Annotated[
        bool,
        Help(
            "Whether pictures are taken where the patient is: ward and room of the visit are then "
            "written as the place. False: always in the department of this station."
        ),
    ] = True
    places: Annotated[
        tuple[StationPlace, ...],
        Help(
            "Wards that can be picked as the place beside those of the open visits, and what type "
            "of department a ward is."
        ),
    ] = ()
    language: Annotated[
        str,
        Matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language tag such as en, de or pt-BR"),
        Help("The language of the window."),
    ] = "en"
    theme: Annotated[ThemeName, Help("The palette of the window; dim is for dark rooms.")] = (
        ThemeName.DARK
    )


@dataclass(frozen=True, slots=True)
class Institution:
    """The hospital, as every image names it."""

    name: Annotated[LongText, Help("Institution Name (0008,0080).")] = ""
    department: Annotated[
        LongText,
        Help("Institutional Department Name (0008,1040) where the procedure does not say it."),
    ] = ""
    department_code: Annotated[
        Code | None, Help("Institutional Department Type Code Sequence (0008,1041), one item.")
    ] = None
    issuer_of_patient_id: Annotated[
        LongText,
        Help("Issuer of Patient ID (0010,0021) where a feed gives a number without its authority."),
    ] = ""
    same_authorities: Annotated[
        tuple[str, ...],
        Matching(
            r"[^=\\\x00-\x1f]{1,64}=[0-9]+(\.[0-9]+)+",
            "a namespace, =, and the OID of the same authority",
        ),
        Items(50),
        Help(
            "Authorities that feeds name in two ways, by namespace (CX-4.1) or by OID (CX-4.2), as "
            '["HOSP=1.2.3"]: a number is the same under either.'
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class ArchiveDestination:
    """An archive that takes images and proves that it holds them."""

    name: Annotated[Name, Help("What the window and the log call it.")]
    protocol: Annotated[ArchiveProtocol, Help("How images are sent: C-STORE or STOW-RS.")] = (
        ArchiveProtocol.DIMSE
    )
    host: Annotated[str, Help("Where its DICOM port listens; needed for dimse.")] = ""
    port: Annotated[int | None, Between(1, 65535), Help("Its DICOM port; needed for dimse.")] = None
    ae_title: Annotated[
        str, AeTitle(may_be_empty=True), Help("Its application entity title; needed for dimse.")
    ] = ""
    url: Annotated[
        str,
        WebAddress(),
        Help("The root of its DICOMweb service: for stow, and for proof by pixel hash."),
    ] = ""
    proof: Annotated[
        ProofChoice,
        Help(
            "How it proves custody: pixel-hash reads every image back by WADO-RS, "
            "storage-commitment asks for a commitment. auto: pixel-hash where a url is given, "
            "else storage-commitment."
        ),
    ] = ProofChoice.AUTO
    commitment_host: Annotated[
        str, Host(), Help("The address on which we listen for the archive's commitment report.")
    ] = "127.0.0.1"
    commitment_port: Annotated[
        int | None,
        Between(1, 65535),
        Help("The port on which we listen for the archive's commitment report."),
    ] = None
    report_senders: Annotated[
        tuple[str, ...],
        Network(),
        Items(50),
        Help(
            "From which addresses and networks its reports come; its AE title is not taken from "
            "elsewhere. Empty: from anywhere."
        ),
    ] = ()
    report_certificates: CallerCertificates = ()
    user: Annotated[
        str, Text(64), Help("The user of its DICOMweb service; empty: no basic authentication.")
    ] = ""
    password_key: Annotated[
        KeyName, Help("Which entry of the key store holds that user's password.")
    ] = ""
    deadline_seconds: Annotated[
        Seconds, Help("The longest that one image may take, beyond what its size needs.")
    ] = 60.0
    workers: Annotated[int, Between(1, 8), Help("How many transfers may run side by side.")] = 1
    tls: Annotated[bool, Help("Whether its DICOM port speaks TLS.")] = False
    ca_file: Annotated[
        str, ExistingFile(), Help("Authorities to trust, PEM; empty: the computer's own.")
    ] = ""
    certificate_file: Annotated[
        str, ExistingFile(), Help("Our own certificate, PEM, where the archive asks for one.")
    ] = ""
    certificate_key_file: Annotated[
        str, ExistingFile(), Help("The private key of our own certificate, PEM.")
    ] = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A capture device and what its images say of it."""

    id: Annotated[Name, Help("Its short name in commands and logs.")]
    name: Annotated[str, Text(64, may_be_empty=False), Help("What the window calls it.")]
    kind: Annotated[DeviceKind, Help("How it is reached.")]
    address: Annotated[
        str,
        Line(1024),
        Help(
            "camera: its identity as capture-app devices list shows it (usb:046d:0825:SERIAL), "
            "or its number or device path; stream: its rtsp, http or https address; "
            "file: a full path; synthetic: empty, or size and JPEG quality as 4000x3000,jpeg=90."
        ),
    ] = ""
    image_kind: Annotated[
        ImageKind,
        Help(
            "What its pictures become: XC photograph, DMS dermoscopy, ES endoscopy, "
            "GM microscopy, US ultrasound."
        ),
    ] = ImageKind.PHOTO
    manufacturer: Annotated[LongText, Help("Manufacturer (0008,0070).")] = ""
    model_name: Annotated[LongText, Help("Manufacturer's Model Name (0008,1090).")] = ""
    serial_number: Annotated[LongText, Help("Device Serial Number (0018,1000).")] = ""
    software_versions: Annotated[LongText, Help("Software Versions (0018,1020).")] = ""
    burned_in_annotation: Annotated[
        bool | None,
        Help(
            "Whether its pictures show the patient's name: Burned In Annotation (0028,0301). "
            "Not said: yes for ES and US, which often do; no for the others."
        ),
    ] = None
    latency_ms: Annotated[
        int,
        Between(0, 5000),
        Help(
            "How long every picture is on its way when nothing holds it up (camera and stream, "
            "milliseconds). No receiver can see this: measure it with a clock before the camera."
        ),
    ] = 0
    largest_size: Annotated[
        str,
        Matching(r"|[1-9][0-9]{1,4}x[1-9][0-9]{1,4}", "empty, or a size in pixels as 1920x1080"),
        Help(
            "camera: the largest size that is wanted, as 1920x1080; empty: the largest that the "
            "camera has. The largest that is fast enough is taken."
        ),
    ] = ""
    least_rate: Annotated[
        float,
        Between(0.1, 240),
        Help("camera: how many pictures a second the live picture needs at least."),
    ] = 15.0
    locked: Annotated[
        tuple[str, ...],
        Matching(
            r"(exposure|focus|white_balance|gain|zoom|brightness|power_line)=[0-9]{1,6}",
            "exposure, focus, white_balance, gain, zoom, brightness or power_line, = and a number",
        ),
        Items(7),
        Help(
            "camera: what is not left to the camera, as exposure=156 (100 us), white_balance=4600 "
            "(K), power_line=50 (Hz); numbers as capture-app devices list shows them."
        ),
    ] = ()
    user: Annotated[
        str, Text(64), Help("The user that a stream asks for; empty: it asks for none.")
    ] = ""
    password_key: Annotated[
        KeyName, Help("Which entry of the key store holds that user's password.")
    ] = ""
    ca_file: Annotated[
        str,
        ExistingFile(),
        Help(
            "Authorities to trust for an https or rtsps stream, PEM; empty: the computer's own. "
            "For a certificate that the camera made itself: that certificate."
        ),
    ] = ""
    grabber: AGrabber = None
    console: AConsole = None
    presets: Presets = ()


DEFAULT_KEYRING_BACKENDS: Final = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.Windows.WinVaultKeyring",
    "keyring.backends.macOS.Keyring",
)


@dataclass(frozen=True, slots=True)
class Security:
    """Keys, locking, identity checks."""

    key_store: Annotated[
        KeyStore,
        Help(
            "Where the key lives that encrypts every picture: in the key store of the system, "
            "or in a file."
        ),
    ] = KeyStore.KEYRING
    key_file: Annotated[
        str,
        FullPath(may_be_empty=True),
        Help("The key file for key_store = file; readable by its owner alone (mode 0600)."),
    ] = ""
    allowed_keyring_backends: Annotated[
        tuple[str, ...],
        Matching(r"[A-Za-z_][\w.]*\.[A-Za-z_]\w*", "the full name of a class of keyring"),
        Items(16),
        Help("Backends of the key store that may hold the key: any other is refused by name."),
    ] = DEFAULT_KEYRING_BACKENDS
    lock_after_minutes: Annotated[
        float, Between(0.5, 60), Help("Minutes without an act after which the window locks.")
    ] = 5.0
    second_identifier: Annotated[
        bool,
        Help("Whether a patient picked from the list is checked by a second identifier."),
    ] = True


@dataclass(frozen=True, slots=True)
class Capture:
    """Taking, holding and keeping pictures."""

    hold_seconds: Annotated[
        float, Between(0, 600), Help("How long a sent image waits for second thoughts (undo).")
    ] = 10.0
    retention_days: Annotated[
        int, Between(0, 3650), Help("Days that the local copy stays after the archive's proof.")
    ] = 7
    min_free_mb: Annotated[
        int,
        Between(1, 1_000_000),
        Help("Free megabytes below which the shutter is off: nothing promised is put at risk."),
    ] = 500
    clip_memory_mb: Annotated[
        int,
        Between(16, 4096),
        Help(
            "Megabytes of memory for the last ten seconds of the live image. A camera that fills "
            "them sooner has its last seconds kept, and the window says how many."
        ),
    ] = 256
    favourites: Annotated[
        tuple[str, ...],
        Text(16, may_be_empty=False),
        Items(9),
        Help("Procedure ids on keys 1 to 9; empty: the first of the department."),
    ] = ()

    @property
    def clip_memory_bytes(self) -> int:
        """The same in bytes."""
        return self.clip_memory_mb * 1_000_000


@dataclass(frozen=True, slots=True)
class Health:
    """Figures for a monitoring system."""

    port: Annotated[
        int | None,
        Between(1, 65535),
        Help(
            "The port on 127.0.0.1 where `serve` answers /health (JSON) and /metrics (Prometheus); "
            "absent: none."
        ),
    ] = None


_SCANNER: Final = Scanner()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked, from all layers."""

    data_dir: Annotated[
        Path,
        FullPath(),
        Help("The data folder: pictures, database, logs. Absent: the user's own data folder."),
    ]
    station: Annotated[Station, Help("This computer.")] = Station()
    institution: Annotated[Institution, Help("The hospital.")] = Institution()
    adt: Annotated[AdtFeed | None, Help("The admissions feed; absent: none.")] = None
    worklists: Annotated[tuple[Worklist, ...], Help("Modality Worklist providers.")] = ()
    archives: Annotated[tuple[ArchiveDestination, ...], Help("Archives.")] = ()
    receiver: Annotated[
        Receiver | None, Help("The port for scanners that send by DICOM; absent: none.")
    ] = None
    devices: Annotated[tuple[Device, ...], Help("Capture devices.")] = ()
    cards: Annotated[tuple[CardFolder, ...], Help("Memory cards and watched folders.")] = ()
    scanner: Annotated[Scanner, Help("How the scanners of this computer type.")] = _SCANNER
    scan_patterns: Annotated[
        tuple[ScanPattern, ...],
        Help(
            "Codes that may open a patient. Absent: a record number of the admissions feed's own "
            "authority, whole, followed by Enter."
        ),
    ] = ()
    security: Annotated[Security, Help("Keys, locking, identity checks.")] = Security()
    capture: Annotated[Capture, Help("Taking, holding and keeping pictures.")] = Capture()
    health: Annotated[Health, Help("Figures for a monitoring system.")] = Health()
    practice: Annotated[
        bool,
        Help(
            "Practice with the simulated hospital. Real destinations are refused, and a data "
            "folder is for practice or for patients, never for both."
        ),
    ] = False
    practice_ports: Annotated[
        tuple[int, ...],
        Between(1, 65535),
        Items(64),
        Help("The ports of the simulated hospital: the only ones that practice may speak to."),
    ] = ()
    source_files: tuple[Path, ...] = ()
    """The files that were read, first the machine's. Not a setting."""
