"""Scripts of Keras 1 and 2: each test is one process, as the effect is global."""

import subprocess
import sys
import textwrap

START = """
import warnings
import numpy as np
from minikeras.utils import install_as_keras
install_as_keras()
from minikeras.legacy import arguments, methods
arguments.install()
methods.install()
import keras
from keras import backend as K
from keras import layers
from keras.layers import Dense, Input, Lambda
from keras.models import Model, Sequential, load_model
r = np.random.RandomState(0)

def told():
    '''The warnings since the last call.'''
    found = [str(w.message).partition(" is of")[0] for w in caught]
    caught.clear()
    return found

catcher = warnings.catch_warnings(record=True)
caught = catcher.__enter__()
warnings.simplefilter("always")
"""


def run(script, tmp_path):
    code = START + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_arguments(tmp_path):
    run(
        """
        import inspect, pickle
        model = Sequential()
        model.add(layers.Convolution2D(
            4, 3, 2, border_mode="same", subsample=(2, 2), input_shape=(8, 8, 3),
            dim_ordering="tf", W_regularizer=keras.regularizers.l2(0.01)))
        conv = model.layers[0]
        assert type(conv) is layers.Conv2D and isinstance(conv, layers.Convolution2D)
        assert not isinstance(Dense(2), layers.Convolution2D)
        assert conv.kernel_size == (3, 2) and conv.strides == (2, 2)
        assert conv.padding == "same" and conv.data_format == "channels_last"
        assert told() == ["Convolution2D(n, 3, 2)"] + [
            f"Conv2D({n}=)" for n in
            ("border_mode", "subsample", "dim_ordering", "W_regularizer")
        ]
        model.add(layers.Conv2D(nb_filter=4, nb_row=3, nb_col=2, init="uniform",
                                bias=False))
        second = model.layers[1]
        assert second.kernel_size == (3, 2) and not second.use_bias
        assert type(second.kernel_initializer) is keras.initializers.RandomUniform
        assert layers.Conv2D(4, 3, 3).strides == (3, 3)
        assert layers.Conv2D(4, 3, dim_ordering="th").data_format == "channels_first"
        model.add(layers.MaxPooling2D(dim_ordering="tf", border_mode="same"))
        model.add(layers.Flatten())
        model.add(layers.Dropout(p=0.25))
        model.add(layers.GaussianNoise(sigma=0.1))
        model.add(layers.BatchNormalization(mode=0))
        kernel = r.normal(size=(5, 2)).astype("float32")
        model.add(Dense(output_dim=5, init="glorot_uniform"))
        model.add(Dense(2, weights=[kernel, np.ones(2)]))
        np.testing.assert_array_equal(model.layers[-1].get_weights()[0], kernel)
        told()
        model.compile(optimizer=keras.optimizers.SGD(lr=0.125), loss="mse",
                      class_mode="binary")
        assert told() == ["SGD(lr=)", "compile(class_mode=)"]
        assert float(model.optimizer.lr.numpy()) == 0.125
        x, y = np.ones((8, 8, 8, 3)), np.ones((8, 2))
        history = model.fit(x, y, nb_epoch=2, verbose=0, workers=4)
        assert history.epoch == [0, 1]
        assert told() == ["fit(nb_epoch=)", "fit(workers=)"]
        model.fit(x, y, nb_epoch=1, verbose=0)
        model.predict(x, verbose=0, max_queue_size=3)
        model.evaluate(x, y, verbose=0, use_multiprocessing=True)
        assert told() == ["predict(max_queue_size=)", "evaluate(use_multiprocessing=)"]
        lstm = layers.LSTM(output_dim=3, inner_activation="hard_sigmoid", dropout_W=0.1,
                           dropout_U=0.2, consume_less="gpu")
        assert (lstm.units, lstm.dropout, lstm.recurrent_dropout) == (3, 0.1, 0.2)
        rows = layers.Embedding(input_dim=9, output_dim=4, input_length=3)
        assert rows.output_dim == 4
        inputs = Input((4,))
        assert Model(input=inputs, output=Dense(3)(inputs)).output_shape == (None, 3)

        class Mine(Dense):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)

        assert Mine(output_dim=3).get_config()["units"] == 3
        assert pickle.loads(pickle.dumps(Dense(output_dim=3))).units == 3
        copy = Dense.from_config(Dense(output_dim=6).get_config())
        assert copy.units == 6
        assert keras.callbacks.ReduceLROnPlateau(epsilon=0.25).min_delta == 0.25
        told()
        for call, text in (
            (lambda: layers.Embedding(5, 3, dropout=0.2), "dropout=0.2 cannot be put"),
            (lambda: layers.BatchNormalization(mode=1), "mode=1 cannot be put"),
            (lambda: Dense(3, nope=2), "nope"),
            (lambda: model.compile(target_tensors=[1]), "target_tensors"),
            (lambda: Dense(3, p=0.5), "p"),
        ):
            try:
                call()
            except (ValueError, TypeError) as error:
                assert text in str(error), error
            else:
                raise AssertionError(text)
        signature = inspect.signature(Dense)
        assert list(signature.parameters)[0] == "units"
        assert arguments.old_arguments(Dense)["output_dim"] == "units"
        from minikeras.utils import uninstall_as_keras
        uninstall_as_keras()
        uninstall_as_keras()
        try:
            Dense(output_dim=3)
        except (ValueError, TypeError):
            pass
        else:
            raise AssertionError("not removed")
        assert layers.Convolution2D is layers.Conv2D
        assert inspect.signature(Dense) == signature
        assert not hasattr(Model, "fit_generator") and not hasattr(Dense, "updates")
        Model(inputs, Dense(3)(inputs))
        """,
        tmp_path,
    )


