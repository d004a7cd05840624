"""Translation: text in and out, odd inputs, a user's own pairs, and BLEU against sacreBLEU's own."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from engines import answer
from engines.cases.translation import data, metric
from engines.cases.translation.end_to_end import EndToEnd, failure
from engines.cases.translation.hybrid import Hybrid
from engines.cases.translation.phrase_model import PhraseModel
from engines.cases.translation.pipeline import Pipeline
from engines.cases.translation.tasks import CAPTIONS, PAIRS, own, tasks
from engines.cases.translation.text import LONGEST, Analysis, detokenise, normalise, parts, sentences, tokenise
from engines.core import Budget, Engine, Metric, UserError

ANIMALS = {"dog": "chien", "cat": "chat", "bird": "oiseau", "horse": "cheval", "cow": "canard"}
COLOURS = {"red": "rouge", "green": "vert", "blue": "bleu", "black": "noir", "white": "blanc"}
VERBS = {"sleeps": "dort", "runs": "court", "eats": "mange", "waits": "attend"}


def toy_pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """A little English and French in which adjectives change places: "A red dog runs." -> "Un chien rouge court."."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        animal, colour, verb = (str(rng.choice(list(words))) for words in (ANIMALS, COLOURS, VERBS))
        found.append((f"A {colour} {animal} {verb}.", f"Un {ANIMALS[animal]} {COLOURS[colour]} {VERBS[verb]}."))
    return found


@pytest.fixture(scope="module")
def engine() -> Pipeline:
    """The real chain on 120 sentences of the little language."""
    made = data.task_data(toy_pairs(120), toy_pairs(5, 1), ("en", "fr"))
    return Pipeline().fit(made.draw(Budget(100), 0), np.random.default_rng(0))


