"""The state of training as one pytree, and who has its arrays.

A `TrainState` of Variables and a `TrainState` of arrays have the same keys: the
first says where the second comes from and goes back to. Evaluations read the arrays
(`ReadLease`), trainings own them for a while (`StateLease`).
"""

import contextlib
import itertools
import sys
import threading
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.bridge import apply, current, restore
from minikeras.core.variable import assigning, unique_paths
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
    trains, below = model.trainable, model._mk_subtree_state()
    params, state = {}, {}
    for path, v in below.paths.items():
        (params if trains and v.trainable else state)[path] = v
    carried = unique_paths(below.carried)
    return TrainState(params, state, opt_state={}, metrics={}, carried=carried)


_METRICS = TrainState._fields.index("metrics")
# Seconds until a thread looks again whether another's step has ended, and how often.
_PAUSE, _FEW, _TRIES = 1e-3, 3, 1000


class ReadLease:
    """The arrays of Variables, for steps that do not overwrite them.

    Any number of threads may have one, also while another trains the model; each has
    its own metrics. What the steps change is assigned when it is shown and at the end,
    but to no weight that another thread trains. All else is as in a `StateLease`.
    """

    def __init__(self, variables: TrainState, interrupts: Interrupts):
        self.variables, self.interrupts = variables, interrupts
        self._frame, self.box = current(), []
        interrupts.guard(type(self)._at_once, type(self).show)

    def __enter__(self):
        return self

    def __exit__(self, error=None, *_):
        if error is not None:
            restore(self._frame)
        self.show()

    stepping = contextlib.nullcontext()

    def tables(self):
        """What a step starts from."""
        return self.box[0][0]

    def begin(self, reset=None):
        """Take the arrays; what `reset()` would assign takes the place of some."""
        for _ in range(_TRIES):
            if (tables := self._at_once()) is not None:
                break
            time.sleep(_PAUSE)
        else:  # a long step, or one that itself waits for this
            tables = self._one_by_one()
        self._shown = tables
        if reset is not None:
            _, tables = apply(reset, tuple(self.variables), tables)
        self.box[:] = [(tables, {})]

    def _at_once(self):
        """The arrays of one moment; None while another thread is in a step."""
        leaves = _drawn(self.variables)
        with assigning:
            below = {v._lease for v in leaves if _leased_elsewhere(v)}
            if not _cover(below, self):
                return None
            try:
                return self._one_by_one()
            finally:
                _uncover(below, self)

    def _one_by_one(self):
        return tuple({k: _read(v) for k, v in t.items()} for t in self.variables)

    def show(self):
        """Assign what has changed."""
        if not self.box:
            return
        shown, self._shown = self._shown, self.box[0][0]
        with assigning:  # nobody leases one between the question and the answer
            for table, old, new in zip(self.variables, shown, self._shown, strict=True):
                for key, variable in table.items():
                    if new[key] is not old[key] and _is_ours(variable):
                        variable.assign(new[key])

    @property
    def logs(self):
        """What the last step returned beside the state."""
        return self.box[0][1]


