# runs on: tensorflow. A Transformer from scratch: attention, masks and positions.
import json

import numpy as np
import tensorflow as tf

np.random.seed(0)
tf.random.set_seed(0)


def positional_encoding(length, depth):
    depth = depth / 2
    positions = np.arange(length)[:, np.newaxis]
    depths = np.arange(depth)[np.newaxis, :] / depth
    angle_rads = positions / (10000**depths)
    pos_encoding = np.concatenate([np.sin(angle_rads), np.cos(angle_rads)], axis=-1)
    return tf.cast(pos_encoding, dtype=tf.float32)


def create_padding_mask(seq):
    seq = tf.cast(tf.math.equal(seq, 0), tf.float32)
    return seq[:, tf.newaxis, tf.newaxis, :]


def create_look_ahead_mask(size):
    return 1 - tf.linalg.band_part(tf.ones((size, size)), -1, 0)


def scaled_dot_product_attention(q, k, v, mask):
    matmul_qk = tf.matmul(q, k, transpose_b=True)
    dk = tf.cast(tf.shape(k)[-1], tf.float32)
    scaled_attention_logits = matmul_qk / tf.math.sqrt(dk)
    if mask is not None:
        scaled_attention_logits += mask * -1e9
    attention_weights = tf.nn.softmax(scaled_attention_logits, axis=-1)
    return tf.matmul(attention_weights, v), attention_weights


class MultiHeadAttention(tf.keras.layers.Layer):
    def __init__(self, d_model, num_heads):
        super().__init__()
        assert d_model % num_heads == 0
        self.num_heads, self.d_model = num_heads, d_model
        self.depth = d_model // num_heads
        self.wq = tf.keras.layers.Dense(d_model)
        self.wk = tf.keras.layers.Dense(d_model)
        self.wv = tf.keras.layers.Dense(d_model)
        self.dense = tf.keras.layers.Dense(d_model)

    def split_heads(self, x, batch_size):
        x = tf.reshape(x, (batch_size, -1, self.num_heads, self.depth))
        return tf.transpose(x, perm=[0, 2, 1, 3])

    def call(self, v, k, q, mask=None):
        batch_size = tf.shape(q)[0]
        q = self.split_heads(self.wq(q), batch_size)
        k = self.split_heads(self.wk(k), batch_size)
        v = self.split_heads(self.wv(v), batch_size)
        attention, weights = scaled_dot_product_attention(q, k, v, mask)
        attention = tf.transpose(attention, perm=[0, 2, 1, 3])
        concat = tf.reshape(attention, (batch_size, -1, self.d_model))
        return self.dense(concat), weights


class DecoderLayer(tf.keras.layers.Layer):
    def __init__(self, d_model, num_heads, dff, rate=0.1):
        super().__init__()
        self.mha = MultiHeadAttention(d_model, num_heads)
        self.ffn = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(dff, activation="relu"),
                tf.keras.layers.Dense(d_model),
            ]
        )
        self.norm1 = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.norm2 = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout = tf.keras.layers.Dropout(rate)

    def call(self, x, training=None, mask=None):
        attention, weights = self.mha(x, x, x, mask)
        out1 = self.norm1(x + self.dropout(attention, training=training))
        return self.norm2(out1 + self.ffn(out1)), weights


class Transformer(tf.keras.Model):
    def __init__(self, num_layers, d_model, num_heads, dff, vocab_size, length):
        super().__init__()
        self.d_model, self.num_layers = d_model, num_layers
        self.embedding = tf.keras.layers.Embedding(vocab_size, d_model)
        self.pos_encoding = positional_encoding(length, d_model)
        self.blocks = [DecoderLayer(d_model, num_heads, dff) for _ in range(num_layers)]
        self.final_layer = tf.keras.layers.Dense(vocab_size)

    def call(self, tokens, training=None):
        length = tf.shape(tokens)[1]
        mask = tf.maximum(create_padding_mask(tokens), create_look_ahead_mask(length))
        x = self.embedding(tokens)
        x *= tf.math.sqrt(tf.cast(self.d_model, tf.float32))
        x += self.pos_encoding[tf.newaxis, :length, :]
        for block in self.blocks:
            x, self.last_weights = block(x, training=training, mask=mask)
        return self.final_layer(x)


class CustomSchedule(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, d_model, warmup_steps=4000):
        super().__init__()
        self.d_model = tf.cast(d_model, tf.float32)
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = tf.cast(step, dtype=tf.float32)
        arg1 = tf.math.rsqrt(step)
        arg2 = step * (self.warmup_steps**-1.5)
        return tf.math.rsqrt(self.d_model) * tf.math.minimum(arg1, arg2)


# Sequences that count in steps, some of them padded with 0.
starts, steps = np.random.randint(0, 11, (96, 1)), np.random.randint(1, 4, (96, 1))
tokens = (starts + steps * np.arange(9)) % 11 + 1
tokens[::5, 6:] = 0
inp, tar = tokens[:, :-1], tokens[:, 1:]
model = Transformer(
    num_layers=2, d_model=16, num_heads=2, dff=32, vocab_size=12, length=20
)
learning_rate = CustomSchedule(16, warmup_steps=20)
optimizer = tf.keras.optimizers.Adam(
    learning_rate, beta_1=0.9, beta_2=0.98, epsilon=1e-9
)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, reduction="none"
)


def masked_loss(real, pred):
    mask = tf.cast(tf.math.logical_not(tf.math.equal(real, 0)), tf.float32)
    return tf.reduce_sum(loss_object(real, pred) * mask) / tf.reduce_sum(mask)


def masked_accuracy(label, pred):
    pred = tf.argmax(pred, axis=2)
    label = tf.cast(label, pred.dtype)
    mask = label != 0
    match = tf.cast((label == pred) & mask, dtype=tf.float32)
    return tf.reduce_sum(match) / tf.reduce_sum(tf.cast(mask, tf.float32))


model(inp[:1])
rng = np.random.default_rng(1)
model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
first_loss = float(masked_loss(tar, model(inp)))
model.compile(loss=masked_loss, optimizer=optimizer, metrics=[masked_accuracy])
history = model.fit(inp, tar, epochs=15, batch_size=16, verbose=2).history
logits = model(inp[:5])
assert logits.shape == (5, 8, 12) and model.last_weights.shape == (5, 2, 8, 8)
future = np.triu(np.ones((8, 8)), 1) > 0
assert np.abs(np.asarray(model.last_weights)[..., future]).max() < 1e-6
assert history["loss"][-1] < 0.9 * history["loss"][0]
assert history["masked_accuracy"][-1] > 0.1
encoding = positional_encoding(length=50, depth=16)
rate = [float(learning_rate(n)) for n in (1.0, 20.0, 80.0)]
assert rate[0] < rate[2] < rate[1]
assert abs(first_loss - 2.63761) < 1e-3  # what TensorFlow 2.21 gave
print("RESULT", json.dumps([first_loss, *rate, float(tf.reduce_sum(encoding))]))
