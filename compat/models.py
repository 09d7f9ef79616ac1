"""One table of small models, each built and trained by the same lines of code.

A case is a function of the package, `keras` or `minikeras`: it returns a compiled
model and the arguments of `fit`. Between them the cases cross optimizers, schedules,
noise, normalization, regularizers, losses, metrics, callbacks, kinds of models and
sources of data.
"""

import itertools

import numpy as np

CASES = {}


def case(function):
    """Enter a case in the table."""
    CASES[function.__name__] = function
    return function


def data(*shape, seed=0):
    """Random floats, asymmetric and of unequal columns."""
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(0.3, 1.0, shape) * np.linspace(0.5, 1.5, shape[-1])
    return x.astype("float32")


def classes(rows, count, seed=1):
    """Random labels, the first classes more frequent."""
    rng = np.random.default_rng([seed, rows])
    return np.minimum(rng.geometric(0.5, rows) - 1, count - 1).astype("int32")


def one_hot(labels, count):
    return np.eye(count, dtype="float32")[labels]


ROWS = 44  # with batches of 16: two whole ones and a partial one
X = data(ROWS, 5)
LABELS = classes(ROWS, 3)
TARGETS = (X @ data(5, 2, seed=3) + data(ROWS, 2, seed=4)).astype("float32")
BINARY = (TARGETS[:, :1] > 0.2).astype("float32")
WEIGHTS = np.linspace(0.2, 2.0, ROWS).astype("float32")
BASE = {"epochs": 5, "batch_size": 16, "verbose": 0}


# -- Sequential models: optimizers, schedules, noise, regularizers -----------------


@case
def momentum_dropout(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(7, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model, {"x": X, "y": LABELS, "class_weight": {0: 0.5, 1: 1.5, 2: 3.0}}


@case
def nesterov_noise(keras):
    layers, schedules = keras.layers, keras.optimizers.schedules
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.GaussianNoise(0.2),
            layers.Dense(6, activation="tanh", kernel_regularizer="l2"),
            layers.GaussianDropout(0.2),
            layers.Dense(2),
        ]
    )
    rate = schedules.ExponentialDecay(0.02, 4, 0.8, staircase=True)
    optimizer = keras.optimizers.SGD(rate, momentum=0.8, nesterov=True)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS, "validation_split": 0.25}


@case
def centered_rmsprop_alpha_dropout(keras):
    layers, schedules = keras.layers, keras.optimizers.schedules
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, activation="selu", kernel_initializer="lecun_normal"),
            layers.AlphaDropout(0.2),
            layers.Dense(2, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)),
        ]
    )
    rate = schedules.PiecewiseConstantDecay([3, 8], [0.01, 0.004, 0.001])
    model.compile(
        keras.optimizers.RMSprop(
            rate, rho=0.8, momentum=0.5, centered=True, clipnorm=0.5
        ),
        keras.losses.Huber(delta=0.7),
        metrics=["mse"],
        weighted_metrics=["mae"],
    )
    return model, {"x": X, "y": TARGETS, "sample_weight": WEIGHTS}


@case
def adam_normalization(keras):
    layers, schedules = keras.layers, keras.optimizers.schedules
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.LayerNormalization(),
            layers.Dense(2),
        ]
    )
    rate = schedules.CosineDecay(
        0.001, 10, alpha=0.1, warmup_target=0.02, warmup_steps=4
    )
    model.compile(keras.optimizers.Adam(rate), "mae", metrics=["mse"])
    validation = (data(21, 5, seed=8), data(21, 2, seed=9))
    return model, {
        **{"x": X, "y": TARGETS, "shuffle": "batch"},
        **{"validation_data": validation, "validation_freq": 2},
    }


@case
def adamw_constraints(keras):
    layers, constraints = keras.layers, keras.constraints
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, "elu", kernel_constraint=constraints.MaxNorm(0.9)),
            layers.Dense(4, "sigmoid", kernel_regularizer=keras.regularizers.L1(0.01)),
            layers.Dense(2, kernel_constraint="unit_norm", bias_constraint="non_neg"),
        ]
    )
    rate = keras.optimizers.schedules.PolynomialDecay(0.03, 9, 0.002, power=2.0)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.05, global_clipnorm=0.4)
    model.compile(optimizer, "mse", metrics=["cosine_similarity"])
    return model, {"x": X, "y": TARGETS, "shuffle": False}


