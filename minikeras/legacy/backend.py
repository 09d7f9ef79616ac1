"""Functions that `keras.backend` had in Keras 1 and 2, and `tensorflow.keras` has.

`minikeras.backend` has the others. They take arrays, Variables and KerasTensors.
"""

from minikeras.legacy import backend_arrays, backend_graph, backend_network


def _named(name, function):
    """The function under the name that users know."""
    if getattr(function, "__name__", name) != name:
        function.__name__ = function.__qualname__ = name
        function.__doc__ = function.__doc__ or f"`{name}` of `keras.backend`."
    return function


_TABLES = (backend_arrays, backend_graph, backend_network)
_FUNCTIONS = {n: f for module in _TABLES for n, f in module.FUNCTIONS.items()}
globals().update({n: _named(n, f) for n, f in _FUNCTIONS.items()})
__all__ = sorted(_FUNCTIONS)
