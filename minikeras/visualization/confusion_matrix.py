"""The confusion matrix: how often which class is taken for which."""

import numpy as np

from minikeras.visualization.figures import class_name, finish, new_figure

_MOST_NUMBERS = 30  # classes with a number in each cell
_MOST_CLASSES = 10_000
_NORMS = (None, "true", "pred", "all")


def confusion_matrix(y_true, y_pred, num_classes, sample_weight=None):
    """C[i, j] = sum of the weights of samples of class i that are taken for class j.

    Args:
        y_true, y_pred: (n,) ints in 0..num_classes - 1.
        num_classes: int.
        sample_weight: (n,) weights; None: all 1.

    Returns:
        (num_classes, num_classes) array, of ints without weights.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = num_classes * np.asarray(y_true, int) + np.asarray(y_pred, int)
    counts = np.bincount(cells, sample_weight, num_classes**2)
    return counts.reshape(num_classes, num_classes)


def shares(matrix, normalize):
    """A confusion matrix divided by its sums.

    Args:
        matrix: (classes, classes) array.
        normalize: "true": by the sum of each row, "pred": of each column, "all": of
            all. Where a sum is 0, the share is NaN.
    """
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    total = matrix.sum(axis=axis, keepdims=True)
    nothing = np.full(matrix.shape, np.nan)
    return np.divide(matrix, total, out=nothing, where=total != 0)


def native(values):
    """An array; bfloat16 and other floats that NumPy has not become float32."""
    values = np.asarray(values)
    return values.astype("float32") if values.dtype.kind == "V" else values


def labels_of(caller, name, values, threshold=0.5):
    """Numbers of classes, from such numbers, one-hot rows or probabilities.

    Args:
        caller: name of the public function.
        name: name of the argument.
        values: ints of any shape; floats (…, classes) with probabilities or scores;
            floats (…,) or (…, 1), probabilities of class 1.
        threshold: float, the least probability of class 1.

    Returns:
        Array of ints.
    """
    values = native(values)
    if values.dtype.kind in "iub" and (values.ndim < 2 or values.shape[-1] == 1):
        return values.astype("int64").reshape(values.shape[: max(values.ndim - 1, 1)])
    if values.dtype.kind not in "iubf" or values.ndim == 0:
        raise ValueError(
            f"{caller}: expected `{name}` to hold numbers of classes or probabilities, "
            f"got an array of {values.dtype} with the shape {values.shape}."
        )
    rows = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
    if missing := int(np.isnan(rows).any(axis=1).sum()):
        raise ValueError(
            f"{caller}: `{name}` has NaN for {missing} of {len(rows)} samples, which "
            "are of no class. Leave them out, or give them the `sample_weight` 0 and "
            "another value."
        )
    if values.ndim > 1 and values.shape[-1] > 1:
        return values.argmax(axis=-1)
    flat = values[..., 0] if values.ndim > 1 else values
    if (flat == flat.round()).all() and flat.size and flat.max() > 1:
        return flat.astype("int64")  # numbers of classes that became floats
    return (flat >= threshold).astype("int64")


def _pair(y_true, y_pred, sample_weight):
    """Flat (labels, predicted labels, weights or None), checked."""
    caller = "plot_confusion_matrix"
    y_true, y_pred = native(y_true), native(y_pred)
    grid = y_true.dtype.kind in "iub" and y_pred.ndim == y_true.ndim + 1
    if grid:  # sequences or images of labels
        y_pred = labels_of(caller, "y_pred", y_pred)
    elif y_true.shape == y_pred.shape and {y_true.dtype.kind, y_pred.dtype.kind} <= {
        *"iub"
    }:
        one_hot = y_true.ndim == 2 and y_true.shape[1] > 1
        one_hot = one_hot and (y_true.sum(axis=1) == 1).all() and y_true.max() == 1
        if one_hot:
            y_true, y_pred = y_true.argmax(axis=1), y_pred.argmax(axis=1)
    else:
        y_true = labels_of(caller, "y_true", y_true)
        y_pred = labels_of(caller, "y_pred", y_pred)
    y_true, y_pred = y_true.ravel().astype("int64"), y_pred.ravel().astype("int64")
    if len(y_true) != len(y_pred) or not len(y_true):
        raise ValueError(
            f"{caller}: expected as many labels as predictions, and at least one, got "
            f"{len(y_true)} labels and {len(y_pred)} predictions."
        )
    if sample_weight is None:
        return y_true, y_pred, None
    weights = np.asarray(sample_weight, "float64").ravel()
    if len(weights) != len(y_true) or not np.isfinite(weights).all():
        raise ValueError(
            f"{caller}: expected `sample_weight` to hold {len(y_true)} finite weights, "
            f"got an array of the shape {np.shape(sample_weight)}."
        )
    seen = weights != 0
    return y_true[seen], y_pred[seen], weights[seen]


def plot_confusion_matrix(
    y_true,
    y_pred,
    class_names=None,
    normalize=None,
    sample_weight=None,
    cmap="Blues",
    title=None,
    path=None,
    dpi=None,
):
    """Draw how often which class is taken for which.

    A row holds the samples of a class, a column what is taken for a class. Each cell
    has the number of samples and its share.

    Args:
        y_true: labels: (samples,) ints, or (samples, classes) one-hot rows; also
            (samples, …) ints for sequences and images.
        y_pred: the same, or probabilities or scores, (samples, …, classes); (samples,)
            or (samples, 1) floats are probabilities of class 1.
        class_names: list or dict of names of the classes; None: their numbers.
        normalize: what the colours and shares are of: "true": the samples of a class,
            "pred": what is taken for a class, "all": all samples. None: the colours
            are of the numbers, the shares of the samples of a class.
        sample_weight: (samples, …) weights; a mask of zeros and ones leaves samples
            out. None: all count.
        cmap: name of a colormap of matplotlib.
        title: str; None: the share of samples that are classified right.
        path: file to write; None returns the figure.
        dpi: dots per inch of the file; None: 150.

    Returns:
        A figure of matplotlib; None with a path.

    Raises:
        ValueError: labels and predictions of different numbers, NaN, negative labels,
            or unknown `normalize`.
        ImportError: matplotlib is not installed.

    >>> figure = keras.visualization.plot_confusion_matrix([0, 1, 1], [0, 1, 0])
    >>> figure.axes[0].get_title()
    '66.7 % of 3 right'
    """
    if normalize not in _NORMS:
        raise ValueError(
            f"plot_confusion_matrix: expected `normalize` to be one of {_NORMS}, got "
            f"{normalize!r}."
        )
    y_true, y_pred, weights = _pair(y_true, y_pred, sample_weight)
    largest = int(max(y_true.max(initial=-1), y_pred.max(initial=-1)))
    if min(y_true.min(initial=0), y_pred.min(initial=0)) < 0:
        raise ValueError(
            "plot_confusion_matrix: classes are numbered from 0, got a label "
            f"{min(y_true.min(), y_pred.min())}. Leave such samples out by "
            "`sample_weight`."
        )
    if isinstance(class_names, dict):
        largest = max([largest, *class_names])
    if largest >= _MOST_CLASSES:
        raise ValueError(
            f"plot_confusion_matrix: draws {_MOST_CLASSES} classes at most, got a "
            f"label {largest}. Number the classes from 0."
        )
    count = max(largest + 1, len(class_names) if class_names is not None else 1)
    matrix = confusion_matrix(y_true, y_pred, count, weights)
    names = [class_name(i, class_names) for i in range(len(matrix))]
    if title is None:
        total = matrix.sum()
        right = np.trace(matrix) / total if total else 0.0
        title = f"{right:.1%} of {total:g} right".replace("%", " %")
    figure = _draw(matrix, names, normalize, cmap, title)
    return finish(figure, path, dpi)


def _draw(matrix, names, normalize, cmap, title):
    count = len(matrix)
    written = shares(matrix, normalize or "true")
    shown = matrix.astype("float64") if normalize is None else written
    longest = max(map(len, names))
    cell = 0.62 if count <= _MOST_NUMBERS else 6.0 / count
    room = 0.085 * longest + 0.9
    figure = new_figure(
        "plot_confusion_matrix",
        max(count * cell, 1.5) + room + 1.0,
        max(count * cell, 1.5) + (room if longest > 3 else 0.9) + 0.4,
        layout="constrained",
    )
    axes = figure.add_subplot()
    image = axes.imshow(np.nan_to_num(shown), cmap=cmap, vmin=0)
    figure.colorbar(image, fraction=0.046, pad=0.03).ax.tick_params(labelsize=8)
    step = 1 if count <= _MOST_NUMBERS else -(-count // 20)
    places = range(0, count, step)
    style = {"fontsize": 9, "parse_math": False}
    turned = {"rotation": 90} if longest > 3 else {}
    axes.set_xticks(places, [names[i] for i in places], **style, **turned)
    axes.set_yticks(places, [names[i] for i in places], **style)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=11, parse_math=False)
    if count <= _MOST_NUMBERS:
        _write_numbers(axes, matrix, written, image)
    return figure


def _write_numbers(axes, matrix, written, image):
    """The number and the share in each cell, in a colour that can be read there."""
    colours = image.cmap(image.norm(image.get_array()))
    # Luminance after ITU-R BT.601.
    light = colours[..., :3] @ np.array([0.299, 0.587, 0.114])
    for i, j in np.ndindex(matrix.shape):
        text = f"{matrix[i, j]:g}"
        if np.isfinite(written[i, j]) and matrix[i, j]:
            text += f"\n{100 * written[i, j]:.0f} %"
        colour = "black" if light[i, j] > 0.5 else "white"
        faint = 1.0 if matrix[i, j] else 0.35
        style = {"ha": "center", "va": "center", "fontsize": 8, "color": colour}
        axes.text(j, i, text, alpha=faint, linespacing=1.1, **style)
