"""What Explore says and draws: planted points, known sentences."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import charts, findings, front, theme, view, words
from dashboard.figures.ahead import Ahead
from dashboard.figures.curves import Dot, Line, learning_curves
from dashboard.figures.labels import spread
from dashboard.measured import Measured
from engines import registry
from engines.core import EngineInfo, UserError
from engines.runs import Point

SPEECH = registry.case("speech")
TASK = SPEECH.task("sentences")


def point(engine: str, budget: float, mean: float, error: float = 1.0, **other) -> Point:
    name, _, reading = engine.partition("+")
    values = {
        "case": "speech", "task": "sentences", "engine": engine, "shape": SPEECH.engine(name).shape,
        "reading": reading, "test": "test", "oracle": "", "reference": False, "budget": budget, "mean": mean,
        "standard_error": error, "low": mean - 1.96 * error, "high": mean + 1.96 * error, "scores": (mean,),
        "seeds": (0,), "train_seconds": 1.0, "answer_seconds": 0.1, "parameters": 10, "runs": ("x",),
    }  # fmt: skip
    return Point(**{**values, **other})


def curve(engine: str, *means: float, error: float = 1.0) -> list[Point]:
    return [point(engine, 0.1 * 2**place, mean, error) for place, mean in enumerate(means)]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.00004, "0.04 ms"),
        (0.012, "12 ms"),
        (7, "7 s"),
        (90, "1.5 min"),
        (3599, "1 h"),
        (5760, "1.6 h"),
        (1e6, "11.6 days"),
    ],
)
def test_times_have_sensible_digits(seconds, said):
    assert words.duration(seconds) == said


@given(st.floats(1e-6, 1e9))
def test_a_time_read_back_is_near_what_it_was(seconds):
    number, unit = words.duration(seconds).split()
    scale = {"ms": 1e-3, "s": 1, "min": 60, "h": 3600, "days": 86400}[unit]
    assert float(number.replace(",", "")) * scale == pytest.approx(seconds, rel=0.06)


def test_amounts_counts_and_scores():
    assert words.amount(1 / 30, "hours") == "2 min"
    assert words.amount(29000, "sentence pairs") == "29,000 sentence pairs"
    assert words.amount(1, "tones") == "1 tone"
    assert words.amount(1375, "frames") == "1,375 frames"
    assert words.amount(1374.6, "frames") == "1,370 frames"
    assert [words.count(n) for n in (78123, 1_530_000, 2.5e9)] == ["78,100", "1.5 million", "2.5 billion"]
    assert words.score(7.44, TASK.metric) == "7.4 %"
    assert words.interval(-1.2, 3.0, TASK.metric) == "0 to 3.0 %"


def test_the_verdict_answers_in_one_sentence():
    here = [point("pipeline", 1.0, 34.2), point("hybrid", 1.0, 50), point("end_to_end", 1.0, 71.3)]
    assert findings.verdict(SPEECH, TASK, here, 1.0) == (
        "With 1 h the pipeline makes 34 errors in 100 words, the hybrid 50 and end-to-end 71: build the pipeline."
    )


def test_the_verdict_says_what_is_uncertain_and_what_is_missing():
    close = [point("pipeline", 1.0, 50, 2), point("hybrid", 1.0, 52, 2), point("end_to_end", 1.0, 80, 2)]
    said = findings.verdict(SPEECH, TASK, close, 1.0)
    assert said.endswith(": the difference between the pipeline and the hybrid is within its uncertainty.")
    assert "the hybrid and end-to-end have no run" in findings.verdict(SPEECH, TASK, close[:1], 1.0)
    assert findings.verdict(SPEECH, TASK, [close[0], close[2]], 1.0) == (
        "With 1 h the pipeline makes 50 errors in 100 words and end-to-end 80: build the pipeline; the hybrid has no "
        "run at this budget yet."
    )
    assert findings.verdict(SPEECH, TASK, close[:2], 1.0).endswith(
        ": the difference between the pipeline and the hybrid is within its uncertainty; end-to-end has no run at this "
        "budget yet."
    )
    assert findings.verdict(SPEECH, TASK, close, 2.0) == "Nothing has been run with 2 h yet."


def test_explore_begins_where_most_engines_were_measured():
    points = [*curve("pipeline", 60, 50, 45, 44, 40), *curve("end_to_end", 90, 70)]
    assert Measured(tuple(points), {}).usual() == 0.2
    assert Measured((), {}).usual() is None


def test_a_variant_speaks_for_its_shape_where_it_is_better_and_is_not_missed():
    case = registry.case("turnstile")
    task = case.task("gate")
    said = {"case": case.slug, "task": task.slug}
    own = next(info for info in case.engines if info.name == "pipeline_own_eyes")
    here = [
        replace(point("pipeline", 62, mean), engine=name, shape=case.engine(name).shape, **said)
        for name, mean in (("pipeline", 50.0), ("hybrid", 70.0), ("end_to_end", 90.0), (own.name, 80.0))
    ]
    told = findings.verdict(case, task, here, 62)
    assert told == (
        "With 62 frames the pipeline has a miss rate of 50.0 %, the hybrid 70.0 % and end-to-end 90.0 %: "
        "build the pipeline."
    )
    better = [replace(p, mean=30.0, scores=(30.0,)) if p.engine == own.name else p for p in here]
    told = findings.verdict(case, task, better, 62)
    assert "a miss rate of 50.0 % (detector learned here: 30.0 %), the hybrid" in told
    assert told.endswith("build the pipeline (detector learned here).")
    assert findings.variants(case, task, better) == [
        "The pipeline (detector learned here) leads the pipeline at 62 frames, the only budget both were measured at."
    ]
    assert any("(detector learned here) leads the hybrid" in each for each in findings.further(case, task, better))
    assert not any("(detector learned here)" in each for each in findings.further(case, task, here))
    assert "end-to-end has no run" in findings.verdict(case, task, [p for p in here if p.engine != "end_to_end"], 62)
    assert front.leaders(case, task, better) == {62: "the pipeline (detector learned here)"}
    level = [replace(p, mean=49.0, scores=(49.0,)) if p.engine == own.name else p for p in here]
    told = findings.verdict(case, task, level, 62)
    assert "(detector learned here: 49.0 %)" in told
    assert told.endswith("build the pipeline."), (
        "a variant is named where it is clearly ahead of the first of its shape"
    )
    assert front.leaders(case, task, level) == {62: "the pipeline"}


def test_a_further_reading_that_is_best_speaks_for_its_engine():
    here = [point("pipeline", 1.0, 50), point("end_to_end", 1.0, 70), point("end_to_end+language_model", 1.0, 30)]
    here.append(point("hybrid", 1.0, 60))
    said = findings.verdict(SPEECH, TASK, here, 1.0)
    assert "70 (30 with the pipeline's lexicon and language model)" in said
    assert said.endswith("build end-to-end with that extra.")
    assert front.leaders(SPEECH, TASK, here) == {1.0: "end-to-end with the pipeline's lexicon and language model"}
    assert not any(p.reading for p in front.drawn(here))
    level = [*here[:-1], point("hybrid", 1.0, 31)]
    assert front.leaders(SPEECH, TASK, level) == {1.0: front.NOBODY}
    said = findings.verdict(SPEECH, TASK, level, 1.0)
    assert said.endswith("the difference between end-to-end with that extra and the hybrid is within its uncertainty.")


def test_planted_crossings_are_found():
    pipeline, network = curve("pipeline", 60, 50, 45, 44), curve("end_to_end", 90, 70, 45.5, 30)
    assert findings.crossings(pipeline, network, TASK.metric) == [findings.Crossing(0.2, 0.8, "pipeline", "end_to_end")]
    assert findings.crossings(network, pipeline, TASK.metric) == [findings.Crossing(0.2, 0.8, "pipeline", "end_to_end")]
    said = findings.headline(SPEECH, TASK, [*pipeline, *network])
    assert said == "End-to-end overtakes the pipeline between 12 and 48 min."


def test_noise_is_no_crossing_and_a_lost_lead_is_told():
    noisy, other = curve("pipeline", 50, 51, 50, 51, error=3), curve("end_to_end", 51, 50, 51, 50, error=3)
    assert findings.crossings(noisy, other, TASK.metric) == []
    assert "do not differ clearly" in findings.headline(SPEECH, TASK, noisy + other)
    pipeline, network = curve("pipeline", 60, 50, 45), curve("end_to_end", 90, 70, 44)
    assert findings.crossings(pipeline, network, TASK.metric) == [findings.Crossing(0.2, 0.4, "pipeline", "")]
    pipeline, network = curve("pipeline", 60, 50, 45, 44), curve("end_to_end", 90, 70, 46, 43)
    late = findings.headline(SPEECH, TASK, [*pipeline, *network])
    assert late == "The pipeline leads end-to-end up to 12 min; from 24 min on there is no clear difference."
    some = findings.headline(SPEECH, TASK, curve("pipeline", 60, 50, 45) + curve("end_to_end", 59, 70, 64))
    assert some.startswith("The pipeline leads end-to-end at 2 of the 3 budgets measured, 6 to 24 min; elsewhere")
    never = findings.headline(SPEECH, TASK, curve("pipeline", 60, 50, 45) + curve("end_to_end", 90, 70, 64))
    assert never == "The pipeline leads end-to-end at every budget measured, 6 to 24 min; the curves do not cross."
    once = findings.headline(SPEECH, TASK, curve("pipeline", 60) + curve("end_to_end", 90, 70))
    assert once == "The pipeline leads end-to-end at 6 min, the only budget both were measured at."


@given(st.lists(st.floats(0, 400), min_size=1, max_size=8))
def test_labels_keep_their_order_and_never_overlap(places):
    wanted = np.sort(np.array(places))
    heights = np.full(len(wanted), 17.0)
    moved = spread(wanted, heights, 420.0)
    assert moved[0] >= 0
    assert moved[-1] <= 420
    assert (np.diff(moved) >= 17.0 - 1e-6).all()
    if (np.diff(wanted) >= 17.0).all():
        np.testing.assert_allclose(moved, wanted, atol=1e-9)


def test_a_figure_draws_a_band_and_a_line_for_each_engine_and_marks_the_budget():
    sizes = np.array([0.1, 1.0])
    line = Line("Pipeline", "pipeline", sizes, sizes * 9, sizes * 8, sizes * 10, sizes, sizes * 9)
    figure = learning_curves([line], mark=1.0, mark_text="1 h", ticks=[0.1, 1.0], tick_texts=["6 min", "1 h"])
    fills = [trace for trace in figure.data if trace.fill]
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert len(fills) == len(lines) == 1
    assert lines[0].line.color == theme.COLOURS["pipeline"]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.shapes[0].x0 == 1.0
    assert list(figure.layout.xaxis.minor.tickvals) == list(line.sizes)
    assert not any(axis.automargin for axis in (figure.layout.xaxis, figure.layout.yaxis))  # else it is drawn twice
    learning_curves([])  # nothing to draw is no error


def test_a_forecast_that_rises_stays_in_the_picture():
    sizes, scores = np.array([100.0, 1000.0]), np.array([40.0, 58.0])
    further = np.array([1000.0, 10_000.0])
    beyond = Ahead(further, np.array([58.0, 71.0]), np.array([57.0, 60.0]), np.array([59.0, 90.0]))
    line = Line("Pipeline", "pipeline", sizes, scores, scores - 1, scores + 1, sizes, scores, ahead=beyond)
    low, high = learning_curves([line]).layout.yaxis.range
    # The line, not all of its band.
    assert 71 < high < 80
    assert low == 0


def test_scores_that_are_far_apart_stand_on_a_logarithmic_axis_and_none_is_lost():
    def line(*means):
        values, sizes = np.array(means), 10.0 ** np.arange(len(means))
        return Line("End-to-end", "end_to_end", sizes, values, 0 * values, 2 * values, sizes, values)

    layout = learning_curves([line(100.0, 10.0, 1.0, 0.0)], y_title="Word error rate").layout
    assert layout.yaxis.type == "log"
    low, high = layout.yaxis.range
    assert (low < 0, high > 2) == (True, True)
    assert "Word error rate, logarithmic" in [note.text for note in layout.annotations]
    figure = learning_curves([line(100.0, 10.0, 1.0, 0.0)])
    assert min(min(trace.y) for trace in figure.data) == pytest.approx(0.6)
    assert -0.3 < low < np.log10(0.6)
    far = learning_curves([line(100.0, 10.0, 0.058, 0.0)])
    assert next(trace.y for trace in far.data if trace.name).tolist() == pytest.approx(
        [100.0, 10.0, 0.058, 0.6 * 0.058]
    )
    assert learning_curves([line(100.0, 40.0, 20.0)]).layout.yaxis.type != "log"
    assert learning_curves([line(0.0, 0.0)]).layout.yaxis.type != "log"
    assert learning_curves([line(100.0, 1.0)], zero=False).layout.yaxis.type != "log"


def test_the_stage_whose_truth_helps_most_is_named():
    oracles = [
        point("pipeline", 1.0, 3.0, oracle="phonemes", as_is=50.0),
        point("pipeline", 1.0, 48.0, oracle="features", as_is=50.0),
        point("hybrid", 1.0, 41.0, oracle="phonemes", as_is=40.0),
    ]
    assert charts.blamed(SPEECH, TASK, oracles, 1.0) == (
        "The truth of which stage helps most: in the pipeline the true phonemes, from 50.0 % to 3.0 %; "
        "in the hybrid none."
    )
    assert charts.blamed(SPEECH, TASK, [], 1.0) == ""
    named = replace(SPEECH, truths={"phonemes": "best of its guesses"})
    assert "in the pipeline the best of its guesses, from 50.0 % to 3.0 %" in charts.blamed(named, TASK, oracles, 1.0)
    assert "best of its guesses" in str(charts.blame(named, TASK, oracles, 1.0))


def test_the_table_has_a_row_a_point():
    here = [point("pipeline", 1.0, 34.2), point("end_to_end+language_model", 1.0, 71.3, test="unseen_speakers")]
    rows = charts.table(SPEECH, TASK, here)
    assert [row["Engine"] for row in rows] == ["Pipeline", "End-to-end with the pipeline's lexicon and language model"]
    assert rows[1]["Test"] == "unseen speakers"


def test_colours_differ_by_shape_and_are_seen_on_both_backgrounds():
    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    assert len(set(theme.COLOURS.values())) == len(set(theme.SYMBOLS.values())) == 3
    for colour in theme.COLOURS.values():
        for background in theme.BACKGROUND.values():
            low, high = sorted((luminance(colour), luminance(background)))
            assert (high + 0.05) / (low + 0.05) > 3


def test_the_url_wins_over_the_session_and_unknown_values_fall_back_with_a_sentence():
    cases = registry.cases()
    kept = {"case": "tones", "task": "pairs", "budget": "32"}
    assert view.resolve({}, kept, cases).budget == 32
    asked = view.resolve({"case": "speech", "task": "digits", "budget": "0.2"}, kept, cases)
    assert (asked.case.slug, asked.task.slug, asked.budget, asked.notes) == ("speech", "digits", 0.2, ())
    other = view.resolve({"case": "speech"}, kept, cases)
    assert other.budget is None
    assert view.resolve({"task": "pairs", "budget": "9"}, {}, cases).case.slug == "tones"
    for params in ({"case": "<b>x"}, {"task": "nothing"}, {"budget": "nan"}, {"budget": "-3"}, {"budget": "1e999"}):
        assert len(view.resolve(params, {}, cases).notes) == 1
    assert "<" not in view.resolve({"case": "<script>"}, {}, cases).notes[0]


def test_a_view_read_from_its_own_link_is_the_same():
    cases = registry.cases()
    task = SPEECH.task("digits")
    asked = view.View(SPEECH, task, 0.1, (), 100.0, "", "unseen_speakers", ("pipeline", "end_to_end+language_model"))
    assert view.resolve(asked.params, {}, cases) == asked
    assert asked.params["curves"] == "pipeline,end_to_end.language_model"
    plain = view.View(SPEECH, task, None)
    assert plain.params == {"case": "speech", "task": "digits"}
    for wrong in ({"test": "<b>"}, {"curves": "pipeline,nonsense"}, {"curves": "<script>"}):
        fallen = view.resolve({**plain.params, **wrong}, {}, cases)
        assert len(fallen.notes) == 1
        assert fallen.test == "test"
        assert fallen.curves in ((), ("pipeline",))


def test_the_nearest_budget_is_nearest_by_ratio():
    assert view.nearest([0.1, 1.0, 10.0], 2.9) == 1.0
    assert view.nearest([0.1, 1.0, 10.0], None) == 1.0
    with pytest.raises(UserError):
        view.nearest([], 1.0)


def test_a_reference_is_a_dot_apart_from_the_curves_and_has_no_say_in_the_verdict():
    elsewhere = EngineInfo("elsewhere", "Elsewhere", "pipeline", 1, "x:X", "trained elsewhere", reference=True)
    case = replace(SPEECH, engines=(*SPEECH.engines, elsewhere))
    curves = curve("pipeline", 60, 50) + curve("end_to_end", 70, 80)
    dot = replace(point("pipeline", 0.0, 12.0), engine="elsewhere", reference=True)
    figure = charts.curves(case, TASK, [*curves, dot], 0.1)
    names = [note for note in figure.layout.annotations if note.text == "Elsewhere"]
    assert [10.0**note.x < 0.1 for note in names] == [True]
    assert figure.layout.xaxis.ticktext[0] == "none"
    assert "Elsewhere" not in findings.verdict(case, TASK, [*curves, dot], 0.1)
    assert findings.spoken(case, "pipeline") == "the pipeline"
    charts.curves(case, TASK, [dot], 0.1)  # a reference alone can be drawn too


def test_names_of_references_stand_upright_in_their_column_and_within_the_axis():
    sizes, scores = np.array([1.0, 10.0]), np.array([90.0, 40.0])
    ours = Line("Ours", "pipeline", sizes, scores, scores, scores, sizes, scores)
    figure = learning_curves([ours], [Dot("High", "pipeline", 80, 76, 84), Dot("Low", "end_to_end", 5, 3, 7)])
    names = {each.text: each for each in figure.layout.annotations if each.textangle == -90}
    assert (names["High"].y, names["High"].yanchor) == (76, "top")
    assert (names["Low"].y, names["Low"].yanchor) == (7, "bottom")
    column = next(trace.x[0] for trace in figure.data if list(trace.y) == [80])
    assert [10.0**each.x for each in names.values()] == pytest.approx([column, column])
