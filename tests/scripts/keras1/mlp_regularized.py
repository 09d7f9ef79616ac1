# runs on: old keras only (1.x)
"""A multilayer perceptron with weight decay, max-norm and dropout, Keras 1 words."""

from __future__ import print_function

import random

import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint
from keras.constraints import maxnorm
from keras.layers import Activation, Dense, Dropout
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.noise import GaussianNoise
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential, load_model, model_from_json
from keras.optimizers import Adam
from keras.regularizers import WeightRegularizer, activity_l2, l2
from keras.utils import np_utils

random.seed(1337)
np.random.seed(1337)
nb_classes, nb_features, nb_epoch, batch_size = 3, 20, 12, 32

# Three clouds of points.
centers = np.random.randn(nb_classes, nb_features) * 1.5
labels = np.random.randint(0, nb_classes, 600)
X = (centers[labels] + np.random.randn(600, nb_features)).astype("float32")
X_train, X_test = X[:480], X[480:]
Y_train = np_utils.to_categorical(labels[:480], nb_classes)
Y_test = np_utils.to_categorical(labels[480:], nb_classes)
print(X_train.shape[0], "train samples,", X_test.shape[0], "test samples")

model = Sequential()
model.add(
    Dense(
        output_dim=32,
        input_dim=nb_features,
        init="he_normal",
        W_regularizer=l2(0.01),
        b_regularizer=WeightRegularizer(l1=0.001),
        activity_regularizer=activity_l2(1e-4),
        W_constraint=maxnorm(3),
    )
)
model.add(BatchNormalization(mode=0, axis=-1))
model.add(LeakyReLU(alpha=0.1))
model.add(GaussianNoise(sigma=0.1))
model.add(Dropout(p=0.3))
model.add(Dense(nb_classes, init="zero", bias=True))
model.add(Activation("softmax"))
model.summary()
model.compile(
    loss="categorical_crossentropy", optimizer=Adam(lr=0.01), metrics=["accuracy"]
)
best = ModelCheckpoint("best.hdf5", monitor="val_acc", save_best_only=True, verbose=0)
stop = EarlyStopping(monitor="val_loss", patience=5, verbose=1)
history = model.fit(
    X_train,
    Y_train,
    batch_size=batch_size,
    nb_epoch=nb_epoch,
    verbose=2,
    callbacks=[best, stop],
    validation_data=(X_test, Y_test),
)
score = model.evaluate(X_test, Y_test, verbose=0)
print("Test score:", score[0])
print("Test accuracy:", score[1])
assert history.history["loss"][-1] < 0.6 * history.history["loss"][0]
assert score[1] > 0.9
norms = np.linalg.norm(model.layers[0].get_weights()[0], axis=0)
assert norms.max() <= 3.0001

# The architecture as JSON, the weights in a file of their own.
with open("architecture.json", "w") as f:
    f.write(model.to_json())
model.save_weights("weights.h5", overwrite=True)
again = model_from_json(open("architecture.json").read())
again.load_weights("weights.h5")
kept = load_model("best.hdf5")
np.testing.assert_allclose(again.predict(X_test), model.predict(X_test), atol=1e-6)
best_accuracy = kept.evaluate(X_test, Y_test, verbose=0)[1]
key = "val_acc" if "val_acc" in history.history else "val_accuracy"
assert abs(best_accuracy - max(history.history[key])) < 1e-6
print("RESULT", [float(score[1]), float(best_accuracy), len(model.layers)])
