"""Cases of recurrent layers: masks, states, both directions, cells, images."""

import numpy as np

from compat.case_table import case, classes, data, one_hot

ROWS, STEPS, WORDS = 24, 6, 11
SEQUENCES = data(ROWS, STEPS, 3)
SEQUENCE_LABELS = classes(ROWS, 3)
SEQUENCE_TARGETS = SEQUENCES.mean(axis=1)[:, :2] + 0.1 * data(ROWS, 2, seed=9)
BATCH = {"batch_size": 8}  # no partial one, which is one more compilation


def sentences(rows=ROWS, steps=STEPS, seed=5):
    """Word numbers, each row filled up with zeros from another step on."""
    rng = np.random.default_rng(seed)
    words = rng.integers(1, WORDS, (rows, steps))
    lengths = rng.integers(1, steps + 1, (rows, 1))
    return np.where(np.arange(steps) < lengths, words, 0).astype("int32")


def by_label(model, optimizer, x):
    """Compile for `SEQUENCE_LABELS`."""
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["acc"])
    return model, {"x": x, "y": SEQUENCE_LABELS, **BATCH}


def by_value(model, optimizer, x):
    """Compile for `SEQUENCE_TARGETS`."""
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, {"x": x, "y": SEQUENCE_TARGETS, **BATCH}


@case
def stacked_lstm_masked(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Embedding(WORDS, 4, mask_zero=True),
            layers.LSTM(5, return_sequences=True),
            layers.LSTM(4, dropout=0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return by_label(model, keras.optimizers.Adam(0.03), sentences())


@case
def bidirectional_gru(keras):
    layers = keras.layers
    inputs = keras.Input((STEPS, 3))
    masked = layers.Masking(0.0)(inputs)
    hidden = layers.Bidirectional(layers.GRU(4, return_sequences=True))(masked)
    both = layers.Bidirectional(layers.GRU(3, reset_after=False), merge_mode="ave")
    model = keras.Model(inputs, layers.Dense(2)(both(hidden)))
    x = SEQUENCES * (sentences()[..., None] > 0)
    return by_value(model, keras.optimizers.RMSprop(0.02), x)


@case
def rnn_on_each_step(keras):
    layers = keras.layers
    inputs = keras.Input((None, 3))
    hidden = layers.SimpleRNN(5, return_sequences=True, dropout=0.1)(inputs)
    hidden = layers.TimeDistributed(layers.BatchNormalization())(hidden)
    hidden = layers.TimeDistributed(layers.Dropout(0.2))(hidden)
    model = keras.Model(inputs, layers.TimeDistributed(layers.Dense(2))(hidden))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mae")
    y = np.cumsum(SEQUENCES[..., :2], axis=1) / STEPS
    return model, {"x": SEQUENCES, "y": y, **BATCH}


@case
def conv_lstm(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((3, 5, 5, 1)),
            layers.ConvLSTM2D(2, 3, padding="same", recurrent_dropout=0.2),
            layers.Conv2D(1, 3, activation="sigmoid"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    x = data(12, 3, 5, 5, 1)
    y = (x.mean(axis=(1, 2, 3)) > 0.3).astype("float32")
    return model, {"x": x, "y": y, "batch_size": 4, "epochs": 5}


@case
def translator(keras):
    """An encoder whose states a decoder begins with."""
    layers = keras.layers
    source = keras.Input((STEPS,), dtype="int32")
    before = keras.Input((4,), dtype="int32")
    words = layers.Embedding(WORDS, 4, mask_zero=True)
    _, *states = layers.LSTM(5, return_state=True)(words(source))
    hidden = layers.LSTM(5, return_sequences=True)(words(before), initial_state=states)
    model = keras.Model(
        [source, before], layers.Dense(WORDS, activation="softmax")(hidden)
    )
    model.compile(keras.optimizers.Adam(0.03), "sparse_categorical_crossentropy")
    target = sentences(steps=5, seed=6)
    x = [sentences(), target[:, :-1]]
    return model, {"x": x, "y": target[:, 1:], **BATCH}


@case
def own_cell(keras):
    ops = keras.ops

    @keras.saving.register_keras_serializable()
    class Leaky(keras.layers.Layer):
        """A state that follows its inputs slowly."""

        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units))
            self.rate = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs, states):
            rate = ops.sigmoid(self.rate)
            new = rate * ops.tanh(ops.matmul(inputs, self.kernel))
            new = new + (1 - rate) * states[0]
            return new, [new]

    layers = keras.layers
    model = keras.Sequential([layers.RNN(Leaky(5)), layers.Dense(2)])
    return by_value(model, keras.optimizers.Adam(0.05), SEQUENCES)


@case
def stacked_cells(keras):
    layers = keras.layers
    cells = [
        layers.LSTMCell(4, dropout=0.2, recurrent_dropout=0.1),
        layers.GRUCell(3, dropout=0.1),
        layers.SimpleRNNCell(3, recurrent_dropout=0.2),
    ]
    inputs = keras.Input((STEPS, 3))
    outputs, *_, last = layers.RNN(cells, return_state=True)(inputs)
    joined = layers.Concatenate()([outputs, last])
    model = keras.Model(inputs, layers.Dense(2)(joined))
    return by_value(model, keras.optimizers.Nadam(0.02), SEQUENCES)


@case
def sentiment(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((STEPS,), dtype="int32"),
            layers.Embedding(WORDS, 6, mask_zero=True),
            layers.SpatialDropout1D(0.2),
            layers.Bidirectional(
                layers.LSTM(
                    4, dropout=0.2, recurrent_dropout=0.2, return_sequences=True
                )
            ),
            layers.GlobalAveragePooling1D(),
            layers.Dense(4, activation="relu", kernel_regularizer="l2"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    metrics = ["acc", "auc"]
    model.compile(keras.optimizers.AdamW(0.01), "binary_crossentropy", metrics=metrics)
    x = sentences()
    return model, {"x": x, "y": (x.max(axis=1) > 8).astype("float32")[:, None], **BATCH}


@case
def forecaster(keras):
    """The next value from those before, in windows of one long series."""
    layers = keras.layers
    series = np.sin(np.arange(40) / 3) + 0.1 * data(40, 1)[:, 0]
    windows = np.stack([series[i : i + 8] for i in range(32)])[..., None]
    x = windows.astype("float32")
    inputs = keras.Input((7, 1))
    hidden = layers.Conv1D(4, 3, padding="causal", activation="relu")(inputs)
    hidden = layers.GRU(5, go_backwards=True, activity_regularizer="l2")(hidden)
    model = keras.Model(inputs, layers.Dense(1)(layers.LayerNormalization()(hidden)))
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 20)
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "huber")
    return model, {"x": x[:, :-1], "y": x[:, -1], "validation_split": 0.25, **BATCH}


@case
def tagger(keras):
    layers = keras.layers
    inputs = keras.Input((STEPS,), dtype="int32")
    hidden = layers.Embedding(WORDS, 4, mask_zero=True)(inputs)
    hidden = layers.LSTM(
        5, return_sequences=True, unroll=True, zero_output_for_mask=True
    )(hidden)
    outputs = layers.TimeDistributed(layers.Dense(3, activation="softmax"))(hidden)
    model = keras.Model(inputs, outputs)
    optimizer = keras.optimizers.Adam(0.03)
    model.compile(optimizer, "categorical_crossentropy", metrics=["acc"])
    x = sentences()
    return model, {"x": x, "y": one_hot(x % 3, 3), **BATCH}
