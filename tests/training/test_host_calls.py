"""Models that read text: host layers run ahead of the compiled steps."""

import threading

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.preprocessing.data_layer import HostLayer

RNG = np.random.default_rng(3)
WORDS = RNG.choice(["anna", "berta", "carl", "dora"], 40)
LABELS = (WORDS == "anna").astype("float32")


class Lookup(HostLayer):
    """The length of a string plus a number; None calls of it see tracers."""

    def __init__(self, add=0, gives_text=False, **kwargs):
        super().__init__(**kwargs)
        self.add, self.gives_text = add, gives_text
        self.threads = set()

    def call(self, inputs):
        assert isinstance(inputs, np.ndarray), f"traced: {inputs}"
        self.threads.add(threading.current_thread().name)
        if self.gives_text:
            return inputs.astype(object) + "!"
        if inputs.dtype.kind in "iu":
            return inputs + self.add
        return np.vectorize(len, otypes=["int64"])(inputs) + self.add

    def compute_output_spec(self, inputs):
        return KerasTensor(inputs.shape, "string" if self.gives_text else "int64")


def functional(shape=(1,)):
    text = keras.Input(shape, dtype="string")
    x = layers.Embedding(9, 4)(Lookup()(text))
    x = layers.Flatten()(x) if shape else x
    return keras.Model(text, layers.Dense(1, "sigmoid")(x))


def stack(*first):
    return keras.Sequential(
        [*first, Lookup(), layers.Embedding(9, 4), layers.Dense(1, "sigmoid")]
    )


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.look_up, self.embed = Lookup(), layers.Embedding(9, 4)
        self.out = layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.out(self.embed(self.look_up(x)))


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = Subclass()

    def call(self, inputs):
        return self.inner(inputs["words"][:, 0])


def trained(model, x=WORDS, **kwargs):
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    keras.utils.set_random_seed(1)
    history = model.fit(x, LABELS, batch_size=16, epochs=2, verbose=0, **kwargs)
    return model, history.history["loss"]


