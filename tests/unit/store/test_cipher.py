import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.errors import SealBrokenError
from capture_app.store.cipher import Cipher

KEY = bytes(range(32))
CIPHER = Cipher(KEY)


@given(plain=st.binary(max_size=200), context=st.binary(max_size=50))
def test_blob_comes_back_in_its_context_alone(plain: bytes, context: bytes) -> None:
    blob = CIPHER.seal_blob(plain, context)
    assert CIPHER.open_blob(blob, context) == plain
    with pytest.raises(SealBrokenError):
        CIPHER.open_blob(blob, context + b"x")


def test_every_flipped_bit_and_every_truncation_of_a_blob_is_refused() -> None:
    blob = CIPHER.seal_blob(b"JONES^ANNA", b"patient.1")
    assert b"JONES" not in blob
    for position in range(len(blob) * 8):
        bad = bytearray(blob)
        bad[position // 8] ^= 1 << position % 8
        with pytest.raises(SealBrokenError):
            CIPHER.open_blob(bytes(bad), b"patient.1")
    for length in range(len(blob)):
        with pytest.raises(SealBrokenError):
            CIPHER.open_blob(blob[:length], b"patient.1")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealBrokenError):
        Cipher(bytes(32)).open_blob(CIPHER.seal_blob(b"x", b""), b"")


def test_equal_values_do_not_look_equal() -> None:
    assert CIPHER.seal_blob(b"x", b"") != CIPHER.seal_blob(b"x", b"")


def test_keyed_hash_is_stable_and_depends_on_key_and_on_where_parts_end() -> None:
    assert CIPHER.keyed_hash("ab", "c") == Cipher(KEY).keyed_hash("ab", "c")
    others = [
        CIPHER.keyed_hash("a", "bc"),
        CIPHER.keyed_hash("abc"),
        CIPHER.keyed_hash("ab", "c", ""),
        Cipher(bytes(32)).keyed_hash("ab", "c"),
        CIPHER.keyed_hash(),
    ]
    assert len({CIPHER.keyed_hash("ab", "c"), *others}) == 6


def test_keys_for_different_uses_differ() -> None:
    keys = {CIPHER.subkey(b"a", b""), CIPHER.subkey(b"b", b""), CIPHER.subkey(b"a", b"salt"), KEY}
    assert len(keys) == 4


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(31), bytes(33)])
def test_a_key_of_another_length_is_a_fault_of_ours(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher(key)


def test_key_does_not_show_itself() -> None:
    assert KEY.hex() not in repr(CIPHER)
    assert repr(KEY) not in repr(CIPHER)
    assert not hasattr(CIPHER, "__dict__")
