"""Predictions beside the truth: images, regressions, curves."""

import math

import jax
import numpy as np

from minikeras.core.checks import positive_int
from minikeras.layers.layer import Layer
from minikeras.visualization.confusion_matrix import labels_of, native
from minikeras.visualization.drawing import as_pixels, channels_last, range_of
from minikeras.visualization.figures import class_name, finish, gallery, new_figure
from minikeras.visualization.layer_calls import as_batch, check_built, predicted

_KINDS = ("classification", "regression", "curve", "sequence", "images")
_RIGHT, _WRONG = "#1a7f37", "#b42318"
_TRUE, _PREDICTED = "#1f77b4", "#d95f02"
_CALLER = "plot_predictions"


def plot_predictions(
    model,
    x=None,
    y_true=None,
    class_names=None,
    kind=None,
    count=16,
    worst_first=False,
    cols=None,
    value_range=None,
    data_format=None,
    batch_size=256,
    path=None,
    dpi=None,
):
    """Draw what a model predicts beside what is true.

    "classification": images, each with its predicted and its true class and the
    probability of the predicted one. "regression": the predicted against the true
    values with the diagonal, and the residuals, y_true - y_pred. "curve", for one
    number as input: the predicted curve over the data. "sequence": for sequences of
    numbers the true and the predicted one. "images", for outputs that are images: the
    inputs above the outputs.

    Args:
        model: a built model; or its predictions for `x` as an array.
        x: (samples, …) inputs. None, with predictions: "regression" needs none.
        y_true: labels, (samples,) ints or (samples, classes) one-hot rows, or true
            values in the shape of the predictions. None: "classification", "curve",
            "sequence" and "images" show the predictions alone.
        class_names: list or dict of names of the classes; None: their numbers.
        kind: one of the kinds above; None: chosen by the shapes.
        count: int, samples that are drawn at most; "regression" and "curve" draw all.
        worst_first: bool, whether the samples with the largest losses are drawn, the
            largest first; else the first ones. Losses are cross-entropies or mean
            squared errors. Needs `y_true`.
        cols: int, pictures in a row; None: as many as make a square.
        value_range: (black, white) of the images; None: 0..255 or 0..1, if they are
            within it, else the least and the largest value of each, and for "images" of
            all.
        data_format: "channels_last" or "channels_first" of the images; None: the
            setting.
        batch_size: int, samples that are computed at once.
        path: file to write; None returns the figure.
        dpi: dots per inch of the file; None: 150.

    Returns:
        A figure of matplotlib; None with a path.

    Raises:
        ValueError: the model is not built, shapes that do not fit the kind or each
            other, or an unknown kind.
        ImportError: matplotlib is not installed.

    >>> y = np.linspace(0, 1, 5)
    >>> figure = keras.visualization.plot_predictions(y + 0.1, None, y)
    >>> [axes.get_title() for axes in figure.axes]
    ['MAE 0.1, R² 0.92', 'residuals: mean -0.1, std 0']
    """
    for name, value in (("count", count), ("batch_size", batch_size)):
        positive_int(value, name)
    if kind is not None and kind not in _KINDS:
        raise ValueError(f"{_CALLER}: `kind` is one of {_KINDS}, got {kind!r}.")
    y_pred = _predictions(model, x, batch_size)
    x, y_true = _array(x), _array(y_true)
    for name, values in (("x", x), ("y_true", y_true)):
        if values is not None and len(values) != len(y_pred):
            raise ValueError(
                f"{_CALLER}: expected as many samples in `{name}` as predictions, "
                f"{len(y_pred)}, got {len(values)}."
            )
    if worst_first and y_true is None:
        raise ValueError(f"{_CALLER}: `worst_first=True` needs `y_true`.")
    kind = kind or _kind_of(x, y_true, y_pred)
    if kind == "classification":
        chosen = _chosen(_cross_entropies, y_true, y_pred, count, worst_first)
        images = (data_format, value_range, cols)
        figure = _draw_classes(x, y_true, y_pred, chosen, class_names, images)
    elif kind == "images":
        chosen = _chosen(_squared_errors, y_true, y_pred, count, worst_first)
        figure = _draw_images(x, y_true, y_pred, chosen, data_format, value_range)
    elif kind == "sequence":
        chosen = _chosen(_squared_errors, y_true, y_pred, count, worst_first)
        figure = _draw_sequences(x, y_true, y_pred, chosen, cols)
    elif kind == "curve":
        figure = _draw_curve(x, y_true, y_pred)
    else:
        figure = _draw_regression(y_true, y_pred)
    return finish(figure, path, dpi)