@case
def adam_moving_average(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, activation="gelu", activity_regularizer="l2"),
            layers.ActivityRegularization(l1=0.02),
            layers.Dense(2),
        ]
    )
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.InverseTimeDecay(0.02, 3, 0.5),
        **{"clipvalue": 0.2, "use_ema": True, "ema_momentum": 0.7},
        ema_overwrite_frequency=4,
    )
    model.compile(optimizer, "mse")
    return model, {"x": X, "y": TARGETS}


@case
def accumulated_gradients(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((5,)), layers.Dense(6, "swish"), layers.Dense(2)]
    )
    rate = keras.optimizers.schedules.CosineDecayRestarts(0.05, 3, 1.5, 0.8)
    optimizer = keras.optimizers.SGD(
        rate, momentum=0.5, gradient_accumulation_steps=3, weight_decay=0.01
    )
    model.compile(optimizer, "mse", metrics=["mae"], steps_per_execution=2)
    return model, {"x": X, "y": TARGETS}


@case
def final_moving_average(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(2)])
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8)
    model.compile(optimizer, "mse")
    return model, {"x": X, "y": TARGETS}


@case
def deferred(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Dense(6, "relu"), layers.Dropout(0.4)])
    model.add(layers.Dense(3, kernel_initializer="he_uniform"))
    model.compile(
        "rmsprop",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)],
    )
    return model, {"x": X, "y": LABELS, "steps_per_epoch": 2}


@case
def convolution(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Rescaling(0.5, offset=0.1),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Conv2D(3, 2, strides=2),
            layers.LeakyReLU(0.1),
            layers.AveragePooling2D(1),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model, {"x": data(ROWS, 6, 6, 2), "y": one_hot(LABELS, 3)}


@case
def embedding(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((7,), dtype="int32"),
            layers.Embedding(11, 4, mask_zero=True),
            layers.Dropout(0.25),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)
    model.compile("adam", loss, metrics=["accuracy"])
    words = np.random.default_rng(6).integers(1, 11, (ROWS, 7))
    words[np.arange(7) >= np.random.default_rng(7).integers(2, 8, ROWS)[:, None]] = 0
    return model, {"x": words, "y": BINARY}


@case
def binary_metrics(keras):
    layers, metrics = keras.layers, keras.metrics
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(4),
            layers.PReLU(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02, amsgrad=True),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", metrics.AUC(), metrics.Precision(), metrics.Recall()],
        weighted_metrics=[metrics.AUC(curve="PR", num_thresholds=30, name="pr")],
    )
    return model, {
        "x": X,
        "y": BINARY,
        "sample_weight": WEIGHTS,
        "validation_split": 0.2,
    }


# -- callbacks ---------------------------------------------------------------------


@case
def early_stopping(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(6), layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.3, momentum=0.9), "mse")
    callbacks = [
        keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss", factor=0.3, patience=1, min_delta=0.5
        ),
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    ]
    validation = (data(20, 5, seed=8), data(20, 2, seed=9))
    return model, {
        **{"x": X, "y": TARGETS, "callbacks": callbacks},
        **{"validation_data": validation, "epochs": 9},
    }


@case
def scheduled_rate(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(2, "softplus")])
    model.compile("sgd", "mse", metrics=[keras.metrics.RootMeanSquaredError()])

    def schedule(epoch, rate):
        return 0.1 / (1 + epoch)

    callbacks = [keras.callbacks.LearningRateScheduler(schedule)]
    return model, {
        **{"x": X, "y": TARGETS, "callbacks": callbacks},
        **{"initial_epoch": 2, "epochs": 7},
    }


# -- graphs ------------------------------------------------------------------------