def test_shapes_defaults_and_places_of_arguments(tmp_path):
    run(
        """
        # The shape of the input in pieces: the stack is built at once.
        for layer, size in (
            (layers.Embedding(9, 3, input_length=5), (None, 5, 3)),
            (layers.Embedding(9, 3, input_length=(5, 2)), (None, 5, 2, 3)),
            (layers.LSTM(8, input_dim=4, input_length=5), (None, 8)),
            (layers.GRU(8, input_dim=4, return_sequences=True), (None, None, 8)),
            (layers.Conv1D(8, 3, input_dim=4, input_length=9), (None, 7, 8)),
            (layers.Embedding(9, 3, input_length=5, input_shape=(None,)),
             (None, None, 3)),
        ):
            assert Sequential([layer]).output_shape == size, layer
        assert set(told()) == {
            f"{name}(input_length=)" for name in ("Embedding", "LSTM", "Conv1D")
        }
        assert not Sequential([layers.Embedding(9, 3)]).built
        assert arguments.old_arguments(layers.GRU)["input_length"] == "input_shape"

        # The metrics were the third argument of `compile`.
        model = Sequential([Input((8, 8, 1)), layers.AveragePooling2D(),
                            layers.Flatten(), Dense(1)])
        assert model.layers[0].get_config()["pool_size"] == (2, 2)
        x, y = r.normal(size=(4, 8, 8, 1)), np.zeros((4, 1))
        model.compile("sgd", "mse", ["mae"], [2.0])
        assert told() == ["compile(optimizer, loss, metrics)"]
        loss, mae = model.evaluate(x, y, verbose=0)
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(loss, 2 * np.mean(found ** 2), rtol=1e-5)
        np.testing.assert_allclose(mae, np.mean(np.abs(found)), rtol=1e-5)
        model.compile("sgd", "mse", [3.0])
        loss = model.evaluate(x, y, verbose=0)
        np.testing.assert_allclose(loss, 3 * np.mean(found ** 2), rtol=1e-5)
        assert told() == []

        l2 = keras.regularizers.activity_l2(0.1)
        np.testing.assert_allclose(float(l2(np.full((2, 2), 3.0))), 3.6, rtol=1e-6)
        both = Input((3,))
        assert Input(tensor=both) is both and keras.Input(tensor=both) is both
        """,
        tmp_path,
    )