def _predictions(model, x, batch_size):
    """The predictions as one array."""
    if isinstance(model, Layer):
        check_built(_CALLER, model)
        if x is None:
            raise ValueError(f"{_CALLER}: a model needs `x` to predict from.")
        model = predicted(model, as_batch(_CALLER, x), batch_size)
    leaves = jax.tree_util.tree_leaves(model) if isinstance(model, dict) else [model]
    if len(leaves) != 1:
        raise ValueError(
            f"{_CALLER}: expected one output, got {len(leaves)}. Pass the predictions "
            "of one as an array."
        )
    y_pred = native(leaves[0])
    if y_pred.dtype.kind not in "fiub":
        raise ValueError(f"{_CALLER}: expected numbers, got {y_pred.dtype}.")
    if y_pred.ndim == 0 or not len(y_pred):
        raise ValueError(f"{_CALLER}: expected (samples, …), got {y_pred.shape}.")
    return y_pred


def _array(values):
    """An array; None of several inputs, of which none is drawn."""
    if isinstance(values, dict):
        values = list(values.values())
    arrays = [hasattr(v, "ndim") and v.ndim > 0 for v in _items(values)]
    if arrays and all(arrays) and isinstance(values, (list, tuple)):
        values = values[0] if len(values) == 1 else None
    return None if values is None else np.asarray(values)


def _items(values):
    return values if isinstance(values, (list, tuple)) else ()


def _kind_of(x, y_true, y_pred):
    """The kind that fits the shapes."""
    if x is not None and _is_image(x):
        if y_pred.ndim == x.ndim:
            return "images"
        labels = y_true is None or y_true.dtype.kind != "f"
        one_hot = y_true is not None and y_true.ndim == 2 and y_true.shape[1] > 1
        if labels or one_hot:
            return "classification"
    if y_pred.ndim > 2 or (y_pred.ndim == 2 and y_pred.shape[1] > 1 and x is not None):
        return "sequence"
    one_number = x is not None and math.prod(x.shape[1:]) == 1
    return "curve" if one_number and y_pred.ndim <= 2 else "regression"


def _is_image(x):
    return x.ndim == 4 or (x.ndim == 3 and min(x.shape[1:]) > 7)


def _chosen(losses, y_true, y_pred, count, worst_first):
    """The numbers of the samples to draw."""
    if not worst_first:
        return np.arange(min(count, len(y_pred)))
    values = losses(y_true, y_pred)
    # What is no number is worst.
    return np.argsort(-np.nan_to_num(values, nan=np.inf), kind="stable")[:count]


