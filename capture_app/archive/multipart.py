"""multipart/related bodies of DICOM instances (RFC 2387, PS3.18 8.6.1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message

from capture_app.model.part10_file import Part10File

_WRITTEN_AT_ONCE = 1 << 18  # the time-out of a write is for each of these


class RelatedInstance:
    """The request body that carries one Part 10 file, streamed in pieces."""

    def __init__(self, file: Part10File, *, boundary: str) -> None:
        """`boundary` must not occur in the file: a new UID does not."""
        self._boundary = boundary
        self._head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._file = file
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    @property
    def content_type(self) -> str:
        return f'multipart/related; type="application/dicom"; boundary="{self._boundary}"'

    def __len__(self) -> int:
        return len(self._head) + len(self._file) + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        for piece in self._file:
            for begin in range(0, len(piece), _WRITTEN_AT_ONCE):
                yield piece[begin : begin + _WRITTEN_AT_ONCE]
        yield self._tail


def single_part(content_type: str, body: bytes) -> bytes:
    """The one part of a multipart answer, or the body of an answer that is no multipart.

    Raises ValueError for anything else: no boundary, no part, or more than one.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() == "application/dicom":
        return body
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/related" or not boundary:
        raise ValueError("no multipart answer")
    delimiter = b"\r\n--" + boundary.encode("latin-1")
    # What precedes the first delimiter is preamble (RFC 2046 5.1.1); the first may begin the body.
    _, *parts = (b"\r\n" + body).split(delimiter, 3)
    if len(parts) != 2 or not parts[1].startswith(b"--"):
        raise ValueError("not one part")
    _, separator, content = parts[0].partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("a part without a body")
    return content
