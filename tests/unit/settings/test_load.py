import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.coding import Code
from capture_app.model.device import DeviceKind
from capture_app.settings.describe import EXAMPLE
from capture_app.settings.load import data_folder, load
from capture_app.settings.schema import (
    ArchiveProtocol,
    KeyStore,
    ProofChoice,
    Settings,
    ThemeName,
)
from tests.certificates import write_certificates

Write = Callable[[str], Path]
KEY_IN = "data_dir = '/d'\n[security]\nkey_store = 'file'\nkey_file = "


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a settings file with the version on top."""

    def write(text: str) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(f"schema_version = 1\n{text}", encoding="utf-8")
        return path

    return write


def settings_of(path: Path | None, **environ: str) -> Settings:
    return load(settings_file=path, data_dir=None, environ={"HOME": "/home/x", **environ})


def faults_of(path: Path | None, **environ: str) -> dict[str, SettingsFault]:
    with pytest.raises(SettingsError) as raised:
        settings_of(path, **environ)
    found = {fault.key: fault for fault in raised.value.faults}
    assert len(found) == len(raised.value.faults), "one fault a key"
    return found


def test_nothing_set_gives_the_defaults() -> None:
    settings = settings_of(None)
    assert settings == Settings(data_dir=Path("/home/x/.local/share/capture-app"))
    assert settings.station.ae_title == "CAPTURE"
    assert settings.adt is None
    assert settings.capture.hold_seconds == 10
    assert not settings.practice


def test_example_of_the_reference_loads(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(EXAMPLE)
    settings = settings_of(path)
    assert settings.source_files == (path,)
    assert settings.adt is not None
    assert settings.adt.assigning_authority == "EXAMPLE"
    assert settings.archives[0].proof is ProofChoice.AUTO
    assert settings.archives[0].password_key == "pacs-dicomweb"
    assert settings.devices[0].kind is DeviceKind.CAMERA


def test_every_type_is_read(write: Write) -> None:
    settings = settings_of(
        write(
            """
            [station]
            theme = "light"
            [institution.department_code]
            value = "394882004"
            scheme = "SCT"
            meaning = "Pain management"
            [adt]
            wards = ["4B", "5C"]
            [[archives]]
            name = "web"
            protocol = "stow"
            url = "https://pacs.example.org/dicom-web"
            deadline_seconds = 90
            [[archives]]
            name = "pacs"
            host = "pacs"
            port = 104
            ae_title = "PACS"
            tls = true
            [security]
            key_store = "file"
            key_file = "/etc/capture-app/key"
            """
        )
    )
    assert settings.station.theme is ThemeName.LIGHT
    assert settings.institution.department_code == Code("394882004", "SCT", "Pain management")
    assert settings.adt is not None
    assert settings.adt.wards == ("4B", "5C")
    web, pacs = settings.archives
    assert (web.protocol, web.deadline_seconds, web.port) == (ArchiveProtocol.STOW, 90.0, None)
    assert isinstance(web.deadline_seconds, float)
    assert (pacs.protocol, pacs.port, pacs.tls) == (ArchiveProtocol.DIMSE, 104, True)
    assert settings.security.key_store is KeyStore.FILE


def test_layers_are_laid_over_each_other(tmp_path: Path) -> None:
    """Defaults, machine, user, environment, flag: each beats the one before, key by key."""
    texts = {
        "machine": """
            [station]
            name = "M"
            ae_title = "M"
            department = "M"
            language = "fr"
            [[worklists]]
            name = "m"
            host = "m"
            port = 1
            ae_title = "M"
            """,
        "user": """
            [station]
            ae_title = "U"
            department = "U"
            [[worklists]]
            name = "u"
            host = "u"
            port = 2
            ae_title = "U"
            """,
    }
    for name, text in texts.items():
        folder = tmp_path / name / "capture-app"
        folder.mkdir(parents=True)
        (folder / "settings.toml").write_text(
            f'schema_version = 1\ndata_dir = "/srv/{name}"\n{text}'
        )
    environ = {
        "XDG_CONFIG_DIRS": f"{tmp_path / 'machine'}{os.pathsep}/etc/other",
        "XDG_CONFIG_HOME": str(tmp_path / "user"),
        "CAPTURE_APP_STATION_DEPARTMENT": "E",
    }
    settings = load(settings_file=None, data_dir=None, environ=environ)
    station = settings.station
    assert (station.name, station.ae_title, station.department) == ("M", "U", "E")
    assert (station.language, station.theme) == ("fr", ThemeName.DARK)
    assert [worklist.name for worklist in settings.worklists] == ["u"]  # a list is replaced
    assert [path.parent.parent.name for path in settings.source_files] == ["machine", "user"]
    assert settings.data_dir == Path("/srv/user")
    environ["CAPTURE_APP_DATA"] = "/srv/environment"
    by_environment = load(settings_file=None, data_dir=None, environ=environ)
    assert by_environment.data_dir == Path("/srv/environment")
    by_flag = load(settings_file=None, data_dir=Path("/srv/flag"), environ=environ)
    assert by_flag.data_dir == Path("/srv/flag")


def test_named_file_is_read_instead_of_the_standard_ones(tmp_path: Path, write: Write) -> None:
    folder = tmp_path / "capture-app"
    folder.mkdir()
    (folder / "settings.toml").write_text("this is not TOML")
    named = write('[station]\nname = "NAMED"')
    other = tmp_path / "other.toml"
    other.write_text('schema_version = 1\n[station]\nname = "OTHER"')
    home = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
    by_environment = settings_of(None, **home, CAPTURE_APP_SETTINGS=str(other))
    assert by_environment.station.name == "OTHER"
    by_flag = settings_of(named, **home, CAPTURE_APP_SETTINGS=str(other))
    assert (by_flag.station.name, by_flag.source_files) == ("NAMED", (named,))


def test_environment_has_a_name_for_every_key_with_one_place() -> None:
    settings = settings_of(
        None,
        CAPTURE_APP_ADT_PORT="2576",
        CAPTURE_APP_ADT_WARDS="4B, 5C,",
        CAPTURE_APP_CAPTURE_HOLD_SECONDS="2.5",
        CAPTURE_APP_SECURITY_SECOND_IDENTIFIER="No",
        CAPTURE_APP_INSTITUTION_DEPARTMENT_CODE_VALUE="1",
        CAPTURE_APP_INSTITUTION_DEPARTMENT_CODE_SCHEME="99X",
        CAPTURE_APP_INSTITUTION_DEPARTMENT_CODE_MEANING="X",
        CAPTURE_APP_PRACTICE="true",
        CAPTURE_APP_PRACTICE_PORTS="4242,8042",
        UNRELATED="x",
    )
    assert settings.adt is not None
    assert (settings.adt.port, settings.adt.wards) == (2576, ("4B", "5C"))
    assert settings.capture.hold_seconds == 2.5
    assert settings.security.second_identifier is False
    assert settings.institution.department_code == Code("1", "99X", "X")
    assert (settings.practice, settings.practice_ports) == (True, (4242, 8042))


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CAPTURE_APP_ADT_PRT", "1", "perhaps CAPTURE_APP_ADT_PORT"),
        ("CAPTURE_APP_ARCHIVES_PORT", "1", ""),
        ("CAPTURE_APP_DATA_DIR", "/x", ""),
    ],
)
def test_unknown_variable_is_a_fault(variable: str, value: str, words: str) -> None:
    fault = faults_of(None, **{variable: value})[variable]
    assert fault.file == "environment"
    assert words in fault.allowed


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CAPTURE_APP_ADT_PORT", "x"),
        ("CAPTURE_APP_ADT_PORT", "70000"),
        ("CAPTURE_APP_SECURITY_SECOND_IDENTIFIER", "maybe"),
        ("CAPTURE_APP_PRACTICE_PORTS", "1,x"),
    ],
)
def test_wrong_value_in_the_environment_names_the_variable(variable: str, value: str) -> None:
    (fault,) = faults_of(None, **{variable: value}).values()
    assert fault.file == variable


def test_all_faults_are_told_at_once_each_with_file_key_and_what_is_allowed(write: Write) -> None:
    path = write(
        """
        colour = "red"
        [station]
        name = "A STATION NAME TOO LONG"
        ae_title = "BACK\\\\SLASH"
        langage = "en"
        [adt]
        port = 0
        host = "http://x"
        processing_id = "X"
        [[worklists]]
        name = "ris"
        port = "104"
        [[archives]]
        name = "pacs"
        host = "pacs"
        [[archives]]
        name = "pacs"
        protocol = "ftp"
        [[archives]]
        name = "web"
        protocol = "stow"
        proof = "pixel-hash"
        user = "x"
        [[devices]]
        id = "cam"
        name = "Camera"
        kind = "camra"
        [security]
        lock_after_minutes = true
        [capture]
        favourites = ["A", "A"]
        """
    )
    faults = faults_of(path, CAPTURE_APP_CAPTURE_RETENTION_DAYS="-1")
    assert {key: fault.file for key, fault in faults.items()} == {
        "colour": str(path),
        "station.name": str(path),
        "station.ae_title": str(path),
        "station.langage": str(path),
        "adt.port": str(path),
        "adt.host": str(path),
        "adt.processing_id": str(path),
        "worklists[0].host": str(path),
        "worklists[0].port": str(path),
        "worklists[0].ae_title": str(path),
        "archives[0].port": str(path),
        "archives[0].ae_title": str(path),
        "archives[1].name": str(path),
        "archives[1].protocol": str(path),
        "archives[2].url": str(path),
        "archives[2].password_key": str(path),
        "devices[0].kind": str(path),
        "security.lock_after_minutes": str(path),
        "capture.favourites": str(path),
        "capture.retention_days": "CAPTURE_APP_CAPTURE_RETENTION_DAYS",
    }
    assert all(fault.problem and fault.allowed for fault in faults.values())
    assert faults["station.langage"].problem.endswith("Did you mean language?")
    assert "1 to 65535" in faults["adt.port"].allowed
    assert '"camera"' in faults["devices[0].kind"].allowed


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[adt]\nport = 65536", "adt.port"),
        ("[adt]\nport = 2575.0", "adt.port"),
        ("[adt]\nport = true", "adt.port"),
        ("[adt]\nwards = '4B'", "adt.wards"),
        ("[adt]\nwards = [4]", "adt.wards"),
        ("[adt]\nwards = ['']", "adt.wards"),
        ("[adt]\nsenders = ['10.20.0.5/16']", "adt.senders"),
        ("[adt]\nsenders = ['engine.example']", "adt.senders"),
        ("[adt]\nsenders = ['']", "adt.senders"),
        ("[adt]\nmax_mb_per_day = 0", "adt.max_mb_per_day"),
        ("[[adt]]\nport = 1", "adt"),
        ("adt = 3", "adt"),
        ("archives = 3", "archives"),
        ("[archives]\nname = 'x'", "archives"),
        ("[station]\nae_title = ''", "station.ae_title"),
        ("[station]\nae_title = ' X'", "station.ae_title"),
        ("[station]\nae_title = 'ÄRZTE'", "station.ae_title"),
        ("[station]\nae_title = 'A2345678901234567'", "station.ae_title"),
        ("[station]\nname = {a = 1}", "station.name"),
        ("[[station.name]]\na = 1", "station.name"),
        ("[station]\nlanguage = 'English'", "station.language"),
        ("[institution]\nname = \"tab\\there\"", "institution.name"),
        ("data_dir = 'relative/path'", "data_dir"),
        ("data_dir = ''", "data_dir"),
        ("[security]\nkey_store = 'file'", "security.key_file"),
        ("[security]\nkey_store = 'file'\nkey_file = 'key'", "security.key_file"),
        (KEY_IN + "'/d/y/k'", "security.key_file"),
        (KEY_IN + "'/e/../d/k'", "security.key_file"),
        ("[capture]\nhold_seconds = nan", "capture.hold_seconds"),
        ("[capture]\nhold_seconds = -1", "capture.hold_seconds"),
        ("[capture]\nmin_free_mb = 0", "capture.min_free_mb"),
        ("practice_ports = [1]", "practice_ports"),
        ("source_files = ['/etc/passwd']", "source_files"),
        ("schema = 1", "schema"),
    ],
)  # fmt: skip
def test_one_wrong_value_is_one_fault(write: Write, text: str, key: str) -> None:
    assert list(faults_of(write(text))) == [key]


ARCHIVE = "[[archives]]\nname = 'a'\nhost = 'h'\nport = 104\nae_title = 'A'\n"
STOW = "[[archives]]\nname = 'a'\nprotocol = 'stow'\nurl = 'https://h/web'\n"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (ARCHIVE + "proof = 'pixel-hash'", ["url"]),
        (ARCHIVE + "proof = 'storage-commitment'", ["commitment_port"]),
        (STOW + "proof = 'storage-commitment'", ["ae_title", "commitment_port", "host", "port"]),
        (STOW + "host = 'h'", ["port"]),
        (STOW + "port = 104", ["host"]),
        (STOW + "user = 'u'", ["password_key"]),
        (STOW + "password_key = 'k'", ["user"]),
        (STOW + "certificate_file = '/etc/hostname'", ["certificate_key_file"]),
        (STOW + "ca_file = '/nowhere/at/all'", ["ca_file"]),
        (STOW + "ca_file = 'relative.pem'", ["ca_file"]),
        (ARCHIVE + "url = 'ftp://h/'", ["url"]),
        (ARCHIVE + "url = 'https://me:secret@h/'", ["url"]),
        (ARCHIVE + "url = 'https://h/?q=1'", ["url"]),
        (ARCHIVE + "url = 'https:///x'", ["url"]),
        (ARCHIVE + "url = 'https://h:99999/'", ["url"]),
        (ARCHIVE + "url = 'http://[::1'", ["url"]),
        (ARCHIVE + "url = 'http://h/'\nuser = 'u'\npassword_key = 'k'", ["url"]),
        (ARCHIVE + "commitment_port = 2575\n[adt]\n", ["commitment_port"]),
        (ARCHIVE + "workers = 0", ["workers"]),
    ],
)
def test_archive_must_hang_together(write: Write, text: str, keys: list[str]) -> None:
    assert sorted(faults_of(write(text))) == [f"archives[0].{key}" for key in keys]


ADT_CERTIFICATE = "certificate_file = '/etc/hostname'\ncertificate_key_file = '/etc/hostname'\n"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("tls = true", ["certificate_file"]),
        ("certificate_file = '/etc/hostname'", ["certificate_key_file"]),
        ("sender_certificates = ['engine.example']", ["ca_file", "sender_certificates"]),
        ("tls = true\n" + ADT_CERTIFICATE, ["certificate_file"]),  # there, but no certificate
        ("sender_certificates = ['https://engine.example']", ["sender_certificates"]),
    ],
)
def test_the_trust_of_the_feed_must_hang_together(write: Write, text: str, keys: list[str]) -> None:
    assert {f"adt.{key}" for key in keys} <= set(faults_of(write("[adt]\n" + text)))


@pytest.mark.parametrize(
    "text",
    [
        ARCHIVE,
        STOW,
        ARCHIVE + "proof = 'pixel-hash'\nurl = 'http://h:8042/dicom-web'",
        ARCHIVE + "proof = 'storage-commitment'\ncommitment_port = 11113",
        STOW + "user = 'u'\npassword_key = 'k'",
        ARCHIVE + "url = 'http://127.0.0.1:8042/x'\nuser = 'u'\npassword_key = 'k'",
        ARCHIVE.replace("'h'", "'::1'"),
        ARCHIVE.replace("'h'", "'pacs.example.org.'"),
    ],
)
def test_archive_that_hangs_together_loads(write: Write, text: str) -> None:
    assert len(settings_of(write(text)).archives) == 1


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good.crt and its good.key, other.key, locked.key (a password) and text.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    write_certificates(folder)
    return folder


@pytest.mark.parametrize(
    ("authority", "certificate", "key", "keys"),
    [
        ("good.crt", "good.crt", "good.key", []),
        ("text.pem", "good.crt", "good.key", ["ca_file"]),
        ("text.pem", "text.pem", "good.key", ["ca_file", "certificate_file"]),
        ("good.crt", "good.crt", "other.key", ["certificate_file"]),
        ("good.crt", "good.crt", "locked.key", ["certificate_file"]),
    ],
)
def test_certificates_are_read_before_they_are_needed(
    write: Write, certificates: Path, authority: str, certificate: str, key: str, keys: list[str]
) -> None:
    names = {"ca_file": authority, "certificate_file": certificate, "certificate_key_file": key}
    lines = [f"{name} = '{certificates / file}'" for name, file in names.items()]
    path = write("\n".join([STOW, *lines]))
    if keys:
        assert sorted(faults_of(path)) == [f"archives[0].{key}" for key in keys]
    else:
        assert settings_of(path).archives[0].ca_file


@pytest.mark.parametrize("host", ["", "h:104", "http://h", "a b", "-a", "1.2.3.999", "a..b", "é"])
def test_what_is_no_host_is_a_fault(write: Write, host: str) -> None:
    text = f"[[worklists]]\nname = 'w'\nhost = '{host}'\nport = 1\nae_title = 'A'"
    assert list(faults_of(write(text))) == ["worklists[0].host"]


def device(kind: str, address: str) -> str:
    return f"[[devices]]\nid = 'd'\nname = 'D'\nkind = '{kind}'\naddress = '{address}'"


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("stream", ""), ("stream", "cam.local"), ("stream", "rtsp://me:secret@cam/1"),
        ("file", "x.mp4"), ("file", ""), ("camera", ""),
    ],
)  # fmt: skip
def test_address_must_fit_the_kind_of_device(write: Write, kind: str, address: str) -> None:
    fault = faults_of(write(device(kind, address)))["devices[0].address"]
    assert "secret" not in str(fault)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("stream", "rtsp://cam/1?channel=2"), ("stream", "http://127.0.0.1:8080/mjpeg"),
        ("file", "/srv/x.mp4"), ("camera", "0"), ("camera", "/dev/video2"), ("synthetic", ""),
    ],
)  # fmt: skip
def test_address_that_fits_loads(write: Write, kind: str, address: str) -> None:
    assert settings_of(write(device(kind, address))).devices[0].address == address


def test_names_must_differ_within_their_list(write: Write) -> None:
    worklist = "[[worklists]]\nname = 'w'\nhost = 'h'\nport = 1\nae_title = 'A'\n"
    text = ARCHIVE + ARCHIVE + worklist + worklist + device("camera", "0") + "\n"
    faults = faults_of(write(text + device("camera", "1")))
    assert sorted(faults) == ["archives[1].name", "devices[1].id", "worklists[1].name"]


def test_a_misplaced_secret_is_not_repeated(write: Write) -> None:
    text = STOW + "user = 'u'\npassword = 's3cret one'\npassword_key = 's3cret two!'"
    with pytest.raises(SettingsError) as raised:
        settings_of(write(text))
    assert "s3cret" not in str(raised.value)
    (unknown,) = (f for f in raised.value.faults if f.key == "archives[0].password")
    assert "password_key" in unknown.problem


def test_named_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "none.toml").values()
    assert "No such file" in fault.problem


def test_error_is_one_line_a_fault(write: Write) -> None:
    path = write("[adt]\nport = 70000")
    with pytest.raises(SettingsError) as raised:
        settings_of(path)
    assert str(raised.value) == (
        f"{path}: adt.port: 70000 is out of range. "
        "Allowed: a whole number, a number from 1 to 65535"
    )


def test_data_folder_is_known_before_settings_are() -> None:
    environ = {"HOME": "/home/x"}
    assert data_folder(data_dir=Path("/d"), environ=environ) == Path("/d")
    assert data_folder(data_dir=None, environ={"CAPTURE_APP_DATA": "/e"}) == Path("/e")
    standard = data_folder(data_dir=None, environ=environ)
    assert standard == Path("/home/x/.local/share/capture-app")
    assert data_folder(data_dir=None, environ={"XDG_DATA_HOME": "/s"}) == Path("/s/capture-app")
    assert data_folder(data_dir=Path("rel"), environ=environ).is_absolute()
