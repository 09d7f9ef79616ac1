"""Report: a training as one self-contained HTML page, written while it runs."""

import base64
import os
import time
import warnings
from typing import Any

import jax
import numpy as np

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.gradient_monitor import GradientMonitor
from minikeras.callbacks.reduce_lr_on_plateau import learning_rates
from minikeras.callbacks.summaries import as_bytes, png
from minikeras.core import html_page
from minikeras.core.environment import environment_report
from minikeras.saving.atomic_files import replace_file

_MOST_CLASSES = 20  # of a confusion matrix
_REFRESH_SECONDS = 5


class Report(Callback):
    """Writes an HTML page after each epoch: what happened, and what to look at.

    It shows the curves of all metrics, learning rates, norms of gradients and weights
    by layer with the warnings of a `GradientMonitor`, the seconds of each phase, the
    environment and the seed. With `data`, it predicts them after each epoch and shows
    the confusion matrix of classes or the residuals of numbers, and the samples with
    the largest loss. The page needs nothing besides itself; a browser that shows it
    loads it again every 5 seconds until the training is over.

    Args:
        path: path of the page, which is replaced when the new one is complete.
        data: (x, y) to predict, such as a part of the validation data; None: none.
            Targets are class numbers, one-hot rows, or numbers.
        class_names: names of the classes; None: their numbers.
        worst: number of samples with the largest loss to show.
        gradient_freq: batches between two looks at the gradients; None: no look, which
            takes about 1 / `gradient_freq` of the time.
        title: of the page; None: the name of the model.

    Raises:
        ValueError: `data` is no pair of arrays of one length.

    >>> callback = Report("run.html")
    """

    _mk_batches_may_be_skipped = True

    def __init__(
        self,
        path,
        data=None,
        class_names=None,
        worst=8,
        gradient_freq=100,
        title=None,
    ):
        super().__init__()
        self.path = os.fspath(path)
        self.data = None if data is None else _checked(data)
        self.class_names, self.worst, self.title = class_names, worst, title
        self.monitor = None if gradient_freq is None else GradientMonitor(gradient_freq)
        self.epochs: list[dict[str, float]] = []
        self.seconds: list[dict[str, float]] = []
        self.warnings: list[str] = []
        self._mk_since = 0.0

    def _mk_watch(self, runner):
        if self.monitor is not None:
            self.monitor._mk_watch(runner)

    def set_model(self, model):
        super().set_model(model)
        if self.monitor is not None:
            self.monitor.set_model(model)

    def on_train_begin(self, logs=None):
        self.epochs, self.seconds, self.warnings = [], [], []
        if self.monitor is not None:
            self.monitor.on_train_begin()

    def on_epoch_begin(self, epoch, logs=None):
        self.seconds.append({"epoch": epoch + 1})
        self._mk_since = time.perf_counter()
        if self.monitor is not None:
            self.monitor.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch, logs=None):
        if "first dispatch" not in self.seconds[-1]:  # in the first epoch, it compiles
            self._mk_note("first dispatch")
        if self.monitor is not None:
            self.monitor.on_train_batch_end(batch)

    def on_test_begin(self, logs=None):
        self._mk_note("training")

    def on_test_end(self, logs=None):
        self._mk_note("validation")

    def on_epoch_end(self, epoch, logs=None):
        if "training" not in self.seconds[-1]:
            self._mk_note("training")
        self.epochs.append({"epoch": epoch + 1, **_numbers(logs or {})})
        self.epochs[-1] |= _rates(self.model)
        if self.monitor is not None:
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                self.monitor.on_epoch_end(epoch)
            self.warnings += [str(w.message) for w in found]
        self._mk_write(_REFRESH_SECONDS)
        self._mk_note("this report")

    def on_train_end(self, logs=None):
        self._mk_write(None)

    def _mk_note(self, phase):
        """Add the seconds since the last note to a phase of the epoch."""
        if self.seconds:
            now, row = time.perf_counter(), self.seconds[-1]
            row[phase] = row.get(phase, 0.0) + now - self._mk_since
            self._mk_since = now

    def _mk_write(self, refresh):
        title = self.title or f"Training of {self.model.name}"
        body = [
            f"<h1>{html_page.escape(title)}</h1>",
            *(f'<p class="warning">{html_page.escape(w)}</p>' for w in self.warnings),
            *_curves(self.epochs),
            *_layers(self.monitor),
            *self._mk_predictions(),
            "<h2>Seconds</h2>",
            html_page.table(*_rows(self.seconds)),
            f"<h2>Environment</h2><pre>{html_page.escape(environment_report())}</pre>",
        ]
        with replace_file(self.path) as file:
            file.write(html_page.page(title, body, refresh).encode())

    def _mk_predictions(self):
        if self.data is None:
            return []
        x, y = self.data
        try:  # a training does not end because its report has no picture
            outputs = np.asarray(self.model.predict(x, verbose=0), "float64")
            return list(predictions(x, y, outputs, self.class_names, self.worst))
        except Exception as error:
            text = f"The predictions of `data` cannot be shown: {error!r}"
            return [f'<p class="warning">{html_page.escape(text)}</p>']