class StateLease:
    """While it lasts, a loop owns the arrays, and nobody can tell.

    ReadLease a leased Variable gives a copy of its current array (the array itself is
    donated to the next step); assigning one changes what the next step sees. At the
    end the Variables hold the arrays of the last finished step.

    `box` is a list of one item, what the last step returned: (tables, logs), where
    `tables` is the state as a plain tuple.
    `box[:] = map(step, ...)` replaces it inside one C call: where the step is one, too,
    no exception can fall between its parts. The first run of a program is Python code,
    in which a Ctrl-C may fall: it waits while the arrays are donated, and while the
    Variables are taken or given back. So the state is either the one before the step
    or the one after it, and never lost.

    Leases of the same Variables lie on top of each other; the topmost has the arrays.
    One of another thread may come on top between two steps, also while a callback waits
    for that thread; until it ends, those below take no step. It has metrics of its own.

    Args:
        variables: those to lease.
        interrupts: open, and told here what must not be interrupted.

    Attributes:
        stepping: held during a step, and while leases of other threads lie above.
    """

    def __init__(self, variables: TrainState, interrupts: Interrupts):
        self.variables, self.box, self._assigned = variables, [], {}
        self._frame, self.interrupts = current(), interrupts
        self.thread, self.stepping = threading.get_ident(), threading.Lock()
        self._outer, self._below, self._above = {}, (), set()
        atomic = StateLease._hold, StateLease.__exit__, StateLease._release
        interrupts.guard(*atomic, must_wait=self._is_donated)

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

    def tables(self):
        """What a step starts from, with all that was assigned."""
        tables = self.box[0][0]
        if self._assigned:
            with assigning:
                for (section, key), value in self._assigned.items():
                    tables[section][key] = value
                self._assigned.clear()
        return tables

    def _hold(self):
        """Take the Variables, unless another thread is in a step of some of them."""
        leaves = _drawn(self.variables)
        with assigning:
            self._where = _places(self.variables)
            below = {x for v in leaves for x in _pile(v) if x.thread != self.thread}
            if not _cover(below, self):
                return False
            self._below = below
            self._outer = {id(v): v._lease for v in leaves}
            for v in leaves:
                v._lease = self
            try:
                tables = jax.tree_util.tree_map(
                    lambda v: _to_donate(v, self._outer[id(v)]), tuple(self.variables)
                )
            except BaseException:  # there was no room for a copy
                for v in leaves:
                    v._lease = self._outer.pop(id(v))
                _uncover(below, self)
                raise
            self.box[:] = [(tables, {})]
            for v in leaves:
                v._value = None
        return True

    def _release(self):
        if not self._outer:
            return
        errors = []
        with assigning:
            for v in jax.tree_util.tree_leaves(self.variables):
                below, top = self._outer.pop(id(v)), v._lease
                try:
                    self._give(v, below, top)
                except Exception as error:  # the others are given back first
                    errors.append(error)
                if top is self:
                    v._lease = below
                    continue
                while top._outer[id(v)] is not self:
                    top = top._outer[id(v)]
                top._outer[id(v)] = below
            self._assigned.clear()
            _uncover(self._below, self)
        if errors:
            raise errors[0]

    def _give(self, variable, below, top):
        where = section, key = self._where[id(variable)]
        last = self.box[0][0][section][key]
        array = self._assigned.get(where, last)
        if below is not None:
            lease, kept = below._seen(variable), section == _METRICS
            # Of other threads' leases, the topmost gives the arrays, and each keeps its
            # metrics. A step that failed has lost its own: those below have others.
            wanted = lease.thread == self.thread if kept else top is self
            if wanted and not (isinstance(array, jax.Array) and array.is_deleted()):
                lease._assigned[lease._where[id(variable)]] = array
        elif top is self:
            variable._value = last  # it stays, where there is no room for the assigned
            is_numpy = isinstance(array, np.ndarray)
            variable._value = jnp.asarray(array) if is_numpy else array

    def renew(self, variables: TrainState):
        """Go on with other variables, after a change of what is trainable."""
        with self.stepping:  # nobody is on top
            self._release()
            self.variables = variables
            self._take()

    def _is_donated(self):
        """Has a step taken the arrays, and not given back new ones?"""
        leaves = jax.tree_util.tree_leaves(self.box[:1])
        return any(isinstance(x, jax.Array) and x.is_deleted() for x in leaves)

    logs = ReadLease.logs

    def _array(self, variable):
        section, key = where = self._where[id(variable)]
        array = self._assigned.get(where)
        if array is None:
            array = self.box[0][0][section][key]
        return jnp.asarray(array) if isinstance(array, np.ndarray) else array

    def _seen(self, variable):
        """The lease that this thread reads and writes: of metrics, its own."""
        lease, key = self, id(variable)
        while lease is not None and lease._where[key][0] == _METRICS:
            if lease.thread == threading.get_ident():
                return lease
            lease = lease._outer[key]
        return self

    def read(self, variable):
        """The current array of a Variable, safe to keep."""
        if self.thread == threading.get_ident():
            copy = self._copied(variable, 0)
            return variable._own_array() if copy is None else copy
        # In threads that Python has not started, XLA may be calling back from the step.
        within = isinstance(threading.current_thread(), threading._DummyThread)
        with Interrupts() as interrupts:
            interrupts.guard(StateLease._copied)
            for tries in itertools.count():
                if within and tries == _TRIES:
                    _lost(variable)
                if (copy := self._copied(variable, tries)) is not None:
                    return copy
                if variable._lease is not self:  # it has changed hands
                    return variable._own_array()
                time.sleep(_PAUSE)

    def _copied(self, variable, tries):
        """A copy of its array; None while the step of another thread may take it."""
        with assigning:
            if variable._lease is not self:
                return None
            lease = self._seen(variable)
            rests = lease._above or lease.thread == threading.get_ident()
            if not rests and not lease.stepping.acquire(blocking=False):
                return _copy(lease._array(variable)) if tries >= _FEW else None
            try:
                copy = _copy(lease._array(variable))
                return _lost(variable) if copy is None else copy
            finally:
                if not rests:
                    lease.stepping.release()

    def write(self, variable, value):
        """Assign a leased Variable a copy of an array of JAX or numpy."""
        if isinstance(value, np.ndarray):  # the next step takes it to the device
            value = np.array(value, dtypes.as_jax(variable.dtype))
        else:
            value = jnp.copy(value)
        lease = self._seen(variable)
        lease._assigned[lease._where[id(variable)]] = value


