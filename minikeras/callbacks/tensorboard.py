"""TensorBoard: logs, weights, graph and profile of a training, without TensorFlow."""

import os
import time
import warnings

import numpy as np

from minikeras.callbacks import summaries
from minikeras.callbacks.callback import Callback
from minikeras.callbacks.embeddings import EmbeddingsWriter
from minikeras.callbacks.reduce_lr_on_plateau import learning_rate, optimizers_by_key
from minikeras.callbacks.summary_writer import SummaryWriter
from minikeras.callbacks.trace import BatchTrace

# The logs of batches wait for so many others, or so many seconds: one transfer from
# the device for all, and none that makes a step wait.
_WAITING, _SECONDS = 64, 2.0


class TensorBoard(Callback):
    """Writes what TensorBoard shows; start it by `tensorboard --logdir logs`.

    The folder `train` gets `epoch_<metric>` for each metric, with the number of the
    epoch, `epoch_learning_rate`, and what the arguments ask for. The folder
    `validation` gets `epoch_<metric>`, and `evaluation_<metric>_vs_iterations` with the
    number of the optimizer's steps.

    A training with `initial_epoch` > 0 goes on with an earlier one in the same folder:
    the batches count on from the optimizer's steps, and what the earlier one wrote of
    later steps is void.

    Args:
        log_dir: folder for the files.
        histogram_freq: number of epochs after which histograms of all weights are
            written, `<path of the weight>/histogram`; 0: never.
        write_graph: bool, whether to write the layers of the model and how they are
            connected.
        write_images: bool, whether to write weights as images, too, with the
            histograms: `<path of the weight>/image`, for weights of 1 to 3 axes longer
            than 1.
        write_steps_per_second: bool, whether to write `epoch_steps_per_second`, of the
            training alone, and with the logs of batches `batch_steps_per_second`.
        update_freq: "epoch"; or the number of batches after which the logs so far are
            written, too, `batch_<metric>`; "batch" is 1.
        profile_batch: number of a batch, counted from 1, or the first and the last of
            several as a pair or as "a,b", in which JAX traces what runs; 0: none.
        embeddings_freq: number of epochs after which the weights of the Embedding
            layers are written for the projector; 0: never.
        embeddings_metadata: path, in `log_dir`, of a file with a line for each row of
            the embedding; or a dict {name of the layer: path}.

    Attributes:
        summary: a `SummaryWriter` with the methods `scalar`, `histogram`, `image` and
            `text`, for summaries of your own.

    Raises:
        ValueError: an argument has another type or range.

    >>> callback = TensorBoard("logs", histogram_freq=1, update_freq=100)
    """

    def __init__(
        self,
        log_dir="logs",
        histogram_freq=0,
        write_graph=True,
        write_images=False,
        write_steps_per_second=False,
        update_freq="epoch",
        profile_batch=0,
        embeddings_freq=0,
        embeddings_metadata=None,
    ):
        super().__init__()
        self.log_dir = _local_folder(log_dir)
        self.histogram_freq = _count("histogram_freq", histogram_freq)
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if update_freq != "epoch":
            _count("update_freq", self.update_freq, 1, " or 'batch' or 'epoch'")
        self.embeddings_freq = _count("embeddings_freq", embeddings_freq)
        self.embeddings_metadata = embeddings_metadata
        train, validation = (os.path.join(self.log_dir, x) for x in _RUNS)
        self._mk_train = SummaryWriter(train)
        self._mk_validation = SummaryWriter(validation)
        self._mk_trace = BatchTrace(train, profile_batch)
        self._mk_embeddings = None
        self._mk_fitting = self._mk_evaluating = False
        self._mk_steps = self._mk_steps_before = 0  # batches, and those of earlier fits
        self._mk_last_batch, self._mk_epoch_steps = -1, 0
        self._mk_epoch_began = self._mk_batch_ended = time.perf_counter()
        self._mk_epoch_ended = None
        self._mk_started = False
        self._mk_waiting = []  # (step, time, logs, steps per second)
        self._mk_choose_hooks()

    def __getstate__(self):
        # What waits may be arrays of a device, and the layers are the model's.
        return vars(self) | {"_mk_waiting": [], "_mk_embeddings": None}

    def _mk_choose_hooks(self):
        """Let the loop call only the hooks of batches that have something to do."""
        traces, begin, end = self._mk_trace.batches, *_BATCH_HOOKS
        logs_batches = self.update_freq != "epoch"
        own = any(
            getattr(type(self), name) is not getattr(TensorBoard, name)
            for name in _BATCH_HOOKS
        )
        self._mk_batches_may_be_skipped = not (traces or logs_batches or own)
        unused = [] if traces else [begin]
        if not (traces or logs_batches or self.write_steps_per_second):
            unused.append(end)
        self._mk_unused_hooks = {name: getattr(TensorBoard, name) for name in unused}

    @property
    def summary(self):
        """The writer of the training, or during an evaluation that of the validation.

        Without a step its methods take the number of batches; with
        update_freq="epoch", whose batches nobody counts, the number of the epoch.
        """
        return self._mk_validation if self._mk_evaluating else self._mk_train

    def on_train_begin(self, logs=None):
        self._mk_close()
        self._mk_trace.reset()
        self._mk_fitting, self._mk_started, self._mk_evaluating = True, False, False
        self._mk_steps = self._mk_steps_before = 0
        self._mk_train.step = self._mk_validation.step = 0
        if self.embeddings_freq:
            self._mk_embeddings = EmbeddingsWriter(
                self.model, self.log_dir, self.embeddings_metadata
            )

    def on_train_end(self, logs=None):
        self._mk_close()
        self._mk_fitting = False

    def _mk_close(self):
        """Write what waits, and close the files."""
        self._mk_trace.stop()
        self._mk_write_waiting()
        self._mk_train.close()
        self._mk_validation.close()

    def on_epoch_begin(self, epoch, logs=None):
        if self._mk_fitting and not self._mk_started:
            self._mk_start(epoch)
        self._mk_last_batch, self._mk_epoch_steps = -1, 0
        self._mk_set_step(epoch)
        self._mk_epoch_began = self._mk_batch_ended = time.perf_counter()
        self._mk_epoch_ended = None

    def _mk_start(self, first_epoch):
        """Go on with an earlier training, and write the graph."""
        self._mk_started = True
        if first_epoch > 0:
            done = _iterations(self.model) or 0
            self._mk_steps_before = done
            # Epochs and batches count separately: what is void counts in batches,
            # unless none are written.
            in_epochs = self.update_freq == "epoch"
            self._mk_train.purge_from(first_epoch if in_epochs else done + 1)
            self._mk_validation.purge_from(done + 1)
        if self.write_graph:
            self._mk_train.graph(self.model)

    def _mk_set_step(self, epoch):
        in_epochs = self.update_freq == "epoch"
        step = epoch if in_epochs else self._mk_steps + self._mk_steps_before
        self._mk_train.step = self._mk_validation.step = step

    def on_train_batch_begin(self, batch, logs=None):
        self._mk_trace.begin(self._mk_steps + batch - self._mk_last_batch)

    def on_train_batch_end(self, batch, logs=None):
        # With `steps_per_execution` the hook comes once for several batches, and the
        # last one may have fewer than its number tells.
        steps = (self.params or {}).get("steps")
        batch = batch if steps is None else min(batch, steps - 1)
        count, self._mk_last_batch = batch - self._mk_last_batch, batch
        before, self._mk_steps = self._mk_steps, self._mk_steps + count
        self._mk_epoch_steps += count
        self._mk_trace.end(self._mk_steps, logs)
        now, began = time.perf_counter(), self._mk_batch_ended
        self._mk_batch_ended = now
        freq = self.update_freq
        if isinstance(freq, str):
            return
        step = self._mk_steps + self._mk_steps_before
        self._mk_train.step = self._mk_validation.step = step
        if step // freq > (before + self._mk_steps_before) // freq:
            rate = count / (now - began) if self.write_steps_per_second else None
            # The values of a dict of the user's may change; the loop's own stays on
            # the device until it is read.
            logs = dict(logs) if type(logs) is dict else logs
            self._mk_waiting.append((step, time.time(), logs, rate))
            oldest = self._mk_waiting[0][1]
            if len(self._mk_waiting) >= _WAITING or time.time() - oldest > _SECONDS:
                self._mk_write_waiting()

    def _mk_write_waiting(self):
        waiting, self._mk_waiting = self._mk_waiting, []
        for step, wall_time, logs, rate in waiting:
            values = {} if rate is None else {"steps_per_second": rate}
            self._mk_write("batch_{}", values | dict(logs or {}), step, wall_time)

    def _mk_write(self, tag, logs, step, wall_time=None, writer=None):
        """Write the numbers in logs, with a tag that has a place for their names."""
        found = []
        for name, value in logs.items():
            if isinstance(value, (str, bytes)) or np.size(value) != 1:
                warnings.warn(
                    f"TensorBoard leaves {name!r} out: expected a number in the logs, "
                    f"got a {type(value).__name__}. `TensorBoard.summary` writes "
                    "histograms and text.",
                    stacklevel=4,
                )
                continue
            number = np.asarray(value).reshape(())
            found.append(summaries.scalar(tag.format(name), number))
        if found:
            writer = writer or self._mk_train
            writer.add(b"".join(found), step, wall_time)

    def on_epoch_end(self, epoch, logs=None):
        self._mk_write_waiting()
        self._mk_set_step(epoch)
        logs = dict(logs or {})
        validation = {k.removeprefix("val_"): v for k, v in logs.items() if _is_val(k)}
        logs = {k: v for k, v in logs.items() if not _is_val(k)}
        self._mk_write("epoch_{}", logs | self._mk_rates(), epoch)
        self._mk_write("epoch_{}", validation, epoch, writer=self._mk_validation)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._mk_write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._mk_embeddings.write()
        self._mk_train.flush()
        self._mk_validation.flush()

    def _mk_rates(self):
        """{name: number} of what the logs of an epoch lack."""
        found = {}
        if getattr(self.model, "optimizer", None) is not None:
            optimizers = optimizers_by_key(self.model)
            found = {k: learning_rate(x) for k, x in optimizers if _has_rate(x)}
        if self.write_steps_per_second and self._mk_epoch_steps:
            ended = self._mk_epoch_ended or time.perf_counter()
            seconds = ended - self._mk_epoch_began
            found["steps_per_second"] = self._mk_epoch_steps / seconds
        return found

    def _mk_write_weights(self, epoch):
        for weight in self.model.weights:
            values = weight.numpy()
            self._mk_train.histogram(f"{weight.path}/histogram", values, epoch)
            if self.write_images and (pixels := weight_images(values)) is not None:
                self._mk_train.image(f"{weight.path}/image", pixels, epoch)

    def on_test_begin(self, logs=None):
        self._mk_epoch_ended = time.perf_counter()
        self._mk_evaluating = True

    def on_test_end(self, logs=None):
        self._mk_evaluating = False
        step = _iterations(self.model)
        if step is not None:
            tag = "evaluation_{}_vs_iterations"
            self._mk_write(tag, dict(logs or {}), step, writer=self._mk_validation)
        if not self._mk_fitting:
            self._mk_validation.close()


