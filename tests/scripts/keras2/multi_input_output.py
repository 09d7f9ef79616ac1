# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""Several inputs and outputs: named losses, weights, class weights, sample weights."""

import random

import numpy as np
from tensorflow.keras import Model, layers, losses, utils
from tensorflow.keras.optimizers import Adam

random.seed(12)
np.random.seed(12)
n, title_len, body_len, tags, words = 320, 4, 6, 3, 20

title = np.random.randint(1, words, (n, title_len))
body = np.random.randint(1, words, (n, body_len))
tag = np.random.randint(0, 2, (n, tags)).astype("float32")
score = np.concatenate([title, body], 1)
priority = ((score > 10).mean(1) + 0.2 * tag[:, 0])[:, None].astype("float32")
department = (body.max(1) > 17).astype(int)
department_hot = utils.to_categorical(department, 2)

title_input = layers.Input(shape=(None,), dtype="int32", name="title")
body_input = layers.Input(shape=(None,), dtype="int32", name="body")
tags_input = layers.Input(shape=(tags,), name="tags")
shared = layers.Embedding(words, 6, name="shared")
title_features = layers.LSTM(8)(shared(title_input))
body_features = layers.GlobalMaxPooling1D()(layers.Conv1D(8, 1)(shared(body_input)))
x = layers.concatenate([title_features, body_features, tags_input])
hidden = layers.Dense(16, activation="relu")(x)
x = layers.add([hidden, layers.Dense(16)(hidden)])
priority_pred = layers.Dense(1, name="priority")(x)
department_pred = layers.Dense(2, name="department", activation="softmax")(x)
model = Model(
    inputs=[title_input, body_input, tags_input],
    outputs=[priority_pred, department_pred],
)
model.summary(line_length=90)
model.compile(
    optimizer=Adam(0.01),
    loss={
        "priority": losses.MeanSquaredError(),
        "department": "categorical_crossentropy",
    },
    loss_weights={"priority": 1.0, "department": 0.2},
    metrics={"department": ["acc"], "priority": "mae"},
)
data = {"title": title, "body": body, "tags": tag}
targets = {"priority": priority, "department": department_hot}
history = model.fit(data, targets, epochs=8, batch_size=32, verbose=0,
                    validation_data=(data, targets))  # fmt: skip
assert {"loss", "priority_loss", "department_loss", "department_acc", "priority_mae",
        "val_loss", "val_department_acc"} <= set(history.history)  # fmt: skip
h = {name: values[-1] for name, values in history.history.items()}
assert h["loss"] < 0.8 * history.history["loss"][0]
assert abs(h["priority_loss"] + 0.2 * h["department_loss"] - h["loss"]) < 1e-3
print({name: round(float(value), 3) for name, value in h.items()})

# The same as lists, with one weight a sample and output.
weights = [np.linspace(0.5, 1.5, n), np.where(department == 1, 2.0, 0.5)]
first = model.evaluate([title, body, tag], [priority, department_hot],
                       sample_weight=weights, batch_size=n, verbose=0)  # fmt: skip
p, d = model.predict([title, body, tag], batch_size=64, verbose=0)
assert p.shape == (n, 1) and d.shape == (n, 2)
by_hand = np.mean(weights[0] * np.mean((p - priority) ** 2, -1))
cross = -np.log(np.clip(np.sum(d * department_hot, -1), 1e-7, 1))
by_hand += 0.2 * np.mean(weights[1] * cross)
print("weighted loss: %.5f, by hand: %.5f" % (first[0], by_hand))
assert abs(first[0] - by_hand) < 1e-4

# One output with rare positives: class weights lift the recall.
rare = (body.min(1) == 1) & (tag[:, 1] == 1)
print("positives:", rare.sum(), "of", n)


def recall(class_weight):
    out = layers.Dense(1, activation="sigmoid")(layers.Dense(8, "relu")(tags_input))
    net = Model(tags_input, out)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    net.fit(
        tag, rare.astype("float32"), epochs=25, verbose=0, class_weight=class_weight
    )
    found = net.predict(tag, verbose=0)[:, 0] > 0.5
    return (found & rare).sum() / rare.sum()


balanced = recall({0: 1.0, 1: float((~rare).sum() / rare.sum())})
plain = recall(None)
print("recall: %.2f plain, %.2f with class weights" % (plain, balanced))
assert balanced > plain
print("RESULT", [model.count_params(), int(rare.sum()), int(department.sum())])
