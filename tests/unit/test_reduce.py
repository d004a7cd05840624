"""What is drawn is what was there, only smaller."""

import numpy as np

from dashboard.figures import reduce, traces


def test_an_envelope_keeps_the_extremes():
    samples = np.zeros(10_000, np.float32)
    samples[1234], samples[9876] = 0.9, -0.8
    low, high = reduce.envelope(samples, 500)
    assert len(low) == len(high) == 500
    assert high.max() == np.float32(0.9)
    assert low.min() == np.float32(-0.8)
    assert high.argmax() == 1234 * 500 // 10_000
    assert len(reduce.envelope(np.zeros(0, np.float32))[0]) == 1


def test_pooling_keeps_means_or_peaks():
    values = np.zeros((1000, 2), np.float32)
    values[777, 1] = 1
    assert reduce.pooled(values, 100).shape == (100, 2)
    assert np.isclose(reduce.pooled(values, 100)[77, 1], 0.1)
    assert reduce.pooled(values, 100, peaks=True)[77, 1] == 1
    assert reduce.pooled(values, 1000) is values


def test_columns_of_one_label_are_added_up_whatever_the_scores_sum_to():
    scores = np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], np.float32)) + np.array([[100.0], [-1000.0]])
    probabilities, labels = reduce.by_label(scores, ("AA", "B", "AA"))
    assert labels == ["AA", "B"]
    assert np.allclose(probabilities, [[0.7, 0.3], [0.7, 0.3]], atol=1e-5)


def test_the_best_path_joins_equal_frames():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.6, 0.4]])
    assert reduce.best_path(probabilities, ["A", "B"], 10.0) == [(0.0, 0.2, "A"), (0.2, 0.3, "B"), (0.3, 0.4, "A")]
    assert reduce.best_path(np.zeros((0, 2)), ["A", "B"], 10.0) == []


def test_what_matters_is_the_path_in_order_of_time_and_then_the_peaks():
    probabilities = np.full((10, 60), 0.001)
    probabilities[9, 50], probabilities[0, 40] = 0.5, 0.6
    labels, path = [str(i) for i in range(60)], [(0.0, 1.0, "59"), (1.0, 2.0, "7"), (2.0, 3.0, "59"), (3.0, 4.0, "?")]
    assert reduce.notable(probabilities, labels, path, most=4) == [59, 7, 40, 50]
    assert reduce.notable(probabilities, labels, path, most=1) == [59, 7]


def test_thirty_seconds_stay_under_150_kilobytes():
    rng = np.random.default_rng(0)
    probabilities = rng.random((3000, 25)).astype(np.float32)
    path = reduce.best_path(probabilities, [str(i) for i in range(25)], 100)
    runs = [(float(t), t + 0.1, "AH") for t in range(30) for _ in range(12)]
    figures = [
        traces.waveform(rng.uniform(-1, 1, 480_000).astype(np.float32), 16000, 30),
        traces.spectrogram(rng.normal(size=(3000, 39)).astype(np.float32), 100, 30),
        traces.posteriors(probabilities, [str(i) for i in range(25)], 100, path[:400], 30, "#1173b4"),
        traces.segments(["phonemes"], [runs], [[None] * len(runs)], 30, "#1173b4"),
    ]
    assert figures[-1].data[-1].textfont.color is None, "it is the page's, which changes with the theme"
    for figure in figures:
        assert len(figure.to_json()) < 150_000
        assert tuple(figure.layout.xaxis.range) == (0, 30)
        assert figure.layout.margin.l == traces.LEFT
