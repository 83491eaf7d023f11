"""Puts values into a dataset, checked the moment they are put.

pydicom checks `ds.X = value` only loosely and says the value in a warning; here a value that breaks
its VR raises ConformanceError, which names the keyword and never the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from capture_app.dicom.values import faults_of, fits
from capture_app.errors import ConformanceError
from capture_app.model.coding import Code
from capture_app.model.words import tr

UNIVERSAL_ID_TYPES: Final = frozenset({"DNS", "EUI64", "ISO", "URI", "UUID", "X400", "X500"})
"""Universal Entity ID Type (0040,0033)."""

# A misspelt keyword (`ds.PatientNmae = ...`) would be kept as a Python attribute, never written.
config.INVALID_KEYWORD_BEHAVIOR = "RAISE"


def put(ds: Dataset, keyword: str, value: Any) -> None:
    """Sets an attribute by its keyword. Raises ConformanceError for what its VR does not allow.

    A backslash within a text would make two values of one, so it is refused.
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        message = f"no such attribute: {keyword}"
        raise ConformanceError(message)
    if isinstance(value, str) and (
        "\\" in value or next(faults_of(dictionary_VR(tag), value), None) is not None
    ):
        raise ConformanceError(_not_allowed(keyword))
    try:
        element = DataElement(tag, dictionary_VR(tag), value, validation_mode=config.RAISE)
    except (ValueError, TypeError, OverflowError):
        # the reason would carry the value
        raise ConformanceError(_not_allowed(keyword)) from None
    ds[tag] = element


def put_known(ds: Dataset, keyword: str, value: Any) -> None:
    """Sets an attribute that is left out where nothing is known (Type 3)."""
    if value not in (None, "", [], b""):
        put(ds, keyword, value)


def put_fitting(ds: Dataset, keyword: str, value: str) -> None:
    """Sets what came from a feed and is known and fits; what its VR cannot hold is left out, so
    that no number beside the patient's own holds up an image.
    """
    if value and fits(keyword, value):
        put(ds, keyword, value)


def authority_item(namespace: str, universal_id: str, universal_id_type: str) -> Dataset:
    """An item of who issued a number (PS3.3 Table 10-17); empty where nothing is known.

    A universal identifier stands there only with its type, and only of a type that DICOM has.
    """
    issuer = Dataset()
    put_fitting(issuer, "LocalNamespaceEntityID", namespace)
    put_universal_id(issuer, universal_id, universal_id_type)
    return issuer


def put_universal_id(ds: Dataset, universal_id: str, universal_id_type: str) -> None:
    """Sets a universal identifier with its type, where DICOM has that type."""
    if (
        universal_id_type in UNIVERSAL_ID_TYPES
        and universal_id
        and fits("UniversalEntityID", universal_id)
    ):
        put(ds, "UniversalEntityID", universal_id)
        put(ds, "UniversalEntityIDType", universal_id_type)


def code_item(code: Code) -> Dataset:
    """An item of a code sequence (PS3.3 Table 8.8-1)."""
    item = Dataset()
    put(item, "CodeValue", code.value)
    put(item, "CodingSchemeDesignator", code.scheme)
    put(item, "CodeMeaning", code.meaning)
    return item


def put_codes(ds: Dataset, keyword: str, codes: Iterable[Code | None]) -> None:
    """Sets a code sequence, or leaves it out where no code is known."""
    put_known(ds, keyword, [code_item(code) for code in codes if code is not None])


def item(values: Sequence[tuple[str, Any]]) -> Dataset:
    """An item of a sequence, of what is known."""
    ds = Dataset()
    for keyword, value in values:
        put_known(ds, keyword, value)
    return ds


def _not_allowed(keyword: str) -> str:
    return tr("DICOM does not allow the value of {keyword}.", keyword=keyword)
