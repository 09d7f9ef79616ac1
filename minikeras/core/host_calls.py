"""Calls that the host makes ahead of a compiled step: text, hashes and look-ups.

JAX has no strings, so a layer that reads text cannot be part of a compiled step. A
trace of the step records which of the batch's arrays such layers read: the `HostPart`.
For each batch it makes these calls in NumPy, in the thread that fetches batches, and
passes the results to the step along with the batch. In the step the layers look up
their results: the code of the model is the same, whatever kind of model it is.
"""

import functools
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.bridge import Frame, current
from minikeras.core.dtypes import is_text


class HostArray:
    """Stands for an array of text in code that runs on tracers.

    Args:
        key: says which array of the host it is.
        shape: of the array.
    """

    dtype = "string"

    def __init__(self, key: Hashable, shape: tuple[int, ...]):
        self.key, self.shape, self.ndim = key, tuple(shape), len(shape)

    def __getitem__(self, index):
        return view(self, "getitem", index)

    def reshape(self, *shape):
        """The text in another shape.

        Args:
            *shape: ints, or a tuple of them.
        """
        return view(self, "reshape", *shape)

    def squeeze(self, axis=None):
        """The text without axes of size 1.

        Args:
            axis: int, tuple of ints, or None for all axes of size 1.
        """
        return view(self, "squeeze", axis)

    def __len__(self):
        return self.shape[0]

    # Equal in the static part of two batches, so that one program serves both.
    def __eq__(self, other):
        same = isinstance(other, HostArray)
        return same and (self.key, self.shape) == (other.key, other.shape)

    def __hash__(self):
        return hash((self.key, self.shape))

    def __jax_array__(self):
        raise TypeError(
            f"{self} is text, which JAX cannot compute with. In a model it may be "
            "indexed, reshaped and squeezed, and goes to layers that read text: "
            "TextVectorization, StringLookup, Hashing, HashedCrossing."
        )

    def __repr__(self):
        return f"string{list(self.shape)}"


_VIEWS: dict[str, Callable] = {
    "getitem": lambda x, index: x[index],
    "reshape": lambda x, *shape: x.reshape(*shape),
    "squeeze": lambda x, axis: x.squeeze(axis),
    "expand_dims": lambda x: x[..., None],
}


def view(x: Any, name: str, *arguments: Any) -> Any:
    """A view of an array; a host layer that reads it still runs ahead of the step.

    Args:
        x: array, or `HostArray`.
        name: key of `_VIEWS`.
        *arguments: of the view.
    """
    calls, function = current().host, _VIEWS[name]
    if calls is None or calls.key_of(x) is None:
        if isinstance(x, HostArray):  # of which nothing but the shape is known
            blank = np.broadcast_to(np.False_, x.shape)
            return HostArray(None, function(blank, *arguments).shape)
        return function(x, *arguments)
    new = None if isinstance(x, HostArray) else function(x, *arguments)
    label = (name, label_of(arguments))
    return calls.call(label, lambda a: function(a, *arguments), (x,), new)


def label_of(arguments: Any) -> Hashable:
    """Equal for equal arguments alone: it has all entries of arrays."""
    return tuple(
        (str(x.dtype), x.shape, *x.ravel().tolist())
        if isinstance(x, np.ndarray)
        else repr(x)
        for x in jax.tree_util.tree_leaves(arguments, is_leaf=lambda x: x is None)
    )


def carry(old: Any, new: Any) -> Any:
    """Return `new`, which holds the same as `old` in another form, with its key."""
    calls = current().host
    if calls is not None and new is not old:
        if (key := calls.key_of(old)) is not None:
            calls.mark(new, key)
    return new


_INT32 = np.iinfo("int32")


class ShapesOnly(NamedTuple):
    """In the place of `HostCalls` where code runs for its shapes alone.

    Attributes:
        fill: the size that stands for unknown ones.
    """

    fill: int

    def key_of(self, x: Any) -> None:
        """None: nothing is known of any array."""


class HostCall(NamedTuple):
    """A recorded call: `function` of the arrays of the host with the keys `inputs`."""

    key: Hashable
    function: Callable[..., np.ndarray]
    inputs: tuple[Hashable, ...]


