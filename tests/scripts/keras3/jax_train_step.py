# runs on: keras-jax. train_step for JAX, compute_loss of one's own, a stateless loop.
import os

os.environ["KERAS_BACKEND"] = "jax"

import json  # noqa: E402

import jax  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, ops  # noqa: E402

keras.utils.set_random_seed(17)
x = np.random.random((256, 8)).astype("float32")
y = (x @ np.random.normal(size=(8, 1)) + 0.3).astype("float32")


class CustomModel(keras.Model):
    def compute_loss_and_updates(
        self, trainable, non_trainable, metrics_variables, x, y, sample_weight, training
    ):
        y_pred, non_trainable = self.stateless_call(
            trainable, non_trainable, x, training=training
        )
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        return loss, (y_pred, non_trainable, metrics_variables)

    def train_step(self, state, data):
        trainable, non_trainable, optimizer_variables, metrics_variables = state
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable, metrics_variables)), grads = grad_fn(
            trainable, non_trainable, metrics_variables, x, y, sample_weight, True
        )
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, grads, trainable
        )
        new_metrics_vars, logs = [], {}
        for metric in self.metrics:
            this = metrics_variables[
                len(new_metrics_vars) : len(new_metrics_vars) + len(metric.variables)
            ]
            if metric.name == "loss":
                this = metric.stateless_update_state(this, loss)
            else:
                this = metric.stateless_update_state(this, y, y_pred)
            logs[metric.name] = metric.stateless_result(this)
            new_metrics_vars += this
        return logs, (trainable, non_trainable, optimizer_variables, new_metrics_vars)


def network():
    inputs = keras.Input(shape=(8,))
    h = layers.Dense(16, activation="tanh")(inputs)
    h = layers.BatchNormalization()(h)
    h = layers.Dropout(0.2)(h)
    return inputs, layers.Dense(1)(h)


model = CustomModel(*network())
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
weights = np.linspace(0.5, 1.5, 256)
history = model.fit(x, y, sample_weight=weights, epochs=4, verbose=2).history
assert set(history) == {"loss", "mae"} and history["loss"][-1] < history["loss"][0]


class Regularized(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="own_loss")

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = ops.mean(keras.losses.huber(y, y_pred))
        loss += 0.1 * ops.mean(ops.abs(ops.mean(y_pred, axis=0)))
        self.loss_tracker.update_state(loss)
        return loss

    def reset_metrics(self):
        self.loss_tracker.reset_state()

    @property
    def metrics(self):
        return [self.loss_tracker]


own = Regularized(*network())
own.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9))
own_history = own.fit(x, y, epochs=3, batch_size=64, verbose=0).history
assert own_history["own_loss"][-1] < own_history["own_loss"][0]

# The whole loop by hand, state in and state out.
plain = keras.Model(*network())
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
optimizer.build(plain.trainable_variables)
loss_fn, metric = keras.losses.MeanSquaredError(), keras.metrics.MeanAbsoluteError()


def compute_loss(trainable, non_trainable, x, y):
    y_pred, non_trainable = plain.stateless_call(
        trainable, non_trainable, x, training=True
    )
    return loss_fn(y, y_pred), (y_pred, non_trainable)


@jax.jit
def train_step(state, data):
    trainable, non_trainable, optimizer_variables, metric_variables = state
    (loss, (y_pred, non_trainable)), grads = jax.value_and_grad(
        compute_loss, has_aux=True
    )(trainable, non_trainable, *data)
    trainable, optimizer_variables = optimizer.stateless_apply(
        optimizer_variables, grads, trainable
    )
    metric_variables = metric.stateless_update_state(metric_variables, data[1], y_pred)
    return loss, (trainable, non_trainable, optimizer_variables, metric_variables)


parts = plain.trainable_variables, plain.non_trainable_variables
parts = *parts, optimizer.variables, metric.variables
state = tuple([v.value for v in variables] for variables in parts)
losses = []
for step in range(24):
    rows = slice(step * 32 % 256, step * 32 % 256 + 32)
    loss, state = train_step(state, (x[rows], y[rows]))
    losses.append(float(loss))
for variable, value in zip(plain.trainable_variables, state[0], strict=True):
    variable.assign(value)
for variable, value in zip(plain.non_trainable_variables, state[1], strict=True):
    variable.assign(value)
assert np.mean(losses[-8:]) < np.mean(losses[:8])
mae = float(metric.stateless_result(state[3]))
final = float(np.mean((plain.predict(x, verbose=0) - y) ** 2))
numbers = [*history["loss"], *history["mae"], *own_history["own_loss"], *losses[::6]]
print("RESULT", json.dumps([*map(float, numbers), mae, final]))