def _probabilities(y_pred):
    """(samples, classes): sigmoid outputs have two classes; scores get a softmax."""
    y_pred = np.asarray(y_pred, "float64")
    y_pred = y_pred[:, None] if y_pred.ndim == 1 else y_pred
    if y_pred.ndim != 2:
        raise ValueError(
            f"{_CALLER}: a classification has predictions (samples, classes), got the "
            f"shape {y_pred.shape}."
        )
    known = y_pred[np.isfinite(y_pred).all(axis=1)]
    are_shares = (known >= 0).all() and (known <= 1 + 1e-6).all()
    if y_pred.shape[1] == 1:
        share = y_pred if are_shares else 1 / (1 + np.exp(-y_pred))
        return np.concatenate([1 - share, share], axis=1)
    if are_shares:  # of one label, or, by sigmoids, of several
        return y_pred
    powers = np.exp(y_pred - y_pred.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _cross_entropies(y_true, y_pred):
    """-log of the probability of the true class, (samples,)."""
    shares = _probabilities(y_pred)
    labels = labels_of(_CALLER, "y_true", y_true)
    _check_labels(labels, shares)
    with np.errstate(divide="ignore"):
        return -np.log(shares[np.arange(len(labels)), labels])


def _check_labels(labels, shares):
    if labels.ndim != 1 or labels.min() < 0 or labels.max() >= shares.shape[1]:
        raise ValueError(
            f"{_CALLER}: expected labels (samples,) in 0..{shares.shape[1] - 1}, got "
            f"the shape {labels.shape}, values from {labels.min()} to {labels.max()}."
        )


def _squared_errors(y_true, y_pred):
    """Mean squared error of each sample."""
    y_true = _like(y_true, y_pred)
    return ((y_true - y_pred) ** 2).reshape(len(y_pred), -1).mean(axis=1)


def _like(y_true, y_pred):
    """The true values in the shape of the predictions."""
    shapes = [[n for n in y.shape[1:] if n != 1] for y in (y_true, y_pred)]
    if shapes[0] != shapes[1] or y_true.dtype.kind not in "iubf":
        raise ValueError(
            f"{_CALLER}: expected true values in the shape of the predictions, "
            f"{y_pred.shape}, got {y_true.dtype} of {y_true.shape}."
        )
    return y_true.astype("float64").reshape(y_pred.shape)


def _draw_classes(x, y_true, y_pred, chosen, class_names, images):
    data_format, value_range, cols = images
    if x is None or x.ndim not in (3, 4):
        raise ValueError(
            f"{_CALLER}: a classification draws images (samples, height, width, "
            f"channels), got x of the shape {None if x is None else x.shape}. "
            "`plot_confusion_matrix` needs no images."
        )
    shares = _probabilities(y_pred)
    best = np.nan_to_num(shares, nan=-1.0).argmax(axis=1)
    labels = None if y_true is None else labels_of(_CALLER, "y_true", y_true)
    if labels is not None:
        _check_labels(labels, shares)
    titles = []
    for i in chosen:
        name = class_name(best[i], class_names)
        text, colour = f"{_short(name)} {100 * shares[i, best[i]]:.0f} %", "black"
        if labels is not None:
            colour = _RIGHT if labels[i] == best[i] else _WRONG
            text += f"\ntrue: {_short(class_name(labels[i], class_names))}"
        titles.append((text, colour))
    figure, axes = gallery(_CALLER, len(chosen), cols, titles)
    pictures = _pictures(x, chosen, data_format, value_range)
    for axis, picture in zip(axes, pictures, strict=True):
        axis.imshow(picture, interpolation="nearest")
    return figure


def _short(name, most=22):
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _pictures(x, chosen, data_format, value_range):
    """Some images as (height, width, 3) bytes."""
    if x.ndim == 3:
        x, data_format = x[..., None], "channels_last"
    pixels, _ = channels_last(x[chosen], data_format)
    return [as_pixels(image, value_range) for image in pixels]


def _draw_images(x, y_true, y_pred, chosen, data_format, value_range):
    """Inputs, outputs and true outputs, a row of each."""
    rows = [("input", x), ("output", y_pred)]
    rows += [] if y_true is None else [("true", _like(y_true, y_pred))]
    # All rows are as bright as what the outputs should be.
    like = x if y_true is None else y_true
    value_range = value_range or (None if like is None else range_of(like))
    size = 1.2
    figure = new_figure(
        _CALLER, len(chosen) * size + 0.5, len(rows) * size, layout="tight"
    )
    axes = figure.subplots(len(rows), len(chosen), squeeze=False)
    for line, (name, images) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name)
        if images is None or images.ndim not in (3, 4):
            shape = None if images is None else images.shape
            raise ValueError(f"{_CALLER}: expected images as {name}, got {shape}.")
        pictures = _pictures(images, chosen, data_format, value_range)
        for axis, picture in zip(line, pictures, strict=True):
            axis.imshow(picture, interpolation="nearest")
            axis.set_xticks([])
            axis.set_yticks([])
    return figure


