"""An order, where there is one: most encounters have none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from capture_app.model.coding import Code
from capture_app.model.patient import PersonName


@dataclass(frozen=True, slots=True)
class Order:
    """A scheduled procedure step of a Modality Worklist (PS3.4 Table K.6-1)."""

    study_instance_uid: str
    accession_number: str
    requested_procedure_id: str
    requested_procedure_description: str
    requested_procedure_code: Code | None
    scheduled_procedure_step_id: str
    scheduled_procedure_step_description: str
    scheduled_protocol_codes: tuple[Code, ...]
    modality: str
    scheduled_station_ae_title: str
    scheduled_at: datetime | None
    referring_physician: PersonName | None = None
    accession_issuer: str = ""
    department: str = ""
    """Institutional Department Name (0008,1040): where the step is to be done."""
    accession_universal_id: str = ""
    """Universal Entity ID (0040,0032) of who issued the accession number."""
    accession_universal_id_type: str = ""

    @property
    def key(self) -> str:
        """What no order of another patient may have: its Study Instance UID; where it has none,
        Accession Number and issuer. Empty where it has neither.
        """
        return self.study_instance_uid or self.accession_key

    @property
    def accession_key(self) -> str:
        """Accession Number (0008,0050) and who issued it; empty where it has none. By it archives
        file a study, whatever its UID is.
        """
        if not self.accession_number:
            return ""
        return f"{self.accession_number}|{self.accession_issuer or self.accession_universal_id}"

    @property
    def is_accession_authority_told(self) -> bool:
        """Whether the number is told apart from the same one of another authority."""
        return bool(self.accession_issuer or self.accession_universal_id)
