"""What goes wrong in a translation, by kind, counted from source, answer and reference alone: the same for all engines.

Source: Popović and Ney 2011, "Towards automatic error analysis of machine translation output": words are laid side by
side with the fewest edits; a word that is wrong there and yet stands elsewhere on the other side is one of order, a
reference word that stands nowhere is missing where the answer has nothing in its place, and wrong where it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engines.cases.translation.text import normalise, tokenise
from engines.ml import wer

LONGEST_ECHO = 3  # words that are said again at once


def count(source: str, answer: str, truth: str, language: str) -> NDArray[np.float64]:
    """Words of the reference, then how many words are wrong in the way of each of `tasks.KINDS`; (6,)."""
    given = _words(source, "en")
    said, wanted = _words(answer, language), _words(truth, language)
    spare = Counter(said) - Counter(wanted)  # what the reference has not, or not so often
    lacking = Counter(wanted) - Counter(said)
    copied = sum((spare & (Counter(given) - Counter(wanted))).values())
    echoed = max(0, echoes(said) - echoes(wanted))
    order = missing = 0
    for edit in wer.edits(said, wanted):
        if edit.kind in ("delete", "substitute"):
            if lacking[edit.truth]:
                lacking[edit.truth] -= 1
                missing += edit.kind == "delete"
            else:
                order += 1
    wrong = max(0, spare.total() - copied - echoed)
    return np.array([len(wanted), copied, order, missing, echoed, wrong], np.float64)


count_french, count_german, count_own = (partial(count, language=code) for code in ("fr", "de", "fr"))


def echoes(words: Sequence[str]) -> int:
    """How many words belong to a stretch of up to LONGEST_ECHO words that repeats the one just before it."""
    again = set()
    for size in range(1, LONGEST_ECHO + 1):
        for at in range(size, len(words) - size + 1):
            if words[at : at + size] == words[at - size : at]:
                again.update(range(at, at + size))
    return len(again)


def _words(text: str, language: str) -> list[str]:
    """Words in lower case, without punctuation."""
    return [token for token in tokenise(normalise(text).lower(), language) if any(c.isalnum() for c in token)]
