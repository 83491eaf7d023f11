"""The master key: in the key store of the system under an allowed backend, or in a 0600 file.

Losing the key is losing the images, so a key is only ever made for a data folder that holds nothing
sealed yet. `key-check.json` in the data folder says which entry of the key store is this folder's,
and by a keyed hash whether a key that was found is the right one.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from capture_app.audit.anchor import AnchorPlace
from capture_app.errors import KeyUnavailableError
from capture_app.model.words import tr
from capture_app.settings.schema import KeyStore, Security
from capture_app.settings.write_once import (
    is_open_to_others,
    make_folder,
    replace_file,
    write_once,
)
from capture_app.store.cipher import KEY_BYTES, Cipher
from capture_app.store.role import alone
from capture_app.store.sealed import SUFFIX

SERVICE: Final = "capture-app"
CHECK_FILE: Final = "key-check.json"
PRACTICE_KEY_FILE: Final = "practice.key"
_NO_CHARACTER: Final = "\N{REPLACEMENT CHARACTER}"
_HEX_KEY: Final = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")


def load_or_create_key(security: Security, data_dir: Path, *, practice: bool) -> bytes:
    """The 32-byte master key of a data folder, made at the first start and never again.

    To be called before anything is stored in the folder. Practice keeps its key in its own folder:
    there is nothing of a patient in it. Raises KeyUnavailableError where the key store may not be
    used, where the key is missing though something sealed is there, or where it is another key.
    """
    make_folder(data_dir)
    with alone(data_dir / "key.lock"):
        place = _place_of_key(security, data_dir, practice=practice)
        text = place.text
        if text is None:
            text = secrets.token_hex(KEY_BYTES)
            text = (
                _to_keyring(place.entry, text) if place.entry else _write_key_file(place.path, text)
            )
        key = _key_of(text)
        if not _is_noted(data_dir, key):
            check = {"entry": place.entry, "check": _check_of(key)}
            write_once(data_dir / CHECK_FILE, (json.dumps(check, indent=1) + "\n").encode())
        return key


def look_for_key(security: Security, data_dir: Path, *, practice: bool) -> bool:
    """Whether the key of a data folder is there; False where the first start would make it.

    Makes and writes nothing. Raises as `load_or_create_key`.
    """
    text = _place_of_key(security, data_dir, practice=practice).text
    if text is None:
        return False
    _is_noted(data_dir, _key_of(text))
    return True


@dataclass(frozen=True, slots=True)
class _KeyPlace:
    """Where the key of a folder is or would be: an entry of the key store, else a file."""

    entry: str
    path: Path
    text: str | None
    """What stands there; None where nothing does, and none is needed yet."""


def _place_of_key(security: Security, data_dir: Path, *, practice: bool) -> _KeyPlace:
    if practice or security.key_store is KeyStore.FILE:
        path = data_dir / PRACTICE_KEY_FILE if practice else Path(security.key_file)
        _require_closed(path.parent)
        place = _KeyPlace("", path, _read_key_file(path))
    else:
        _require_allowed_backend(security)
        entry = _entry_of(data_dir)
        place = _KeyPlace(entry, Path(), _from_keyring(entry))
    if place.text is None and _holds_something_sealed(data_dir):
        raise KeyUnavailableError(
            tr(
                "The key that opens the pictures in {folder} is missing. Bring back the "
                "key store or key file of the user who made them. No new key was made.",
                folder=data_dir,
            )
        )
    return place


def _key_of(text: str) -> bytes:
    if not _HEX_KEY.fullmatch(text):
        raise KeyUnavailableError(tr("What stands in the place of the key is not a key."))
    return bytes.fromhex(text)


def read_secret(security: Security, name: str) -> str:
    """The password that a setting names: an entry of the key store.

    With key_store = file it is the first line of `<name>.secret` beside the key file, UTF-8, mode
    0600. Raises KeyUnavailableError where there is none, or none that can be read.
    """
    if security.key_store is KeyStore.FILE:
        path = Path(security.key_file).parent / f"{name}.secret"
        secret: str | None = (_read_private(path) or "").partition("\n")[0]
        if _NO_CHARACTER in (secret or ""):
            raise KeyUnavailableError(tr("{path} is not UTF-8 text. Save it anew.", path=path))
    else:
        _require_allowed_backend(security)
        secret = _from_keyring(name)
    if not secret:
        raise KeyUnavailableError(
            tr("The key store has no entry {name} of {service}.", name=name, service=SERVICE)
        )
    return secret


def trail_anchor(security: Security, data_dir: Path) -> AnchorPlace:
    """Where the head of the trail of a data folder is noted outside it: beside the key.

    An entry of the key store, or with key_store = file a 0600 file beside the key file. Its `read`
    and `write` raise KeyUnavailableError.
    """
    name = f"{_entry_by_path(data_dir)}-trail"
    if security.key_store is KeyStore.FILE:
        path = Path(security.key_file).parent / f"{name}.json"
        return AnchorPlace(lambda: _read_private(path), lambda text: _replace_private(path, text))

    def write(text: str) -> None:
        _to_keyring(name, text)

    return AnchorPlace(lambda: _from_keyring(name), write)


def _require_allowed_backend(security: Security) -> None:
    """By name: where it finds one, keyring falls back on a plain text file without a word."""
    import keyring  # noqa: PLC0415 - where the key is in a file nobody need wait for it

    for backend in _backends(keyring.get_keyring()):
        name = f"{type(backend).__module__}.{type(backend).__qualname__}"
        if name not in security.allowed_keyring_backends:
            raise KeyUnavailableError(
                tr(
                    "The key store of this system ({name}) is not an allowed one. Allowed: "
                    "{allowed}. Start a key store, or set security.key_store = file.",
                    name=name,
                    allowed=", ".join(security.allowed_keyring_backends),
                )
            )


def _backends(backend: object) -> tuple[object, ...]:
    """The backend, or those that a chain would ask one after the other."""
    if type(backend).__module__ == "keyring.backends.chainer":
        chained = tuple(getattr(backend, "backends", ()))
        return chained or (backend,)
    return (backend,)


def _entry_of(data_dir: Path) -> str:
    """Which entry holds this folder's key: as noted at the first start, else by its path."""
    noted = _read_check(data_dir)
    if noted and noted.get("entry"):
        return noted["entry"]
    return _entry_by_path(data_dir)


