# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""A Siamese network with a shared base, a distance in Lambda, contrastive loss."""

import random

import numpy as np
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Dropout, Flatten, Input, Lambda
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import RMSprop

random.seed(13)
np.random.seed(13)
num_classes, epochs = 4, 10


def euclidean_distance(vects):
    x, y = vects
    sum_square = K.sum(K.square(x - y), axis=1, keepdims=True)
    return K.sqrt(K.maximum(sum_square, K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    """Near pairs are drawn together, others pushed apart up to the margin."""
    margin = 1
    square_pred = K.square(y_pred)
    margin_square = K.square(K.maximum(margin - y_pred, 0))
    return K.mean(y_true * square_pred + (1 - y_true) * margin_square)


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


def compute_accuracy(y_true, y_pred):
    pred = y_pred.ravel() < 0.5
    return np.mean(pred == y_true)


def create_pairs(x, digit_indices):
    pairs, labels = [], []
    n = min([len(digit_indices[d]) for d in range(num_classes)]) - 1
    for d in range(num_classes):
        for i in range(n):
            z1, z2 = digit_indices[d][i], digit_indices[d][i + 1]
            pairs += [[x[z1], x[z2]]]
            dn = (d + random.randrange(1, num_classes)) % num_classes
            pairs += [[x[z1], x[digit_indices[dn][i]]]]
            labels += [1, 0]
    return np.array(pairs), np.array(labels).astype("float32")


def create_base_network(input_shape):
    input = Input(shape=input_shape)
    x = Flatten()(input)
    x = Dense(32, activation="relu")(x)
    x = Dropout(0.1)(x)
    x = Dense(16, activation="relu")(x)
    return Model(input, x)


patterns = np.random.uniform(0, 1, (num_classes, 5, 5))
labels = np.random.randint(0, num_classes, 240)
x = (patterns[labels] + np.random.normal(0, 0.25, (240, 5, 5))).astype("float32")
y_train, y_test = labels[:180], labels[180:]
tr_pairs, tr_y = create_pairs(
    x[:180], [np.where(y_train == i)[0] for i in range(num_classes)]
)
te_pairs, te_y = create_pairs(
    x[180:], [np.where(y_test == i)[0] for i in range(num_classes)]
)
base_network = create_base_network((5, 5))
input_a, input_b = Input(shape=(5, 5)), Input(shape=(5, 5))
processed_a, processed_b = base_network(input_a), base_network(input_b)
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)(
    [processed_a, processed_b]
)
model = Model([input_a, input_b], distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop(0.003), metrics=[accuracy])
history = model.fit(
    [tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, batch_size=16, epochs=epochs, verbose=0,
    validation_data=([te_pairs[:, 0], te_pairs[:, 1]], te_y),
)  # fmt: skip
y_pred = model.predict([te_pairs[:, 0], te_pairs[:, 1]], verbose=0)
te_acc = compute_accuracy(te_y, y_pred)
print("* Accuracy on test set: %0.2f%%" % (100 * te_acc))
assert te_acc > 0.8
assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
assert {"accuracy", "val_accuracy"} <= set(history.history)
# The two branches share their weights, and the distance of a picture to itself is ~0.
assert len(model.trainable_weights) == 4
same = model.predict([x[:5], x[:5]], verbose=0)
assert same.shape == (5, 1) and same.max() < 1e-2

# Numbers of the loss and the distance, with weights of NumPy's.
rng = np.random.RandomState(3)
base_network.set_weights(
    [rng.normal(0, 0.2, w.shape) for w in base_network.get_weights()]
)
loss, _ = model.evaluate(
    [te_pairs[:, 0], te_pairs[:, 1]], te_y, batch_size=500, verbose=0
)
print("RESULT", [len(tr_pairs), len(te_pairs), float(loss)])
