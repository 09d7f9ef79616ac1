"""`keras.layers`: every layer by its public name."""

from minikeras.core import registry
from minikeras.layers.activations.activation import Activation
from minikeras.layers.activations.prelu import PReLU
from minikeras.layers.activations.rectifiers import ELU
from minikeras.layers.activations.rectifiers import LeakyReLU
from minikeras.layers.activations.rectifiers import ReLU
from minikeras.layers.activations.softmax import Softmax
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.attention.additive_attention import AdditiveAttention
from minikeras.layers.attention.attention import Attention
from minikeras.layers.attention.grouped_query_attention import (
    GroupedQueryAttention as GroupQueryAttention,
)
from minikeras.layers.attention.multi_head_attention import MultiHeadAttention
from minikeras.layers.convolutional.conv1d import Conv1D
from minikeras.layers.convolutional.conv1d_transpose import Conv1DTranspose
from minikeras.layers.convolutional.conv2d import Conv2D
from minikeras.layers.convolutional.conv2d_transpose import Conv2DTranspose
from minikeras.layers.convolutional.conv3d import Conv3D
from minikeras.layers.convolutional.conv3d_transpose import Conv3DTranspose
from minikeras.layers.convolutional.depthwise_conv import DepthwiseConv1D
from minikeras.layers.convolutional.depthwise_conv import DepthwiseConv2D
from minikeras.layers.convolutional.separable_conv import SeparableConv1D
from minikeras.layers.convolutional.separable_conv import SeparableConv2D
from minikeras.layers.core.dense import Dense
from minikeras.layers.core.einsum_dense import EinsumDense
from minikeras.layers.core.embedding import Embedding
from minikeras.layers.core.flax_layer import FlaxLayer
from minikeras.layers.core.identity import Identity
from minikeras.layers.core.input_layer import Input
from minikeras.layers.core.input_layer import InputLayer
from minikeras.layers.core.jax_layer import JaxLayer
from minikeras.layers.core.lambda_layer import Lambda
from minikeras.layers.core.masking import Masking
from minikeras.layers.core.unsupported import TFSMLayer
from minikeras.layers.core.unsupported import TorchModuleWrapper
from minikeras.layers.core.reversible_embedding import ReversibleEmbedding
from minikeras.layers.core.wrapper import Wrapper
from minikeras.layers.layer import Layer
from minikeras.layers.merging.concatenate import Concatenate
from minikeras.layers.merging.dot import Dot
from minikeras.layers.merging.elementwise import Add
from minikeras.layers.merging.elementwise import Average
from minikeras.layers.merging.elementwise import Maximum
from minikeras.layers.merging.elementwise import Minimum
from minikeras.layers.merging.elementwise import Multiply
from minikeras.layers.merging.elementwise import Subtract
from minikeras.layers.merging.functions import add
from minikeras.layers.merging.functions import average
from minikeras.layers.merging.functions import concatenate
from minikeras.layers.merging.functions import dot
from minikeras.layers.merging.functions import maximum
from minikeras.layers.merging.functions import minimum
from minikeras.layers.merging.functions import multiply
from minikeras.layers.merging.functions import subtract
from minikeras.layers.normalization.batch_normalization import BatchNormalization
from minikeras.layers.normalization.group_normalization import GroupNormalization
from minikeras.layers.normalization.layer_normalization import LayerNormalization
from minikeras.layers.normalization.spectral_normalization import SpectralNormalization
from minikeras.layers.normalization.unit_normalization import RMSNormalization
from minikeras.layers.normalization.unit_normalization import UnitNormalization
from minikeras.layers.pooling.adaptive_pooling import AdaptiveAveragePooling1D
from minikeras.layers.pooling.adaptive_pooling import AdaptiveAveragePooling2D
from minikeras.layers.pooling.adaptive_pooling import AdaptiveAveragePooling3D
from minikeras.layers.pooling.adaptive_pooling import AdaptiveMaxPooling1D
from minikeras.layers.pooling.adaptive_pooling import AdaptiveMaxPooling2D
from minikeras.layers.pooling.adaptive_pooling import AdaptiveMaxPooling3D
from minikeras.layers.pooling.average_pooling import AveragePooling1D
from minikeras.layers.pooling.average_pooling import AveragePooling2D
from minikeras.layers.pooling.average_pooling import AveragePooling3D
from minikeras.layers.pooling.global_pooling import GlobalAveragePooling1D
from minikeras.layers.pooling.global_pooling import GlobalAveragePooling2D
from minikeras.layers.pooling.global_pooling import GlobalAveragePooling3D
from minikeras.layers.pooling.global_pooling import GlobalMaxPooling1D
from minikeras.layers.pooling.global_pooling import GlobalMaxPooling2D
from minikeras.layers.pooling.global_pooling import GlobalMaxPooling3D
from minikeras.layers.pooling.max_pooling import MaxPooling1D
from minikeras.layers.pooling.max_pooling import MaxPooling2D
from minikeras.layers.pooling.max_pooling import MaxPooling3D
from minikeras.layers.preprocessing.image.contrast import AutoContrast
from minikeras.layers.preprocessing.image.contrast import Equalization
from minikeras.layers.preprocessing.image.contrast import (
    ContrastLimitedAdaptiveHistogramEqualization,
)
from minikeras.layers.preprocessing.image.contrast import Solarization
from minikeras.layers.preprocessing.image.random_colour import RandomBrightness
from minikeras.layers.preprocessing.image.random_colour import RandomContrast
from minikeras.layers.preprocessing.image.random_colour import RandomColorDegeneration
from minikeras.layers.preprocessing.image.random_colour import RandomGrayscale
from minikeras.layers.preprocessing.image.random_colour import RandomHue
from minikeras.layers.preprocessing.image.random_colour import RandomSaturation
from minikeras.layers.preprocessing.image.random_colour import RandomColorJitter
from minikeras.layers.preprocessing.image.random_detail import RandomSharpness
from minikeras.layers.preprocessing.image.random_detail import RandomPosterization
from minikeras.layers.preprocessing.image.random_detail import RandomInvert
from minikeras.layers.preprocessing.image.random_detail import RandomGaussianBlur
from minikeras.layers.preprocessing.image.mixing import RandomErasing
from minikeras.layers.preprocessing.image.mixing import CutMix
from minikeras.layers.preprocessing.image.mixing import MixUp
from minikeras.layers.preprocessing.image.policies import RandAugment
from minikeras.layers.preprocessing.image.policies import AugMix
from minikeras.layers.preprocessing.image.size_layers import CenterCrop
from minikeras.layers.preprocessing.image.max_num_bounding_boxes import (
    MaxNumBoundingBoxes,
)
from minikeras.layers.preprocessing.pipeline import Pipeline
from minikeras.layers.preprocessing.image.size_layers import RandomCrop
from minikeras.layers.preprocessing.image.random_elastic_transform import (
    RandomElasticTransform,
)
from minikeras.layers.preprocessing.image.random_flip import RandomFlip
from minikeras.layers.preprocessing.image.random_perspective import RandomPerspective
from minikeras.layers.preprocessing.image.affine_layers import RandomRotation
from minikeras.layers.preprocessing.image.affine_layers import RandomShear
from minikeras.layers.preprocessing.image.affine_layers import RandomTranslation
from minikeras.layers.preprocessing.image.affine_layers import RandomZoom
from minikeras.layers.preprocessing.image.size_layers import Resizing
from minikeras.layers.preprocessing.rescaling import Rescaling
from minikeras.layers.preprocessing.numeric.category_encoding import CategoryEncoding
from minikeras.layers.preprocessing.numeric.discretization import Discretization
from minikeras.layers.preprocessing.numeric.hashed_crossing import HashedCrossing
from minikeras.layers.preprocessing.numeric.hashing import Hashing
from minikeras.layers.preprocessing.numeric.integer_lookup import IntegerLookup
from minikeras.layers.preprocessing.numeric.normalization import Normalization
from minikeras.layers.preprocessing.text.string_lookup import StringLookup
from minikeras.layers.preprocessing.text.text_vectorization import TextVectorization
from minikeras.layers.preprocessing.audio.mel_spectrogram import MelSpectrogram
from minikeras.layers.preprocessing.audio.stft_spectrogram import STFTSpectrogram
from minikeras.layers.recurrent.bidirectional import Bidirectional
from minikeras.layers.recurrent.conv_lstm import ConvLSTM1D
from minikeras.layers.recurrent.conv_lstm import ConvLSTM2D
from minikeras.layers.recurrent.conv_lstm import ConvLSTM3D
from minikeras.layers.recurrent.gru import GRU
from minikeras.layers.recurrent.gru import GRUCell
from minikeras.layers.recurrent.lstm import LSTM
from minikeras.layers.recurrent.lstm import LSTMCell
from minikeras.layers.recurrent.rnn import RNN
from minikeras.layers.recurrent.simple_rnn import SimpleRNN
from minikeras.layers.recurrent.simple_rnn import SimpleRNNCell
from minikeras.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from minikeras.layers.recurrent.time_distributed import TimeDistributed
from minikeras.layers.regularization.activity_regularization import ActivityRegularization  # fmt: skip
from minikeras.layers.regularization.dropout import AlphaDropout
from minikeras.layers.regularization.dropout import Dropout
from minikeras.layers.regularization.dropout import SpatialDropout1D
from minikeras.layers.regularization.dropout import SpatialDropout2D
from minikeras.layers.regularization.dropout import SpatialDropout3D
from minikeras.layers.regularization.noise import GaussianDropout
from minikeras.layers.regularization.noise import GaussianNoise
from minikeras.layers.reshaping.cropping import Cropping1D
from minikeras.layers.reshaping.cropping import Cropping2D
from minikeras.layers.reshaping.cropping import Cropping3D
from minikeras.layers.reshaping.flatten import Flatten
from minikeras.layers.reshaping.permute import Permute
from minikeras.layers.reshaping.repeat_vector import RepeatVector
from minikeras.layers.reshaping.reshape import Reshape
from minikeras.layers.reshaping.up_sampling import UpSampling1D
from minikeras.layers.reshaping.up_sampling import UpSampling2D
from minikeras.layers.reshaping.up_sampling import UpSampling3D
from minikeras.layers.reshaping.zero_padding import ZeroPadding1D
from minikeras.layers.reshaping.zero_padding import ZeroPadding2D
from minikeras.layers.reshaping.zero_padding import ZeroPadding3D
from minikeras.core.family import Family

# Other names of the same classes.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Equalization",
    "Flatten",
    "FlaxLayer",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "JaxLayer",
    "LSTM",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxNumBoundingBoxes",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MelSpectrogram",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "Pipeline",
    "RMSNormalization",
    "RNN",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "STFTSpectrogram",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TFSMLayer",
    "TextVectorization",
    "TimeDistributed",
    "TorchModuleWrapper",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
_layers = {
    name: value
    for name, value in list(globals().items())
    if isinstance(value, type) and issubclass(value, Layer)
}
_family = Family("layers", "layer", _layers)


def serialize(layer):
    """Return the config of a layer.

    Args:
        layer: the layer.
    """
    return _family.serialize(layer)


def deserialize(config, custom_objects=None):
    """Make a layer from a config.

    Args:
        config: dict, as `keras.layers.serialize` returns it.
        custom_objects: {name: class or function} besides the registered ones, or None.

    Raises:
        ValueError: the config is not that of a layer.
    """
    layer = _family.deserialize(config, custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(
            "keras.layers.deserialize: the config must be that of a layer, got "
            f"{config!r}."
        )
    return layer


registry.register_all("keras.layers", globals())