@pytest.fixture(scope="module")
def every(engine: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    """The three engines on the little language; the networks are too small to be right."""
    made = data.task_data(toy_pairs(40), toy_pairs(5, 1), ("en", "fr"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSOVER_CACHE", str(tmp_path_factory.mktemp("cache")))
        draw = made.draw(Budget(30), 0)
        networks = [made.fit(draw, np.random.default_rng(0)) for made in (EndToEnd(), Hybrid())]
    return {each.name: each for each in (engine, *networks)}


def test_the_chain_learns_words_and_their_order(engine: Pipeline) -> None:
    right = [engine.answer(x) == y for x, y in toy_pairs(20, 5)]
    assert np.mean(right) >= 0.95
    assert engine.answer("A red dog runs. A blue cat sleeps.") == "Un chien rouge court. Un chat bleu dort."


ODD = {
    "French": "Un chien rouge court.",
    "emoji": "A red dog 🐕‍🦺 runs 😀!",
    "right to left": "كلب أحمر يجري. A red dog runs. כלב אדום",
    "bidi control": "A \u202ered\u202c dog \u2066runs\u2069.",
    "control characters": "A red\x00 dog\x07 runs\x1b[31m.",
    "a number": "1,234.5",
    "one sign": "?",
    "HTML": "<script>alert(1)</script> A red dog & a <b>cat</b>.",
    "one long word": "a" * 3000,
    "quotes": "'''''\"\"\"\"''''",
    "clitics": "'s" * 300,
    "combining marks": "e\u0301" * 50 + "\u0301" * 50,
}


@pytest.mark.parametrize("name", ["pipeline", "hybrid", "end_to_end"])
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_inputs_get_an_answer(every: dict[str, Engine], name: str, text: str) -> None:
    given = data.decode(text.encode(), "typed text", CAPTIONS)
    trace = every[name].trace(given)
    for step in trace.steps:
        assert step.spec.problem(step.value) is None, step.stage
        assert "\n" not in answer.describe(step)
    assert trace.answer or name == "end_to_end"  # which passes nothing through
    assert not any(ord(c) < 32 or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for c in trace.answer)


def test_what_cannot_be_translated_is_passed_through(engine: Pipeline) -> None:
    assert engine.answer("1,234.5") == "1,234.5"
    answer = engine.answer("A red Zaphod runs.")
    assert "Zaphod" in answer
    tokens = engine.trace("A red Zaphod runs.").steps[0].value
    assert tokens.unknown == ((2,),)
    assert tokens.lack == "not in the phrase table"


def test_the_network_names_the_letters_it_cannot_read(every: dict[str, Engine]) -> None:
    _, pieces, *_ = every["end_to_end"].trace("A red 7 runs.").steps
    (sentence,), (places,) = pieces.value.sentences, pieces.value.unknown
    assert [sentence[i] for i in places] == ["7"]
    assert answer.describe(pieces).endswith("; the network cannot read: 7")
    subwords = every["end_to_end"].fitted.subwords
    for text in (*ODD.values(), "</s> <s> <unk> 7 <pad>"):
        words = tokenise(normalise(text), "en")
        assert subwords.numbers(subwords.spelled(words)) == subwords.encode(words)


def test_every_stage_is_told_in_a_line(engine: Pipeline) -> None:
    told = {step.stage: answer.describe(step) for step in engine.trace("A red dog runs. A Zaphod.").steps}
    assert told["tokens"].startswith("a red dog runs . / a Zaphod .; not in the phrase table: Zaphod")
    assert "ways to translate" in told["options"]
    assert "without a phrase: Zaphod" in told["options"]
    assert told["n_best"].startswith("un chien rouge court . (")
    assert " / un Zaphod . (" in told["n_best"]
    assert " -> " in told["phrases"]


@pytest.mark.parametrize(
    ("words", "source", "says"),
    [
        ("un chien un chien un chien .", "a dog .", "repeats “un chien”"),
        ("un chien court et un chien court puis un chien court .", "two dogs .", "says “un chien court” again"),
        ("un homme , un chien , un chat .", "a man , a dog , a cat .", ""),
        ("un homme en bleu , un homme en vert , un homme en noir", "a man in b , a man in g , a man in k", ""),
        ("un chien .", "a man in a red coat walks his dog home .", "much too short: 3 words for 11"),
        ("un chien .", "a small dog here too .", ""),
        ("", "a dog", "before the first word"),
    ],
)
def test_what_visibly_went_wrong_is_named(words: str, source: str, says: str) -> None:
    found = failure(words.split(), True, source.split())
    assert says in found if says else not found
    assert failure(words.split(), False).startswith("cut at the length limit")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "no text"),
        (b" \n\t ", "no text"),
        (b"\x00\x01", "no text"),
        (b"\xff\xfe\x00a", "UTF-8"),
        ("dog " * 5000, "5,000 words: give at most 400"),
        ("x" * 5000, "5,000 characters: give at most 4,000"),
    ],
)
def test_what_is_refused_is_refused_in_one_sentence(given: bytes | str, says: str) -> None:
    raw = given if isinstance(given, bytes) else given.encode()
    with pytest.raises(UserError, match=says) as refused:
        data.decode(raw, "typed text", CAPTIONS)
    assert "\n" not in str(refused.value)


def test_five_thousand_words_that_reach_the_engine_take_time_in_proportion(engine: Pipeline) -> None:
    """The page refuses them; the command line and a program may not."""
    text = " ".join(x.rstrip(".") for x, _ in toy_pairs(1250, 3))
    assert len(text.split()) == 5000
    engine.answer(text[:400])
    lasted = []
    for share in (1250, 5000):
        some = " ".join(text.split()[:share])
        begun = time.process_time()
        answer = engine.answer(some)
        lasted.append(time.process_time() - begun)
        assert len(answer.split()) > 0.9 * share
    assert lasted[1] < 8 * lasted[0] + 0.5


def test_tokens_and_back() -> None:
    for language, text in [
        ("en", "The dog doesn't like the man's hat, does it?"),
        ("en", 'He said "no" (twice), at 10:30 on e-mail.'),
        ("fr", "L'homme qu'on voit n'est pas d'ici, aujourd'hui."),
        ("de", "Ein Mann geht über die Straße; er trägt einen Hut."),
    ]:
        assert detokenise(tokenise(text, language), language) == text
    assert tokenise("l'homme d'aujourd'hui", "fr") == ["l'", "homme", "d'", "aujourd'hui"]
    assert tokenise("don't", "en") == ["do", "n't"]
    assert normalise("a\u00a0b \u201cc\u201d") == 'a b "c"'
    assert sentences("One. Two?\nthree") == ["One.", "Two?", "three"]
    quoted = 'He said "go." Then he left. (He was late.) She stayed.'
    assert sentences(quoted) == ['He said "go."', "Then he left.", "(He was late.)", "She stayed."]
    assert tokenise("हिन्दी भाषा", "hi") == ["हिन्दी", "भाषा"]


