"""Who has the arrays of Variables while a loop runs.

Evaluations read the arrays (`ReadLease`). Trainings own them for a while
(`StateLease`), because a compiled training step overwrites its input buffers.
"""

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.bridge import apply, current, restore
from minikeras.core.variable import assign_lock
from minikeras.training.interrupts import Interrupts
from minikeras.training.state import TrainState

_METRICS = TrainState._fields.index("metrics")
# Seconds between two tries while another thread is in a step. A step of a small network
# takes 0.03 ms, so the first retry mostly succeeds.
_PAUSE = 1e-3
# After so many tries a reader copies the array that is there: while the program of the
# step is compiled, for seconds, its arrays are not donated yet.
_FEW_TRIES = 3
# After so many, a second, nobody waits on: the step itself may wait for this thread.
_MANY_TRIES = 1000


class ReadLease:
    """The arrays of Variables, for steps that donate none of them.

    Any number of threads may hold one, also while another thread trains the model;
    each has its own metrics. `write_back`, also called at the end, assigns the changed
    arrays, but never to a weight that another thread trains.

    Args:
        variables: those to read.
        interrupts: open; it is told which functions must not be interrupted.

    Attributes:
        last: list of one item, what the last step returned: (sections, logs), where
            `sections` is the state as a plain tuple of dicts. Empty before `begin`.
        step_lock: lock that is held during a step.
    """

    step_lock = contextlib.nullcontext()  # nobody waits for a step that donates nothing

    def __init__(self, variables: TrainState, interrupts: Interrupts):
        self.variables, self.interrupts = variables, interrupts
        self._frame, self.last = current(), []
        interrupts.delay_in(type(self)._consistent_snapshot, type(self).write_back)

    def __enter__(self):
        return self

    def __exit__(self, error=None, *_):
        if error is not None:
            restore(self._frame)
        self.write_back()

    def run(self, program: Callable[..., Any], *arguments: Any) -> None:
        """Run a compiled step on the state, and keep what it returns.

        A Ctrl-C can fall between any two Python instructions. After the program has
        taken its donated buffers, and before `last` has the new ones, it would lose
        the weights. `list[:] = map(...)` is one C call: where the program is one, too,
        no exception can fall between its parts. The first run of a program is Python
        code of JAX; there `Interrupts` makes signals wait.

        Args:
            program: function (sections, *arguments) -> (sections, logs).
            *arguments: such as a batch.
        """
        with self.step_lock:
            self.last[:] = map(program, (self.sections(),), *zip(arguments))

    def sections(self) -> tuple:
        """The state that the next step starts from."""
        return self.last[0][0]

    @property
    def logs(self) -> Any:
        """The logs, or the outputs, that the last step returned."""
        return self.last[0][1]

    def begin(self, reset: Callable[[], Any] | None = None) -> None:
        """Take the arrays, then those that the function `reset` assigns."""
        for _ in range(_MANY_TRIES):
            if (sections := self._consistent_snapshot()) is not None:
                break
            time.sleep(_PAUSE)
        else:  # a step of over a second, or one that itself waits for this call
            sections = self._read_all()
        # `write_back` assigns what differs from these arrays, and nothing else: what
        # another thread has assigned meanwhile stays.
        self._written_back = sections
        if reset is not None:
            # Through the bridge: the Variables themselves keep the metrics of a thread
            # that trains.
            _, sections = apply(reset, tuple(self.variables), sections)
        self.last[:] = [(sections, {})]

    def _consistent_snapshot(self):
        """All arrays between two steps; None while another thread is in a step."""
        leaves = _initialized(self.variables)
        with assign_lock:
            leases = {v._lease for v in leaves if _is_leased_elsewhere(v)}
            if not _pause(leases, self):
                return None
            try:
                return self._read_all()
            finally:
                _resume(leases, self)

    def _read_all(self):
        return tuple({k: _read(v) for k, v in t.items()} for t in self.variables)

    def write_back(self) -> None:
        """Assign the arrays that have changed to their Variables."""
        if not self.last:
            return
        shown, self._written_back = self._written_back, self.sections()
        tables = zip(self.variables, shown, self._written_back, strict=True)
        # Locked: no other thread may lease a Variable between `_is_ours` and `assign`.
        with assign_lock:
            for table, old, new in tables:
                for key, variable in table.items():
                    if new[key] is not old[key] and _is_ours(variable):
                        variable.assign(new[key])


