"""Eager calls of small ops: minikeras beside jax.numpy and Keras on JAX.

    python -m compat.bench.ops [--repeats N]

The three take turns in one process; the best turn counts. The ratios are of ours to
jax.numpy's, so 1.1 means a tenth slower, and of Keras's to ours.
"""

import argparse
import os
import timeit

os.environ["KERAS_BACKEND"] = "jax"

import jax.numpy as jnp
import keras

import minikeras

A, B = jnp.ones((3, 4)), jnp.full((3, 4), 2.0)
# {title: (name in both packages, jax.numpy's function, the arguments)}
CALLS = {
    "add, two arrays": ("add", jnp.add, (A, B)),
    "add, a number": ("add", jnp.add, (A, 2.0)),
    "sin": ("sin", jnp.sin, (A,)),
    "sum over an axis": ("sum", jnp.sum, (A, 1)),
    "matmul": ("matmul", jnp.matmul, (A, B.T)),
    "reshape": ("reshape", jnp.reshape, (A, (4, 3))),
    "concatenate": ("concatenate", jnp.concatenate, ([A, B],)),
}
NUMBER = 2000


def microseconds(function, arguments):
    """Of one call."""
    return timeit.timeit(lambda: function(*arguments), number=NUMBER) / NUMBER * 1e6


def measure(name, by_jax, arguments, repeats):
    """(ours, jax.numpy's, Keras's), the best of each."""
    functions = (getattr(minikeras.ops, name), by_jax, getattr(keras.ops, name))
    turns = [
        [microseconds(function, arguments) for function in functions]
        for _ in range(repeats + 1)
    ]
    return [min(times) for times in zip(*turns[1:], strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    print(f"{'µs per call':18}   ours    jnp  Keras  ours:jnp  Keras:ours")
    for title, (name, by_jax, arguments) in CALLS.items():
        ours, jnps, theirs = measure(name, by_jax, arguments, repeats)
        times = f"{ours:6.2f} {jnps:6.2f} {theirs:6.2f}"
        print(f"{title:18} {times} {ours / jnps:9.2f} {theirs / ours:11.2f}")


if __name__ == "__main__":
    main()
