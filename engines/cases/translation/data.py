"""The data of the translation case: Multi30k captions, or a file of a user's own pairs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from engines import datasets
from engines.cases.translation.tasks import LEAST, PAIRS, TEST, TEXT, own_file
from engines.cases.translation.text import normalise, sentences, tokenise
from engines.core import Example, Split, Task, TaskData, UserError

FEWEST, MOST_BYTES = 300, 200_000_000
LONGEST_WORDS, LONGEST_TEXT = 400, 4000  # of what a visitor gives


def split(pairs: list[tuple[str, str]]) -> Split:
    """Each pair costs one of the budget; gold's "reference" is the translation, for the oracle of n-best lists."""
    return Split(
        [x for x, _ in pairs], [y for _, y in pairs], np.ones(len(pairs)), [{"reference": y} for _, y in pairs]
    )


def task_data(train: list[tuple[str, str]], test: list[tuple[str, str]], languages: tuple[str, str]) -> TaskData:
    """side: the languages, and "monolingual": the target side of all training pairs, whatever the budget."""
    side = {"languages": languages, "monolingual": [y for _, y in train]}
    return TaskData(split(train), {"test": split(test)}, TEXT, side)


def captions() -> TaskData:
    return multi30k("fr")


def captions_german() -> TaskData:
    return multi30k("de")


@lru_cache(maxsize=2)
def multi30k(target: str) -> TaskData:
    """29,000 captions to train on; the test is Flickr 2016. The official validation captions are left alone: what an
    engine tunes on comes out of its budget.

    Raises:
        UserError: the data set is not on this machine.
    """
    rows = datasets.table(datasets.path(f"multi30k_en_{target}"), ["split", "en", target]).to_pylist()
    train, test = ([(row["en"], row[target]) for row in rows if row["split"] == name] for name in ("train", "test2016"))
    return task_data(train, test, ("en", target))


def own() -> TaskData:
    """The pairs of the file that CROSSOVER_PAIRS names: a tenth of them, at most 1,000, are the test.

    Raises:
        UserError: there is no such file, or it cannot be used.
    """
    file = own_file()
    if file is None:
        raise UserError(f"No file of your own pairs is named: give one with --pairs FILE.tsv, or in {PAIRS}.")
    languages, train, test = checked(file)
    return task_data(train, test, languages)


def checked(file: Path) -> tuple[tuple[str, str], list[tuple[str, str]], list[tuple[str, str]]]:
    """(languages, train, test) of a file of pairs.

    Raises:
        UserError: it cannot be used, or it repeats itself so often that next to nothing is left to train on.
    """
    languages, pairs = read_pairs(file)
    train, test = parted(pairs, languages)
    if len(train) < LEAST:
        raise UserError(
            f"{file.name} holds {len(train)} pairs besides the test and what repeats its sentences: give at least "
            f"{LEAST} different ones to train on."
        )
    return languages, train, test


def parted(pairs: list[tuple[str, str]], languages: tuple[str, str]) -> tuple[list[tuple[str, str]], ...]:
    """(train, test). A sentence of the test, of either side, that is said again in whatever case and spacing would be
    learned by heart: such pairs are left out of training."""
    order = np.random.default_rng(2016).permutation(len(pairs))
    count = min(TEST, len(pairs) // 10)
    said = [
        [" ".join(tokenise(normalise(text).lower(), language)) for text, language in zip(pair, languages, strict=True)]
        for pair in pairs
    ]
    tested = [{said[i][side] for i in order[:count]} for side in (0, 1)]
    train = [pairs[i] for i in order[count:] if said[i][0] not in tested[0] and said[i][1] not in tested[1]]
    return train, [pairs[i] for i in order[:count]]


def read_pairs(file: Path) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """(languages, pairs) of a UTF-8 file: a line a pair, source and target with a tab between. A first line of two
    language codes ("en<TAB>de") says which languages they are, English and French otherwise. Lines with a side that is
    empty or holds nothing that can be seen, or one of more than LONGEST_WORDS words, are left out.

    Raises:
        UserError: not readable, not UTF-8, not two columns, too few pairs, or too large.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UserError(f"{file.name} is larger than {MOST_BYTES // 10**6} MB: give fewer pairs.")
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): name a file of sentence pairs.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file.name} is not UTF-8 text: save it as UTF-8.") from error
    rows = []
    for number, line in enumerate(lines, 1):
        row = line.rstrip("\r").split("\t")
        if line.strip():
            rows.append(row)
        if line.strip() and len(row) != 2:
            raise UserError(
                f"Line {number} of {file.name} has {len(row)} columns: a line is a sentence, a tab, its translation."
            )
    languages = ("en", "fr")
    if rows and all(len(cell) == 2 and cell.isalpha() and cell.islower() for cell in rows[0]):
        languages = (rows[0][0], rows[0][1])
        rows = rows[1:]
    pairs = [
        (row[0].strip(), row[1].strip())
        for row in rows
        if all(_visible(x) and len(x.split()) <= LONGEST_WORDS for x in row)
    ]
    if len(pairs) < FEWEST:
        raise UserError(f"{file.name} holds {len(pairs)} pairs: at least {FEWEST} are needed to train and test.")
    return languages, pairs


def _visible(text: str) -> bool:
    return any(c.isprintable() and not c.isspace() for c in text)


def decode(data: bytes, name: str, task: Task) -> str:
    """What a visitor typed, pasted or uploaded.

    Raises:
        UserError: nothing in it, not text, or too long.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text: type or paste the sentences instead.") from error
    if not sentences(text):
        raise UserError("There is no text in it: type a sentence.")
    if len(text.split()) > LONGEST_WORDS:
        raise UserError(f"The text has {len(text.split()):,} words: give at most {LONGEST_WORDS} at a time.")
    if len(text) > LONGEST_TEXT:
        raise UserError(f"The text has {len(text):,} characters: give at most {LONGEST_TEXT:,} at a time.")
    return text


def reference(typed: str, task: Task) -> tuple[str, str]:
    """A translation that a visitor says is right, and no remark.

    Raises:
        UserError: nothing was typed that could be a translation, or too much.
    """
    text = " ".join(sentences(typed))
    if not any(c.isalnum() for c in text):
        raise UserError("The reference holds no words: type the right translation, or leave it empty.")
    if len(text.split()) > LONGEST_WORDS:
        raise UserError(f"The reference has {len(text.split()):,} words: type at most {LONGEST_WORDS}.")
    return text, ""


def examples(task: Task) -> tuple[Example, ...]:
    """Sentences written for this purpose, in no data set."""
    written = EXAMPLES.get(task.slug, ())
    return tuple(
        Example(title, f"{task.slug}-{number}.txt", truth, "written for this page")
        for number, (title, truth) in enumerate(written, 1)
    )


EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "captions": (
        ("Two children are playing football in the park.", "Deux enfants jouent au football dans le parc."),
        ("A woman in a red dress is reading a book on a bench.", "Une femme en robe rouge lit un livre sur un banc."),
        (
            "An old man with a white beard is selling fruit at a market, and three people are waiting.",
            "Un vieil homme à la barbe blanche vend des fruits sur un marché, et trois personnes attendent.",
        ),
    ),
}