def numeric_loss():
    """The losses of the same model with the looked up numbers as inputs."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([layers.Embedding(9, 4), layers.Dense(1, "sigmoid")])
    return trained(model, np.vectorize(len)(WORDS))[1]


@pytest.mark.parametrize(
    "make",
    [
        functional,
        lambda: functional(()),
        stack,
        lambda: stack(keras.Input((), dtype="string")),
        Subclass,
    ],
)
def test_trains_like_a_model_of_numbers(make):
    keras.utils.set_random_seed(0)
    model, loss = trained(make())
    np.testing.assert_allclose(loss, numeric_loss(), rtol=1e-5)
    assert model.evaluate(WORDS, LABELS, verbose=0) < loss[0]
    whole = model.predict(WORDS, batch_size=16, verbose=0)
    assert whole.shape == (40, 1)
    np.testing.assert_allclose(model.predict_on_batch(WORDS[:3]), whole[:3], rtol=1e-6)
    np.testing.assert_allclose(model(WORDS[:3]), whole[:3], rtol=1e-6)
    assert np.isfinite(model.train_on_batch(WORDS[:4], LABELS[:4]))


def test_dicts_views_and_lists_of_strings():
    keras.utils.set_random_seed(0)
    model, loss = trained(Nested(), {"words": WORDS[:, None]})
    np.testing.assert_allclose(loss, numeric_loss(), rtol=1e-5)
    one = model.predict({"words": [["anna"], ["carl"]]}, verbose=0)
    np.testing.assert_allclose(one, model({"words": np.array([["anna"], ["carl"]])}))


def test_run_eagerly_and_generators():
    keras.utils.set_random_seed(0)
    model = stack()
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", run_eagerly=True)

    def batches():
        for i in range(0, 40, 16):
            yield WORDS[i : i + 16], LABELS[i : i + 16]

    assert len(model.fit(batches(), verbose=0).history["loss"]) == 1
    model.compile("sgd", "binary_crossentropy")
    assert len(model.fit(batches(), verbose=0).history["loss"]) == 1


def test_chains_of_host_layers_and_inputs_of_numbers():
    text = keras.Input((), dtype="string")
    number = keras.Input((), dtype="int64", name="number")
    a = Lookup(add=1)(Lookup()(Lookup(gives_text=True)(text)))
    b = Lookup(add=2)(number)
    sum_of_both = layers.Add()([a, b])
    model = keras.Model([text, number], sum_of_both)
    numbers = np.arange(40)
    expected = np.vectorize(len)(WORDS) + 2 + numbers + 2
    assert model.predict([WORDS, numbers], verbose=0).tolist() == expected.tolist()


def test_one_layer_on_two_inputs():
    a, b = keras.Input((), dtype="string"), keras.Input((), dtype="string")
    shared = Lookup()
    model = keras.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    lengths = np.vectorize(len)(WORDS)
    found = model.predict([WORDS, WORDS[::-1]], batch_size=16, verbose=0)
    assert found.tolist() == (lengths - lengths[::-1]).tolist()


def test_targets_of_text_in_a_step_of_ones_own():
    class Own(Subclass):
        def train_step(self, state, data):
            x, y = data
            y = self.look_up(y) > 4

            def loss(params):
                y_pred, others = self.stateless_call(params, state[1], x)
                return self.compute_loss(x, y, y_pred), others

            (value, others), grads = jax.value_and_grad(loss, has_aux=True)(state[0])
            params, slots = self.optimizer.stateless_apply(state[2], grads, state[0])
            return {"own": value}, (params, others, slots, state[3])

    model = Own()
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    history = model.fit(WORDS, WORDS, epochs=2, batch_size=16, verbose=0).history
    assert history["own"][1] < history["own"][0]


def test_the_shapes_of_a_graph():
    out = Subclass()(keras.Input((), dtype="string"))
    assert out.shape == (None, 1)
    assert Nested()({"words": keras.Input((1,), dtype="string")}).shape == (None, 1)
    assert stack().compute_output_shape((None,)) == (None, 1)


def test_text_without_a_layer_for_it():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    for call in (
        lambda: model.fit(WORDS, LABELS),
        lambda: model.predict(WORDS),
        lambda: model.train_on_batch(WORDS, LABELS),
        lambda: model.fit(x for x in [(WORDS, LABELS)]),
    ):
        with pytest.raises(ValueError, match="a layer that reads text"):
            call()
    numbers = keras.Input((1,))
    mixed = keras.Model([numbers, keras.Input((1,), dtype="string")], numbers)
    with pytest.raises(ValueError, match="dtype='string'"):
        mixed([WORDS, WORDS])


def test_host_layers_run_in_the_thread_of_the_feed():
    model = stack()
    layer = next(x for x in model.layers if isinstance(x, Lookup))
    slow, call = threading.Event(), layer.call

    def slow_call(inputs):
        slow.wait(0.002)
        return call(inputs)

    layer.call = slow_call
    model.compile("sgd", "binary_crossentropy")
    model.fit(WORDS, LABELS, batch_size=4, verbose=0)
    assert len(layer.threads) > 1


def test_ints_beyond_32_bits_are_looked_up_whole():
    ids = np.array([[2**32 + 1], [1]])
    number = keras.Input((1,), dtype="int64")
    look_up = layers.IntegerLookup(vocabulary=[1, 2])
    model = keras.Model(number, look_up(number))
    model.compile()
    for found in (model.predict(ids, verbose=0), model(ids)):
        assert np.ravel(found).tolist() == [0, 1]
    model.compile(run_eagerly=True)
    assert model.predict(ids, verbose=0).ravel().tolist() == [0, 1]

    class Part(keras.Model):
        def __init__(self):
            super().__init__()
            self.look_up = look_up

        def call(self, x):
            return self.look_up(x[:, 0])

    with pytest.raises(ValueError, match="beyond 32 bits"):
        Part().predict(ids)


def test_calls_with_other_constants_are_other_calls():
    order = np.arange(2000)
    other = order.copy()
    other[1000] = 5

    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            words = [str(i) for i in range(2000)]
            self.look_up = layers.StringLookup(vocabulary=words)

        def call(self, x):
            both = [self.look_up(x[:, order]), self.look_up(x[:, other])]
            return keras.ops.stack(both, axis=1)

    words = np.array([[str(i) for i in range(2000)]])
    found = Twice().predict(words, verbose=0)[0, :, 1000]
    assert found.tolist() == [1001, 6]


def test_models_whose_output_is_text():
    inverse = layers.StringLookup(vocabulary=["a", "b"], invert=True)
    ids = keras.Input((1,), dtype="int64")
    model = keras.Model(ids, inverse(ids))
    assert model(np.array([[2]])).tolist() == [["b"]]
    assert inverse(np.array([[2]])).numpy().tolist() == [[b"b"]]
    with pytest.raises(TypeError, match="output is text"):
        model.predict(np.array([[1]]))
    scores = keras.Input((3,))
    best = keras.Model(scores, inverse(keras.ops.argmax(scores, axis=-1)))
    with pytest.raises(TypeError, match="works on the host"):
        best.predict(np.ones((2, 3)))


def test_a_text_layer_in_a_graph_before_adapt():
    vectorize = layers.TextVectorization(output_sequence_length=2)
    model = keras.Sequential([keras.Input((), dtype="string"), vectorize])
    vectorize.adapt(np.array(["a b", "b"]))
    assert model.predict(["b a"], verbose=0).tolist() == [[2, 3]]
    again = keras.models.clone_model(model)
    assert again.output_shape == (None, 2)
