"""`GradientTape`: gradients of code that runs as written, eagerly or in a traced step.

Between enter and exit a `Recorder` is JAX's innermost trace. It keeps the pullbacks of
operations that depend on something watched, and `gradient` runs them backwards. In code
that is traced already, such as a compiled `train_step`, all of this is traced with it.
"""

import contextlib
import functools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.lax import copy_p

from minikeras.core.bridge import Scope, current
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import Variable
from minikeras.training.tape_recorder import (
    Recording,
    add_cotangent,
    is_recording,
    pull_back,
    within,
)

__all__ = ["GradientTape"]


class GradientTape(Scope):
    """Record operations, so that results can be differentiated afterwards.

    Operations of JAX on arrays are recorded while the `with` block runs, if they depend
    on something watched: the trainable Variables that were read, and arrays given to
    `watch`. It works eagerly and in code that is compiled, such as a `train_step`, and
    tapes may be nested for higher derivatives.

    Args:
        persistent: may gradients be asked for more than once? The arrays that this
            takes are kept until the tape is deleted.
        watch_accessed_variables: are trainable Variables watched when they are read?

    Source: `tf.GradientTape` of TensorFlow, whose arguments and results these are.

    >>> x = jnp.float32(3.0)
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self._persistent = bool(persistent)
        self._watches_variables = bool(watch_accessed_variables)
        self._recording = Recording(keeps_arguments=self._persistent)
        self._depth = 0  # the number of tapes around
        self._is_used = False
        # {id(variable): (variable, arrays that it had when it was read)}
        self._reads: dict[int, tuple[Any, list]] = {}
        # {id(array): id(variable) that it is the value of}
        self._owners: dict[int, int] = {}

    def reset(self) -> None:
        """Forget what has been recorded and watched."""
        self._recording.clear()
        self._reads.clear()
        self._owners.clear()
        self._is_used = False

    # -- recording ---------------------------------------------------------------

    def _changes(self):
        frame = current()
        return {
            "on_read": functools.partial(self._read, frame.on_read),
            "recordings": (*frame.recordings, self._recording),
        }

    def __enter__(self):
        if self._recording.is_open:
            raise ValueError("GradientTape: this tape is recording already.")
        if self._is_used:
            self.reset()
        self._depth = len(current().recordings)
        super().__enter__()
        self._recording.is_open = True
        within(self._depth + 1).__enter__()
        return self

    def __exit__(self, *exc):
        if self._recording.is_open:
            self._recording.is_open = False
            if not is_recording():
                warnings.warn(
                    "GradientTape: a tape of another task, such as one of asyncio, has "
                    "ended meanwhile, so operations since then are missing.",
                    stacklevel=2,
                )
            super().__exit__(*exc)
            # Not what was there before: tapes may end in any order.
            within(len(current().recordings)).__enter__()

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """A `with` block whose operations are not recorded.

        Raises:
            ValueError: the tape does not record.
        """
        if not self._recording.is_open:
            raise ValueError(
                "GradientTape.stop_recording: the tape does not record. Call it in "
                "the `with` block of the tape."
            )
        self._recording.is_open = False
        try:
            yield
        finally:
            self._recording.is_open = True

    def watch(self, tensor: Any) -> None:
        """Record what depends on these arrays or Variables.

        Args:
            tensor: array, Variable, or a list, tuple or dict of such ones.

        Raises:
            ValueError: something else, such as a number or an array of NumPy.
        """
        for x in jax.tree_util.tree_leaves(tensor):
            if isinstance(x, Variable):
                self._reads.setdefault(id(x), (x, []))
                self._note(x, x.value)
            elif isinstance(x, jax.Array):
                self._recording.arrays[id(x)] = x
            else:
                raise _no_array("watch", x)

    def watched_variables(self) -> tuple:
        """The Variables that are watched, in the order in which they were read."""
        return tuple(variable for variable, _ in self._reads.values())

    def _read(self, outer, variable, value):
        """Note that a Variable was read, if it is watched; returns its value."""
        if outer is not None:
            value = outer(variable, value)
        is_watched = self._watches_variables and variable.trainable
        if self._recording.is_open and (is_watched or id(variable) in self._reads):
            return self._note(variable, value)
        return value

    def _note(self, variable, value):
        """Make an array a source that stands for a Variable; returns the array."""
        arrays = self._recording.arrays
        _, values = self._reads.setdefault(id(variable), (variable, []))
        if id(value) in arrays and self._owners.get(id(value)) != id(variable):
            # It is another source already, or was computed and assigned in this block:
            # a Variable is a source of its own, whose gradient ends there.
            with within(self._depth):
                value = copy_p.bind(value)
        arrays[id(value)], self._owners[id(value)] = value, id(variable)
        if all(value is not known for known in values):
            values.append(value)
        return value

    # -- gradients ---------------------------------------------------------------

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """The derivative of the sum of all entries of `target` by each source.

        Args:
            target: array, Variable, or a list, tuple or dict of such ones.
            sources: the same, of what was watched, or depends on it.
            output_gradients: a factor for each entry of `target`, of its structure.
            unconnected_gradients: what a source gets that `target` does not depend on,
                `"none"` or `"zero"`.

        Returns:
            For each source an array of its shape, or None, in the structure of
            `sources`.

        Raises:
            RuntimeError: the second call, of a tape that is not persistent.
            ValueError: `target` or `sources` hold something else, or
                `output_gradients` do not fit.
        """
        fill = _filler(unconnected_gradients)
        targets, found = self._targets(target), self._sources(sources)
        cotangents: dict[int, Any] = {}
        for x, seed in zip(targets, _seeds(targets, output_gradients), strict=True):
            add_cotangent(cotangents, x, seed)
        gradients = self._pull_back(self._take(), cotangents, found)
        flat = [fill(g, x.shape, x) for g, (x, _) in zip(gradients, found, strict=True)]
        return jax.tree_util.tree_structure(sources).unflatten(flat)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivative of each entry of `target` by each entry of the sources.

        Args:
            target: one array.
            sources: array, Variable, or a list, tuple or dict of such ones.
            unconnected_gradients: as for `gradient`.
            parallel_iterations: ignored.
            experimental_use_pfor: False computes the rows one after another, which
                takes less memory.

        Returns:
            For each source an array of shape (*target.shape, *source.shape), or None,
            in the structure of `sources`.

        Raises:
            RuntimeError: the second call, of a tape that is not persistent.
        """
        fill = _filler(unconnected_gradients)
        (target,), found = self._targets(target), self._sources(sources)
        basis = jnp.eye(target.size, dtype=target.dtype).reshape(-1, *target.shape)
        rows = self._rows(target, basis, found, experimental_use_pfor)
        flat = [
            fill(row, (*target.shape, *x.shape), x)
            for row, (x, _) in zip(rows, found, strict=True)
        ]
        return jax.tree_util.tree_structure(sources).unflatten(flat)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobian of each sample by itself, where samples do not mix.

        Args:
            target: array with `n` samples along its first axis.
            source: array or Variable with as many.
            unconnected_gradients: as for `gradient`.
            parallel_iterations: ignored.
            experimental_use_pfor: False computes the rows one after another.

        Returns:
            Array of shape (n, *target.shape[1:], *source.shape[1:]), or None.

        Raises:
            RuntimeError: the second call, of a tape that is not persistent.
            ValueError: the first axes differ.
        """
        fill = _filler(unconnected_gradients)
        (target,), found = self._targets(target), self._sources(source)
        given = found[0][0]
        if target.shape[:1] != given.shape[:1]:
            raise ValueError(
                "GradientTape.batch_jacobian expected first axes of one length, got "
                f"target.shape={target.shape} and source.shape={given.shape}."
            )
        inner = target.shape[1:]
        size = math.prod(inner)
        basis = jnp.eye(size, dtype=target.dtype).reshape(size, 1, *inner)
        basis = jnp.broadcast_to(basis, (size, *target.shape))
        (rows,) = self._rows(target, basis, found, experimental_use_pfor)
        rows = rows if rows is None else jnp.moveaxis(rows, 0, 1)
        return fill(rows, (*target.shape, *given.shape[1:]), given)

    def _rows(self, target, basis, found, at_once):
        """The gradients of `target` by the sources, for each seed in `basis`."""
        records = self._take()

        def row(seed):
            return self._pull_back(records, {id(target): seed}, found)

        return jax.vmap(row)(basis) if at_once else jax.lax.map(row, basis)

    def _pull_back(self, records, cotangents, sources):
        """The gradient of each source, or None; completes the cotangents."""
        wanted = {id(x) for _, arrays in sources for x in arrays}
        # Within its own block the tape goes on recording.
        pull_back(records, cotangents, wanted, again=self._recording.is_open)
        gradients = []
        for _, arrays in sources:
            parts = [cotangents[id(x)] for x in arrays if id(x) in cotangents]
            total = functools.reduce(jnp.add, parts) if parts else None
            # TensorFlow's gradients of complex numbers are the conjugates of JAX's.
            is_complex = parts and jnp.iscomplexobj(total)
            gradients.append(jnp.conj(total) if is_complex else total)
        return gradients

    def _take(self):
        """The records, which a tape that is not persistent gives away once."""
        if self._is_used:
            raise RuntimeError(
                "GradientTape: this tape has already given its gradients, and keeps "
                "nothing for more. Ask for all in one call, or use "
                "GradientTape(persistent=True)."
            )
        records = [*self._recording.records]
        if not self._persistent:
            self.__exit__()
            self._recording.clear()
            self._is_used = True
            self._owners.clear()
            self._reads = {key: (v, []) for key, (v, _) in self._reads.items()}
        return records

    def _targets(self, target):
        """The arrays of a target, a Variable's as it was read last."""
        found = []
        for x in jax.tree_util.tree_leaves(target):
            if isinstance(x, Variable):
                values = self._reads.get(id(x), (x, []))[1]
                x = values[-1] if values else x.value
            elif not isinstance(x, jax.Array):
                raise _no_array("gradient", x)
            found.append(x)
        return found

    def _sources(self, sources):
        """[(source, the arrays that stand for it in the records)]"""
        found = []
        for x in jax.tree_util.tree_leaves(sources):
            if isinstance(x, Variable):
                found.append((x, self._reads.get(id(x), (x, []))[1]))
            elif isinstance(x, jax.Array):
                found.append((x, [x] if id(x) in self._recording.arrays else []))
            else:
                raise _no_array("gradient", x)
        return found


