"""Operators and ops recorded in a graph: one file for both packages."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import json

import keras
import numpy as np
import pytest

import minikeras
from compat import draw

OPS = {
    "slices": lambda k, x: x[:, 1:, ::2],
    "index": lambda k, x: x[:, -1],
    "ellipsis": lambda k, x: x[..., None],
    "operators": lambda k, x: [2 / x, x // 2, x % 2, x**2, 2 - x, -x, abs(x), x / 3],
    "comparisons": lambda k, x: [
        x != 1,
        (x > 1) | (x < 0),
        ~(x > 1),
        (x >= 0) & (x < 1),
    ],
    "sum": lambda k, x: k.ops.sum(x, axis=1, keepdims=True),
    "max": lambda k, x: k.ops.max(x, axis=(1, 2)),
    "reshape": lambda k, x: k.ops.reshape(x, (-1, 2)),
    "expand_dims": lambda k, x: k.ops.expand_dims(x, 1),
    "transpose": lambda k, x: k.ops.transpose(x, (0, 2, 1)),
    "where": lambda k, x: k.ops.where(x > 0, x, 0.5 * x),
    "stack": lambda k, x: k.ops.stack([x, x + 1], axis=1),
    "concatenate": lambda k, x: k.ops.concatenate([x, x * x], 1),
    "clip": lambda k, x: k.ops.clip(x, 0, 1),
    "maximum": lambda k, x: k.ops.maximum(x, 0.0),
    "softmax": lambda k, x: k.ops.softmax(x, axis=1),
    "activations": lambda k, x: [
        *(k.ops.relu(x), k.ops.sigmoid(x), k.ops.silu(x)),
        *(k.ops.gelu(x, approximate=False), k.ops.leaky_relu(x, 0.1)),
    ],
    "cast": lambda k, x: k.ops.cast(x, "int32"),
    "matmul": lambda k, x: k.ops.matmul(x, k.ops.transpose(x, (0, 2, 1))),
    "einsum": lambda k, x: k.ops.einsum("abc,abd->acd", x, x),
    "split": lambda k, x: k.ops.split(x, 2, axis=1)[1],
    "argmax": lambda k, x: k.ops.argmax(x, -1),
    "tile": lambda k, x: k.ops.tile(x, (1, 2, 1)),
    "repeat": lambda k, x: k.ops.repeat(x, 2, axis=1),
    "squeeze": lambda k, x: k.ops.squeeze(x[:, :1], 1),
    "norm": lambda k, x: k.ops.norm(x),
    "logsumexp": lambda k, x: k.ops.logsumexp(x, axis=1),
    "top_k": lambda k, x: k.ops.top_k(x, 2)[0],
    "order": lambda k, x: [k.ops.flip(x, 1), k.ops.roll(x, 1, 1), k.ops.cumsum(x, 1)],
    "take": lambda k, x: k.ops.take(x, [0, 1], axis=1),
    "normalize": lambda k, x: k.ops.normalize(x, axis=1),
    "pad": lambda k, x: k.ops.pad(x, ((0, 0), (1, 1), (0, 2))),
    "array": lambda k, x: x * np.array([1.0, -2.0, 0.5], "float32"),
}


def build(package, name):
    package.utils.clear_session()
    x = package.Input((4, 3), name="x")
    return package.Model(x, OPS[name](package, x))


def arrays(model, x):
    out = model(x)
    return [np.asarray(a) for a in (out if isinstance(out, (list, tuple)) else [out])]


def without_nulls(node):
    """Keras writes some arguments that are None, and not others."""
    if isinstance(node, dict):
        return {k: without_nulls(v) for k, v in node.items() if v is not None}
    return [without_nulls(v) for v in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", draw.names(OPS, list(OPS)[::6]))
def test_graphs_travel_both_ways(name):
    x = np.random.default_rng(3).normal(0.2, 1.0, (2, 4, 3)).astype("float32")
    models = {package: build(package, name) for package in (keras, minikeras)}
    texts = {package: model.to_json() for package, model in models.items()}
    left, right = (without_nulls(json.loads(text)) for text in texts.values())
    assert left == right
    expected = arrays(models[keras], x)
    read = (
        minikeras.models.model_from_json(texts[keras]),
        keras.models.model_from_json(texts[minikeras]),
    )
    for model in (models[minikeras], *read):
        for a, b in zip(arrays(model, x), expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