def _checked(data):
    """The pair of x and y as arrays; ValueError otherwise."""
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise ValueError(f"Report: expected data=(x, y), got {type(data).__name__}.")
    x, y = jax.tree_util.tree_map(np.asarray, data[0]), np.asarray(data[1])
    sizes = {np.shape(leaf)[:1] for leaf in jax.tree_util.tree_leaves((x, y))}
    if len(sizes) != 1 or sizes & {(0,), ()}:
        raise ValueError(
            f"Report: expected x and y of one length, got {sorted(sizes)} samples."
        )
    return x, y


def _numbers(logs):
    return {k: float(v) for k, v in logs.items() if np.ndim(v) == 0}


def _rates(model):
    try:
        return learning_rates(model)
    except (ValueError, TypeError, AttributeError):  # an optimizer without a rate
        return {}


def _rows(records):
    """(heads, rows) of records that do not all have the same entries."""
    heads = list(dict.fromkeys(key for record in records for key in record))
    show = lambda x: round(x, 5) if isinstance(x, float) else x  # noqa: E731
    return heads, [[show(record.get(key, "")) for key in heads] for record in records]


def _curves(epochs):
    """Charts of the metrics, training and validation together, and a table."""
    names = dict.fromkeys(k.removeprefix("val_") for row in epochs for k in row)
    names.pop("epoch", None)
    yield "<h2>Metrics</h2>"
    for name in names:
        lines = {
            label: html_page.Line([(r["epoch"], r[key]) for r in epochs if key in r])
            for label, key in (("training", name), ("validation", f"val_{name}"))
            if any(key in row for row in epochs)
        }
        yield html_page.figure(html_page.chart(lines), name)
    yield html_page.table(*_rows(epochs[-1:]))


def _layers(monitor):
    """Charts of the norms by layer."""
    if monitor is None or not monitor.history:
        return
    yield "<h2>Layers</h2>"
    titles = {
        "gradient": "norm of the gradient",
        "weight": "norm of the weights",
        "dead": "share of dead units",
    }
    for key, title in titles.items():
        lines = {
            layer: html_page.Line(list(enumerate(row[key], 1)))
            for layer, row in monitor.history.items()
            if row[key]
        }
        if lines:
            yield html_page.figure(html_page.chart(lines, log=key != "dead"), title)


def predictions(
    x: Any, y: np.ndarray, outputs: np.ndarray, names: Any, worst: int
) -> list[str]:
    """Confusion matrix or residuals, and the worst samples, as HTML.

    Args:
        x: inputs, a tree of arrays.
        y: targets: class numbers (n,) or (n, 1), one-hot (n, classes), or numbers.
        outputs: (n, classes) probabilities or logits, (n, 1) or (n,).
        names: of the classes, or None.
        worst: how many samples to show.
    """
    classes = outputs.shape[-1] if outputs.ndim == 2 else 1
    is_binary = classes == 1 and set(np.unique(y)) <= {0, 1}
    if outputs.ndim > 2 or (classes > 1 and y.shape not in _labels(len(y), classes)):
        return []  # sequences and images: a table of classes says nothing of them
    if classes > 1 and y.shape == outputs.shape and not np.isin(y, (0, 1)).all():
        return _residuals(x, y, outputs, worst)
    if classes == 1 and not is_binary:
        return _residuals(x, y, outputs, worst)
    true = (
        y.argmax(-1) if y.shape == (len(y), classes) and classes > 1 else y.reshape(-1)
    )
    losses, chosen = _classified(outputs, true.astype(int))
    names = list(map(str, names if names is not None else range(max(classes, 2))))
    table = np.zeros((len(names), len(names)), int)
    np.add.at(table, (true.astype(int), chosen), 1)
    words = [
        f"{names[int(t)]}, taken for {names[c]}"
        for t, c in zip(true, chosen, strict=True)
    ]
    return [*_confusion(table, names), *_worst(x, losses, words, worst)]


