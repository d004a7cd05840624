"""The lecture's claims: planted runs bring the verdict that they should, and published figures speak by the rule."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from engines import registry
from engines.claims import Claim, Evidence, claims, judge, verdict
from engines.claims.design import effort
from engines.claims.evidence import FILE
from engines.claims.measured import at_largest, at_smallest, hybrid_between, more_side_data, overtaking, steeper
from engines.claims.others import at_smallest as published_smallest
from engines.claims.others import between, compared, grows
from engines.claims.rules import RULES
from engines.core import Budget
from engines.runs import Run, RunSpec, RunStore, Score

BUDGETS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


def plant(store: RunStore, engine: str, rates: dict[float, float], examples: int = 400) -> None:
    """Runs of the toy case whose errors (in per cent) are these."""
    for budget, rate in rates.items():
        wrong = (np.arange(examples) < rate / 100 * examples).astype(float)
        # The same examples are hard for nobody twice: engines err on different ones.
        statistics = np.random.default_rng(len(engine)).permutation(wrong)[:, None]
        for seed in range(2):
            spec = RunSpec("tones", "pairs", engine, Budget(budget), seed, 1)
            store.add(Run(spec, (Score(rate, statistics),), 1.0, 0.1, 7))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


CASE = registry.case("tones")
STEEP = {budget: 80 / (budget / 2) for budget in BUDGETS}
FLAT = {budget: 30.0 for budget in BUDGETS}


def spoken(evidence) -> list[str]:
    return [each.speaks for each in evidence]


def said(*speaks: str) -> str:
    return verdict([Evidence(each, "", "", True) for each in speaks])


def test_a_verdict_follows_from_what_speaks():
    assert said("for", "nothing") == "supported"
    assert said("against", "against") == "contradicted"
    assert said("for", "against") == "mixed"
    assert said("nothing") == said() == "not testable here"


def test_planted_curves_that_cross_are_seen(store):
    plant(store, "pipeline", FLAT)
    plant(store, "end_to_end", STEEP)
    assert spoken(at_smallest(CASE, store, "pipeline", "end_to_end", ties="for")) == ["for"]
    assert spoken(at_largest(CASE, store, "pipeline", "end_to_end", ties="for")) == ["against"]
    (seen,) = overtaking(CASE, store)
    assert (seen.speaks, seen.budget) == ("for", 8.0)
    assert spoken(steeper(CASE, store)) == ["for"]
    assert not list(hybrid_between(CASE, store))


def test_planted_curves_that_stay_apart_are_seen(store):
    plant(store, "pipeline", {budget: 40 / budget**0.5 for budget in BUDGETS})
    plant(store, "end_to_end", {budget: 80 / budget**0.1 for budget in BUDGETS})
    assert spoken(overtaking(CASE, store)) in (["against"], ["nothing"])
    assert spoken(steeper(CASE, store)) == ["against"]


def test_equal_scores_say_what_the_claim_makes_of_them(store):
    plant(store, "pipeline", FLAT)
    plant(store, "end_to_end", FLAT)
    assert spoken(at_smallest(CASE, store, "pipeline", "end_to_end", ties="for")) == ["for"]
    assert spoken(at_smallest(CASE, store, "pipeline", "end_to_end", ties="nothing")) == ["nothing"]


def test_no_runs_no_evidence(store):
    for compare in (overtaking(CASE, store), steeper(CASE, store), hybrid_between(CASE, store)):
        assert not list(compare)


def test_every_claim_has_a_rule_and_is_judged(store):
    assert len(claims()) == 13
    assert {claim.test for claim in claims()} == set(RULES)
    found = judge(store)
    assert [each.claim.number for each in found] == list(range(1, 14))
    # With an empty store the published figures alone speak.
    assert not [e for each in found for e in each.measured if e.speaks != "nothing" and each.claim.number != 13]
    assert found[1].verdict == "supported"


def test_the_claims_are_read_as_they_stand(tmp_path):
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [claim.text for claim in claims()] == [row["claim"] for row in rows]
    other = tmp_path / "claims.csv"
    other.write_text("case,claim,test\nspeech,Words,a test\n")
    assert claims(other) == (Claim(1, "speech", "Words", "a test"),)


def test_published_results_are_compared_at_like_amounts_of_data():
    late = list(compared("speech", ("end_to_end",), ("pipeline", "hybrid"), 9500))
    assert late
    assert all(each.speaks == "for" and each.published and "," in each.source + each.text for each in late)
    assert not list(compared("speech", ("end_to_end",), ("pipeline",), 100_000))
    assert spoken(published_smallest("translation", ("pipeline",), ("end_to_end",))) == ["for"]
    assert spoken(compared("translation", ("end_to_end",), ("pipeline",))) == ["for"]
    assert list(between("speech"))
    assert "for" in spoken(grows("turnstile", "pipeline"))


def test_what_is_designed_by_hand_is_what_the_page_of_methods_counts(store):
    told = [each for judged in judge(store) for each in judged.evidence if judged.claim.number == 13]
    assert {each.case for each in told} >= {"speech", "bone_age"}
    assert not any(each.task for each in told)
    speech = registry.case("speech")
    text = next(each.text for each in told if each.case == "speech")
    for name in ("pipeline", "end_to_end"):
        assert f"{effort(speech)[name].lines:,} lines" in text
    assert "was given one thing besides the pairs" in text


def test_more_data_for_a_stage_is_held_against_less_with_few_and_with_many_pairs(store):
    case = registry.case("turnstile")
    task, side = case.tasks[0], case.tasks[0].sides[0]
    ranked = sorted(side.points, key=side.points.__getitem__)
    for name, rates in ((ranked[0], (60, 40)), (ranked[-1], (30, 40))):
        for pairs, rate in zip((62.0, 372.0), rates, strict=True):
            rows = np.ones((400, 5))
            rows[: 4 * rate, [1, 4]] = 0  # not right, not opened
            made = RunSpec(case.slug, task.slug, name, Budget(pairs), 0, case.engine(name).version)
            store.add(Run(made, (Score(task.metric.score(rows), rows),), 1.0, 0.01, 10))
    few, many = more_side_data(case, store)
    assert spoken((few, many)) == ["for", "nothing"]
    # All those missed are of a few people, which makes the error over twice that of 400 who are each another.
    assert f"30.0 ± 5.9 % with {side.points[ranked[-1]]:,g} {side.unit}, 60.0" in few.text
