"""Functions that are computed in one way on CPUs and in another one elsewhere.

`jax.lax.platform_dependent` writes a switch on the platform into every jaxpr, which
readers of jaxprs (exporters to other formats) do not know. Here the whole is one
primitive with a lowering rule for each platform: the program of one platform holds that
platform's way alone, whatever device the process has; a program of several platforms
(`jax.export`) holds a switch in StableHLO, where it belongs.
"""

import functools
from functools import partial
from typing import Any

import jax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir


class ByPlatform:
    """A function of arrays, and how each platform computes it.

    Its derivatives, their transposes and batches are such functions, too: those of
    each way. A derivative computes the value again; XLA finds that the program has it
    already.

    Args:
        name: of the primitive; that of one of XLA's, if it takes the same parameters.
        default: (*arrays, **static parameters) -> array.
        platforms: the same function, written for "cpu", "cuda", "rocm" or "tpu".
    """

    def __init__(self, name, default, **platforms):
        self._name, self._ways, self._depth = name, {None: default, **platforms}, 0
        self._derived: dict[tuple, ByPlatform] = {}
        primitive: Any = Primitive(name)
        primitive.def_abstract_eval(self._shape)
        primitive.def_impl(self._eager)
        for platform, way in self._ways.items():
            rule = mlir.lower_fun(way, multiple_results=False)
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

    def _eager(self, *arrays, **params):
        return self._compiled(tuple(params.items()), *arrays)

    def _shape(self, *arrays, **params):
        return jax.make_jaxpr(partial(self._ways[None], **params))(*arrays).out_avals[0]

    def _derive(self, change, *settings):
        """This function with each of its ways changed: change(way, *settings)."""
        key = change, *settings
        if key not in self._derived:
            ways = {p: change(way, *settings) for p, way in self._ways.items()}
            name = self._name + change.__name__
            derived = ByPlatform(name, ways.pop(None), **ways)
            derived._depth = self._depth + 1
            self._derived[key] = derived
        return self._derived[key]

    def _jvp(self, primals, tangents, **params):
        terms = [
            self._derive(_derivative, place)(*primals, tangent, **params)
            for place, tangent in enumerate(tangents)
            if not isinstance(tangent, ad.Zero)
        ]
        return self(*primals, **params), functools.reduce(ad.add_tangents, terms)

    def _transpose(self, cotangent, *arrays, **params):
        """Of a function that is linear in one of its arrays: a derivative."""
        (place,) = (i for i, x in enumerate(arrays) if ad.is_undefined_primal(x))
        found: list[Any] = [None] * len(arrays)
        aval = arrays[place].aval
        if isinstance(cotangent, ad.Zero):
            found[place] = ad.Zero(aval)
            return found
        # The depth keeps the names apart, should this one be transposed in turn.
        like = f"like_{self._depth}"
        params[like] = aval
        known = (x for i, x in enumerate(arrays) if i != place)
        transposed = self._derive(_transposed, place, like)
        found[place] = transposed(cotangent, *known, **params)
        return found

    def _batch(self, arrays, axes, **params):
        return self._derive(_batched, axes)(*arrays, **params), 0


def _derivative(way, place):
    """(*arguments, tangent of the one at `place`) -> tangent of the value."""

    def derivative(*arrays, **params):
        *primals, tangent = arrays

        def along(x):
            return way(*primals[:place], x, *primals[place + 1 :], **params)

        return jax.jvp(along, (primals[place],), (tangent,))[1]

    return derivative


def _transposed(way, place, like):
    """(cotangent of the value, *other arguments) -> that of the one at `place`.

    Args:
        like: name of the parameter that is the abstract value of the one at `place`.
    """

    def transposed(cotangent, *known, **params):
        shape = params.pop(like)

        def linear(x):
            return way(*known[:place], x, *known[place:], **params)

        return jax.linear_transpose(linear, shape)(cotangent)[0]

    return transposed


def _batched(way, axes):
    def batched(*arrays, **params):
        return jax.vmap(partial(way, **params), axes)(*arrays)

    return batched