def _entry_by_path(data_dir: Path) -> str:
    return f"data-{sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]}"


def _from_keyring(entry: str) -> str | None:
    import keyring  # noqa: PLC0415
    import keyring.errors  # noqa: PLC0415

    try:
        return keyring.get_password(SERVICE, entry)
    except keyring.errors.KeyringError as error:
        raise _keyring_refused(error) from error


def _to_keyring(entry: str, text: str) -> str:
    """What stands in the key store afterwards: read back, because a null backend takes anything."""
    import keyring  # noqa: PLC0415
    import keyring.errors  # noqa: PLC0415

    try:
        keyring.set_password(SERVICE, entry, text)
        found = keyring.get_password(SERVICE, entry)
    except keyring.errors.KeyringError as error:
        raise _keyring_refused(error) from error
    if found != text:
        raise KeyUnavailableError(tr("The key store did not keep the key."))
    return found


def _keyring_refused(error: Exception) -> KeyUnavailableError:
    return KeyUnavailableError(
        tr("The key store refused ({kind}). Is it unlocked?", kind=type(error).__name__)
    )


def _read_key_file(path: Path) -> str | None:
    text = _read_private(path)
    return None if text is None else text.strip()


def _require_closed(folder: Path) -> None:
    """Raises KeyUnavailableError where somebody else could exchange what is in a folder."""
    if folder.exists() and is_open_to_others(folder):
        raise KeyUnavailableError(
            tr(
                "The folder {folder} of the key file must be this user's own and closed to changes "
                "by all others (chmod 700), and no folder above it one that all may write.",
                folder=folder,
            )
        )


def _read_private(path: Path) -> str | None:
    """The text of a file that its owner alone can read; None where it is not there."""
    flags = os.O_RDONLY
    if sys.platform != "win32":
        flags |= os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyUnavailableError(
            tr(
                "The key file {path} cannot be read: {reason}.",
                path=path,
                reason=error.strerror or type(error).__name__,
            )
        ) from error
    with os.fdopen(descriptor, encoding="utf-8-sig", errors="replace") as file:
        found = os.fstat(file.fileno())
        # Windows has no such mode: there the folder of the user's own protects it.
        if sys.platform != "win32" and (
            stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid()
        ):
            raise KeyUnavailableError(
                tr(
                    "The key file {path} must belong to this user and be closed to all others "
                    "(chmod 600).",
                    path=path,
                )
            )
        return file.read(4096)


def _write_key_file(path: Path, text: str) -> str:
    try:
        make_folder(path.parent)
        write_once(path, f"{text}\n".encode("ascii"))
    except OSError as error:
        raise KeyUnavailableError(
            tr(
                "The key file {path} cannot be written: {reason}.",
                path=path,
                reason=error.strerror or type(error).__name__,
            )
        ) from error
    # Another data folder with the same key file may have been first: then its key is ours as well.
    return _read_key_file(path) or ""


def _replace_private(path: Path, text: str) -> None:
    try:
        replace_file(path, f"{text}\n".encode())
    except OSError as error:
        raise KeyUnavailableError(
            tr(
                "The file {path} beside the key cannot be written: {reason}.",
                path=path,
                reason=error.strerror or type(error).__name__,
            )
        ) from error


def _holds_something_sealed(data_dir: Path) -> bool:
    if any(data_dir.glob("*.db")) or (data_dir / CHECK_FILE).exists():
        return True
    return any(data_dir.rglob(f"*{SUFFIX}"))


def _read_check(data_dir: Path) -> dict[str, str] | None:
    try:
        noted = json.loads((data_dir / CHECK_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        noted = None
    if not isinstance(noted, dict):
        raise KeyUnavailableError(
            tr("The file {file} in the data folder is damaged.", file=CHECK_FILE)
        )
    return {str(name): str(value) for name, value in noted.items()}


def _check_of(key: bytes) -> str:
    return Cipher(key).keyed_hash("key check")


def _is_noted(data_dir: Path, key: bytes) -> bool:
    """Whether the folder knows this key already. Raises KeyUnavailableError for another one."""
    noted = _read_check(data_dir)
    if noted is None:
        return False
    if noted.get("check") != _check_of(key):
        raise KeyUnavailableError(
            tr(
                "The key that was found is not the key of {folder}: it would open none of its "
                "pictures. Nothing was changed.",
                folder=data_dir,
            )
        )
    return True
