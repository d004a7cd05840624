"""BLEU and chrF from statistics of single sentences.

Main score: corpus BLEU (Papineni et al. 2002) on lower-cased text, tokenised by `text.py`, as sacreBLEU computes it;
beside it sacreBLEU's own cased BLEU (tokeniser 13a) and chrF (Popović 2015; orders 1 to 6, beta 2). Their signatures
stand in `tasks.py`.

Statistics of an example, float64 (20,): 0-5 of the main score, 6-11 of cased BLEU (each: tokens of the answer, tokens
of the reference, matching 1- to 4-grams), 12-19 of chrF (letters of the answer, of the reference, matching 1- to
6-grams). What is not kept follows: an answer of n tokens has n - k + 1 k-grams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.translation.text import normalise, tokenise

BLEU, CASED, CHRF = slice(0, 6), slice(6, 12), slice(12, 20)
_ORDERS = 6


def measure_french(answer: str, truth: str) -> NDArray[np.float64]:
    return measure(answer, truth, "fr")


def measure_german(answer: str, truth: str) -> NDArray[np.float64]:
    return measure(answer, truth, "de")


def measure_own(answer: str, truth: str) -> NDArray[np.float64]:
    """Of a user's own pairs: elisions are split as in French, which other languages do not mind."""
    return measure(answer, truth, "fr")


def measure(answer: str, truth: str, language: str) -> NDArray[np.float64]:
    """Statistics (20,) of one translation."""
    tokens = [" ".join(tokenise(normalise(text).lower(), language)) for text in (answer, truth)]
    return np.array([*_counts(*tokens, cased=False), *_counts(answer, truth, cased=True), *_letters(answer, truth)])


def tokens_french(text: str) -> list[tuple[str, str]]:
    return tokens(text, "fr")


def tokens_german(text: str) -> list[tuple[str, str]]:
    return tokens(text, "de")


tokens_own = tokens_french


def tokens(text: str, language: str) -> list[tuple[str, str]]:
    """What the main score counts: each token as it is written, and as it is compared."""
    written, compared = (tokenise(each, language) for each in (normalise(text), normalise(text).lower()))
    return list(zip(written if len(written) == len(compared) else compared, compared, strict=True))


def measure_tokens(answer: list[str], truth: list[str]) -> NDArray[np.float64]:
    """The same of tokens as models write them, for validation: no case is looked at twice."""
    ours, theirs = " ".join(answer), " ".join(truth)
    main = _counts(ours.lower(), theirs.lower(), cased=False)
    return np.array([*main, *[0.0] * 6, *_letters(ours, theirs)])


@lru_cache(maxsize=2)
def _scorer(cased: bool) -> Any:
    from sacrebleu.metrics import BLEU as Scorer

    return Scorer(tokenize="13a") if cased else Scorer(tokenize="none")


def _counts(answer: str, truth: str, cased: bool) -> list[float]:
    found = _scorer(cased).corpus_score([answer], [[truth]])
    return [found.sys_len, found.ref_len, *found.counts]


def _letters(answer: str, truth: str) -> list[float]:
    ours, theirs = "".join(answer.split()), "".join(truth.split())
    matches = []
    for order in range(1, _ORDERS + 1):
        a, b = (Counter(text[i : i + order] for i in range(len(text) - order + 1)) for text in (ours, theirs))
        matches.append((a & b).total())
    return [len(ours), len(theirs), *matches]


def combine(statistics: NDArray[np.float64]) -> float:
    """The main score, 0 to 100, of statistics (n, 20)."""
    return _bleu(statistics[:, BLEU])


def cased(statistics: NDArray[np.float64]) -> float:
    """sacreBLEU's cased score with its tokeniser 13a."""
    return _bleu(statistics[:, CASED])


def alone(statistics: NDArray[np.float64]) -> float:
    """The main score of one answer, statistics (1, 20), as sacreBLEU scores a sentence: orders of n-grams that the
    answer is too short for are left out ("effective order"), where `combine` gives it nothing."""
    return _bleu(statistics[:, BLEU], effective=True)


def cased_alone(statistics: NDArray[np.float64]) -> float:
    """The same of the cased score."""
    return _bleu(statistics[:, CASED], effective=True)


def _bleu(kept: NDArray[np.float64], effective: bool = False) -> float:
    kept = np.asarray(kept, np.float64)
    ours, theirs = kept[:, 0], kept[:, 1]
    matches = kept[:, 2:].sum(0)
    totals = np.array([np.maximum(ours - order, 0).sum() for order in range(4)])
    if not ours.sum() or not matches[0]:
        return 0.0
    orders = np.count_nonzero(totals) if effective else 4
    logs, smooth = 0.0, 1.0
    for match, total in zip(matches[:orders], totals[:orders], strict=True):
        if not total:
            return 0.0
        if not match:  # "exp" smoothing: each order without a match counts half of what the one before did
            smooth *= 2
        logs += np.log(match / total if match else 1 / (smooth * total)) / orders
    brevity = min(0.0, 1 - theirs.sum() / ours.sum())
    return float(100 * np.exp(logs + brevity))


def chrf(statistics: NDArray[np.float64]) -> float:
    """chrF2, 0 to 100, of statistics (n, 20): precision and recall averaged over the orders that occur."""
    kept = np.asarray(statistics, np.float64)[:, CHRF]
    ours = [np.maximum(kept[:, 0] - order, 0).sum() for order in range(_ORDERS)]
    theirs = [np.maximum(kept[:, 1] - order, 0).sum() for order in range(_ORDERS)]
    known = [i for i in range(_ORDERS) if ours[i] and theirs[i]]
    if not known:
        return 0.0
    matches = kept[:, 2:].sum(0)
    precision = float(np.mean([matches[i] / ours[i] for i in known]))
    recall = float(np.mean([matches[i] / theirs[i] for i in known]))
    return 100 * 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


def matches(answer: Sequence[str], truth: Sequence[str]) -> NDArray[np.float64]:
    """The first six statistics of an answer, of tokens as they are: what tuning looks at thousands of times."""
    found = [float(len(answer)), float(len(truth))]
    for order in range(1, 5):
        a = Counter(zip(*(answer[i:] for i in range(order)), strict=False))
        b = Counter(zip(*(truth[i:] for i in range(order)), strict=False))
        found.append(float(sum(min(count, b[gram]) for gram, count in a.items() if gram in b)))
    return np.array(found)


def sentence_bleu(counts: NDArray[np.float64]) -> float:
    """BLEU of one sentence from its six statistics, in [0, 1], with one added to matches and totals of orders above 1
    (Lin and Och 2004) and to the reference's length (Nakov et al. 2012: or tuned answers come out short)."""
    ours, theirs = counts[0], counts[1] + 1
    if not counts[2]:
        return 0.0
    totals = np.maximum(ours - np.arange(4), 0)
    added = np.array([0, 1, 1, 1])
    logs = np.log((counts[2:] + added) / (totals + added)).mean()
    return float(np.exp(logs + min(0.0, 1 - theirs / ours)))


def corpus_bleu(counts: NDArray[np.float64]) -> float:
    """BLEU, 0 to 100, of the first six statistics of many sentences, (n, 6)."""
    return _bleu(counts)
