# runs on: keras-jax. Forecasts of a series: windows by a PyDataset, LSTM, GRU, Conv1D.
import json

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(31)
hours = np.arange(700)
temperature = 10 * np.sin(hours / 12) + 0.01 * hours + np.random.normal(size=700)
pressure = 3 * np.cos(hours / 12) + 0.3 * np.random.normal(size=700)
raw_data = np.stack([temperature, pressure], axis=1)
num_train, num_val = 400, 150

mean = raw_data[:num_train].mean(axis=0)
raw_data -= mean
std = raw_data[:num_train].std(axis=0)
raw_data /= std
sampling_rate, sequence_length = 2, 12
delay = sampling_rate * (sequence_length + 3 - 1)


class Windows(keras.utils.PyDataset):
    """Stretches of the series with the temperature some hours later, by the batch."""

    def __init__(self, start, end, batch_size=32, **kwargs):
        super().__init__(**kwargs)
        self.starts, self.batch_size = np.arange(start, end), batch_size

    def __len__(self):
        return int(np.ceil(len(self.starts) / self.batch_size))

    def __getitem__(self, idx):
        starts = self.starts[idx * self.batch_size : (idx + 1) * self.batch_size]
        steps = starts[:, None] + sampling_rate * np.arange(sequence_length)
        return raw_data[steps].astype("float32"), raw_data[starts + delay, 0]


train = Windows(0, num_train)
val = Windows(num_train, num_train + num_val, workers=2)
test = Windows(num_train + num_val, len(raw_data) - delay)
samples, targets = train[0]
assert tuple(samples.shape) == (32, 12, 2) and tuple(targets.shape) == (32,)


def naive(dataset):
    total, seen = 0.0, 0
    for samples, targets in map(dataset.__getitem__, range(len(dataset))):
        total += np.sum(np.abs(samples[:, -1, 0] - targets))
        seen += samples.shape[0]
    return total / seen


def stacked_gru(x):
    x = layers.GRU(8, return_sequences=True)(x)
    return layers.Dropout(0.2)(layers.GRU(8)(x))


def bidirectional(x):
    return layers.Bidirectional(
        layers.LSTM(6, recurrent_dropout=0.1), merge_mode="sum"
    )(x)


def convolution(x):
    x = layers.Conv1D(8, 5, activation="relu", padding="causal")(x)
    return layers.GlobalAveragePooling1D()(layers.MaxPooling1D(2)(x))


results = [naive(val)]
for body in (stacked_gru, bidirectional, convolution):
    inputs = keras.Input(shape=(sequence_length, raw_data.shape[-1]))
    model = keras.Model(inputs, layers.Dense(1)(body(inputs)), name=body.__name__)
    model.compile(optimizer=keras.optimizers.RMSprop(5e-3), loss="mse", metrics=["mae"])
    best = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    history = model.fit(
        train, epochs=3, validation_data=val, callbacks=[best], verbose=0
    ).history
    kept = keras.models.load_model("best.keras")
    mae = kept.evaluate(test, verbose=0)[1]
    print(f"{body.__name__}: val {min(history['val_mae']):.3f}, test {mae:.3f}")
    assert history["loss"][-1] < history["loss"][0]
    results += [history["loss"][-1], min(history["val_loss"]), mae]

# A stateful network reads the series in pieces and remembers.
stateful = keras.Sequential(
    [
        keras.Input(batch_shape=(1, None, 2)),
        layers.GRU(4, stateful=True),
        layers.Dense(1),
    ]
)
series = raw_data[None, :20].astype("float32")
whole = keras.ops.convert_to_numpy(stateful(series))
stateful.layers[0].reset_state()
stateful(series[:, :12])
pieces = keras.ops.convert_to_numpy(stateful(series[:, 12:]))
assert np.allclose(whole, pieces, atol=1e-5)
assert min(results[2::3]) < 1.0
print("RESULT", json.dumps([float(v) for v in [*results, whole[0, 0]]]))
