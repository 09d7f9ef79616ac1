# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""Sentiment of short reviews: Tokenizer, pad_sequences, Embedding, LSTM."""

import pickle
import random

import numpy as np
from tensorflow.keras.layers import LSTM, Bidirectional, Dense, Embedding
from tensorflow.keras.layers import Flatten, SpatialDropout1D
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer, text_to_word_sequence

random.seed(21)
np.random.seed(21)
good = "great lovely fine superb warm funny moving clever".split()
bad = "dull awful weak boring cold silly flat clumsy".split()
rest = "the film was a story and it had an actor with some music".split()


def review(positive):
    words = list(np.random.choice(rest, np.random.randint(4, 9)))
    own = np.random.choice(good if positive else bad, np.random.randint(1, 4))
    for word in own:
        words.insert(np.random.randint(0, len(words) + 1), word)
    return " ".join(words).capitalize() + "!"


labels = np.random.randint(0, 2, 400)
texts = [review(label) for label in labels]
print(texts[0], "->", labels[0])

vocabulary, maxlen = 30, 12
tokenizer = Tokenizer(num_words=vocabulary, oov_token="<oov>", filters="!.,")
tokenizer.fit_on_texts(texts)
sequences = tokenizer.texts_to_sequences(texts)
word_index = tokenizer.word_index
print("Found %s unique tokens." % len(word_index))
data = pad_sequences(sequences, maxlen=maxlen, padding="post", truncating="post")
assert data.shape == (400, maxlen) and data.dtype == np.int32
assert data.max() < vocabulary and word_index["<oov>"] == 1
counts = tokenizer.texts_to_matrix(texts, mode="count")
assert counts.shape == (400, vocabulary)
assert text_to_word_sequence("A Film, great!") == ["a", "film", "great"]

indices = np.arange(data.shape[0])
np.random.shuffle(indices)
data, labels = data[indices], labels[indices]
x_train, y_train, x_val, y_val = data[:320], labels[:320], data[320:], labels[320:]

# Vectors known before, as those of GloVe: one axis tells the moods apart.
embedding_dim = 8
embedding_matrix = np.random.normal(0, 0.1, (vocabulary, embedding_dim))
for word, i in word_index.items():
    if i < vocabulary and word in good + bad:
        embedding_matrix[i, 0] = 1.0 if word in good else -1.0

frozen = Sequential()
frozen.add(Embedding(vocabulary, embedding_dim, input_length=maxlen))
frozen.add(Flatten())
frozen.add(Dense(8, activation="relu"))
frozen.add(Dense(1, activation="sigmoid"))
frozen.summary()
frozen.layers[0].set_weights([embedding_matrix])
frozen.layers[0].trainable = False
frozen.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
history = frozen.fit(x_train, y_train, epochs=6, batch_size=16, verbose=0,
                     validation_data=(x_val, y_val))  # fmt: skip
acc, val_acc = history.history["acc"], history.history["val_acc"]
np.testing.assert_allclose(frozen.layers[0].get_weights()[0], embedding_matrix, 1e-6)
print("frozen vectors:", val_acc[-1])
assert len(acc) == 6 and val_acc[-1] > 0.8

model = Sequential()
model.add(Embedding(vocabulary, embedding_dim, mask_zero=True, input_length=maxlen))
model.add(SpatialDropout1D(0.1))
model.add(Bidirectional(LSTM(8, dropout=0.1)))
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", ["accuracy"])
model.fit(x_train, y_train, batch_size=16, epochs=6, verbose=2, validation_split=0.2)
loss, accuracy = model.evaluate(x_val, y_val, verbose=0)
print("LSTM:", loss, accuracy)
assert accuracy > 0.85

# Into use: the tokenizer travels as a pickle.
with open("tokenizer.pickle", "wb") as handle:
    pickle.dump(tokenizer, handle, protocol=pickle.HIGHEST_PROTOCOL)
with open("tokenizer.pickle", "rb") as handle:
    loaded = pickle.load(handle)
new = ["a great and funny film", "it was a dull, boring story"]
found = model.predict(
    pad_sequences(loaded.texts_to_sequences(new), maxlen, padding="post")
)
print(dict(zip(new, found[:, 0])))
assert found[0, 0] > 0.5 > found[1, 0]
assert loaded.sequences_to_texts(loaded.texts_to_sequences(new))[0] == new[0]
print("RESULT", [len(word_index), int(data.sum()), float(counts.sum())])
