"""Scopes that users open by hand: names, stateless and symbolic runs."""

from collections.abc import Iterable
from typing import Any

import jax

from minikeras.core.bridge import (
    Bindings,
    Frame,
    MaskTable,
    Scope,
    current,
    isolated,
)
from minikeras.core.variable import Variable, convert_to_tensor, innermost_stateless


class name_scope(Scope):
    """`with name_scope("block"):` variables made inside have paths `block/…`.

    Args:
        name: string without "/".
        **kwargs: ignored.

    Raises:
        ValueError: `name` is empty, or holds "/".

    >>> from minikeras import Variable
    >>> with name_scope("encoder"):
    ...     Variable(1.0, name="scale").path
    'encoder/scale'
    """

    def __init__(self, name: str, **kwargs: Any):
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"name_scope: the name must be a string without '/', got {name!r}."
            )
        self._name = name

    @property
    def name(self) -> str:
        """The scope's own name."""
        return self._name

    def _changes(self):
        return {"path": (*current().path, self._name)}


def leave_name_scopes() -> None:
    """Leave the innermost name scopes, which somebody has entered without `with`."""
    # Scopes of other kinds around them stay: they belong to code that still runs.
    while isinstance((frame := current()).opener, name_scope):
        frame.__exit__()


def device(device_name: Any) -> Any:
    """`with device("cpu:0"):` arrays made inside lie on that device.

    Args:
        device_name: "cpu", "gpu:1", … as `jax.devices` counts them, or a JAX device.

    Returns:
        A context manager.

    Raises:
        ValueError: no name of a device.

    >>> from minikeras import ops
    >>> with device("cpu:0"):
    ...     ops.ones(2).device.platform
    'cpu'
    """
    if isinstance(device_name, jax.Device):
        return jax.default_device(device_name)
    if not isinstance(device_name, str):
        raise ValueError(
            "device: expected a name such as 'cpu:0' or 'gpu:1'. "
            f"Received: device_name='{device_name}'"
        )
    platform, _, number = device_name.lower().partition(":")
    if platform not in ("cpu", "gpu", "cuda", "tpu", "metal") or not (
        number.isdigit() or not number
    ):
        raise ValueError(
            f"device: expected a name such as 'cpu:0' or 'gpu:1', got {device_name!r}."
        )
    return jax.default_device(jax.devices(platform)[int(number or 0)])


class StatelessScope:
    """Inside, assigned values go to the scope and leave the Variables unchanged.

    Variables that are made inside take their first values when the scope ends.

    Args:
        state_mapping: [(Variable, array)]: the values of Variables at the start; None:
            their own values.
        collect_losses: does `losses` collect what layers pass to `add_loss`?
        initialize_variables: kept for compatibility, without effect.

    Raises:
        ValueError: a pair does not start with a Variable, or shapes differ.

    >>> v = Variable([1.0, 2.0])
    >>> with StatelessScope([(v, [3.0, 4.0])]) as scope:
    ...     _ = v.assign(v * 2)
    >>> scope.get_current_value(v).tolist(), v.numpy().tolist()
    ([6.0, 8.0], [1.0, 2.0])
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list = []
        self.state_mapping = {}
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(
                    "StatelessScope: all keys in argument `mapping` must be Variables, "
                    "the first of (Variable, value) pairs, got "
                    f"{variable!r} ({type(variable).__name__})."
                )
            value = convert_to_tensor(value, dtype=variable.dtype)
            if tuple(value.shape) != variable.shape:
                raise ValueError(
                    "StatelessScope: all values in argument `mapping` must be tensors "
                    "with the shapes of their variables; the value for "
                    f"{variable.path} has the shape {tuple(value.shape)}, not "
                    f"{variable.shape}."
                )
            self.state_mapping[id(variable)] = value

    def __enter__(self):
        # As in Keras: without `collect_losses` layers add to the losses around. Masks
        # get a table of their own, because the arrays of the scope may not outlive it.
        losses = self.losses if self.collect_losses else current().losses
        self._bindings = Bindings(self.state_mapping, current().bindings)
        self._bindings.uninitialized = []
        self._frame = Frame(bindings=self._bindings, losses=losses, masks=MaskTable())
        self._frame.__enter__()
        return self

    def __exit__(self, *exc):
        self._frame.__exit__(*exc)
        created = self._bindings.uninitialized or []
        outer = innermost_stateless(self._bindings.outer)
        # Variables get their first values at the end of the outermost scope, as in
        # Keras: within, assigning would not change them.
        if outer is not None:
            outer.uninitialized += created
            return
        for variable in created:
            variable.initialize()

    def add_loss(self, loss: Any) -> None:
        """Add a loss to `losses`.

        Args:
            loss: scalar array.
        """
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Set the value of a Variable inside of the scope.

        Args:
            update: (Variable, array of its shape).
        """
        variable, value = update
        self.state_mapping[id(variable)] = value

    def get_current_value(self, variable: Variable) -> Any:
        """The value that a Variable has inside of the scope; None if it was not set.

        Args:
            variable: a Variable.
        """
        return self.state_mapping.get(id(variable))


class SymbolicScope:
    """Inside, code runs for its shapes: state that it writes is dropped.

    >>> from minikeras import Variable
    >>> steps = Variable(0.0)
    >>> with SymbolicScope():
    ...     _ = steps.assign_add(1.0)
    >>> float(steps.value)
    0.0
    """

    def __enter__(self):
        self._frame = isolated()
        self._frame.__enter__()
        return self

    def __exit__(self, *exc):
        self._frame.__exit__(*exc)
