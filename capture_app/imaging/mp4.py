"""A film as a file (MP4, QuickTime): its boxes are edited, its video samples stay byte for byte.

What is kept is one video track and the tables that find its samples; sound, subtitles, positions,
names, times of day and everything unknown are left behind. Nothing is decoded. (ISO/IEC 14496-12,
-14, -15; DICOM PS3.5 8.2.7 to 8.2.11, A.4.6 to A.4.11.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO, Final, NoReturn

from capture_app.errors import ImageError
from capture_app.imaging.video_stream import VideoStream, avc_stream, hevc_stream
from capture_app.model.words import tr

MOST_BYTES: Final = 3_900_000_000
_LONGEST_MOOV: Final = 64 << 20
_MOST_BOXES: Final = 10_000
_READ_AT_ONCE: Final = 1 << 20
_HEADER: Final = struct.Struct(">L4s")
_UPRIGHT: Final = struct.pack(">9l", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_FTYP: Final = struct.pack(">L4s4sL4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"mp42")
_TRACK: Final = ("tkhd", "edts", "mdia")
_SAMPLE_ENTRIES: Final = {b"avc1": b"avcC", b"avc3": b"avcC", b"hvc1": b"hvcC", b"hev1": b"hvcC"}


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A film as it may be kept: what its stream says, and the bytes of its new file."""

    stream: VideoStream
    frames: int
    frame_time_us: float
    """From each frame to the next."""
    had_sound: bool
    """It was cut, and a person is told so."""
    head: bytes
    """The new file up to its first sample."""
    places: tuple[tuple[int, int], ...]
    """Where the samples lie in the file that came, in order: offset, length."""

    @property
    def size(self) -> int:
        """Bytes of the new file."""
        return len(self.head) + sum(length for _, length in self.places)

    def pieces(self, file: BinaryIO) -> Iterator[bytes]:
        """The new file, from the one that came. Raises ImageError where that is cut short."""
        yield self.head
        for offset, length in self.places:
            file.seek(offset)
            rest = length
            while rest:
                piece = file.read(min(rest, _READ_AT_ONCE))
                if not piece:
                    raise ImageError(_cut_short())
                rest -= len(piece)
                yield piece


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    body: bytes

    def written(self) -> bytes:
        return _HEADER.pack(8 + len(self.body), self.kind) + self.body


def read_mp4(file: BinaryIO) -> VideoFile:
    """Takes a film apart. Raises ImageError in words for what is no such file, and for one that
    cannot be kept without a new, lossy coding.
    """
    moov, size = _moov(file)
    boxes = _boxes(moov)
    if any(box.kind == b"mvex" for box in boxes):
        _refuse(_in_fragments())
    tracks = [_boxes(box.body) for box in boxes if box.kind == b"trak"]
    kinds = [_handler(track) for track in tracks]
    videos = [track for track, kind in zip(tracks, kinds, strict=True) if kind == b"vide"]
    if len(videos) != 1:
        _refuse(
            tr("This film has no picture.") if not videos else tr("This file has several films.")
        )
    (track,) = videos
    return _edited(_one(boxes, b"mvhd"), track, size, had_sound=b"soun" in kinds)


def _moov(file: BinaryIO) -> tuple[bytes, int]:
    """The box that describes all, and the length of the file."""
    size = file.seek(0, 2)
    at, found = 0, b""
    for _ in range(_MOST_BOXES):
        if at + 8 > size:
            break
        file.seek(at)
        length, kind = _HEADER.unpack(file.read(8))
        begins = at + 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
            begins = at + 16
        elif length == 0:
            length = size - at
        if length < begins - at or at + length > size:
            _refuse(_cut_short())
        if at == 0 and kind not in {b"ftyp", b"wide", b"moov", b"mdat", b"free", b"skip"}:
            _refuse(_no_film())
        if kind == b"moof":
            _refuse(_in_fragments())
        if kind == b"moov":
            if found or length > _LONGEST_MOOV:
                _refuse(_damaged())
            found = file.read(at + length - begins)
        at += length
    if not found:
        _refuse(_cut_short() if at else _no_film())
    return found, size