class StateLease(ReadLease):
    """The arrays of Variables, for steps that donate them to XLA.

    Reading a leased Variable gives a copy of its current array, because the array
    itself is deleted by the next step. Assigning one changes what the next step sees.
    At the end the Variables hold the arrays of the last finished step.

    Leases of the same Variables form a stack; the topmost has the arrays. A lease of
    another thread may come on top between two steps, also while a callback waits for
    that thread. Until it ends, those below are paused: they take no step. It has
    metrics of its own. Leases may end in any order.

    Attributes:
        step_lock: held during a step, and while the lease is paused.
    """

    def __init__(self, variables: TrainState, interrupts: Interrupts):
        self.variables, self.last, self._assigned = variables, [], {}
        self._frame, self.interrupts = current(), interrupts
        self.thread, self.step_lock = threading.get_ident(), threading.Lock()
        # {id of a Variable: the lease below}, the leases paused by this one, and those
        # that pause this one.
        self._lease_below, self._paused, self._paused_by = {}, (), set()
        atomic = StateLease._try_acquire, StateLease.__exit__, StateLease._release
        interrupts.delay_in(*atomic, must_wait=self._is_donated)

    def __enter__(self):
        try:
            self._acquire()
            return self
        except BaseException:
            self._release()
            raise

    def _acquire(self):
        while not self._try_acquire():
            time.sleep(_PAUSE)

    def __exit__(self, error=None, *_):
        if error is not None:
            restore(self._frame)  # an interrupt may have left inner frames open
        self._release()

    def begin(self, reset: Callable[[], Any] | None = None) -> None:
        """Reset before the first step of an evaluation, or a batch."""
        if reset is not None:
            reset()

    def write_back(self) -> None:
        """Nothing to assign: reading a leased Variable asks this lease."""

    @property
    def has_assigned(self) -> bool:
        """Has something been assigned since the last step?"""
        return bool(self._assigned)

    def sections(self) -> tuple:
        """The state that the next step starts from, with all assigned values."""
        sections = self.last[0][0]
        if self._assigned:
            with assign_lock:
                for (section, key), value in self._assigned.items():
                    sections[section][key] = value
                self._assigned.clear()
        return sections

    def _try_acquire(self):
        """Take the Variables, unless another thread is in a step of some of them."""
        leaves = _initialized(self.variables)
        with assign_lock:
            self._positions = _positions_of(self.variables)
            paused = {x for v in leaves for x in _stack(v) if x.thread != self.thread}
            if not _pause(paused, self):
                return False
            self._paused = paused
            self._lease_below = {id(v): v._lease for v in leaves}
            # The lease comes first. From here on readers get copies, so the reference
            # counts in `_donatable` count everybody who holds an array.
            for v in leaves:
                v._lease = self
            try:
                sections = jax.tree_util.tree_map(
                    lambda v: _donatable(v, self._lease_below[id(v)]),
                    tuple(self.variables),
                )
            except BaseException:  # the device had no room for a copy
                for v in leaves:
                    v._lease = self._lease_below.pop(id(v))
                _resume(paused, self)
                raise
            self.last[:] = [(sections, {})]
            for v in leaves:
                v._value = None
        return True

    def _release(self):
        """Give the Variables their arrays, or the leases below theirs."""
        if not self._lease_below:
            return
        # One array that cannot be given back, for want of memory, must not keep the
        # others from it.
        errors = []
        with assign_lock:
            for v in jax.tree_util.tree_leaves(self.variables):
                lease_below, top = self._lease_below.pop(id(v)), v._lease
                try:
                    self._give_back(v, lease_below, top)
                except Exception as error:
                    errors.append(error)
                if top is self:
                    v._lease = lease_below
                    continue
                # A lease of another thread is on top still: take this one out of the
                # stack below it.
                while top._lease_below[id(v)] is not self:
                    top = top._lease_below[id(v)]
                top._lease_below[id(v)] = lease_below
            self._assigned.clear()
            _resume(self._paused, self)
        if errors:
            raise errors[0]

    def _give_back(self, variable, lease_below, top):
        """Hand the current array of one Variable to the lease below, or to itself."""
        where = section, key = self._positions[id(variable)]
        last = self.last[0][0][section][key]
        array = self._assigned.get(where, last)
        if lease_below is not None:
            lease, is_metric = (
                lease_below._for_this_thread(variable),
                section == _METRICS,
            )
            # Of other threads' leases, the topmost gives the arrays, and each keeps its
            # metrics. A step that failed has lost its own: those below have others.
            wanted = lease.thread == self.thread if is_metric else top is self
            if wanted and not (isinstance(array, jax.Array) and array.is_deleted()):
                lease._assigned[lease._positions[id(variable)]] = array
        elif top is self:
            # First what is there: the transfer of an assigned numpy array may fail.
            variable._value = last
            is_numpy = isinstance(array, np.ndarray)
            variable._value = jnp.asarray(array) if is_numpy else array

    def renew(self, variables: TrainState) -> None:
        """Go on with other variables, after a change of what is trainable."""
        with self.step_lock:  # no other lease is on top
            self._release()
            self.variables = variables
            self._acquire()

    def _is_donated(self):
        """Has a step taken the arrays, and not returned new ones?"""
        leaves = jax.tree_util.tree_leaves(self.last[:1])
        return any(isinstance(x, jax.Array) and x.is_deleted() for x in leaves)

    def _array(self, variable):
        """The current array of a Variable itself: the next step may delete it."""
        section, key = where = self._positions[id(variable)]
        array = self._assigned.get(where)
        if array is None:
            array = self.last[0][0][section][key]
        return jnp.asarray(array) if isinstance(array, np.ndarray) else array

    def _for_this_thread(self, variable):
        """The lease that this thread reads and writes: of metrics, its own."""
        lease, key = self, id(variable)
        while lease is not None and lease._positions[key][0] == _METRICS:
            if lease.thread == threading.get_ident():
                return lease
            lease = lease._lease_below[key]
        return self

    def read(self, variable: Any) -> Any:
        """A copy of the current array of a Variable."""
        # This thread runs the steps, so none of them is under way now.
        if self.thread == threading.get_ident():
            copy = self._try_to_copy(variable, 0)
            return variable._own_array() if copy is None else copy
        # A thread that Python has not started belongs to XLA: the step itself is
        # calling back, and would wait for itself.
        is_callback = isinstance(threading.current_thread(), threading._DummyThread)
        with Interrupts() as interrupts:
            interrupts.delay_in(StateLease._try_to_copy)
            for tries in itertools.count():
                if is_callback and tries == _MANY_TRIES:
                    _raise_lost(variable)
                if (copy := self._try_to_copy(variable, tries)) is not None:
                    return copy
                if variable._lease is not self:  # it has changed hands
                    return variable._own_array()
                time.sleep(_PAUSE)

    def _try_to_copy(self, variable, tries):
        """A copy of its array; None while the step of another thread may take it."""
        with assign_lock:
            if variable._lease is not self:
                return None
            lease = self._for_this_thread(variable)
            may_copy = lease._paused_by or lease.thread == threading.get_ident()
            if not may_copy and not lease.step_lock.acquire(blocking=False):
                return _copy(lease._array(variable)) if tries >= _FEW_TRIES else None
            try:
                copy = _copy(lease._array(variable))
                return _raise_lost(variable) if copy is None else copy
            finally:
                if not may_copy:
                    lease.step_lock.release()

    def write(self, variable: Any, value: Any) -> None:
        """Assign a leased Variable a copy of an array of JAX or numpy."""
        # A copy, because the step donates it: the caller's array must stay.
        if isinstance(value, np.ndarray):  # the next step takes it to the device
            value = np.array(value, dtypes.as_jax(variable.dtype))
        else:
            value = jnp.copy(value)
        lease = self._for_this_thread(variable)
        lease._assigned[lease._positions[id(variable)]] = value


