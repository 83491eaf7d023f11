"""Who issues numbers, under all names: the same authority by its namespace and by its OID."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from capture_app.model.patient import PatientId


@dataclass(frozen=True, slots=True)
class SameAuthorities:
    """Which namespace (CX-4.1) and which universal ID (CX-4.2) name the same authority."""

    pairs: tuple[tuple[str, str], ...] = ()
    """Namespace and universal ID."""

    @classmethod
    def of(cls, entries: Iterable[str]) -> SameAuthorities:
        """The pairs of the setting `same_authorities`, each `namespace=universal ID`."""
        split = (entry.partition("=") for entry in entries)
        return cls(tuple((namespace.strip(), oid.strip()) for namespace, _, oid in split))

    def named(self, number: PatientId) -> PatientId:
        """The number with both names of its authority, whichever of them was told."""
        for namespace, oid in self.pairs:
            if number.issuer in {"", oid} and oid in {number.issuer, number.universal_id}:
                kind = number.universal_id_type or "ISO"
                return replace(number, issuer=namespace, universal_id=oid, universal_id_type=kind)
            if number.issuer == namespace and not number.universal_id:
                return replace(number, universal_id=oid, universal_id_type="ISO")
        return number


NONE_ARE_THE_SAME: Final = SameAuthorities()
"""What holds where the settings name none."""