@case
def dict_outputs(keras):
    layers = keras.layers
    left = keras.Input((5,), name="left")
    right = keras.Input((3,), name="right")
    shared = layers.Dense(4, activation="relu", name="shared")
    joined = layers.Concatenate()([shared(left), layers.Dense(4)(right)])
    joined = layers.Dropout(0.2)(joined)
    label = layers.Dense(3, activation="softmax", name="label")(joined)
    value = layers.Dense(2, name="value")(joined)
    model = keras.Model(
        {"left": left, "right": right}, {"label": label, "value": value}
    )
    model.compile(
        keras.optimizers.Adam(0.02),
        loss={"label": "sparse_categorical_crossentropy", "value": "mse"},
        loss_weights={"label": 0.7, "value": 0.2},
        metrics={"label": ["accuracy"], "value": ["mae"]},
    )
    return model, {
        "x": {"left": X, "right": data(ROWS, 3)},
        "y": {"label": LABELS, "value": TARGETS},
        "validation_split": 0.3,
    }


@case
def list_outputs(keras):
    layers = keras.layers
    inputs = [keras.Input((5,)), keras.Input((5,))]
    tower = keras.Sequential(
        [layers.Input((5,)), layers.Dense(4, "tanh"), layers.Dropout(0.1)], name="tower"
    )
    a, b = tower(inputs[0]), tower(inputs[1])
    first = layers.Dense(2, name="first")(layers.Average()([a, b]))
    second = layers.Dense(1, activation="sigmoid", name="second")(
        layers.Dot(axes=1)([a, b])
    )
    model = keras.Model(inputs, [first, second])
    model.compile(
        "adam",
        loss=[keras.losses.MeanAbsoluteError(), "binary_crossentropy"],
        loss_weights=[1.0, 0.5],
        metrics=[["mse"], ["accuracy"]],
        weighted_metrics=[[], ["mae"]],
    )
    return model, {
        "x": [X, data(ROWS, 5, seed=5)],
        "y": [TARGETS, BINARY],
        "sample_weight": [WEIGHTS, WEIGHTS[::-1].copy()],
    }


@case
def operations(keras):
    layers, ops = keras.layers, keras.ops
    x, y = keras.Input((4, 3)), keras.Input((4, 3))
    z = x * 2 + y
    z = layers.Dense(5, activation="relu")(z[:, 1:])
    z = ops.concatenate([ops.mean(z, axis=1), z[:, 0] - 1.0], axis=-1)
    outputs = layers.Dense(2)(ops.exp(-ops.abs(z)) / 2.0)
    model = keras.Model([x, y], outputs)
    model.compile("sgd", "mse")
    return model, {"x": [data(ROWS, 4, 3), data(ROWS, 4, 3, seed=2)], "y": TARGETS}


@case
def frozen_nested(keras):
    layers = keras.layers
    base = keras.Sequential(
        [layers.Input((5,)), layers.Dense(4), layers.BatchNormalization()], name="base"
    )
    base.trainable = False
    inputs = keras.Input((5,))
    outputs = layers.Dense(2)(layers.Add()([base(inputs), layers.Dense(4)(inputs)]))
    inner = keras.Model(inputs, outputs, name="inner")
    source = keras.Input((5,))
    model = keras.Model(source, layers.Multiply()([inner(source), inner(source * 0.5)]))
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS}


# -- subclasses --------------------------------------------------------------------


@case
def subclass_add_loss(keras):
    register = keras.saving.register_keras_serializable("compat")

    @register
    class Penalized(keras.layers.Layer):
        def __init__(self, rate=0.1, **kwargs):
            super().__init__(**kwargs)
            self.rate = rate
            self.seed = keras.random.SeedGenerator(31)

        def build(self, input_shape):
            self.scale = self.add_weight(
                shape=(input_shape[-1],), name="scale", initializer="ones"
            )
            self.seen = self.add_weight(
                shape=(), name="seen", trainable=False, initializer="zeros"
            )

        def call(self, x, training=False):
            self.add_loss(self.rate * keras.ops.mean(keras.ops.square(x)))
            if training:
                self.seen.assign_add(1.0)
                noise = keras.random.uniform(keras.ops.shape(x), seed=self.seed)
                x = x + 0.1 * noise
            return x * self.scale

        def get_config(self):
            return {**super().get_config(), "rate": self.rate}

    @register
    class Net(keras.Model):
        def __init__(self, units=6, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.hidden = keras.layers.Dense(units, activation="relu")
            self.penalized = Penalized(0.05)
            self.dropout = keras.layers.Dropout(0.2)
            self.out = keras.layers.Dense(2)

        def call(self, x, training=None):
            # Keras on JAX hands `training` of `fit` to no layer that is not given it.
            x = self.penalized(self.hidden(x), training=training)
            return self.out(self.dropout(x, training=training))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    model = Net()
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS, "validation_split": 0.2}