def _edited(mvhd: bytes, track: list[_Box], size: int, *, had_sound: bool) -> VideoFile:
    tkhd, mdia = _one(track, b"tkhd"), _boxes(_one(track, b"mdia"))
    if _matrix(tkhd) != _UPRIGHT:
        _refuse(tr("This film is to be shown turned. Save it upright, then import it again."))
    mdhd, minf = _one(mdia, b"mdhd"), _boxes(_one(mdia, b"minf"))
    tables = {box.kind: box.body for box in _boxes(_one(minf, b"stbl"))}
    entry, stream = _sample_entry(tables.get(b"stsd", b""))
    sizes = _sizes(tables)
    delta = _steady_delta(tables, len(sizes))
    timescale = _timescale(mdhd)
    places = _chunks(tables, sizes)
    if any(offset + length > size for offset, length in places):
        _refuse(_cut_short())
    if sum(length for _, length in places) > MOST_BYTES:
        _refuse(tr("This film is larger than 3.9 GB. Cut it into parts, then import them."))
    kept = [_Box(b"stsd", struct.pack(">LL", 0, 1) + entry)]
    kept += [
        _Box(kind, tables[kind])
        for kind in (b"stts", b"ctts", b"stss", b"stsc", b"stsz")
        if kind in tables
    ]

    def head(begin: int) -> bytes:
        offsets = accumulate((length for _, length in places[:-1]), initial=begin)
        stco = struct.pack(f">LL{len(places)}L", 0, len(places), *offsets)
        stbl = _box(b"stbl", *kept, _Box(b"stco", stco))
        media = _box(
            b"mdia",
            _Box(b"mdhd", _without_times(mdhd)),
            _Box(b"hdlr", struct.pack(">LL4s12xx", 0, 0, b"vide")),
            _box(
                b"minf",
                _Box(b"vmhd", struct.pack(">LHHHH", 1, 0, 0, 0, 0)),
                _box(b"dinf", _Box(b"dref", struct.pack(">LLL4sL", 0, 1, 12, b"url ", 1))),
                stbl,
            ),
        )
        edits = [box for box in track if box.kind == b"edts"]
        moov = _box(
            b"moov",
            _Box(b"mvhd", _without_times(mvhd)),
            _box(b"trak", _Box(b"tkhd", _without_times(tkhd)), *edits, media),
        )
        length = 8 + sum(length for _, length in places)
        return _FTYP + moov.written() + _HEADER.pack(length, b"mdat")

    return VideoFile(
        stream=stream,
        frames=len(sizes),
        frame_time_us=delta / timescale * 1e6,
        had_sound=had_sound,
        head=head(len(head(0))),
        places=tuple(places),
    )


def _sample_entry(stsd: bytes) -> tuple[bytes, VideoStream]:
    """The one description of the samples, with what decodes them and nothing else."""
    if len(stsd) < 16 or struct.unpack_from(">L", stsd, 4) != (1,):
        _refuse(tr("The pictures of this film are not all coded alike, so it cannot be kept."))
    entries = _boxes(stsd[8:])
    if len(entries) != 1:
        _refuse(_damaged())
    described = entries[0]
    configured = _SAMPLE_ENTRIES.get(described.kind)
    if configured is None or len(described.body) < 78:
        name = described.kind.decode("latin-1").strip()
        _refuse(
            tr("This film is coded as {name}. Only H.264 and HEVC can be kept.", name=name)
            if name.isascii() and name.isalnum()
            else _damaged()
        )
    inner = _boxes(described.body[78:])
    configuration = _one(inner, configured)
    columns, rows = struct.unpack_from(">HH", described.body, 24)
    for box in inner:
        if box.kind == b"pasp" and len(set(struct.unpack(">LL", box.body[:8].rjust(8)))) != 1:
            _refuse(tr("The pixels of this film are not square, so it cannot be kept."))
    read = avc_stream if configured == b"avcC" else hevc_stream
    stream = read(configuration, rows=rows, columns=columns)
    fixed = described.body[:42] + bytes(32) + described.body[74:78]  # no name of an encoder
    parts = [box for box in inner if box.kind in {configured, b"pasp", b"colr"}]
    return _Box(described.kind, fixed + b"".join(box.written() for box in parts)).written(), stream


def _sizes(tables: dict[bytes, bytes]) -> list[int]:
    stsz = tables.get(b"stsz", b"")
    if len(stsz) < 12:
        _refuse(_damaged())
    _, one, count = struct.unpack_from(">LLL", stsz)
    if one:
        return [one] * _counted(count, most=1_000_000)
    return list(_numbers(stsz, 12, count))


