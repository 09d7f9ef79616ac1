"""Cases of sequences: encoders, decoders, transformers; networks with shared parts."""

import numpy as np

from compat.case_table import WHOLE_ROWS, case, classes, data

X = data(WHOLE_ROWS, 5)
LABELS = classes(WHOLE_ROWS, 3)
TARGETS = X[:, :2] + data(WHOLE_ROWS, 2, seed=4)
TOKENS = np.random.default_rng(7).integers(1, 9, (WHOLE_ROWS, 6)).astype("int32")
TOKENS[::3, 4:] = 0  # 0 is padding
TOKENS[1::5, 2:] = 0


def block_layer(keras):
    """A transformer's block as a layer of layers."""
    layers = keras.layers

    @keras.saving.register_keras_serializable("compat")
    class Block(layers.Layer):
        def __init__(self, size=4, heads=2, rate=0.1, causal=False, **kwargs):
            super().__init__(**kwargs)
            self.size, self.heads, self.rate = size, heads, rate
            self.causal = causal
            self.supports_masking = True
            # A bias of the keys changes nothing: its slope is rounding alone.
            self.attention = layers.MultiHeadAttention(
                heads, size, dropout=rate, use_bias=False
            )
            self.wide = layers.Dense(2 * size, activation="gelu")
            self.narrow = layers.Dense(size)
            self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
            self.dropout = layers.Dropout(rate)

        def build(self, input_shape):
            self.attention.build(input_shape, input_shape)
            for norm in self.norms:
                norm.build(input_shape)
            self.wide.build(input_shape)
            self.narrow.build((*input_shape[:-1], 2 * self.size))

        def call(self, x, training=None, mask=None):
            steps = None if mask is None else mask[:, None, :]
            seen = self.attention(
                x,
                x,
                attention_mask=steps,
                use_causal_mask=self.causal,
                training=training,
            )
            x = self.norms[0](x + self.dropout(seen, training=training))
            return self.norms[1](x + self.narrow(self.wide(x)))

        def get_config(self):
            own = {"size": self.size, "heads": self.heads, "rate": self.rate}
            return {**super().get_config(), **own, "causal": self.causal}

    return Block


def places_layer(keras):
    """Embeddings of tokens and of where they stand."""
    layers = keras.layers

    @keras.saving.register_keras_serializable("compat")
    class Places(layers.Layer):
        def __init__(self, steps=6, words=9, size=4, **kwargs):
            super().__init__(**kwargs)
            self.steps, self.words, self.size = steps, words, size
            # Not near 0, where the slopes of the norms make much of rounding.
            wide = keras.initializers.RandomUniform(-1.0, 1.0)
            self.word = layers.Embedding(words, size, wide, mask_zero=True)
            self.place = layers.Embedding(steps, size)

        def build(self, input_shape):
            self.word.build(input_shape)
            self.place.build((self.steps,))

        def call(self, ids):
            return self.word(ids) + self.place(keras.ops.arange(self.steps))

        def compute_mask(self, ids, mask=None):
            return self.word.compute_mask(ids)

        def get_config(self):
            own = {"steps": self.steps, "words": self.words, "size": self.size}
            return {**super().get_config(), **own}

    return Places


@case
def transformer_classifier(keras):
    layers = keras.layers
    ids = keras.Input((6,), dtype="int32")
    x = places_layer(keras)()(ids)
    x = block_layer(keras)()(x)
    x = layers.GlobalAveragePooling1D()(layers.Dropout(0.1)(x))
    model = keras.Model(ids, layers.Dense(3, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": TOKENS, "y": LABELS, "validation_split": 0.25}


@case
def causal_language_model(keras):
    layers = keras.layers
    ids = keras.Input((6,), dtype="int32")
    x = places_layer(keras)()(ids)
    for _ in range(2):
        x = block_layer(keras)(causal=True, rate=0.0)(x)
    model = keras.Model(ids, layers.Dense(9)(x))
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.5),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["sparse_categorical_accuracy"],
    )
    following = np.concatenate([TOKENS[:, 1:], TOKENS[:, :1]], axis=1)
    return model, {"x": TOKENS, "y": following}