def _seeds(targets, output_gradients):
    """The cotangents to begin with."""
    if output_gradients is None:
        return [jnp.ones_like(x) for x in targets]
    seeds = jax.tree_util.tree_leaves(output_gradients)
    if len(seeds) != len(targets) or any(
        jnp.shape(seed) != x.shape for seed, x in zip(seeds, targets, strict=True)
    ):
        raise ValueError(
            "GradientTape.gradient expected `output_gradients` of the structure and "
            f"shapes of `target`, {[x.shape for x in targets]}, got "
            f"{[jnp.shape(seed) for seed in seeds]}."
        )
    return [jnp.asarray(seed, x.dtype) for seed, x in zip(seeds, targets, strict=True)]


def _filler(unconnected_gradients):
    """The function that gives a source without a gradient what was asked for."""
    kind = getattr(unconnected_gradients, "value", unconnected_gradients)
    if kind not in ("none", "zero"):
        raise ValueError(
            "GradientTape: unconnected_gradients must be 'none' or 'zero', got "
            f"{kind!r}."
        )

    def fill(gradient, shape, source):
        if gradient is not None:
            return gradient.reshape(shape)
        return None if kind == "none" else jnp.zeros(shape, source.dtype)

    return fill


def _no_array(method, x):
    kind = "a KerasTensor" if isinstance(x, KerasTensor) else repr(x)
    return ValueError(
        f"GradientTape.{method} expected arrays of JAX or Variables, got {kind} of "
        f"type {type(x).__name__}. Numbers and arrays of NumPy are not recorded: "
        "convert them with keras.ops.convert_to_tensor(x), and use the result."
    )
