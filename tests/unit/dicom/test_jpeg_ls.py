"""Lossless coding: the same pixels back, the same bytes each time, and nobody is kept waiting."""

import threading
from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.dicom import jpeg_ls
from capture_app.errors import ConformanceError


def picture(rows: int, columns: int, samples: int, seed: int, levels: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, levels, (rows, columns, samples))
    return noise.astype(np.uint8).tobytes()


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    samples=st.sampled_from([1, 3]),
    seed=st.integers(0, 1000),
    levels=st.sampled_from([1, 2, 17, 256]),
)
def test_every_pixel_comes_back(
    rows: int, columns: int, samples: int, seed: int, levels: int
) -> None:
    pixels = picture(rows, columns, samples, seed, levels)
    stream = jpeg_ls.encode(pixels, rows, columns, samples)
    assert stream == jpeg_ls.encode(pixels, rows, columns, samples)
    assert jpeg_ls.decode(stream, rows, columns, samples) == pixels


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("levels", [1, 60, 256])
def test_where_the_library_exports_nothing_the_bytes_are_the_same(
    samples: int, levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = picture(20, 37, samples, 1, levels)
    by_c = jpeg_ls.encode(pixels, 20, 37, samples)
    assert jpeg_ls._library() is not None
    monkeypatch.setattr(jpeg_ls, "_library", lambda: None)
    assert jpeg_ls.encode(pixels, 20, 37, samples) == by_c
    assert jpeg_ls.decode(by_c, 20, 37, samples) == pixels
    assert jpeg_ls.decode(by_c + b"\0", 20, 37, samples) == pixels  # padded, as in a fragment
    with pytest.raises(ConformanceError):
        jpeg_ls.decode(by_c[:-40], 20, 37, samples)


def test_other_pixels_than_rows_and_columns_say_are_not_coded() -> None:
    for pixels in (b"", bytes(10), bytes(47), bytes(49)):
        with pytest.raises(ConformanceError):
            jpeg_ls.encode(pixels, 4, 4, 3)


def test_a_stream_of_another_size_is_refused_before_memory_is_given_to_it() -> None:
    stream = bytearray(jpeg_ls.encode(picture(30, 20, 3, 1, 256), 30, 20, 3))
    for rows, columns, samples in ((31, 20, 3), (30, 21, 3), (30, 20, 1), (65535, 65535, 3)):
        with pytest.raises(ConformanceError):
            jpeg_ls.decode(bytes(stream), rows, columns, samples)
    for damaged in (b"", stream[:3], stream[:11], b"\xff\xd8\xff\xc0" + stream[4:], stream[:200]):
        with pytest.raises(ConformanceError):
            jpeg_ls.decode(bytes(damaged), 30, 20, 3)


def test_the_interpreter_goes_on_while_a_picture_is_coded() -> None:
    pixels = picture(1080, 1920, 3, 1, 256)
    spans: list[tuple[float, float]] = []

    def code() -> None:
        begun = perf_counter()
        jpeg_ls.encode(pixels, 1080, 1920, 3)
        spans.append((begun, perf_counter()))

    for _ in range(5):  # a busy machine may put the process aside for a while
        moments = []
        coding = threading.Thread(target=code)
        coding.start()
        while coding.is_alive():
            moments.append(perf_counter())
        begun, ended = spans[-1]
        if max(b - a for a, b in pairwise(moments)) < (ended - begun) / 2:
            return
    pytest.fail("nothing else ran while a picture was coded")
