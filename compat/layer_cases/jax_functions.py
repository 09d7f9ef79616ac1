"""Draws of layers made of JAX functions, and of layers that are refused."""

import contextlib
import types

import jax
import jax.numpy as jnp
from keras.src.utils import jax_layer

from compat.layer_cases.drawing import Case, draws

# Keras asks TensorFlow whether it is tracing, also on JAX; say no without it.
jax_layer.tf = types.SimpleNamespace(
    inside_function=lambda: False, init_scope=contextlib.nullcontext
)


def network_init(rng, inputs):
    keys = jax.random.split(rng)
    w = jax.random.normal(keys[0], (inputs.shape[-1], 3))
    return {"w": w, "b": [jax.random.normal(keys[1], (3,))]}


def network(inputs, params):
    return jnp.tanh(inputs @ params["w"] + params["b"][0])


def counter_init(inputs, training, rng):
    return network_init(rng, inputs), {"n": jnp.zeros(()), "m": jnp.ones(2)}


def counter(params, state, rng, inputs, training):
    y = network(inputs, params)
    if training:
        y = y + jax.random.normal(rng, y.shape[-1:])
        state = {"n": state["n"] + 1, "m": state["m"] * jnp.mean(inputs)}
    return y + state["n"], state


def cube(inputs):
    return inputs**3


@draws("JaxLayer")
def jax_functions(d, name):
    x = d.normal(d.shape(2, 3), scale=1.0)
    kind = d.choice("network", "counter", "cube", "given")
    kwargs = d.options({"seed": (3, 8)})
    call = {"training": True} if d.chance() else {}
    if kind == "network":
        kwargs |= {"call_fn": network, "init_fn": network_init}
    elif kind == "counter":
        kwargs |= {"call_fn": counter, "init_fn": counter_init}
    elif kind == "cube":
        kwargs |= {"call_fn": cube}
    else:
        w = d.normal((x.shape[-1], 3))
        kwargs |= {"call_fn": network, "params": {"w": w, "b": [d.normal((3,))]}}
    return Case(kwargs, x, call, terms=5)


@draws("TFSMLayer TorchModuleWrapper")
def refused(d, name):
    argument = "filepath" if name == "TFSMLayer" else "module"
    return Case({argument: "there"}, d.normal((2, 3)))
