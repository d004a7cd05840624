"""The commands task: synthetic speech, as many hours as one has patience for.

What is said is planned (plans.py); sound is made in shards when first asked for (shards.py, render.py), and kept.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, ClassVar

import numpy as np

from engines.cases.speech import shards
from engines.cases.speech.espeak import ACCENTS
from engines.cases.speech.plans import RATE, TEST_SHARDS, UTTERANCES, Plan, shard_plans, table
from engines.core import Spec, Split, TaskData, UserError
from engines.ml.lazy import Lazy

# The pool grows in blocks of at least BLOCK_HOURS: a larger pool begins with the very shards of a smaller one, and
# budgets draw block by block, so that they do not change when the pool grows.
BLOCK = 320
BLOCK_HOURS = 32
# Words that are spoken in more ways inside a sentence than alone.
SPOKEN = {
    "A": ("AH", "EY"),
    "AND": ("AE N D", "AH N D"),
    "AT": ("AE T", "AH T"),
    "FOR": ("F AO R", "F AO", "F ER", "F AH"),
    "FROM": ("F R AH M", "F R AO M"),
    "THE": ("DH AH", "DH IY"),
    "TO": ("T UW", "T AH", "T UH"),
}


def commands() -> TaskData:
    """Hours of synthetic commands, at least those of the default budgets; CROSSOVER_COMMAND_HOURS makes the pool
    larger. The test is spoken by other voices, and no command of the test is ever spoken in training.

    Raises:
        UserError: CROSSOVER_COMMAND_HOURS is not a number of hours. (Asking for an item raises UserError where
            espeak-ng is not installed.)
    """
    return _commands(pool_blocks())


def pool_blocks() -> int:
    setting = os.environ.get("CROSSOVER_COMMAND_HOURS", "0")
    try:
        hours = float(setting)
        if not 0 <= hours <= 10_000:
            raise ValueError
    except ValueError:
        raise UserError(
            f"CROSSOVER_COMMAND_HOURS is {setting!r}: give a number of hours from 0 to 10000, or leave it out."
        ) from None
    return max(1, math.ceil(hours / BLOCK_HOURS))


@lru_cache(maxsize=2)
def _commands(blocks: int) -> TaskData:
    return TaskData(
        train=_split("train", blocks * BLOCK),
        tests={"test": _split("test", TEST_SHARDS)},
        x=Spec("waveform", unit="s", shape=(None,), rate=RATE),
        side={"lexicon": lexicon()},
    )


class ShardedSplit(Split):
    """Budgets draw whole shards, so that a small one needs few: within each block of shards a permutation of the
    shards, within each shard one of its utterances."""

    more: ClassVar[str] = ", or name more hours in CROSSOVER_COMMAND_HOURS"

    def permutation(self, rng: np.random.Generator) -> Any:
        count = len(self) // UTTERANCES
        parts = []
        for block in range(0, count, BLOCK):
            for shard in block + rng.permutation(min(BLOCK, count - block)):
                parts.append(shard * UTTERANCES + rng.permutation(UTTERANCES))
        return np.concatenate(parts)


def _split(pool: str, count: int) -> Split:
    plans = [plan for shard in range(count) for plan in shard_plans(pool, shard)]

    def waveform(i: int) -> Any:
        shard, position = divmod(i, UTTERANCES)
        return shards.utterance(pool, shard, position)

    return ShardedSplit(
        x=Lazy(len(plans), waveform),
        y=[plan.text for plan in plans],
        weight=np.array([plan.samples for plan in plans]) / RATE / 3600,
        gold=Lazy(len(plans), lambda i: gold(plans[i])),
    )


@lru_cache(maxsize=1)
def lexicon() -> Mapping[str, list[tuple[str, ...]]]:
    """word -> the pronunciations that at least two accents share, the commonest first."""
    found = {}
    for word, accents in table().items():
        shared = sorted({p for p in accents if accents.count(p) > 1}, key=lambda p: (-accents.count(p), p))
        own = [tuple(phones.split()) for phones in SPOKEN.get(word, ())]
        found[word] = own or shared or [accents[0]]
    return found


@cache
def _pronounced(word: str, accent: str) -> tuple[str, ...]:
    own = table()[word][ACCENTS.index(accent)]
    return own if own in lexicon()[word] else lexicon()[word][0]


def gold(plan: Plan) -> Mapping[str, Any]:
    """Phonemes a word: the accent's own pronunciation where the lexicon has it, else the commonest; and who spoke."""
    return {
        "phonemes": [_pronounced(word, plan.accent) for word in plan.text.split()],
        "speaker": f"{plan.accent}+{plan.variant}",
    }


def main() -> None:
    """Make all the sound of the pool that is not there yet: `python -m engines.cases.speech.commands`."""
    wanted = [("test", shard) for shard in range(TEST_SHARDS)]
    wanted += [("train", shard) for shard in range(pool_blocks() * BLOCK)]
    for done, (pool, shard) in enumerate(wanted, 1):
        shards.ensure(pool, shard)
        print(f"\r{done} of {len(wanted)} shards", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