def test_methods(tmp_path):
    run(
        """
        import os
        from keras.utils import np_utils
        model = Sequential([Dense(3, activation="softmax", input_dim=4)])
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        x = r.normal(size=(20, 4)).astype("float32")
        y = np_utils.to_categorical(r.randint(0, 3, 20), 3)

        def batches():
            while True:
                for i in range(0, 20, 5):
                    yield x[i:i + 5], y[i:i + 5]

        start = model.get_weights()
        model.fit(x, y, batch_size=5, shuffle=False, epochs=2, verbose=0)
        plain = model.get_weights()
        told()
        for more in (
            {"samples_per_epoch": 20, "nb_epoch": 2, "nb_val_samples": 10},
            {"steps_per_epoch": 4, "epochs": 2, "validation_steps": 2, "workers": 2},
        ):
            model.set_weights(start)
            history = model.fit_generator(
                batches(), verbose=0, validation_data=batches(), **more)
            for a, b in zip(model.get_weights(), plain):
                np.testing.assert_allclose(a, b, rtol=1e-5)
            assert len(history.history["val_loss"]) == 2
        assert told() == ["fit_generator", "fit(nb_epoch=)", "fit(workers=)"]
        loss = model.evaluate_generator(batches(), steps=4)
        np.testing.assert_allclose(loss, model.evaluate(x, y, verbose=0), rtol=1e-5)
        np.testing.assert_allclose(model.evaluate_generator(batches(), val_samples=20),
                                   loss, rtol=1e-6)
        p = model.predict(x, verbose=0)
        np.testing.assert_allclose(model.predict_generator(batches(), 4), p, rtol=1e-5)
        np.testing.assert_array_equal(model.predict_classes(x), p.argmax(-1))
        np.testing.assert_allclose(model.predict_proba(x), p)
        K.set_value(model.optimizer.lr, 0.5)
        assert K.get_value(model.optimizer.lr) == 0.5
        model.optimizer.lr = 0.25
        assert model.optimizer.get_weights()[1] == 0.25
        model.optimizer.set_weights(model.optimizer.get_weights())
        assert len(model.optimizer.weights) == len(model.optimizer.variables)
        mean = keras.metrics.Mean()
        mean.update_state(3.0)
        mean.reset_states()
        assert float(mean.result()) == 0
        assert model._make_predict_function() is model.make_train_function() is None
        lstm = layers.LSTM(2, stateful=True)
        recurrent = Sequential([Sequential([lstm], name="inner"), Dense(1)])
        recurrent.build((2, 3, 4))
        recurrent(np.ones((2, 3, 4)))
        assert lstm.states[0].numpy().any()
        recurrent.reset_states()
        assert not lstm.states[0].numpy().any()
        dense = model.layers[0]
        assert dense.input_shape == (None, 4) and dense.output_shape == (None, 3)
        assert dense.get_output_at(0) is dense.output and len(dense.inbound_nodes) == 1
        assert dense.get_input_shape_at(0) == (None, 4)
        try:
            dense.get_input_at(5)
        except ValueError as error:
            assert "has no node 5" in str(error)
        told()
        for path in ("ckpt/w", "w.hdf5", "w.h5", "w.ckpt", "w.weights.h5"):
            model.save_weights(path)
            weights = model.get_weights()
            model.set_weights([0 * w for w in weights])
            model.load_weights(path)
            np.testing.assert_array_equal(model.get_weights()[0], weights[0])
        assert told() == ["save_weights('ckpt/w')", "save_weights('w.ckpt')"]
        model.load_weights("w.h5", by_name=True)
        model.save("plain")
        model.save("folder/x.model", save_format="tf")
        keras.models.save_model(model, "other")
        model.save("right.keras")
        for path in ("plain", "folder/x.model", "other", "right.keras"):
            copy = load_model(path)
            np.testing.assert_allclose(copy.predict(x, verbose=0), p, rtol=1e-6)
        checkpoint = keras.callbacks.ModelCheckpoint(
            "c.{epoch:02d}.hdf5", save_weights_only=True, period=2, monitor="loss")
        model.fit(x, y, epochs=5, verbose=0, callbacks=[checkpoint])
        saved = sorted(f for f in os.listdir(".") if f.startswith("c."))
        assert saved == ["c.02.hdf5", "c.04.hdf5"]
        try:
            model.to_yaml()
        except RuntimeError as error:
            assert "to_json" in str(error)
        """,
        tmp_path,
    )


