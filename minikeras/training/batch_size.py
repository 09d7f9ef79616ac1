"""`batch_size="auto"`: the largest batch whose step fits the memory.

Nothing is run to find out. XLA says for a compiled step how much it will allocate,
which is nearly a + b n for n samples, so a few compilations find the largest n.
"""

import math
from typing import Any

import jax

from minikeras import settings
from minikeras.core import platform
from minikeras.core.call_errors import brief
from minikeras.core.printing import print_msg
from minikeras.data.adapter import pack_x_y_sample_weight, unpack_x_y_sample_weight
from minikeras.training import loop
from minikeras.training.cost_analysis import peak_bytes
from minikeras.training.feed.base import is_dense
from minikeras.training.program import compiled_form, program_of
from minikeras.training.protocol import TrainableModel
from minikeras.training.state import variables_of, weights_of

_FIRST = 32  # samples of the first trial, the default of `fit`
# The search ends when no size beyond the answer by more than this share can fit.
_TOLERANCE = 1 / 32
# Sizes are rounded down to so many binary digits, at most by 3 %: devices compute those
# faster, and they differ less from run to run where the free memory differs.
_DIGITS = 6
_FARTHEST = 8
# After so many trials the memory is no line, and the search halves the rest.
_MOST_BY_LINE = 8
# The share of the free memory that a step may take: the data on its way takes some.
_FREE_SHARE = 0.9


def auto_batch_size(
    model: TrainableModel, name: str, adapter: Any, verbose: Any = 1
) -> int:
    """Find the largest batch size whose step fits the memory; it prints the size.

    Args:
        model: the model; weights, metrics and slots that are missing are created.
        name: `"train_step"`, `"test_step"` or `"predict_step"`.
        adapter: the data, with any batch size.
        verbose: 0 prints nothing.

    Returns:
        int >= 1, at most the number of samples.

    Raises:
        ValueError: the data is no arrays, or no batch size fits.
    """
    if not is_dense(adapter) or adapter.takes_text or not model._mk_compiles():
        adapter.close()
        raise ValueError(
            "batch_size='auto' needs arrays of numbers as data, and steps that are "
            "compiled. A source of batches has its own batch size; for other data or "
            "run_eagerly=True, pass a number."
        )
    trial = _Trial(model, name, pack_x_y_sample_weight(*adapter.arrays))
    limit = memory_limit(trial.state_bytes)
    size = _largest(trial.bytes_for, limit, adapter.num_samples)
    if size == 0:
        sizes = trial.bytes_for(1), limit, trial.state_bytes
        needed, free, state = map(_in_words, sizes)
        raise ValueError(
            f"batch_size='auto': a step on one sample takes {needed}, but {free} are "
            f"free. Weights, optimizer and metrics take {state} of it; the rest are "
            f"gradients and activations for a batch of {brief(trial.batch(1))}. Use a "
            "smaller model or input, an optimizer with fewer slots, mixed precision, "
            "or keras.RematScope."
        )
    if verbose:
        print_msg(
            f"batch_size='auto': {size} samples; a step takes "
            f"{_in_words(trial.bytes_for(size))} of {_in_words(limit)}."
        )
    return size


def memory_limit(in_use_by_model: int = 0) -> int:
    """Bytes that a step may take.

    It is `keras.config.set_memory_limit()`, or what is free: on an accelerator of the
    memory that JAX may use, on a CPU of the machine, or of its control group.

    Args:
        in_use_by_model: bytes that the step's own arrays take already.
    """
    if (limit := settings.memory_limit()) is not None:
        return limit
    free = platform.free_memory()
    if free is None:
        raise ValueError(
            "batch_size='auto': JAX does not know how much memory this device has. Say "
            "how much a step may take: keras.config.set_memory_limit(bytes)."
        )
    return int(free * _FREE_SHARE) + in_use_by_model


class _Trial:
    """A step, compiled for batches of different sizes."""

    def __init__(self, model, name, arrays):
        self.arrays, self.known = arrays, {}
        if name == "predict_step":
            loop.build(model, unpack_x_y_sample_weight(self.batch(1))[0])
            variables = weights_of(model)
        else:
            loop.prepare_batch(model, self.batch(1))
            variables = variables_of(model)
        self.program = program_of(model, variables, name)
        self.state = tuple(
            {key: _spec(v.value) for key, v in table.items()} for table in variables
        )
        leaves = jax.tree_util.tree_leaves(self.state)
        self.state_bytes = sum(math.prod(x.shape) * x.dtype.itemsize for x in leaves)

    def batch(self, size):
        return jax.tree_util.tree_map(
            lambda a: _spec(a, (size, *a.shape[1:])), self.arrays
        )

    def bytes_for(self, size):
        """What XLA allocates for a step of so many samples."""
        if size not in self.known:
            run = compiled_form(self.program.run_batch)
            compiled = run.lower(self.state, self.batch(size)).compile()
            self.known[size] = peak_bytes(compiled)
        return self.known[size]


def _largest(bytes_for, limit, most):
    """The largest size of at most `most` that fits, rounded; 0 if none does."""
    known, low, high = {}, 0, most + 1  # `low` fits, `high` does not
    size = min(_FIRST, most)
    while low < size < high:
        known[size] = bytes_for(size)
        low, high = (size, high) if known[size] <= limit else (low, size)
        size = min(_next_size(known, limit, low, high), high - 1)
        if low and size <= low * (1 + _TOLERANCE) and size < most:
            break
    return _rounded(low, most)


def _next_size(known, limit, low, high):
    """The size at which a line through two trials reaches the limit."""
    near = sorted(known.items(), key=lambda point: abs(point[1] - limit))[:2]
    if low and high in known:
        near = [(low, known[low]), (high, known[high])]
    if len(near) == 1:
        return 4 * low if low else max(high // 4, 1)
    if len(known) > _MOST_BY_LINE:
        return (low + high) // 2
    (n, bytes_n), (m, bytes_m) = near
    slope = (bytes_m - bytes_n) / (m - n)
    if slope <= 0:
        return 4 * low if low else high // 2
    # A little below the line, so that the trial mostly fits, and not far from what is
    # known: for few samples XLA chooses other algorithms.
    size = (n + (limit - bytes_n) / slope) * (1 - _TOLERANCE / 2)
    return max(int(min(size, _FARTHEST * max(known))), low + (high in known), 1)


def _rounded(size, most):
    """The size with its first binary digits alone, unless it is all of the data."""
    shift = max(size.bit_length() - _DIGITS, 0)
    return size if size == most else size >> shift << shift


def _spec(x, shape=None):
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    return jax.ShapeDtypeStruct(x.shape if shape is None else shape, dtype)


def _in_words(size):
    return f"{size / 2**20:,.1f} MiB" if size >= 1 << 20 else f"{size:,} bytes"
