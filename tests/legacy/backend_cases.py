"""Calls of `keras.backend` whose results TensorFlow's Keras has recorded.

`CASES`: {name: function of (K, arrays)}; `compat/test_backend_parity.py` runs them with
real Keras and writes `backend_expected.json`.
"""

import numpy as np


def arrays():
    """Random arrays, the same in each call."""
    r = np.random.RandomState(7)

    def normal(*shape):
        return r.normal(size=shape).astype("float32")

    p = np.exp(normal(2, 6, 4))
    return {
        "x": normal(2, 3, 4),
        "y": normal(2, 4, 5),
        "w": normal(4, 5),
        "v": normal(2, 4),
        "image": normal(2, 5, 6, 3),
        "first": normal(2, 3, 5, 6),
        "kernel": normal(3, 2, 3, 4),
        "back": normal(3, 2, 4, 3),
        "point": normal(1, 1, 12, 2),
        "bias": normal(3),
        "full_bias": normal(5, 6, 3),
        "volume": normal(1, 3, 4, 2, 2),
        "cube": normal(2, 3, 2, 2, 3),
        "time": normal(2, 6, 3),
        "kernel1": normal(3, 3, 4),
        "p": p / p.sum(-1, keepdims=True),
        "onehot": np.eye(4, dtype="float32")[[[0, 3, 1, 1, 2, 0], [2, 2, 3, 0, 1, 1]]],
        "classes": np.array([[0, 3, 1, 1, 2, 0], [2, 2, 3, 0, 1, 1]]),
        "ints": np.array([3, 4, 8], "int32"),
        "bools": np.array([[True, False], [True, True]]),
        "mask": np.array([[True, False, True], [False, True, False]]),
        "labels": np.array([[1, 2], [0, 0]], "int32"),
        "lengths": np.array([[6], [5]], "int32"),
        "label_lengths": np.array([[2], [1]], "int32"),
        "state": normal(2, 4),
        "yes": np.array(True),
    }


def _step(K):
    def step(x, states):
        output = K.tanh(x + 0.5 * states[0])
        return output, [output * 2.0]

    return step


def _rnn(**settings):
    def case(K, a):
        more = {k: a[v] if isinstance(v, str) else v for k, v in settings.items()}
        last, outputs, states = K.rnn(_step(K), a["x"], [a["state"]], **more)
        return [last, outputs, *states]

    return case


def _decoded(**settings):
    def case(K, a):
        paths, scores = K.ctc_decode(a["p"], a["lengths"][:, 0], **settings)
        return [*paths, scores]

    return case


def _two(name, *args, **kwargs):
    """A call whose strings name arrays, except those in `kwargs`."""

    def case(K, a):
        return getattr(K, name)(
            *(a[x] if isinstance(x, str) and x in a else x for x in args), **kwargs
        )

    return case


_UNARY = """abs all any argmax argmin batch_flatten cos cumprod cumsum elu exp
    expand_dims flatten hard_sigmoid int_shape l2_normalize max mean min
    ndim ones_like prod relu round sigmoid sign sin softmax softplus
    softsign sqrt square std sum tanh transpose var zeros_like
    count_params dtype cast_to_floatx eval"""