def test_losses_of_a_graph(tmp_path):
    run(
        """
        x = Input((6,))
        hidden = Dense(4, activation="tanh")(x)
        mu, log_var = Dense(2)(hidden), Dense(2)(hidden)

        def sample(args):
            mu, log_var = args
            noise = K.random_normal(shape=(K.shape(mu)[0], 2), mean=0.0, stddev=1.0)
            return mu + K.exp(log_var / 2) * noise

        z = Lambda(sample)([mu, log_var])
        y = Dense(6, activation="sigmoid")(z)
        vae = Model(x, y)
        kl = -0.5 * K.sum(1 + log_var - K.square(mu) - K.exp(log_var), axis=-1)
        vae.add_loss(K.mean(6 * keras.losses.binary_crossentropy(x, y) + kl))
        vae.add_metric(kl, name="kl", aggregation="mean")
        vae.compile(optimizer=keras.optimizers.rmsprop(lr=0.01))
        data = r.uniform(size=(40, 6)).astype("float32")
        history = vae.fit(data, epochs=3, batch_size=20, verbose=0,
                          validation_data=(data, None)).history
        assert history["loss"][2] < history["loss"][0] and "val_kl" in history
        kl_of = K.function([x], [K.mean(kl)])
        loss, metric = vae.evaluate(data, verbose=0)
        np.testing.assert_allclose(kl_of([data])[0], metric, rtol=1e-4)
        vae.save("vae.keras")
        again = load_model("vae.keras", custom_objects={"sample": sample})
        for a, b in zip(again.get_weights(), vae.get_weights()):
            np.testing.assert_array_equal(a, b)

        # Without noise, the loss of the graph is that of `compile`.
        a, b = Input((3,)), Input((2,))
        out = Dense(2, kernel_initializer="ones")(a)
        first = Model([a, b], out)
        first.add_loss(K.mean(K.square(out - b)))
        second = Model(a, Dense(2, kernel_initializer="ones")(a))
        u, v = r.normal(size=(8, 3)), r.normal(size=(8, 2))
        first.compile("sgd")
        second.compile("sgd", "mse")
        h = first.fit([u, v], epochs=3, shuffle=False, verbose=0).history["loss"]
        w = second.fit(u, v, epochs=3, shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(h, w, rtol=1e-5)

        class Mine(keras.layers.Layer):
            def call(self, x):
                self.add_metric(K.mean(x), name="mine")
                self.add_loss(K.sum(x) * 0.5)
                self.add_update([])
                return x

        model = Sequential([Input((3,)), Mine(), Dense(1)])
        model.compile("sgd", "mse")
        logs = model.fit(u, v[:, :1], verbose=0, batch_size=8).history
        np.testing.assert_allclose(logs["mine"], [u.mean()], rtol=1e-4)
        try:
            Sequential([Dense(1)]).add_loss(out)
        except ValueError as error:
            assert "is no graph" in str(error)
        """,
        tmp_path,
    )


