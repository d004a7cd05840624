"""Transcripts that a visitor types, brought to the form that transcripts of the tasks have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from engines.core import UserError

MAX_WORDS = 200
_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
_TEENS = ("THIR", "FOUR", "FIF", "SIX", "SEVEN", "EIGH", "NINE")
_ONES = (*_DIGITS, "TEN", "ELEVEN", "TWELVE", *(f"{teen}TEEN" for teen in _TEENS))
_TENS = ("", "", "TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY")
_SIGNS = {"&": " AND ", "%": " PERCENT ", "+": " PLUS ", "\N{DEGREE SIGN}": " DEGREES ", "@": " AT "}
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc`\u00b4"), "'")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_NOT_A_LETTER = re.compile(r"[^A-Z' ]+")


def normalise(text: str) -> str:
    """Upper-case words joined by single spaces: digits spelled, accents and punctuation dropped, apostrophes inside a
    word kept.

    Raises:
        UserError: nothing is left, or more than MAX_WORDS words.
    """
    if len(text) > 20 * MAX_WORDS:
        raise UserError(f"The transcript is too long: type the words of the recording, at most {MAX_WORDS}.")
    plain = text.translate(_QUOTES)
    for sign, word in _SIGNS.items():
        plain = plain.replace(sign, word)
    plain = _NUMBER.sub(lambda match: f" {_spelled(match[0])} ", _without_accents(plain))
    words = [word.strip("'") for word in _NOT_A_LETTER.sub(" ", plain).split()]
    words = [word for word in words if word]
    if not words:
        raise UserError("The transcript holds no words in English letters: type what was said, or leave it empty.")
    if len(words) > MAX_WORDS:
        raise UserError(f"The transcript has {len(words)} words: type at most {MAX_WORDS}.")
    return " ".join(words)


def dropped_words(text: str) -> str:
    """One sentence that names the words of a typed transcript with letters that `normalise` drops; "" without any."""
    lost = [word for word in text.split() if re.search(r"[^\W\d_A-Z]", _without_accents(word))]
    if not lost:
        return ""
    return f"Left out for letters that English does not have: {_named(lost)}."


def unknown_words(text: str, known: Collection[str]) -> str:
    """One sentence that names the words of a normalised transcript which are not in `known`; "" when all are."""
    unknown = [word for word in dict.fromkeys(text.split()) if word not in known]
    if not unknown:
        return ""
    named = _named(unknown)
    if len(unknown) == 1:
        return f"{named} is not in the pronunciation lexicon, so an engine that uses one cannot answer it."
    return f"{named} are not in the pronunciation lexicon, so an engine that uses one cannot answer them."


def _named(words: Sequence[str]) -> str:
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).upper()


def _spelled(number: str) -> str:
    """ "42" is FORTY TWO, "007" digit by digit, "3.5" THREE POINT FIVE."""
    whole, _, fraction = number.replace(",", "").partition(".")
    if len(whole) > 6 or (len(whole) > 1 and whole[0] == "0"):
        spoken = [_ONES[int(digit)] for digit in whole]
    else:
        spoken = _cardinal(int(whole))
    if fraction:
        spoken = [*spoken, "POINT", *(_ONES[int(digit)] for digit in fraction)]
    return " ".join(spoken)


def _cardinal(n: int) -> list[str]:
    """Words of a number from 0 to 999,999."""
    if n < 20:
        return [_ONES[n]]
    if n < 100:
        return [_TENS[n // 10], *(_cardinal(n % 10) if n % 10 else [])]
    size, name = (100, "HUNDRED") if n < 1000 else (1000, "THOUSAND")
    return [*_cardinal(n // size), name, *(_cardinal(n % size) if n % size else [])]