CASES = {n: _two(n, "x") for n in _UNARY.split()}
_PAIRS = "equal greater greater_equal less less_equal maximum minimum not_equal"
CASES |= {n: _two(n, "x", 0.25) for n in _PAIRS.split()}
CASES |= {
    f"{name} over axes": _two(name, "x", axis=[0, 2], keepdims=True)
    for name in "all any max mean min prod std sum var".split()
}
CASES |= {
    "arange": _two("arange", 2, 11, 3),
    "arange of a negative size": _two("arange", -3),
    "argmax of an axis": _two("argmax", "x", 1),
    "batch_dot": _two("batch_dot", "x", "y"),
    "batch_dot by axes": _two("batch_dot", "x", "y", axes=(2, 1)),
    "batch_dot of rows": _two("batch_dot", "v", "v", axes=1),
    "batch_dot of rows and matrices": _two("batch_dot", "v", "y", axes=(1, 1)),
    "batch_normalization": lambda K, a: K.batch_normalization(
        a["image"], a["bias"], a["bias"] ** 2, a["bias"] + 1, a["bias"] - 1
    ),
    "bias_add": _two("bias_add", "image", "bias"),
    "bias_add of full size": _two("bias_add", "image", "full_bias"),
    "bias_add channels first": _two("bias_add", "first", "bias", "channels_first"),
    "binary_crossentropy": _two("binary_crossentropy", "onehot", "p"),
    "binary_crossentropy of logits": _two(
        "binary_crossentropy", "onehot", "p", from_logits=True
    ),
    "binary_focal_crossentropy": _two("binary_focal_crossentropy", "onehot", "p", True),
    "cast": _two("cast", "x", "int32"),
    "categorical_crossentropy": _two("categorical_crossentropy", "onehot", "p"),
    "categorical_focal_crossentropy": _two(
        "categorical_focal_crossentropy", "onehot", "p"
    ),
    "clip": _two("clip", "x", -0.5, 0.25),
    "clip the wrong way": _two("clip", "x", 0.5, 0.25),
    "concatenate": lambda K, a: K.concatenate([a["x"], a["x"] + 1], axis=1),
    "constant": _two("constant", 3, shape=(2, 2)),
    "conv1d": _two("conv1d", "time", "kernel1", 2, "same"),
    "conv1d causal": _two("conv1d", "time", "kernel1", 1, "causal", dilation_rate=2),
    "conv2d": _two("conv2d", "image", "kernel", (2, 1), "same"),
    "conv2d dilated": _two("conv2d", "image", "kernel", dilation_rate=(2, 1)),
    "conv2d_transpose": _two(
        "conv2d_transpose", "image", "back", (2, 9, 12, 4), (2, 2), "same"
    ),
    "conv2d_transpose valid": _two(
        "conv2d_transpose", "image", "back", (2, 12, 13, 4), (2, 2), "valid"
    ),
    "conv3d": _two("conv3d", "volume", "cube", padding="same"),
    "ctc_batch_cost": _two("ctc_batch_cost", "labels", "p", "lengths", "label_lengths"),
    "ctc_decode": _decoded(),
    "ctc_decode by search": _decoded(greedy=False, beam_width=20, top_paths=2),
    "depthwise_conv2d": _two("depthwise_conv2d", "image", "kernel"),
    "dot": _two("dot", "v", "w"),
    "dot of three axes and two": _two("dot", "x", "w"),
    "dot of three axes": _two("dot", "x", "y"),
    "elu by alpha": _two("elu", "x", 0.5),
    "eye": _two("eye", 3),
    "foldl": lambda K, a: K.foldl(lambda s, e: 2 * s + e, a["ints"]),
    "foldl from": lambda K, a: K.foldl(lambda s, e: 2 * s + e, a["ints"], 5),
    "foldr": lambda K, a: K.foldr(lambda s, e: 2 * s + e, a["ints"]),
    "gather": lambda K, a: K.gather(a["x"], np.array([1, 0, 1])),
    "in_top_k": lambda K, a: K.in_top_k(a["p"][0], a["classes"][0], 2),
    "is_sparse": _two("is_sparse", "x"),
    "l2_normalize of an axis": _two("l2_normalize", "x", 1),
    "map_fn": lambda K, a: K.map_fn(lambda e: K.sum(e) * 2.0, a["x"]),
    "mean of bools": _two("mean", "bools"),
    "mean of ints": _two("mean", "ints"),
    "one_hot": lambda K, a: K.one_hot(a["classes"], 5),
    "permute_dimensions": _two("permute_dimensions", "x", (2, 0, 1)),
    "pool2d": _two("pool2d", "image", (2, 3), (2, 1), "same"),
    "pool2d avg": _two("pool2d", "image", (3, 2), pool_mode="avg"),
    "pool2d avg same": _two("pool2d", "image", (2, 2), (2, 2), "same", pool_mode="avg"),
    "pool3d": _two("pool3d", "volume", (2, 2, 2), (1, 2, 1)),
    "pow": _two("pow", "x", 2),
    "relu with all": _two("relu", "x", alpha=0.1, max_value=0.5, threshold=0.25),
    "repeat": _two("repeat", "v", 3),
    "repeat_elements": _two("repeat_elements", "x", 2, 1),
    "reshape": _two("reshape", "x", (4, -1)),
    "resize_images": _two("resize_images", "image", 2, 3, "channels_last"),
    "resize_images bilinear": _two(
        "resize_images", "first", 2, 3, "channels_first", "bilinear"
    ),
    "resize_volumes": _two("resize_volumes", "volume", 2, 1, 3, "channels_last"),
    "reverse": _two("reverse", "x", [0, 1]),
    "rnn": _rnn(),
    "rnn backwards": _rnn(go_backwards=True),
    "rnn with a mask": _rnn(mask="mask"),
    "rnn with a mask, unrolled": _rnn(mask="mask", unroll=True),
    "rnn with a mask and zeros": _rnn(mask="mask", zero_output_for_mask=True),
    "rnn without outputs": _rnn(return_all_outputs=False),
    "separable_conv2d": _two("separable_conv2d", "image", "kernel", "point"),
    "softmax of an axis": _two("softmax", "x", 1),
    "sparse_categorical_crossentropy": _two(
        "sparse_categorical_crossentropy", "classes", "p"
    ),
    "sparse_categorical_crossentropy, one ignored": _two(
        "sparse_categorical_crossentropy", "classes", "p", ignore_class=1
    ),
    "spatial_2d_padding": _two("spatial_2d_padding", "image", ((1, 2), (0, 3))),
    "spatial_2d_padding channels first": _two(
        "spatial_2d_padding", "first", ((1, 2), (0, 3)), "channels_first"
    ),
    "spatial_3d_padding": _two(
        "spatial_3d_padding", "volume", ((1, 2), (0, 3), (1, 1))
    ),
    "squeeze": lambda K, a: K.squeeze(a["x"][:, :1], 1),
    "stack": lambda K, a: K.stack([a["x"], a["x"] * 2], 1),
    "std of bools": _two("std", "bools"),
    "switch": lambda K, a: K.switch(a["yes"], lambda: a["x"], lambda: a["x"] * 2),
    "switch by entries": lambda K, a: K.switch(a["x"] > 0, a["x"], a["x"] * 2),
    "temporal_padding": _two("temporal_padding", "time", (2, 1)),
    "tile": _two("tile", "x", [1, 2, 1]),
    "to_dense": _two("to_dense", "x"),
    "variable": lambda K, a: K.get_value(K.variable(a["x"])),
    "moving_average_update": lambda K, a: K.get_value(
        K.moving_average_update(K.variable(a["v"]), a["v"] * 3, 0.9)
    ),
    "update_add": lambda K, a: K.get_value(K.update_add(K.variable(a["v"]), a["v"])),
    "update_sub": lambda K, a: K.get_value(K.update_sub(K.variable(a["v"]), a["v"])),
    "update": lambda K, a: K.get_value(K.update(K.variable(a["v"]), a["v"] * 2)),
    "zeros": lambda K, a: K.get_value(K.zeros((2, 3))),
    "ones": lambda K, a: K.get_value(K.ones((2, 3))),
}
