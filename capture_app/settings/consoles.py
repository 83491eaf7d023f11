"""Settings of a device whose picture comes from a console: the grabber, the layout, the presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.ultrasound import TransducerType
from capture_app.settings.kinds import LongText
from capture_app.settings.rules import Between, ExistingFile, Help, Items, Matching, Text

AREA_WORDS: Final = "empty, or LEFT,TOP,WIDTHxHEIGHT in pixels, as 240,96,1440x960"
_AREA: Final = Matching(r"|[0-9]{1,5},[0-9]{1,5},[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", AREA_WORDS)


@dataclass(frozen=True, slots=True)
class GrabberSettings:
    """What stands between a console and this computer."""

    manufacturer: Annotated[
        str,
        Text(64, may_be_empty=False),
        Help(
            "Manufacturer (0008,0070) of its item of Contributing Equipment Sequence (0018,A001). "
            "The keys of the same names in [[devices]] are then the scanner's or the tower's."
        ),
    ]
    model_name: Annotated[LongText, Help("Manufacturer's Model Name (0008,1090).")] = ""
    serial_number: Annotated[LongText, Help("Device Serial Number (0018,1000).")] = ""
    software_versions: Annotated[LongText, Help("Software Versions (0018,1020).")] = ""


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Where things are in the picture of a console."""

    picture_size: Annotated[
        str,
        Matching(r"[1-9][0-9]{1,4}x[1-9][0-9]{1,4}", "a size in pixels as 1920x1080"),
        Help("The size of the whole picture in which all areas are counted."),
    ]
    kept_area: Annotated[
        str,
        _AREA,
        Help(
            "The part of the picture that stills keep, without the console's names; Burned In "
            "Annotation (0028,0301) of such a still is NO where burned_in_annotation is not said. "
            "Of a JPEG, edges that are multiples of 16 are kept to the pixel, others a little "
            "further in. Empty: all is kept."
        ),
    ] = ""
    banner_area: Annotated[
        str,
        _AREA,
        Help(
            "Where the console writes whose picture it is: shown above the live picture, to be "
            "compared with our own banner."
        ),
    ] = ""
    reader_model: Annotated[
        str,
        ExistingFile(),
        Help(
            "A PP-OCR recogniser as ONNX, with its characters in its metadata: what stands in "
            "banner_area is then read, and a chip says where it does not name the patient. Empty: "
            "people alone compare."
        ),
    ] = ""


@dataclass(frozen=True, slots=True)
class PresetSettings:
    """What the console of a scanner may be set to, for people to choose in the window."""

    name: Annotated[
        str, Text(64, may_be_empty=False), Help("What the window calls it, as Linear, 4 cm.")
    ]
    transducer_type: Annotated[TransducerType | None, Help("Transducer Type (0018,6031).")] = None
    transducer: Annotated[
        LongText, Help("Transducer Data (0018,5010): what its maker calls it, as L12-3.")
    ] = ""
    modes: Annotated[
        tuple[str, ...],
        Matching(r"2D|M|CW|PW|COLOR|COLOR M|POWER", "2D, M, CW, PW, COLOR, COLOR M or POWER"),
        Items(7),
        Help("Value 4 of Image Type (0008,0008), and Ultrasound Color Data Present (0028,0014)."),
    ] = ()
    depth_mm: Annotated[
        int | None, Between(1, 500), Help("Depth of Scan Field (0018,5050), in millimetres.")
    ] = None
    scan_area: Annotated[
        str,
        _AREA,
        Help(
            "Where the scanned area is in the whole picture of console.picture_size, for Sequence "
            "of Ultrasound Regions (0018,6011). Empty where the scale is not known."
        ),
    ] = ""
    mm_per_pixel: Annotated[
        float | None,
        Between(0.001, 5),
        Help(
            "How large a pixel of the scanned area is, measured along the console's own depth "
            "ruler: millimetres divided by rows."
        ),
    ] = None


AGrabber = Annotated[
    GrabberSettings | None, Help("What stands between a console and this computer.")
]
AConsole = Annotated[ConsoleSettings | None, Help("Where things are in the picture of a console.")]
Presets = Annotated[
    tuple[PresetSettings, ...],
    Help(
        "What the console of a scanner may be set to, for people to choose in the window. "
        "Nothing of it is in an image before somebody chose it in that exam."
    ),
]


def area_of(text: str) -> Area:
    """The area that a setting says, as LEFT,TOP,WIDTHxHEIGHT."""
    left, top, size = text.split(",")
    columns, rows = size.split("x")
    return Area(int(left), int(top), int(columns), int(rows))


def whole_picture(console: ConsoleSettings) -> Area:
    """All of the picture in which the areas are counted."""
    columns, rows = console.picture_size.split("x")
    return Area(0, 0, int(columns), int(rows))


def layout_of(console: ConsoleSettings) -> ConsoleLayout:
    """The layout that the settings say."""
    whole, kept, banner = whole_picture(console), console.kept_area, console.banner_area
    return ConsoleLayout(
        whole.width,
        whole.height,
        area_of(kept) if kept else None,
        area_of(banner) if banner else None,
        console.reader_model,
    )
