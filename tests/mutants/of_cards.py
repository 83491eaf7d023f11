"""Faults of cards: a picture of another patient, or a file that is removed too soon."""

from tests.mutants.mutant import Mutant

_SORTING = "capture_app/exam/card_sorting.py"
_CARDS = "capture_app/exam/cards.py"
_SLATES = "capture_app/outbox/keeping/slates.py"
_TESTED_SORTING = "tests/unit/exam/test_card_sorting.py"
_TESTED_CARDS = "tests/unit/exam/test_cards.py"

CARDS = (
    Mutant(
        "a-gap-divides-nobody",
        _SORTING,
        "return Why.GAP if apart > LONGEST_GAP else None",
        "return None",
        (_TESTED_SORTING,),
        quick=True,
    ),
    Mutant(
        "a-missing-file-is-no-slate",
        _SORTING,
        "        return file.number - before.number in (0, 1)\n",
        "        return file.number >= before.number\n",
        (_TESTED_SORTING,),
    ),
    Mutant(
        "an-old-slate-counts",
        _SORTING,
        "        return Why.STALE_SLATE, None\n\n    def _is_of_its_day",
        "        return slate, off\n\n    def _is_of_its_day",
        (_TESTED_SORTING,),
    ),
    Mutant(
        "two-slates-are-the-first",
        _SORTING,
        "if len(seen.codes) > 1:",
        "if False:",
        (_TESTED_SORTING,),
    ),
    Mutant(
        "a-closing-slate-answers-for-lost-ones",
        _SORTING,
        "if run.why in _BRACKETED and not self._may_be_lost:",
        "if run.why in _BRACKETED:",
        (_TESTED_SORTING,),
    ),
    Mutant(
        "nobodys-pictures-are-anybodys",
        _CARDS,
        "if slate not in (group.slate, group.offered):",
        "if False:",
        (f"{_TESTED_CARDS}::test_nothing_that_is_nobodys_can_be_kept",),
    ),
    Mutant(
        "another-file-than-was-shown-is-kept",
        _CARDS,
        "if picture.digest != seen.digest:",
        "if False:",
        (f"{_TESTED_CARDS}::test_a_file_that_changed_since_it_was_shown_is_not_kept",),
    ),
    Mutant(
        "a-file-is-removed-before-it-is-confirmed",
        _SLATES,
        "            states[capture_id] in (ImageState.CONFIRMED, ImageState.PURGED)\n"
        "            and _is_plain",
        "            _is_plain",
        (f"{_TESTED_CARDS}::test_files_are_removed_from_the_card_only_when_confirmed",),
    ),
    Mutant(
        "what-is-for-safeguarding-is-removed",
        _SLATES,
        " or said.purpose.choice_id == FORENSIC:",
        ":",
        (f"{_TESTED_CARDS}::test_a_set_with_a_picture_for_safeguarding_stays_on_the_card",),
    ),
)
