"""The state of training as one pytree, and its lease to a loop.

A `TrainState` of Variables and a `TrainState` of arrays have the same keys: the
first says where the second comes from and goes back to.
"""

import sys
import threading
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.functional import apply, current, restore
from minikeras.core.variable import unique_paths
from minikeras.training.interrupts import Interrupts


class TrainState(NamedTuple):
    """{path: value} of everything a training step reads and writes.

    Attributes:
        params: what the optimizer updates.
        state: other variables of the model: batch statistics, random counters.
        opt_state: variables of the optimizer.
        metrics: variables of the metrics.
        carried: what layers carry from batch to batch and no file holds: the states
            of stateful recurrent layers.
    """

    params: dict[str, Any]
    state: dict[str, Any]
    opt_state: dict[str, Any]
    metrics: dict[str, Any]
    carried: dict[str, Any]


def variables_of(model) -> TrainState:
    """The Variables of a model, its optimizer and its metrics, by path."""
    optimizer = model.optimizer
    return weights_of(model)._replace(
        opt_state=unique_paths(optimizer.variables if optimizer is not None else []),
        metrics=unique_paths(model.metrics_variables),
    )


def weights_of(model) -> TrainState:
    """The Variables that prediction needs: those of the model alone, by path."""
    trains, below = model.trainable, model._mk_below()
    params, state = {}, {}
    for path, v in below.paths.items():
        (params if trains and v.trainable else state)[path] = v
    carried = unique_paths(below.carried)
    return TrainState(params, state, opt_state={}, metrics={}, carried=carried)


def _holders(owner) -> int:
    return sys.getrefcount(owner._value)


_ALONE = _holders(type("Owner", (), {"_value": object()})())


def _to_donate(variable, outer):
    """The array of a Variable; a copy if anybody else holds it: it will be deleted.

    Args:
        variable: leased by now, so that nobody gets hold of the array from here on.
        outer: the lease before, which has the array, or None.
    """
    if outer is not None:
        return outer.read(variable)
    shared = _holders(variable) > _ALONE
    return jnp.copy(variable._value) if shared else variable._value


# How often, and after how many seconds, another thread looks for an array that the loop
# has donated and not replaced yet.
_TRIES, _PAUSE = 1000, 1e-3


def _leased_elsewhere(variable):
    lease = variable._lease
    return lease is not None and lease.thread != threading.get_ident()


class Reading:
    """The arrays of Variables, for steps that do not overwrite them.

    Any number of threads may have one, also while another trains the model; each has
    its own metrics. What the steps change is assigned when it is shown and at the end,
    but to no Variable that another thread trains. All else is as in a `Lease`.
    """

    def __init__(self, variables: TrainState, interrupts: Interrupts):
        self.variables, self.interrupts = variables, interrupts
        self._frame, self.box = current(), []

    def __enter__(self):
        return self

    def __exit__(self, error=None, *_):
        if error is not None:
            restore(self._frame)
        self.show()

    def begin(self, reset=None):
        """Take the arrays; what `reset()` would assign takes the place of some."""
        tables = [{k: _own_array(v) for k, v in t.items()} for t in self.variables]
        self._shown = tables = tuple(tables)
        if reset is not None:
            _, tables = apply(reset, tuple(self.variables), tables)
        self.box[:] = [(tables, {})]

    def show(self):
        """Assign what has changed."""
        if not self.box:
            return
        shown, self._shown = self._shown, self.box[0][0]
        for variables, old, new in zip(self.variables, shown, self._shown, strict=True):
            for key, variable in variables.items():
                if new[key] is not old[key] and not _leased_elsewhere(variable):
                    variable.assign(new[key])

    @property
    def logs(self):
        """What the last step returned beside the state."""
        return self.box[0][1]


def _own_array(variable):
    """The array of a Variable; a copy where another thread may donate it."""
    # The array first: whoever leases the Variable now sees that it is held.
    value, lease = variable._value, variable._lease
    if lease is not None:
        return (lease.read if _leased_elsewhere(variable) else lease._array)(variable)
    return variable.value if value is None else value