def evaluation_lease(
    variables: TrainState, interrupts: Interrupts, has_batch_hooks: bool = False
) -> ReadLease:
    """The lease for steps that train nothing: a `ReadLease`.

    With `has_batch_hooks` a `StateLease`: callbacks may read or assign what the next
    batch starts from. Not while another thread trains the model: that may take long.

    Args:
        variables: those that the steps read.
        interrupts: open.
        has_batch_hooks: does a callback look at each batch?
    """
    leaves = jax.tree_util.tree_leaves(variables)
    owns = has_batch_hooks and not any(map(_is_leased_elsewhere, leaves))
    return (StateLease if owns else ReadLease)(variables, interrupts)


def _initialized(variables):
    """The Variables as a list; those without a value take it from their initializer."""
    leaves = jax.tree_util.tree_leaves(variables)
    for v in leaves:
        if v._value is None and v._lease is None:
            _ = v.value
    return leaves


def _is_leased_elsewhere(variable):
    lease = variable._lease
    return lease is not None and lease.thread != threading.get_ident()


def _is_ours(variable):
    """Is it free, or leased by this thread, or a metric of this thread?"""
    lease = variable._lease
    if lease is None:
        return True
    return lease._for_this_thread(variable).thread == threading.get_ident()


def _positions_of(variables):
    """{id of a Variable: (section, key)}; ValueError if a Variable has two."""
    positions = {}
    for section, table in enumerate(variables):
        for key, v in table.items():
            if id(v) in positions:
                kinds = TrainState._fields
                raise ValueError(
                    f"{v.path} stands in {kinds[positions[id(v)][0]]} and in "
                    f"{kinds[section]}: a step would write it twice. A metric or an "
                    "optimizer that looks at a Variable of another object should hold "
                    "a function that returns it, not the Variable."
                )
            positions[id(v)] = (section, key)
    return positions


