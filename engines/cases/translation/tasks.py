"""The tasks of the translation case: metadata only.

The captions in French are always there; those in German where their data set is on this machine; a user's own pairs
where CROSSOVER_PAIRS (or --pairs of the command line) names a file of them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from engines import datasets
from engines.core import Faults, Metric, Spec, Task, UserError

TEXT = Spec("text")
PAIRS = "CROSSOVER_PAIRS"  # names a TSV file of the user's own sentence pairs
CAPTION_BUDGETS = (100, 200, 300, 600, 1_200, 3_000, 6_000, 10_000, 18_000, 29_000)
# A kept model must not be read back as the captions, which are not ours to pass on: from 500 pairs on it cannot be
# (`phrase_model.py: ABRIDGED_FROM`).
CAPTION_MODELS = (600, 1_200, 3_000)
KINDS = {
    "unknown words": "words of the source that stand untranslated in the answer, and not in the reference",
    "word order": "words of the reference that the answer has in another place",
    "missing words": "words of the reference that the answer lacks, with nothing in their place",
    "repetitions": "words that say again what stands just before them, and the reference does not",
    "wrong words": "other words of the answer that the reference has nowhere",
}
TEST = 1_000  # pairs that are tested on at most
LEAST = 100  # pairs: with fewer the network's plan is none (`network.plan_for`)
VERSION = "version:2.6.0"  # of sacreBLEU
METRIC = "engines.cases.translation.metric"


def bleu(language: str) -> Metric:
    return Metric(
        name="BLEU",
        unit="",
        lower_is_better=False,
        best=100.0,
        measure=f"{METRIC}:measure_{language}",
        combine=f"{METRIC}:combine",
        signature=f"sacreBLEU's nrefs:1|case:lc|eff:no|tok:none|smooth:exp|{VERSION}, of our own tokens",
        alone=f"{METRIC}:alone",
        alone_note="BLEU of one answer is sacreBLEU's of a sentence (eff:yes), which leaves out n-grams that the "
        "answer is too short for; curves and tables show that of a whole test (eff:no), which would give it 0.",
        tokens=f"{METRIC}:tokens_{language}",
    )


def beside(language: str) -> tuple[Metric, ...]:
    """chrF and sacreBLEU's own cased BLEU, of the same statistics."""
    main = bleu(language)
    return (
        replace(
            main,
            name="chrF",
            combine=f"{METRIC}:chrf",
            alone="",
            signature=f"sacreBLEU's chrF2, nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|{VERSION}",
        ),
        replace(
            main,
            name="BLEU, cased (13a)",
            combine=f"{METRIC}:cased",
            alone=f"{METRIC}:cased_alone",
            signature=f"sacreBLEU's nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{VERSION}",
        ),
    )


def faults(language: str) -> Faults:
    return Faults(KINDS, "words of the reference", f"engines.cases.translation.faults:count_{language}")


def captions(slug: str, target: str, code: str, summary: str) -> Task:
    """Multi30k's captions, English to `target`; `code` is that language's in the name of the data set."""
    return Task(
        slug=slug,
        title="Captions" if slug == "captions" else f"Captions, {target.title()}",
        summary=summary,
        x=TEXT,
        y=TEXT,
        metric=bleu(target),
        unit="sentence pairs",
        load=f"engines.cases.translation.data:{slug}",
        budgets=CAPTION_BUDGETS,
        models=CAPTION_MODELS,
        tiny=24,
        simulated=False,
        datasets=(f"multi30k_en_{code}",),
        beside=beside(target),
        faults=faults(target),
    )


CAPTIONS = captions(
    "captions",
    "french",
    "fr",
    "Captions of photographs, English to French; the test is Multi30k's test 2016. BLEU of lower-cased text in our own "
    "tokens (sacreBLEU's nrefs:1|case:lc|eff:no|tok:none|smooth:exp).",
)
GERMAN = captions("captions_german", "german", "de", "The same captions, English to German.")


def tasks() -> tuple[Task, ...]:
    german = (GERMAN,) if datasets.find("multi30k_en_de") else ()
    file = own_file()
    return (CAPTIONS, *german, *((own(file),) if file else ()))


def own_file() -> Path | None:
    """The file of a user's own pairs, or None."""
    return Path(setting) if (setting := os.environ.get(PAIRS)) else None


def _counted(file: Path) -> tuple[int, int, str]:
    """(pairs to train on, pairs to test on, "") of a user's file; where it cannot be used, (0, 0, why)."""
    from engines.cases.translation import data

    try:
        _, train, test = data.checked(file)
    except UserError as error:
        return 0, 0, str(error)
    return len(train), len(test), ""


def own(file: Path) -> Task:
    """A task of the user's own pairs: ten budgets up to all there are. Its name tells the file's content, so that runs
    on different files do not mix."""
    try:
        content = file.read_bytes()
    except OSError:
        content = b""  # what is wrong with the file is said when it is loaded
    trained, tested, problem = _counted(file)
    most = trained or 200
    least = min(max(LEAST, most / 100), most / 2)
    budgets = tuple(float(round(least * (most / least) ** (i / 9))) for i in range(10))
    return Task(
        slug=f"pairs_{hashlib.sha256(content).hexdigest()[:8]}",
        title=f"Your pairs: {file.stem[:40]}",
        summary=problem or f"Sentence pairs of {file.name[:60]}: {trained:,} to train on, {tested:,} to test on.",
        x=TEXT,
        y=TEXT,
        metric=bleu("own"),
        unit="sentence pairs",
        load="engines.cases.translation.data:own",
        budgets=budgets,
        models=(budgets[3], budgets[6], budgets[9]),
        tiny=24,
        simulated=False,
        datasets=(),
        beside=beside("own"),
        faults=faults("own"),
        besides="--pairs FILE.tsv",
    )