def test_titles_end_no_sentence_and_joined_pictures_stay_whole() -> None:
    assert sentences("Mr. Smith waits. St. John's is far.") == ["Mr. Smith waits.", "St. John's is far."]
    assert tokenise("a 👨‍👩‍👧 and 🇫🇷🇩🇪 👍🏽!", "en") == ["a", "👨‍👩‍👧", "and", "🇫🇷", "🇩🇪", "👍🏽", "!"]


def test_a_number_in_digits_stays_in_every_translation() -> None:
    pairs = [(["no", "3"], ["numéro", "véhicule"]), (["with", "3", "dogs"], ["avec", "3", "chiens"])] * 4
    model = PhraseModel.fit([*pairs, (["a", "dog"], ["un", "chien"])])
    offered = model.options(["with", "no", "3", "1,200"])
    assert all("3" in option.target for option in offered if option.start <= 2 < option.end)
    assert any(option.start <= 2 < option.end for option in offered)
    assert [option.target for option in offered if option.end == 4] == [("1,200",)]


def test_a_long_sentence_is_cut_after_punctuation_and_loses_nothing() -> None:
    tokens = [f"w{i}" if i % 7 else "," for i in range(1, 500)]
    cut = parts(tokens)
    assert [token for part in cut for token in part] == tokens
    assert max(map(len, cut)) <= LONGEST
    assert all(part[-1] == "," for part in cut[:-1])


def test_names_keep_their_capital_and_sentences_begin_with_one() -> None:
    pairs = [("The man sees Paris.", "L'homme voit Paris."), ("Then the man sees Paris.", "Puis l'homme voit Paris.")]
    analysis = Analysis.fit(pairs, ("en", "fr"))
    assert analysis.source_tokens("The Paris")[0] == "the"
    assert analysis.source_tokens("Paris sleeps")[0] == "Paris"
    assert Analysis.from_json(analysis.to_json()) == analysis


def answers(count: int) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(8)
    words = ["Le", "chien", "l'homme", "court,", "vite", "Paris", "n'est", "pas", "3.5", "ici."]
    truth = [" ".join(rng.choice(words, rng.integers(3, 14))) for _ in range(count)]
    found = [" ".join(w for w in line.split() if rng.random() < 0.85) or "rien" for line in truth]
    return found, truth


@pytest.mark.parametrize("count", [1, 3, 200])
def test_scores_are_sacrebleus_own(count: int) -> None:
    found, truth = answers(count)
    rows = np.stack([metric.measure_french(a, b) for a, b in zip(found, truth, strict=True)])

    def prepared(lines: list[str]) -> list[str]:
        return [" ".join(tokenise(normalise(line).lower(), "fr")) for line in lines]

    main = sacrebleu.corpus_bleu(prepared(found), [prepared(truth)], tokenize="none", force=True)
    assert metric.combine(rows) == pytest.approx(main.score, abs=1e-6)
    assert metric.cased(rows) == pytest.approx(sacrebleu.corpus_bleu(found, [truth]).score, abs=1e-6)
    assert metric.chrf(rows) == pytest.approx(sacrebleu.corpus_chrf(found, [truth]).score, abs=1e-3)
    quick = np.stack(
        [metric.matches(a.split(), b.split()) for a, b in zip(prepared(found), prepared(truth), strict=True)]
    )
    assert metric.corpus_bleu(quick) == pytest.approx(main.score, abs=1e-6)


