"""Nothing stays behind when models are dropped."""

import gc

import jax
import numpy as np

import minikeras as keras

X = np.random.default_rng(0).random((32, 8), dtype=np.float32)
Y = np.random.default_rng(1).random((32, 2), dtype=np.float32)


def build():
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def use_up(model):
    """Everything a model can do, once."""
    model.fit(X, Y, batch_size=16, epochs=2, validation_data=(X, Y), verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    model.predict_on_batch(X)


def alive():
    """(arrays of JAX, objects of ours) after the collector ran."""
    gc.collect()
    modules = (str(type(each).__module__) for each in gc.get_objects())
    return len(jax.live_arrays()), sum(m.startswith("minikeras") for m in modules)


def test_a_dropped_model_leaves_nothing():
    use_up(build())  # fills what is kept once and for all
    before = alive()
    for _ in range(3):
        use_up(build())
    assert alive() == before


def test_a_model_with_an_interrupted_fit_leaves_nothing():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    def interrupted():
        try:
            build().fit(X, Y, callbacks=[Stop()], verbose=0)
        except KeyboardInterrupt:
            pass

    interrupted()
    before = alive()
    for _ in range(2):
        interrupted()
    assert alive() == before


def test_predict_keeps_nothing():
    model = build()
    model.predict(X[:1], verbose=0)
    before = alive()
    for _ in range(50):
        model.predict(X[:1], verbose=0)
        model(X[:1])
    assert alive() == before
