"""The mandatory layer, where each value comes from, and files as editors save them."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capture_app.cli.main import main
from capture_app.errors import SettingsError, SettingsFault
from capture_app.settings import policy
from capture_app.settings.describe import settings_shown, settings_toml
from capture_app.settings.load import load, load_layers
from capture_app.settings.policy import policy_table
from capture_app.settings.schema import Settings

Mandate = Callable[[str], Path]


@pytest.fixture
def mandate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mandate:
    """Writes the mandatory file, in the place that it has for this test."""
    path = tmp_path / "mandatory.toml"
    monkeypatch.setattr(policy, "MANDATORY_FILE", path)
    monkeypatch.setattr(policy, "OWNERS", frozenset({os.getuid()}))

    def write(text: str) -> Path:
        path.write_text(f"schema_version = 1\n{text}", encoding="utf-8")
        return path

    return write


def write_layer(folder: Path, text: str) -> Path:
    path = folder / "capture-app" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f"schema_version = 1\n{text}", encoding="utf-8")
    return path


def test_what_is_mandatory_stands_above_all_and_the_rest_is_told(
    tmp_path: Path, mandate: Mandate
) -> None:
    machine = write_layer(tmp_path / "m", '[station]\nname = "M"\ndepartment = "Dermatology"')
    user = write_layer(tmp_path / "u", '[station]\nname = "U"\n[security]\nlock_after_minutes = 60')
    file = mandate(
        f'data_dir = "{tmp_path}/data"\n[station]\nae_title = "MUST"\nname = "U"\n'
        "[security]\nlock_after_minutes = 3"
    )
    loaded = load_layers(
        settings_file=None,
        data_dir=Path("/srv/flag"),
        environ={
            "HOME": "/home/x",
            "XDG_CONFIG_DIRS": str(tmp_path / "m"),
            "XDG_CONFIG_HOME": str(tmp_path / "u"),
            "CAPTURE_APP_STATION_AE_TITLE": "MINE",
            "CAPTURE_APP_STATION_LANGUAGE": "fr",
        },
    )
    settings = loaded.settings
    assert settings.data_dir == tmp_path / "data"
    assert (settings.station.ae_title, settings.station.name) == ("MUST", "U")
    assert settings.security.lock_after_minutes == 3
    assert settings.source_files == (machine, user)
    by = f"mandatory: {file}"
    assert [str(one) for one in loaded.overridden] == [
        f"data_dir of flag: --data is not used: {by} decides.",
        f"station.ae_title of environment: CAPTURE_APP_STATION_AE_TITLE is not used: {by} decides.",
        f"security.lock_after_minutes of user: {user} is not used: {by} decides.",
    ]
    shown = settings_toml(settings, loaded.origins)
    for line in (
        f'ae_title = "MUST"  # {by}',
        f'department = "Dermatology"  # machine: {machine}',
        'language = "fr"  # environment: CAPTURE_APP_STATION_LANGUAGE',
        'theme = "dark"  # default',
    ):
        assert line in shown.splitlines()
    again = tmp_path / "again.toml"
    again.write_text(shown)
    named = load_layers(settings_file=again, data_dir=None, environ={})
    assert named.settings.station == settings.station
    assert settings_shown(settings, loaded.origins)["origins"]["station.name"] == by


def test_a_file_that_is_named_does_not_escape_it(tmp_path: Path, mandate: Mandate) -> None:
    mandate("[[worklists]]\nname = 'must'\nhost = 'ris'\nport = 104\nae_title = 'RIS'")
    named = tmp_path / "named.toml"
    named.write_text(
        "schema_version = 1\n[[worklists]]\nname = 'own'\nhost = 'x'\nport = 1\nae_title = 'X'"
    )
    loaded = load_layers(settings_file=named, data_dir=None, environ={})
    assert [one.name for one in loaded.settings.worklists] == ["must"]  # as a whole
    assert [one.key for one in loaded.overridden] == ["worklists"]
    assert loaded.origins["worklists[0].port"].startswith("mandatory: ")


def test_a_mandatory_file_that_is_at_fault_is_never_passed_over(
    mandate: Mandate, tmp_path: Path
) -> None:
    file = mandate("[station]\nae_title = 'MUST'\n")
    file.chmod(0o666)
    with pytest.raises(SettingsError, match="it would bind nobody"):
        load(settings_file=None, data_dir=None, environ={})
    file.chmod(0o644)
    tmp_path.chmod(0o770)  # whoever can write it puts another file in its place
    with pytest.raises(SettingsError, match="it would bind nobody"):
        load(settings_file=None, data_dir=None, environ={})
    tmp_path.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "OWNERS", frozenset({os.getuid() + 1}))  # it is a user's own
        with pytest.raises(SettingsError, match="it would bind nobody"):
            load(settings_file=None, data_dir=None, environ={})
    file.write_text("no TOML")
    with pytest.raises(SettingsError, match=r"mandatory\.toml: the file: It is not TOML"):
        load(settings_file=None, data_dir=None, environ={})
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsError, match=r"mandatory\.toml: the file: It cannot be read"):
        load(settings_file=None, data_dir=None, environ={})
    assert tmp_path.is_dir()


@pytest.mark.expects_log("setting-overridden")
def test_commands_tell_it(
    mandate: Mandate, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mandate("[station]\nname = 'MUST'\n[security]\nkey_store = 'file'\n")
    named = tmp_path / "named.toml"
    named.write_text(
        "schema_version = 1\n[station]\nname = 'X'\n"
        f"[security]\nkey_store = 'file'\nkey_file = '{tmp_path}/key'\n"
    )
    common = ["--settings", str(named), "--data", str(tmp_path / "data")]
    assert main(["settings", "show", *common]) == 0
    told = "station.name of the file that was named: "
    assert capfd.readouterr().err.startswith(told)
    assert main(["outbox", *common]) == 0
    assert "setting-overridden" in (said := capfd.readouterr().err)
    assert told in said


def test_what_is_missing_is_missing_where_something_was_written(tmp_path: Path) -> None:
    environ = {"HOME": "/home/x", "XDG_CONFIG_HOME": str(tmp_path)}
    user = write_layer(tmp_path, "")
    loaded = load_layers(settings_file=None, data_dir=None, environ=environ)
    assert loaded.place_of("archives") == str(user)
    environ["CAPTURE_APP_STATION_NAME"] = "A"
    user.unlink()
    loaded = load_layers(settings_file=None, data_dir=None, environ=environ)
    assert loaded.place_of("archives") == "environment"


def test_every_folder_of_the_system_counts_the_first_most(tmp_path: Path) -> None:
    first = write_layer(tmp_path / "a", "[station]\nname = 'A'")
    last = write_layer(tmp_path / "b", "[station]\nname = 'B'\nae_title = 'B'")
    named = [str(tmp_path / "a"), str(tmp_path / "none"), "relative", "", str(tmp_path / "b")]
    environ = {"HOME": "/home/x", "XDG_CONFIG_DIRS": os.pathsep.join(named)}
    settings = load(settings_file=None, data_dir=None, environ=environ)
    assert (settings.station.name, settings.station.ae_title) == ("A", "B")
    assert settings.source_files == (last, first)


def test_a_folder_that_is_not_absolute_names_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layer(tmp_path / "here", "[station]\nname = 'HERE'")
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": "/home/x", "XDG_CONFIG_HOME": "here", "XDG_DATA_HOME": "here"}
    settings = load(settings_file=None, data_dir=None, environ=environ)
    assert settings == Settings(Path("/home/x/.local/share/capture-app"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_file_is_read_as_any_editor_saves_it(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "settings.toml"
    text = "schema_version = 1\n[institution]\nname = 'Hôpital'\n# as Windows writes\n"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    assert path.read_bytes().startswith(codecs.BOM_UTF8) == (encoding == "utf-8-sig")
    settings = load(settings_file=path, data_dir=None, environ={})
    assert settings.institution.name == "Hôpital"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"schema_version = 1\nname = = 3", "line 2, column 8"),
        (b"schema_version = 1\n[station]\nname = 's3cret", "not TOML"),
        (b"schema_version = 1\nname = '\xff'", "Save it anew as UTF-8"),
        (b"schema_version = 1\n[adt]\nport = 1\nport = 2\n", "stands there twice, at line 4."),
        (b"schema_version = 1\n[adt]\n[station]\n[adt]", "stands there twice, at line 4."),
        (b"schema_version = 1\nadt = {port = 1, port = 2}", "stands there twice, at line 2."),
        (b"schema_version = 1\n[[archives]]\n[archives]\n", "stands there twice, at line 3."),
        (
            b'schema_version = 1\ndata_dir = "C:\\Data"\n',
            "in single quotes, as 'C:\\folder\\file'.",
        ),
        (b'schema_version = 1\ndata_dir = "\\\\srv\\Data"\n', "stands in double quotes, at line 2"),
        (b'schema_version = 1\r\ndata_dir = "C:\\Data"\r\n', "stands in double quotes, at line 2"),
        (b"[station]\nname = 'X'", "missing"),
        (b"schema_version = 2", "does not know"),
        (b"schema_version = true", "does not know"),
        (b"schema_version = '1'", "does not know"),
    ],
)
def test_file_that_cannot_be_used_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        load(settings_file=path, data_dir=None, environ={"HOME": "/home/x"})
    (fault,) = raised.value.faults
    assert fault.file == str(path)
    assert words in fault.problem
    assert "s3cret" not in str(fault)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (r'data_dir = "C:\temp"', "data_dir"),
        ((r"[security]" "\n" r'key_file = "C:\new.key"'), "security.key_file"),
        (
            (
                "[[archives]]\nname = 'p'\nhost = 'p'\nport = 1\nae_title = 'P'\n"
                r'ca_file = "C:\root.pem"'
            ),
            "archives[0].ca_file",
        ),
        (
            ("[[devices]]\nid = 'f'\nname = 'F'\nkind = 'file'\n" r'address = "C:\foot.jpg"'),
            "devices[0].address",
        ),
    ],
)
def test_an_escape_that_is_none_is_told(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"schema_version = 1\n{text}\n")
    with pytest.raises(SettingsError) as raised:
        load(settings_file=path, data_dir=None, environ={"HOME": "/home/x"})
    (fault,) = (one for one in raised.value.faults if one.key == key)
    assert fault.problem == r"It holds a control character. Put a path with \ in single quotes."


def test_a_path_of_windows_in_single_quotes_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        "schema_version = 1\n[[devices]]\nid = 'c'\nname = 'C'\nkind = 'camera'\n"
        r"address = '\\?\usb#vid_046d'"
    )
    (device,) = load(settings_file=path, data_dir=None, environ={}).devices
    assert device.address == r"\\?\usb#vid_046d"


def test_a_policy_of_windows_is_read_in_the_types_of_the_schema() -> None:
    """The tree as the registry gives it: names in lower case, REG_SZ, REG_DWORD, REG_MULTI_SZ."""
    table = policy_table(
        {
            "practice": 0,
            "station": {"name": "W"},
            "security": {"lock_after_minutes": "2.5", "second_identifier": 1},
            "adt": {"port": 2576, "wards": ["4B", "5C"], "sex_codes": "W=F, M=M"},
            "archives": {
                "2": {"name": "vna", "protocol": "stow", "url": "https://vna/x"},
                "1": {"name": "pacs", "host": "p", "port": "104", "ae_title": "P", "tls": "true"},
            },
            "nonsense": {"a": "b"},
        },
        Settings,
        "HKLM",
    )
    from capture_app.settings.load import _Reader  # noqa: PLC0415 - the reader of every layer

    faults: list[SettingsFault] = []
    reader = _Reader(faults)
    settings = reader.table(Settings, table, "")
    assert [(one.file, one.key) for one in faults] == [
        (r"HKLM\nonsense", "nonsense"),
        ("HKLM", "data_dir"),
    ]
    assert settings.adt is not None
    assert (settings.practice, settings.station.name) == (False, "W")
    assert (settings.security.lock_after_minutes, settings.security.second_identifier) == (
        2.5,
        True,
    )
    assert (settings.adt.port, settings.adt.wards) == (2576, ("4B", "5C"))
    assert settings.adt.sex_codes == ("W=F", "M=M")
    assert [one.name for one in settings.archives] == ["pacs", "vna"]
    assert settings.archives[0].tls
    assert settings.archives[0].port == 104
    assert reader.origin_of("archives[0].tls") == r"HKLM\archives\1\tls"
