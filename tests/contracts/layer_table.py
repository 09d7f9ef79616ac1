"""Every public layer with arguments and an input: one row feeds every test.

The arguments are plain values, so that the same rows make the layers of Keras.
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np


def double_plus(x, offset=0.0):
    """What the Lambda rows compute."""
    return 2 * x + offset


def on_all(layer, x, **mode):
    """The call of most layers: one argument, an array or a list of them."""
    return layer(x, **mode)


def in_inference(layer, x, **mode):
    """The call of layers that are random unless told not to be."""
    return layer(x, **{"training": False, **mode})


def on_each(layer, x, **mode):
    """The call of layers that take their inputs one by one."""
    return layer(*x, **mode)


def on_states(layer, x, **mode):
    """The call of a cell: inputs, then a list of states."""
    return layer(x[0], list(x[1:]), **mode)


def jax_dense(params, inputs):
    """What the JaxLayer row computes."""
    return inputs @ params["w"] + params["b"]


def jax_dense_init(rng, inputs):
    """Initial weights of `jax_dense`."""
    w = jax.random.normal(rng, (inputs.shape[-1], 2))
    return {"w": w, "b": np.zeros(2, "float32")}


def two_cells(package):
    """Cells to stack."""
    return [package.layers.GRUCell(3), package.layers.SimpleRNNCell(2)]


def two_directions(package):
    """Arguments of a Bidirectional layer of two kinds."""
    layers = package.layers
    return {
        "layer": layers.GRU(3, return_sequences=True),
        "backward_layer": layers.SimpleRNN(2, return_sequences=True, go_backwards=True),
        "merge_mode": None,
    }


@dataclasses.dataclass
class Row:
    """One layer to test.

    Args:
        name: of its class.
        kwargs: of its constructor; a function of the package that gives them where a
            layer holds other layers.
        shape: of the input, or a list of them for several inputs.
        ints: draw the input from 0..ints - 1.
        half: relative tolerance of bfloat16 against float32; None: its dtype is not
            that of its outputs.
        call: how the layer is called on the inputs.
        sized: does it keep the batch size of its first call?
        empty: does it take a batch of no rows?
        same_compiled: does compiled code make the random choices of eager code?
        rowwise: is a row of the outputs made from that row of the inputs alone?
        note: what tells it apart where `kwargs` is a function.
    """

    name: str
    kwargs: dict | Callable
    shape: tuple | list
    ints: int | None = None
    half: float | None = 0.05
    call: Callable = on_all
    sized: bool = False
    empty: bool = True
    same_compiled: bool = True
    rowwise: bool = True
    note: str = ""

    def __str__(self):
        if callable(self.kwargs):
            return f"{self.name}({self.note})"
        # A function by its name: what changes between processes is no test's name.
        shown = ",".join(
            f"{k}={getattr(v, '__name__', v)}" for k, v in self.kwargs.items()
        )
        return f"{self.name}({shown})"

    def make(self, package, **more):
        """The layer of `package.layers`."""
        kwargs = self.kwargs(package) if callable(self.kwargs) else self.kwargs
        return getattr(package.layers, self.name)(**{**kwargs, **more})

    def functions(self):
        """User-defined functions among the arguments."""
        kwargs = {} if callable(self.kwargs) else self.kwargs
        return [f for f in kwargs.values() if callable(f)]

    def inputs(self, batch=None):
        """Random input(s), asymmetric around 0; the same rows in every call."""
        rng = np.random.default_rng(5)
        shapes = self.shape if isinstance(self.shape, list) else [self.shape]
        drawn = []
        for shape in shapes:
            if self.ints is None:
                drawn.append(rng.normal(0.3, 1.0, shape).astype("float32"))
            else:
                drawn.append(rng.integers(0, self.ints, shape).astype("int32"))
        drawn = [x[:batch] for x in drawn]
        return drawn if isinstance(self.shape, list) else drawn[0]


_SEQUENCE, _IMAGE, _VOLUME = (2, 6, 4), (2, 6, 5, 4), (2, 5, 4, 6, 2)
_RGB = (2, 6, 5, 3)
_PAIR = [(2, 3, 4), (2, 3, 4)]
_FIRST = {"data_format": "channels_first"}

ROWS = [
    Row("Dense", {"units": 3}, (2, 4)),
    Row(
        "Dense",
        {"units": 3, "activation": "tanh", "use_bias": False, "lora_rank": 2},
        (2, 3, 4),
    ),
    Row(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (3, 3, 2), "bias_axes": "e"},
        (2, 3, 4),
    ),
    Row(
        "EinsumDense",
        {"equation": "ab...,bc->ac...", "output_shape": 3, "lora_rank": 2},
        (2, 4, 3, 5),
    ),
    Row("Embedding", {"input_dim": 7, "output_dim": 3}, (2, 5), ints=7),
    Row("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, (2, 5), 7),
    Row(
        "ReversibleEmbedding",
        {"input_dim": 7, "output_dim": 3, "tie_weights": False},
        *((2, 5), 7),
    ),
    Row("Lambda", {"function": double_plus}, (2, 3)),
    Row("Lambda", {"function": double_plus, "arguments": {"offset": 0.5}}, (2, 3)),
    Row("Identity", {}, (2, 3)),
    Row("JaxLayer", {"call_fn": jax_dense, "init_fn": jax_dense_init}, (2, 3)),
    Row("Masking", {"mask_value": 0.5}, (2, 3, 4)),
    Row("Activation", {"activation": "gelu"}, (2, 3)),
    Row("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, (2, 3)),
    Row("LeakyReLU", {"negative_slope": 0.2}, (2, 3)),
    Row("ELU", {"alpha": 0.7}, (2, 3)),
    Row("PReLU", {"alpha_initializer": "uniform"}, (2, 3)),
    Row("PReLU", {"alpha_initializer": "uniform", "shared_axes": [1, 2]}, _IMAGE),
    Row("Softmax", {}, (2, 3)),
    Row("Softmax", {"axis": (1, 2)}, (2, 3, 4)),
    Row("Dropout", {"rate": 0.4}, (2, 3)),
    Row("Dropout", {"rate": 0.4, "noise_shape": (None, 1, None), "seed": 3}, _SEQUENCE),
    Row("Dropout", {"rate": 0}, (2, 3)),
    Row("SpatialDropout1D", {"rate": 0.4}, _SEQUENCE),
    Row("SpatialDropout2D", {"rate": 0.4}, _IMAGE),
    Row("SpatialDropout2D", {"rate": 0.4, **_FIRST}, _IMAGE),
    Row("SpatialDropout3D", {"rate": 0.4, "seed": 1}, _VOLUME),
    Row("GaussianNoise", {"stddev": 0.3}, (2, 3)),
    Row("GaussianDropout", {"rate": 0.3}, (2, 3)),
    Row("AlphaDropout", {"rate": 0.3}, (2, 3)),
    Row("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1), "seed": 9}, (2, 3)),
    Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (2, 3)),
    Row("Flatten", {}, (2, 3, 4)),
    Row("Flatten", _FIRST, _IMAGE),
    Row("Reshape", {"target_shape": (-1, 2)}, (2, 3, 4)),
    Row("Permute", {"dims": (3, 1, 2)}, _IMAGE),
    Row("RepeatVector", {"n": 3}, (2, 4)),
    Row("Cropping1D", {"cropping": (1, 2)}, _SEQUENCE),
    Row("Cropping2D", {"cropping": ((1, 2), (0, 1))}, _IMAGE),
    Row("Cropping2D", {"cropping": (1, 2), **_FIRST}, (2, 3, 5, 7)),
    Row("Cropping3D", {}, _VOLUME),
    Row("ZeroPadding1D", {"padding": (1, 2)}, _SEQUENCE),
    Row("ZeroPadding2D", {"padding": ((1, 2), (0, 1))}, _IMAGE),
    Row("ZeroPadding3D", {"padding": 1, **_FIRST}, _VOLUME),
    Row("UpSampling1D", {"size": 3}, _SEQUENCE),
    Row("UpSampling2D", {"size": (2, 3)}, _IMAGE),
    Row("UpSampling2D", {"interpolation": "bilinear", **_FIRST}, _IMAGE),
    Row("UpSampling3D", {"size": (1, 2, 3)}, _VOLUME),
    Row("Add", {}, [(2, 3, 4), (2, 4), (2, 3, 1)]),
    Row("Subtract", {}, _PAIR),
    Row("Multiply", {}, _PAIR),
    Row("Average", {}, [(2, 3), (2, 3), (2, 3)]),
    Row("Maximum", {}, _PAIR),
    Row("Minimum", {}, _PAIR),
    Row("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 1, 4)]),
    Row("Dot", {"axes": (2, 1)}, [(2, 3, 4), (2, 4, 5)]),
    Row("Dot", {"axes": 1, "normalize": True}, [(2, 4), (2, 4)]),
    Row("Attention", {"dropout": 0.3}, [(2, 3, 4), (2, 5, 4)]),
    Row(
        "Attention",
        {"score_mode": "concat", "use_scale": True},
        [(2, 3, 4), (2, 5, 2), (2, 5, 4)],
    ),
    Row("AdditiveAttention", {}, [(2, 3, 4), (2, 5, 4)]),
    Row(
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "use_gate": True},
        [(2, 3, 4), (2, 5, 2)],
        call=on_each,
    ),
    Row(
        "MultiHeadAttention",
        {
            **{"num_heads": 2, "key_dim": 3, "value_dim": 2, "dropout": 0.3},
            **{"attention_axes": (1, 2), "output_shape": 5, "seed": 3},
        },
        [(2, 3, 2, 4), (2, 2, 3, 4)],
        call=on_each,
    ),
    Row(
        "GroupQueryAttention",
        {
            **{"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
            "sliding_window": 2,
        },
        [(2, 3, 4), (2, 5, 4)],
        call=on_each,
    ),
    Row("MaxPooling1D", {"pool_size": 3, "strides": 2}, _SEQUENCE),
    Row("MaxPooling2D", {"padding": "same"}, _IMAGE),
    Row("MaxPooling2D", {"pool_size": (2, 3), **_FIRST}, _IMAGE),
    Row("MaxPooling3D", {"pool_size": (2, 1, 3)}, _VOLUME),
    Row("AveragePooling1D", {"pool_size": 2, "strides": 1}, _SEQUENCE),
    Row("AveragePooling2D", {"pool_size": 2, "padding": "same"}, _IMAGE),
    Row("AveragePooling3D", {"pool_size": 2}, _VOLUME),
    Row("AdaptiveAveragePooling1D", {"output_size": 4}, _SEQUENCE),
    Row("AdaptiveAveragePooling2D", {"output_size": (2, 3), **_FIRST}, _IMAGE),
    Row("AdaptiveAveragePooling3D", {"output_size": (3, 1, 4)}, _VOLUME),
    Row("AdaptiveMaxPooling1D", {"output_size": (4,), **_FIRST}, _SEQUENCE),
    Row("AdaptiveMaxPooling2D", {"output_size": 3}, _IMAGE),
    Row("AdaptiveMaxPooling3D", {"output_size": 2, **_FIRST}, _VOLUME),
    Row("GlobalMaxPooling1D", {}, _SEQUENCE),
    Row("GlobalMaxPooling2D", {"keepdims": True}, _IMAGE),
    Row("GlobalMaxPooling3D", _FIRST, _VOLUME),
    Row("GlobalAveragePooling1D", {}, _SEQUENCE),
    Row("GlobalAveragePooling2D", _FIRST, _IMAGE),
    Row("GlobalAveragePooling3D", {"keepdims": True}, _VOLUME),
    Row("Conv1D", {"filters": 3, "kernel_size": 2, "padding": "causal"}, _SEQUENCE),
    Row(
        "Conv1D",
        {"filters": 4, "kernel_size": 2, "strides": 2, "groups": 2},
        _SEQUENCE,
    ),
    Row(
        "Conv2D",
        {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "relu"},
        _IMAGE,
    ),
    Row(
        "Conv2D",
        {"filters": 3, "kernel_size": 2, "dilation_rate": 2, "lora_rank": 2, **_FIRST},
        _IMAGE,
    ),
    Row(
        "Conv3D",
        {
            **{"filters": 2, "kernel_size": (1, 2, 3), "use_bias": False},
            "kernel_regularizer": "l2",
        },
        _VOLUME,
    ),
    Row("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, _SEQUENCE),
    Row(
        "Conv2DTranspose",
        {
            **{"filters": 3, "kernel_size": 2, "strides": (2, 3), "padding": "same"},
            **{"output_padding": (1, 0), **_FIRST},
        },
        _IMAGE,
    ),
    Row(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": (1, 2, 3), "dilation_rate": 2, "use_bias": False},
        (2, 3, 2, 4, 2),
    ),
    Row("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, _SEQUENCE),
    Row("DepthwiseConv2D", {"kernel_size": 2, "strides": 2, **_FIRST}, _IMAGE),
    Row(
        "SeparableConv1D",
        {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, "activation": "tanh"},
        _SEQUENCE,
    ),
    Row(
        "SeparableConv2D",
        {"filters": 3, "kernel_size": 2, "padding": "same", **_FIRST},
        _IMAGE,
    ),
    Row("BatchNormalization", {}, _IMAGE),
    Row("BatchNormalization", {"axis": 1, "momentum": 0.8, "scale": False}, _SEQUENCE),
    Row(
        "BatchNormalization",
        {"renorm": True, "renorm_clipping": {"rmax": 1.5, "rmin": 0.5, "dmax": 0.3}},
        (6, 3),
    ),
    Row("LayerNormalization", {"beta_initializer": "uniform"}, _SEQUENCE),
    Row("LayerNormalization", {"axis": (1, 2), "center": False}, _SEQUENCE),
    Row("GroupNormalization", {"groups": 2, "beta_initializer": "uniform"}, _IMAGE),
    Row("GroupNormalization", {"groups": -1, "axis": 1, "center": False}, _SEQUENCE),
    Row("UnitNormalization", {"axis": (1, 2)}, _SEQUENCE),
    Row("RMSNormalization", {}, _SEQUENCE),
    Row("RMSNormalization", {"axis": (1, 2), "epsilon": 0.1}, _SEQUENCE),
    Row(
        "SpectralNormalization",
        lambda package: {"layer": package.layers.Dense(3), "power_iterations": 2},
        (2, 4),
        note="Dense",
    ),
    Row(
        "SpectralNormalization",
        lambda package: {"layer": package.layers.Conv2D(3, 2)},
        _IMAGE,
        note="Conv2D",
    ),
    Row("Normalization", {"mean": [0.5, -1, 2], "variance": [1, 4, 0.3]}, (2, 3)),
    Row("Discretization", {"bin_boundaries": [-0.5, 0.0, 1.0]}, (2, 3), half=None),
    Row(
        *("Discretization", {"bin_boundaries": [0.0], "output_mode": "count"}),
        *((2, 3), None, None),
    ),
    Row("CategoryEncoding", {"num_tokens": 4}, (2, 3), 4),
    Row("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, (2, 3), 4),
    Row("Hashing", {"num_bins": 5, "output_mode": "count"}, (2, 3), 9, None),
    Row("Hashing", {"num_bins": 5, "mask_value": 3, "salt": 7}, (2, 3), 9, None),
    Row("HashedCrossing", {"num_bins": 5, "output_mode": "one_hot"}, [(2,), (2,)], 9),
    Row("IntegerLookup", {"vocabulary": [3, 1], "num_oov_indices": 2}, (2, 3), 5, None),
    Row("IntegerLookup", {"vocabulary": [3], "output_mode": "count"}, (2, 3), 4, None),
    Row(  # the loudest of the batch sets the lowest level of all
        *("MelSpectrogram", {"fft_length": 16, "sequence_stride": 4}, (2, 40)),
        rowwise=False,
    ),
    Row("STFTSpectrogram", {"frame_length": 8, "mode": "psd"}, (2, 40, 1), half=None),
    Row("Rescaling", {"scale": 0.5, "offset": -1.0}, (2, 3)),
    Row("AutoContrast", {"value_range": (-4, 4)}, _RGB, half=0.1),
    Row("Equalization", {"value_range": (-4, 4)}, _RGB, call=in_inference),
    Row(
        "ContrastLimitedAdaptiveHistogramEqualization",
        {"value_range": (-4, 4), "tile_grid_size": (2, 2)},
        _RGB,
        half=0.2,
    ),
    Row("Solarization", {"addition_factor": 0.1}, _RGB, call=in_inference),
    Row("RandomBrightness", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomContrast", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomColorDegeneration", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomColorJitter", {"contrast_factor": 0.1}, _RGB, call=in_inference),
    Row("RandomGrayscale", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomHue", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomSaturation", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomSharpness", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomPosterization", {"factor": 4}, _RGB, call=in_inference),
    Row("RandomInvert", {"factor": 0.1}, _RGB, call=in_inference),
    Row("RandomGaussianBlur", {"kernel_size": 3}, _RGB, call=in_inference),
    Row("RandomErasing", {"scale": 0.1}, _RGB, call=in_inference),
    Row("CutMix", {"factor": 0.1}, _RGB, call=in_inference),
    Row("MixUp", {"alpha": 0.1}, _RGB, call=in_inference),
    Row("RandAugment", {"num_ops": 1}, _RGB, call=in_inference),
    Row("AugMix", {"num_chains": 2}, _RGB, call=in_inference, same_compiled=False),
    Row("Resizing", {"height": 4, "width": 7, "antialias": True}, _IMAGE),
    Row("CenterCrop", {"height": 4, "width": 4}, _IMAGE),
    Row("MaxNumBoundingBoxes", {"max_number": 3}, _IMAGE, half=None),
    Row("RandomCrop", {"height": 3, "width": 4}, _IMAGE, call=in_inference),
    Row("RandomFlip", {"mode": "vertical"}, _IMAGE, call=in_inference),
    Row("RandomRotation", {"factor": (0.1, 0.2)}, _IMAGE, call=in_inference),
    Row(
        *("RandomTranslation", {"height_factor": 0.3, "width_factor": (0.1, 0.2)}),
        _IMAGE,
        call=in_inference,
    ),
    Row("RandomZoom", {"height_factor": (-0.3, 0.2)}, _IMAGE, call=in_inference),
    Row("RandomShear", {"x_factor": 0.2, "y_factor": 0.1}, _IMAGE, call=in_inference),
    Row("RandomPerspective", {"scale": 0.5}, _IMAGE, call=in_inference),
    Row(
        *("RandomElasticTransform", {"value_range": (-5, 5)}, _IMAGE),
        call=in_inference,
    ),
    Row(
        "Pipeline",
        lambda package: {
            "layers": [package.layers.Rescaling(0.5), package.layers.RandomFlip()]
        },
        _IMAGE,
        half=None,
        call=in_inference,
        note="Rescaling, RandomFlip",
    ),
    Row("SimpleRNN", {"units": 3}, _SEQUENCE),
    Row(
        "SimpleRNN",
        {"units": 3, "dropout": 0.3, "recurrent_dropout": 0.2, "go_backwards": True},
        _SEQUENCE,
    ),
    Row("SimpleRNNCell", {"units": 3}, [(2, 4), (2, 3)], call=on_states),
    Row("GRU", {"units": 3, "return_sequences": True}, _SEQUENCE),
    Row("GRU", {"units": 3, "reset_after": False, "unroll": True}, _SEQUENCE),
    Row("GRUCell", {"units": 3}, [(2, 4), (2, 3)], call=on_states),
    Row("LSTM", {"units": 3, "return_state": True}, _SEQUENCE),
    Row("LSTM", {"units": 3, "recurrent_dropout": 0.3}, _SEQUENCE),
    Row("LSTMCell", {"units": 3}, [(2, 4), (2, 3), (2, 3)], call=on_states),
    Row(
        *("RNN", lambda package: {"cell": package.layers.GRUCell(3)}, _SEQUENCE),
        note="cell=GRUCell",
    ),
    Row(
        *("RNN", lambda package: {"cell": two_cells(package)}, _SEQUENCE),
        note="two cells",
    ),
    Row(
        *("StackedRNNCells", lambda package: {"cells": two_cells(package)}),
        *([(2, 4), (2, 3), (2, 2)], None, None, on_states),
        note="two cells",
    ),
    Row(
        *("Bidirectional", lambda package: {"layer": package.layers.LSTM(3)}),
        _SEQUENCE,
        note="LSTM",
    ),
    Row("Bidirectional", two_directions, _SEQUENCE, note="merge_mode=None"),
    Row(
        *("TimeDistributed", lambda package: {"layer": package.layers.Dense(3)}),
        _SEQUENCE,
        note="Dense",
    ),
    Row(
        *("TimeDistributed", lambda package: {"layer": package.layers.Dropout(0.3)}),
        _SEQUENCE,
        note="Dropout",
    ),
    Row("ConvLSTM1D", {"filters": 2, "kernel_size": 2, "dropout": 0.3}, (2, 3, 5, 2)),
    Row("ConvLSTM2D", {"filters": 2, "kernel_size": 2, **_FIRST}, (2, 3, 2, 4, 5)),
    Row(
        *("ConvLSTM3D", {"filters": 2, "kernel_size": 2, "strides": 2}),
        (2, 2, 4, 4, 3, 1),
    ),
]
