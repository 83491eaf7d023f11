import pytest

from capture_app.archive.dimse import dataset_of
from capture_app.errors import RefusedDeliveryError
from tests.archive_samples import photo


def test_the_dataset_is_what_follows_the_meta_information() -> None:
    part10 = photo().part10
    dataset = bytes(dataset_of(part10))
    assert part10.endswith(dataset)
    assert dataset.startswith(b"\x08\x00\x05\x00CS")  # Specific Character Set, the first of ours


@pytest.mark.parametrize("damage", ["empty", "no magic", "no group length", "cut in the meta"])
def test_what_is_no_file_of_ours_is_never_sent(damage: str) -> None:
    part10 = photo().part10
    damaged = {
        "empty": b"",
        "no magic": b"\0" * len(part10),
        "no group length": part10[:132] + part10[144:],
        "cut in the meta": part10[:200],
    }[damage]
    with pytest.raises(RefusedDeliveryError) as caught:
        dataset_of(damaged)
    assert caught.value.code == "seal-broken"
