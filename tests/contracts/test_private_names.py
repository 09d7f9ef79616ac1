"""No private name in a user's class is taken for one of ours."""

import inspect

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from tests.contracts.private_names import NAMES

X = np.random.RandomState(0).rand(8, 3).astype("float32")
Y = np.random.RandomState(1).rand(8, 2).astype("float32")


def refuse(self, *args, **kwargs):
    raise AssertionError("a user's private helper was called by the package")


def with_attributes(cls, *args, **kwargs):
    """An object of `cls` with every name as an attribute of its own."""
    made = cls(*args, **kwargs)
    for name in NAMES:
        setattr(made, name, "mine")
    return made


def with_helpers(cls, *args, **kwargs):
    """An object of a subclass of `cls` with every name as a method."""
    return type(cls.__name__, (cls,), dict.fromkeys(NAMES, refuse))(*args, **kwargs)


class Scale(layers.Layer):
    def build(self, input_shape):
        self.k = self.add_weight((input_shape[-1],), "ones", name="k")

    def call(self, x):
        self.add_loss(0.0 * keras.ops.sum(x))
        return x * self.k


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.drop = layers.Dropout(0.1)
        self.d = layers.Dense(2)

    def call(self, x, training=False):
        return self.d(self.drop(x, training=training))


class Sgd(keras.optimizers.Optimizer):
    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.v = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        variable.assign_sub(learning_rate * gradient)


class Hinge(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.relu(1 - y_true * y_pred), -1)


class Seen(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.n = self.add_weight(name="n", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.n.assign_add(1.0)

    def result(self):
        return self.n.value


def trains(model, tmp_path, optimizer="sgd", loss="mse", metrics=(), callbacks=()):
    model.compile(optimizer, loss, metrics=list(metrics))
    model.fit(X, Y, epochs=2, batch_size=4, verbose=0, callbacks=list(callbacks))
    model.evaluate(X, Y, verbose=0, batch_size=4)
    before = model.predict(X, verbose=0)
    model.save_weights(tmp_path / "a.weights.h5")
    model.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    model.train_on_batch(X, Y)
    model.summary(print_fn=lambda *_, **__: None)
    assert model.count_params() and model.losses is not None and repr(model)
    model.trainable = False


def plain(tmp_path, extra=None, **settings):
    extra = [] if extra is None else [extra]
    stack = [keras.Input((3,)), *extra, layers.Dense(2)]
    trains(keras.Sequential(stack), tmp_path, **settings)


RUNS = {
    "Layer": (Scale, (), lambda o, p: plain(p, extra=o)),
    "Model": (Net, (), lambda o, p: trains(o, p)),
    "Sequential": (
        keras.Sequential,
        ([keras.Input((3,)), layers.Dense(2)],),
        lambda o, p: trains(o, p),
    ),
    "Optimizer": (Sgd, (0.1,), lambda o, p: plain(p, optimizer=o)),
    "Adam": (keras.optimizers.Adam, (), lambda o, p: plain(p, optimizer=o)),
    "Loss": (Hinge, (), lambda o, p: plain(p, loss=o)),
    "Metric": (Seen, (), lambda o, p: plain(p, metrics=[o])),
    "Callback": (keras.callbacks.Callback, (), lambda o, p: plain(p, callbacks=[o])),
    "EarlyStopping": (
        keras.callbacks.EarlyStopping,
        ("loss",),
        lambda o, p: plain(p, callbacks=[o]),
    ),
    "Dense": (layers.Dense, (4,), lambda o, p: plain(p, extra=o)),
    "Dropout": (layers.Dropout, (0.5,), lambda o, p: plain(p, extra=o)),
    "BatchNormalization": (
        layers.BatchNormalization,
        (),
        lambda o, p: plain(p, extra=o),
    ),
    "LSTM": (
        layers.LSTM,
        (3,),
        lambda o, p: plain(
            p, extra=keras.Sequential([layers.Reshape((3, 1)), o, layers.Dense(3)])
        ),
    ),
    "LSTMCell": (
        layers.LSTMCell,
        (3,),
        lambda o, p: plain(
            p, extra=keras.Sequential([layers.Reshape((3, 1)), layers.RNN(o)])
        ),
    ),
}


def test_there_are_many_names():
    assert len(set(NAMES)) >= 300


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("way", [with_attributes, with_helpers])
def test_private_names_are_the_users(kind, way, tmp_path):
    cls, args, run = RUNS[kind]
    made = way(cls, *args)
    run(made, tmp_path)
    if way is with_attributes:
        kept = {name: vars(made)[name] for name in NAMES}
        assert set(kept.values()) == {"mine"}


def test_our_members_carry_the_prefix():
    from minikeras.core.members import Alias

    # What users set on their classes, or override, as in Keras.
    open_names = {
        *("_convert_input_args", "_allow_non_tensor_positional_args"),
        *("_clip_gradients", "_use_weight_decay", "_should_use_adamw"),
        *("_save_model", "_get_file_path", "_should_save_model"),
        *("_should_save_on_batch", "_set_monitor_op", "_is_improvement"),
        *("_compute_attention", "_masked_softmax", "_compute_attention_mask"),
        *("_calculate_scores", "_calculate_score_mask"),
        # Sub-layers whose names stand in Keras's files.
        *("_query_dense", "_key_dense", "_value_dense", "_output_dense"),
    }
    bases = (
        *(layers.Layer, keras.optimizers.Optimizer, keras.losses.Loss),
        *(keras.metrics.Metric, keras.callbacks.Callback),
        *(keras.initializers.Initializer, keras.regularizers.Regularizer),
        *(keras.constraints.Constraint, keras.utils.PyDataset),
        keras.optimizers.schedules.LearningRateSchedule,
    )
    for module in vars(keras).values():
        for cls in vars(module).values() if inspect.ismodule(module) else ():
            if inspect.isclass(cls) and issubclass(cls, bases):
                for name, member in inspect.getmembers_static(cls):
                    private = name.startswith("_") and not name.startswith("__")
                    ours = private and not isinstance(member, Alias)
                    if ours and name not in open_names:
                        assert name.startswith(("_mk_", "_abc_")), (cls, name)


def test_no_layer_hides_a_property_of_its_bases():
    """A method of a base's private name broke freezing once."""
    for name in keras.layers.__all__:
        cls = getattr(keras.layers, name)
        if not isinstance(cls, type):
            continue
        for base in cls.__mro__[1:]:
            for key, value in vars(base).items():
                if isinstance(value, property) and key.startswith("_mk_"):
                    assert isinstance(inspect.getattr_static(cls, key), property), (
                        f"{name}.{key} hides the property of {base.__name__}"
                    )
