"""How fast the search is: `python -m tests.benchmarks.decoding`.

2,600 made-up words of three to nine phones, a trigram of 2,500 made-up sentences, noisy scores of words that were
planted. Prints the states of the graph, seconds to compile, word error rate and seconds of search a second of sound
(frames of 10 ms) at three beams. About half a minute; the search should stay below 0.1.
"""

import time
from dataclasses import replace

import numpy as np

from engines.ml.decoder import Decoder, SearchSettings
from engines.ml.lexicon import phones_of
from engines.ml.ngram import NgramModel
from engines.ml.tree import untied
from engines.ml.wer import combine, measure

PHONES = tuple("ptkbdgfvszmnlrwyaeiou")


def main() -> None:
    rng = np.random.default_rng(0)
    lexicon = {f"W{i}": [tuple(rng.choice(PHONES, rng.integers(3, 10)))] for i in range(2600)}
    popular = rng.zipf(1.3, 60_000)
    words = [f"W{i - 1}" for i in popular[popular <= 2600]]
    sentences = [words[i : i + 6] for i in range(0, 15_000, 6)]
    layout = untied(phones_of(lexicon))
    start = time.perf_counter()
    decoder = Decoder(lexicon, NgramModel.fit(sentences, lexicon, 3), layout)
    print(f"{len(decoder.graph.column)} states compiled in {time.perf_counter() - start:.1f} s")
    spoken = sentences[:30]
    scores = []
    for sentence in spoken:
        chain = [c for word in sentence for _, unit in layout.units(lexicon[word][0]) for c in unit]
        columns = np.repeat([*layout.gap, *chain, *layout.gap], 3)
        noise = rng.normal(0, 12, (len(columns), layout.size)).astype(np.float32)
        noise[np.arange(len(columns)), columns] += 14
        scores.append(noise)
    seconds = sum(map(len, scores)) / 100
    for beam, most in ((9.0, 1500), (12.0, 2500), (16.0, 6000)):
        settings = replace(SearchSettings(0.07, -1.0), beam=beam, max_active=most)
        tried = decoder.with_settings(settings)
        tried.decode(scores[0])
        start = time.perf_counter()
        found = [tried.decode(s).text for s in scores]
        taken = time.perf_counter() - start
        wer = combine(np.stack([measure(f, " ".join(s)) for f, s in zip(found, spoken, strict=True)]))
        print(f"beam {beam:4.1f}, {most:5d} active: word error rate {wer:5.1f} %, {taken / seconds:.4f} s a second")


if __name__ == "__main__":
    main()
