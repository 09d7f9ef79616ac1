# runs on: old keras only (2.x)
"""A digit-like MLP and CNN: arrays, augmented batches, PNG files in folders."""

import os
import random

import numpy as np
import keras
from keras import backend as K
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator
from keras.preprocessing.image import array_to_img, img_to_array, load_img
from PIL import Image

random.seed(3)
np.random.seed(3)
batch_size, num_classes, epochs, img_rows, img_cols = 32, 3, 5, 14, 14


def picture(kind):
    """A bar (0), a cross (1) or a box (2) at a random place, with noise."""
    image = np.random.randint(0, 40, (img_rows, img_cols))
    r, c = np.random.randint(3, img_rows - 3, 2)
    if kind == 0:
        image[r, c - 3 : c + 4] = 250
    elif kind == 1:
        image[r, c - 3 : c + 4] = image[r - 3 : r + 4, c] = 250
    else:
        image[r - 2 : r + 3, c - 2 : c + 3] = 250
    return image.astype("uint8")


labels = np.random.randint(0, num_classes, 360)
images = np.stack([picture(k) for k in labels])
x_train, y_train, x_test, y_test = (
    images[:300],
    labels[:300],
    images[300:],
    labels[300:],
)

# Dense layers on flat pixels.
flat_train = x_train.reshape(300, -1).astype("float32") / 255
flat_test = x_test.reshape(60, -1).astype("float32") / 255
y_cat, y_cat_test = (
    keras.utils.to_categorical(y, num_classes) for y in (y_train, y_test)
)
mlp = Sequential()
mlp.add(Dense(64, activation="relu", input_shape=(img_rows * img_cols,)))
mlp.add(Dropout(0.2))
mlp.add(Dense(num_classes, activation="softmax"))
mlp.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
history = mlp.fit(flat_train, y_cat, batch_size, epochs, verbose=0,
                  validation_data=(flat_test, y_cat_test))  # fmt: skip
print("MLP loss", history.history["loss"])
assert history.history["loss"][-1] < history.history["loss"][0]

# Convolutions, in the order of axes that the backend wants.
if K.image_data_format() == "channels_first":
    x_train, x_test = x_train[:, None], x_test[:, None]
    input_shape = (1, img_rows, img_cols)
else:
    x_train, x_test = x_train[..., None], x_test[..., None]
    input_shape = (img_rows, img_cols, 1)
x_train, x_test = x_train.astype("float32"), x_test.astype("float32") / 255


def cnn():
    model = Sequential()
    model.add(Conv2D(8, kernel_size=(3, 3), activation="relu", input_shape=input_shape))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Conv2D(16, (3, 3), activation="relu", padding="same"))
    model.add(MaxPooling2D((2, 2)))
    model.add(Flatten())
    model.add(Dense(num_classes, activation="softmax"))
    model.compile(
        loss=keras.losses.categorical_crossentropy,
        optimizer=keras.optimizers.Adam(lr=0.01, decay=1e-6),
        metrics=["accuracy"],
    )
    return model


model = cnn()
train_datagen = ImageDataGenerator(
    rescale=1.0 / 255, rotation_range=5, width_shift_range=0.05, horizontal_flip=True
)
fitted = model.fit_generator(
    train_datagen.flow(x_train, y_cat, batch_size=batch_size, seed=1),
    steps_per_epoch=len(x_train) // batch_size,
    epochs=epochs,
    validation_data=(x_test, y_cat_test),
    workers=1,
    verbose=0,
)
score = model.evaluate(x_test, y_cat_test, verbose=0)
print("Test loss:", score[0], "Test accuracy:", score[1])
assert score[1] > 0.8 and len(fitted.history["loss"]) == epochs

# The same pictures as files, a folder a class.
for i, (image, label) in enumerate(zip(images, labels)):
    folder = os.path.join("data", "train" if i < 300 else "validation", "abc"[label])
    os.makedirs(folder, exist_ok=True)
    Image.fromarray(image).save(os.path.join(folder, "%03d.png" % i))
settings = dict(target_size=(img_rows, img_cols), color_mode="grayscale",
                batch_size=20, class_mode="categorical")  # fmt: skip
flow = ImageDataGenerator(rescale=1.0 / 255).flow_from_directory(
    "data/train", **settings
)
held = ImageDataGenerator(rescale=1.0 / 255).flow_from_directory(
    "data/validation", shuffle=False, **settings
)
assert flow.class_indices == {"a": 0, "b": 1, "c": 2} and flow.samples == 300
net = cnn()
net.fit_generator(flow, steps_per_epoch=15, epochs=5, validation_data=held,
                  validation_steps=3, verbose=2)  # fmt: skip
by_files = net.evaluate_generator(held, steps=3)
held.reset()
predicted = net.predict_generator(held, steps=3).argmax(axis=1)
assert abs((predicted == held.classes).mean() - by_files[1]) < 1e-6
one = load_img("data/train/%s" % flow.filenames[0], color_mode="grayscale")
array = img_to_array(one)
assert array.shape == input_shape and array_to_img(array).size == (14, 14)
assert by_files[1] > 0.8
print("RESULT", [round(float(score[1]), 3), round(float(by_files[1]), 3)])