def _steady_delta(tables: dict[bytes, bytes], frames: int) -> int:
    """The time of each frame; of the last it may be another."""
    stts = tables.get(b"stts", b"")
    if frames < 2 or len(stts) < 16:
        _refuse(_damaged())
    (count,) = struct.unpack_from(">L", stts, 4)
    runs = list(zip(*[iter(_numbers(stts, 8, 2 * count))] * 2, strict=True))
    (first, delta), *others = runs
    if sum(run for run, _ in runs) != frames or not delta:
        _refuse(_damaged())
    if any(other != delta for _, other in others) and not (len(runs) == 2 and others[0][0] == 1):
        _refuse(
            tr(
                "The pictures of this film do not follow each other evenly (variable frame rate), "
                "so it cannot be kept. Save it with a constant frame rate."
            )
        )
    return delta if first else 0


def _chunks(tables: dict[bytes, bytes], sizes: list[int]) -> list[tuple[int, int]]:
    """Where the samples lie that stand together, in order."""
    wide = b"co64" in tables
    table = tables.get(b"co64" if wide else b"stco", b"")
    stsc = tables.get(b"stsc", b"")
    if len(table) < 8 or len(stsc) < 8:
        _refuse(_damaged())
    (count,) = struct.unpack_from(">L", table, 4)
    if len(table) < 8 + count * (8 if wide else 4):
        _refuse(_damaged())
    offsets = struct.unpack_from(f">{count}{'Q' if wide else 'L'}", table, 8)
    (runs,) = struct.unpack_from(">L", stsc, 4)
    numbers = list(_numbers(stsc, 8, 3 * runs))
    begins = [*numbers[::3], count + 1]
    places, sample = [], 0
    for run, samples in enumerate(numbers[1::3]):
        for chunk in range(begins[run], min(begins[run + 1], count + 1)):
            part = sizes[sample : sample + samples]
            if chunk < 1 or len(part) != samples or not samples:
                _refuse(_damaged())
            places.append((offsets[chunk - 1], sum(part)))
            sample += samples
    if sample != len(sizes) or set(numbers[2::3]) - {1} or len(places) != count:
        _refuse(_damaged())
    return places


def _numbers(table: bytes, begin: int, count: int) -> tuple[int, ...]:
    if len(table) < begin + 4 * count:
        _refuse(_damaged())
    return struct.unpack_from(f">{count}L", table, begin)


def _counted(count: int, *, most: int) -> int:
    if count > most:
        _refuse(_damaged())
    return count


def _boxes(data: bytes) -> list[_Box]:
    """The boxes that follow each other in a part of the moov box."""
    found: list[_Box] = []
    at = 0
    while at + 8 <= len(data):
        length, kind = _HEADER.unpack_from(data, at)
        if length == 0:  # QuickTime ends a list with a zero
            break
        if length < 8 or at + length > len(data) or len(found) > _MOST_BOXES:
            _refuse(_damaged())
        found.append(_Box(kind, data[at + 8 : at + length]))
        at += length
    return found


def _box(kind: bytes, *inner: _Box) -> _Box:
    return _Box(kind, b"".join(box.written() for box in inner))


def _one(boxes: list[_Box], kind: bytes) -> bytes:
    found = [box.body for box in boxes if box.kind == kind]
    if len(found) != 1:
        _refuse(_damaged())
    return found[0]


def _handler(track: list[_Box]) -> bytes:
    return _one(_boxes(_one(track, b"mdia")), b"hdlr")[8:12]


def _matrix(tkhd: bytes) -> bytes:
    begin = 52 if tkhd[:1] == b"\x01" else 40
    return tkhd[begin : begin + 36]


def _timescale(mdhd: bytes) -> int:
    if len(mdhd) < 24:
        _refuse(_damaged())
    (scale,) = struct.unpack_from(">L", mdhd, 20 if mdhd[0] == 1 else 12)
    if not scale:
        _refuse(_damaged())
    return int(scale)


def _without_times(header: bytes) -> bytes:
    """A header without when it was made and changed: the instance says when it was taken."""
    width = 16 if header[:1] == b"\x01" else 8
    return header[:4] + bytes(width) + header[4 + width :]


def _refuse(words: str) -> NoReturn:
    raise ImageError(words)


def _cut_short() -> str:
    return tr("This film is cut short: its end is missing. Copy it again from its source.")


def _damaged() -> str:
    return tr("This film is damaged and cannot be read. Copy it again from its source.")


def _in_fragments() -> str:
    return tr("This film is recorded in fragments. Copy it again as one whole film (MP4).")


def _no_film() -> str:
    return tr("This is no film that can be read (MP4 or MOV).")
