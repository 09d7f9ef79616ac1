# runs on: old keras only (1.x)
"""Two recurrent branches over word numbers, joined with Merge and with merge."""

import random

import numpy as np
from keras.layers import GRU, LSTM, Dense, Dropout, Embedding, Input, Merge, merge
from keras.layers import GlobalMaxPooling1D, TimeDistributed
from keras.models import Model, Sequential
from keras.preprocessing import sequence

random.seed(11)
np.random.seed(11)
max_features, maxlen, nb_samples = 40, 10, 320

# A sentence is positive if it has more words of the upper half than of the lower.
texts = [list(np.random.randint(1, max_features, np.random.randint(4, 14)))
         for _ in range(nb_samples)]  # fmt: skip
X = sequence.pad_sequences(texts, maxlen=maxlen)
y = (np.sum(X >= 20, 1) > np.sum((X > 0) & (X < 20), 1)).astype("float32")
X_train, X_test, y_train, y_test = X[:256], X[256:], y[:256], y[256:]

# Sequential branches of Keras 1.
left = Sequential()
left.add(Embedding(max_features, 8, input_length=maxlen, dropout=0.0))
left.add(
    LSTM(
        output_dim=12,
        init="glorot_uniform",
        inner_init="orthogonal",
        inner_activation="hard_sigmoid",
        activation="tanh",
        dropout_W=0.1,
        dropout_U=0.1,
        consume_less="gpu",
    )
)
right = Sequential()
right.add(Embedding(max_features, 8, input_length=maxlen, mask_zero=True))
right.add(GRU(12, unroll=False))
model = Sequential()
model.add(Merge([left, right], mode="concat", concat_axis=-1))
model.add(Dropout(0.1))
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"], class_mode="binary")
print("Train...")
fitted = model.fit(
    [X_train, X_train], y_train, batch_size=16, nb_epoch=12, verbose=0,
    validation_data=([X_test, X_test], y_test),
)  # fmt: skip
score, accuracy = model.evaluate([X_test, X_test], y_test, batch_size=16, verbose=0)
print("Test score:", score, "accuracy:", accuracy)
assert fitted.history["loss"][-1] < 0.8 * fitted.history["loss"][0]
assert accuracy > 0.75

# The functional API of Keras 1: merge() as a function, input= and output=.
words = Input(shape=(maxlen,), dtype="int32", name="words")
vectors = Embedding(output_dim=8, input_dim=max_features, input_length=maxlen)(words)
forwards = LSTM(8, return_sequences=True)(vectors)
backwards = LSTM(8, return_sequences=True, go_backwards=True)(vectors)
both = merge([forwards, backwards], mode="sum")
scaled = merge([both, vectors], mode="mul")
joined = merge([scaled, both], mode="concat", concat_axis=2)
steps = TimeDistributed(Dense(output_dim=4, activation="relu"))(joined)
last = GlobalMaxPooling1D()(steps)
out = Dense(1, activation="sigmoid", name="out")(last)
graph = Model(input=words, output=out)
graph.compile("rmsprop", {"out": "binary_crossentropy"})
first = graph.train_on_batch({"words": X_train}, {"out": y_train})
graph.fit({"words": X_train}, {"out": y_train}, nb_epoch=6, batch_size=16, verbose=0)
later = graph.evaluate({"words": X_train}, {"out": y_train}, verbose=0)
print("graph loss: %.3f -> %.3f" % (first, later))
assert later < first
assert joined.shape[-1] == 16 and graph.output_shape == (None, 1)
print("RESULT", [round(float(accuracy), 4), round(float(later), 4)])
