# runs on: old keras only (1.x)
"""A small convnet in the words of Keras 1, once in each order of the axes."""

import random

import numpy as np
from keras import backend as K
from keras.layers import Activation, Dense, Dropout
from keras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.layers.pooling import GlobalMaxPooling2D
from keras.models import Sequential
from keras.optimizers import RMSprop
from keras.preprocessing.image import ImageDataGenerator
from keras.utils.np_utils import to_categorical

random.seed(123)
np.random.seed(123)
K.set_image_dim_ordering("th")
assert K.image_dim_ordering() == "th"
nb_classes, img_rows, img_cols, nb_filters, nb_conv, nb_pool = 2, 12, 12, 8, 3, 2


def draw(n):
    """Images with a bright row (class 0) or a bright column (class 1)."""
    images = np.random.uniform(0, 60, (n, 1, img_rows, img_cols))
    kinds = np.random.randint(0, 2, n)
    for image, kind in zip(images, kinds):
        place = np.random.randint(1, img_rows - 1)
        image[(0, place) if kind == 0 else (0, slice(None), place)] = 255
    return images.astype("uint8"), kinds


X_train, y_train = draw(256)
X_test, y_test = draw(64)
X_train, X_test = X_train.astype("float32") / 255, X_test.astype("float32") / 255
Y_train, Y_test = to_categorical(y_train, 2), to_categorical(y_test, 2)


def build(order):
    shape = (1, img_rows, img_cols) if order == "th" else (img_rows, img_cols, 1)
    model = Sequential()
    model.add(ZeroPadding2D((1, 1), dim_ordering=order, input_shape=shape))
    model.add(Convolution2D(nb_filters, nb_conv, nb_conv, dim_ordering=order))
    model.add(Activation("relu"))
    model.add(
        Convolution2D(
            nb_filters,
            nb_row=3,
            nb_col=3,
            border_mode="same",
            subsample=(1, 1),
            activation="relu",
            init="he_uniform",
            dim_ordering=order,
        )
    )
    model.add(MaxPooling2D(pool_size=(nb_pool, nb_pool), dim_ordering=order))
    model.add(Dropout(0.25))
    model.add(GlobalMaxPooling2D(dim_ordering=order))
    model.add(Dense(16, activation="relu"))
    model.add(Dense(nb_classes, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy",
        optimizer=RMSprop(lr=0.005),
        metrics=["accuracy"],
    )
    return model


model = build("th")
assert model.layers[1].output_shape == (None, nb_filters, img_rows, img_cols)
augment = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1)
augment.fit(X_train)
history = model.fit_generator(
    augment.flow(X_train, Y_train, batch_size=32),
    samples_per_epoch=X_train.shape[0],
    nb_epoch=6,
    validation_data=(X_test, Y_test),
    verbose=0,
)
score = model.evaluate(X_test, Y_test, verbose=0)
print("Theano order, accuracy:", score[1])
assert len(history.history["loss"]) == 6
assert score[1] > 0.9

# The same weights in TensorFlow's order of the axes.
K.set_image_dim_ordering("tf")
other = build("tf")
other.set_weights(model.get_weights())
same = other.predict(X_test.transpose(0, 2, 3, 1))
gap = float(np.abs(same - model.predict(X_test)).max())
print("TensorFlow order differs by", gap)
assert gap < 1e-5
print("RESULT", [float(score[1]), model.count_params()])
