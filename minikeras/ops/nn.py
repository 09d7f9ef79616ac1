"""`keras.ops.nn`: the functions of neural networks."""

from minikeras.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from minikeras.ops.adaptive_pooling import (
    adaptive_average_pool,
    adaptive_max_pool,
)
from minikeras.ops.attention import (
    dot_product_attention,
)
from minikeras.ops.convolution import (
    conv,
    conv_transpose,
    depthwise_conv,
    separable_conv,
)
from minikeras.ops.ctc import (
    ctc_decode,
    ctc_loss,
)
from minikeras.ops.decompositions import (
    normalize,
)
from minikeras.ops.elementwise import (
    polar,
)
from minikeras.ops.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    multi_hot,
    one_hot,
    sparse_categorical_crossentropy,
)
from minikeras.ops.normalization import (
    batch_normalization,
    layer_normalization,
    moments,
    rms_normalization,
)
from minikeras.ops.patches import (
    depth_to_space,
    fold,
    psnr,
    space_to_depth,
    unfold,
)
from minikeras.ops.pooling import (
    average_pool,
    max_pool,
)

__all__ = [n for n in dir() if n[0] != "_"]  # pyright: ignore