@case
def nested_layers(keras):
    register = keras.saving.register_keras_serializable("compat")

    @register
    class Block(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.steps = [keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.2)]
            self.steps.append(keras.layers.Dense(3))
            self.heads = {"b": keras.layers.Dense(2), "a": keras.layers.Dense(2)}

        def build(self, input_shape):
            for step in self.steps:
                step.build(input_shape)
                input_shape = step.compute_output_shape(input_shape)
            for head in self.heads.values():
                head.build(input_shape)

        def call(self, x):
            for step in self.steps:
                x = step(x)
            return self.heads["a"](x) - 0.5 * self.heads["b"](x)

    inputs = keras.Input((5,))
    model = keras.Model(inputs, Block(name="block")(inputs))
    model.compile("adam", "mse")
    return model, {"x": X, "y": TARGETS}


@case
def custom_train_step(keras):
    import jax

    @keras.saving.register_keras_serializable("compat")
    class Doubled(keras.Model):
        def train_step(self, state, data):
            trainable, others, optimizer, metrics = state
            x, y = data

            def loss_fn(trainable, others):
                y_pred, others = self.stateless_call(
                    trainable, others, x, training=True
                )
                return 2 * keras.ops.mean(keras.ops.square(y - y_pred)), (
                    y_pred,
                    others,
                )

            grads = jax.value_and_grad(loss_fn, has_aux=True)
            (loss, (y_pred, others)), gradients = grads(trainable, others)
            trainable, optimizer = self.optimizer.stateless_apply(
                optimizer, gradients, trainable
            )
            kept, logs = [], {}
            for metric in self.metrics:
                own = [metrics[len(kept) + i] for i in range(len(metric.variables))]
                if metric.name == "loss":
                    own = metric.stateless_update_state(own, loss)
                else:
                    own = metric.stateless_update_state(own, y, y_pred)
                result = metric.stateless_result(own)
                logs |= result if isinstance(result, dict) else {metric.name: result}
                kept += own
            return logs, (trainable, others, optimizer, kept)

    inputs = keras.Input((5,))
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(4, "relu")(inputs))
    model = Doubled(inputs, keras.layers.Dense(2)(hidden))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS}


@case
def own_loss_and_metrics(keras):
    ops = keras.ops

    @keras.saving.register_keras_serializable("compat")
    class Own(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.spread = keras.metrics.Mean(name="spread")

        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            loss = ops.mean(ops.abs(y - y_pred)) + sum(self.losses)
            self.spread.update_state(ops.std(y_pred))
            return loss

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            results["twice"] = 2 * self.spread.result()
            return results

    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, "relu", kernel_regularizer="l1")(inputs)
    model = Own(inputs, keras.layers.Dense(2)(hidden))
    model.compile(keras.optimizers.Adam(0.01), metrics=["mse"])
    return model, {"x": X, "y": TARGETS, "validation_split": 0.25}


# -- sources of data ---------------------------------------------------------------


@case
def generator(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(2, "tanh")])
    model.compile("adam", "mse", metrics=["mae"])

    def batches(first, count):
        for i in itertools.count():
            seed = first + i % count
            yield data(6, 5, seed=seed), data(6, 2, seed=seed), WEIGHTS[:6]

    # Keras begins every validation with the generator's first two batches again: the
    # numbers are ours only when these are all there is.
    return model, {
        **{"x": batches(100, 50), "steps_per_epoch": 3, "batch_size": None},
        **{"validation_data": batches(200, 2), "validation_steps": 2},
    }


@case
def dataset(keras):
    layers = keras.layers

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return data(5 + i % 2, 5, seed=i), classes(5 + i % 2, 3, seed=i)

    model = keras.Sequential([layers.Dense(3), layers.Dropout(0.5), layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    return model, {
        **{"x": Batches(), "batch_size": None, "shuffle": True},
        **{"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
    }