class HostCalls:
    """What the running code knows of arrays of the host; a setting of the `Frame`.

    Args:
        values: {key: NumPy array}, to record calls: they are made on these arrays.
        results: {key: array or `HostArray`} of the calls that the host has made.
        is_eager: does the code run on arrays, not on tracers, so that text is text?
    """

    def __init__(
        self,
        values: dict | None = None,
        results: dict | None = None,
        is_eager: bool = False,
    ):
        self.values: dict[Hashable, np.ndarray] = {} if values is None else values
        self.results, self.is_eager = results, is_eager
        self.recorded: list[HostCall] = []
        self._keys: dict[int, tuple[Any, Hashable]] = {}

    def mark(self, x: Any, key: Hashable) -> Any:
        """Remember that an array of the running code is the host's array `key`."""
        if not isinstance(x, HostArray):
            self._keys[id(x)] = (x, key)  # kept, so that its id stays its own
        return x

    def key_of(self, x: Any) -> Hashable | None:
        """The key of the host's array that `x` stands for; None: the host has none."""
        if isinstance(x, HostArray):
            return x.key
        return self._keys.get(id(x), (None, None))[1]

    def call(
        self, label: Hashable, function: Callable, inputs: tuple, new: Any = None
    ) -> Any:
        """The result of a call on arrays of the host, as the running code sees it.

        Args:
            label: says which function it is.
            function: takes and returns arrays of NumPy.
            inputs: arrays with keys.
            new: the result, if the running code has it; else it is looked up.
        """
        keys = tuple(self.key_of(x) for x in inputs)
        key = (label, *keys)
        if self.results is None:
            if key not in self.values:
                self.values[key] = function(*(self.values[k] for k in keys))
                self.recorded.append(HostCall(key, function, keys))
            found = self.values[key]
            if is_text(found) and self.is_eager:
                return self.mark(found, key)
            if is_text(found):
                return HostArray(key, found.shape)
        elif key in self.results:
            found = self.results[key]
        else:
            raise ValueError(
                f"A layer reads text in a way that its first batch did not show: {key}."
                " Shape text without sizes of the batch: reshape((-1, 1)), x[:, 0]."
            )
        if isinstance(found, HostArray):
            return found
        return self.mark(jnp.asarray(found) if new is None else new, key)


@jax.tree_util.register_pytree_node_class
class HostBatch:
    """A batch and what the host made of it, as an argument of a compiled step.

    Args:
        batch: tree of arrays, with `HostArray`s in the places of text.
        results: {key: array or `HostArray`} of the calls that the host has made.
    """

    def __init__(self, batch: Any, results: dict[Hashable, Any]):
        self.batch, self.results = batch, results

    def tree_flatten(self):
        parts = (self.batch, list(self.results.values()))
        leaves, tree = jax.tree_util.tree_flatten(parts)
        texts = tuple(x if isinstance(x, HostArray) else None for x in leaves)
        arrays = [x for x in leaves if not isinstance(x, HostArray)]
        return arrays, (tree, texts, tuple(self.results))

    @classmethod
    def tree_unflatten(cls, static, children):
        tree, texts, keys = static
        arrays = iter(children)
        leaves = [next(arrays) if text is None else text for text in texts]
        batch, results = tree.unflatten(leaves)
        return cls(batch, dict(zip(keys, results, strict=True)))

    def run(self, function: Callable[[Any], Any]) -> Any:
        """`function(batch)`, in a frame in which host layers look up their results."""
        calls = HostCalls(results=self.results)
        for key, leaf in enumerate(jax.tree_util.tree_leaves(self.batch)):
            calls.mark(leaf, key)
        for key, result in self.results.items():
            calls.mark(result, key)
        with Frame(host=calls):
            outputs = function(self.batch)
        if any(isinstance(x, HostArray) for x in jax.tree_util.tree_leaves(outputs)):
            raise TypeError(
                "The model's output is text, which a compiled step cannot return. Call "
                "the model itself, model(x), or the last layer on what predict() gives."
            )
        return outputs

    def __repr__(self):
        return repr(self.batch)


