"""A step as compiled programs: one batch a call, or many in a loop on the device."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxlib.version import __version__ as jaxlib_version

from minikeras import settings
from minikeras.core import host_calls, platform
from minikeras.core.members import method
from minikeras.training import step as steps
from minikeras.training import user_steps
from minikeras.training.cost import loop_steps
from minikeras.training.feed.dispatch import BatchSlice, Dispatch
from minikeras.training.protocol import TrainableModel
from minikeras.training.state import TrainState

_STEP_MAKERS = {
    "train_step": steps.train_step,
    "test_step": steps.test_step,
    "predict_step": steps.predict_step,
}

# The most steps of one dispatch: an interrupt and the progress bar wait for its end.
# Dispatching takes some 50 us, so in a loop of 256 steps it takes 0.2 us a step, and
# longer loops gain nothing.
_MOST_STEPS = 256


class Program:
    """One step of a model, compiled unless it runs eagerly.

    All ways to run it take `sections`, the state as a plain tuple, and return
    (sections, logs). A `NamedTuple` would be made by Python code, in which a Ctrl-C
    could fall after the step has run and before it has returned. All ways trace the
    step itself once for batches of one shape. Training donates the sections, so that a
    step overwrites its state.

    Args:
        step: function (sections, batch) -> (sections or a diff of them, logs).
        name: `"train_step"`, `"test_step"` or `"predict_step"`.
        compiles: False runs the step eagerly, for debugging.

    Attributes:
        steps_by_batch_size: {batch size: the most steps that pay in one loop}.
        host_parts: {kind of batch: what the host does before the step}.
    """

    def __init__(self, step: Callable[..., Any], name: str, compiles: bool):
        self.step, self.compiles = step, compiles
        self.host_parts: dict[Any, host_calls.HostPart] = {}
        self._stacks = name == "predict_step"
        self.steps_by_batch_size: dict[int, int] = {}
        # The other programs call this one, so that the step is traced once for all:
        # tracing is Python, a large part of the first epoch.
        self._traced = jax.jit(step)
        # Evaluations donate nothing, so that other threads may read the weights.
        donated = 0 if name == "train_step" else ()
        options = {"donate_argnums": donated, "compiler_options": compiler_options()}
        self._compiled_batch = jax.jit(self._traced, **options)
        self._compiled_slice = jax.jit(self._step_on_slice, **options)
        self._compiled_loop = jax.jit(
            self._loop_over_slices, static_argnums=3, **options
        )
        self.trace = self._traced.trace
        if donated == 0 and compiles:
            # `StateLease.run` needs functions of C for steps that donate.
            self.run_batch, self.run_slice = self._compiled_batch, self._compiled_slice
            self.run_loop = self._compiled_loop

    def steps_per_dispatch(
        self,
        sections: tuple,
        feed: Any,
        steps_per_execution: int,
        has_batch_hooks: bool,
        keeps_outputs: bool,
    ) -> int:
        """Decide how many steps one call runs, as a loop on the device.

        Args:
            sections: the state, to trace the step with.
            feed: the `BatchFeed`; it knows how many batches a dispatch can reach.
            steps_per_execution: batches between two calls of the batch hooks.
            has_batch_hooks: does a callback look at each execution? Otherwise one
                dispatch may run several.
            keeps_outputs: does the loop keep the outputs of all its steps?

        Returns:
            A whole number of executions, or part of one; 0: single steps, no loop.
        """
        if feed.batch_shapes is None:
            return 0
        size, execution = feed.batch_size, steps_per_execution
        # Counting the operations of a step needs its jaxpr, so it is done once for each
        # batch size. The trace is that of the program itself, not another one.
        if size not in self.steps_by_batch_size:
            jaxpr = self.trace(sections, feed.batch_shapes).jaxpr
            self.steps_by_batch_size[size] = loop_steps(
                jaxpr, _MOST_STEPS, keeps_outputs
            )
        most = execution if has_batch_hooks else max(execution, _MOST_STEPS)
        steps = min(self.steps_by_batch_size[size], most)
        # Whole executions, so that no hook is due within a loop. Where a loop cannot
        # hold an execution, it holds one step.
        steps = max(steps // execution * execution, min(steps, 1))
        reach = feed.max_steps_per_dispatch
        return steps if reach is None else min(steps, reach)

    def call_for(self, dispatch: Dispatch) -> tuple:
        """(function, its arguments after the sections) that run a `Dispatch`."""
        batch, steps, max_steps = dispatch
        if max_steps is not None:
            return self.run_loop, batch, np.int32(steps), max_steps
        is_slice = isinstance(batch, BatchSlice)
        return self.run_slice if is_slice else self.run_batch, batch

    def run_batch(self, sections: tuple, batch: Any) -> tuple:
        """Run one step on a batch from the host."""
        if self.compiles:
            return _merged(sections, self._compiled_batch(sections, batch))
        # As in a compiled step, users see a batch of JAX arrays.
        return _merged(sections, self.step(sections, jax.device_put(batch)))

    def run_slice(self, sections: tuple, batch: BatchSlice) -> tuple:
        """Run one step on a `BatchSlice`."""
        return _merged(sections, self._compiled_slice(sections, batch))

    def run_loop(
        self, sections: tuple, first: BatchSlice, count: Any, max_steps: int
    ) -> tuple:
        """Run `count` steps from a `BatchSlice` on, by one program for every count.

        Args:
            sections: the state before the first step.
            first: the first batch.
            count: how many steps, an int32.
            max_steps: a Python int, at least `count`: outputs of `predict_step` that
                there is memory for.

        Returns:
            (sections, logs of the last step). Of `predict_step` the outputs of all
            steps, stacked, with zeros beyond `count`.
        """
        return _merged(sections, self._compiled_loop(sections, first, count, max_steps))

    def _step_on_slice(self, sections, batch):
        return self._traced(sections, batch.cut())

    def _loop_over_slices(self, sections, first, count, max_steps):
        """The loop of `run_loop`; returns only what the steps changed."""
        new, logs = jax.eval_shape(self._step_on_slice, sections, first)
        # The carry holds what a step changes: XLA copies the rest of it in each turn.
        carried = tuple(
            {key: old[key] for key in changed}
            for old, changed in zip(sections, new, strict=True)
        )
        leading = (max_steps,) if self._stacks else ()
        logs = jax.tree_util.tree_map(
            lambda x: jnp.zeros((*leading, *x.shape), x.dtype), logs
        )

        # `lax.fori_loop` would keep its body, and with it the model, in a cache of JAX.
        def keep_going(carry):
            return carry[0] < count

        def body(carry):
            i, carried, stacked = carry
            batch = first.advance(i)
            new, logs = self._step_on_slice(steps.merge(sections, carried), batch)
            if self._stacks:
                logs = jax.tree_util.tree_map(
                    lambda a, x: a.at[i].set(x), stacked, logs
                )
            return i + 1, new, logs

        return lax.while_loop(keep_going, body, (np.int32(0), carried, logs))[1:]


def compiled_form(run: Any) -> Any:
    """The function of JAX behind one of the ways to run a `Program`."""
    program = getattr(run, "__self__", None)
    if not (isinstance(program, Program) and program.compiles):
        return run
    return {
        "run_batch": program._compiled_batch,
        "run_slice": program._compiled_slice,
        "run_loop": program._compiled_loop,
    }[run.__name__]


def compiler_options() -> dict[str, Any] | None:
    """Options of XLA's compiler for a step; None: its defaults.

    They make a GPU give the same bits in each run, if a setting asks for it.

    On CPUs, jaxlib from 0.10 on hands convolutions and small sums to the library YNN,
    which takes up to twice the time of XLA's older code. Only products and reductions
    gain from it, so the options leave those to YNN.
    """
    # The option is experimental. With a version that does not know it, compiling fails.
    known = jaxlib_version.startswith(("0.10.", "0.11.", "0.12."))
    if settings.is_op_determinism_enabled() and platform.platform() == "gpu":
        return {settings.DETERMINISM_FLAG: True}
    if not platform.is_cpu() or not known:
        return None
    kinds = ("INDIVIDUAL_DOT", "REDUCE")
    chosen = ",".join(f"LIBRARY_FUSION_TYPE_{kind}" for kind in kinds)
    return {"xla_cpu_experimental_ynn_fusion_type": chosen}


def _merged(sections, returned):
    new, logs = returned
    return steps.merge(sections, new), logs


def make_step(
    model: TrainableModel, variables: TrainState, name: str
) -> Callable[..., Any]:
    """Make `step(sections, batch)`; it calls the methods that the user overrides."""
    is_own = model._mk_overrides(name)
    if is_own and user_steps.takes_data_alone(model, name):
        return user_steps.in_place_step(model, variables, name)
    if name == "train_step" and getattr(model, "optimizer", None) is not None:
        model.optimizer._mk_check_knows(variables.params.values())
    if is_own:
        return user_steps.custom_step(model, variables, name)
    if any(map(model._mk_overrides, user_steps.OVERRIDABLE[name])):
        return user_steps.step_from_overrides(model, variables, name)
    return _STEP_MAKERS[name](model, variables)


# What the steps call of a model. Users may set each on the class or on the object.
_STEP_METHODS = """train_step test_step predict_step call stateless_call compute_loss
    compute_metrics get_metrics_result compute_loss_and_updates
    stateless_compute_loss""".split()


def program_of(model: TrainableModel, variables: TrainState, name: str) -> Program:
    """The `Program` of a step, kept between calls of `fit`, `evaluate`, `predict`."""
    # The key has all that the trace depends on and that users may change without
    # `compile`: `run_eagerly`, methods set on the object, frozen layers.
    hooks = tuple(method(model, hook) for hook in _STEP_METHODS)
    subtree = model._mk_subtree_state()
    is_exact = settings.is_op_determinism_enabled()
    kind = (name, model._mk_compiles(), is_exact, hooks, subtree.versions)
    key = (*kind, _identity(variables))
    if key not in model._mk_programs:
        step = make_step(model, variables, name)
        if subtree.on_host:
            step = host_calls.looking_up(step)
        model._mk_programs[key] = Program(step, name, model._mk_compiles())
    return model._mk_programs[key]


def _identity(variables):
    """A hashable value that differs between any two different sets of Variables."""
    return tuple(
        tuple((path, id(v)) for path, v in table.items()) for table in variables
    )
