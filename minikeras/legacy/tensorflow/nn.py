"""`tf.nn`: activations, convolutions, pooling and losses of logits."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.legacy.tensorflow import math
from minikeras.legacy.tensorflow.dispatch import array, number, sizes, table
from minikeras.legacy.tensorflow.random import dropout


def _layout(data_format, rank, function):
    """(axis of the channels, axes of space) of a data format such as "NHWC"."""
    first = str(data_format or "").upper().startswith("NC")
    if data_format and not first and not data_format.upper().endswith("C"):
        raise ValueError(f"tf.nn.{function}: unknown data_format={data_format!r}.")
    return (1, range(2, rank)) if first else (rank - 1, range(1, rank - 1))


def _spatial(value, space, rank):
    """One size for each axis of space, from one int, those, or those of all axes."""
    value = sizes(1 if value is None else value)
    if len(value) == rank:
        return tuple(value[d] for d in space)
    return value * len(space) if len(value) == 1 else value


def _padding(padding, space, rank):
    if isinstance(padding, str):
        return padding.upper()
    pairs = [sizes(pair) for pair in padding]
    return [pairs[d] for d in space] if len(pairs) == rank else pairs


def _convolve(
    x, filters, strides, padding, data_format, dilations, transposed=False, groups=1
):
    rank = x.ndim
    channel, space = _layout(data_format, rank, "convolution")
    letters = "".join("DHW"[3 - len(space) :])
    layout = f"N{letters}C" if channel != 1 else f"NC{letters}"
    return jax.lax.conv_general_dilated(
        x,
        filters,
        _spatial(strides, space, rank),
        _padding(padding, space, rank),
        rhs_dilation=_spatial(dilations, space, rank),
        dimension_numbers=(layout, f"{letters}IO", layout),
        feature_group_count=groups or x.shape[channel] // filters.shape[-2],
    )


def _conv(default):
    def conv(input, filters, strides, padding, data_format=default, dilations=None):
        return _convolve(
            input, filters, strides, padding, data_format, dilations, groups=0
        )

    return conv


def _conv1d(input, filters, stride, padding, data_format="NWC", dilations=None):
    return _convolve(input, filters, stride, padding, data_format, dilations, groups=0)


def _conv_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format=None,
    dilations=None,
):  # fmt: skip
    """The transpose of the convolution that takes `output_shape` to the input's."""
    blank = jax.ShapeDtypeStruct(sizes(output_shape), input.dtype)

    def forward(y):
        return _convolve(y, filters, strides, padding, data_format, dilations)

    return jax.linear_transpose(forward, blank)(input)[0]


def _depthwise(input, filter, strides, padding, data_format=None, dilations=None):
    filter = array(filter)
    channels = filter.shape[-2]
    kernel = filter.reshape(*filter.shape[:-2], 1, -1)
    return _convolve(
        input, kernel, strides, padding, data_format, dilations, groups=channels
    )


def _separable(
    input, depthwise_filter, pointwise_filter, strides, padding, data_format=None,
    dilations=None,
):  # fmt: skip
    x = _depthwise(input, depthwise_filter, strides, padding, data_format, dilations)
    return _convolve(x, array(pointwise_filter), 1, "VALID", data_format, None)


def _pool(x, ksize, strides, padding, data_format, mean):
    _, space = _layout(data_format, x.ndim, "pool")
    window, step, pads = [1] * x.ndim, [1] * x.ndim, padding
    parts = _spatial(ksize, space, x.ndim), _spatial(strides, space, x.ndim)
    for d, size, stride in zip(space, *parts, strict=True):
        window[d], step[d] = size, stride
    pads = padding.upper() if isinstance(padding, str) else [*map(sizes, padding)]
    least = (
        -jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    )
    start, join = (0, jax.lax.add) if mean else (least, jax.lax.max)
    pool = lambda y: jax.lax.reduce_window(  # noqa: E731
        y, np.asarray(start, y.dtype)[()], join, window, step, pads
    )
    # The padding does not count in a mean.
    return pool(x) / pool(jnp.ones_like(x)) if mean else pool(x)


def _pooling(mean):
    return lambda input, ksize, strides, padding, data_format=None: _pool(
        input, ksize, strides, padding, data_format, mean
    )


def _moments(x, axes, shift=None, keepdims=False):
    axes = math.axes(axes)
    return jnp.mean(x, axes, keepdims=keepdims), jnp.var(x, axes, keepdims=keepdims)


def _batch_norm(x, mean, variance, offset, scale, variance_epsilon):
    inverse = jax.lax.rsqrt(variance + variance_epsilon)
    inverse = inverse if scale is None else inverse * scale
    return x * inverse + ((0 if offset is None else offset) - mean * inverse)


def _sigmoid_loss(labels: Any, logits: Any, weight=1):
    """-labels log sigmoid(logits) * weight - (1 - labels) log sigmoid(-logits)"""
    scale = 1 + (weight - 1) * labels
    return (1 - labels) * logits + scale * jax.nn.softplus(-logits)


def _softmax_loss(labels, logits, axis=-1):
    return -jnp.sum(labels * jax.nn.log_softmax(logits, axis), axis)


def _sparse_loss(labels, logits):
    logs = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(logs, labels[..., None], -1)[..., 0]


def _bias_add(value, bias, data_format=None):
    channel, _ = _layout(data_format, value.ndim, "bias_add")
    shape = [-1 if d == channel else 1 for d in range(value.ndim)]
    return value + array(bias).reshape(shape)


