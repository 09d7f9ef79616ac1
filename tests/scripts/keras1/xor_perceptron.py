# runs on: old keras only (1.x)
"""XOR: one neuron cannot learn it, two layers can."""

import random

import numpy as np
from keras.layers.core import Activation, Dense
from keras.models import Sequential
from keras.optimizers import SGD

random.seed(7)
np.random.seed(7)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
y = np.array([[0], [1], [1], [0]], dtype="float32")

# A single neuron draws one line.
neuron = Sequential()
neuron.add(Dense(output_dim=1, input_dim=2, init="uniform", activation="sigmoid"))
neuron.compile(loss="binary_crossentropy", optimizer=SGD(lr=0.5))
neuron.fit(X, y, nb_epoch=300, batch_size=4, verbose=0)
missed = int((neuron.predict_classes(X, verbose=0) != y).sum())
print("one neuron misses", missed, "of 4")

# A hidden layer bends it.
model = Sequential()
model.add(
    Dense(
        8,
        input_dim=2,
        weights=[np.random.uniform(-1, 1, (2, 8)), np.zeros(8)],
    )
)
model.add(Activation("tanh"))
model.add(Dense(1, init="glorot_normal"))
model.add(Activation("sigmoid"))
model.compile(
    loss="binary_crossentropy",
    optimizer=SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True),
    metrics=["accuracy"],
)
history = model.fit(X, y, nb_epoch=300, batch_size=1, verbose=0)
losses = history.history["loss"]
print("loss: %.4f -> %.4f" % (losses[0], losses[-1]))

score = model.evaluate(X, y, batch_size=4, verbose=0)
probabilities = model.predict_proba(X, verbose=0)
classes = model.predict_classes(X, verbose=0)
for row, p, c in zip(X, probabilities, classes):
    print(row, "->", "%.3f" % p[0], c[0])

assert missed >= 1
assert losses[-1] < 0.1 < losses[0]
assert (classes == y).all()
accuracy = history.history.get("acc", history.history.get("accuracy"))
assert accuracy[-1] == 1.0 and score[1] == 1.0
assert [w.shape for w in model.get_weights()] == [(2, 8), (8,), (8, 1), (1,)]
print("RESULT", [missed, round(float(losses[-1]), 6), float(score[1])])
