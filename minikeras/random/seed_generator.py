"""Where the keys of random draws come from: a counter per generator.

The state of a `SeedGenerator` is the uint32 pair `[seed, count]`. The pair itself is
the raw threefry key of a draw, and drawing adds `[0, 1]`: the stream of Keras on JAX.
"""

import itertools
import random
import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import naming
from minikeras.core.bridge import Frame, current
from minikeras.core.variable import Variable
from minikeras.settings import note_random_seed

# Keras-JAX steps its global generator by these two numbers. The same script draws the
# same numbers here only with both of them.
_MULTIPLIER, _MODULUS = 5387, 933199


def make_default_seed() -> int:
    """A seed from Python's `random`: an int in 1..10^9."""
    return random.randint(1, int(1e9))


class SeedGenerator:
    """A stream of keys for the functions of `keras.random`.

    Its state is a Variable: a step that runs on bound values takes it as an input and
    returns the next one, so that a draw is a pure function.

    Args:
        seed: int in 0..2^32 - 1; None takes one from Python's `random`.
        name: string; a unique one by default.
        **kwargs: none are accepted.

    Raises:
        ValueError: the seed is no int, or there is another argument.

    >>> generator = SeedGenerator(seed=7)
    >>> generator.next().tolist(), generator.next().tolist()
    ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs):
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments: SeedGenerator takes `seed` and "
                f"`name`, got also {sorted(kwargs)}."
            )
        self.name = naming.auto_name(type(self).__name__) if name is None else name
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, int):
            raise ValueError(
                f"Argument `seed` must be an integer or None, got {seed!r} "
                f"({type(seed).__name__})."
            )
        with Frame(path=(*current().path, self.name)):
            self.state = Variable(
                # A function, so that layers can be made in a `StatelessScope`.
                lambda shape, dtype: np.array([seed, 0], dtype),
                shape=(2,),
                dtype="uint32",
                trainable=False,
                autocast=False,
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> jax.Array:
        """Return the current pair and step the state.

        Args:
            ordered: the step adds `[0, 1]`; else both numbers take a step of a linear
                congruential generator.

        Returns:
            uint32 array of shape (2,), a raw threefry key.
        """
        now = self.state.value
        if ordered:
            # Keras's step: the first number stays the seed, the second counts draws.
            after = now + jnp.array([0, 1], dtype=now.dtype)
        else:
            after = (now + 1) * _MULTIPLIER % _MODULUS
        # A tracer in the state would outlive its trace: every later draw would fail.
        frame = current()
        if isinstance(after, jax.core.Tracer) and frame.bindings is None:
            raise ValueError(
                "When tracing a JAX function, you should only use seeded random ops: "
                f"the state of {self.name!r} would keep a tracer. Pass `seed=` an "
                "int, or run stateful code through `stateless_call`."
            )
        # A constant of the program: each step would draw the same numbers.
        if frame.in_bridge and isinstance(after, jax.core.Tracer):
            if frame.bindings.lookup(self.state) is None:
                raise ValueError(
                    f"The state of the generator {self.name!r} is no state of the "
                    "model, so each step would draw the same numbers. Set a "
                    "`keras.random.SeedGenerator` as an attribute of the layer in its "
                    "`__init__()`, and pass it as `seed=`."
                )
        self.state.assign(after)
        return now

    def get_config(self) -> dict:
        """The constructor's arguments; a seed of None stays None."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config):
        """A generator at the start of its stream.

        Args:
            config: what `get_config` returned.
        """
        return cls(**config)


_global: list[SeedGenerator] = []
# Numbers the streams that are no part of Keras's, since the last `set_random_seed`.
_stream_numbers = [itertools.count()]


def global_seed_generator() -> SeedGenerator:
    """The generator of draws without a seed; made when it is first needed."""
    if not _global:
        with Frame(path=()):
            _global.append(SeedGenerator(name="global_seed_generator"))
    return _global[0]


def global_state() -> Any:
    """The state of the global generator; None where nothing has drawn from it."""
    return _global[0].state.value if _global else None


def set_global_state(state: Any) -> None:
    """Give the global generator a state that `global_state` returned."""
    if state is None:
        _global.clear()
    else:
        global_seed_generator().state.assign(state)


def reset_global_seed_generator() -> None:
    """Forget the global generator: the next draw without a seed makes a new one."""
    _global.clear()


def new_stream_seed() -> int:
    """A seed for draws that Keras does not make: no generator moves.

    It follows from the state of NumPy's generator and from how many such seeds were
    made since `set_random_seed`.
    """
    _, key, position, *_ = np.random.get_state(legacy=True)
    state = key.tobytes() + position.to_bytes(4, "little")
    return zlib.crc32(state, next(_stream_numbers[0]))


def draw_seed(seed) -> jax.Array:
    """The key of a draw with this `seed=` argument: raw, uint32 of shape (2,).

    Args:
        seed: a `SeedGenerator`, which steps; an int, which gives the same key each
            time; None for the global generator, in a step for one of the model's,
            whose state the step carries; a raw JAX key.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, int):
        return jnp.asarray(np.array([seed, 0], dtype="uint32"))
    if seed is None:
        frame = current()
        if frame.bindings is not None and frame.draws_of is not None:
            return frame.draws_of._mk_unseeded_draws.next()
        # Keras steps its global generator this way, and those of layers by one.
        return global_seed_generator().next(ordered=False)
    if isinstance(seed, jax.Array):
        return seed
    raise ValueError(
        "Argument `seed` must be either an integer, a SeedGenerator, a JAX key or "
        f"None, got {seed!r} ({type(seed).__name__})."
    )


def set_random_seed(seed: int) -> None:
    """Make everything random repeatable: Python's `random`, NumPy and Keras.

    Args:
        seed: int in 0..2^32 - 1.

    Raises:
        ValueError: the seed is no int or out of range.

    >>> from minikeras import random as keras_random
    >>> set_random_seed(7)
    >>> first = float(keras_random.normal(()))
    >>> set_random_seed(7)
    >>> first == float(keras_random.normal(()))
    True
    """
    if not isinstance(seed, int):
        raise ValueError(
            f"Expected `seed` to be an integer, got {seed!r} ({type(seed).__name__})."
        )
    np.random.seed(seed)
    random.seed(seed)
    note_random_seed(seed)
    _stream_numbers[0] = itertools.count()
    reset_global_seed_generator()
