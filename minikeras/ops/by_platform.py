"""Functions with one implementation for CPUs and another one for other platforms.

`jax.lax.platform_dependent` writes a switch on the platform into every jaxpr, which
readers of jaxprs (exporters to other formats) do not know. Here the function is one
primitive with a lowering rule for each platform. A program for one platform holds only
the implementation for that platform, whatever device the process has. A program for
several platforms (`jax.export`) holds a switch in StableHLO.
"""

import functools
from functools import partial
from typing import Any

import jax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir


class ByPlatform:
    """A function of arrays with an implementation for each platform.

    Its derivatives, their transposes and its batches are such functions too: each
    implementation is differentiated, transposed or mapped by itself.

    Args:
        name: name of the primitive: that of a primitive of XLA if it takes the same
            parameters, so that readers of jaxprs know it.
        default: function (*arrays, **static parameters) -> array.
        **platforms: the same function for "cpu", "cuda", "rocm" or "tpu".
    """

    def __init__(self, name, default, **platforms):
        self._name, self._depth = name, 0
        self._implementations = {None: default, **platforms}
        # Each derived function is made once: JAX caches programs by the primitive.
        self._derived: dict[tuple, ByPlatform] = {}
        primitive: Any = Primitive(name)
        primitive.def_abstract_eval(self._shape)
        primitive.def_impl(self._eager)
        for platform, function in self._implementations.items():
            rule = mlir.lower_fun(function, multiple_results=False)
            mlir.register_lowering(primitive, rule, platform=platform)
        ad.primitive_jvps[primitive] = self._jvp
        ad.primitive_transposes[primitive] = self._transpose
        batching.primitive_batchers[primitive] = self._batch
        self._primitive = primitive
        self._compiled = jax.jit(self._from_pairs, static_argnums=0)

    def __call__(self, *arrays, **params):
        return self._primitive.bind(*arrays, **params)

    def _from_pairs(self, params, *arrays):
        return self(*arrays, **dict(params))

    # An eager call runs through `jit`, which keeps the compiled program of each shape.
    def _eager(self, *arrays, **params):
        return self._compiled(tuple(params.items()), *arrays)

    def _shape(self, *arrays, **params):
        default = partial(self._implementations[None], **params)
        return jax.make_jaxpr(default)(*arrays).out_avals[0]

    def _derive(self, transform, *settings):
        """The function of `transform(implementation, *settings)` on each platform."""
        key = transform, *settings
        if key not in self._derived:
            functions = {
                platform: transform(function, *settings)
                for platform, function in self._implementations.items()
            }
            name = self._name + transform.__name__
            derived = ByPlatform(name, functions.pop(None), **functions)
            derived._depth = self._depth + 1
            self._derived[key] = derived
        return self._derived[key]

    def _jvp(self, primals, tangents, **params):
        """The value, and the sum of the derivatives along the tangents."""
        # Each derivative computes the value again inside; XLA finds that the program
        # has it already and keeps one.
        terms = [
            self._derive(_derivative, position)(*primals, tangent, **params)
            for position, tangent in enumerate(tangents)
            if not isinstance(tangent, ad.Zero)
        ]
        return self(*primals, **params), functools.reduce(ad.add_tangents, terms)

    def _transpose(self, cotangent, *arrays, **params):
        """The cotangent of the one array in which the function is linear."""
        # JAX transposes linear functions only: those that `_jvp` made, and transposes.
        (position,) = (i for i, x in enumerate(arrays) if ad.is_undefined_primal(x))
        cotangents: list[Any] = [None] * len(arrays)
        aval = arrays[position].aval
        if isinstance(cotangent, ad.Zero):
            cotangents[position] = ad.Zero(aval)
            return cotangents
        # The shape to return travels as a parameter. The depth makes its name unique if
        # the transposed function is transposed in turn.
        aval_name = f"aval_{self._depth}"
        params[aval_name] = aval
        known = (x for i, x in enumerate(arrays) if i != position)
        transposed = self._derive(_transposed, position, aval_name)
        cotangents[position] = transposed(cotangent, *known, **params)
        return cotangents

    def _batch(self, arrays, axes, **params):
        return self._derive(_batched, axes)(*arrays, **params), 0


def _derivative(function, position):
    """(*arguments, tangent of the one at `position`) -> tangent of the value."""

    def derivative(*arrays, **params):
        *primals, tangent = arrays

        def of_one(x):
            return function(*primals[:position], x, *primals[position + 1 :], **params)

        return jax.jvp(of_one, (primals[position],), (tangent,))[1]

    return derivative


def _transposed(function, position, aval_name):
    """(cotangent of the value, *other arguments) -> that of the one at `position`.

    Args:
        function: linear in the argument at `position`.
        aval_name: name of the parameter with the abstract value of that argument.
    """

    def transposed(cotangent, *known, **params):
        aval = params.pop(aval_name)

        def linear(x):
            return function(*known[:position], x, *known[position:], **params)

        return jax.linear_transpose(linear, aval)(cotangent)[0]

    return transposed


def _batched(function, axes):
    """The function of arrays with a batch along `axes`."""

    def batched(*arrays, **params):
        return jax.vmap(partial(function, **params), axes)(*arrays)

    return batched
