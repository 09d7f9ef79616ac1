"""A vision script of `tensorflow.keras` style, which starts at folders of images."""

import pathlib
import tempfile

import numpy as np
import PIL.Image
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.models import Sequential

root = pathlib.Path(tempfile.mkdtemp())
rng = np.random.RandomState(0)
for c, name in enumerate(("blue", "green", "red")):
    (root / name).mkdir()
    for i in range(40):
        a = rng.randint(0, 120, (40, 50, 3)).astype("uint8")
        a[..., 2 - c] = np.clip(a[..., 2 - c] + 110, 0, 255)
        PIL.Image.fromarray(a).save(root / name / f"{i}.jpg")
data_dir = root
image_count = len(list(data_dir.glob("*/*.jpg")))
print(image_count)
batch_size = 16
img_height = 32
img_width = 32
train_ds = tf.keras.utils.image_dataset_from_directory(
    data_dir,
    validation_split=0.2,
    subset="training",
    seed=123,
    image_size=(img_height, img_width),
    batch_size=batch_size,
)
val_ds = tf.keras.utils.image_dataset_from_directory(
    data_dir,
    validation_split=0.2,
    subset="validation",
    seed=123,
    image_size=(img_height, img_width),
    batch_size=batch_size,
)
class_names = train_ds.class_names
print(class_names)
for images, labels in train_ds.take(1):
    for i in range(9):
        im = images[i].numpy().astype("uint8")
        t = class_names[labels[i]]
for image_batch, labels_batch in train_ds:
    print(image_batch.shape)
    print(labels_batch.shape)
    break
normalization_layer = layers.Rescaling(1.0 / 255)
normalized_ds = train_ds.map(lambda x, y: (normalization_layer(x), y))
image_batch, labels_batch = next(iter(normalized_ds))
first_image = image_batch[0]
print(np.min(first_image), np.max(first_image))
AUTOTUNE = tf.data.AUTOTUNE
train_ds = train_ds.cache().shuffle(1000).prefetch(buffer_size=AUTOTUNE)
val_ds = val_ds.cache().prefetch(buffer_size=AUTOTUNE)
data_augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal", input_shape=(img_height, img_width, 3)),
        layers.RandomRotation(0.1),
        layers.RandomZoom(0.1),
    ]
)
for images, _ in train_ds.take(1):
    augmented_images = data_augmentation(images)
    assert augmented_images.shape == images.shape
num_classes = len(class_names)
model = Sequential(
    [
        data_augmentation,
        layers.Rescaling(1.0 / 255),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(num_classes, name="outputs"),
    ]
)
model.compile(
    optimizer="adam",
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(train_ds, validation_data=val_ds, epochs=5, verbose=2)
img = tf.keras.utils.load_img(
    next(root.glob("red/*.jpg")), target_size=(img_height, img_width)
)
img_array = tf.keras.utils.img_to_array(img)
img_array = tf.expand_dims(img_array, 0)
predictions = model.predict(img_array, verbose=0)
score = tf.nn.softmax(predictions[0])
print(f"{class_names[np.argmax(score)]} {100 * np.max(score):.2f}")
assert history.history["val_accuracy"][-1] > 0.8
