# runs on: tensorflow. Sequence to sequence with Bahdanau's attention, checkpoints.
import json
import os

import numpy as np
import tensorflow as tf

np.random.seed(6)
tf.random.set_seed(6)
BATCH_SIZE, UNITS, EMBEDDING_DIM = 16, 24, 8
START, END, N_LETTERS = "<start>", "<end>", 6

# The language to learn: words, each letter in capitals, in the reverse order.
words = ["".join(np.random.choice(list("abcdef"), 4)) for _ in range(96)]
sources = [" ".join([START, *w, END]) for w in words]
targets = [" ".join([START, *w.upper()[::-1], END]) for w in words]


def tokenize(lang):
    lang_tokenizer = tf.keras.preprocessing.text.Tokenizer(filters="", lower=False)
    lang_tokenizer.fit_on_texts(lang)
    tensor = lang_tokenizer.texts_to_sequences(lang)
    tensor = tf.keras.preprocessing.sequence.pad_sequences(tensor, padding="post")
    return tensor, lang_tokenizer


input_tensor, inp_lang = tokenize(sources)
target_tensor, targ_lang = tokenize(targets)
vocab_inp, vocab_tar = len(inp_lang.word_index) + 1, len(targ_lang.word_index) + 1
dataset = tf.data.Dataset.from_tensor_slices((input_tensor, target_tensor)).shuffle(96)
dataset = dataset.batch(BATCH_SIZE, drop_remainder=True)
steps_per_epoch = len(input_tensor) // BATCH_SIZE


class Encoder(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim, enc_units, batch_sz):
        super().__init__()
        self.batch_sz, self.enc_units = batch_sz, enc_units
        self.embedding = tf.keras.layers.Embedding(vocab_size, embedding_dim)
        self.gru = tf.keras.layers.GRU(
            self.enc_units,
            return_sequences=True,
            return_state=True,
            recurrent_initializer="glorot_uniform",
        )

    def call(self, x, hidden):
        x = self.embedding(x)
        output, state = self.gru(x, initial_state=hidden)
        return output, state

    def initialize_hidden_state(self):
        return tf.zeros((self.batch_sz, self.enc_units))


class BahdanauAttention(tf.keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.W1 = tf.keras.layers.Dense(units)
        self.W2 = tf.keras.layers.Dense(units)
        self.V = tf.keras.layers.Dense(1)

    def call(self, query, values):
        query_with_time_axis = tf.expand_dims(query, 1)
        score = self.V(tf.nn.tanh(self.W1(query_with_time_axis) + self.W2(values)))
        attention_weights = tf.nn.softmax(score, axis=1)
        context_vector = tf.reduce_sum(attention_weights * values, axis=1)
        return context_vector, attention_weights


class Decoder(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim, dec_units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocab_size, embedding_dim)
        self.gru = tf.keras.layers.GRU(
            dec_units, return_sequences=True, return_state=True
        )
        self.fc = tf.keras.layers.Dense(vocab_size)
        self.attention = BahdanauAttention(dec_units)

    def call(self, x, hidden, enc_output):
        context_vector, attention_weights = self.attention(hidden, enc_output)
        x = self.embedding(x)
        x = tf.concat([tf.expand_dims(context_vector, 1), x], axis=-1)
        output, state = self.gru(x, initial_state=hidden)
        output = tf.reshape(output, (-1, output.shape[2]))
        return self.fc(output), state, attention_weights


encoder = Encoder(vocab_inp, EMBEDDING_DIM, UNITS, BATCH_SIZE)
decoder = Decoder(vocab_tar, EMBEDDING_DIM, UNITS)
optimizer = tf.keras.optimizers.Adam(0.02)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, reduction="none"
)


def loss_function(real, pred):
    mask = tf.math.logical_not(tf.math.equal(real, 0))
    loss_ = loss_object(real, pred)
    mask = tf.cast(mask, dtype=loss_.dtype)
    loss_ *= mask
    return tf.reduce_mean(loss_)


@tf.function
def train_step(inp, targ, enc_hidden):
    loss = 0
    with tf.GradientTape() as tape:
        enc_output, enc_hidden = encoder(inp, enc_hidden)
        dec_hidden = enc_hidden
        dec_input = tf.expand_dims([targ_lang.word_index[START]] * BATCH_SIZE, 1)
        for t in range(1, targ.shape[1]):  # teacher forcing
            predictions, dec_hidden, _ = decoder(dec_input, dec_hidden, enc_output)
            loss += loss_function(targ[:, t], predictions)
            dec_input = tf.expand_dims(targ[:, t], 1)
    batch_loss = loss / int(targ.shape[1])
    variables = encoder.trainable_variables + decoder.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return batch_loss


hidden = encoder.initialize_hidden_state()
checkpoint = tf.train.Checkpoint(optimizer=optimizer, encoder=encoder, decoder=decoder)
manager = tf.train.CheckpointManager(checkpoint, "./checkpoints", max_to_keep=2)
sample_output, sample_hidden = encoder(input_tensor[:BATCH_SIZE], hidden)
assert sample_output.shape == (16, 6, 24) and sample_hidden.shape == (16, 24)
context, weights = BahdanauAttention(10)(sample_hidden, sample_output)
assert context.shape == (16, 24) and weights.shape == (16, 6, 1)

epoch_losses = []
for epoch in range(16):
    total_loss = 0
    for inp, targ in dataset.take(steps_per_epoch):
        total_loss += train_step(inp, targ, hidden)
    epoch_losses.append(float(total_loss / steps_per_epoch))
    if (epoch + 1) % 4 == 0:
        manager.save()
        print(f"Epoch {epoch + 1} Loss {epoch_losses[-1]:.4f}")


def translate(word):
    inputs = [inp_lang.word_index[i] for i in [START, *word, END]]
    inputs = tf.convert_to_tensor([inputs])
    enc_out, dec_hidden = encoder(inputs, [tf.zeros((1, UNITS))])
    dec_input = tf.expand_dims([targ_lang.word_index[START]], 0)
    result, plot = "", np.zeros((6, 6))
    for t in range(6):
        predictions, dec_hidden, weights = decoder(dec_input, dec_hidden, enc_out)
        plot[t] = tf.reshape(weights, (-1,)).numpy()
        predicted_id = tf.argmax(predictions[0]).numpy()
        letter = targ_lang.index_word[predicted_id]
        if letter == END:
            break
        result += letter
        dec_input = tf.expand_dims([predicted_id], 0)
    return result, plot


before, plot = translate(words[0])
encoder.embedding.set_weights([0 * w for w in encoder.embedding.get_weights()])
checkpoint.restore(tf.train.latest_checkpoint("./checkpoints"))
after, _ = translate(words[0])
assert before == after and np.allclose(plot[0].sum(), 1, atol=1e-5)
assert len(manager.checkpoints) == 2 and os.path.isdir("checkpoints")
hits = [sum(map(str.__eq__, translate(w)[0], w.upper()[::-1])) for w in words[:8]]
print(words[:3], [translate(w)[0] for w in words[:3]], hits)
assert epoch_losses[-1] < 0.6 * epoch_losses[0] and np.mean(hits) > 4 / N_LETTERS
print("RESULT", json.dumps([epoch_losses[0], epoch_losses[-1], float(np.mean(hits))]))
