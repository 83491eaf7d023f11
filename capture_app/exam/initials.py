"""The initials of a name as people say them: in any usual order, in its own script or in Latin
letters. Pure and deterministic.

An initial is the set of capitals that are taken for it: a letter of another script is taken as
itself, and as each Latin letter with which it is usually written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import Final

from capture_app.model.patient import NameGroup, PersonName

Initial = frozenset[str]
Form = tuple[Initial, ...]
"""One way of saying the initials of a name."""

_MOST_WORDS: Final = 4
"""Of so many given names any may be left out; of more, all are said or one."""
# Letters that Unicode does not take apart into a base letter and a mark.
_PLAIN: Final = str.maketrans("ĐđØøŁłİıÆæŒœÞþÐð", "DDOOLLIIAAOOTTDD")

_CYRILLIC: Final = (
    "АA БB ВVW ГGH ДD ЕEYJ ЖZJ ЗZS ИIYJ КKCQ ЛL МM НN ОO ПP РR СS ТT УUW ФFP ХKHCX ЦTCZ ЧCT ШS ЩS "
    "ЪI ЫYI ЬI ЭE ЮYJIU ЯYJIA ІIY ЄYEJ ҐG ЈJY ЉL ЊN ЋC ЂD ЏDJ ЎUW ӘAE ҚKQ ӨO ҮU ҰU ҺH ЃG ЌK"
)
_GREEK: Final = (
    "ΑA ΒVB ΓGY ΔD ΕE ΖZ ΗIHE ΘT ΙI ΚKC ΛL ΜM ΝN ΞXK ΟO ΠP ΡR ΣS ΤT ΥYIU ΦFP ΧCHXK ΨP ΩO"
)
_HEBREW: Final = (
    "אAEIOU בBV גG דD הH וVWOU זZ חHCK טT יYIJ כKC לL מM נN סS עAEIOU פPF צTZC קKCQ רR שS תT"
)
_ARABIC: Final = (
    "اAEIOU بB تT ثTS جJGD حH خK دD ذDZ رR زZ سS شSC صS ضD طT ظZD عAEIOU غG فF قQKG كKC لL مM نN "
    "هH وWOUV يYIJE ىYIA ءAEIOU پP چCT ژZJ گG کKC یYIE ہH ھH ٹT ڈD ڑR ےYE ںN"
)
_KANA: Final = (
    "あA いIY うU えEY おO かKC きK くKC けK こKC がG ぎG ぐG げG ごG さS しS すS せS そS "
    "ざZ じJZ ずZ ぜZ ぞZ たT ちCT つT てT とT だD ぢJDZ づZD でD どD なN にN ぬN ねN のN "
    "はH ひH ふFH へH ほH ばB びB ぶB べB ぼB ぱP ぴP ぷP ぺP ぽP まM みM むM めM もM "
    "やY ゆY よY らRL りRL るRL れRL ろRL わW をOW んN ゔVB"
)
_HANGUL_LEADS: Final = "GKC KG NLR DT TD RLN M BPV PB S S - JCZ J CT KC T PF H"
"""By the leading consonant (U+1100 and on); a hyphen for the silent one."""
_HANGUL_VOWELS: Final = "A AE Y Y EUO E Y Y O W W OW Y UW W W W YU EU UE IYLR"
"""Where the consonant is silent, by the vowel (U+1161 and on)."""
_FIRST_SYLLABLE: Final = 0xAC00


def _table(*scripts: str) -> dict[str, Initial]:
    letters = (entry for script in scripts for entry in script.split())
    return {entry[0]: frozenset(entry[1:]) for entry in letters}


_LATIN: Final = _table(_CYRILLIC, _GREEK, _HEBREW, _ARABIC, _KANA)


@lru_cache(maxsize=4096)
def forms_of(name: PersonName) -> frozenset[Form]:
    """Every way of saying the initials that is taken as right.

    Family name first or given name first; of a family name of several words all, the first or the
    last; of the given and middle names any, in the order of the record or middle first. NGUYEN,
    Thi Mai is NM, NT, NTM, MN, ... also where all of it was sent as the family name. Each script of
    the name by itself.
    """
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    return frozenset(form for group in groups for form in _forms_of_group(group))


def fits(name: PersonName, said: str) -> bool:
    """Whether these initials are taken as right: case, accents, blanks and full stops aside."""
    letters = folded(said)
    return any(
        len(form) == len(letters)
        and all(letter in initial for letter, initial in zip(letters, form, strict=True))
        for form in forms_of(name)
    )


def may_be_said_alike(one: PersonName, other: PersonName) -> bool:
    """Whether the same initials can be right for both. Cheap for most names that are not alike, so
    that one can be held against thousands.
    """
    letters = _letters_of(one)
    groups = (other.alphabetic, other.ideographic, other.phonetic)
    if not any(all(not letters.isdisjoint(some) for some in _in_all_forms(g)) for g in groups):
        return False
    others = forms_of(other)
    return any(
        len(form) == len(their)
        and all(mine & theirs for mine, theirs in zip(form, their, strict=True))
        for form in forms_of(one)
        for their in others
    )


@lru_cache(maxsize=64)
def _letters_of(name: PersonName) -> Initial:
    """All letters that are in any way of saying the initials."""
    return frozenset().union(*(initial for form in forms_of(name) for initial in form))


@lru_cache(maxsize=65_536)
def _in_all_forms(group: NameGroup) -> tuple[Initial, ...]:
    """Sets of letters of which every way of saying the initials has one at least: that of the
    first or last word of the family name, and that of a given or middle name.
    """
    family, given = _words(group.family), _words(f"{group.given} {group.middle}")
    parts = ([*family[:1], *family[-1:]], given)
    sets = tuple(frozenset().union(*part) for part in parts if part)
    return sets or (frozenset(),)  # of no name nothing can be said


def can_be_typed(name: PersonName) -> bool:
    """Whether there is a script of the name of which every initial has a Latin letter."""
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    return any(
        bool(words) and all(any(map(str.isascii, initial)) for initial in words)
        for words in ([*_words(g.family), *_words(f"{g.given} {g.middle}")] for g in groups)
    )


def example_of(name: PersonName) -> str:
    """Short Latin initials that are right, for programs that act as people; else empty."""
    typed = (
        "".join(min(filter(str.isascii, initial)) for initial in form)
        for group in (name.alphabetic, name.ideographic, name.phonetic)
        for form in _forms_of_group(group)
        if all(any(map(str.isascii, initial)) for initial in form)
    )
    return min(typed, key=lambda text: (len(text), text), default="")


def folded(text: str) -> str:
    """Capitals without accents, and nothing but letters: n. t. m. is NTM.

    Kana and hangul stay in one piece: there a mark makes another letter.
    """
    letters = []
    for character in unicodedata.normalize("NFKC", text.translate(_PLAIN)):
        apart = unicodedata.normalize("NFKD", character)
        whole = _as_hiragana(character) if _stays_whole(character) else apart
        letters += [letter for letter in whole if letter.isalpha()]
    return "".join(letters).upper()


def _forms_of_group(group: NameGroup) -> Iterator[Form]:
    family, given, middle = map(_words, (group.family, group.given, group.middle))
    yield from _forms_of_words(family, given, middle)
    if len(family) > 1 and not (given or middle):  # a whole name, sent as a family name
        yield from _forms_of_words(family[:1], family[1:], [])
        yield from _forms_of_words(family[-1:], family[:-1], [])


def _forms_of_words(
    family: list[Initial], given: list[Initial], middle: list[Initial]
) -> Iterator[Form]:
    families = {tuple(family), tuple(family[:1]), tuple(family[-1:])}
    givens = {part for order in (given + middle, middle + given) for part in _parts(order)}
    for one in families:
        if not givens and one:
            yield one
        for other in givens:
            yield one + other
            yield other + one


def _parts(words: list[Initial]) -> Iterator[Form]:
    """Some of the words in their order; all of them or one where there are many."""
    some = range(1, len(words) + 1) if len(words) <= _MOST_WORDS else (1, len(words))
    for count in some:
        yield from combinations(words, count)


def _words(text: str) -> list[Initial]:
    """The initial of every word: a hyphen divides words, an apostrophe does not. A word of hangul
    has one for every syllable.
    """
    found = []
    for word in re.split(r"[\s\-\u2010-\u2015\u30fb]+", unicodedata.normalize("NFKC", text)):
        if word and all(map(_is_hangul, word)):
            found += [_initial(syllable) for syllable in word]
        elif letters := folded(word):
            found.append(_arabic_article(letters) | _initial(letters[0]))
    return found


def _initial(letter: str) -> Initial:
    if letter.isascii():
        return frozenset(letter)
    if _is_hangul(letter):
        lead, rest = divmod(ord(letter) - _FIRST_SYLLABLE, 588)
        latin = _HANGUL_LEADS.split()[lead]
        if latin == "-":
            latin = _HANGUL_VOWELS.split()[rest // 28]
        return frozenset((letter, *latin))
    return _LATIN.get(letter, frozenset()) | {letter}


def _arabic_article(letters: str) -> Initial:
    """Al-Hasan may be said by the H too."""
    return _initial(letters[2]) if letters.startswith("ال") and len(letters) > 3 else frozenset()


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _stays_whole(character: str) -> bool:
    return _is_hangul(character) or "\u3040" <= character <= "\u30ff"


def _as_hiragana(character: str) -> str:
    is_katakana = "\u30a1" <= character <= "\u30f6"
    return chr(ord(character) - 0x60) if is_katakana else character
