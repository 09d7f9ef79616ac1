# runs on: tensorflow. Text: a vocabulary, bags of words, bigrams, TF-IDF, an RNN.
import json
import pathlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1337)
good = "lovely brilliant moving superb charming delightful".split()
bad = "dull awful boring clumsy tedious dreadful".split()
filler = "the film was and a story with its cast but quite plot".split()
texts, labels = [], []
for i in range(240):
    words = list(np.random.choice(filler, 8)) + list(
        np.random.choice([good, bad][i % 2], 2)
    )
    np.random.shuffle(words)
    texts.append(" ".join(words).capitalize() + "!")
    labels.append(1 - i % 2)
for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
    folder = pathlib.Path("reviews", "pos" if label else "neg")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{i:03d}.txt").write_text(text)
files = sorted(pathlib.Path("reviews").glob("*/*.txt"))
assert len(files) == 240 and files[0].parent.name == "neg"
texts = np.array([path.read_text() for path in files])
labels = np.array([path.parent.name == "pos" for path in files], dtype="float32")
order = np.random.permutation(240)
x_train, y_train = texts[order[:180]], labels[order[:180]]
x_val, y_val = texts[order[180:]], labels[order[180:]]

results = []
for mode, ngrams in (("multi_hot", None), ("tf_idf", 2)):
    vectorize = layers.TextVectorization(
        max_tokens=60, output_mode=mode, ngrams=ngrams, pad_to_max_tokens=True
    )
    vectorize.adapt(x_train)
    a, b = np.asarray(vectorize(x_train)), np.asarray(vectorize(x_val))
    assert a.shape == (180, 60)
    model = keras.Sequential(
        [
            keras.Input((60,)),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        a, y_train, epochs=4, validation_data=(b, y_val), verbose=0
    ).history
    results += [float(a.sum()), history["loss"][-1], history["val_accuracy"][-1]]
    print(mode, ngrams, results[-3:])

vectorize = layers.TextVectorization(output_mode="int", output_sequence_length=12)
vectorize.adapt(x_train)
vocabulary = vectorize.get_vocabulary()
assert vocabulary[:2] == ["", "[UNK]"] and "film" in vocabulary
decode = dict(enumerate(vocabulary))
tokens = np.asarray(vectorize(x_train))
decoded = " ".join(decode[int(i)] for i in tokens[0] if i)
assert decoded == x_train[0].lower().strip("!")

inputs = keras.Input(shape=(12,), dtype="int64")
embedded = layers.Embedding(len(vocabulary), 8, mask_zero=True)(inputs)
x = layers.Bidirectional(layers.GRU(8))(embedded)
outputs = layers.Dense(1, activation="sigmoid")(layers.Dropout(0.3)(x))
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(tokens, y_train, epochs=5, batch_size=32, verbose=2).history
accuracy = model.evaluate(np.asarray(vectorize(x_val)), y_val, verbose=0)[1]
assert history["loss"][-1] < history["loss"][0] and accuracy > 0.7

# From raw text to probability, as one would serve it.
raw = ["A superb and charming story", "Quite dull, the plot was awful..."]
predictions = model.predict(np.asarray(vectorize(raw)), verbose=0)
for text, p in zip(raw, predictions, strict=True):
    print(f"{float(100 * p[0]):.2f} percent positive: {text}")
assert predictions[0, 0] > predictions[1, 0]
results += [*history["loss"], accuracy, *predictions[:, 0]]
print("RESULT", json.dumps([float(v) for v in results]))
