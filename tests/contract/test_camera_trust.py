"""Cameras of the network are trusted as everything else is: chain, host, password, no detour."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
import requests
from structlog.testing import capture_logs

from capture_app.clock import SystemClock
from capture_app.devices.child_source import ChildSource, device_task
from capture_app.devices.opening import device_info, open_source
from capture_app.devices.relay import CameraRelay
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.settings.schema import Device
from tests import sealing
from tests.contract.test_archive_tls import Authority, own_certificate
from tests.http_cameras import PASSWORD, USER, HttpCamera, run_http_camera
from tests.rtsp_camera import run_rtsp_camera

CLOCK = SystemClock()
PICTURES = [sealing.jpeg(480, 640, quality=quality) for quality in (70, 80, 90)]


def password(name: str) -> str | None:
    return {"camera": PASSWORD, "other": "falsch"}.get(name)


def device(url: str, ca: Path | None = None, key: str = "") -> Device:
    return Device(
        *("net", "Wound camera", DeviceKind.STREAM, url),
        user=USER if key else "",
        password_key=key,
        ca_file=str(ca or ""),
    )


def first(camera: Device, count: int = 3) -> list[Frame]:
    source = open_source(camera, CLOCK, password)
    assert isinstance(source, ChildSource)
    with closing(source):
        return list(islice(source.frames(), count))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("ours"), "Hospital")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("theirs"), "Stranger")


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    with run_http_camera(PICTURES) as running:
        yield running


# ------------------------------------------------------------------------------------- trust


def test_a_camera_that_proves_who_it_is_delivers_its_own_bytes(authority: Authority) -> None:
    with run_http_camera(PICTURES, authority.sign("camera")) as camera:
        streamed = first(device(f"{camera.root}/live", authority.file))
        polled = first(device(f"{camera.root}/picture", authority.file))
    assert {frame.jpeg for frame in streamed + polled} <= set(PICTURES)
    assert len({frame.jpeg for frame in polled}) > 1


WRONG = {
    "host": ("another host name", "tls-wrong-host"),
    "stranger": ("Nobody whom this station trusts", "tls-unknown-authority"),
    "computer": ("Nobody whom this station trusts", "tls-unknown-authority"),
    "expired": ("has expired", "tls-expired"),
}


@pytest.mark.parametrize("scheme", ["https", "rtsps"])
@pytest.mark.parametrize("wrong", WRONG)
def test_one_that_does_not_delivers_nothing_and_is_told_no_password(
    scheme: str, wrong: str, authority: Authority, stranger: Authority
) -> None:
    signer = stranger if wrong == "stranger" else authority
    certificate = signer.sign(
        f"{scheme}-{wrong}",
        host="127.0.0.2" if wrong == "host" else "127.0.0.1",
        ends=timedelta(seconds=-1) if wrong == "expired" else timedelta(days=1),
    )
    trusted = None if wrong == "computer" else authority.file
    words, code = WRONG[wrong]
    with capture_logs() as entries:
        if scheme == "https":
            with run_http_camera(PICTURES, certificate) as camera:
                with pytest.raises(DeviceError, match=words):
                    first(device(f"{camera.root}/basic-live", trusted, "camera"))
                assert camera.asked == []
        else:
            with (
                run_rtsp_camera(PICTURES, certificate=certificate) as secure,
                pytest.raises(DeviceError, match=words),
            ):
                first(device(secure.url, trusted, "camera"))
    assert code in {one["reason"] for one in entries if one["event"] == "camera-not-had"}


def test_rtsps_is_checked_and_read_and_signed_in_to_through_the_relay(
    authority: Authority,
) -> None:
    certificate = authority.sign("rtsps-good")
    with run_rtsp_camera(PICTURES, certificate=certificate, sign_in=(USER, "pw")) as camera:
        asked = device(camera.url, authority.file, "camera")
        source = ChildSource(device_info(asked), asked, CLOCK, lambda _name: "pw")
        with closing(source):
            frames = list(islice(source.frames(), 3))
        with pytest.raises(DeviceError, match="does not accept this station's user"):
            first(asked)
        with pytest.raises(DeviceError, match="asks for a user"):
            first(device(camera.url, authority.file))
    assert [frame.pixels.shape for frame in frames] == [(480, 640, 3)] * 3
    assert all(frame.jpeg for frame in frames)


def test_a_camera_without_tls_is_not_taken_for_one_with_it(
    camera: HttpCamera, authority: Authority
) -> None:
    plain = camera.root.replace("http:", "https:")
    with pytest.raises(DeviceError, match="speaks no TLS"):
        first(device(f"{plain}/live", authority.file))


def test_rtsp_without_such_an_address_is_told_in_its_own_words() -> None:
    with run_rtsp_camera(PICTURES) as camera, pytest.raises(DeviceError, match="no pictures at"):
        first(device(camera.url + "/nothing"))


def test_a_certificate_of_its_own_is_trusted_where_the_settings_give_it(tmp_path: Path) -> None:
    certificate = own_certificate(tmp_path)
    with run_http_camera(PICTURES, certificate) as camera:
        assert first(device(f"{camera.root}/live", certificate), 1)
        with pytest.raises(DeviceError, match="Nobody whom this station trusts"):
            first(device(f"{camera.root}/live"))


def test_a_single_picture_is_of_after_it_was_asked_for(camera: HttpCamera) -> None:
    began = CLOCK.monotonic()
    frames = first(device(f"{camera.root}/slow-picture"), 2)
    assert began <= frames[0].not_before
    assert frames[0].not_before + 1.0 <= frames[1].not_before
    assert all(frame.late >= 1.0 for frame in frames), "too late to be a live image"


# -------------------------------------------------------------------------------- no detours


@pytest.mark.parametrize("path", ["moved", "list", "list-in-disguise"])
def test_no_camera_sends_us_elsewhere(path: str, camera: HttpCamera) -> None:
    with run_http_camera(PICTURES) as other:
        camera.elsewhere = other.root
        words = "another address" if path == "moved" else "neither pictures nor a film"
        with pytest.raises(DeviceError, match=words):
            first(device(f"{camera.root}/{path}"))
        assert other.asked == []
    assert camera.paths() == [f"/{path}"]


_OPEN = "import cv2, sys; print(cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG).read()[0])"


@pytest.mark.parametrize("path", ["moved", "list.m3u8"])
def test_ffmpeg_would_follow_and_does_not_with_what_its_child_is_told(
    path: str, camera: HttpCamera
) -> None:
    told = {
        name: str(value) for name, value in device_task(device("http://x/")).environment.items()
    }
    with run_http_camera(PICTURES) as other:
        camera.elsewhere = other.root
        for environment in (told, {}):
            assert other.asked == []
            opened = subprocess.run(
                [sys.executable, "-c", _OPEN, f"{camera.root}/{path}"],
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=60,
                check=False,
            )
            if environment:
                assert opened.stdout.strip() == b"False"
        assert other.asked, "without it, it is sent elsewhere"


# ------------------------------------------------------------------------------ its own words


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("forbidden", "does not let this station's user"),
        ("gone", "no pictures at its address"),
        ("error", "answers with an error"),
        ("page", "a web page"),
        ("page-in-disguise", "a web page"),
        ("no-boundary", "first boundary is missing"),
        ("digest", "asks for a user and a password"),
    ],
)
def test_what_is_wrong_is_told_in_its_own_words(path: str, words: str, camera: HttpCamera) -> None:
    with pytest.raises(DeviceError, match=words):
        first(device(f"{camera.root}/{path}"))


# ---------------------------------------------------------------------------------- passwords


@pytest.mark.parametrize("path", ["digest", "digest-old", "basic-live"])
def test_a_password_is_given_as_the_camera_asks_for_it(path: str, camera: HttpCamera) -> None:
    frames = first(device(f"{camera.root}/{path}?size=large", key="camera"))
    assert {frame.jpeg for frame in frames} <= set(PICTURES)
    assert camera.asked[0][2] == "", "not before it asks"
    assert PASSWORD not in str(camera.asked)


@pytest.mark.parametrize("path", ["digest", "basic"])
def test_a_wrong_password_is_told_and_not_tried_for_ever(path: str, camera: HttpCamera) -> None:
    with pytest.raises(DeviceError, match="does not accept this station's user or password"):
        first(device(f"{camera.root}/{path}", key="other"))
    assert len(camera.asked) == 2


def test_a_password_that_the_key_store_lacks_is_told(camera: HttpCamera) -> None:
    with pytest.raises(DeviceError, match="not in the key store"):
        first(device(f"{camera.root}/digest", key="missing"))


def test_only_who_knows_the_address_is_served_by_the_relay(camera: HttpCamera) -> None:
    relay = CameraRelay(device(f"{camera.root}/picture"), CLOCK, password)
    with relay.listening():
        assert requests.get(relay.address, timeout=10).content in PICTURES
        with pytest.raises(requests.ConnectionError):
            requests.get(relay.address + "0", timeout=10)
    assert camera.paths() == ["/picture"]
