"""Layers of numbers, categories and audio beside Keras's.

A case is an expression in `L`, the layers of one of the two packages. Keras needs
TensorFlow for some of them: these are skipped where it is not installed.
"""

import itertools

import jax
import numpy as np
import pytest

import minikeras
from compat.layer_expressions import difference, outcome

RNG = np.random.default_rng(7)
X = RNG.normal(2.0, 3.0, (5, 3)).astype("float32")
X64 = RNG.gamma(2.0, 3.0, (40, 4, 3))
BIG = RNG.normal(-1.0, 5.0, (3000,)).astype("float32")
IDS = np.array([[1, 3, 3, 0], [2, 2, 9, -1]])
INSIDE = np.array([[1, 3, 3, 0], [2, 2, 4, 1]])
WEIGHTS = RNG.uniform(0.1, 2.0, IDS.shape).astype("float32")
SOUND = RNG.normal(0.1, 1.0, (2, 200)).astype("float32")
STEREO = RNG.normal(0.1, 1.0, (2, 90, 2)).astype("float32")
WINDOW = np.linspace(0.2, 1.0, 16).astype("float32")


class Batches:
    """A PyDataset of the package, of three batches."""

    def __new__(cls, package):
        class Data(package.utils.PyDataset):
            def __len__(self):
                return 3

            def __getitem__(self, index):
                return X64[10 * index : 10 * index + 10], np.zeros(10)

        return Data()


def numbers():
    """Normalization and Discretization."""
    for axis, invert in itertools.product(
        (-1, None, 0, 1, (1, 2), (-1, 1)), (False, True)
    ):
        layer = f"L.Normalization(axis={axis}, invert={invert})"
        yield f"adapted({layer}, X64)(X64)"
        yield f"adapted({layer}, [X64[:10], X64[10:20], X64[20:30]])(X64[:40])"
        yield f"adapted({layer}, ((x, 0) for x in (X64[:5], X64[5:10])))(X64[:5])"
    for boundaries, mode, sparse in itertools.product(
        ([0.0, 1.0, 2.5], [0.5]),
        ("int", "one_hot", "multi_hot", "count"),
        (False, True),
    ):
        layer = f"L.Discretization({boundaries}, output_mode='{mode}', sparse={sparse})"
        yield f"dense({layer}(X))"
        yield f"dense({layer}(X[0]))"
        yield f"dense({layer}(X[:, :1]))"
        yield f"dense({layer}(X[None]))"
        yield f"dense({layer}(X.astype('int32')))"
        yield f"{layer}.compute_output_shape((None, 3))"
        yield f"config({layer})"
    for bins, epsilon in itertools.product((2, 5, 64), (0.3, 0.01, 0.001)):
        layer = f"L.Discretization(num_bins={bins}, epsilon={epsilon})"
        yield f"adapted({layer}, BIG).bin_boundaries"
        yield f"adapted({layer}, BIG).summary"
        yield f"adapted({layer}, list(X)).bin_boundaries"
        yield f"adapted({layer}, (BIG[i::7] for i in range(7)), steps=5).bin_boundaries"
        yield f"updated({layer}, BIG[:100], X, BIG[100:]).bin_boundaries"
        yield f"adapted({layer}, BIG)(X)"
    yield from """
        L.Normalization(mean=1.0, variance=4.0)(X)
        L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.0])(X)
        L.Normalization(axis=(0, 1), mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])(X)
        L.Normalization(axis=1, mean=np.ones(4), variance=np.full(4, 2.0), invert=True)(X64)
        L.Normalization(mean=[1.0, 2.0], variance=[1.0, 4.0])(X)
        L.Normalization(mean=1.0)
        L.Normalization(mean=[1.0], variance=1.0)
        L.Normalization(mean=[[1.0]], variance=[[1.0]])
        L.Normalization(mean=1.0, variance=4.0, dtype="bfloat16")(X)
        L.Normalization()(X)
        L.Normalization()(X.astype("int32"))
        L.Normalization(axis=3)(X)
        L.Normalization().build((None, None))
        L.Normalization(axis=0)(X)
        [w.name for w in adapted(L.Normalization(), X).weights]
        [np.asarray(w) for w in adapted(L.Normalization(), X64).get_weights()]
        adapted(L.Normalization(), X).mean
        adapted(L.Normalization(axis=None), X64).variance
        adapted(L.Normalization(axis=None), BIG)(BIG[:9])
        adapted(L.Normalization(axis=None), X.astype("int32"))(X)
        adapted(L.Normalization(), Batches(package))(X64)
        adapted(L.Normalization(), [])
        adapted(L.Normalization(), [1.0, 2.0])
        adapted(L.Normalization(), "abc")
        adapted(L.Normalization(), 3.0)
        adapted(L.Normalization(), [X, X[:, :2]])
        adapted(adapted(L.Normalization(), X), X64)
        config(L.Normalization(axis=(1, 2)))
        config(L.Normalization(mean=np.ones(3), variance=np.ones(3), invert=True))
        again(L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]))(X)
        L.Normalization().compute_output_shape((None, 3))
        L.Discretization([0.0], num_bins=3)
        L.Discretization()
        L.Discretization(num_bins=-1)
        L.Discretization([0.0], output_mode="tf_idf")
        L.Discretization([0.0], sparse=True)
        L.Discretization(num_bins=3)(X)
        adapted(L.Discretization([0.0]), X)
        config(adapted(L.Discretization(num_bins=3), X))
        again(adapted(L.Discretization(num_bins=3), X))(X)
        L.Discretization([0.0], output_mode="one_hot", dtype="float16")(X)
        L.Discretization(num_bins=4, output_mode="one_hot").compute_output_shape((2, 3))
    """.strip().splitlines()  # noqa: E501


