import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import keyring
import keyring.backend
import keyring.errors
import pytest

from capture_app.errors import KeyUnavailableError
from capture_app.security.keys import CHECK_FILE, load_or_create_key, read_secret
from capture_app.settings.schema import KeyStore, Security
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import write_sealed


class Wallet(keyring.backend.KeyringBackend):
    """A key store of this process alone: what SecretService or DPAPI are to keyring."""

    priority: ClassVar[float] = 1
    entries: dict[tuple[str, str], str]
    locked = False
    forgetful = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgetful:
            self.entries[service, username] = password


ALLOWED = Security(allowed_keyring_backends=(f"{__name__}.Wallet",))


@pytest.fixture
def wallet() -> Iterator[Wallet]:
    before = keyring.get_keyring()
    wallet = Wallet()  # type: ignore[no-untyped-call]
    wallet.entries = {}
    keyring.set_keyring(wallet)
    yield wallet
    keyring.set_keyring(before)


def in_file(path: Path) -> Security:
    return Security(key_store=KeyStore.FILE, key_file=str(path))


def get(security: Security, folder: Path, *, practice: bool = False) -> bytes:
    return load_or_create_key(security, folder, practice=practice)


def put_something_sealed(folder: Path) -> None:
    (folder / "outbox").mkdir()
    write_sealed(
        folder / "outbox", uid="2.25.1", identity=b"", content=b"", cipher=Cipher(bytes(32)),
        kind="capture",
    )  # fmt: skip


def test_key_is_made_once_and_kept_in_the_key_store(tmp_path: Path, wallet: Wallet) -> None:
    key = get(ALLOWED, tmp_path / "data")
    assert len(key) == 32
    assert get(ALLOWED, tmp_path / "data") == key
    assert list(wallet.entries.values()) == [key.hex()]
    assert all(key.hex() not in path.read_text() for path in (tmp_path / "data").iterdir())


def test_each_data_folder_has_a_key_of_its_own(tmp_path: Path, wallet: Wallet) -> None:
    assert get(ALLOWED, tmp_path / "a") != get(ALLOWED, tmp_path / "b")


def test_data_folder_that_was_moved_keeps_its_key(tmp_path: Path, wallet: Wallet) -> None:
    key = get(ALLOWED, tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert get(ALLOWED, tmp_path / "b") == key


def test_key_is_found_again_where_its_note_was_lost(tmp_path: Path, wallet: Wallet) -> None:
    key = get(ALLOWED, tmp_path)
    put_something_sealed(tmp_path)
    (tmp_path / CHECK_FILE).unlink()
    assert get(ALLOWED, tmp_path) == key


@pytest.mark.parametrize("rest", ["sealed", "database", "note"])
def test_missing_key_where_something_is_sealed_is_never_made_anew(
    tmp_path: Path, wallet: Wallet, rest: str
) -> None:
    get(ALLOWED, tmp_path)
    wallet.entries.clear()
    if rest != "note":
        (tmp_path / CHECK_FILE).unlink()
    if rest == "sealed":
        put_something_sealed(tmp_path)
    if rest == "database":
        (tmp_path / "outbox.db").touch()
    with pytest.raises(KeyUnavailableError, match="No new key was made"):
        get(ALLOWED, tmp_path)
    assert wallet.entries == {}


def test_another_key_in_its_place_is_refused(tmp_path: Path, wallet: Wallet) -> None:
    get(ALLOWED, tmp_path)
    for entry in wallet.entries:
        wallet.entries[entry] = "ab" * 32
    with pytest.raises(KeyUnavailableError, match="not the key of"):
        get(ALLOWED, tmp_path)


def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, wallet: Wallet) -> None:
    get(ALLOWED, tmp_path)
    for entry in wallet.entries:
        wallet.entries[entry] = "hunter2"
    with pytest.raises(KeyUnavailableError, match="not a key") as raised:
        get(ALLOWED, tmp_path)
    assert "hunter2" not in str(raised.value)


def test_backend_that_is_not_allowed_is_refused_by_name(tmp_path: Path, wallet: Wallet) -> None:
    with pytest.raises(KeyUnavailableError, match=r"Wallet\) is not an allowed one"):
        get(Security(), tmp_path)
    assert wallet.entries == {}
    with pytest.raises(KeyUnavailableError, match="not an allowed one"):
        read_secret(Security(), "pacs")


@pytest.mark.parametrize(
    "backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"]
)
def test_backends_that_keep_nothing_are_refused(tmp_path: Path, backend: str) -> None:
    """A real process with a real choice of backend: nothing is put in keyring's place."""
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from capture_app.errors import KeyUnavailableError\n"
        "from capture_app.security.keys import load_or_create_key\n"
        "from capture_app.settings.schema import Security\n"
        "try: load_or_create_key(Security(), Path(sys.argv[1]), practice=False)\n"
        "except KeyUnavailableError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON_KEYRING_BACKEND": backend},
        timeout=60,
    )
    assert f"({backend}) is not an allowed one" in done.stdout


def test_chain_is_allowed_only_if_every_link_is(tmp_path: Path, wallet: Wallet) -> None:
    chain = type("ChainerBackend", (), {"backends": [wallet, object()]})
    chain.__module__ = "keyring.backends.chainer"
    keyring.core._keyring_backend = chain()
    with pytest.raises(KeyUnavailableError, match=r"builtins\.object"):
        get(ALLOWED, tmp_path)