@pytest.mark.parametrize(
    "found", ["Deux filles.", "deux filles courent", "Une fille.", "Rien", "Un chien rouge court."]
)
def test_one_answer_is_scored_as_sacrebleu_scores_a_sentence(found: str) -> None:
    truth = "Deux filles."
    row = metric.measure_french(found, truth)
    ours, theirs = (" ".join(tokenise(text.lower(), "fr")) for text in (found, truth))
    alone = sacrebleu.sentence_bleu(ours, [theirs], tokenize="none").score
    assert CAPTIONS.metric.score_alone(row) == pytest.approx(alone, abs=1e-6)
    cased = next(each for each in CAPTIONS.beside if each.name.startswith("BLEU"))
    assert cased.score_alone(row) == pytest.approx(sacrebleu.sentence_bleu(found, [truth]).score, abs=1e-6)
    if found == truth:
        assert CAPTIONS.metric.score_alone(row) == pytest.approx(100)
        assert CAPTIONS.metric.score(row[None]) == 0, "the score of a sweep stays what it was"


def test_signatures_are_sacrebleus_own() -> None:
    from sacrebleu.metrics import BLEU, CHRF

    main, chrf, cased = (each.signature for each in (CAPTIONS.metric, *CAPTIONS.beside))
    for scorer, signature in ((BLEU(lowercase=True, tokenize="none"), main), (CHRF(), chrf), (BLEU(), cased)):
        scorer.corpus_score(["a"], [["a"]])
        assert str(scorer.get_signature()) in signature


def test_what_is_compared_is_what_the_score_counts() -> None:
    assert metric.tokens_french("L’Homme court.") == [("L'", "l'"), ("Homme", "homme"), ("court", "court"), (".", ".")]
    text = "Un\u0307 İstanbul n'est PAS là, 3.5 !"
    assert [low for _, low in metric.tokens_french(text)] == tokenise(normalise(text).lower(), "fr")


def test_scores_of_nothing_and_of_the_truth() -> None:
    truth = ["Un chien rouge court ici.", "Un chat."]
    perfect = np.stack([metric.measure_french(line, line) for line in truth])
    assert metric.combine(perfect) == pytest.approx(100)
    assert metric.chrf(perfect) == pytest.approx(100)
    empty = np.stack([metric.measure_french("", line) for line in truth])
    assert metric.combine(empty) == metric.cased(empty) == metric.chrf(empty) == 0
    assert metric.sentence_bleu(metric.matches(["x"], ["y"])) == 0


def pairs_file(folder: Path, lines: list[str]) -> Path:
    file = folder / "mine.tsv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def lines_of(count: int) -> list[str]:
    return [f"sentence {i} .\tphrase {i} ." for i in range(count)]


def test_a_file_of_pairs_is_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [line.upper().replace(" .", ".") for line in lines_of(400)]  # said again, in other letters and spacing
    monkeypatch.setenv(PAIRS, str(pairs_file(tmp_path, ["en\tde", *lines_of(400), "", "lone\t", "a\tb\r", *others])))
    task = next(task for task in tasks() if task.slug.startswith("pairs_"))
    made = task.data()
    assert made.side["languages"] == ("en", "de")
    assert len(made.tests["test"].x) == 80
    tested, trained = (
        {" ".join(tokenise(x.lower(), "en")) for x in part.x} for part in (made.tests["test"], made.train)
    )
    assert 40 <= len(tested) < 80
    assert len(made.train.x) == 801 - 2 * len(tested)
    assert not tested & trained
    assert max(task.budgets) == made.train.total
    assert min(task.budgets) == 100
    assert isinstance(task.metric, Metric)
    again = task.data()
    assert list(again.tests["test"].x) == list(made.tests["test"].x)


@pytest.mark.parametrize(
    "lines",
    [["a b\tc d"] * 1000, [f"one source\ttarget {i}" for i in range(1000)], ["\x01\t\x02 \x03"] * 1000],
    ids=["one pair", "one source", "control characters"],
)
def test_a_file_that_leaves_nothing_to_train_on_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    file = pairs_file(tmp_path, lines)
    monkeypatch.setenv(PAIRS, str(file))
    with pytest.raises(UserError, match=r"mine\.tsv holds 0 pairs") as refused:
        data.own()
    assert own(file).summary == str(refused.value)


def test_what_is_counted_are_pairs(tmp_path: Path) -> None:
    made = own(pairs_file(tmp_path, ["en\tde", *lines_of(400), "lone\t"]))
    assert made.summary == "Sentence pairs of mine.tsv: 360 to train on, 40 to test on."
    assert made.option == f"--task {made.slug} --pairs FILE.tsv"
    assert CAPTIONS.option == "--task captions"


