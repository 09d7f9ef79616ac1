# needs: keras_rs
# ruff: noqa: E402
"""keras-rs: crosses, embeddings of features, retrieval, ranking losses and metrics."""

import minikeras

minikeras.install_as_keras()

import keras
import keras_rs
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# A deep and cross network on embedded features, trained, saved and loaded.
dense, items = keras.Input((4,)), keras.Input((3,), dtype="int32")
bag = keras_rs.layers.EmbedReduce(20, 4, combiner="mean")(items)
x = keras.layers.Concatenate()([dense, bag])
x = keras_rs.layers.FeatureCross(projection_dim=3)(x, x)
pairs = keras_rs.layers.DotInteraction()([dense, bag])
out = keras.layers.Dense(1, "sigmoid")(keras.layers.Concatenate()([x, pairs]))
model = keras.Model([dense, items], out)
model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
data = [rng.normal(size=(64, 4)).astype("float32"), rng.integers(0, 20, (64, 3))]
labels = (data[1][:, 0] > 10).astype("float32")[:, None]
losses = model.fit(data, labels, epochs=6, verbose=0).history["loss"]
assert losses[-1] < losses[0], losses
model.save("cross.keras")
loaded = keras.models.load_model("cross.keras")
np.testing.assert_allclose(
    loaded.predict(data, verbose=0), model.predict(data, verbose=0), atol=1e-6
)

# Retrieval.
candidates = rng.normal(size=(10, 4)).astype("float32")
query = rng.normal(size=(3, 4)).astype("float32")
search = keras_rs.layers.BruteForceRetrieval(candidates, k=2)
scores, found = search(query)
wanted = np.argsort(-(query @ candidates.T), axis=1)[:, :2]
np.testing.assert_array_equal(np.asarray(found), wanted)

# Ranking.
truth = np.array([[0.0, 1.0, 2.0], [2.0, 0.0, 1.0]], "float32")
guess = np.array([[0.1, 0.5, 0.9], [0.2, 0.9, 0.5]], "float32")
for name in ("PairwiseHingeLoss", "PairwiseLogisticLoss", "ListMLELoss"):
    assert np.isfinite(float(getattr(keras_rs.losses, name)()(truth, guess))), name
metric = keras_rs.metrics.NDCG()
metric.update_state(truth[:1], guess[:1])
np.testing.assert_allclose(float(metric.result()), 1.0, atol=1e-6)
rank = keras_rs.metrics.MeanReciprocalRank()
rank.update_state((truth > 1).astype("float32"), guess)
np.testing.assert_allclose(float(rank.result()), (1 + 1 / 3) / 2, atol=1e-6)

# Tables shared by features, kept on the default device.
table = keras_rs.layers.TableConfig(
    name="users", vocabulary_size=12, embedding_dim=4, placement="default_device"
)
features = {
    name: keras_rs.layers.FeatureConfig(
        name=name, table=table, input_shape=(8, 3), output_shape=(8, 4)
    )
    for name in ("viewed", "bought")
}
layer = keras_rs.layers.DistributedEmbedding(features)
ids = {name: rng.integers(0, 12, (8, 3)) for name in features}
out = layer(ids)
assert {name: value.shape for name, value in out.items()} == {
    "viewed": (8, 4),
    "bought": (8, 4),
}
assert len(layer.trainable_weights) == 1, layer.trainable_weights
kernel = layer.trainable_weights[0].numpy()
np.testing.assert_allclose(out["viewed"], kernel[ids["viewed"]].mean(1), atol=1e-6)