def _draw_regression(y_true, y_pred):
    """Predicted against true values, and the residuals."""
    if y_true is None:
        raise ValueError(f"{_CALLER}: a regression needs `y_true`.")
    y_pred = y_pred.astype("float64")
    y_true = _like(y_true, y_pred)
    outputs = y_pred.shape[-1] if y_pred.ndim > 1 else 1
    truth, guess = (a.reshape(-1, outputs) for a in (y_true, y_pred))
    residuals = truth - guess
    known = residuals[np.isfinite(residuals)]
    spread = ((truth - np.nanmean(truth, axis=0)) ** 2)[np.isfinite(residuals)].sum()
    fit = f", R² {1 - (known**2).sum() / spread:.3g}" if spread else ""
    figure = new_figure(_CALLER, 9.0, 4.2, layout="constrained")
    left, right = figure.subplots(1, 2)
    size = 14 if len(truth) < 500 else 5
    dots = {"s": size, "alpha": 0.6, "linewidths": 0}
    for i in range(outputs):
        name = f"output {i}" if 1 < outputs <= 10 else None
        left.scatter(truth[:, i], guess[:, i], label=name, **dots)
        right.scatter(guess[:, i], residuals[:, i], **dots)
    values = np.concatenate([truth, guess])[np.isfinite(np.concatenate([truth, guess]))]
    ends = [values.min(), values.max()] if values.size else [0.0, 1.0]
    left.plot(ends, ends, color="0.3", linewidth=1, linestyle="--")
    right.axhline(0, color="0.3", linewidth=1, linestyle="--")
    left.set(xlabel="true", ylabel="predicted", aspect="equal", adjustable="datalim")
    right.set(xlabel="predicted", ylabel="true - predicted")
    if 1 < outputs <= 10:
        left.legend(fontsize=8)
    mean, std = (known.mean(), known.std()) if known.size else (np.nan, np.nan)
    left.set_title(f"MAE {abs(known).mean() if known.size else np.nan:.3g}{fit}")
    # What rounding leaves of equal residuals is no spread.
    std = 0.0 if std < 1e-12 * (1 + abs(mean)) else std
    right.set_title(f"residuals: mean {mean:.3g}, std {std:.3g}")
    return figure


def _draw_curve(x, y_true, y_pred):
    """The predicted curve of a function of one number, over the data."""
    if x is None or math.prod(x.shape[1:]) != 1:
        raise ValueError(
            f"{_CALLER}: a curve has one number as input, got x of the shape "
            f"{None if x is None else x.shape}."
        )
    place = x.reshape(len(x)).astype("float64")
    curves = y_pred.reshape(len(x), -1)
    order = np.argsort(place, kind="stable")
    figure = new_figure(_CALLER, 6.4, 4.2, layout="constrained")
    axes = figure.add_subplot()
    if y_true is not None:
        truth = _like(y_true, y_pred).reshape(len(x), -1)
        for i in range(truth.shape[1]):
            label = "true" if i == 0 else None
            axes.scatter(
                place, truth[:, i], s=14, alpha=0.5, linewidths=0, color=_TRUE,
                label=label,
            )  # fmt: skip
    for i in range(curves.shape[1]):
        label = "predicted" if i == 0 else None
        axes.plot(place[order], curves[order, i], color=_PREDICTED, label=label)
    axes.set(xlabel="x", ylabel="y")
    axes.legend()
    return figure


def _draw_sequences(x, y_true, y_pred, chosen, cols):
    """Sequences of numbers; what follows the inputs stands behind them."""
    steps = y_pred.reshape(len(y_pred), y_pred.shape[1], -1)
    truth = None if y_true is None else _like(y_true, y_pred).reshape(steps.shape)
    start, before = 0, None
    if x is not None and x.ndim in (2, 3) and x.dtype.kind in "fiu":
        before = x.reshape(len(x), x.shape[1], -1)
        # As many steps as there are inputs stand beneath them; others follow.
        start = 0 if before.shape[1] == steps.shape[1] else before.shape[1]
    figure, axes = gallery(_CALLER, len(chosen), cols, size=2.6)
    times = np.arange(start, start + steps.shape[1])
    mark = "o" if steps.shape[1] < 3 else None
    for axis, i in zip(axes, chosen, strict=True):
        axis.set_axis_on()
        axis.tick_params(labelsize=7)
        if before is not None:
            axis.plot(before[i, :, 0], color="0.55", linewidth=1, label="input")
        if truth is not None:
            axis.plot(times, truth[i], color=_TRUE, marker=mark, label="true")
        axis.plot(
            times, steps[i], color=_PREDICTED, marker=mark, linestyle="--",
            label="predicted",
        )  # fmt: skip
        axis.set_title(f"sample {i}", fontsize=8)
    lines, names = axes[0].get_legend_handles_labels()
    known = dict(zip(names, lines, strict=True))
    axes[0].legend(known.values(), known.keys(), fontsize=7)
    return figure
