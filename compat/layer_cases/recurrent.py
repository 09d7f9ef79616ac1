"""Draws of recurrent layers: cells, layers of them, and layers around them."""

from compat.layer_cases.drawing import Case, draws, weights

TOLERANCE = 1e-5
_ACTIVATIONS = (None, "tanh", "sigmoid", "softsign", "relu")
_GATES = ("sigmoid", "hard_sigmoid", "tanh")
_FLAGS = (True, False)


def _cell_arguments(d, name):
    """Arguments of a cell and its layer, apart from the size."""
    kwargs = weights(d, "kernel", "recurrent", "bias")
    table = {"activation": _ACTIVATIONS, "use_bias": _FLAGS}
    rates = {"dropout": (0, 0.3, 1.5), "recurrent_dropout": (0.2, 0.5)}
    kwargs |= d.options({**table, **rates, "seed": (1, 2)})
    if "Simple" not in name:
        kwargs |= d.options({"recurrent_activation": _GATES})
    if "LSTM" in name:
        kwargs |= d.options({"unit_forget_bias": _FLAGS})
    if "GRU" in name:
        kwargs |= d.options({"reset_after": _FLAGS})
    return kwargs


def _layer_arguments(d):
    """Arguments of all layers over steps."""
    names = "return_sequences return_state go_backwards stateful zero_output_for_mask"
    return d.options(dict.fromkeys([*names.split(), "unroll"], _FLAGS))


def _mask(d, batch, steps):
    """No mask, or (batch, steps) bools: padded on a side, or with holes."""
    kind = d.choice(None, None, "right", "left", "holes")
    if kind is None:
        return None
    if kind == "holes":
        return d.bools((batch, steps), 0.6)
    lengths = d.ints((batch, 1), 0, steps + 1)
    mask = d.ints((1,), 0, 1) + [list(range(steps))] * batch < lengths
    return mask if kind == "right" else mask[:, ::-1].copy()


def _sequences(d):
    """(batch, steps, features)"""
    shape = (d.choice(1, 2, 3), d.choice(1, 2, 4, 5), d.choice(1, 3, 4))
    return d.normal(shape, scale=1.0)


def _over_steps(d, kwargs, x, states=None):
    """A case of a layer over steps; `states` are shapes of initial ones."""
    call = {}
    if states is not None and d.chance(0.3):
        call["initial_state"] = [d.normal(s, scale=0.5) for s in states]
    made = kwargs if isinstance(kwargs, dict) else {}
    return Case(
        kwargs,
        x,
        call,
        mask=_mask(d, *x.shape[:2]),
        free=() if made.get("stateful") else d.choice((0,), (0, 1)),
        terms=x.shape[-1],
        tolerance=TOLERANCE,
    )


@draws("SimpleRNNCell GRUCell LSTMCell")
def cell(d, name):
    x, units = _sequences(d)[:, 0], d.choice(1, 2, 4)
    count = 2 if "LSTM" in name else 1
    states = [d.normal((len(x), units), scale=0.5) for _ in range(count)]
    kwargs = {"units": units, **_cell_arguments(d, name)}
    return Case(kwargs, x, {"states": states}, tolerance=TOLERANCE, terms=units)


@draws("SimpleRNN GRU LSTM")
def recurrent(d, name):
    x, units = _sequences(d), d.choice(1, 2, 4)
    kwargs = {"units": units, **_cell_arguments(d, name), **_layer_arguments(d)}
    kwargs |= d.options({"activity_regularizer": ("l2",)})
    if name != "SimpleRNN":
        kwargs |= d.options({"use_cudnn": ("auto", False)})
        # Keras fails where 1 meets a dropout of the inputs alone.
        if "recurrent_dropout" in kwargs or "dropout" not in kwargs:
            kwargs |= d.options({"implementation": (1, 2)})
    shapes = [(len(x), units)] * (2 if name == "LSTM" else 1)
    return _over_steps(d, kwargs, x, shapes)


