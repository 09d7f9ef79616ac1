# runs on: keras-jax. One network three ways: functional, subclassed, mixed.
import json

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(812)
rng = np.random.default_rng(0)
titles = rng.integers(0, 2, (160, 20)).astype("float32")
bodies = rng.integers(0, 2, (160, 20)).astype("float32")
tags = rng.integers(0, 2, (160, 5)).astype("float32")
priority = ((titles[:, :3].sum(1) + bodies[:, :3].sum(1)) / 6)[:, None]
department = np.eye(4, dtype="float32")[(tags @ [1, 2, 3, 1, 2]).astype(int) % 4]

title = keras.Input(shape=(20,), name="title")
text_body = keras.Input(shape=(20,), name="text_body")
tag_input = keras.Input(shape=(5,), name="tags")
features = layers.Concatenate()([title, text_body, tag_input])
features = layers.Dense(32, activation="relu", name="dense_features")(features)
priority_out = layers.Dense(1, activation="sigmoid", name="priority")(features)
department_out = layers.Dense(4, activation="softmax", name="department")(features)
model = keras.Model([title, text_body, tag_input], [priority_out, department_out])
model.compile(
    optimizer="adam",
    loss={"priority": "mean_squared_error", "department": "categorical_crossentropy"},
    loss_weights={"priority": 2.0, "department": 1.0},
    metrics={"priority": ["mean_absolute_error"], "department": ["accuracy"]},
)
history = model.fit(
    {"title": titles, "text_body": bodies, "tags": tags},
    {"priority": priority, "department": department},
    epochs=4,
    batch_size=32,
    validation_split=0.2,
    verbose=2,
).history
assert "val_department_accuracy" in history and history["loss"][-1] < history["loss"][0]

# New from old: a third output on the features.
inner = model.get_layer("dense_features").output
difficulty = layers.Dense(3, activation="softmax", name="difficulty")(inner)
bigger = keras.Model(model.inputs, [priority_out, department_out, difficulty])
assert [tuple(o.shape) for o in bigger.outputs] == [(None, 1), (None, 4), (None, 3)]


class CustomerTicketModel(keras.Model):
    def __init__(self, num_departments):
        super().__init__()
        self.concat_layer = layers.Concatenate()
        self.mixing_layer = layers.Dense(16, activation="relu")
        self.drop = layers.Dropout(0.25)
        self.priority_scorer = layers.Dense(1, activation="sigmoid")
        self.department_classifier = layers.Dense(num_departments, activation="softmax")

    def call(self, inputs, training=False):
        x = self.concat_layer([inputs["title"], inputs["text_body"], inputs["tags"]])
        x = self.drop(self.mixing_layer(x), training=training)
        x = ops.concatenate(
            [x, ops.square(ops.mean(x, axis=-1, keepdims=True))], axis=-1
        )
        return self.priority_scorer(x), self.department_classifier(x)


data = {"title": titles, "text_body": bodies, "tags": tags}
ticket = CustomerTicketModel(num_departments=4)
p, d = ticket(data)
assert p.shape == (160, 1) and d.shape == (160, 4)
ticket.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-2),
    loss=["mean_squared_error", "categorical_crossentropy"],
    metrics=[["mean_absolute_error"], ["accuracy"]],
)
second = ticket.fit(data, [priority, department], epochs=3, verbose=0).history["loss"]
assert second[-1] < second[0]
scores = ticket.evaluate(data, [priority, department], verbose=0, return_dict=True)


# A subclassed part in a functional model.
class Classifier(keras.Model):
    def __init__(self, num_classes=2):
        super().__init__()
        units, activation = (
            (1, "sigmoid") if num_classes == 2 else (num_classes, "softmax")
        )
        self.dense = layers.Dense(units, activation=activation)

    def call(self, inputs):
        return self.dense(inputs)


inputs = keras.Input(shape=(20,))
x = layers.Dense(8, activation="gelu")(inputs)
x = ops.softmax(x * 2.0) + ops.expand_dims(ops.sum(inputs, axis=1), -1) / 20.0
mixed = keras.Model(inputs, Classifier(num_classes=10)(x))
mixed.save_weights("mixed.weights.h5")
start = mixed.predict(titles[:3], verbose=0)
mixed.set_weights([0 * w for w in mixed.get_weights()])
mixed.load_weights("mixed.weights.h5")
assert np.allclose(mixed.predict(titles[:3], verbose=0), start, atol=1e-6)
numbers = [*history["loss"], *second, *sorted(map(float, scores.values()))]
print("RESULT", json.dumps([*numbers, *map(float, start.sum(0))]))
