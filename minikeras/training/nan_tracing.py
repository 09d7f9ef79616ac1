"""Say where a NaN or an infinity of a training began, by replaying the steps before.

The state before a window of steps is kept, and the batches of the window. That costs a
copy of the state and a look at the losses for each window, and nothing else.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.data import unpack_x_y_sample_weight
from minikeras.data.arrays import PARTS
from minikeras.training.feed.dispatch import BatchSlice, Dispatch
from minikeras.training.lease import StateLease
from minikeras.training.nan_search import NanSearch, Origin, direction_and_layer
from minikeras.training.program import Program

# A window is as many dispatches, and at most as many bytes of batches. One copy of the
# state in 32 steps of a network of 235,000 weights takes 0.3 % of their time.
_DISPATCHES, _BYTES = 32, 1 << 28
# The section of the state whose numbers must be finite, `params`. A metric may be NaN
# before it has seen a sample, and a constant of the model may be infinite.
_PARAMS = 0

_REMEDIES = {
    "log": "Keep what goes into it above 0: log(x + epsilon), or a loss from_logits.",
    "log1p": "Keep what goes into it above -1.",
    "div": "Keep the divisor away from 0: x / (y + epsilon).",
    "sqrt": "Its gradient at 0 is infinite: sqrt(x + epsilon).",
    "rsqrt": "Keep what goes into it above 0: rsqrt(x + epsilon).",
    "pow": "A power of a negative number, or a gradient at 0: keep the base above 0.",
    "exp": "Keep what goes into it small: above 88 float32 ends, above 11 float16.",
    "": "Look for such rows in the data, and drop or repair them.",
}
_GROWTH = (
    "The numbers have grown too large for their type: lower the learning rate, clip "
    "the gradients (clipnorm=1.0), or normalize."
)


class _Run(NamedTuple):
    """A dispatch of the window."""

    program: Program
    dispatch: Dispatch
    epoch: int
    number: int
    logs: Any


class NanTracer:
    """Keeps what it needs to run the last steps of a training again.

    Args:
        lease: has the arrays.
        raises: bool, whether a loss that is not finite is an error.
    """

    def __init__(self, lease: StateLease, raises: bool):
        self._lease, self._raises, self._window = lease, raises, []
        self._held: dict[int, int] = {}  # bytes of the arrays of the window
        self._start: Any = None  # the sections before the window
        self._copy = jax.jit(lambda tree: jax.tree_util.tree_map(jnp.copy, tree))
        self.epoch = 0

    def before(self, program: Program, dispatch: Dispatch, number: int) -> None:
        """Note a dispatch that is about to run.

        Args:
            program: runs it.
            dispatch: the batch, or the slice of the first.
            number: of its first batch in the epoch.

        Raises:
            FloatingPointError: the loss of an earlier step is not finite.
        """
        self._note_logs()
        # What callbacks assign is no step that could be run again.
        is_full = len(self._window) >= _DISPATCHES or sum(self._held.values()) > _BYTES
        if self._start is None or is_full or self._lease.has_assigned:
            self.check()
            self._start = self._copy(self._lease.sections())
            self._window, self._held = [], {}
        self._window.append(_Run(program, dispatch, self.epoch, number, None))
        # A data set that stays on the device is held by all slices, and counts once.
        for leaf in jax.tree_util.tree_leaves(dispatch.batch):
            self._held[id(leaf)] = getattr(leaf, "nbytes", 0)

    def _note_logs(self):
        """Note the logs of the last dispatch, which stay on the device."""
        if self._window:
            self._window[-1] = self._window[-1]._replace(logs=self._lease.logs)

    def check(self) -> None:
        """Raise FloatingPointError if a loss of the window is not finite.

        The weights are then those before the step in which it became so. A tracer that
        does not raise leaves the look at losses to a callback.
        """
        if not self._raises:
            return
        self._note_logs()
        runs = [run.logs for run in self._window if isinstance(run.logs, dict)]
        losses = jax.device_get([logs["loss"] for logs in runs if "loss" in logs])
        # A gradient may be NaN where the loss is not, and a step may tell no loss.
        params = self._lease.sections()[_PARAMS] if self._window else {}
        is_fine = bool(_is_finite(params))
        if not (is_fine and all(np.isfinite(loss).all() for loss in losses)):
            text, sections = self.explain()
            if sections is not None:
                self._lease.last[:] = [(sections, {})]
            raise FloatingPointError(f"{text} The weights are those before this step.")

    def explain(self) -> tuple[str, Any]:
        """Run the window again, step by step.

        Returns:
            What happened, in sentences, and the sections before the bad step; None
            where the steps of the window are finite.
        """
        sections = self._start
        for run, number, batch in self._steps():
            step = run.program
            execute = (
                step.run_slice if isinstance(batch, BatchSlice) else step.run_batch
            )
            new, logs = execute(self._copy(sections), batch)
            if _is_finite(_checked(new, logs)):
                sections = new
                continue
            batch = batch.cut() if isinstance(batch, BatchSlice) else batch
            where = f"Epoch {run.epoch + 1}, batch {number} (counted from 0)"
            return f"{where}: {_explained(step, sections, batch)}", sections
        return "A loss was not finite, but the same steps, run again, are finite.", None

    def _steps(self) -> Iterator:
        """(run, number of the batch, batch) of each step of the window."""
        for run in self._window:
            batch, steps, _ = run.dispatch
            for i in range(steps):
                yield run, run.number + i, batch.advance(i) if i else batch


def _checked(sections, logs):
    loss = logs.get("loss", 0.0) if isinstance(logs, dict) else 0.0
    return sections[_PARAMS], loss


@jax.jit
def _is_finite(tree):
    leaves = jax.tree_util.tree_leaves(tree)
    numbers = [x for x in leaves if jnp.issubdtype(jnp.result_type(x), jnp.inexact)]
    return jnp.array([True, *(jnp.isfinite(x).all() for x in numbers)]).all()


def _explained(program, sections, batch):
    """Where a step on this state and batch first has a bad number, in sentences."""
    try:
        traced = program.trace(sections, batch)
        arguments, names = _named(sections, batch)
        outputs, _ = jax.tree_util.tree_flatten_with_path(traced.out_info)
        results = [i for i, (path, _) in enumerate(outputs) if _is_checked(path)]
        results.sort(key=lambda i: -outputs[i][0][0].idx)  # the loss before the state
        sizes = [x.shape[0] for x in jax.tree_util.tree_leaves(batch) if np.ndim(x)]
        search = NanSearch(traced.jaxpr, sizes[0] if sizes else None)
        origin = search.origin(arguments, names, results)
    except Exception as error:  # the step runs eagerly: it cannot be traced
        return f"a number is not finite; the step cannot be searched ({error})."
    if origin is None:
        return (
            "a number is not finite. One by one, its operations give finite numbers: "
            "the compiled step rounds them differently."
        )
    return in_sentences(origin)


def _is_checked(path):
    keys = [getattr(key, "idx", getattr(key, "key", None)) for key in path]
    return keys[:2] in ([0, _PARAMS], [1, "loss"])


def _named(sections, batch):
    """(flat arrays, names) of the arguments of a step."""
    arrays = jax.tree_util.tree_leaves(sections)
    names = [""] * len(arrays)
    for name, part in zip(PARTS, unpack_x_y_sample_weight(batch), strict=True):
        for path, leaf in jax.tree_util.tree_flatten_with_path(part)[0]:
            arrays.append(leaf)
            names.append(f"{name}{jax.tree_util.keystr(path)} of the batch")
    return arrays, names


def in_sentences(origin: Origin) -> str:
    """Where bad numbers began, where they went on, and what helps."""
    chain = [origin]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    first, *later = reversed(chain)
    parts = [f"{_article(first)} began in {_place(first)}."]
    if first.inputs:
        parts.append(f"Into it went {' and '.join(first.inputs)}.")
    parts += [f"It became {_article(x)} in {_place(x)}." for x in later]
    return " ".join([*parts, _REMEDIES.get(first.primitive, _GROWTH)])


def _article(origin):
    return "a NaN" if origin.kind == "NaN" else "an infinity"


def _place(origin):
    """Layer, direction, operation, rows and line of an `Origin`."""
    if not origin.primitive:
        words = origin.scope
    else:
        direction, layer = direction_and_layer(origin.scope)
        kind = "the update" if direction == "update" else f"the {direction} pass"
        words = f"{kind} of {layer!r}" if layer else kind
        words += f", operation {origin.primitive}"
    if origin.turn is not None:
        words += f", at time step {origin.turn} of its loop"
    if origin.rows is not None and not words.startswith("the update"):
        count, shown = len(origin.rows), ", ".join(map(str, origin.rows[:8]))
        rows = f"row{'s' * (count > 1)} {shown}{' …' * (count > 8)}"
        words += f", {'all rows' if count == origin.batch_size else rows}"
    return f"{words} ({origin.place})" if origin.place else words
