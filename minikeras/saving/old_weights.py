"""Arrays of older Kerases in today's order and layout.

`moves` decides by the shapes alone, before anything is read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]
Convert = Callable[[list[np.ndarray]], list[np.ndarray]]


class Origin(NamedTuple):
    """Who wrote a file.

    Attributes:
        version: of Keras; "1" if the file names none.
        backend: of Keras 1 and 2: "theano", "tensorflow" …; "" if unknown.
    """

    version: str
    backend: str


class Move(NamedTuple):
    """Arrays of a file that give some weights of a layer.

    Attributes:
        weights: positions of the weights in the layer.
        arrays: positions of the arrays in the file.
        convert: [array, …] -> [weight, …]; None if there is one, which is the weight.
    """

    weights: Sequence[int]
    arrays: Sequence[int]
    convert: Convert | None


def saved_weights(layer: Any) -> list[Any]:
    """The weights of a layer in the order of files: first those that train."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def moves(layer: Any, stored: Sequence[Shape], origin: Origin) -> list[Move] | None:
    """How the arrays of a file become the weights of a layer.

    Args:
        layer: the layer.
        stored: shapes of the arrays of the file.
        origin: who wrote it.

    Returns:
        A list of moves, or None if the shapes do not fit.
    """
    stored, weights = list(stored), saved_weights(layer)
    if hasattr(layer, "forward_layer"):
        half = len(stored) // 2
        first = moves(layer.forward_layer, stored[:half], origin)
        second = moves(layer.backward_layer, stored[half:], origin)
        if first is None or second is None:
            return None
        return first + _shifted(second, len(saved_weights(layer.forward_layer)), half)
    if hasattr(type(layer), "layers") and layer.layers:
        return _moves_of_model(layer, weights, stored, origin)
    inner = getattr(layer, "layer", None)
    if hasattr(inner, "trainable_weights"):
        if [*map(id, saved_weights(inner))] == [*map(id, weights)]:
            return moves(inner, stored, origin)
    own = [tuple(v.shape) for v in weights]
    names = {cls.__name__ for cls in type(layer).__mro__}
    for name, rule in _RULES:
        if name in names and (convert := rule(layer, own, stored, origin)):
            return [Move(range(len(own)), range(len(stored)), convert)]
    if own != stored:
        return None
    return [Move([i], [i], None) for i in range(len(own))]


def _shifted(parts: Iterable[Move], weights: int, arrays: int) -> list[Move]:
    """The moves with other positions."""
    return [
        Move(
            [weights + i for i in m.weights], [arrays + i for i in m.arrays], m.convert
        )
        for m in parts
    ]


def _moves_of_model(model, weights, stored, origin):
    """The moves of the layers of a model, each at the places of its weights."""
    if len(stored) != len(weights):
        return None
    place = {id(v): i for i, v in enumerate(weights)}
    found = {}
    for layer in model.layers:
        places = [place.pop(id(v), None) for v in saved_weights(layer)]
        if None in places:  # shared with an earlier layer
            continue
        inner = moves(layer, [stored[i] for i in places], origin)
        if inner is None:
            return None
        for move in inner:
            w, a = [places[i] for i in move.weights], [places[i] for i in move.arrays]
            found[w[0]] = Move(w, a, move.convert)
    for i in place.values():  # the model's own
        if tuple(weights[i].shape) != stored[i]:
            return None
        found[i] = Move([i], [i], None)
    return list(found.values())


def _gates(own, number):
    """The shapes of one gate: the last axis of the weights has all of them."""
    return [(*shape[:-1], shape[-1] // number) for shape in own]


def _join_gates(order, step=3):
    """Gates that Keras 1 kept apart, [W, U, b] each, as three arrays."""

    def convert(arrays):
        return [
            np.concatenate([arrays[step * gate + i] for gate in order], axis=-1)
            for i in range(step)
        ]

    return convert


def _from_cudnn(number, bias):
    """Kernels of CuDNN are (units, inputs), in the memory of (inputs, units) arrays."""

    def transposed(kernel):
        gates = np.split(kernel, number, axis=-1)
        return np.concatenate([k.reshape(k.shape[::-1]).T for k in gates], axis=-1)

    return lambda arrays: [*map(transposed, arrays[:2]), bias(arrays[2])]


def _lstm(layer, own, stored, origin):
    """The gates i, f, c, o; Keras 1 kept i, c, f, o apart; CuDNN has two biases."""
    if len(own) != 3:
        return None
    if stored == _gates(own, 4) * 4:
        return _join_gates((0, 2, 1, 3))
    if stored == [*own[:2], (2 * own[2][0],)]:
        return _from_cudnn(4, lambda b: b.reshape(2, -1).sum(axis=0))
    return None


def _gru(layer, own, stored, origin):
    """The gates z, r, h; Keras 1 kept them apart; CuDNN has both biases in a row."""
    if len(own) != 3:
        return None
    if stored == _gates(own, 3) * 3:
        return _join_gates((0, 1, 2))
    if len(own[2]) == 2 and stored == [*own[:2], (own[2][0] * own[2][1],)]:
        return _from_cudnn(3, lambda b: b.reshape(2, -1))
    return None


def _convolution(layer, own, stored, origin):
    """Keras 1 had other axes; Theano convolves, all others correlate."""
    if not own or len(own) != len(stored) or own[1:] != stored[1:]:
        return None
    change = None
    if origin.version[:1] == "1":
        change = _keras_1_axes(layer, own[0], stored[0])
    elif origin.backend == "theano" and own[0] == stored[0]:
        change = _flip
    return (lambda arrays: [change(arrays[0]), *arrays[1:]]) if change else None


def _flip(kernel):
    return np.flip(kernel, axis=tuple(range(kernel.ndim - 2)))


def _keras_1_axes(layer, own, stored):
    """The function that puts the axes of a kernel of Keras 1 in today's order."""
    rank, first = len(own) - 2, getattr(layer, "data_format", "") == "channels_first"
    if rank == 1:  # a convolution of images of one column, or of one row
        if len(stored) != 4:
            return None
        straight = stored == (own[0], 1, *own[1:])
        axes = (0, 1, 2, 3) if straight else (2, 3, 1, 0)
    elif "Transpose" in type(layer).__name__:
        axes = (2, 3, 0, 1) if first else (0, 1, 3, 2)
    else:
        spatial = tuple(range(2, 2 + rank))
        axes = (*spatial, 1, 0) if first else tuple(range(rank + 2))
    moved = tuple(stored[i] for i in axes)
    if rank == 1 and moved == (own[0], 1, *own[1:]):
        return lambda kernel: np.transpose(kernel, axes)[:, 0]
    return (lambda kernel: np.transpose(kernel, axes)) if moved == own else None


def _conv_lstm(layer, own, stored, origin):
    """As LSTM; Theano flips both kernels."""
    if origin.backend == "theano" and own == stored:
        return lambda arrays: [*map(_flip, arrays[:2]), *arrays[2:]]
    return _lstm(layer, own, stored, origin) if len(stored) == 12 else None


_RULES = (
    ("ConvLSTM", _conv_lstm),
    ("LSTM", _lstm),
    ("GRU", _gru),
    *((f"Conv{n}D", _convolution) for n in (1, 2, 3)),
    ("Conv2DTranspose", _convolution),
)