def test_locked_key_store_is_said(tmp_path: Path, wallet: Wallet) -> None:
    wallet.locked = True
    with pytest.raises(KeyUnavailableError, match="unlocked"):
        get(ALLOWED, tmp_path)


def test_key_store_that_forgets_is_found_out_at_once(tmp_path: Path, wallet: Wallet) -> None:
    wallet.forgetful = True
    with pytest.raises(KeyUnavailableError, match="did not keep"):
        get(ALLOWED, tmp_path)
    assert not (tmp_path / CHECK_FILE).exists()


def test_key_file_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    key = get(in_file(path), tmp_path / "data")
    assert get(in_file(path), tmp_path / "data") == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"{key.hex()}\n"
    assert json.loads((tmp_path / "data" / CHECK_FILE).read_text())["entry"] == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    get(in_file(path), tmp_path / "data")
    path.chmod(mode)
    with pytest.raises(KeyUnavailableError, match="chmod 600"):
        get(in_file(path), tmp_path / "data")


def test_key_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    get(in_file(path), tmp_path / "data")
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(KeyUnavailableError, match="cannot be read"):
        get(in_file(tmp_path / "link"), tmp_path / "data")


def test_missing_key_file_where_something_is_sealed_is_never_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "key"
    get(in_file(path), tmp_path / "data")
    put_something_sealed(tmp_path / "data")
    path.unlink()
    with pytest.raises(KeyUnavailableError, match="No new key was made"):
        get(in_file(path), tmp_path / "data")
    assert not path.exists()


def test_key_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    get(in_file(path), tmp_path / "data")
    path.write_text(path.read_text()[:40])
    with pytest.raises(KeyUnavailableError, match="not a key"):
        get(in_file(path), tmp_path / "data")


def test_key_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyUnavailableError, match="cannot be"):
        get(in_file(tmp_path / "file" / "key"), tmp_path / "data")


def test_two_data_folders_may_share_a_key_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert get(in_file(path), tmp_path / "a") == get(in_file(path), tmp_path / "b")


def test_practice_keeps_its_key_in_its_own_folder(tmp_path: Path) -> None:
    key = get(Security(), tmp_path / "data", practice=True)
    path = tmp_path / "data" / "practice.key"
    assert path.read_text() == f"{key.hex()}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert get(Security(), tmp_path / "data", practice=True) == key


def test_two_processes_at_the_first_start_agree_on_one_key(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from capture_app.security.keys import load_or_create_key\n"
        "from capture_app.settings.schema import KeyStore, Security\n"
        "sys.stdin.readline()\n"
        "security = Security(key_store=KeyStore.FILE, key_file=sys.argv[2])\n"
        "print(load_or_create_key(security, Path(sys.argv[1]), practice=False).hex())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "data"), str(tmp_path / "key")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    keys = set()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        out, _ = process.communicate(timeout=60)
        keys.add(out.strip())
    assert len(keys) == 1
    assert len(keys.pop()) == 64


def test_secret_comes_from_the_key_store(tmp_path: Path, wallet: Wallet) -> None:
    wallet.entries["capture-app", "pacs"] = "s3cret"
    assert read_secret(ALLOWED, "pacs") == "s3cret"
    with pytest.raises(KeyUnavailableError, match="no entry ris"):
        read_secret(ALLOWED, "ris")


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("пароль\n".encode(), "пароль"),
        ("zoë's 密\r\n".encode(), "zoë's 密"),
        (b"\xef\xbb\xbfs3cret", "s3cret"),
        (b" with spaces \nnot this", " with spaces "),
    ],
)
def test_secret_of_any_letters_is_read_as_it_is_written(
    tmp_path: Path, written: bytes, secret: str
) -> None:
    security = Security(key_store=KeyStore.FILE, key_file=str(tmp_path / "key"))
    path = tmp_path / "pacs.secret"
    path.write_bytes(written)
    path.chmod(0o600)
    assert read_secret(security, "pacs") == secret


def test_secret_in_another_coding_is_told_and_never_sent_mangled(tmp_path: Path) -> None:
    security = Security(key_store=KeyStore.FILE, key_file=str(tmp_path / "key"))
    path = tmp_path / "pacs.secret"
    path.write_bytes("zoë".encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(KeyUnavailableError, match="is not UTF-8 text") as raised:
        read_secret(security, "pacs")
    assert "zo" not in str(raised.value).replace(str(tmp_path), "")


def test_secret_beside_the_key_file_must_be_closed_to_others(tmp_path: Path) -> None:
    security = in_file(tmp_path / "key")
    secret = tmp_path / "pacs.secret"
    with pytest.raises(KeyUnavailableError, match="no entry pacs"):
        read_secret(security, "pacs")
    secret.write_text("s3cret\nnot this\n")
    secret.chmod(0o644)
    with pytest.raises(KeyUnavailableError, match="chmod 600"):
        read_secret(security, "pacs")
    secret.chmod(0o600)
    assert read_secret(security, "pacs") == "s3cret"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o722])
def test_key_file_in_a_folder_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    keys = tmp_path / "keys"
    key = get(in_file(keys / "capture.key"), tmp_path / "data")
    keys.chmod(mode)
    with pytest.raises(KeyUnavailableError, match="chmod 700"):
        get(in_file(keys / "capture.key"), tmp_path / "data")
    keys.chmod(0o755)
    assert get(in_file(keys / "capture.key"), tmp_path / "data") == key
