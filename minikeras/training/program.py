"""A step as compiled programs: one batch a call, or many in a loop on the device."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxlib.version import __version__ as jaxlib_version

from minikeras.core.members import method
from minikeras.training import step as steps
from minikeras.training.state import TrainState

_MAKERS = {
    "train_step": steps.train_step,
    "test_step": steps.test_step,
    "predict_step": steps.predict_step,
}


class Program:
    """One step of a model, compiled unless it runs eagerly.

    All ways to run it take `tables`, the state as a plain tuple, and give (tables,
    logs): a NamedTuple is made by Python code, in which a Ctrl-C could fall after the
    step has run and before it has returned. All trace the step itself once for batches
    of one shape. Training donates the tables, so that a step overwrites its state.
    """

    def __init__(self, step, name, compiles):
        self.step, self.compiles = step, compiles
        self._stacks = name == "predict_step"
        self.at_once = {}  # {batch size: steps of one dispatch, 0 without a loop}
        self._traced = jax.jit(step)  # inside of the others
        donated = 0 if name == "train_step" else ()
        settings = {"donate_argnums": donated, "compiler_options": compiler_options()}
        self._batch = jax.jit(self._traced, **settings)
        self._rows = jax.jit(self._cut, **settings)
        self._many = jax.jit(self._loop, static_argnums=3, **settings)
        self.trace = self._traced.trace
        if donated == 0 and compiles:  # no Python code between call and return
            self.batch, self.rows, self.many = self._batch, self._rows, self._many

    def batch(self, tables, batch):
        """Run one step on a batch from the host."""
        if self.compiles:
            return _merged(tables, self._batch(tables, batch))
        # As in a compiled step, users see a batch of JAX arrays.
        return _merged(tables, self.step(tables, jax.device_put(batch)))

    def rows(self, tables, rows):
        """Run one step on `BatchSlice` of arrays on the device."""
        return _merged(tables, self._rows(tables, rows))

    def many(self, tables, rows, count, most):
        """Run `count` steps from `BatchSlice` on, by one program whatever the count.

        Args:
            tables, rows: of the first step.
            count: how many, an int32.
            most: a Python int, at least `count`: room for outputs of `predict_step`.

        Returns:
            (tables, logs of the last step); of `predict_step` the outputs of all
            steps, stacked, and beyond `count` zeros.
        """
        return _merged(tables, self._many(tables, rows, count, most))

    def _cut(self, tables, rows):
        return self._traced(tables, rows.cut())

    def _loop(self, tables, rows, count, most):
        new, logs = jax.eval_shape(self._cut, tables, rows)
        moving = tuple({k: t[k] for k in n} for t, n in zip(tables, new, strict=True))
        room = (most,) if self._stacks else ()
        logs = jax.tree_util.tree_map(
            lambda x: jnp.zeros((*room, *x.shape), x.dtype), logs
        )

        def more(carry):  # lax.fori_loop would remember each model's in a cache
            return carry[0] < count

        def body(carry):
            i, moving, kept = carry
            new, logs = self._cut(steps.updated(tables, moving), rows.after(i))
            if self._stacks:
                logs = jax.tree_util.tree_map(lambda a, x: a.at[i].set(x), kept, logs)
            return i + 1, new, logs

        return lax.while_loop(more, body, (np.int32(0), moving, logs))[1:]


def compiler_options():
    """How XLA shall compile a step: as it likes, but for CPUs.

    There, jaxlib from 0.10 on hands convolutions and small sums to YNN, which takes up
    to twice the time of XLA's older ways; only products and reductions gain.
    """
    known = jaxlib_version.startswith(("0.10.", "0.11.", "0.12."))
    if jax.default_backend() != "cpu" or not known:
        return None
    kinds = ("INDIVIDUAL_DOT", "REDUCE")
    chosen = ",".join(f"LIBRARY_FUSION_TYPE_{kind}" for kind in kinds)
    return {"xla_cpu_experimental_ynn_fusion_type": chosen}


def _merged(tables, returned):
    new, logs = returned
    return steps.updated(tables, new), logs


def plain_step(model, variables: TrainState, name: str):
    """`step(tables, batch)`: the model's own if it overrides one, or a piece of it."""
    if name == "train_step" and model.optimizer is not None:
        model.optimizer._mk_check_knows(variables.params.values())
    if model._mk_overrides(name):
        return steps.custom_step(model, variables, name)
    if any(map(model._mk_overrides, steps.PIECES[name])):
        return steps.step_of_pieces(model, variables, name)
    return _MAKERS[name](model, variables)


# What the steps call of a model. Users may set each on the class or on the object.
_HOOKS = (
    *("train_step", "test_step", "predict_step", "call", "stateless_call"),
    *("compute_loss", "compute_metrics", "get_metrics_result"),
    *("compute_loss_and_updates", "stateless_compute_loss"),
)


def program(model, variables: TrainState, name: str) -> Program:
    """The `Program` of a step, kept between calls of `fit`, `evaluate`, `predict`."""
    hooks = tuple(method(model, hook) for hook in _HOOKS)
    key = (name, model._mk_compiles(), hooks, _identity(variables))
    if key not in model._mk_programs:
        step = plain_step(model, variables, name)
        model._mk_programs[key] = Program(step, name, model._mk_compiles())
    return model._mk_programs[key]


def _identity(variables):
    return tuple(
        tuple((path, id(v)) for path, v in table.items()) for table in variables
    )
