"""Find the state of an object: variables, sub-layers, metrics, seed generators.

They are found by a walk over the attributes, so that lists and dicts may grow at any
time. The order is Keras's: it decides the order of `weights`, and so of files.
"""

import operator
from contextlib import contextmanager
from typing import Any

from minikeras.core.members import Alias
from minikeras.core.tree import TrackedSet
from minikeras.core.variable import Variable, unique_paths
from minikeras.random.seed_generator import SeedGenerator


class StateTracking:
    """Mix-in of Layer: the tree of state below an object."""

    _mk_untracked: frozenset[str] = frozenset(
        {"_mk_found", "_mk_found_below", "_mk_losses", "_mk_build_shapes"}
    )
    _mk_carried: tuple[str, ...] = ()
    _mk_has_user_code = False  # does `call` run code of another package?
    _mk_on_host = False  # does it work in NumPy, ahead of compiled steps?
    _mk_version = 0  # of what compiled steps hold as constants: counted by `adapt`
    _mk_locked: bool
    _mk_trainable: bool
    name: str

    _layers = Alias("_mk_layers")
    _flatten_layers = Alias("_mk_flatten_layers")
    _tracker = Alias("_mk_tracker")
    _untrack_variable = Alias("_mk_untrack_variable")
    _seed_generators = Alias("_mk_seed_generators")

    def __setattr__(self, name, value):
        """Set an attribute, and drop the cached lists of state if it may hold some."""
        if self._mk_locked and _holds_state(value) and not _is_known(self, value):
            raise ValueError(_locked_text(self, name))
        if type(value) is set:
            value = TrackedSet(value)
        before = self.__dict__.get(name)
        object.__setattr__(self, name, value)
        # Numbers and strings hold no state: they change often, as a counter of steps
        # does, and the walk over a model of 50 layers takes 3 ms.
        plain = type(value) in _STATELESS_TYPES and type(before) in _STATELESS_TYPES
        if value is not before and not plain:
            self._mk_forget()

    def __delattr__(self, name):
        object.__delattr__(self, name)
        self._mk_forget()

    def _mk_forget(self):
        """Make the next query walk over the attributes of this object again.

        The objects above it do so, too: they compare `SubtreeState.changes`, because an
        object does not know which others hold it.
        """
        self.__dict__.pop("_mk_found", None)
        SubtreeState.changes += 1

    def _mk_lock(self, locked=True):
        """Refuse new state from now on, or accept it again."""
        object.__setattr__(self, "_mk_locked", locked)

    def _mk_track(self, variable):
        """Hold a Variable that the user's code may not set as an attribute.

        In a frozen layer it is frozen, too, until the layer becomes trainable.
        """
        if self._mk_locked:
            raise ValueError(_locked_text(self, variable.name))
        variable.trainable = variable.trainable and self._mk_trainable
        self.__dict__.setdefault("_mk_added_variables", []).append(variable)
        self._mk_forget()

    def _mk_untrack_variable(self, variable):
        """Remove a Variable, so that it may be deleted or replaced."""
        for name, value in list(vars(self).items()):
            if value is variable:
                object.__setattr__(self, name, None)
        added = vars(self).get("_mk_added_variables", [])
        added[:] = [v for v in added if v is not variable]
        self._mk_forget()

    @property
    def _mk_tracker(self):
        """`unlock()` lets a built layer take new state, `lock()` ends that."""
        return _Lock(self)

    def _mk_held(self, kind):
        """Objects of `kind` held directly, each once, in order."""
        return [x for x in self._mk_state().held if isinstance(x, kind)]

    def _mk_state(self):
        """The `OwnState` of the object: what it holds directly.

        It is kept until an attribute is set, or one of the lists, dicts and sets that
        the walk has met has other items.
        """
        found = self.__dict__.get("_mk_found")
        if found is None or not found.is_fresh():
            found = self.__dict__["_mk_found"] = OwnState(self)
        return found

    @property
    def _mk_layers(self) -> list[Any]:
        return list(self._mk_state().layers)

    @property
    def _mk_seed_generators(self):
        return self._mk_held(SeedGenerator)

    def _mk_own_variables(self):
        """The object's own weights: those that were made trainable come first."""
        return list(self._mk_state().weights)

    def _mk_subtree_state(self):
        """The state of this object and all layers below; kept like `_mk_state`."""
        found = self.__dict__.get("_mk_found_below")
        if found is None or not found.is_fresh(self):
            found = self.__dict__["_mk_found_below"] = SubtreeState(self)
        return found

    def _mk_flatten_layers(self, include_self=True, recursive=True):
        """This layer and all below it, depth first, each once."""
        below = (
            self._mk_subtree_state().layers
            if recursive
            else [self, *self._mk_state().layers]
        )
        return below[0 if include_self else 1 :]

    @property
    def variables(self) -> list[Variable]:
        """All Variables: weights, and states of seed generators."""
        return list(self._mk_subtree_state().variables)

    @property
    def weights(self) -> list[Variable]:
        """`variables` without the states of seed generators."""
        return list(self._mk_subtree_state().weights)

    @property
    def trainable_variables(self) -> list[Variable]:
        """Variables that optimizers update."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Variables that optimizers do not update."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """Weights that optimizers update."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Weights that optimizers do not update."""
        if not self.trainable:
            return self.weights
        return [v for v in self.weights if not v.trainable]

    def _mk_own_metrics(self):
        return [m for m in self._mk_state().held if _is_metric(m)]

    @property
    def metrics(self) -> list:
        """Metrics of this object and of all layers below."""
        return self._mk_own_metrics() + [m for x in self._mk_layers for m in x.metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        """Variables of `metrics`."""
        return _unique([v for m in self.metrics for v in m.variables])

    @property
    def trainable(self) -> bool:
        """Do optimizers update the weights?"""
        return self._mk_trainable

    @trainable.setter
    def trainable(self, value):
        self._mk_trainable = bool(value)
        for v in self._mk_own_variables():
            # Averages of batch normalization do not become trainable with their layer.
            if v._initially_trainable:
                v.trainable = value
        for layer in self._mk_layers:
            layer.trainable = value

    @contextmanager
    def _mk_unchanged(self):
        """At the end, this object and all layers below have their attributes back."""
        before = [(layer, dict(vars(layer))) for layer in self._mk_flatten_layers()]
        try:
            yield
        finally:
            for layer, attributes in before:
                vars(layer).clear()
                vars(layer).update(attributes)
            SubtreeState.changes += 1


class OwnState:
    """The state that an object holds directly, found by one walk over its attributes.

    Attributes:
        held: all state, each object once, in order.
        layers: the layers among them.
        weights: the Variables, those made trainable first.
        variables: the weights, and states of seed generators.
        containers: [(list, dict or set, its items)] that the walk has met.
    """

    __slots__ = ("held", "layers", "weights", "variables", "containers")

    def __init__(self, holder):
        leaves, self.containers = {}, []
        for name, value in list(vars(holder).items()):
            if type(value) not in _STATELESS_TYPES and name not in holder._mk_untracked:
                for leaf in _state_leaves(value, self.containers):
                    leaves[id(leaf)] = leaf
        self.held = list(leaves.values())
        self.layers = [x for x in self.held if isinstance(x, StateTracking)]
        weights = (x for x in self.held if isinstance(x, Variable))
        self.weights = sorted(weights, key=lambda v: not v._initially_trainable)
        self.variables = self.weights + [
            x.state for x in self.held if isinstance(x, SeedGenerator)
        ]

    def is_fresh(self) -> bool:
        """Have the containers still the same items?"""
        return all(map(_has_same_items, self.containers))


class SubtreeState:
    """The state of an object and of all layers below it.

    Attributes:
        layers: the object, then the layers, depth first, each once.
        weights, variables: as in `OwnState`, of all layers, each once.
        paths: {path: Variable} of `variables`, one for each.
        carried: Variables that keep values from batch to batch and are no state of the
            model: `_mk_carried` of each layer names the attributes.
        has_user_code: may a layer draw random numbers that nobody knows of?
        on_host: does a layer read text, or look numbers up, on the host?
        versions: those of the layers whose constants have changed.
    """

    __slots__ = (
        "layers", "weights", "variables", "paths", "carried", "on_host", "versions",
        "has_user_code",
        "_changes", "_containers",
    )  # fmt: skip

    # How many attributes of any objects have been set so far. With one number for all,
    # setting an attribute is cheap, and a model of any size is checked by one compare.
    changes = 0

    def __init__(self, top):
        # With a list, not by recursion: Python's limit is 1,000 frames deep.
        seen, todo = {}, [top]
        while todo:
            layer = todo.pop()
            if id(layer) not in seen:
                seen[id(layer)] = layer
                todo.extend(reversed(layer._mk_state().layers))
        self.layers = list(seen.values())
        found = [layer._mk_state() for layer in self.layers]
        self.weights = _unique([v for x in found for v in x.weights])
        self.variables = _unique([v for x in found for v in x.variables])
        self.paths = unique_paths(self.variables)
        self.carried = _unique(
            v
            for layer in self.layers
            for name in layer._mk_carried
            for v in _state_leaves(getattr(layer, name))
        )
        self.has_user_code = any(layer._mk_has_user_code for layer in self.layers)
        self.on_host = any(layer._mk_on_host for layer in self.layers)
        versions = [layer._mk_version for layer in self.layers]
        self.versions = tuple(versions) if any(versions) else ()
        self._containers = [c for x in found for c in x.containers]
        self._changes = SubtreeState.changes

    def is_fresh(self, top: Any) -> bool:
        """Has no attribute been set, and have the containers the same items?

        Args:
            top: the object. A copy of it has this `SubtreeState` as well, which is not
                fresh for the copy.
        """
        return (
            self._changes == SubtreeState.changes
            and self.layers[0] is top
            and all(map(_has_same_items, self._containers))
        )


class _Lock:
    """Keras's tracker of a layer, as far as other packages use it."""

    def __init__(self, holder):
        self._holder = holder

    def lock(self):
        self._holder._mk_lock()

    def unlock(self):
        self._holder._mk_lock(False)


# Types that cannot hold state; most attributes have them.
_STATELESS_TYPES = frozenset({type(None), bool, int, float, str})


def _locked_text(holder, name):
    return (
        f"You cannot add new elements of state to {holder.name!r}, which is already "
        f"built: variables and sub-layers (here {name!r}) must be created in "
        "`__init__()` or `build()`."
    )


def _is_metric(x):
    return getattr(x, "_mk_tracked_kind", None) == "metric"


def _unique(objects):
    return list({id(x): x for x in objects}.values())


def _state_leaves(value, containers=None, around=()):
    """Yield the Variables, layers, metrics and seed generators in nested containers.

    Args:
        value: an attribute.
        containers: list that gets (container, its items) of those that may change.
        around: ids of the containers that `value` is in: a list may hold itself.
    """
    if isinstance(value, (Variable, StateTracking, SeedGenerator)) or _is_metric(value):
        yield value
    elif isinstance(value, (dict, list, tuple, set, frozenset)):
        if id(value) in around:
            return
        items = _items(value)
        if containers is not None and not isinstance(value, (tuple, frozenset)):
            containers.append((value, items))
        for item in items:
            if type(item) not in _STATELESS_TYPES:
                yield from _state_leaves(item, containers, (*around, id(value)))


def _has_same_items(known):
    container, items = known
    now = _items(container)
    return len(now) == len(items) and all(map(operator.is_, now, items))


def _items(container):
    return list(container.values() if isinstance(container, dict) else container)


def _holds_state(value):
    return any(True for _ in _state_leaves(value))


def _is_known(holder, value):
    """Does the holder have all the state in the value already, under another name?"""
    known = {id(leaf) for v in vars(holder).values() for leaf in _state_leaves(v)}
    return all(id(leaf) in known for leaf in _state_leaves(value))
