"""Objects with a state: `tf.Variable`, `tf.Module`, `tf.train`, `tf.distribute`."""

import contextlib
import os
import re
from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import optimizers
from minikeras.core.variable import Variable as KerasVariable
from minikeras.legacy.tensorflow.arrays import constant
from minikeras.legacy.tensorflow.dispatch import array, sizes
from minikeras.legacy.tensorflow.types import (
    TensorShape,
    as_dtype,
    as_sizes,
    jax_dtype,
)
from minikeras.training.gradient_tape import GradientTape


class Variable(KerasVariable):
    """A Variable of Keras with TensorFlow's constructor and methods.

    Args:
        initial_value: array-like, or a function without arguments that returns it.
        trainable: do tapes watch it? None: yes.
        validate_shape: not used.
        caching_device: not used.
        name: "/" and ":" in it become "_".
        variable_def: not used.
        dtype: None: that of the value.
        import_scope: not used.
        constraint: function that optimizers apply after each step.
        synchronization: not used.
        aggregation: not used.
        shape: must be that of the value.
        **kwargs: not used.
    """

    def __init__(
        self, initial_value=None, trainable=None, validate_shape=True,
        caching_device=None, name=None, variable_def=None, dtype=None,
        import_scope=None, constraint=None, synchronization=None, aggregation=None,
        shape=None, **kwargs,
    ):  # fmt: skip
        value = initial_value() if callable(initial_value) else initial_value
        if value is None:
            raise ValueError("tf.Variable: give `initial_value`, an array or function.")
        super().__init__(
            array(value)
            if dtype is None
            else jnp.asarray(array(value), jax_dtype(dtype)),
            trainable=trainable is not False,
            name=re.sub(r"[/:]", "_", name or "Variable"),
            autocast=False,
        )
        self.constraint = constraint

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Replace the value; returns the Variable, as TensorFlow does."""
        super().assign(value)
        return self

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Add to the value."""
        return self.assign(self.value + array(delta))

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Subtract from the value."""
        return self.assign(self.value - array(delta))

    def read_value(self):
        """The value."""
        return self.value

    def get_shape(self):
        """The shape."""
        return TensorShape(self.shape)

    def scatter_nd_update(self, indices, updates, name=None):
        """Replace entries at index rows."""
        index = tuple(jnp.moveaxis(array(indices), -1, 0))
        return self.assign(self.value.at[index].set(array(updates)))

    def scatter_nd_add(self, indices, updates, name=None):
        """Add to entries at index rows."""
        index = tuple(jnp.moveaxis(array(indices), -1, 0))
        return self.assign(self.value.at[index].add(array(updates)))

    initialized_value = read_value


def _variables(x, seen):
    """The Variables in an object, in the order of its attributes."""
    if id(x) in seen:
        return
    seen.add(id(x))
    if isinstance(x, KerasVariable):
        yield x
    elif isinstance(x, Module):
        for name in sorted(vars(x)):
            yield from _variables(vars(x)[name], seen)
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from _variables(item, seen)
    elif isinstance(x, dict):
        yield from _variables(list(x.values()), seen)
    elif isinstance(found := getattr(x, "variables", None), (list, tuple)):
        yield from _variables(list(found), seen)


class Module:
    """An object that finds the Variables among its attributes.

    Args:
        name: of the object; by default that of its class.
    """

    def __init__(self, name=None):
        self.name = name or re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def variables(self):
        """All Variables."""
        return tuple(_variables(self, set()))

    @property
    def trainable_variables(self):
        """Those that tapes watch."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def submodules(self):
        """The Modules among the attributes, and theirs."""
        own = [x for x in vars(self).values() if isinstance(x, Module)]
        return tuple(y for x in own for y in (x, *x.submodules))

    name_scope = property(lambda self: contextlib.nullcontext(self.name))

    @classmethod
    def with_name_scope(cls, method):
        """The method itself: names need no scope."""
        return method