def _stack(variable):
    """The leases of a Variable, from the topmost down."""
    lease = variable._lease
    while lease is not None:
        yield lease
        lease = lease._lease_below[id(variable)]


def _pause(leases, pausing_lease):
    """Keep leases from taking steps; False, and none is kept, if one is in a step."""
    # Never blocking: two threads that each hold what the other waits for would never
    # go on. Who finds a step under way lets go of all, and tries again later.
    paused = []
    for lease in leases:
        if not lease._paused_by and not lease.step_lock.acquire(blocking=False):
            _resume(paused, pausing_lease)
            return False
        lease._paused_by.add(pausing_lease)
        paused.append(lease)
    return True


def _resume(leases, pausing_lease):
    for lease in leases:
        lease._paused_by.discard(pausing_lease)
        if not lease._paused_by:
            lease.step_lock.release()


def _read(variable):
    """The array of a Variable; a copy where another thread may donate it."""
    # The array first: a lease that is made after this line sees that we hold it.
    value, lease = variable._value, variable._lease
    if lease is None:
        return variable.value if value is None else value
    mine = lease.thread == threading.get_ident()
    return (lease._array if mine else lease.read)(variable)


def _donatable(variable, lease_below):
    """The array of a Variable; a copy if others hold the array, which gets deleted.

    Args:
        variable: leased by now, so that nobody else gets hold of its array.
        lease_below: the lease before, which has the array and takes no step, or None.
    """
    # Without others that hold it, the array needs no copy: the weights of a large model
    # exist once. An array that a user holds is copied, because the step deletes it.
    if lease_below is None and _reference_count(variable) == _ONE_REFERENCE:
        return variable._value
    if lease_below is None:
        held = variable._value
    else:
        held = lease_below._for_this_thread(variable)._array(variable)
    array = _copy(held)
    return _raise_lost(variable) if array is None else array


def _copy(array):
    """A copy of an array; None if a step has donated it."""
    try:
        return None if array.is_deleted() else jnp.copy(array)
    except (RuntimeError, ValueError):  # it was donated just now
        if not array.is_deleted():
            raise


def _raise_lost(variable):
    raise RuntimeError(
        f"{variable.path} has no value: a step that failed took it away, or this is "
        "called from inside of the step, which has taken it."
    )


def _reference_count(owner) -> int:
    return sys.getrefcount(owner._value)


# Measured, because the count includes the call's own references, and Python's versions
# differ in them.
_ONE_REFERENCE = _reference_count(type("Owner", (), {"_value": object()})())
