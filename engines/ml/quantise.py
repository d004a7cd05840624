"""Weights in 8 bits: what a fitted network is rounded to, and how it lies on disk.

Every matrix keeps one signed byte a weight and one 16-bit scale a row (its largest magnitude / 127); vectors keep
16-bit floats. A network rounded at the end of `fit` answers the same before `save` and after `load`, at a quarter of
the size.
Source: symmetric per-channel quantisation as in Krishnamoorthi 2018, "Quantizing deep convolutional networks".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

_SCALE = "/scale"
Packed = dict[str, NDArray[np.generic]]


def packed(arrays: Mapping[str, NDArray[np.floating]]) -> Packed:
    """name -> int8 of the same shape with name/scale float16 (rows,), or float16 for arrays of fewer than two axes.

    Raises:
        ValueError: a number is not finite, or too large for 16 bits.
    """
    kept: Packed = {}
    for name, array in arrays.items():
        if not np.isfinite(array).all() or np.abs(array).max(initial=0) > np.finfo(np.float16).max:
            raise ValueError(f"{name} holds numbers that 16 bits cannot keep")
        if array.ndim < 2:
            kept[name] = array.astype(np.float16)
            continue
        rows = array.reshape(len(array), -1).astype(np.float32)
        # Never 0, and never below what float16 can tell from 0.
        scale = np.maximum(np.abs(rows).max(axis=1) / 127, np.float32(1e-7)).astype(np.float16)
        steps = np.clip(np.rint(rows / scale.astype(np.float32)[:, None]), -127, 127)
        kept[name] = steps.astype(np.int8).reshape(array.shape)
        kept[name + _SCALE] = scale
    return kept


def unpacked(kept: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    """What `packed` stands for, in float32."""
    arrays = {}
    for name, array in kept.items():
        if name.endswith(_SCALE):
            continue
        value = array.astype(np.float32)
        if name + _SCALE in kept:
            scale = kept[name + _SCALE].astype(np.float32)
            value = value * scale.reshape(-1, *[1] * (value.ndim - 1))
        arrays[name] = value
    return arrays


def weights(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The network's state as float32 arrays."""
    return {name: value.detach().cpu().numpy().astype(np.float32) for name, value in network.state_dict().items()}


def put(network: nn.Module, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Set the network's state; names and shapes must be the network's own."""
    network.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()})


def round_network(network: nn.Module) -> None:
    """Round every weight of `network`, in place, to what `save_network` keeps."""
    put(network, unpacked(packed(weights(network))))


def save_network(network: nn.Module, file: Path) -> None:
    """Write a rounded network as safetensors, about one byte a weight."""
    save_file(packed(weights(network)), file)


def load_network(network: nn.Module, file: Path) -> None:
    """Put the weights that `save_network` wrote into a network of the same shape; eval mode."""
    put(network, unpacked(load_file(file)))
    network.eval()
