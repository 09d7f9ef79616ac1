"""Write the files of the folder above with tf-keras, and what their models compute.

    pip install tensorflow tf-keras
    python scripts/make_tf_keras_files.py

They go into `tf_keras.zip`. For each model its `expected.npz` has inputs, targets,
predictions, and the losses of the next steps, which need the state of the optimizer.
"""

import os
import pathlib
import sys
import tempfile
import warnings
import zipfile

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402

ARCHIVE = pathlib.Path(__file__).parent.parent / "tf_keras.zip"
layers, optimizers = keras.layers, keras.optimizers
Input, Model, Sequential = keras.Input, keras.Model, keras.Sequential


@keras.saving.register_keras_serializable("old")
class Scale(layers.Layer):
    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        constant = keras.initializers.Constant(self.start)
        self.factor = self.add_weight("factor", (input_shape[-1],), None, constant)

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@keras.saving.register_keras_serializable("old")
def cubic(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred) ** 3, axis=-1)


def sequential():
    stack = [
        layers.Dense(4, "hard_sigmoid", input_shape=(3,), kernel_regularizer="l2"),
        layers.ThresholdedReLU(0.3),
        layers.LeakyReLU(0.1),
        layers.Dense(2, "softmax"),
    ]
    model = Sequential(stack)
    metrics = ["accuracy", keras.metrics.AUC(num_thresholds=5)]
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(optimizers.Adam(0.01), loss, metrics=metrics)
    return model, (3,)


def functional():
    inputs = Input((4,), name="a"), Input((4,), name="b")
    inner = Sequential([layers.Dense(3, "tanh", input_shape=(4,))], name="inner")
    graph = Model(inputs[0], layers.Dense(3)(inputs[0]), name="graph")
    x = inner(inputs[0]) - inner(inputs[1]) * 2.0 + 1.0
    x = tf.concat([tf.nn.relu(x), graph(inputs[1])], axis=-1)[:, 1:]
    x = tf.reduce_mean(tf.reshape(x, (-1, 5, 1)), axis=-1, keepdims=False)
    x = 1.0 / (2.0 + tf.square(x)) + tf.clip_by_value(x, -0.5, 0.5)
    outputs = [layers.Dense(1, name="p")(x), layers.Dense(2, name="q")(x)]
    model = Model(inputs, outputs)
    sgd = optimizers.legacy.SGD(0.05, momentum=0.9, nesterov=True, decay=0.1)
    model.compile(sgd, ["mse", "mae"], metrics=[["mae"], ["mse"]])
    return model, (4,), (4,)


def cnn():
    stack = [
        layers.Conv2D(3, 3, padding="same", input_shape=(6, 6, 2)),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.DepthwiseConv2D(2, depth_multiplier=2),
        layers.SeparableConv2D(4, 2, padding="same"),
        layers.Conv2DTranspose(2, 2, strides=2),
        layers.UpSampling2D(interpolation="bilinear"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2),
    ]
    model = Sequential(stack)
    model.compile(optimizers.RMSprop(0.01, momentum=0.5, centered=True), "huber")
    return model, (6, 6, 2)


def recurrent(layer, adam=optimizers.legacy.Adam, **kwargs):
    def make():
        model = Sequential([getattr(layers, layer)(3, input_shape=(4, 2), **kwargs)])
        model.add(layers.Dense(1))
        model.compile(adam(0.01, amsgrad=True), "mse")
        return model, (4, 2)

    return make


def bidirectional():
    model = Sequential()
    model.add(layers.Masking(input_shape=(4, 2)))
    lstm = layers.LSTM(2, return_sequences=True)
    model.add(layers.Bidirectional(lstm, merge_mode="sum"))
    model.add(layers.TimeDistributed(layers.Dense(3)))
    model.add(layers.Bidirectional(layers.GRU(2)))
    model.compile(optimizers.legacy.Adamax(0.01, decay=1e-3), "logcosh")
    return model, (4, 2)


def attention():
    x = inputs = Input((4, 3))
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 2)(x, x))
    x = layers.Conv1D(2, 2, activation="gelu")(x)
    model = Model(inputs, layers.Dense(1)(layers.Flatten()(x)))
    rate = optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
    model.compile(optimizers.Adamax(rate), "mse")
    return model, (4, 3)


def custom():
    model = Sequential([Scale(2.0, input_shape=(3,)), layers.Dense(2)])
    model.compile(optimizers.legacy.Adagrad(0.05), cubic, metrics=[cubic])
    return model, (3,)


MODELS = {
    "sequential": sequential,
    "functional": functional,
    "cnn": cnn,
    "lstm_1": recurrent("LSTM", implementation=1, recurrent_activation="hard_sigmoid"),
    "lstm_2": recurrent("LSTM", optimizers.Adam, implementation=2),
    "gru_after": recurrent("GRU", reset_after=True),
    "gru_before": recurrent("GRU", reset_after=False),
    "bidirectional": bidirectional,
    "attention": attention,
    "custom": custom,
}
# The same models in the `.keras` format, which has no state of the older optimizers.
ZIPPED = ("sequential", "cnn", "lstm_2", "attention")


def main(folder):
    expected = {}
    for name, make in MODELS.items():
        keras.utils.set_random_seed(len(expected))
        keras.backend.clear_session()
        model, *shapes = make()
        random = np.random.default_rng(len(name))
        x = [random.normal(size=(5, *s)).astype("float32") for s in shapes]
        outputs = model.predict(x, verbose=0)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        y = [random.uniform(size=o.shape).astype("float32") for o in outputs]
        # TensorFlow's gradient of a crossentropy takes them for distributions.
        y = [t / t.sum(-1, keepdims=True) if len(t[0]) > 1 else t for t in y]
        data = [a if len(a) > 1 else a[0] for a in (x, y)]
        for _ in range(3):
            model.train_on_batch(*data)
        for suffix in (".h5", ".keras") if name in ZIPPED else (".h5",):
            model.save(folder / f"{name}{suffix}")
        outputs = model.predict(x, verbose=0)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        model.reset_metrics()
        losses = [model.train_on_batch(*data, reset_metrics=True) for _ in range(3)]
        losses = [np.ravel(loss)[0] for loss in losses]
        for kind, arrays in (("x", x), ("y", y), ("outputs", outputs)):
            expected |= {f"{name}/{kind}/{i}": a for i, a in enumerate(arrays)}
        expected[f"{name}/losses"] = np.array(losses)
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        main(pathlib.Path(folder))
        with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(pathlib.Path(folder).iterdir()):
                archive.write(path, path.name)