def test_optimizers_by_position(tmp_path):
    """The order of Keras 1 and 2 where the values can mean nothing else."""
    run(
        """
        from keras.optimizers import SGD, Adagrad, Adam, Nadam, RMSprop

        def has(optimizer, **expected):
            config = optimizer.get_config()
            found = {k: config.get(k) for k in expected}
            assert found == expected

        has(RMSprop(0.001, 0.9, 1e-6), rho=0.9, epsilon=1e-6, momentum=0.0)
        has(RMSprop(0.001, 0.9, None, 0.0), epsilon=1e-7, momentum=0.0)
        has(RMSprop(0.001, 0.9, 0.5), epsilon=1e-7, momentum=0.5)
        has(Adagrad(0.01, 1e-8, 1e-4), epsilon=1e-8, decay=1e-4, weight_decay=None,
            initial_accumulator_value=0.1)
        has(Adam(0.1, 0.9, 0.99, 1e-8, 0.01), epsilon=1e-8, decay=0.01, amsgrad=False)
        has(Adam(0.1, 0.9, 0.99, 1e-8, True), epsilon=1e-8, amsgrad=True)
        has(SGD(0.1, 0.9, 1e-6, True), momentum=0.9, decay=1e-6, nesterov=True)
        has(SGD(0.1, 0.9, True), nesterov=True)
        told()
        Nadam(0.002, 0.9, 0.999, 1e-8, 0.004)
        assert told() == ["Nadam(…, schedule_decay)"]
        arguments.remove()
        has(RMSprop(0.001, 0.9, 1e-6), momentum=1e-6)
        """,
        tmp_path,
    )


def test_accuracy_and_small_arguments(tmp_path):
    run(
        """
        from keras.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
        from keras.layers import merge
        from keras.utils import to_categorical
        from keras.utils.np_utils import to_categorical as from_np_utils

        class Twice(layers.Layer):
            def build(self, shape):
                self.w = self.add_weight("W", (shape[-1], 2), initializer="ones")

            def call(self, x):
                return K.dot(x, self.w)

        softmax = layers.Activation("softmax")
        model = Sequential([Dense(4, input_dim=3), Twice(), softmax])
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        assert model.layers[1].w.name == "W"
        x, y = r.rand(20, 3), np.eye(2)[r.randint(0, 2, 20)]
        watchers = [
            EarlyStopping(monitor="val_acc", patience=1),
            ModelCheckpoint("{epoch}-{val_acc:.2f}.h5", monitor="val_acc"),
            ReduceLROnPlateau(monitor="val_acc"),
        ]
        fit = dict(validation_split=0.2, epochs=2, verbose=0)
        found = model.fit(x, y, callbacks=watchers, **fit).history
        assert found["acc"] == found["accuracy"]
        assert found["val_acc"] == found["val_accuracy"]
        names = ["accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"]
        assert sorted(found) == names
        assert watchers[0].best is not None
        try:
            found["val_auc"]
            raise AssertionError
        except KeyError:
            pass

        # Metrics of several outputs: all for each.
        inputs = Input((3,))
        several = Model(inputs, [Dense(2, name=n)(inputs) for n in "ab"])
        several.compile("sgd", "mse", metrics=["mae"])
        logs = several.train_on_batch(x, [y, y], return_dict=True)
        assert {"a_mae", "b_mae"} <= set(logs), logs

        # A step of an optimizer in a graph, as policy gradients were written.
        policy = Sequential([Dense(2, activation="softmax", input_dim=3)])
        action, advantage = K.placeholder((None, 2)), K.placeholder((None,))
        chance = K.sum(policy.output * action, axis=1)
        loss = -K.sum(K.log(chance) * advantage)
        sgd = keras.optimizers.SGD(0.1)
        start, factor = policy.get_weights(), np.arange(len(x)) / 9
        for args in (
            dict(loss=loss, params=policy.trainable_weights),
            dict(constraints=[], params=policy.trainable_weights, loss=loss),
        ):
            updates = sgd.get_updates(**args)
        assert sgd.get_updates(policy.trainable_weights, [], loss)
        assert sgd.get_updates(loss, policy.trainable_weights)
        train = K.function([policy.input, action, advantage], [loss], updates=updates)
        (value,) = train([x, y, factor])
        policy_of = lambda w, b: -np.sum(np.log(np.sum(
            y * np.exp(x @ w + b), 1) / np.exp(x @ w + b).sum(1)) * factor)
        np.testing.assert_allclose(value, policy_of(*start), 1e-5)
        p = np.exp(x @ start[0] + start[1])
        p /= p.sum(1, keepdims=True)
        slope = x.T @ ((p - y) * factor[:, None])
        np.testing.assert_allclose(
            policy.get_weights()[0], start[0] - 0.1 * slope, 1e-4, 1e-5)

        # Weights of classes for a generator: as weights of samples.
        other = keras.models.clone_model(model)
        other.set_weights(model.get_weights())
        other.compile("sgd", "categorical_crossentropy")
        model.compile("sgd", "categorical_crossentropy")
        weights = {0: 1.0, 1: 5.0}
        model.fit_generator(iter([(x, y)]), 1, 1, verbose=0, class_weight=weights)
        other.fit(x, y, 20, epochs=1, verbose=0, class_weight=weights, shuffle=False)
        for a, b in zip(model.get_weights(), other.get_weights()):
            np.testing.assert_allclose(a, b, 1e-5)

        assert (from_np_utils([0, 2], nb_classes=4) == np.eye(4)[[0, 2]]).all()
        assert to_categorical(y=[1], num_classes=2, dtype="int32").dtype == "int32"
        relu = keras.activations.relu
        assert np.allclose(relu(np.float32([-1, 2]), alpha=0.1), [-0.1, 2])
        assert keras.activations.serialize(relu) == "relu"
        difference = merge([Input((3,)), Input((3,))], mode=lambda t: t[0] - t[1])
        assert difference.shape == (None, 3)
        assert K.arange(0.0, 1.0, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
        methods.remove()
        assert not hasattr(ModelCheckpoint.on_epoch_end, "__wrapped__")
        assert not hasattr(relu, "alpha") and keras.callbacks.History().history == {}
        """,
        tmp_path,
    )