@case
def grouped_query_decoder(keras):
    layers = keras.layers
    ids = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 8)(ids)
    seen = layers.GroupQueryAttention(
        *(4, 4, 2, 0.2), use_bias=False, use_gate=True, sliding_window=3, seed=5
    )(layers.LayerNormalization(rms_scaling=False)(x), x, use_causal_mask=True)
    x = layers.RMSNormalization()(layers.Add()([x, seen]))
    model = keras.Model(ids, layers.Dense(2)(layers.Flatten()(x)))
    model.compile("adam", "mse")
    return model, {"x": TOKENS, "y": TARGETS}


@case
def encoder_decoder(keras):
    layers = keras.layers
    source = keras.Input((6,), dtype="int32", name="source")
    target = keras.Input((5,), dtype="int32", name="target")
    x = layers.Embedding(9, 4, mask_zero=True)(source)
    memory, state = layers.GRU(5, return_sequences=True, return_state=True)(x)
    y = layers.Embedding(9, 4, mask_zero=True)(target)
    y = layers.GRU(5, return_sequences=True)(y, initial_state=state)
    context = layers.Attention(use_scale=True, dropout=0.1, seed=2)([y, memory])
    more = layers.AdditiveAttention()([y, memory])
    y = layers.Concatenate()([y, context, more])
    outputs = layers.TimeDistributed(layers.Dense(9, activation="softmax"))(y)
    model = keras.Model({"source": source, "target": target}, outputs)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["acc"])
    x = {"source": TOKENS, "target": TOKENS[::-1, :5]}
    return model, {"x": x, "y": TOKENS[::-1, 1:]}


@case
def convolutional_encoder_decoder(keras):
    layers = keras.layers
    source, target = keras.Input((8, 3)), keras.Input((4, 3))
    memory = layers.Conv1D(4, 3, padding="same", activation="relu")(source)
    memory = layers.MaxPooling1D(2)(layers.BatchNormalization()(memory))
    query = layers.Conv1D(4, 2, padding="causal")(target)
    seen, weights = layers.MultiHeadAttention(2, 3, value_dim=2, output_shape=4)(
        query, memory, return_attention_scores=True
    )
    spread = layers.Flatten()(layers.GlobalAveragePooling2D()(weights))
    x = layers.Concatenate()([layers.Flatten()(seen * query), spread])
    model = keras.Model([source, target], layers.Dense(2)(x))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mae")
    return model, {"x": [data(WHOLE_ROWS, 8, 3), data(WHOLE_ROWS, 4, 3)], "y": TARGETS}


@case
def siamese(keras):
    layers, ops = keras.layers, keras.ops
    inner = keras.Sequential(
        [keras.Input((5,)), layers.Dense(6, "relu"), layers.Dropout(0.1)]
    )
    shared = layers.Dense(3, kernel_regularizer="l2")
    left, right = keras.Input((5,)), keras.Input((5,))
    a, b = shared(inner(left)), shared(inner(right))
    distance = ops.sqrt(ops.sum(ops.square(a - b), axis=1, keepdims=True) + 1e-6)
    model = keras.Model([left, right], layers.Dense(1, "sigmoid")(distance))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    same = (LABELS == LABELS[::-1]).astype("float32")[:, None]
    return model, {"x": [X, X[::-1]], "y": same}


@case
def variational_autoencoder(keras):
    layers, ops = keras.layers, keras.ops
    register = keras.saving.register_keras_serializable("compat")

    @register
    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed = keras.random.SeedGenerator(1337)

        def call(self, inputs):
            mean, log_variance = inputs
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            return mean + ops.exp(0.5 * log_variance) * noise

    @register
    class Autoencoder(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.encode = layers.Dense(6, activation="relu")
            self.mean, self.log_variance = layers.Dense(2), layers.Dense(2)
            self.sampling = Sampling()
            self.decode = keras.Sequential([layers.Dense(6, "relu"), layers.Dense(5)])

        def call(self, x):
            hidden = self.encode(x)
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            distance = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
            self.add_loss(-0.5 * ops.mean(ops.sum(distance, axis=1)))
            return self.decode(self.sampling([mean, log_variance]))

    model = Autoencoder()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, {"x": X, "y": X}