def _own_cell(package, units, output_size):
    """A user's cell with a nest of its own: two states of different sizes."""
    ops = package.ops

    class Own(package.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.state_size = [units, units + 1]
            if output_size:
                self.output_size = units

        def build(self, input_shape):
            shape = (input_shape[-1], self.units)
            self.kernel = self.add_weight(shape=shape, name="kernel")
            shape = (self.units + 1, self.units)
            self.mixing = self.add_weight(shape=shape, name="mixing")

        def call(self, inputs, states, training=False):
            h, memory = states
            new = ops.tanh(ops.matmul(inputs, self.kernel) + h)
            new = new + ops.matmul(memory, self.mixing) * (0.5 if training else 1.0)
            count = ops.sum(new, axis=-1, keepdims=True)
            return new, [new, ops.concatenate([h, count], axis=-1)]

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Own(units)


def _cells(d, count):
    """Function of a package -> list of `count` cells."""
    kinds = [d.choice("SimpleRNNCell", "GRUCell", "LSTMCell") for _ in range(count)]
    sizes = [d.choice(1, 2, 3) for _ in kinds]
    arguments = [_cell_arguments(d, kind) for kind in kinds]

    def make(package):
        return [
            getattr(package.layers, kind)(units, **kwargs)
            for kind, units, kwargs in zip(kinds, sizes, arguments, strict=True)
        ]

    return make, kinds, sizes


@draws("RNN")
def rnn(d, name):
    x, more = _sequences(d), _layer_arguments(d)
    kind = d.choice("cell", "cells", "own")
    make, kinds, sizes = _cells(d, 1 if kind == "cell" else d.choice(1, 2, 3))
    own_units, output_size = d.choice(1, 3), d.chance()

    def kwargs(package):
        if kind == "own":
            cell = _own_cell(package, own_units, output_size)
        else:
            cell = make(package)
        return {"cell": cell[0] if kind == "cell" else cell, **more}

    states = None
    if kind == "own":
        states = [(len(x), own_units), (len(x), own_units + 1)]
    if kind == "cell":
        states = [(len(x), sizes[0])] * (2 if kinds[0] == "LSTMCell" else 1)
    case = _over_steps(d, kwargs, x, states)
    if more.get("stateful"):
        case.free = ()
    return case


@draws("StackedRNNCells")
def stacked(d, name):
    x = _sequences(d)[:, 0]
    make, kinds, sizes = _cells(d, d.choice(2, 3))  # of one cell Keras takes [h] apart
    states = [
        [
            d.normal((len(x), units), scale=0.5)
            for _ in range(2 if kind == "LSTMCell" else 1)
        ]
        for kind, units in zip(kinds, sizes, strict=True)
    ]

    def kwargs(package):
        return {"cells": make(package)}

    return Case(kwargs, x, {"states": states}, terms=4, tolerance=TOLERANCE)


@draws("Bidirectional")
def bidirectional(d, name):
    x, units = _sequences(d), d.choice(1, 2, 3)
    kinds = ("SimpleRNN", "GRU", "LSTM", "RNN")
    kind, other = d.choice(*kinds), d.choice(None, None, *kinds[:3])
    table = dict.fromkeys(("return_sequences", "return_state", "stateful"), _FLAGS)
    flags, more = d.options(table), d.options({"unroll": _FLAGS})
    arguments, others = _cell_arguments(d, kind), _cell_arguments(d, other or kind)
    merge = d.options({"merge_mode": ("concat", "sum", "mul", "ave", None)})

    def one(package, kind, arguments, **flags):
        if kind == "RNN":
            return package.layers.RNN(package.layers.GRUCell(units), **flags)
        return getattr(package.layers, kind)(units, **arguments, **flags)

    def kwargs(package):
        made = {"layer": one(package, kind, arguments, **flags, **more), **merge}
        if other is not None:
            made["backward_layer"] = one(
                package, other, others, go_backwards=True, **flags
            )
        return made

    count = sum(2 if k == "LSTM" else 1 for k in (kind, other or kind))
    same = (kind == "LSTM") == ((other or kind) == "LSTM")
    if not same:  # Keras's shapes count the states of the forward layer twice
        flags.pop("return_state", None)
    states = [(len(x), units)] * count if same else None
    case = _over_steps(d, kwargs, x, states)
    if flags.get("stateful"):
        case.free = ()
    return case


@draws("TimeDistributed")
def time_distributed(d, name):
    kind = d.choice("Dense", "Conv1D", "LSTM", "Dropout", "BatchNormalization", "GRU")
    x = _sequences(d)
    if kind in ("Conv1D", "LSTM", "GRU"):
        shape = (*x.shape[:2], d.choice(3, 4), d.choice(1, 2))
        x = d.normal(shape, scale=1.0)
    table = {
        "Dense": {"units": d.choice(1, 3), "activation": "tanh"},
        "Conv1D": {"filters": 2, "kernel_size": 2, "padding": "same"},
        "LSTM": {"units": 2, "dropout": d.choice(0.0, 0.4)},
        "GRU": {"units": 2, "return_sequences": True},
        "Dropout": {"rate": 0.4},
        "BatchNormalization": {"momentum": 0.8},
    }

    def kwargs(package):
        return {"layer": getattr(package.layers, kind)(**table[kind])}

    # Layers that mask their own steps would take the mask for theirs.
    masked = kind in ("Dense", "Dropout")
    mask = _mask(d, *x.shape[:2]) if masked else None
    free = d.choice((0,), (0, 1))
    return Case(kwargs, x, mask=mask, free=free, terms=12, tolerance=TOLERANCE)


@draws("ConvLSTM1D ConvLSTM2D ConvLSTM3D")
def conv_lstm(d, name):
    rank = int(name[-2])
    kwargs = _cell_arguments(d, name) | _layer_arguments(d)
    kwargs |= {"filters": d.choice(1, 2), "kernel_size": d.choice(1, 2, 3)}
    kwargs |= d.options({"padding": ("same", "valid"), "activity_regularizer": ("l2",)})
    formats = ("channels_first", "channels_last")
    kwargs |= d.options({"data_format": formats})
    name = d.choice("strides", "dilation_rate", None)
    if name is not None:
        kwargs[name] = d.choice(2, (1, 2, 1)[:rank])
    space = [int(d.rng.integers(5, 7)) for _ in range(rank)]
    channels = d.choice(1, 2)
    first = kwargs.get("data_format") == "channels_first"
    image = (channels, *space) if first else (*space, channels)
    x = d.normal((d.choice(1, 2), d.choice(1, 2, 3), *image), scale=1.0)
    case = _over_steps(d, kwargs, x)
    if not kwargs.get("unroll"):
        case.mask = None  # Keras fails: it makes masks one axis longer, whatever x is
    case.terms, case.free = 8, () if kwargs.get("stateful") else (0,)
    return case
