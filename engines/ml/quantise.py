"""Weights in few bits: what a fitted model is rounded to, and how it lies on disk.

Every matrix keeps a small signed number a weight and one 16-bit scale a row; vectors keep 16-bit floats. A model
rounded at the end of `fit` answers the same before `save` and after `load`. Networks keep 6 bits a weight, a fifth of
float32: rounding to 63 steps is 30 dB below the weights, less than dropout does to them.
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
NETWORK_BITS = 6
Packed = dict[str, NDArray[np.generic]]


def packed(arrays: Mapping[str, NDArray[np.floating]], bits: int = 8) -> Packed:
    """name -> int8 of the same shape with name/scale float16 (rows,), or float16 for arrays of fewer than two axes.

    With fewer than 8 bits the steps span less of the int8: -31 to 31 for 6.

    Raises:
        ValueError: a number is not finite, or too large for 16 bits.
    """
    kept: Packed = {}
    most = 2 ** (bits - 1) - 1
    for name, array in arrays.items():
        if not np.isfinite(array).all() or np.abs(array).max(initial=0) > np.finfo(np.float16).max:
            raise ValueError(f"{name} holds numbers that 16 bits cannot keep")
        if array.ndim < 2:
            kept[name] = array.astype(np.float16)
            continue
        rows = array.reshape(len(array), -1).astype(np.float32)
        # Never 0, and never below what float16 can tell from 0.
        scale = np.maximum(np.abs(rows).max(axis=1) / most, np.float32(1e-7)).astype(np.float16)
        steps = np.clip(np.rint(rows / scale.astype(np.float32)[:, None]), -most, most)
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
    put(network, unpacked(packed(weights(network), NETWORK_BITS)))


def save_network(network: nn.Module, file: Path) -> None:
    """Write a rounded network as safetensors, about three quarters of a byte a weight."""
    kept = packed(weights(network), NETWORK_BITS)
    save_file({name: crammed(a, NETWORK_BITS) if a.dtype == np.int8 else a for name, a in kept.items()}, file)


def load_network(network: nn.Module, file: Path) -> None:
    """Put the weights that `save_network` wrote into a network of the same shape; eval mode."""
    kept, shapes = load_file(file), {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name, array in kept.items():
        if array.dtype == np.uint8:
            kept[name] = uncrammed(array, NETWORK_BITS, shapes[name])
    put(network, unpacked(kept))
    network.eval()


def crammed(steps: NDArray[np.generic], bits: int) -> NDArray[np.uint8]:
    """Small signed numbers, any shape -> their low bits side by side in bytes, one axis."""
    offset = (steps.reshape(-1, 1).astype(np.int16) + 2 ** (bits - 1)).astype(np.uint8)
    return np.packbits(np.unpackbits(offset, axis=1)[:, 8 - bits :])


def uncrammed(stream: NDArray[np.uint8], bits: int, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """What was crammed, in its shape."""
    low = np.unpackbits(stream, count=bits * int(np.prod(shape))).reshape(-1, bits)
    offset = np.packbits(np.pad(low, ((0, 0), (8 - bits, 0))), axis=1)[:, 0]
    return np.asarray(offset.astype(np.int16) - 2 ** (bits - 1), np.int8).reshape(shape)
