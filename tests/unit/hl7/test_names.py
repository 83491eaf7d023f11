import pytest

from capture_app.errors import MessageError
from capture_app.hl7.names import person_name, staff_name
from capture_app.hl7.split import Composite, Delimiters
from capture_app.model.patient import NameGroup, PersonName


def xpn(field: str) -> PersonName:
    return person_name([Composite.of(part, Delimiters(), "utf_8") for part in field.split("~")])


def test_suffix_and_prefix_change_places_and_the_degree_follows_the_suffix() -> None:
    name = xpn("Müller^Jörg^Karl Maria^Jr^Prof Dr^MD^L")
    assert name.alphabetic == NameGroup("Müller", "Jörg", "Karl Maria", "Prof Dr", "Jr MD")
    assert name.pn == "Müller^Jörg^Karl Maria^Prof Dr^Jr MD"


def test_the_family_name_is_the_first_subcomponent() -> None:
    assert xpn("van der Berg&van der&Berg^Anna").alphabetic.family == "van der Berg"


def test_repetitions_in_other_scripts_become_groups() -> None:
    name = xpn("YAMADA^TARO^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P")
    assert name.pn == "YAMADA^TARO=山田^太郎=やまだ^たろう"


def test_an_ideographic_repetition_without_its_code_is_known_by_its_script() -> None:
    assert xpn("WANG^XIAOMING~王^小明").pn == "WANG^XIAOMING=王^小明"
    assert xpn("王^小明").pn == "王^小明"


def test_each_script_has_its_best_type_and_no_alias_fills_a_gap() -> None:
    assert xpn("Wang^Ming~王^明^^^^^L^I").pn == "Wang^Ming=王^明"
    assert xpn("Wang^Ming^^^^^L^A~假^名^^^^^A^I").pn == "Wang^Ming"


@pytest.mark.parametrize(
    ("field", "family"),
    [
        ("Alias^Al^^^^^A~Legal^Lee^^^^^L", "Legal"),
        ("Maiden^May^^^^^M~Plain^Pat", "Plain"),
        ("Star^Pat^^^^^S", "Star"),
        ("^^^^^^L~Real^Rita^^^^^D", "Real"),
    ],
)
def test_the_legal_name_goes_before_all_others(field: str, family: str) -> None:
    name = xpn(field)
    assert name.alphabetic.family == family
    assert not str(name.ideographic)


def test_what_divides_a_dicom_name_cannot_be_smuggled_in() -> None:
    name = xpn(r"Doe\S\Jane=X^A\E\B\X5C\C^\X3D\M\X0A\N")
    assert name.alphabetic == NameGroup("Doe Jane X", "A B C", "M N")
    assert name.pn.count("=") == 0
    assert "\\" not in name.pn


def test_marks_that_turn_the_line_round_are_taken_out() -> None:
    assert xpn("Doe\u202eenaJ^\u2066Jane").alphabetic == NameGroup("Doe enaJ", "Jane")


def test_deleted_parts_are_empty() -> None:
    assert xpn('Doe^""^""').alphabetic == NameGroup("Doe")


def test_a_name_may_be_longer_than_an_image_holds_but_not_endless() -> None:
    assert len(xpn("A" * 60 + "^BCDE").pn) == 65
    with pytest.raises(MessageError, match="too long"):
        xpn("A" * 257)


def test_a_doctor_is_named_after_the_number() -> None:
    name = staff_name(Composite.of("77^House^Gregory^^Jr^Dr^MD", Delimiters(), "utf_8"))
    assert name is not None
    assert name.pn == "House^Gregory^^Dr^Jr MD"
    assert staff_name(Composite.of("77", Delimiters(), "utf_8")) is None


@pytest.mark.parametrize(
    ("field", "pn"),
    [
        ("Do\u200be^Ja\u00adne", "Doe^Jane"),
        ("Doe\u200e^\u2060Jane", "Doe^Jane"),
        ("Mc\u200cKay^Jo\u200dAnn", "McKay^JoAnn"),
        (
            "\u0645\u06cc\u200c\u0631^\u0639\u0644\u06cc",
            "\u0645\u06cc\u200c\u0631^\u0639\u0644\u06cc",
        ),
    ],
)
def test_what_is_not_seen_makes_no_other_name(field: str, pn: str) -> None:
    assert xpn(field).pn == xpn(pn).pn
    assert ("\u200c" in xpn(field).pn) == ("\u0645" in field), "it joins letters of that script"