class TensorArray:
    """Tensors of one dtype that are written one by one; loops over traced numbers
    cannot write to it, so `tf.function` runs them eagerly.

    Args:
        dtype: of all tensors.
        size: how many there are.
        dynamic_size: may writing beyond `size` make it larger?
        element_shape: shape of the tensors that are never written, which are zeros;
            None: that of the others.
        **kwargs: not used.
    """

    def __init__(
        self, dtype, size=None, dynamic_size=None, element_shape=None, **kwargs
    ):
        self.dtype, self.dynamic_size = as_dtype(dtype), bool(dynamic_size)
        self.element_shape = element_shape
        self._items: list[Any] = [None] * int(size or 0)

    def write(self, index, value, name=None):
        """Set a tensor; returns the array, as TensorFlow does."""
        index, count = int(index), len(self._items)
        if index < 0 or index >= count and not self.dynamic_size:
            raise IndexError(
                f"tf.TensorArray: index {index} is not below its size, {count}. Give a "
                "larger `size`, or dynamic_size=True."
            )
        value = constant(value, self.dtype)
        self._items += [None] * (index + 1 - count)
        self._items[index] = value
        return self

    def read(self, index, name=None):
        """The tensor at an index."""
        return self._filled()[int(index)]

    def stack(self, name=None):
        """All tensors, along a new first axis."""
        return jnp.stack(self._filled())

    def concat(self, name=None):
        """All tensors, one after the other along their first axis."""
        return jnp.concatenate(self._filled())

    def gather(self, indices, name=None):
        """The tensors at these indices, along a new first axis."""
        return self.stack()[array(indices)]

    def unstack(self, value, name=None):
        """Set all tensors: the rows of `value`."""
        self._items = list(constant(value, self.dtype))
        return self

    def scatter(self, indices, value, name=None):
        """Set the tensors at these indices: the rows of `value`."""
        for index, row in zip(np.asarray(indices), array(value), strict=True):
            self.write(index, row)
        return self

    def size(self, name=None):
        """How many tensors there are."""
        return as_sizes(len(self._items))

    def _filled(self):
        """The tensors, with zeros for those that were never written."""
        shape = self.element_shape
        written = [x for x in self._items if x is not None]
        if shape is None and not written and self._items:
            raise ValueError(
                "tf.TensorArray: nothing was written, so the shape of its tensors is "
                "not known. Give `element_shape`."
            )
        shape = sizes(written[0].shape if written else shape or ())
        zeros = jnp.zeros(shape, jax_dtype(self.dtype))
        return [zeros if x is None else x for x in self._items]


class _Status:
    """What `Checkpoint.restore` returns: all values are restored already."""

    def _same(self):
        return self

    assert_consumed = assert_existing_objects_matched = expect_partial = _same
    assert_nontrivial_match = run_restore_ops = initialize_or_restore = _same


class Checkpoint:
    """Values of models, optimizers and Variables in one file, `.npz` of NumPy.

    Args:
        root: not used; keywords name the objects.
        **kwargs: the objects, by name.
    """

    def __init__(self, root=None, **kwargs):
        self._objects = {**({} if root is None else {"root": root}), **kwargs}
        self.save_counter = 0
        self.__dict__.update(kwargs)

    def _table(self):
        models = [x for x in self._objects.values() if hasattr(x, "trainable_weights")]
        for x in self._objects.values():
            if isinstance(x, optimizers.Optimizer) and not x.built and models:
                x.build([v for model in models for v in model.trainable_variables])
        return {
            f"{name}/{i}": variable
            for name, x in self._objects.items()
            for i, variable in enumerate(_variables(x, set()))
        }

    def save(self, file_prefix, options=None):
        """Write `file_prefix`-N, N from 1; returns that path."""
        self.save_counter += 1
        return self.write(f"{file_prefix}-{self.save_counter}")

    def write(self, file_prefix, options=None):
        """Write the values; returns the path."""
        path = os.fspath(file_prefix)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        part = f"{path}.part.npz"  # renamed when whole
        np.savez(part, **{key: np.asarray(v) for key, v in self._table().items()})
        os.replace(part, f"{path}.npz")
        return path

    def restore(self, save_path, options=None):
        """Read the values of a path that `save` gave; None reads nothing."""
        if save_path is not None:
            with np.load(f"{os.fspath(save_path)}.npz") as file:
                own = self._table()
                for key in set(file) & set(own):
                    own[key].assign(file[key])
            number = re.search(r"-(\d+)$", os.fspath(save_path))
            self.save_counter = int(number[1]) if number else self.save_counter
        return _Status()

    read = restore


def _checkpoints(directory, prefix=""):
    found = []
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if match := re.fullmatch(rf"({prefix}.*-(\d+))\.npz", name):
            found.append((int(match[2]), os.path.join(directory, match[1])))
    return [path for _, path in sorted(found)]


def latest_checkpoint(checkpoint_dir, latest_filename=None):
    """The path of the checkpoint with the highest number, or None.

    Args:
        checkpoint_dir: the folder.
        latest_filename: not used.
    """
    return (_checkpoints(os.fspath(checkpoint_dir)) or [None])[-1]


