"""Keras's modules of the ops, whose class names its files give with their module."""

import functools

from minikeras.core.symbolic import op

CORE = "keras.src.ops.core"
EINOPS = "keras.src.ops.einops"
IMAGE = "keras.src.ops.image"
LINALG = "keras.src.ops.linalg"
MATH = "keras.src.ops.math"
NN = "keras.src.ops.nn"
# An op without a module belongs to Keras's `keras.src.ops.numpy`.

nn_op = functools.partial(op, module=NN)
linalg_op = functools.partial(op, module=LINALG)
