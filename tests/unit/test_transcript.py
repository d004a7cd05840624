import pytest

from engines.core import UserError
from engines.ml.transcript import MAX_WORDS, normalise, unknown_words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("We call it bear.", "WE CALL IT BEAR"),
        ("  it’s   John's — 'quoted' ", "IT'S JOHN'S QUOTED"),
        ("set it to 42%", "SET IT TO FORTY TWO PERCENT"),
        ("007 and 1,250 or 3.5", "ZERO ZERO SEVEN AND ONE THOUSAND TWO HUNDRED FIFTY OR THREE POINT FIVE"),
        ("12 13 18 90 100", "TWELVE THIRTEEN EIGHTEEN NINETY ONE HUNDRED"),
        ("Café & naïve", "CAFE AND NAIVE"),
        ("12345678", "ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT"),
        ("a\nb\tc", "A B C"),
        ("½ past", "ONE TWO PAST"),
    ],
)
def test_what_is_typed_becomes_words(typed: str, meant: str) -> None:
    assert normalise(typed) == meant
    assert normalise(meant) == meant


@pytest.mark.parametrize("typed", ["", "  ", "...", "'", "привет", "a " * (MAX_WORDS + 1), "x" * 10_000])
def test_what_holds_no_words_gets_a_sentence(typed: str) -> None:
    with pytest.raises(UserError, match=r"^The transcript .*\.$"):
        normalise(typed)


def test_unknown_words_are_named_once() -> None:
    assert unknown_words("ONE TWO", {"ONE", "TWO"}) == ""
    assert "ZYZZYVA is not" in unknown_words("ONE ZYZZYVA ZYZZYVA", {"ONE"})
    assert "B, C are not" in unknown_words("A B C", {"A"})
    assert "and 12 more" in unknown_words(" ".join(f"W{i}" for i in range(20)), ())
