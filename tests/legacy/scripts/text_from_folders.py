"""A text script of `tensorflow.keras` style, which starts at folders of files."""

import os
import re
import string
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses

root = tempfile.mkdtemp()
rng = np.random.RandomState(0)
good = "great lovely wonderful superb brilliant".split()
bad = "awful boring terrible dull poor".split()
filler = "the movie was and plot actor scene it <br /> in a of".split()
for part in ("train", "test"):
    for cls, words in (("neg", bad), ("pos", good)):
        os.makedirs(f"{root}/{part}/{cls}")
        for i in range(60):
            t = (
                " ".join(
                    rng.choice(filler, 12).tolist() + rng.choice(words, 3).tolist()
                )
                + "!"
            )
            open(f"{root}/{part}/{cls}/{i}.txt", "w").write(t.title())
batch_size = 16
seed = 42
raw_train_ds = tf.keras.utils.text_dataset_from_directory(
    f"{root}/train",
    batch_size=batch_size,
    validation_split=0.2,
    subset="training",
    seed=seed,
)
for text_batch, label_batch in raw_train_ds.take(1):
    for i in range(3):
        print("Review", text_batch.numpy()[i])
        print("Label", label_batch.numpy()[i])
print("Label 0 corresponds to", raw_train_ds.class_names[0])
raw_val_ds = tf.keras.utils.text_dataset_from_directory(
    f"{root}/train",
    batch_size=batch_size,
    validation_split=0.2,
    subset="validation",
    seed=seed,
)
raw_test_ds = tf.keras.utils.text_dataset_from_directory(
    f"{root}/test", batch_size=batch_size
)


def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(
        stripped_html, f"[{re.escape(string.punctuation)}]", ""
    )


vectorize_layer = layers.TextVectorization(
    standardize=custom_standardization,
    max_tokens=1000,
    output_mode="int",
    output_sequence_length=20,
)
train_text = raw_train_ds.map(lambda x, y: x)
vectorize_layer.adapt(train_text)


def vectorize_text(text, label):
    text = tf.expand_dims(text, -1)
    return vectorize_layer(text), label


text_batch, label_batch = next(iter(raw_train_ds))
first_review, first_label = text_batch[0], label_batch[0]
print("Review", first_review)
print("Label", raw_train_ds.class_names[first_label])
print("Vectorized review", vectorize_text(first_review, first_label))
print("1287 ---> ", vectorize_layer.get_vocabulary()[5])
print(f"Vocabulary size: {len(vectorize_layer.get_vocabulary())}")
train_ds = raw_train_ds.map(vectorize_text)
val_ds = raw_val_ds.map(vectorize_text)
test_ds = raw_test_ds.map(vectorize_text)
AUTOTUNE = tf.data.AUTOTUNE
train_ds = train_ds.cache().prefetch(buffer_size=AUTOTUNE)
val_ds = val_ds.cache().prefetch(buffer_size=AUTOTUNE)
test_ds = test_ds.cache().prefetch(buffer_size=AUTOTUNE)
model = tf.keras.Sequential(
    [
        layers.Embedding(1000, 16),
        layers.Dropout(0.2),
        layers.GlobalAveragePooling1D(),
        layers.Dropout(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    loss=losses.BinaryCrossentropy(),
    optimizer=tf.keras.optimizers.Adam(0.05),
    metrics=["accuracy"],
)
history = model.fit(train_ds, validation_data=val_ds, epochs=5, verbose=2)
loss, accuracy = model.evaluate(test_ds, verbose=0)
print("Accuracy: ", accuracy)
export_model = tf.keras.Sequential(
    [vectorize_layer, model, layers.Activation("linear")]
)
export_model.compile(
    loss=losses.BinaryCrossentropy(from_logits=False),
    optimizer="adam",
    metrics=["accuracy"],
)
metrics = export_model.evaluate(raw_test_ds, return_dict=True, verbose=0)
print(metrics)
examples = tf.constant(
    ["The movie was great!", "The movie was okay.", "The movie was terrible..."]
)
print(export_model.predict(examples, verbose=0))
assert accuracy > 0.9