def categories():
    """CategoryEncoding."""
    for mode, sparse in itertools.product(
        ("one_hot", "multi_hot", "count"), (False, True)
    ):
        layer = f"L.CategoryEncoding(5, output_mode='{mode}', sparse={sparse})"
        for x in (
            "IDS",
            "IDS[0]",
            "IDS[:, :1]",
            "IDS[None]",
            "3",
            "IDS.astype('float32')",
        ):
            yield f"dense({layer}({x.replace('IDS', 'INSIDE') if sparse else x}))"
        yield f"dense({layer}(INSIDE, count_weights=WEIGHTS))"
        yield f"{layer}.compute_output_shape((None, 4))"
        yield f"{layer}.compute_output_shape((None, 1))"
    yield from """
        config(L.CategoryEncoding(5))
        again(L.CategoryEncoding(5, output_mode="count"))(IDS)
        L.CategoryEncoding(5, dtype="int32")(IDS)
        L.CategoryEncoding(5, output_mode="binary")(IDS)
        L.CategoryEncoding()
        L.CategoryEncoding(0)
        L.CategoryEncoding(3, output_mode="x")
    """.strip().splitlines()


def sounds():
    """MelSpectrogram and STFTSpectrogram."""
    for extra in """sampling_rate=8000, num_mel_bins=8
        sequence_length=48, window="hamming"
        window=None, mag_exp=1.0
        sequence_length=16, window=WINDOW
        power_to_db=False, min_freq=100.0, max_freq=3000.0
        top_db=20.0, ref_power=2.5, min_power=1e-3
        dtype="bfloat16" """.splitlines():
        layer = f"L.MelSpectrogram(64, 20, num_mel_bins=12, {extra.strip()})".replace(
            "num_mel_bins=12, sampling_rate=8000, num_mel_bins=8",
            "num_mel_bins=8, sampling_rate=8000",
        )
        yield f"{layer}(SOUND)"
        yield f"{layer}(SOUND[0])"
    for mode, padding, expand in itertools.product(
        ("log", "magnitude", "psd", "real", "imag", "angle", "stft"),
        ("valid", "same"),
        (False, True),
    ):
        layer = f"L.STFTSpectrogram('{mode}', 16, 6, padding='{padding}'"
        yield f"turns('{mode}', {layer}, expand_dims={expand})(STEREO))"
        yield f"{layer}, expand_dims={expand}).compute_output_shape((None, 90, 2))"
    first = "data_format='channels_first'"
    yield from f"""
        L.STFTSpectrogram("stft", 16, {first})(STEREO.transpose(0, 2, 1))
        L.STFTSpectrogram("log", 16, {first}, expand_dims=True)(STEREO.transpose(0, 2, 1))
        L.STFTSpectrogram("psd", 12, fft_length=32, window="hamming", periodic=True)(STEREO)
        L.STFTSpectrogram("real", 16, window=WINDOW, scaling="spectrum")(STEREO)
        L.STFTSpectrogram("imag", 16, window=None, scaling=None)(STEREO)
        [w.name for w in built(L.STFTSpectrogram("stft", 16), STEREO).weights]
        [w.name for w in built(L.STFTSpectrogram("imag", 16), STEREO).weights]
        L.STFTSpectrogram(frame_length=16)(STEREO.astype("int32"))
        L.STFTSpectrogram(frame_length=16)(SOUND)
        L.STFTSpectrogram("x")
        L.STFTSpectrogram(frame_step=300)
        L.STFTSpectrogram(fft_length=8)
        L.STFTSpectrogram(window="x")
        L.STFTSpectrogram(scaling="x")
        L.STFTSpectrogram(padding="x")
        config(L.STFTSpectrogram("stft", 16, 4))
        config(L.MelSpectrogram(64))
        config(L.MelSpectrogram(64, sequence_length=32, max_freq=7.5, window=None))
        L.MelSpectrogram(64, sequence_length=65)
        L.MelSpectrogram().linear_to_mel_weight_matrix(4, 33)
        L.MelSpectrogram().linear_to_mel_weight_matrix(9, 65, 16000, 20.0, 8000.0)
        L.MelSpectrogram(64, 20, num_mel_bins=5).compute_output_shape((None, 400))
        L.MelSpectrogram(64, 20, num_mel_bins=5).compute_output_shape((400,))
    """.strip().splitlines()  # noqa: E501


