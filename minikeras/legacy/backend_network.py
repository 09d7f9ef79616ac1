"""`keras.backend` of Keras 2: convolutions, pooling, images, losses, loops, CTC."""

import functools
import inspect

import jax
import jax.numpy as jnp

from minikeras import losses, ops, settings
from minikeras.core.bridge import current
from minikeras.core.keras_tensor import is_keras_tensor
from minikeras.core.late_import import late_import
from minikeras.legacy.recorded import recorded

_EPSILON = 1e-7


def _first(data_format):
    """Are the channels the first axis after the batch?"""
    return (data_format or settings.image_data_format()) == "channels_first"


# -- convolutions and images ----------------------------------------------------------


def _conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution over one axis; with `padding="causal"`, of what came before."""
    if padding == "causal":
        left = dilation_rate * (kernel.shape[0] - 1)
        x, padding = _padded(x, [(left, 0)], False), "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


@recorded
def _conv2d_transpose(
    x,
    kernel,
    output_shape,
    strides=(1, 1),
    padding="valid",
    data_format=None,
    dilation_rate=(1, 1),
):
    """Gradient of `conv2d` for its input, which has the shape `output_shape`."""
    shape = (x.shape[0], *output_shape[1:])

    def forward(image):
        return ops.conv(image, kernel, strides, padding, data_format, dilation_rate)

    _, pull_back = jax.vjp(forward, jnp.zeros(shape, x.dtype))
    return pull_back(jnp.asarray(x))[0]


def _pooling(dims):
    """`pool2d` or `pool3d`: the largest entry, or the mean, of each window."""
    kinds = {"max": ops.max_pool, "avg": ops.average_pool}

    def call(
        x,
        pool_size,
        strides=(1,) * dims,
        padding="valid",
        data_format=None,
        pool_mode="max",
    ):
        if pool_mode not in kinds:
            raise ValueError(f'pool_mode must be "max" or "avg", got {pool_mode!r}.')
        return kinds[pool_mode](x, pool_size, strides, padding, data_format)

    return call


def _bias_add(x, bias, data_format=None):
    """x plus a bias for each channel, or for each entry of a sample."""
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(
            f"K.bias_add: expected a bias of 1 or {x.ndim - 1} axes, got the shape "
            f"{tuple(bias.shape)}."
        )
    if _first(data_format):
        sizes = (1,) * (x.ndim - 2) if bias.ndim == 1 else tuple(bias.shape[:-1])
        bias = ops.reshape(bias, (1, bias.shape[-1], *sizes))
    return x + bias


def _padded(x, widths, channels_first):
    """Zeros around the axes that are neither batch nor channels."""
    spatial, channel = [tuple(w) for w in widths], [(0, 0)]
    around = channel + spatial if channels_first else spatial + channel
    return ops.pad(x, [(0, 0), *around])


def _resize_images(
    x, height_factor, width_factor, data_format, interpolation="nearest"
):
    """Images of so many times the size."""
    start = 2 if _first(data_format) else 1
    size = (x.shape[start] * height_factor, x.shape[start + 1] * width_factor)
    return ops.image.resize(x, size, interpolation, data_format=data_format)


def _resize_volumes(x, depth_factor, height_factor, width_factor, data_format):
    """Volumes with each entry repeated."""
    start = 2 if _first(data_format) else 1
    for i, factor in enumerate((depth_factor, height_factor, width_factor)):
        x = ops.repeat(x, factor, axis=start + i)
    return x


# -- losses, not averaged -------------------------------------------------------------


def _binary_focal_crossentropy(
    target,
    output,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
):
    """Crossentropy with less weight for what is predicted well, for each entry."""
    y_true, y_pred = (ops.expand_dims(x, -1) for x in (target, output))
    return losses.binary_focal_crossentropy(
        y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits
    )


def _categorical_focal_crossentropy(
    target, output, alpha=0.25, gamma=2.0, from_logits=False, axis=-1
):
    """Crossentropy with less weight for what is predicted well."""
    settings = (alpha, gamma, from_logits)
    return losses.categorical_focal_crossentropy(target, output, *settings, axis=axis)


def _sparse_categorical_crossentropy(
    target, output, from_logits=False, axis=-1, ignore_class=None
):
    """Crossentropy of class numbers; 0 where the class is `ignore_class`."""
    target = ops.cast(target, "int32")
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = ops.squeeze(target, -1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    valid = target != ignore_class
    known = ops.where(valid, target, 0)
    loss = ops.sparse_categorical_crossentropy(known, output, from_logits, axis)
    return ops.where(valid, loss, 0.0)


# -- choices and loops ----------------------------------------------------------------


def _value(x):
    return x() if callable(x) else x


def _switch(condition, then_expression, else_expression):
    """One of two values, or of what two functions return, by a condition.

    Args:
        condition: bool, or an array of them that chooses entry by entry.
        then_expression, else_expression: arrays, or functions of no arguments.
    """
    rank = getattr(condition, "ndim", 0)
    if rank == 0 and not is_keras_tensor(condition):
        then, other = then_expression, else_expression
        return ops.cond(condition, lambda: _value(then), lambda: _value(other))
    then, other = _value(then_expression), _value(else_expression)
    missing = max(getattr(then, "ndim", 0), getattr(other, "ndim", 0)) - rank
    if rank and missing > 0:
        condition = ops.reshape(condition, (*condition.shape, *(1,) * missing))
    return ops.where(ops.cast(condition, "bool"), then, other)


def _in_train_phase(x, alt, training=None):
    """`x` in training, else `alt`; functions are called.

    Args:
        x, alt: arrays, or functions of no arguments.
        training: bool; None takes that of the call of a layer around.
    """
    if training is None:
        training = current().training
    if training is None or isinstance(training, (bool, int)):
        return _value(x if training else alt)
    return _switch(training, x, alt)


@recorded
def _map_fn(fn, elems, name=None, dtype=None):
    """The function of each entry along the first axis, as an array."""
    return jax.lax.map(fn, elems)


@recorded
def _foldl(fn, elems, initializer=None, name=None):
    """fn(so far, entry) from the first entry to the last."""
    return functools.reduce(fn, *_folded(elems, initializer))


@recorded
def _foldr(fn, elems, initializer=None, name=None):
    """fn(so far, entry) from the last entry to the first."""
    return functools.reduce(fn, *_folded(elems[::-1], initializer))


def _folded(elems, initializer):
    items = list(elems)
    return (items,) if initializer is None else (items, initializer)


@recorded
def _rnn(
    step_function,
    inputs,
    initial_states,
    go_backwards=False,
    mask=None,
    constants=None,
    unroll=False,
    input_length=None,
    time_major=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
):
    """Run a step over time.

    Args:
        step_function: (input of a step, list of states and constants) -> (output, list
            of new states).
        inputs: array (batch, time, …), or a tree of them.
        initial_states: list of arrays.
        go_backwards: bool, whether to start at the last step.
        mask: (batch, time), False for steps that keep the states and repeat the output.
        constants: list of arrays that each step gets after the states.
        unroll: bool, whether to write the loop out in the compiled program.
        input_length: not needed.
        time_major: bool, whether time comes before the batch.
        zero_output_for_mask: bool, whether masked steps give zeros.
        return_all_outputs: bool; False returns the last output alone.

    Returns:
        (last output, outputs (batch, time, …), list of the last states).
    """

    def swapped(x):
        return x if time_major else jnp.swapaxes(x, 0, 1)

    steps = jax.tree_util.tree_map(swapped, inputs)
    if mask is not None:
        mask = jnp.asarray(mask, bool)
        mask = swapped(mask[..., 0] if mask.ndim == 3 else mask)
    constants, states = list(constants or ()), list(initial_states)

    def choose(keep, new, old):
        return jnp.where(keep.reshape(keep.shape + (1,) * (new.ndim - 1)), new, old)

    def body(carry, step):
        (states, last), (x, keep) = carry, step
        output, new = step_function(x, [*states, *constants])
        new, shown = list(new), output
        if keep is not None:
            output = choose(keep, output, last)
            zero = jnp.zeros_like(output)
            shown = choose(keep, output, zero) if zero_output_for_mask else output
            new = [choose(keep, a, b) for a, b in zip(new, states, strict=True)]
        return (new, output), shown

    first = jax.tree_util.tree_map(lambda x: x[0], steps)
    spec = jax.eval_shape(lambda x: step_function(x, [*states, *constants])[0], first)
    start = (states, jnp.zeros(spec.shape, spec.dtype))
    (states, last), outputs = jax.lax.scan(
        body, start, (steps, mask), reverse=go_backwards, unroll=unroll or 1
    )
    if go_backwards:
        outputs = outputs[::-1]
    last = outputs[-1]
    return last, swapped(outputs if return_all_outputs else last[None]), states


# -- connectionist temporal classification --------------------------------------------


@recorded
def _ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """Loss (batch, 1) of label sequences; the last class is the blank.

    Args:
        y_true: (batch, labels) class numbers.
        y_pred: (batch, time, classes) probabilities.
        input_length, label_length: (batch, 1) numbers of steps and of labels.
    """
    logits = jnp.log(jnp.asarray(y_pred) + _EPSILON)
    lengths = (jnp.ravel(jnp.asarray(n)) for n in (label_length, input_length))
    loss = ops.ctc_loss(
        jnp.asarray(y_true, "int32"), logits, *lengths, mask_index=logits.shape[-1] - 1
    )
    return loss[:, None]


def _ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1):
    """The likeliest label sequences.

    Args:
        y_pred: (batch, time, classes) probabilities; the last class is the blank.
        input_length: (batch,) numbers of steps.
        greedy: bool, whether to take the likeliest class of each step; else a search
            keeps several sequences.
        beam_width: int, how many of them.
        top_paths: int, sequences to return.

    Returns:
        (list of `top_paths` arrays (batch, time), -1 after the last label;
        (batch, top_paths) scores).
    """
    logits = ops.log(ops.convert_to_tensor(y_pred) + _EPSILON)
    decoded, scores = ops.ctc_decode(
        logits,
        ops.ravel(ops.cast(input_length, "int32")),
        "greedy" if greedy else "beam_search",
        beam_width,
        top_paths,
        merge_repeated=greedy,
        mask_index=logits.shape[-1] - 1,
    )
    return list(decoded), scores


def _ctc_label_dense_to_sparse(labels, label_lengths):
    """The labels within their lengths, as a sparse array (`BCOO`)."""
    sparse = late_import("jax.experimental.sparse")
    labels, lengths = jnp.asarray(labels), jnp.ravel(jnp.asarray(label_lengths))
    inside = jnp.arange(labels.shape[1]) < lengths[:, None]
    indices = jnp.argwhere(inside)
    values = labels[tuple(indices.T)]
    return sparse.BCOO((values, indices), shape=labels.shape)


# -- the table ------------------------------------------------------------------------


def _convolution(function, tensors, dims):
    """A function of some tensors and the arguments that Keras 2's convolutions share.

    Args:
        function: the op, of the same arguments in the same order.
        tensors: names of the tensors.
        dims: number of axes that are convolved.
    """
    ones = (1,) * dims
    shared = {"strides": ones, "padding": "valid", "data_format": None}
    defaults = {**dict.fromkeys(tensors.split(), inspect.Parameter.empty), **shared}
    defaults["dilation_rate"] = ones
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [inspect.Parameter(n, kind, default=v) for n, v in defaults.items()]
    )

    def call(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return function(*bound.args)

    call.__signature__ = signature
    return call


_SEPARABLE = "x depthwise_kernel pointwise_kernel"
FUNCTIONS = {
    "batch_normalization": lambda x, mean, var, beta, gamma, axis=-1, epsilon=1e-3: (
        ops.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)
    ),
    "bias_add": _bias_add,
    "binary_crossentropy": lambda target, output, from_logits=False: (
        ops.binary_crossentropy(target, output, from_logits)
    ),
    "binary_focal_crossentropy": _binary_focal_crossentropy,
    "categorical_crossentropy": lambda target, output, from_logits=False, axis=-1: (
        ops.categorical_crossentropy(target, output, from_logits, axis)
    ),
    "categorical_focal_crossentropy": _categorical_focal_crossentropy,
    "conv1d": _conv1d,
    "conv2d": _convolution(ops.conv, "x kernel", 2),
    "conv2d_transpose": _conv2d_transpose,
    "conv3d": _convolution(ops.conv, "x kernel", 3),
    "ctc_batch_cost": _ctc_batch_cost,
    "ctc_decode": _ctc_decode,
    "ctc_label_dense_to_sparse": _ctc_label_dense_to_sparse,
    "depthwise_conv2d": _convolution(ops.depthwise_conv, "x depthwise_kernel", 2),
    "foldl": _foldl,
    "foldr": _foldr,
    "in_test_phase": lambda x, alt, training=None: _in_train_phase(alt, x, training),
    "in_train_phase": _in_train_phase,
    "map_fn": _map_fn,
    "pool2d": _pooling(2),
    "pool3d": _pooling(3),
    "resize_images": _resize_images,
    "resize_volumes": _resize_volumes,
    "rnn": _rnn,
    "separable_conv2d": _convolution(ops.separable_conv, _SEPARABLE, 2),
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
    "spatial_2d_padding": lambda x, padding=((1, 1),) * 2, data_format=None: _padded(
        x, padding, _first(data_format)
    ),
    "spatial_3d_padding": lambda x, padding=((1, 1),) * 3, data_format=None: _padded(
        x, padding, _first(data_format)
    ),
    "switch": _switch,
    "temporal_padding": lambda x, padding=(1, 1): _padded(x, [padding], False),
}