def test_other_pairs_are_another_task(tmp_path: Path) -> None:
    one = own(pairs_file(tmp_path, lines_of(400))).slug
    other = own(pairs_file(tmp_path, lines_of(401))).slug
    assert one != other


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"one\ttwo\tthree\n", "Line 1 of mine.tsv has 3 columns"),
        (b"a\tb\n\n\nonly one\n", "Line 4 of mine.tsv has 1 columns"),
        (b"only one\n", "has 1 columns"),
        (b"a\tb\n" * 20, "holds 20 pairs: at least 300"),
        (b"", "holds 0 pairs"),
        (b"caf\xe9\tx\n", "not UTF-8"),
    ],
)
def test_a_bad_file_of_pairs_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "mine.tsv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=says):
        data.read_pairs(file)


def test_a_missing_file_of_pairs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        data.read_pairs(tmp_path / "none.tsv")
    with pytest.raises(UserError, match="cannot be read"):
        data.read_pairs(tmp_path)
    monkeypatch.delenv(PAIRS, raising=False)
    with pytest.raises(UserError, match="--pairs"):
        data.own()


def test_subwords_sampled_from_one_seed_are_the_same() -> None:
    from engines.ml.subwords import Subwords

    text = ["a man in an orange hat", "two dogs are running over the snow", "children play in the park"] * 20
    subwords = Subwords.fit(text, 60)
    one, same, other = (subwords.sample(text, 0.3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert one != [subwords.encode(line.split()) for line in text]
    assert [subwords.words(pieces) for pieces in one] == [line.split() for line in text]


def test_a_script_of_many_letters_has_them_all_as_pieces() -> None:
    from engines.ml.subwords import Subwords

    text = ["".join(map(chr, range(0x4E00 + i, 0x4E03 + i))) for i in range(0, 900, 3)] * 2
    assert len(Subwords.fit(text, 250)) > 900


def test_sentences_that_are_too_long_to_search_are_not_tuned_on() -> None:
    from engines.cases.translation import phrase_model
    from engines.core import quiet

    pairs = [(tokenise(x, "en"), tokenise(y, "fr")) for x, y in toy_pairs(60)]
    fold = phrase_model.Fold([*pairs[:20], (pairs[0][0] * 20, pairs[0][1] * 20)], PhraseModel.fit(pairs[20:]))
    without = replace(fold, held=pairs[:20])
    start = fold.model.settings
    tuned = [phrase_model.tune(each, start, np.random.default_rng(0), 1, quiet) for each in (fold, without)]
    assert tuned[0] == tuned[1]


def test_end_to_end_and_the_hybrid_ask_one_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of them trains nothing, and answers as it would had it trained."""
    from engines.core import effort

    made = data.task_data(toy_pairs(40), toy_pairs(5, 1), ("en", "fr"))
    draw, probe = made.draw(Budget(30), 0), "A red dog runs."
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "one"))
    first = Hybrid().fit(draw, np.random.default_rng(0))
    with effort.counted() as spent:
        both = EndToEnd().fit(draw, np.random.default_rng(0)), Hybrid().fit(draw, np.random.default_rng(0))
    assert len(list((tmp_path / "one" / "translation" / "networks").iterdir())) == 1
    assert spent.kept > 0  # the seconds of its training count in each
    assert both[1].trace(probe).steps[-2].value == first.trace(probe).steps[-2].value
    # One long word takes the hybrid no more memory or time than a sentence, and the picture of attention has the pieces
    # that were written.
    assert both[1].answer("x" * 3000)
    *_, candidates, links, _ = both[0].trace(probe).steps
    assert links.value.target == tuple(best.pieces for best in candidates.value.best)
    assert all(len(heat) == len(target) for heat, target in zip(links.value.weights, links.value.target, strict=True))
    translator, said = both[0].fitted, [("un", "chien"), ("un", "chien", "rouge", "court", "."), ("un",)]
    at_once = translator.logprobs(("a", "dog"), said)
    monkeypatch.setattr("engines.ml.beam.MOST_WEIGHTS", 1)
    assert np.allclose(translator.logprobs(("a", "dog"), said), at_once)
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "two"))
    assert EndToEnd().fit(draw, np.random.default_rng(0)).answer(probe) == both[0].answer(probe)
