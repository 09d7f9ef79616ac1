# needs: mlflow
# ruff: noqa: E402
"""MLflow: autologging of parameters, metrics, datasets and the model; loading it."""

import minikeras

minikeras.install_as_keras()

import pathlib

import keras
import mlflow
import numpy as np

mlflow.set_tracking_uri("sqlite:///mlflow.db")
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = x @ np.array([[1.0], [-2.0], [0.5], [0.0], [3.0]], "float32")
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])

mlflow.keras.autolog(log_every_epoch=True)
with mlflow.start_run() as run:
    model.fit(
        x, y, batch_size=16, epochs=3, validation_data=(x[:32], y[:32]), verbose=0
    )
mlflow.keras.autolog(disable=True)

found = mlflow.get_run(run.info.run_id)
params, metrics = found.data.params, found.data.metrics
assert params["batch_size"] == "16" and params["epochs"] == "3", params
assert params["optimizer_name"] == "adam", params
np.testing.assert_allclose(float(params["optimizer_learning_rate"]), 0.05, rtol=1e-6)
assert {"loss", "mae", "validation_loss", "validation_mae"} <= set(metrics), metrics
points = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
assert len(points) == 3 and points[0].value > points[-1].value
contexts = {d.tags[0].value for d in found.inputs.dataset_inputs}
assert contexts == {"train", "eval"}, contexts
assert found.outputs.model_outputs
logged = mlflow.keras.load_model(f"models:/{found.outputs.model_outputs[0].model_id}")
assert isinstance(logged, minikeras.Model)
np.testing.assert_allclose(
    logged.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
)

# By itself MLflow asks for "keras", which opens the file, too.
ours = f"minikeras-jax=={minikeras.__version__}"
mlflow.keras.save_model(model, "kept", pip_requirements=["keras", ours])
assert ours in pathlib.Path("kept/requirements.txt").read_text().split()
served = mlflow.pyfunc.load_model("kept").predict(x)
np.testing.assert_allclose(served, model.predict(x, verbose=0), atol=1e-6)

callback = mlflow.keras.MlflowCallback(log_every_epoch=False, log_every_n_steps=2)
with mlflow.start_run() as run:
    model.fit(x, y, batch_size=16, epochs=1, callbacks=[callback], verbose=0)
points = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
assert len(points) >= 2