def dense(x):
    """Sparse arrays as arrays, with a mark."""
    return [x.todense(), "sparse"] if hasattr(x, "todense") else x


def turns(mode, x):
    """Angles as points of a circle: -π is near π."""
    return [np.cos(x), np.sin(x)] if mode == "angle" else x


def built(layer, x):
    """The layer after a call."""
    layer(x)
    return layer


CASES = [case.strip() for case in (*numbers(), *categories(), *sounds())]


# `make test` runs one in 16, `make parity` all.
DRAWS = [
    pytest.param(n, marks=[pytest.mark.slow] if n % 16 else [])
    for n in range(len(CASES))
]


@pytest.mark.parametrize("number", DRAWS)
def test_layers_of_numbers_equal_keras(number):
    keras = pytest.importorskip("keras")
    case, names = CASES[number], globals()
    theirs = outcome(keras, case, {**names, "package": keras})
    if isinstance(theirs, ImportError):
        pytest.skip("Keras needs TensorFlow for it")
    ours = outcome(minikeras, case, {**names, "package": minikeras})
    found = difference(ours, theirs, rtol=2e-5, atol=5e-5)
    assert found is None, f"{case}\n{found}"


@pytest.mark.parametrize(
    "case",
    [
        "Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0] * 3)",
        "Discretization([0.0, 1.0], output_mode='count')",
        "CategoryEncoding(5, output_mode='multi_hot')",
    ],
)
def test_they_are_the_same_under_jit_and_vmap(case):
    layer = eval(f"minikeras.layers.{case}")
    x = np.abs(X).astype("int32") if "Category" in case else X
    expected = np.asarray(layer(x))
    np.testing.assert_allclose(jax.jit(layer)(x), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(layer)(x[:, None])[:, 0], expected, rtol=1e-6)
