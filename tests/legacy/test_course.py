"""A course's snippets, as they stand on its slides, run unchanged on minikeras."""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None,
    reason="with TensorFlow installed, its own functions are used",
)

DATA = """
import numpy as np
rng = np.random.default_rng(0)
X_train = rng.normal(size=(96, 20)).astype("float32")
y_train = (X_train @ rng.normal(size=(20, 1)) > 0).astype("float32")
"""

SNIPPETS = {
    "sequential": """
        import tensorflow as tf
        from tensorflow import keras
        tf.random.set_seed(42)
        model = keras.Sequential()
        model.add(keras.layers.Dense(256, activation="relu", input_shape=(20,)))
        model.add(keras.layers.Dense(1, activation="sigmoid"))
        model.summary()
        model.compile(optimizer='sgd', loss='mse')
        history = model.fit(X_train, y_train, epochs=3, batch_size=32, verbose=0)
        assert history.history["loss"][-1] < history.history["loss"][0]
        assert model.predict(X_train, verbose=0).shape == (96, 1)
        """,
    "dropout": """
        from tensorflow.keras.models import Sequential
        from tensorflow.keras.layers import Dense
        from tensorflow.keras.layers import Dropout
        model = Sequential([
            Dense(60, input_dim=20, activation='relu'),
            Dropout(0.2),
            Dense(30, activation='relu'),
            Dropout(0.2),
            Dense(1, activation='sigmoid'),
        ])
        model.compile(loss='binary_crossentropy', optimizer='adam',
                      metrics=['accuracy'])
        model.fit(X_train, y_train, epochs=2, batch_size=16, verbose=0)
        loss, accuracy = model.evaluate(X_train, y_train, verbose=0)
        assert 0 < loss < 2 and 0.3 < accuracy <= 1
        """,
    "batch_normalization": """
        from keras.models import Sequential
        from keras.layers.core import Dense, Activation
        from keras.layers.normalization import BatchNormalization
        model = Sequential()
        model.add(Dense(64, input_dim=20))
        model.add(BatchNormalization())
        model.add(Activation('tanh'))
        model.add(Dense(1, activation='sigmoid'))
        model.compile(optimizer='rmsprop', loss='binary_crossentropy')
        model.fit(X_train, y_train, epochs=1, verbose=0)
        assert len(model.get_weights()) == 8
        """,
    "regularization": """
        from keras import regularizers
        from keras.layers import Dense, Input
        from keras.models import Model
        inputs = Input(shape=(20,))
        hidden = Dense(32, activation="relu",
                       kernel_regularizer=regularizers.l2(0.01))(inputs)
        model = Model(inputs, Dense(1)(hidden))
        model.compile("sgd", "mse")
        plain = model.evaluate(X_train, y_train, verbose=0)
        assert len(model.losses) == 1 and plain > float(model.losses[0]) > 0
        """,
    "early_stopping": """
        import tensorflow as tf
        model = tf.keras.models.Sequential([
            tf.keras.layers.Dense(8, activation="relu", input_shape=(20,)),
            tf.keras.layers.Dense(1, activation="sigmoid"),
        ])
        opt = tf.keras.optimizers.RMSprop(learning_rate=0.1)
        model.compile(optimizer=opt, loss="binary_crossentropy")
        stop = tf.keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=2, restore_best_weights=True)
        history = model.fit(X_train, y_train, validation_split=0.25, epochs=60,
                            callbacks=[stop], verbose=0)
        assert len(history.history["val_loss"]) < 60
        best = min(history.history["val_loss"])
        found = model.evaluate(X_train[72:], y_train[72:], verbose=0)
        np.testing.assert_allclose(found, best, rtol=1e-4)
        """,
    "activations": """
        import tensorflow as tf
        x = tf.constant([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]])
        y = tf.keras.activations.softmax(x, axis=-1)
        expected = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(y, expected, rtol=1e-6)
        np.testing.assert_allclose(tf.reduce_sum(y, axis=1), [1, 1], rtol=1e-6)
        """,
    "convolution": """
        from tensorflow import keras
        from keras.layers.convolutional import Conv2D
        from keras.layers.pooling import MaxPooling2D
        from keras.utils.np_utils import to_categorical
        model = keras.models.Sequential([
            Conv2D(4, (3, 3), activation='relu', input_shape=(8, 8, 1)),
            MaxPooling2D((2, 2)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation='softmax'),
        ])
        model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
                      loss='categorical_crossentropy', metrics=['accuracy'])
        images = rng.random((16, 8, 8, 1))
        labels = to_categorical(rng.integers(0, 10, 16), 10)
        model.fit(images, labels, epochs=1, verbose=0)
        assert model.output_shape == (None, 10)
        """,
    "one_at_a_time": """
        import keras
        from keras.callbacks import LambdaCallback, ModelCheckpoint
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(20,))])
        model.compile(loss="mean_squared_error", optimizer="adam")
        seen = []
        model.fit(X_train, y_train, epochs=2, verbose=0, callbacks=[
            LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"])),
            ModelCheckpoint("best.keras", monitor="loss", save_best_only=True),
        ])
        again = keras.models.load_model("best.keras")
        np.testing.assert_allclose(again.predict(X_train, verbose=0),
                                   model.predict(X_train, verbose=0), rtol=1e-6)
        assert len(seen) == 2
        """,
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet(name, tmp_path):
    script = "import minikeras\nminikeras.install_as_keras()\n" + DATA
    script += textwrap.dedent(SNIPPETS[name])
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,  # one of them writes a file
        env={**os.environ, "PYTHONPATH": root},
    )
    assert done.returncode == 0, done.stderr
