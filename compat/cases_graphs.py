"""Cases of graphs, subclasses and sources of data."""

import itertools

from compat.case_table import (
    BINARY,
    LABELS,
    ROWS,
    TARGETS,
    WEIGHTS,
    X,
    case,
    classes,
    data,
)


@case
def nested_outputs(keras):
    layers = keras.layers
    inputs = keras.Input((5,))
    a, b, c, d = (layers.Dense(2, name=name)(inputs) for name in "abcd")
    model = keras.Model(inputs, {"u": [a, {"v": b}], "w": [[c], d]})
    model.compile("sgd", "mse")
    y = {"u": [TARGETS, {"v": TARGETS + 1}], "w": [[TARGETS * 2], TARGETS - 1]}
    return model, {"x": X, "y": y}


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
            return self.out(self.dropout(self.penalized(self.hidden(x))))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    model = Net()
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS, "validation_split": 0.2}


@case
def call_without_training(keras):
    """Keras on JAX runs the layers of such a model in inference mode, in `fit` too."""

    @keras.saving.register_keras_serializable("compat")
    class Still(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.hidden = keras.layers.Dense(6, "relu")
            self.norm = keras.layers.BatchNormalization()
            self.dropout = keras.layers.Dropout(0.5)
            self.out = keras.layers.Dense(2)

        def call(self, x):
            return self.out(self.dropout(self.norm(self.hidden(x))))

    model = Still()
    model.compile("adam", "mse")
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
