import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pynetdicom.dsutils import encode

from capture_app.net.dicom.element_count import MOST_ELEMENTS, refuse_too_many_elements

SYNTAXES = [True, False]


def encoded(ds: Dataset, *, is_implicit_vr: bool) -> bytes:
    content = encode(ds, is_implicit_vr, is_little_endian=True)
    assert content is not None
    return content


def image(items: int, *, is_undefined_length: bool = False, depth: int = 1) -> Dataset:
    """A large dataset with so many items in its innermost sequence."""
    within: list[Dataset] = [Dataset() for _ in range(items)]
    for _ in range(depth):
        holder = Dataset()
        holder.ReferencedImageSequence = within
        holder["ReferencedImageSequence"].is_undefined_length = is_undefined_length
        within = [holder]
    (ds,) = within
    ds.PatientID = "900001"
    ds.PixelData = b"\0" * 200_000
    ds["PixelData"].VR = "OB"
    return ds


@pytest.mark.parametrize("is_implicit_vr", SYNTAXES)
@pytest.mark.parametrize("is_undefined_length", [True, False])
@pytest.mark.parametrize("depth", [1, 3])
def test_items_are_counted_wherever_they_stand(
    *, is_implicit_vr: bool, is_undefined_length: bool, depth: int
) -> None:
    few = image(MOST_ELEMENTS // 2, is_undefined_length=is_undefined_length, depth=depth)
    many = image(MOST_ELEMENTS, is_undefined_length=is_undefined_length, depth=depth)
    refuse_too_many_elements(
        encoded(few, is_implicit_vr=is_implicit_vr), is_implicit_vr=is_implicit_vr
    )
    with pytest.raises(ValueError, match="too many"):
        refuse_too_many_elements(
            encoded(many, is_implicit_vr=is_implicit_vr), is_implicit_vr=is_implicit_vr
        )


@pytest.mark.parametrize(("fragments", "is_too_many"), [(100, False), (MOST_ELEMENTS, True)])
def test_fragments_are_counted(fragments: int, *, is_too_many: bool) -> None:
    ds = Dataset()
    ds.PixelData = encapsulate([b"\0" * 10 * fragments], fragments_per_frame=fragments)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.DataSetTrailingPadding = b"\0" * 100_000
    content = encoded(ds, is_implicit_vr=False)
    if not is_too_many:
        refuse_too_many_elements(content, is_implicit_vr=False)
        return
    with pytest.raises(ValueError, match="too many"):
        refuse_too_many_elements(content, is_implicit_vr=False)


def test_what_an_unknown_element_holds_is_read_as_implicit() -> None:
    items = b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 9_000
    unknown = b"\x09\x00\x01\x10UN\0\0\xff\xff\xff\xff" + items + b"\xfe\xff\xdd\xe0\0\0\0\0"
    after = b"\x10\x00\x20\x00LO\x06\x00900001" + b"\x10\x00\x10\x00PN\x02\x00A " * 900
    refuse_too_many_elements(unknown + after, is_implicit_vr=False)
    with pytest.raises(ValueError, match="too many"):
        refuse_too_many_elements(unknown + after * 2, is_implicit_vr=False)


def test_a_vr_that_is_none_is_refused() -> None:
    content = b"\x10\x00\x20\x00??\x06\x00900001" * 9_000
    with pytest.raises(ValueError, match="VR"):
        refuse_too_many_elements(content, is_implicit_vr=False)


@pytest.mark.parametrize("is_implicit_vr", SYNTAXES)
def test_a_dataset_that_ends_early_ends_the_count(*, is_implicit_vr: bool) -> None:
    whole = encoded(image(5_000), is_implicit_vr=is_implicit_vr)
    for end in range(len(whole) - 200_020, len(whole) - 199_980):
        refuse_too_many_elements(whole[:end], is_implicit_vr=is_implicit_vr)
