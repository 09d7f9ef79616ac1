# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""Reverse words letter by letter: encoder, decoder, and models for inference."""

import random

import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import LSTM, Dense, Input
from tensorflow.keras.models import Model

random.seed(9)
np.random.seed(9)
letters, length, num_samples, latent_dim = "abcd", 3, 400, 32
characters = ["\t", "\n"] + list(letters)
token_index = {char: i for i, char in enumerate(characters)}
reverse_index = {i: char for char, i in token_index.items()}
num_tokens = len(characters)

input_texts = [
    "".join(np.random.choice(list(letters), length)) for _ in range(num_samples)
]
target_texts = ["\t" + text[::-1] + "\n" for text in input_texts]
encoder_input_data = np.zeros((num_samples, length, num_tokens), dtype="float32")
decoder_input_data = np.zeros((num_samples, length + 2, num_tokens), dtype="float32")
decoder_target_data = np.zeros_like(decoder_input_data)
for i, (input_text, target_text) in enumerate(zip(input_texts, target_texts)):
    for t, char in enumerate(input_text):
        encoder_input_data[i, t, token_index[char]] = 1.0
    for t, char in enumerate(target_text):
        decoder_input_data[i, t, token_index[char]] = 1.0
        if t > 0:  # one step ahead
            decoder_target_data[i, t - 1, token_index[char]] = 1.0

encoder_inputs = Input(shape=(None, num_tokens))
encoder = LSTM(latent_dim, return_state=True)
encoder_outputs, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, num_tokens))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(num_tokens, activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)
model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(
    optimizer=keras.optimizers.RMSprop(0.02), loss="categorical_crossentropy",
    metrics=["accuracy"],
)  # fmt: skip
history = model.fit(
    [encoder_input_data, decoder_input_data],
    decoder_target_data,
    batch_size=20,
    epochs=25,
    validation_split=0.1,
    verbose=0,
)
losses = history.history["loss"]
print("loss: %.3f -> %.3f" % (losses[0], losses[-1]))
assert losses[-1] < 0.5 * losses[0]
model.save("s2s.h5")

# Read it again and take it apart, as for a service.
model = keras.models.load_model("s2s.h5")
encoder_inputs = model.input[0]
encoder_outputs, state_h_enc, state_c_enc = model.layers[2].output
encoder_model = Model(encoder_inputs, [state_h_enc, state_c_enc])
decoder_inputs = model.input[1]
state_input_h = Input(shape=(latent_dim,), name="state_h_in")
state_input_c = Input(shape=(latent_dim,), name="state_c_in")
decoder_states_inputs = [state_input_h, state_input_c]
decoder_lstm = model.layers[3]
decoder_outputs, state_h_dec, state_c_dec = decoder_lstm(
    decoder_inputs, initial_state=decoder_states_inputs
)
decoder_outputs = model.layers[4](decoder_outputs)
decoder_model = Model(
    [decoder_inputs] + decoder_states_inputs,
    [decoder_outputs, state_h_dec, state_c_dec],
)


def decode_sequence(input_seq):
    states_value = encoder_model.predict(input_seq, verbose=0)
    target_seq = np.zeros((1, 1, num_tokens))
    target_seq[0, 0, token_index["\t"]] = 1.0
    decoded = ""
    while len(decoded) <= length:
        output_tokens, h, c = decoder_model.predict(
            [target_seq] + states_value, verbose=0
        )
        sampled = int(np.argmax(output_tokens[0, -1, :]))
        if reverse_index[sampled] == "\n":
            break
        decoded += reverse_index[sampled]
        target_seq = np.zeros((1, 1, num_tokens))
        target_seq[0, 0, sampled] = 1.0
        states_value = [h, c]
    return decoded


right = 0
for i in range(10):
    decoded = decode_sequence(encoder_input_data[i : i + 1])
    right += sum(a == b for a, b in zip(decoded, input_texts[i][::-1]))
    print(input_texts[i], "->", decoded)
assert right >= 18, right  # of 30 letters; 7 by chance
print("RESULT", [model.count_params(), int(encoder_input_data.sum())])
