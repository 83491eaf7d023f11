"""All faults that are planted."""

from tests.mutants.mutant import Mutant
from tests.mutants.of_cards import CARDS
from tests.mutants.of_delivery import DELIVERY
from tests.mutants.of_identity import IDENTITY
from tests.mutants.of_pictures import PICTURES
from tests.mutants.of_proof import PROOF
from tests.mutants.of_receiving import RECEIVING
from tests.mutants.of_rights import RIGHTS
from tests.mutants.of_settings import SETTINGS

MUTANTS: tuple[Mutant, ...] = (
    *(*PROOF, *DELIVERY, *PICTURES, *IDENTITY, *SETTINGS, *RIGHTS),
    *(*CARDS, *RECEIVING),
)
