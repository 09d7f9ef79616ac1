"""One step of each optimizer on 25M weights: minikeras, optax, Keras on JAX.

    python -m compat.bench.optimizers [--only Adam SGD] [--repeats N] [--scale S]

All three take turns in one process; the best turn counts. Where arrays lie in memory
matters as much as the code: they move to fresh places every few turns. Weights, slots
and gradients are float32 arrays; weights and slots are donated to the step, as they are
in `fit`. The optax side is optax's own transformation where its arithmetic
is Keras's (up to where epsilon sits), else the same arithmetic by hand.
"""

import argparse
import os
import time

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import numpy as np

from compat.bench.optax_rules import RULES

RATE = 1e-3
# About 25M weights: an embedding, four transformer blocks, convolutions, a head.
BLOCK = {
    "attention/kernel": (512, 1536),
    "attention/bias": (1536,),
    "output/kernel": (512, 512),
    "output/bias": (512,),
    "up/kernel": (512, 2048),
    "up/bias": (2048,),
    "down/kernel": (2048, 512),
    "down/bias": (512,),
    "norm/gamma": (512,),
    "norm/beta": (512,),
}
SHAPES = {
    "embedding/table": (12000, 512),
    **{f"block_{i}_{name}": shape for i in range(4) for name, shape in BLOCK.items()},
    "conv_1/kernel": (3, 3, 256, 512),
    "conv_1/bias": (512,),
    "conv_2/kernel": (3, 3, 512, 512),
    "conv_2/bias": (512,),
    "head/kernel": (2048, 1000),
    "head/bias": (1000,),
}


def tree(seed, scale):
    """{path: float32 array}; `scale` divides the first size of large weights."""
    rng = np.random.default_rng(seed)
    return {
        path: jnp.asarray(rng.standard_normal(shape, dtype="float32") * 0.05)
        for path, shape in SHAPES.items()
        for shape in [(max(shape[0] // scale, 1), *shape[1:])]
    }


def make(optimizers, name):
    """The optimizer `name` of Keras or minikeras."""
    if name == "LossScaleOptimizer":
        return optimizers.LossScaleOptimizer(optimizers.Adam(RATE), 1.0)
    if name == "MultiOptimizer":
        convs = {"conv_.*": optimizers.SGD(RATE, momentum=0.9)}
        by_path = optimizers.OptimizerMap(optimizers.Adam(RATE), convs)
        return optimizers.MultiOptimizer(by_path)
    momentum = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(optimizers, name)(RATE, **momentum)


def variables_of(keras, params):
    """{path: Variable}, one for each weight."""
    found = {}
    for path, value in params.items():
        scope, name = path.rsplit("/", 1)
        with keras.name_scope(scope):
            found[path] = keras.Variable(value, name=name)
    return found


def ours(name, params):
    """(step(state, grads) -> state, state) through what `fit` calls."""
    import minikeras
    from minikeras.core.variable import unique_paths

    variables = variables_of(minikeras, params)
    optimizer = make(minikeras.optimizers, name)
    optimizer.build(list(variables.values()))
    state = {path: v.value for path, v in unique_paths(optimizer.variables).items()}
    return lambda s, grads: optimizer._mk_pure_step(variables, s[0], grads, s[1]), state


def keras(name, params):
    """The same through Keras's `stateless_apply`."""
    import keras

    variables = variables_of(keras, params)
    optimizer = make(keras.optimizers, name)
    optimizer.build(list(variables.values()))

    def step(s, grads):
        own = [s[0][path] for path in variables]
        new, state = optimizer.stateless_apply(s[1], [grads[k] for k in variables], own)
        return dict(zip(variables, new, strict=True)), state

    return step, [v.value for v in optimizer.variables]


def by_optax(name, params):
    """The same by an optax transformation."""
    import optax

    rule = RULES[name](RATE)

    def step(s, grads):
        updates, state = rule.update(grads, s[1], s[0])
        return optax.apply_updates(s[0], updates), state

    return step, rule.init(params)


CONTENDERS = {"minikeras": ours, "optax": by_optax, "Keras": keras}


class Contender:
    """One optimizer of one package, ready to be timed."""

    def __init__(self, who, name, params):
        step, slots = CONTENDERS[who](name, params)
        self.step = jax.jit(step, donate_argnums=0)
        # A copy of its own: what is donated is gone.
        self.state = jax.tree_util.tree_map(jnp.array, (params, slots))

    def move(self):
        """Copy the state to another place in memory."""
        self.state = jax.tree_util.tree_map(jnp.array, self.state)

    def run(self, grads):
        """Seconds of one step."""
        start = time.perf_counter()
        self.state = jax.block_until_ready(self.step(self.state, grads))
        return time.perf_counter() - start


def measure(name, repeats, scale):
    """{contender: best seconds}."""
    params, grads = tree(0, scale), tree(1, scale)
    made = {who: Contender(who, name, params) for who in CONTENDERS}
    del params
    best = dict.fromkeys(made, float("inf"))
    for contender in made.values():  # compile
        contender.run(grads)
    for turn in range(repeats):
        order = list(made)[:: 1 if turn % 2 else -1]
        for who in order:
            if turn % 4 == 0:
                made[who].move()
                made[who].run(grads)
            best[who] = min(best[who], made[who].run(grads))
    return best


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=RULES, default=list(RULES))
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--scale", type=int, default=1, help="so many times fewer")
    arguments = parser.parse_args()
    count = sum(x.size for x in tree(0, arguments.scale).values())
    print(f"ms a step of {count / 1e6:.1f}M float32 weights, best of interleaved turns")
    print(f"{'':20}" + "".join(f"{who:>11}" for who in CONTENDERS), end="")
    print("   ours:optax   ours:Keras")
    for name in arguments.only:
        best = measure(name, arguments.repeats, arguments.scale)
        cells = "".join(f"{seconds * 1e3:11.1f}" for seconds in best.values())
        own, optax, theirs = best.values()
        print(f"{name:20}{cells}{own / optax:12.2f}x{own / theirs:12.2f}x", flush=True)


if __name__ == "__main__":
    main()
