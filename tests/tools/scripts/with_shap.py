# needs: shap
# ruff: noqa: E402
"""SHAP: explainers by gradients, by the kernel method and by permutations."""

import minikeras

minikeras.install_as_keras()

import keras
import numpy as np
import shap

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = x @ np.array([[1.0], [-2.0], [0.5], [0.0]], "float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="tanh")])
model.add(keras.layers.Dense(1))
model.compile(keras.optimizers.Adam(0.02), "mse")
model.fit(x, y, epochs=10, verbose=0)


def predict(rows):
    return model.predict(np.asarray(rows), verbose=0)[:, 0]


rows, background = x[:3], x[:16]
gap = predict(rows) - predict(background).mean()
kernel = shap.KernelExplainer(predict, background).shap_values(rows, silent=True)
np.testing.assert_allclose(kernel.sum(1), gap, atol=1e-3)
permuted = shap.PermutationExplainer(predict, background)(rows, silent=True)
np.testing.assert_allclose(permuted.values.sum(1), gap, atol=1e-3)
np.testing.assert_allclose(permuted.values, kernel, atol=0.05)

explainer = shap.GradientExplainer(model, background)
slopes = explainer.shap_values(rows, nsamples=500)[..., 0]
np.testing.assert_allclose(slopes, kernel, atol=0.4)  # it samples
# The same for a network cut out of the model.
inner = keras.Model(model.inputs, model.layers[0].output)
hidden = shap.GradientExplainer(inner, background).shap_values(rows)
assert hidden.shape == (3, 4, 8)

# DeepExplainer replaces the gradients in TensorFlow's own register of operations.
try:
    shap.DeepExplainer(model, background)
except ModuleNotFoundError as error:
    assert "tensorflow" in str(error)
else:
    raise AssertionError("DeepExplainer was expected to look for TensorFlow.")
