"""Scopes that users open by hand: names, stateless and symbolic runs."""

import jax

from minikeras.core.bridge import Frame, MaskTable, Scope, current, isolated
from minikeras.core.variable import StatelessBindings, Variable, convert_to_tensor


class name_scope(Scope):
    """`with name_scope("block"):` variables made inside are called `block/…`."""

    def __init__(self, name, **kwargs):
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"name_scope: the name must be a string without '/', got {name!r}."
            )
        self._name = name

    @property
    def name(self):
        """The scope's own name."""
        return self._name

    def _changes(self):
        return {"path": (*current().path, self._name)}


def leave_name_scopes() -> None:
    """Leave the name scopes that are innermost, as one entered without `with` is."""
    while isinstance((frame := current()).opener, name_scope):
        frame.__exit__()


def device(device_name):
    """`with device("cpu:0"):` arrays made inside lie on that device.

    Args:
        device_name: "cpu", "gpu:1", … as `jax.devices` counts them, or a JAX device.
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
    """Inside, assigning a Variable leaves it alone and is remembered here.

    Variables that are made inside take their first values when it is left.

    Args:
        state_mapping: [(variable, value)]: what the variables stand for at first.
        collect_losses: collect what layers pass to `add_loss` in `losses`?
        initialize_variables: kept for compatibility.
    """

    def __init__(
        self, state_mapping=None, collect_losses=False, initialize_variables=True
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
        losses = self.losses if self.collect_losses else current().losses
        self._bindings = StatelessBindings(self.state_mapping)
        self._frame = Frame(bindings=self._bindings, losses=losses, masks=MaskTable())
        self._frame.__enter__()
        return self

    def __exit__(self, *exc):
        self._frame.__exit__(*exc)
        self._bindings.leave()

    def add_loss(self, loss):
        """Remember a loss."""
        self.losses.append(loss)

    def add_update(self, update):
        """Remember a (variable, value) pair."""
        variable, value = update
        self.state_mapping[id(variable)] = value

    def get_current_value(self, variable):
        """The value assigned inside the scope, or None."""
        return self.state_mapping.get(id(variable))


class SymbolicScope:
    """Inside, code runs for its shapes only."""

    def __enter__(self):
        self._frame = isolated()
        self._frame.__enter__()
        return self

    def __exit__(self, *exc):
        self._frame.__exit__(*exc)
