# needs: keras_hub
# ruff: noqa: E402
"""KerasHub from small configs: a BERT classifier, GPT-2 that generates, LoRA, files."""

import minikeras

minikeras.install_as_keras()

import json
import pathlib

import keras
import keras_hub
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# A BERT classifier on tokens, trained, saved and loaded.
bert = keras_hub.models.BertBackbone(
    vocabulary_size=30,
    num_layers=2,
    num_heads=2,
    hidden_dim=16,
    intermediate_dim=32,
    max_sequence_length=12,
    dropout=0.0,
)
classifier = keras_hub.models.BertTextClassifier(bert, num_classes=2, dropout=0.0)
assert isinstance(classifier, minikeras.Model)
ids = rng.integers(1, 30, size=(48, 12)).astype("int32")
labels = (ids[:, 0] > 15).astype("int32")
features = {
    "token_ids": ids,
    "padding_mask": np.ones_like(ids),
    "segment_ids": np.zeros_like(ids),
}
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
classifier.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
losses = classifier.fit(features, labels, epochs=6, batch_size=16, verbose=0)
losses = losses.history["loss"]
assert losses[-1] < losses[0], losses
before = classifier.predict(features, verbose=0)
classifier.save("bert.keras")
after = keras.models.load_model("bert.keras").predict(features, verbose=0)
np.testing.assert_allclose(after, before, atol=1e-5)
padded = {**features, "padding_mask": (np.arange(12) < 6) * np.ones_like(ids)}
other = {**padded, "token_ids": np.where(np.arange(12) < 6, ids, 7)}
np.testing.assert_allclose(
    classifier.predict(padded, verbose=0), classifier.predict(other, verbose=0),
    atol=1e-5,
)  # fmt: skip

# GPT-2: a step of training, greedy and top-k generation by the cache of keys.
gpt2 = keras_hub.models.GPT2Backbone(
    vocabulary_size=20,
    num_layers=2,
    num_heads=2,
    hidden_dim=16,
    intermediate_dim=32,
    max_sequence_length=16,
    dropout=0.0,
)
model = keras_hub.models.GPT2CausalLM(gpt2, preprocessor=None)
rows = (np.arange(17) + np.arange(40)[:, None]) % 20  # each token is one more
tokens = {"token_ids": rows[:, :-1], "padding_mask": np.ones((40, 16), "int32")}
model.compile(keras.optimizers.Adam(0.01), loss, sampler="greedy")
model.fit(tokens, rows[:, 1:], epochs=12, batch_size=20, verbose=0)
prompt = {
    "token_ids": np.where(np.arange(16) < 4, rows[:3, :-1], 0),
    "padding_mask": (np.arange(16) < 4) * np.ones((3, 1), "int32"),
}
made = np.asarray(model.generate(prompt, stop_token_ids=None)["token_ids"])
assert (made[:, :4] == rows[:3, :4]).all()
# The cached steps choose what the whole network chooses.
whole = model.predict(
    {"token_ids": made, "padding_mask": np.ones_like(made)}, verbose=0
)
assert (whole.argmax(-1)[:, 3:-1] == made[:, 4:]).all()
assert (made == rows[:3, :-1]).mean() > 0.8, made
model.compile(sampler=keras_hub.samplers.TopKSampler(k=3, seed=2))
assert model.generate(prompt, stop_token_ids=None)["token_ids"].shape == (3, 16)
model.compile(sampler="beam")
assert model.generate(prompt, stop_token_ids=None)["token_ids"].shape == (3, 16)

# LoRA weights go through the store of HDF5 groups.
gpt2.enable_lora(2)
lora = [v for v in gpt2.trainable_weights if "lora" in v.path]
assert len(lora) == 8, lora
for variable in lora:
    variable.assign(rng.normal(size=variable.shape))
values = [v.numpy() for v in lora]
gpt2.save_lora_weights("gpt2.lora.h5")
for variable in lora:
    variable.assign(keras.ops.zeros_like(variable))
gpt2.load_lora_weights("gpt2.lora.h5")
for variable, value in zip(lora, values, strict=True):
    np.testing.assert_array_equal(variable.numpy(), value)

# Presets: a folder with config and weights.
bert.save_to_preset("preset")
again = keras_hub.models.Backbone.from_preset("preset")
np.testing.assert_allclose(
    again(features)["pooled_output"], bert(features)["pooled_output"], atol=1e-5
)
assert json.loads(pathlib.Path("preset/config.json").read_text())
