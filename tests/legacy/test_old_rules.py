"""Training as of `compile`, under the alias."""

import subprocess
import sys

CODE = """
import copy
import pickle
import warnings
import numpy as np
import minikeras as keras
keras.install_as_keras()
from minikeras.legacy import old_rules

keras.utils.set_random_seed(0)
X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
Y = np.ones((16, 1), "float32")

def net(*units):
    layers = [keras.layers.Dense(n) for n in units]
    return keras.Sequential([keras.Input((4,)), *layers])

def changed(model, *args):
    before = [v.numpy() for v in model.variables]
    model.train_on_batch(*args)
    after = [v.numpy() for v in model.variables]
    return [bool((a != b).any()) for a, b in zip(before, after)]

# The discriminator of a GAN: compiled, then frozen for the whole.
critic, maker = net(3, 1), net(5, 4)
critic.compile("sgd", "mse")
critic.trainable = False
whole = keras.Sequential([keras.Input((4,)), maker, critic])
whole.compile("sgd", "mse")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert changed(critic, X, Y) == [True] * 4
    assert changed(critic, X, Y) == [True] * 4
assert ["that were trainable" in str(w.message) for w in caught] == [True]
assert changed(whole, X, Y) == [True] * 4 + [False] * 4
critic.fit(X, Y, verbose=0)

# What is trainable now counts otherwise, as in Keras 3 …
model = net(3, 1)
model.compile("sgd", "mse")
model.layers[0].trainable = False
assert changed(model, X, Y) == [False, False, True, True]
# … but not for scripts of Keras 1 and 2.
old_rules.install(always=True)
model = net(3, 1)
model.compile("sgd", "mse")
model.layers[0].trainable = False
assert changed(model, X, Y) == [True] * 4
model.compile("sgd", "mse")
assert changed(model, X, Y) == [False, False, True, True]

# Its averages move, too: batch normalization is frozen as of `compile` like the rest.
model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
model.compile("sgd", "mse")
model.trainable = False
assert changed(model, X, X + 1)[-2:] == [True] * 2 and not model.trainable
pickle.loads(pickle.dumps(copy.deepcopy(model))).predict(X, verbose=0)

# One optimizer of two models: slots for each, one count of steps, one learning rate.
critic, maker = net(3, 1), net(5, 4)
whole = keras.Sequential([keras.Input((4,)), maker, critic])
adam = keras.optimizers.Adam(0.01, epsilon=1e-12)
critic.compile(adam, "mse")
critic.trainable = False
whole.compile(adam, "mse")
start = maker.get_weights()[0]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert changed(critic, X, Y) == [True] * 4
    assert changed(whole, X, Y) == [True] * 4 + [False] * 4
    step = maker.get_weights()[0] - start
    assert changed(critic, X, Y) == [True] * 4
assert ["slots of its own" in str(w.message) for w in caught].count(True) == 1
# The first step of the maker is the second of both.
expected = 0.01 * (1 + 0.999) ** 0.5 / (1 + 0.9)
np.testing.assert_allclose(np.abs(step), expected, rtol=1e-3)
adam.learning_rate = 0.0
changed(whole, X, Y)
assert changed(whole, X, Y) == [False] * 8 and int(adam.iterations) == 5
# The same weights share their slots, as they do today.
twin = keras.Sequential(critic.layers)
twin.trainable = True
twin.compile(critic.optimizer, "mse")
twin.train_on_batch(X, Y)
assert twin.optimizer is critic.optimizer is adam

# Targets of one axis are columns, for metrics of one's own as well.
seen = []
model = net(1)
model.compile("sgd", "mse", metrics=[lambda t, p: seen.append(t.shape) or p - t])
model.fit(X, Y[:, 0], verbose=0, validation_data=(X, Y[:, 0]))
model.evaluate(X, Y[:, 0], verbose=0)
assert seen and all(shape[1:] == (1,) for shape in seen), seen

keras.uninstall_as_keras()
critic.compile("sgd", "mse")
assert changed(critic, X, Y) == [False] * 4
"""


def test_as_of_compile():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
