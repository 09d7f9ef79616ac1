# runs on: tensorflow. tf.data from PNG files: read, decode, augment, batch, train.
import json
import os
import pathlib

import numpy as np
import tensorflow as tf

tf.random.set_seed(3)
AUTOTUNE = tf.data.AUTOTUNE
rng = np.random.default_rng(8)
data_dir = pathlib.Path("flowers")
for name, color in {"daisy": [250, 250, 240], "rose": [210, 20, 50]}.items():
    (data_dir / name).mkdir(parents=True)
    for i in range(24):
        picture = rng.integers(0, 60, (20, 24, 3))
        picture[5:15, 6:18] = color
        encoded = tf.io.encode_png(tf.cast(picture, tf.uint8))
        tf.io.write_file(str(data_dir / name / f"{i:02d}.png"), encoded)

image_count = len(list(data_dir.glob("*/*.png")))
class_names = np.array(sorted([item.name for item in data_dir.glob("*")]))
list_ds = tf.data.Dataset.list_files(str(data_dir / "*/*"), shuffle=False)
list_ds = list_ds.shuffle(image_count, reshuffle_each_iteration=False)
val_size = int(image_count * 0.25)
train_ds, val_ds = list_ds.skip(val_size), list_ds.take(val_size)
assert tf.data.experimental.cardinality(train_ds).numpy() == 36


def get_label(file_path):
    parts = tf.strings.split(file_path, os.path.sep)
    one_hot = parts[-2] == class_names
    return tf.argmax(tf.cast(one_hot, tf.int32))


def decode_img(img, size=(16, 16)):
    img = tf.io.decode_png(img, channels=3)
    img = tf.image.convert_image_dtype(img, tf.float32)
    return tf.image.resize(img, size)


def process_path(file_path):
    label = get_label(file_path)
    img = tf.io.read_file(file_path)
    return decode_img(img), label


def augment(image, label):
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, max_delta=0.1)
    image = tf.image.resize_with_crop_or_pad(image, 20, 20)
    image = tf.image.random_crop(image, size=[16, 16, 3])
    return tf.clip_by_value(image, 0.0, 1.0), label


plain = train_ds.map(process_path, num_parallel_calls=AUTOTUNE).cache()
for image, label in plain.take(1):
    assert image.shape == (16, 16, 3) and label.numpy() in (0, 1)
    assert 0 <= tf.reduce_min(image) and tf.reduce_max(image) <= 1
train_ds = (
    plain.shuffle(buffer_size=100)
    .map(augment, num_parallel_calls=AUTOTUNE)
    .batch(12)
    .prefetch(buffer_size=AUTOTUNE)
)
val_ds = val_ds.map(process_path, num_parallel_calls=AUTOTUNE).batch(12).cache()
image_batch, label_batch = next(iter(train_ds))
assert image_batch.shape == (12, 16, 16, 3) and label_batch.numpy().shape == (12,)

num_classes = len(class_names)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Conv2D(8, 3, activation="relu"),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(num_classes),
    ]
)
model.compile(
    optimizer="adam",
    loss=tf.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(train_ds, validation_data=val_ds, epochs=20, verbose=2).history
score = tf.nn.softmax(model.predict(next(iter(val_ds))[0], verbose=0))
template = "This image most likely is a {} with {:.1f} percent."
print(template.format(class_names[np.argmax(score[0])], 100 * np.max(score)))
assert history["val_accuracy"][-1] >= 0.9 and history["loss"][-1] < history["loss"][0]

means = {0: [], 1: []}
for image, label in plain:
    means[int(label)].append(tf.reduce_mean(image, axis=(0, 1)).numpy())
means = [np.mean(means[k], axis=0) for k in (0, 1)]
counts = [int(v) for v in np.bincount([int(y) for _, y in plain.take(100)])]
assert sum(counts) == 36
red, white = np.round(means[1], 2), np.round(means[0], 2)
assert red[0] > red[1] and abs(white[0] - white[1]) < 0.05
windows = tf.data.Dataset.range(10).window(4, shift=2, drop_remainder=True)
windows = windows.flat_map(lambda w: w.batch(4))
rows = [row.tolist() for row in windows.as_numpy_iterator()]
zipped = tf.data.Dataset.zip((tf.data.Dataset.range(3), tf.data.Dataset.range(3, 6)))
pairs = [[int(a), int(b)] for a, b in zipped.repeat(2)]
print("RESULT", json.dumps([rows[-1], pairs[-1], len(pairs), image_count]))
