"""Whether two feeds may speak of one person, though they spell the name in their own ways."""

from __future__ import annotations

from capture_app.model.patient import NameGroup, PersonName
from capture_app.patients.finding.spelling import words_of


def may_be_one_name(one: PersonName, other: PersonName, *, all_else_agrees: bool = False) -> bool:
    """Whether two names do not contradict each other. Names in different scripts never do.

    A part that one leaves out, an initial, an accent or the order of family and given contradict
    nothing. `all_else_agrees`: birth date and sex are known and the same, so that another family
    name is that of a marriage.
    """
    pairs = (
        (one.alphabetic, other.alphabetic),
        (one.ideographic, other.ideographic),
        (one.phonetic, other.phonetic),
    )
    comparable = [(a, b) for a, b in pairs if str(a) and str(b)]
    return all(_may_be_one(a, b, all_else_agrees=all_else_agrees) for a, b in comparable)


def _may_be_one(one: NameGroup, other: NameGroup, *, all_else_agrees: bool) -> bool:
    ours, theirs = _given(one), _given(other)
    if _fit(ours, theirs):
        is_named = bool(ours) and bool(theirs)
        if _fit(_words(one.family), _words(other.family)) or (all_else_agrees and is_named):
            return True
    all_ours, all_theirs = [*_words(one.family), *ours], [*_words(other.family), *theirs]
    return len(all_ours) == len(all_theirs) and _fit(all_ours, all_theirs)


def _given(group: NameGroup) -> list[frozenset[str]]:
    return _words(f"{group.given} {group.middle}")


def _words(text: str) -> list[frozenset[str]]:
    """Each word with all ways to write it."""
    return [frozenset(words_of(word)) for word in text.replace("-", " ").split()]


def _fit(one: list[frozenset[str]], other: list[frozenset[str]]) -> bool:
    """Whether each word of the shorter is one of the longer, or its initial."""
    shorter, longer = sorted((one, other), key=len)
    return all(any(_is_one_word(word, beside) for beside in longer) for word in shorter)


def _is_one_word(one: frozenset[str], other: frozenset[str]) -> bool:
    if one & other:
        return True
    for short, long in ((one, other), (other, one)):
        initials = {bare for word in short if len(bare := word.rstrip(".")) == 1}
        if initials & {word[:1] for word in long}:
            return True
    return False