def _local_response(input, depth_radius=5, bias=1, alpha=1, beta=0.5):
    window = (1,) * (input.ndim - 1) + (2 * depth_radius + 1,)
    pads = [(0, 0)] * (input.ndim - 1) + [(depth_radius, depth_radius)]
    total = jax.lax.reduce_window(
        input * input, np.zeros((), input.dtype)[()], jax.lax.add, window,
        (1,) * input.ndim, pads,
    )  # fmt: skip
    return input / (bias + alpha * total) ** beta


def _space_to_depth(input, block_size, data_format="NHWC"):
    if _layout(data_format, 4, "space_to_depth")[0] == 1:
        last = jnp.moveaxis(input, 1, -1)
        return jnp.moveaxis(_space_to_depth(last, block_size), -1, 1)
    b, h, w, c = input.shape
    n = block_size
    x = input.reshape(b, h // n, n, w // n, n, c).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(b, h // n, w // n, n * n * c)


def _depth_to_space(input, block_size, data_format="NHWC"):
    if _layout(data_format, 4, "depth_to_space")[0] == 1:
        last = jnp.moveaxis(input, 1, -1)
        return jnp.moveaxis(_depth_to_space(last, block_size), -1, 1)
    b, h, w, c = input.shape
    n = block_size
    x = input.reshape(b, h, w, n, n, c // n**2).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(b, h * n, w * n, c // n**2)


def _embedding_lookup(params, ids, max_norm=None):
    ids = array(ids)
    if not isinstance(ids, jax.core.Tracer) and ids.size:
        known = np.asarray(ids)
        if known.min() < 0 or known.max() >= len(params):
            raise ValueError(
                f"tf.nn.embedding_lookup: ids must be in [0, {len(params)}), the rows "
                f"of params, got {known.min()} to {known.max()}."
            )
    rows = params[ids]
    if max_norm is None:
        return rows
    axes = tuple(range(ids.ndim, rows.ndim))
    return math.FUNCTIONS["clip_by_norm"](rows, max_norm, axes)


def _log_poisson(targets, log_input, compute_full_loss=False):
    log_input = array(log_input)
    loss = jnp.exp(log_input) - log_input * targets
    if not compute_full_loss:
        return loss
    # Stirling's approximation of log(targets!), 0 for targets of 0 and 1.
    inner = jnp.where(targets > 1, targets, 2)
    stirling = inner * jnp.log(inner) - inner + 0.5 * jnp.log(2 * jnp.pi * inner)
    return loss + jnp.where((targets >= 0) & (targets <= 1), 0, stirling)


def _in_top_k(targets, predictions, k):
    own = jnp.take_along_axis(predictions, targets[:, None], -1)
    finite = jnp.isfinite(own[:, 0])
    return (jnp.sum(predictions > own, -1) < number(k)) & finite


# fmt: off
FUNCTIONS = table("nn.", {
    "avg_pool": _pooling(True), "avg_pool1d": _pooling(True),
    "avg_pool2d": _pooling(True), "avg_pool3d": _pooling(True),
    "batch_normalization": _batch_norm,
    "bias_add": _bias_add,
    "conv1d": _conv1d,
    "conv2d": _conv("NHWC"), "conv3d": _conv("NDHWC"), "convolution": _conv(None),
    "conv2d_transpose": _conv_transpose,
    "crelu": lambda features, axis=-1: jax.nn.relu(
        jnp.concatenate([features, -features], axis)),
    "depth_to_space": _depth_to_space,
    "depthwise_conv2d": _depthwise,
    "dropout": dropout,
    "elu": lambda features: jax.nn.elu(features),
    "embedding_lookup": _embedding_lookup,
    "gelu": lambda features, approximate=False: jax.nn.gelu(features, approximate),
    "in_top_k": _in_top_k,
    "l2_loss": lambda t: jnp.sum(t * t) / 2,
    "leaky_relu": lambda features, alpha=0.2: jnp.where(
        features > 0, features, features * alpha),
    "local_response_normalization": _local_response,
    "log_poisson_loss": _log_poisson,
    "max_pool": _pooling(False), "max_pool1d": _pooling(False),
    "max_pool2d": _pooling(False), "max_pool3d": _pooling(False),
    "moments": _moments,
    "relu": lambda features: jax.nn.relu(features),
    "relu6": lambda features: jax.nn.relu6(features),
    "selu": lambda features: jax.nn.selu(features),
    "separable_conv2d": _separable,
    "sigmoid_cross_entropy_with_logits": lambda labels=None, logits=None: _sigmoid_loss(
        labels, logits),
    "silu": lambda features, beta=1.0: features * jax.nn.sigmoid(beta * features),
    "softmax_cross_entropy_with_logits": _softmax_loss,
    "space_to_depth": _space_to_depth,
    "sparse_softmax_cross_entropy_with_logits": _sparse_loss,
    "weighted_cross_entropy_with_logits": lambda labels, logits, pos_weight: (
        _sigmoid_loss(labels, logits, array(pos_weight))),
})
# fmt: on
FUNCTIONS["lrn"] = FUNCTIONS["local_response_normalization"]
FUNCTIONS["swish"] = FUNCTIONS["silu"]
FUNCTIONS |= {
    name: math.FUNCTIONS[name]
    for name in """l2_normalize log_softmax sigmoid softmax softplus softsign tanh top_k
    zero_fraction""".split()
}