class HostPart:
    """What the host does with each batch before a step.

    Args:
        calls: the recorded calls, in order.
    """

    def __init__(self, calls: list[HostCall]):
        self.calls = calls

    def __call__(self, batch: Any) -> HostBatch:
        """Make the calls on a batch."""
        values = host_values(batch)
        self._check_range(values)
        for call in self.calls:
            values[call.key] = call.function(*(values[k] for k in call.inputs))
        results = {c.key: _placeholder(values[c.key], c.key) for c in self.calls}
        return HostBatch(with_placeholders(batch), results)

    def _check_range(self, values):
        """ValueError for ints that only the device reads, and that it would cut."""
        read = {key for call in self.calls for key in call.inputs}
        for key, x in values.items():
            if x.dtype.kind in "iu" and x.dtype.itemsize > 4 and key not in read:
                if x.size and (x.max() > _INT32.max or x.min() < _INT32.min):
                    raise ValueError(
                        f"Array {key} of the batch holds ints beyond 32 bits, such as "
                        f"{x.max()}, which JAX would cut. Give them to a look-up or "
                        "hash as an input of the model, not a part of one."
                    )


def host_values(batch: Any) -> dict[Hashable, np.ndarray]:
    """{number of a leaf of the batch: its array of NumPy}."""
    leaves = jax.tree_util.tree_leaves(batch)
    return {key: np.asarray(leaf) for key, leaf in enumerate(leaves)}


def with_placeholders(batch: Any) -> Any:
    """The batch with a `HostArray` in the place of each array of text."""
    leaves, tree = jax.tree_util.tree_flatten(batch)
    return tree.unflatten([_placeholder(x, key) for key, x in enumerate(leaves)])


def _placeholder(x, key):
    return HostArray(key, x.shape) if is_text(x) else x


def record(function: Callable[..., Any], *others: Any, batch: Any) -> HostPart:
    """Trace `function(*others, batch)` for calls of host layers on arrays of the batch.

    The calls are made on this batch; numbers that come of them are constants of the
    trace, whose results are dropped.
    """
    calls = HostCalls(values=host_values(batch))

    def run(others, wrapped):
        for key, leaf in enumerate(jax.tree_util.tree_leaves(wrapped.batch)):
            calls.mark(leaf, key)
        with Frame(host=calls):
            function(*others, wrapped.batch)
        return 0

    jax.eval_shape(run, others, HostBatch(with_placeholders(batch), {}))
    return HostPart(calls.recorded)


def preparation(program: Any, sections: tuple) -> Callable[[Any], HostBatch]:
    """`prepared_batch` of batches to come; it does not keep the arrays of the state."""
    shapes = jax.eval_shape(lambda x: x, sections)
    return functools.partial(prepared_batch, program, shapes)


def prepared_batch(program: Any, sections: tuple, batch: Any) -> HostBatch:
    """What the step takes for a batch that host layers read.

    Args:
        program: the `Program` of the step; it keeps the `HostPart`s.
        sections: the state, or its shapes, to trace the step with.
        batch: tree of arrays of NumPy, some of them of text.
    """
    key = kind_of_batch(batch)
    if key not in program.host_parts:
        program.host_parts[key] = record(program.step, sections, batch=batch)
    return program.host_parts[key](batch)


def on_known(function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    """Call a function so that host layers within read its arguments as they came.

    JAX cuts ints to 32 bits; a look-up reads all 64, as it does in a compiled step.
    """
    calls = HostCalls(is_eager=True)
    for key, leaf in enumerate(jax.tree_util.tree_leaves((args, kwargs))):
        if isinstance(leaf, np.ndarray):
            calls.values[key] = leaf
            calls.mark(leaf, key)
    with Frame(host=calls):
        return function(*args, **kwargs)


def looking_up(step: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A step whose batch may be a `HostBatch`: host layers look up their results."""

    def run(sections, batch):
        if isinstance(batch, HostBatch):
            return batch.run(functools.partial(step, sections))
        return step(sections, batch)

    return run


def kind_of_batch(batch: Any) -> Hashable:
    """What the host part of a step depends on: structure, ranks and kinds of dtypes."""
    leaves, tree = jax.tree_util.tree_flatten(batch)
    return tree, tuple((x.ndim, x.dtype.kind) for x in leaves)
