import pytest

from capture_app.model import words
from capture_app.model.reason import _WORDS, Asked, Reason


def test_a_reason_is_kept_as_its_code_and_values_and_worded_when_shown() -> None:
    reason = Reason.of("refused", name="St. Anne. PACS")
    stored = reason.to_text()
    assert stored == '{"code": "refused", "name": "St. Anne. PACS"}'
    again = Reason.from_text(stored)
    assert again == reason
    assert again.headline == "St. Anne. PACS does not listen."
    assert again.advice == "Nothing answers at its address."
    words.use({"{name} does not listen.": "{name} hört nicht."})
    try:
        assert again.headline == "St. Anne. PACS hört nicht."
    finally:
        words.use({})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("status-A700", "x has no room or no time for it now (status A700)."),
        ("status-A900", "x does not understand the image (status A900)."),
        ("status-C123", "x does not understand the image (status C123)."),
        ("status-0122", "x does not take images of this kind (status 0122)."),
        ("status-0105", "x refused the image (status 0105)."),
        ("http-404", "x answered with HTTP status 404."),
        ("commitment-0119", "x does not promise to keep it (reason 0119)."),
        ("commitment-request-0110", "x does not take the request to keep images (status 0110)."),
        ("commitment-pending", "x has not yet answered the request to keep it."),
        ("of-a-later-version", "The reason was not recorded."),
    ],
)
def test_a_code_without_words_of_its_own_has_those_of_its_family(code: str, said: str) -> None:
    assert Reason.of(code, name="x").headline == said


def test_the_sentence_of_an_older_version_is_shown_as_it_stands() -> None:
    old = Reason.from_text("St. Anne PACS refused the image (status A900).", "status-A900")
    assert old is not None
    assert str(old) == old.headline == "St. Anne PACS refused the image (status A900)."
    assert (old.code, old.advice, old.asked) == ("status-A900", "", Asked.IT)
    assert Reason.from_text("") is None
    assert Reason.from_text('["a"]') == Reason("", said='["a"]')


def test_a_value_that_is_missing_leaves_the_code() -> None:
    assert str(Reason("timeout")) == "The reason has the code timeout."


@pytest.mark.parametrize("code", sorted(_WORDS))
def test_every_reason_has_words_and_somebody_who_is_asked(code: str) -> None:
    reason = Reason.of(code, name="archive", row="2.25.1")
    assert reason.headline.endswith((".", "2.25.1."))
    assert "{" not in str(reason)
    assert reason.asked in Asked
