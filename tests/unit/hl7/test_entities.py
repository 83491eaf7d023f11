import pytest

from capture_app.hl7.entities import holds_entity, without_entities

ESCAPES = {"&": "\\T\\", "^": "\\S\\", "|": "\\F\\", "\\": "\\E\\", "~": "\\R\\"}


@pytest.mark.parametrize(
    "text", ["O&#39;Brien", "O&apos;Brien", "&amp;", "&#x27;", "M&uuml;ller", r"O\T\#39;Brien"]
)
def test_references_that_html_knows_are_found(text: str) -> None:
    assert holds_entity(text)


@pytest.mark.parametrize(
    "text", ["", "A&B", "A&B;C", "HOSP&1.2.3&ISO", "Smith; Jones", "&;", "&#;"]
)
def test_subcomponents_are_none(text: str) -> None:
    assert not holds_entity(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("O&#39;Brien", "O'Brien"),
        ("A&amp;E", "A\\T\\E"),
        ("a&#124;b&#94;c&#92;d", "a\\F\\b\\S\\c\\E\\d"),
        ("a&#13;b&nbsp;c", "a b c"),
        ("a&#7;b", "a&#7;b"),
        ("HOSP&1.2.3&ISO", "HOSP&1.2.3&ISO"),
        ("A&B;C", "A&B;C"),
    ],
)
def test_they_become_characters_that_divide_nothing(text: str, plain: str) -> None:
    assert without_entities(text, ESCAPES) == plain
