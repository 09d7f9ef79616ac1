import csv

import numpy as np
import pytest

from minikeras.callbacks import CSVLogger, LambdaCallback, TerminateOnNaN
from tests.callbacks.stubs import Model, train


def test_lambda_callback():
    calls = []
    callback = LambdaCallback(
        on_train_begin=lambda logs: calls.append("begin"),
        on_epoch_end=lambda epoch, logs: calls.append((epoch, logs["loss"])),
        on_test_begin=lambda logs: calls.append("test"),
        extra=5,
    )
    train(callback, [2.0, 1.0])
    callback.on_test_begin({})
    callback.on_epoch_begin(1, {})
    assert calls == ["begin", (0, 2.0), (1, 1.0), "test"] and callback.extra == 5


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf, np.float32("nan")])
def test_terminate_on_nan(loss, capsys):
    callback, model = TerminateOnNaN(), Model()
    callback.set_model(model)
    callback.on_train_batch_end(0, {"loss": 1.0})
    callback.on_train_batch_end(1, {})
    assert not model.stop_training
    callback.on_train_batch_end(2, {"loss": loss})
    assert model.stop_training and "Batch 2: the loss is" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 7"):
        TerminateOnNaN(raise_error=True).on_batch_end(7, {"loss": loss})


def rows(path, **kwargs):
    with open(path, newline="") as file:
        return list(csv.reader(file, **kwargs))


def epochs(logger, *logs):
    logger.set_model(Model())
    logger.on_train_begin({})
    for epoch, log in enumerate(logs):
        logger.on_epoch_end(epoch, log)
    logger.on_train_end({})


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    values = {"loss": 0.5, "acc": np.float32(0.25), "all": np.array([1.5, 2.0])}
    epochs(CSVLogger(path), values, {"loss": 2, "val_loss": 3.0, "new": 1})
    head = ["epoch", "acc", "all", "loss", "val_acc", "val_all", "val_loss"]
    assert rows(path) == [
        head,
        ["0", "0.25", '"[1.5, 2.0]"', "0.5", "NA", "NA", "NA"],
        ["1", "NA", "NA", "2", "NA", "NA", "3.0"],
    ]


def test_csv_logger_appends(tmp_path):
    path = tmp_path / "log.tsv"
    logs = {"loss": 1.0, "val_loss": 2.0}
    epochs(CSVLogger(path, separator="\t"), logs)
    again = CSVLogger(path, separator="\t", append=True)
    epochs(again, logs)
    epochs(again, logs, logs)
    found = rows(path, delimiter="\t")
    assert [row[0] for row in found] == ["epoch", "0", "0", "0", "1"]
    epochs(CSVLogger(path, separator="\t"), logs)
    assert len(rows(path)) == 2
