"""Words that a visitor had a part in stay words, and points say where they were trained."""

from dataclasses import replace

import pytest

from dashboard import words
from dashboard.words import APART, plain
from engines.runs import Point

POINT = Point(
    "tones", "pairs", "pipeline", "pipeline", "", "test", "", False, 2.0, 1.0, 0.1, 0.9, 1.1, (1.0,), (0,), 60.0, 0.1,
    9, ("a",),
)  # fmt: skip
# What Streamlit's Markdown makes an address, an icon, an emoji or an arrow of, however its signs are escaped.
LIVE = {
    "https://evil.com/x": "://",
    "HTTP://evil.com": "://",
    "see (https://a.b)": "://",
    "www.evil.com": "www.",
    "WWW.evil.com": "WWW.",
    "a.b+c@d-e.fr": "c@",
    "mailto:a@b.com": "a@",
    ":material/home:": ":m",
    ":streamlit:": ":s",
    "a :smile: b": ":s",
    ":+1:": ":+",
    "a -> b": "->",
    "<-": "<-",
    "a <-> b": "<-",
    "a >= b": ">=",
}


@pytest.mark.parametrize("text", LIVE)
def test_addresses_icons_and_arrows_are_drawn_as_they_are_typed(text: str) -> None:
    shown = plain(text).replace("\\", "")
    assert shown.replace(APART, "") == text
    assert LIVE[text] not in shown


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "[x](javascript:alert(1))", "$x$", ":red[x]", "**b** _i_ `c`", "| # ~~s~~", "&amp;"]
)
def test_markup_is_escaped_sign_by_sign(text: str) -> None:
    shown = plain(text).replace(APART, "")
    assert shown == "".join("\\" + c if not (c.isalnum() or c in " /;.,'") else c for c in text)


def test_what_is_no_markup_stays_as_it_is() -> None:
    assert plain("Un chien, 10.30 : “l'été” ?") == "Un chien, 10.30 \\: “l'été” ?"


def test_points_say_where_their_seeds_were_trained() -> None:
    assert (words.trained_on(POINT), words.training(POINT)) == ("processor", "1 min")
    fast = replace(POINT, device="cuda", devices=("cuda", "cuda"))
    assert (words.trained_on(fast), words.training(fast)) == ("GPU", "1 min on a GPU")
    mixed = replace(POINT, devices=("cpu", "cuda", "cuda"))
    assert words.trained_on(mixed) == "processor (1 seed), GPU (2)"
    assert words.training(mixed) == "1 min (2 of 3 seeds on a GPU)"