def borrowed(variables: TrainState, interrupts: Interrupts, watched=False):
    """For steps that train nothing: a `ReadLease`.

    A `StateLease` if it is `watched`: callbacks may read or assign what the next batch
    starts from. Not while another thread trains, which may take long.
    """
    leased = any(map(_leased_elsewhere, jax.tree_util.tree_leaves(variables)))
    return (StateLease if watched and not leased else ReadLease)(variables, interrupts)


def _drawn(variables):
    """The Variables of tables, which have their initial values now."""
    leaves = jax.tree_util.tree_leaves(variables)
    for v in leaves:
        if v._value is None and v._lease is None:
            _ = v.value
    return leaves


def _leased_elsewhere(variable):
    lease = variable._lease
    return lease is not None and lease.thread != threading.get_ident()


def _is_ours(variable):
    """Does nobody lease it, or does this thread, or is it a metric of this thread?"""
    lease = variable._lease
    return lease is None or lease._seen(variable).thread == threading.get_ident()


def _places(variables):
    """{id of a Variable: (section, key)}; each has one."""
    places = {}
    for section, table in enumerate(variables):
        for key, v in table.items():
            if id(v) in places:
                kinds = TrainState._fields
                raise ValueError(
                    f"{v.path} stands in {kinds[places[id(v)][0]]} and in "
                    f"{kinds[section]}: a step would write it twice. A metric or an "
                    "optimizer that looks at a Variable of another object should hold "
                    "a function that returns it, not the Variable."
                )
            places[id(v)] = (section, key)
    return places


def _pile(variable):
    """The leases of a Variable, from the topmost down."""
    lease = variable._lease
    while lease is not None:
        yield lease
        lease = lease._outer[id(variable)]


def _cover(below, upper):
    """Keep leases from taking steps, but not if one of them is in a step."""
    covered = []
    for lease in below:
        if not lease._above and not lease.stepping.acquire(blocking=False):
            _uncover(covered, upper)
            return False
        lease._above.add(upper)
        covered.append(lease)
    return True


def _uncover(below, upper):
    for lease in below:
        lease._above.discard(upper)
        if not lease._above:
            lease.stepping.release()


def _read(variable):
    """The array of a Variable; a copy where another thread may donate it."""
    # The array first: whoever leases the Variable now sees that it is held.
    value, lease = variable._value, variable._lease
    if lease is None:
        return variable.value if value is None else value
    mine = lease.thread == threading.get_ident()
    return (lease._array if mine else lease.read)(variable)


def _to_donate(variable, outer):
    """The array of a Variable; a copy if anybody else holds it: it will be deleted.

    Args:
        variable: leased by now, so that nobody gets hold of the array from here on.
        outer: the lease before, which has the array and takes no step, or None.
    """
    if outer is None and _holders(variable) == _ALONE:
        return variable._value
    held = variable._value if outer is None else outer._seen(variable)._array(variable)
    array = _copy(held)
    return _lost(variable) if array is None else array


def _copy(array):
    """A copy of an array; None if a step has taken it."""
    try:
        return None if array.is_deleted() else jnp.copy(array)
    except (RuntimeError, ValueError):  # it was taken just now
        if not array.is_deleted():
            raise


def _lost(variable):
    raise RuntimeError(
        f"{variable.path} has no value: a step that failed took it away, or this is "
        "called from inside of the step, which has taken it."
    )


def _holders(owner) -> int:
    return sys.getrefcount(owner._value)


_ALONE = _holders(type("Owner", (), {"_value": object()})())