def test_names(tmp_path):
    run(
        """
        import h5py
        from keras.objectives import mse
        from keras.optimizers import adam, rmsprop, sgd
        from keras.layers.local import LocallyConnected1D, LocallyConnected2D
        from keras.layers import (
            CuDNNGRU, CuDNNLSTM, Deconvolution2D, Merge, RandomHeight, RandomWidth,
            SyncBatchNormalization, ThresholdedReLU, TimeDistributedDense, merge)
        from keras.utils.np_utils import probas_to_classes
        from keras.utils.io_utils import HDF5Matrix
        from keras.utils import multi_gpu_model
        from keras.callbacks import BaseLogger
        from keras.models import model_from_config, model_from_yaml
        assert mse is keras.losses.MSE is keras.metrics.mse
        assert mse is keras.losses.mean_squared_error
        assert keras.losses.kullback_leibler_divergence is keras.losses.KLD
        assert keras.losses.Reduction.SUM == "sum"
        assert keras.losses.Reduction.NONE is None
        assert adam is keras.optimizers.Adam
        assert keras.constraints.maxnorm(2).max_value == 2
        assert keras.initializers.normal(stddev=2.0).stddev == 2.0
        assert isinstance(keras.regularizers.WeightRegularizer(l1=0.1),
                          keras.regularizers.L1L2)
        x = r.normal(size=(2, 6, 7, 3)).astype("float32")
        local = LocallyConnected2D(2, (3, 2), strides=(1, 2), activation="relu",
                                   bias_initializer="normal")
        found = np.asarray(local(x))
        kernel, bias = local.get_weights()
        assert kernel.shape == (4 * 3, 3 * 2 * 3, 2) and bias.shape == (4, 3, 2)
        for i in range(4):
            for j in range(3):
                patch = x[:, i:i + 3, 2 * j:2 * j + 2].reshape(2, -1)
                np.testing.assert_allclose(
                    found[:, i, j],
                    np.maximum(patch @ kernel[3 * i + j] + bias[i, j], 0),
                    rtol=1e-4, atol=1e-5)
        assert LocallyConnected1D(2, 3)(x[:, 0]).shape == (2, 5, 2)
        first = LocallyConnected2D(2, 3, data_format="channels_first")
        assert first(x.transpose(0, 3, 1, 2)).shape == (2, 2, 4, 5)
        model = Sequential([Input((6, 7, 3)), LocallyConnected2D(2, 3)])
        model.save("local.keras")
        np.testing.assert_allclose(load_model("local.keras").predict(x, verbose=0),
                                   model.predict(x, verbose=0), rtol=1e-6)
        tall = RandomHeight((0.5, 0.5), seed=1)(x, training=True)
        assert tall.shape == (2, 9, 7, 3)
        assert RandomHeight(0.5)(x, training=False).shape == x.shape
        assert RandomWidth((-0.5, -0.4))(x, training=True).shape[2] in (3, 4)
        np.testing.assert_array_equal(
            ThresholdedReLU(theta=0.5)(np.array([0.25, 0.75])), [0, 0.75])
        told()
        assert type(CuDNNLSTM(3)) is layers.LSTM and type(CuDNNGRU(3)) is layers.GRU
        CuDNNLSTM(4)
        assert told() == ["CuDNNLSTM", "CuDNNGRU"]
        assert SyncBatchNormalization().synchronized
        assert TimeDistributedDense(4)(x[:, 0]).shape == (2, 7, 4)
        up = Deconvolution2D(3, 3, 2, output_shape=(None, 12, 14, 3), subsample=(2, 2),
                             border_mode="same")
        assert up(x).shape == (2, 12, 14, 3)
        a, b = Input((2, 3)), Input((2, 3))
        u, v = r.normal(size=(2, 4, 2, 3)).astype("float32")
        for mode, expected in (
            ("sum", u + v), ("mul", u * v), ("ave", (u + v) / 2),
            ("max", np.maximum(u, v)), ("concat", np.concatenate([u, v], -1)),
            ("dot", np.einsum("bik,bjk->bij", u, v)),
        ):
            (out,) = K.function([a, b], [merge([a, b], mode=mode)])([u, v])
            np.testing.assert_allclose(out, expected, rtol=1e-5)
        left = Sequential([Dense(2, input_dim=3)])
        right = Sequential([Dense(2, input_dim=4)])
        model = Sequential()
        model.add(Merge([left, right], mode="concat"))
        model.add(Dense(1))
        model.compile("sgd", "mse")
        model.fit([np.ones((5, 3)), np.ones((5, 4))], np.ones((5, 1)), verbose=0)
        assert model.count_params() == 8 + 10 + 5
        assert multi_gpu_model(model, gpus=2) is model
        np.testing.assert_array_equal(probas_to_classes(u[:, 0]), u[:, 0].argmax(1))
        with h5py.File("x.h5", "w") as file:
            file["rows"] = u[:, 0]
        np.testing.assert_array_equal(HDF5Matrix("x.h5", "rows", 1, 3), u[1:3, 0])
        config = {"class_name": "Sequential", "config": left.get_config()}
        assert model_from_config(config).count_params() == 8
        BaseLogger()
        for call, text in (
            (lambda: model_from_yaml("a: b"), "can run code"),
            (lambda: merge([a, b], mode="nope"), "expected a mode among"),
            (lambda: LocallyConnected1D(2, 3, padding="same"), "ZeroPadding"),
            (lambda: RandomHeight(-2.0), "expected a factor above -1"),
        ):
            try:
                call()
            except (ValueError, RuntimeError) as error:
                assert text in str(error), error
            else:
                raise AssertionError(text)
        """,
        tmp_path,
    )