class Lease:
    """While it lasts, a loop owns the arrays, and nobody can tell.

    Reading a leased Variable gives a copy of its current array (the array itself is
    donated to the next step); assigning one changes what the next step sees. At the
    end the Variables hold the arrays of the last finished step.

    `box` is a list of one item, what the last step returned: (tables, logs), where
    `tables` is the state as a plain tuple.
    `box[:] = map(step, ...)` replaces it inside one C call: where the step is one, too,
    no exception can fall between its parts. The first run of a program is Python code,
    in which a Ctrl-C may fall: it waits while the arrays are donated, and while the
    Variables are taken or given back. So the state is either the one before the step
    or the one after it, and never lost.

    Args:
        variables: those to lease.
        interrupts: open, and told here what must not be interrupted.
    """

    _taking = threading.Lock()  # one thread at a time looks which Variables are free

    def __init__(self, variables: TrainState, interrupts: Interrupts):
        self.variables, self.box = variables, []
        self._frame, self.interrupts = current(), interrupts
        self.thread, self._holds = threading.get_ident(), False
        interrupts.guard(self._is_donated, Lease._hold, Lease.__exit__, Lease._release)

    def __enter__(self):
        try:
            self._take()
            return self
        except BaseException:
            self._release()
            raise

    def _take(self):
        while not self._hold():
            time.sleep(_PAUSE)

    def __exit__(self, error=None, *_):
        if error is not None:
            restore(self._frame)  # an interrupt may have left inner ones open
        self._release()

    def begin(self, reset=None):
        """Before the first step of an evaluation, or a batch."""
        if reset is not None:
            reset()

    show = staticmethod(lambda: None)  # all have seen all, see `read`

    def _hold(self):
        """Take the Variables, unless another thread trains some of them."""
        self.box.clear()
        leaves = jax.tree_util.tree_leaves(self.variables)
        for v in leaves:
            if v._value is None and v._lease is None:
                _ = v.value  # its initial value is drawn now
        with self._taking:
            if any(map(_leased_elsewhere, leaves)):
                return False
            self._where = {
                id(v): (section, key)
                for section, table in enumerate(self.variables)
                for key, v in table.items()
            }
            self._outer = {id(v): v._lease for v in leaves}  # of a `fit` around
            for v in leaves:
                v._lease = self
        try:
            tables = jax.tree_util.tree_map(
                lambda v: _to_donate(v, self._outer[id(v)]), tuple(self.variables)
            )
        except BaseException:  # there was no room for a copy
            for v in leaves:
                v._lease = self._outer[id(v)]
            raise
        self.box[:] = [(tables, {})]
        for v in leaves:
            v._value = None
        self._holds = True
        return True

    def _release(self):
        if not self._holds:  # an interrupt while another thread was waited for
            return
        for v in jax.tree_util.tree_leaves(self.variables):
            outer = self._outer[id(v)]
            if outer is None:
                v._value = self._array(v)
            else:
                outer.write(v, self._array(v))
            v._lease = outer
        self._holds = False

    def renew(self, variables: TrainState):
        """Go on with other variables, after a change of what is trainable."""
        self._release()
        self.variables = variables
        self._take()

    def _is_donated(self):
        """Has a step taken the arrays, and not given back new ones?"""
        leaves = jax.tree_util.tree_leaves(self.box[:1])
        return any(isinstance(x, jax.Array) and x.is_deleted() for x in leaves)

    @property
    def state(self) -> TrainState:
        """The current arrays."""
        return TrainState(*self.box[0][0])

    logs = Reading.logs

    def _array(self, variable):
        if not self.box:  # they are being taken
            outer = self._outer[id(variable)]
            array = variable._value if outer is None else outer._array(variable)
            if array is not None:
                return array
        section, key = self._where[id(variable)]
        array = self.box[0][0][section][key]
        return jnp.asarray(array) if isinstance(array, np.ndarray) else array

    def read(self, variable):
        """The current array of a leased Variable, safe to keep."""
        for _ in range(_TRIES):
            array = self._array(variable)
            if array.is_deleted():
                time.sleep(_PAUSE)
                continue
            try:
                return jnp.copy(array)
            except (RuntimeError, ValueError):  # it was donated just now
                if not array.is_deleted():
                    raise
        raise RuntimeError(
            f"{variable.path} has no value: a step that failed took it away."
        )

    def write(self, variable, value):
        """Assign a leased Variable a copy of an array of JAX or numpy."""
        while not self.box and variable._lease is self:  # they are being taken
            time.sleep(_PAUSE)
        section, key = self._where[id(variable)]
        if isinstance(value, np.ndarray):  # the next step takes it to the device
            value = np.array(value, dtypes.as_jax(variable.dtype))
        else:
            value = jnp.copy(value)
        self.box[0][0][section][key] = value


def borrowed(variables: TrainState, interrupts: Interrupts, watched=False):
    """For steps that train nothing: a `Reading`.

    A `Lease` if it is `watched`: callbacks may read or assign what the next batch
    starts from. Not while another thread trains, which may take long.
    """
    leased = any(map(_leased_elsewhere, jax.tree_util.tree_leaves(variables)))
    return (Lease if watched and not leased else Reading)(variables, interrupts)
