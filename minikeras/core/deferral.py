"""Weights that take their first values when somebody reads them."""

import math
from typing import Any

import jax
from jax import lax

from minikeras.core import dtypes
from minikeras.core.bridge import Scope, current
from minikeras.core.host_calls import ShapesOnly

# So few numbers are drawn in less time than a trace takes.
_FEW = 1024


class Deferral(Scope):
    """`with Deferral():` Variables that the code within creates draw no values yet.

    A Variable takes its value when it is first read. One that is assigned before, such
    as by a file of weights, never draws. The values are the same, since the seeds were
    chosen when the initializers were made.
    """

    _drops_inner = True

    def _changes(self):
        settings = current().serialization
        # A value that is drawn later would be on another device. Within a file that is
        # loaded, the file says what may be created.
        chosen = jax.config.jax_default_device  # pyright: ignore
        if chosen is not None or settings.loading is not None:
            return {}
        return {"serialization": settings._replace(loading=self)}

    def defer(self, variable: Any) -> None:
        """Leave a new Variable without a value until it is read or assigned."""

    def take(self, elements: int, what: str) -> None:
        """Count numbers that code on the host is about to create: here without end."""

    def stand_in(self, variable: Any) -> jax.Array | None:
        """Zeros for a Variable without a value in traced code, which asks for shapes.

        None outside of traced code, where the Variable takes its value, and for a few
        numbers, which a `call` may read to decide what to do.
        """
        if math.prod(variable.shape) < _FEW:
            return None
        # To draw all weights for that took 7 times as long as to load them. Code that
        # is traced to be run, in a `build` too, gets the values.
        asks_for_shapes = isinstance(current().host, ShapesOnly)
        if asks_for_shapes and isinstance(lax.full((), 0.0), jax.core.Tracer):
            return lax.full(variable.shape, 0, dtypes.as_jax(variable.dtype))
        return None