def _labels(size, classes):
    return {(size,), (size, 1), (size, classes)}


def _classified(outputs, true):
    """(-log of the probability of the true class, chosen class) of each sample."""
    if outputs.shape[-1] == 1 or outputs.ndim == 1:
        flat = outputs.reshape(-1)
        is_logit = flat.min() < 0 or flat.max() > 1
        ones = 1 / (1 + np.exp(-flat)) if is_logit else flat
        shares = np.stack([1 - ones, ones], axis=-1)
    else:
        sums = outputs.sum(axis=-1)
        is_share = outputs.min() >= 0 and np.allclose(sums, 1, atol=1e-3)
        logits = outputs - outputs.max(axis=-1, keepdims=True)
        powers = np.exp(logits)
        shares = outputs if is_share else powers / powers.sum(axis=-1, keepdims=True)
    of_true = shares[np.arange(len(true)), true]
    return -np.log(np.maximum(of_true, 1e-12)), shares.argmax(axis=-1)


def _confusion(table, names):
    yield "<h2>Confusion matrix</h2><p>Rows: true; columns: predicted.</p>"
    shown = names[:_MOST_CLASSES]
    most = max(int(table.max()), 1)
    rows = []
    for i, name in enumerate(shown):
        cells = "".join(
            f'<td class="number" style="background:rgba(11,87,164,'
            f'{table[i, j] / most * 0.8:.2f})">{table[i, j]}</td>'
            for j in range(len(shown))
        )
        rows.append(f"<tr><th>{html_page.escape(name)}</th>{cells}</tr>")
    head = "".join(f"<th>{html_page.escape(n)}</th>" for n in shown)
    yield f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"
    if len(names) > len(shown):
        yield f"<p>The first {len(shown)} of {len(names)} classes.</p>"


def _residuals(x, y, outputs, worst):
    """Predicted over true numbers, and the samples with the largest error."""
    true, found = y.reshape(len(y), -1), outputs.reshape(len(y), -1)
    if true.shape != found.shape:
        return []
    line = [
        (float(true.min()), float(true.min())),
        (float(true.max()), float(true.max())),
    ]
    points = list(zip(true[:, 0].tolist(), found[:, 0].tolist(), strict=True))
    picture = html_page.chart(
        {
            "predicted": html_page.Line(points[:2000], marks=True),
            "true": html_page.Line(line, "#6e7781"),
        },
        x_label="true",
    )
    errors = ((true - found) ** 2).mean(axis=-1)
    words = [f"{t:.4g}, predicted {p:.4g}" for t, p in points]
    return [
        "<h2>Residuals</h2>",
        html_page.figure(picture, "predicted over true"),
        *_worst(x, errors, words, worst),
    ]


def _worst(x, losses, words, count):
    """The samples with the largest loss, as pictures where they are images."""
    yield "<h2>Worst samples</h2>"
    order = np.argsort(-np.nan_to_num(losses, nan=np.inf), kind="stable")[:count]
    first = jax.tree_util.tree_leaves(x)[0]
    for i in order.tolist():
        caption = f"sample {i}, loss {losses[i]:.3g}: {words[i]}"
        yield html_page.figure(_sample(first[i], first), caption)


def _sample(sample, all_samples):
    """A sample as HTML: an image, or its first numbers."""
    is_image = sample.ndim == 2 and min(sample.shape) > 7
    is_image |= sample.ndim == 3 and sample.shape[-1] in (1, 3, 4)
    if not is_image:
        text = np.array2string(sample.reshape(-1)[:12], precision=3, separator=", ")
        return f"<pre>{html_page.escape(text)}</pre>"
    pixels = sample if sample.ndim == 3 else sample[..., None]
    if pixels.dtype.kind == "f" and (pixels.min() < 0 or pixels.max() > 1):
        low, high = float(all_samples.min()), float(all_samples.max())
        pixels = (pixels - low) / ((high - low) or 1.0)
    data = base64.b64encode(png(as_bytes(pixels))).decode()
    style = "width:112px;image-rendering:pixelated"
    return f'<img style="{style}" alt="" src="data:image/png;base64,{data}">'