_RUNS = ("train", "validation")
_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end")


def weight_images(values):
    """The values of a weight as images (n, height, width, 1); None if they make none.

    Axes of length 1 do not count. A vector is a column, a matrix lies on its longer
    side, and of three axes the last is the number of the image.
    """
    values = np.squeeze(np.asarray(values))
    if values.ndim not in (1, 2, 3):
        return None
    if values.ndim == 1:
        values = values[:, None]
    elif values.ndim == 2 and values.shape[0] > values.shape[1]:
        values = values.T
    values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return values[..., None]


def _is_val(name):
    return name.startswith("val_")


def _has_rate(optimizer):
    return hasattr(optimizer, "learning_rate")


def _iterations(model):
    """The number of steps of the model's optimizer; None if it has none."""
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return None if iterations is None else int(np.asarray(iterations))


def _local_folder(log_dir):
    folder = os.fspath(log_dir)
    if "://" in folder:
        raise ValueError(
            f"TensorBoard: log_dir must be a folder of this computer, got {folder!r}. "
            "Copy the files afterwards, or mount the remote folder."
        )
    return folder


def _count(name, value, least=0, others=""):
    """The value, if it is an int from `least` on."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, np.integer))
        or value < least
    ):
        raise ValueError(
            f"TensorBoard: expected {name} to be an int >= {least}{others}, got "
            f"{value!r}."
        )
    return int(value)
