"""In which order sources, their hooks and callbacks are called: Keras's."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

X = np.ones((2, 4), "float32")


def make(**settings):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", **settings)
    return model


class Source(keras.utils.PyDataset):
    """Three batches; notes when one is fetched, and when an epoch begins and ends."""

    def __init__(self, log, letter):
        super().__init__()
        self.log, self.letter = log, letter

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.log.append(f"{self.letter}{index}")
        return X, np.ones((2, 1), "float32")

    def on_epoch_begin(self):
        self.log.append(f"{self.letter}-begin")

    def on_epoch_end(self):
        self.log.append(f"{self.letter}-end")


class Noting(keras.callbacks.Callback):
    def __init__(self, log):
        super().__init__()
        for mode in ("train", "test", "predict"):
            for when in ("begin", "end"):
                name = f"on_{mode}_batch_{when}"
                text = f"{when} "
                setattr(self, name, lambda i, logs=None, t=text: log.append(f"{t}{i}"))


EPOCH = "{0}-begin begin 0,{0}0,end 0,begin 1,{0}1,end 1,begin 2,{0}2,end 2,{0}-end"


def epoch(letter):
    return EPOCH.replace("-begin ", "-begin,").format(letter).split(",")


def test_a_batch_is_fetched_after_its_callbacks_begin():
    log = []
    make().predict(Source(log, "p"), callbacks=[Noting(log)], verbose=0)
    assert log == epoch("p")


def test_executions_of_two_steps():
    log = []
    model = make(steps_per_execution=2)
    model.test_on_batch(X, np.ones((2, 1)))
    model.evaluate(Source(log, "e"), callbacks=[Noting(log)], verbose=0)
    expected = "e-begin,begin 0,e0,e1,end 1,begin 2,e2,end 3,e-end"
    assert log == expected.split(",")


def test_an_epoch_of_validation_data_ends_before_each_validation_too():
    log = []
    model = make()
    model.train_on_batch(X, np.ones((2, 1)))
    data = {"validation_data": Source(log, "v"), "callbacks": [Noting(log)]}
    model.fit(X, np.ones((2, 1)), epochs=2, verbose=0, **data)
    expected = ["begin 0", "end 0", "v-end", *epoch("v")]
    assert log == 2 * expected


def test_a_source_of_unknown_length_begins_no_batch_that_is_not_there():
    log = []

    def source():
        for i in range(2):
            log.append(f"g{i}")
            yield X, np.ones((2, 1))

    make().fit(source(), callbacks=[Noting(log)], verbose=0)
    assert log == ["g0", "begin 0", "end 0", "g1", "begin 1", "end 1"]


@pytest.mark.parametrize("steps", [1, 2])
def test_batches_of_a_generator_are_used_once(steps):
    def source():
        for i in range(9):
            yield X, np.full((2, 1), float(i))

    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(1, kernel_initializer="zeros")]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    batches = source()
    losses = [model.evaluate(batches, steps=steps, verbose=0) for _ in range(2)]
    losses += model.fit(
        *(X, np.ones((2, 1))),
        epochs=2,
        validation_data=batches,
        validation_steps=steps,
        verbose=0,
    ).history["val_loss"]
    squares = np.square(np.arange(4.0 * steps)).reshape(4, steps)
    np.testing.assert_allclose(losses, squares.mean(1))
