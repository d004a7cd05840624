"""Planted answers for the parts of speech networks: spectrogram, quantisation, batches, training, CTC."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.ml import ctc, frames, networks, quantise, training
from engines.ml.logmel import log_mel, mel_filters, normalised


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_tone_lights_the_bin_at_its_frequency(rate: int) -> None:
    hertz = 1000.0
    tone = (0.5 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32)
    features = log_mel(tone, rate, 40)
    assert features.shape == (101, 40)
    assert features.dtype == np.float32
    spectrum = np.linspace(0, rate / 2, len(mel_filters(rate, 40)))
    peaks = spectrum[mel_filters(rate, 40).argmax(axis=0)]
    assert abs(peaks[features[50].argmax()] - hertz) < 100


@pytest.mark.parametrize("samples", [0, 1, 100, 800, 480_000])
def test_every_length_gives_finite_features(samples: int) -> None:
    features = normalised(log_mel(np.zeros(samples, np.float32), 16000, 64))
    assert len(features) == 1 + samples // 160
    assert np.isfinite(features).all()


def test_blocks_of_frames_leave_no_seam() -> None:
    sound = np.random.default_rng(0).standard_normal(16000 * 40).astype(np.float32)
    whole = log_mel(sound, 16000, 40)
    late = log_mel(sound[160 * 2000 :], 16000, 40)
    np.testing.assert_allclose(whole[2010:], late[10:], atol=1e-4)


def test_quantised_weights_come_back_as_they_were_rounded(tmp_path) -> None:
    network = training.build(
        lambda: networks.Recogniser(networks.Shape(40, 7, 8, 32, 5, 1, 16)), np.random.default_rng(0)
    )
    before = quantise.weights(network)
    quantise.round_network(network)
    rounded = quantise.weights(network)
    for name, value in before.items():
        rows = np.abs(value).reshape(len(value), -1).max(axis=1)
        error = np.abs(value - rounded[name]).reshape(len(value), -1).max(axis=1)
        assert (error <= (0.51 / 31 if value.ndim > 1 else 2**-11) * rows + 1e-6).all()
    quantise.save_network(network, tmp_path / "network.safetensors")
    other = networks.Recogniser(network.shape)
    quantise.load_network(other, tmp_path / "network.safetensors")
    for name, value in quantise.weights(other).items():
        np.testing.assert_array_equal(value, rounded[name])
    assert (tmp_path / "network.safetensors").stat().st_size < 0.95 * networks.parameters(network) + 8000


def test_quantising_refuses_what_it_cannot_keep() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        quantise.packed({"weight": np.array([[np.nan, 1.0]])})


@pytest.mark.parametrize("spread", [0, 12])
def test_an_utterance_gets_the_same_answer_alone_and_in_a_batch(spread: int) -> None:
    shape = networks.Shape(40, 7, 8, 32, 5, 2, 16, spread=spread)
    network = training.build(lambda: networks.Recogniser(shape), np.random.default_rng(0)).eval()
    features = torch.randn(3, 90, 40, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([90, 33, 1])
    with torch.inference_mode():
        together, sizes = network(features, lengths)
        for i, length in enumerate(lengths.tolist()):
            alone, size = network(features[i : i + 1, :length], lengths[i : i + 1])
            assert int(size[0]) == int(sizes[i]) == alone.shape[1]
            torch.testing.assert_close(alone[0], together[i, : int(size[0])], atol=1e-5, rtol=1e-5)
    assert int(sizes[0]) == (90 if spread else 23)


def test_buckets_hold_every_item_once_within_capacity() -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 300)
    batches = training.buckets(lengths, 1000, np.random.default_rng(1))
    assert sorted(np.concatenate(batches)) == list(range(300))
    assert all(len(b) * lengths[b].max() <= 1000 for b in batches)
    assert len(batches) < 1.3 * lengths.sum() / 1000 + 3


def test_the_learning_rate_rises_and_falls_to_zero() -> None:
    recipe = training.Recipe(steps=1000, learning_rate=1.0, warm_up=0.1)
    rates = [recipe.rate_at(step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == 1.0
    assert rates[100] == 1.0
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)


def test_a_machine_too_slow_for_the_recipe_gives_no_network() -> None:
    network, batch = torch.nn.Linear(1, 1), torch.ones(4, 1)
    recipe = training.Recipe(steps=1000, seconds=0.0)
    with pytest.raises(TimeoutError, match="of 1000 steps"):
        training.train(
            network,
            lambda rng: [batch],
            lambda net, given: net(given).square().mean(),
            lambda net: 0.0,
            recipe,
            np.random.default_rng(0),
            lambda done, text: None,
        )


def test_greedy_reading_merges_repeats_and_drops_blanks() -> None:
    path = [0, 3, 3, 0, 3, 1, 1, 0]
    assert ctc.greedy(np.log(np.eye(4)[path] + 1e-6)) == [3, 3, 1]
    assert ctc.greedy(np.zeros((0, 4))) == []


def test_stretching_keeps_what_is_not_stretched_and_masks_zero() -> None:
    features = [np.random.default_rng(i).standard_normal((40 + i, 16)).astype(np.float32) for i in range(3)]
    batch = ctc.collate(features, [[1], [2, 3], []])
    still = ctc.bent(batch, ctc.Augment(0, 0, 0, 0, 0, 0), np.random.default_rng(0))
    torch.testing.assert_close(still.features, batch.features)
    moved = ctc.bent(batch, ctc.Augment(), np.random.default_rng(0))
    assert moved.lengths.tolist() != batch.lengths.tolist()
    for row, length in zip(moved.features, moved.lengths.tolist(), strict=True):
        assert not row[length:].any()
        assert torch.isfinite(row).all()


def planted(count: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[list[int]]]:
    """Utterances in which symbol k is eight frames of energy in its own band."""
    targets = [rng.integers(1, 5, rng.integers(2, 6)).tolist() for _ in range(count)]
    features = []
    for symbols in targets:
        sound = 0.3 * rng.standard_normal((12 * len(symbols) + 4, 16))
        for i, symbol in enumerate(symbols):
            sound[12 * i + 2 : 12 * i + 10, 4 * symbol - 4 : 4 * symbol] += 2
        features.append(sound.astype(np.float32))
    return features, targets


def learned(seed: int, steps: int = 150) -> tuple[networks.Recogniser, float]:
    rng = np.random.default_rng(seed)
    features, targets = planted(40, rng)
    shape = networks.Shape(16, 5, channels=8, width=32, kernel=5, blocks=1, hidden=16, dropout=0.1)
    network = training.build(lambda: networks.Recogniser(shape), rng)
    heard, wanted = planted(20, rng)

    def validate(net: torch.nn.Module) -> float:
        right = 0
        for x, y in zip(heard, wanted, strict=True):
            scores, _ = net(torch.from_numpy(x)[None], torch.tensor([len(x)]))
            right += ctc.greedy(scores[0].numpy()) == y
        return 1 - right / len(heard)

    recipe = training.Recipe(steps=steps, learning_rate=6e-3, validate_every=50)
    history = training.train(
        network,
        lambda order: ctc.batches(features, targets, 800, ctc.Augment(0.1, 0, 0, 0, 0, 0), order),
        ctc.loss,
        validate,
        recipe,
        rng,
        lambda fraction, sentence: None,
    )
    assert [m.step for m in history] == list(range(50, steps + 1, 50))
    return network, min(m.validation for m in history)


def test_training_finds_planted_symbols() -> None:
    _, error = learned(0, 250)
    assert error <= 0.1


def test_the_same_seed_gives_the_same_network_and_leaves_torch_as_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, _ = learned(1, 50)
    torch.testing.assert_close(torch.rand(3), expected)
    second, _ = learned(1, 50)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_outputs_shorter_than_their_labels_are_no_trouble() -> None:
    network = networks.Recogniser(networks.Shape(16, 5, 8, 32, 5, 1, 16))
    batch = ctc.collate([np.zeros((4, 16), np.float32), np.zeros((200, 16), np.float32)], [[1, 1, 2, 3, 4], []])
    value = ctc.loss(network, batch)
    value.backward()
    assert torch.isfinite(value)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_a_pass_without_batches_is_an_error() -> None:
    with pytest.raises(ValueError, match="no batch"):
        list(training.forever(lambda rng: [], np.random.default_rng(0), 3))


@pytest.mark.parametrize("bits", [3, 6, 8])
def test_crammed_numbers_come_back(bits: int) -> None:
    most = 2 ** (bits - 1) - 1
    steps = np.random.default_rng(0).integers(-most, most + 1, (5, 7, 3)).astype(np.int8)
    stream = quantise.crammed(steps, bits)
    assert len(stream) == -(-105 * bits // 8)
    np.testing.assert_array_equal(quantise.uncrammed(stream, bits, (5, 7, 3)), steps)


def test_labels_of_frames_follow_the_stretching() -> None:
    rng = np.random.default_rng(0)
    labels = [np.repeat(rng.integers(0, 4, 9), 10) for _ in range(6)]
    features = [np.eye(4, dtype=np.float32)[path].repeat(4, axis=1) for path in labels]
    bend = ctc.Augment(0.15, 0, 0, 0, 0, 0)
    for batch in frames.batches(features, labels, 300, bend, rng):
        for row, length, path in zip(batch.features, batch.lengths.tolist(), batch.targets, strict=True):
            shown = row[:length].reshape(length, 4, 4).mean(2).argmax(1)
            assert (shown == path[:length]).float().mean() > 0.95
            assert (path[length:] == frames.NONE).all()


def test_frame_labels_are_learned() -> None:
    rng = np.random.default_rng(0)
    labels = [np.repeat(rng.integers(0, 4, 6), 8) for _ in range(30)]
    features = [
        (np.eye(4)[p].repeat(4, axis=1) + 0.3 * rng.standard_normal((48, 16))).astype(np.float32) for p in labels
    ]
    network = training.build(lambda: networks.Recogniser(networks.Shape(16, 4, 8, 32, 5, 1, 16, 0.0, spread=16)), rng)

    def validate(net: networks.Recogniser) -> float:
        scores, _ = net(torch.from_numpy(np.stack(features)), torch.full((30,), 48))
        return 1 - float((scores.argmax(2).numpy() == np.stack(labels)).mean())

    recipe = training.Recipe(steps=80, learning_rate=5e-3, validate_every=40)
    history = training.train(
        network,
        lambda order: frames.batches(features, labels, 500, ctc.Augment(0.1, 0, 0, 0, 0, 0), order),
        frames.loss,
        validate,
        recipe,
        rng,
        lambda fraction, sentence: None,
    )
    assert history[-1].validation < 0.1
    np.testing.assert_allclose(np.exp(frames.log_prior(labels, 4)).sum(), 1, rtol=1e-5)