class CheckpointManager:
    """Checkpoints in a folder, of which the last few are kept.

    Args:
        checkpoint: `Checkpoint`.
        directory: the folder.
        max_to_keep: int; None keeps all.
        checkpoint_name: start of the files' names.
        **kwargs: not used.
    """

    def __init__(
        self, checkpoint, directory, max_to_keep=5, checkpoint_name="ckpt", **kwargs
    ):
        self.checkpoint, self.directory = checkpoint, os.fspath(directory)
        self._keep, self._name = max_to_keep, checkpoint_name

    checkpoints = property(lambda self: _checkpoints(self.directory, self._name))
    latest_checkpoint = property(lambda self: (self.checkpoints or [None])[-1])

    def save(self, checkpoint_number=None, **kwargs):
        """Write a checkpoint; returns its path."""
        prefix = os.path.join(self.directory, self._name)
        if checkpoint_number is None:
            path = self.checkpoint.save(prefix)
        else:
            path = self.checkpoint.write(f"{prefix}-{int(checkpoint_number)}")
        for old in self.checkpoints[: -self._keep] if self._keep else ():
            os.remove(f"{old}.npz")
        return path

    def restore_or_initialize(self):
        """Read the latest checkpoint; returns its path, or None."""
        self.checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint


def _optimizer(base, names, **defaults):
    """An optimizer of TensorFlow 1: its argument names, and `minimize`."""

    class Old(getattr(optimizers, base)):
        def __init__(self, *args, use_locking=False, name=None, **kwargs):
            order = ["learning_rate", *names]
            given = {**defaults, **dict(zip(order, args, strict=False)), **kwargs}
            super().__init__(**{names.get(k, k): v for k, v in given.items()})

        def compute_gradients(self, loss, var_list=None):
            """[(gradient, Variable)] of a loss, given as a function."""
            if not callable(loss) or var_list is None:
                raise ValueError(
                    "minimize: give the loss as a function without arguments, and "
                    "`var_list`: tensors here have values and no graph."
                )
            var_list = var_list() if callable(var_list) else var_list
            with GradientTape() as tape:
                value = loss()
            return list(zip(tape.gradient(value, var_list), var_list, strict=True))

        def minimize(self, loss, global_step=None, var_list=None, **kwargs):
            """One step down the gradient of `loss()`."""
            self.apply_gradients(self.compute_gradients(loss, var_list))
            if global_step is not None:
                global_step.assign_add(1)

    return Old


_ADAM = {"beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"}
TRAIN = {
    "AdadeltaOptimizer": _optimizer("Adadelta", {"rho": "rho"}, learning_rate=0.001),
    "AdagradOptimizer": _optimizer(
        "Adagrad", {"initial_accumulator_value": "initial_accumulator_value"}
    ),
    "AdamOptimizer": _optimizer("Adam", _ADAM, learning_rate=0.001, epsilon=1e-8),
    "FtrlOptimizer": _optimizer(
        "Ftrl", {"learning_rate_power": "learning_rate_power"}, learning_rate=0.001
    ),
    "GradientDescentOptimizer": _optimizer("SGD", {}, learning_rate=0.01),
    "MomentumOptimizer": _optimizer(
        "SGD", {"momentum": "momentum", "use_nesterov": "nesterov"}
    ),
    "RMSPropOptimizer": _optimizer(
        "RMSprop", {"decay": "rho", "momentum": "momentum", "epsilon": "epsilon"},
        epsilon=1e-10,
    ),
    "Checkpoint": Checkpoint,
    "CheckpointManager": CheckpointManager,
    "latest_checkpoint": latest_checkpoint,
}  # fmt: skip


class Strategy:
    """A strategy of one replica: JAX spreads work by `keras.distribution`.

    Args:
        *args: not used.
        **kwargs: not used.
    """

    num_replicas_in_sync = 1

    def __init__(self, *args, **kwargs):
        del args, kwargs

    def scope(self):
        """A block that changes nothing."""
        return contextlib.nullcontext(self)

    def run(self, fn, args=(), kwargs=None, options=None):
        """`fn` of the arguments."""
        return fn(*args, **(kwargs or {}))

    def reduce(self, reduce_op, value, axis=None):
        """The value, over an axis its sum or mean."""
        if axis is None:
            return value
        return (jnp.mean if "MEAN" in str(reduce_op).upper() else jnp.sum)(value, axis)

    def experimental_distribute_dataset(self, dataset, options=None):
        """The data set itself."""
        return dataset


class _ReduceOp:
    """Ways to join the values of replicas."""

    SUM, MEAN = "SUM", "MEAN"


DISTRIBUTE = {
    "MirroredStrategy": Strategy,
    "OneDeviceStrategy": Strategy,
    "ReduceOp": _ReduceOp,
    "Strategy": Strategy,
    "get_strategy": Strategy,
}
