"""Codes of our own scheme, for what no public scheme says."""

from __future__ import annotations

from typing import Final

from capture_app.model.coding import Code
from capture_app.model.operator import Operator
from capture_app.model.procedure import ProcedureEntry

LOCAL_SCHEME: Final = "99CAPTURE"
LOCAL_SCHEME_NAME: Final = "Capture App catalogue"


def entry_code(entry: ProcedureEntry) -> Code:
    """The catalogue entry itself: finer than the coded act, of which it is one form."""
    return Code(entry.entry_id, LOCAL_SCHEME, entry.display_name)


def operator_code(operator: Operator) -> Code | None:
    """The user; None where the id is none that a code value can be."""
    user_id, shown = operator.user_id, operator.display_name or operator.user_id
    fits = 0 < len(user_id) <= 16 and len(shown) <= 64
    if not fits or "\\" in user_id + shown or not (user_id + shown).isprintable():
        return None
    return Code(user_id, LOCAL_SCHEME, shown)
