"""Metrics against Keras: state and results over batches, jit, configs, errors."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect
import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.draw import Draw, assert_close, both, cases, cast
from minikeras.core.bridge import set_mask

PACKAGES = (keras, minikeras)
MARK = {keras: keras.src.backend.set_keras_mask, minikeras: set_mask}
BATCHES = (4, 1, 3)  # rows of the batches
CLASSES = 4


def on_rows(draw_rows):
    """A maker of whole batches from one of all rows; extra axes in between."""

    def make(d, settings):
        between = d.choice((), (), (2,))
        whole = draw_rows(d, settings, (sum(BATCHES), *between))
        splits = np.cumsum(BATCHES)[:-1]
        return list(zip(*(np.split(array, splits) for array in whole), strict=True))

    return make


def rank_2(maker):
    """The maker without axes in between."""

    def make(d, settings, shape):
        return maker(d, settings, shape[:1])

    return make


def scores(d, settings, shape):
    """Half of them at round numbers, where thresholds lie."""
    dtype = d.choice("float32", "float32", "float32", "bfloat16")
    if settings.get("from_logits"):
        return d.normal(shape, dtype=dtype)
    p = d.uniform(shape, 0.01, 0.99)
    return cast(np.where(d.bools(shape), np.round(p, 1), p), dtype)


def numbers(d, settings, shape):
    shape = (*shape, 3)
    return d.normal(shape), d.normal(shape)


def shares(d, settings, shape):
    return d.uniform((*shape, 3), 0.05), d.uniform((*shape, 3), 0.05)


def bits(d, settings, shape):
    shape = (*shape, *d.choice((), (1,), (3,)))
    y_true = cast(d.bools(shape), d.choice("float32", "int32", "bool"))
    return y_true, scores(d, settings, shape)


def columns(d, settings, shape):
    shape = (*shape, CLASSES)
    return cast(d.bools(shape), "float32"), scores(d, settings, shape)


def one_hot(d, settings, shape):
    y_true = np.eye(CLASSES, dtype="float32")[d.ints(shape, 0, CLASSES)]
    return y_true, scores(d, settings, y_true.shape)


def labels(d, settings, shape):
    y_true = d.ints(shape, 0, CLASSES, d.choice("int32", "float32"))
    y_pred = scores(d, settings, (*shape, CLASSES))
    return y_true[..., None] if d.chance(0.3) else y_true, y_pred


def ranked(d, settings, shape):
    """As `labels`, or labels beside labels with the best first."""
    y_true, y_pred = labels(d, settings, shape)
    y_true = y_true.reshape(shape)
    if settings.get("from_sorted_ids"):
        y_pred = np.argsort(y_pred.astype("float32"), axis=-1)[..., ::-1].astype(
            "int32"
        )
    return y_true, y_pred


def two_labels(d, settings, shape):
    dtype = d.choice("int32", "float32")
    return d.ints(shape, 0, CLASSES, dtype), d.ints(shape, 0, CLASSES, dtype)


def regions(d, settings, shape):
    """Labels, or scores where they are not sparse."""
    if d.chance(0.2):
        settings["axis"] = -1
    settings["num_classes"] = CLASSES
    out = []
    for name, default in (("sparse_y_true", SPARSE), ("sparse_y_pred", SPARSE)):
        is_sparse = settings.get(name, default[0])
        out.append(
            d.ints(shape, 0, CLASSES) if is_sparse else d.uniform((*shape, CLASSES))
        )
    return out


SPARSE = (True,)


def one_hot_regions(d, settings, shape):
    settings["num_classes"] = CLASSES
    y_pred = d.uniform((*shape, CLASSES))
    if settings.get("sparse_y_pred"):
        y_pred = d.ints(shape, 0, CLASSES)
    return np.eye(CLASSES, dtype="float32")[d.ints(shape, 0, CLASSES)], y_pred


def one_column(d, settings, shape):
    return cast(d.bools(shape), "int32"), scores(d, settings, shape)


def alone(d, settings, shape):
    return (d.normal((*shape, *d.choice((), (3,)))),)


THRESHOLDS = {"thresholds": (0.3, [0.5], [0.7, 0.2, 0.5], [0.0, 1.0])}
SHARE = {**THRESHOLDS, "class_id": (0, 2), "top_k": (1, 2)}
POINT = {"num_thresholds": (1, 2, 7), "class_id": (0, 3)}
AUC = {
    "num_thresholds": (2, 7, 50),
    "curve": ("PR", "ROC", "PRGAIN"),
    "summation_method": ("interpolation", "minoring", "majoring"),
    "thresholds": ([0.6, 0.3], [0.0, 0.5, 1.0]),
    "multi_label": (True,),
    "num_labels": (CLASSES,),
    "label_weights": ([0.1, 0.9, 0.4, 0.3],),
    "from_logits": (True,),
}
F_SCORE = {"average": ("micro", "macro", "weighted"), "threshold": (0.4, 1.0)}
IOU = {"ignore_class": (0, 2), "sparse_y_true": (False,), "sparse_y_pred": (False,)}
HOT_IOU = {"ignore_class": (0, 2), "sparse_y_pred": (True,)}
IDS = {"target_class_ids": ([0], [1, 3], (0, 1, 2))}
LOGITS = {"from_logits": (True,)}

# {name: (maker, choices, required arguments and their choices)}
TABLE = {
    "AUC": (rank_2(columns), AUC, {}),
    "Accuracy": (two_labels, {}, {}),
    "BinaryAccuracy": (bits, {"threshold": (0.3, 0.7)}, {}),
    "BinaryCrossentropy": (bits, {**LOGITS, "label_smoothing": (0.2,)}, {}),
    "BinaryIoU": (one_column, {"threshold": (0.3, 0.7)}, {}),
    "CategoricalAccuracy": (one_hot, {}, {}),
    "CategoricalCrossentropy": (one_hot, {**LOGITS, "label_smoothing": (0.2,)}, {}),
    "CategoricalHinge": (one_hot, {}, {}),
    "ConcordanceCorrelation": (numbers, {"axis": (-1,)}, {}),
    "CosineSimilarity": (numbers, {"axis": (-1,)}, {}),
    "F1Score": (rank_2(one_hot), F_SCORE, {}),
    "FBetaScore": (rank_2(columns), {**F_SCORE, "beta": (0.5, 2.0)}, {}),
    "FalseNegatives": (bits, THRESHOLDS, {}),
    "FalsePositives": (bits, THRESHOLDS, {}),
    "Hinge": (bits, {}, {}),
    "IoU": (regions, IOU, IDS),
    "KLDivergence": (shares, {}, {}),
    "LogCoshError": (numbers, {}, {}),
    "Mean": (alone, {}, {}),
    "MeanAbsoluteError": (numbers, {}, {}),
    "MeanAbsolutePercentageError": (numbers, {}, {}),
    "MeanIoU": (regions, IOU, {}),
    "MeanMetricWrapper": (shares, {}, {"fn": ("poisson", "huber")}),
    "MeanSquaredError": (numbers, {}, {}),
    "MeanSquaredLogarithmicError": (shares, {}, {}),
    "OneHotIoU": (one_hot_regions, HOT_IOU, IDS),
    "OneHotMeanIoU": (one_hot_regions, HOT_IOU, {}),
    "PearsonCorrelation": (numbers, {"axis": (-1,)}, {}),
    "Poisson": (shares, {}, {}),
    "Precision": (rank_2(columns), SHARE, {}),
    "PrecisionAtRecall": (rank_2(columns), POINT, {"recall": (0.0, 0.4, 0.8)}),
    "R2Score": (
        rank_2(numbers),
        {
            "class_aggregation": (None, "variance_weighted_average"),
            "num_regressors": (0, 2, 30),
        },
        {},
    ),
    "Recall": (rank_2(columns), SHARE, {}),
    "RecallAtPrecision": (rank_2(columns), POINT, {"precision": (0.0, 0.4, 0.8)}),
    "RootMeanSquaredError": (numbers, {}, {}),
    "SensitivityAtSpecificity": (
        rank_2(columns),
        POINT,
        {"specificity": (0.0, 0.4, 0.8)},
    ),
    "SparseCategoricalAccuracy": (labels, {}, {}),
    "SparseCategoricalCrossentropy": (labels, {**LOGITS, "ignore_class": (1,)}, {}),
    "SparseTopKCategoricalAccuracy": (
        rank_2(ranked),
        {"k": (1, 2), "from_sorted_ids": (True,)},
        {},
    ),
    "SpecificityAtSensitivity": (
        rank_2(columns),
        POINT,
        {"sensitivity": (0.0, 0.4, 0.8)},
    ),
    "SquaredHinge": (bits, {}, {}),
    "Sum": (alone, {}, {}),
    "TopKCategoricalAccuracy": (rank_2(one_hot), {"k": (1, 2)}, {}),
    "TrueNegatives": (bits, THRESHOLDS, {}),
    "TruePositives": (bits, THRESHOLDS, {}),
}
# Ours also takes one weight an entry for the first two; one a row of matrices for all.
ROWS_ONLY = {"F1Score", "FBetaScore"} | {
    f"{found}{what}"
    for found in ("True", "False")
    for what in ("Positives", "Negatives")
}
PUBLIC = [name for name in dir(keras.metrics) if name[0] != "_"]
NAMES = [n for n in PUBLIC if inspect.isclass(getattr(keras.metrics, n))]
TOOLS = {"get", "serialize", "deserialize"}


def test_every_public_class_has_a_case():
    assert set(TABLE) == set(NAMES) - {"Metric"}


def generated(name, seed):
    """(settings, batches of arrays, their weights, does a mask come along)."""
    d = Draw("metric", name, seed)
    maker, choices, required = TABLE[name]
    settings = d.options(choices)
    settings |= {key: d.choice(*values) for key, values in required.items()}
    if not settings.get("multi_label"):
        settings.pop("num_labels", None)
    batches = on_rows(maker)(d, settings)
    if d.chance(0.2):
        settings["dtype"] = d.choice("float16", "bfloat16", "float32")
    shape = batches[0][-1].shape[1:]
    weights = [None] * len(BATCHES)
    if d.chance(0.6):
        rest = d.choice((), (), shape, shape[:-1])
        if name in ROWS_ONLY:
            rest = () if len(shape) < 2 else shape
        if "IoU" in name and not rest:  # Keras weighs no rows of labels by (n,)
            labels = batches[0][0]
            if "OneHot" in name or not settings.get("sparse_y_true", True):
                labels = labels.argmax(settings.get("axis", -1))
            rest = labels.shape[1:]
        weights = [d.uniform((n, *rest), 0.1, 2.0) for n in BATCHES]
    masks = [None] * len(BATCHES)
    if d.chance(0.2) and isinstance(batches[0][-1], np.ndarray):
        # Keras joins a mask of rows to no mask of steps, which `ignore_class` makes.
        axes = -1 if "ignore_class" in settings else 1
        masks = [d.bools(b[-1].shape[:axes], 0.7) for b in batches]
    return settings, batches, weights, masks


def tolerance(name, batches):
    """Means of half-width values are as exact as those: packages round differently."""
    is_mean = issubclass(getattr(keras.metrics, name), keras.metrics.Mean)
    half = is_mean and any(a.dtype == "bfloat16" for a in batches[0])
    return 1e-2 if half else None


def make(package, name, settings):
    if "fn" in settings:
        settings = settings | {"fn": getattr(package.metrics, settings["fn"])}
    return getattr(package.metrics, name)(**{"name": "m", **settings})


@pytest.mark.filterwarnings("ignore:.*cast")
@pytest.mark.parametrize(("name", "seed"), cases(sorted(TABLE), 10, every=3))
def test_updates(name, seed):
    """Variables after each of several updates, and the results."""
    settings, batches, weights, masks = generated(name, seed)

    def run(package):
        metric = make(package, name, settings)
        found = []
        for arrays, weight, mask in zip(batches, weights, masks, strict=True):
            *before, last = arrays
            if mask is not None:
                last = jnp.asarray(last)
                MARK[package](last, jnp.asarray(mask))
            metric.update_state(*before, last, sample_weight=weight)
            found += [np.asarray(v.value) for v in metric.variables]
            found.append(metric.result())
        names = [(v.path, v.shape, v.dtype) for v in metric.variables]
        metric.reset_state()
        found += [np.asarray(v.value) for v in metric.variables]
        return found, names

    (theirs, their_names), (ours, our_names) = both(run, PACKAGES)
    assert our_names == their_names
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b, 4, tolerance(name, batches), least=0.1)


@pytest.mark.filterwarnings("ignore:.*cast")
@pytest.mark.parametrize(("name", "seed"), cases(sorted(TABLE), 3, every=3, first=1))
def test_stateless_methods_under_jit(name, seed):
    settings, batches, weights, _ = generated(name, seed)

    def run(package):
        metric = make(package, name, settings)
        # Some make their variables at the first update.
        metric.update_state(*batches[0], sample_weight=weights[0])
        values = metric.stateless_reset_state()
        update = jax.jit(metric.stateless_update_state)
        for arrays, weight in zip(batches[:2], weights, strict=False):
            values = update(values, *arrays, sample_weight=weight)
        return [*values, jax.jit(metric.stateless_result)(values)]

    for theirs, ours in zip(*both(run, PACKAGES), strict=True):
        assert_close(ours, theirs, 4, tolerance(name, batches), least=0.1)


FUNCTIONS = {
    "binary_accuracy": "BinaryAccuracy",
    "categorical_accuracy": "CategoricalAccuracy",
    "concordance_correlation": "ConcordanceCorrelation",
    "pearson_correlation": "PearsonCorrelation",
    "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
    "sparse_top_k_categorical_accuracy": "SparseTopKCategoricalAccuracy",
    "top_k_categorical_accuracy": "TopKCategoricalAccuracy",
}


def test_every_public_function_is_a_loss_or_has_a_case():
    for name in set(PUBLIC) - set(NAMES) - TOOLS - set(FUNCTIONS):
        assert getattr(minikeras.metrics, name) is getattr(minikeras.losses, name)


@pytest.mark.parametrize(("name", "seed"), cases(sorted(FUNCTIONS), 10))
def test_function(name, seed):
    settings, batches, _, _ = generated(FUNCTIONS[name], seed)
    settings.pop("dtype", None)

    def run(package):
        function = getattr(package.metrics, name)
        return jax.jit(lambda *arrays: function(*arrays, **settings))(*batches[0])

    theirs, ours = both(run, PACKAGES)
    assert_close(ours, theirs, 4)


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_config(name):
    ours, theirs = (getattr(p.metrics, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)
    if name == "Metric":
        return
    *_, required = TABLE[name]
    least = {key: values[0] for key, values in required.items()}
    least |= {"num_classes": CLASSES} if "IoU" in name and name != "BinaryIoU" else {}
    for settings in (
        least,
        {**least, "name": "n", "dtype": "float16"},
        generated(name, 3)[0],
    ):
        if {"from_sorted_ids", "axis", "label_weights"} & set(settings):
            continue  # Keras leaves them out, or does not write JSON
        made = [make(p, name, settings) for p in PACKAGES]
        assert made[1]._mk_direction == getattr(made[0], "_direction", None)
        assert made[0].dtype == made[1].dtype
        saved = [
            json.loads(json.dumps(p.metrics.serialize(metric)))
            for p, metric in zip(PACKAGES, made, strict=True)
        ]
        assert saved[1] == saved[0]
        for package in PACKAGES:
            again = package.metrics.deserialize(saved[1])
            assert json.loads(json.dumps(again.get_config())) == saved[1]["config"]


SHORT = "bce mae mape mse msle BCE MAE MAPE MSE MSLE auc recall precision mean".split()


@pytest.mark.parametrize("name", [*PUBLIC, *SHORT, None, "f1_score", "mean_io_u"])
def test_get(name):
    for how in ("get", "deserialize"):
        try:
            theirs = getattr(keras.metrics, how)(name)
        except (ValueError, TypeError):
            continue
        if isinstance(theirs, str):  # Keras gives unknown names back
            continue
        assert type(getattr(minikeras.metrics, how)(name)).__name__ == (
            type(theirs).__name__
        )


@pytest.mark.parametrize(
    ("values", "weights"),
    [
        ((2, 3), (2,)),
        ((2, 3), (2, 1)),
        ((2, 3), (1, 3)),
        ((2, 3), ()),
        ((2, 3, 4), (2, 3)),
        ((2, 3, 4), (2, 3, 1)),
        ((3,), (3, 1)),
        ((), ()),
        ((0,), (0,)),
        ((0, 3), (0,)),
    ],
)
def test_mean_of_weighted_samples(values, weights):
    d = Draw("mean", values, weights)
    values, weights = d.normal(values), d.uniform(weights)
    for name in ("Mean", "Sum"):
        theirs, ours = (getattr(p.metrics, name)()(values, weights) for p in PACKAGES)
        assert_close(ours, theirs)


def made_with(name, **settings):
    return lambda p: getattr(p.metrics, name)(**settings)


def updated(name, y_true, y_pred, weight=None, **settings):
    y_true, y_pred = np.array(y_true, "float32"), np.array(y_pred, "float32")

    def attempt(package):
        metric = getattr(package.metrics, name)(**settings)
        metric.update_state(y_true, y_pred, sample_weight=weight)

    return attempt


ONES = np.ones
BAD = {
    "AUC curve": made_with("AUC", curve="XY"),
    "AUC summation": made_with("AUC", summation_method="left"),
    "AUC thresholds": made_with("AUC", num_thresholds=1),
    "AUC threshold range": made_with("AUC", thresholds=[0.2, 1.5]),
    "AUC shapes": updated("AUC", ONES((3, 2)), ONES((3, 4))),
    "AUC columns": updated("AUC", ONES(3), ONES(3), multi_label=True),
    "AUC other columns": updated(
        "AUC", ONES((3, 2)), ONES((3, 2)), multi_label=True, num_labels=3
    ),
    "AUC label weights": updated(
        "AUC", ONES((3, 2)), ONES((3, 2)), label_weights=[1.0, 2.0, 3.0]
    ),
    "AUC multi-label weights": updated(
        *("AUC", ONES((3, 2)), ONES((3, 2))), multi_label=True, label_weights=[1.0] * 3
    ),
    "AUC labels": made_with("AUC", num_labels=3),
    "Precision threshold": made_with("Precision", thresholds=-0.1),
    "Recall threshold list": made_with("Recall", thresholds=[None, 0.5]),
    "Precision text": made_with("Precision", thresholds="high"),
    "Precision shapes": updated("Precision", ONES((3, 2)), ONES((3, 4))),
    "Precision class_id": updated("Precision", ONES(3), ONES(3), class_id=1),
    "Precision far class_id": updated(
        "Precision", ONES((3, 2)), ONES((3, 2)), class_id=5
    ),
    "Recall top_k": updated("Recall", ONES((3, 2)), ONES((3, 2)), top_k=5),
    "TruePositives shapes": updated("TruePositives", ONES((3, 2)), ONES(4)),
    "PrecisionAtRecall": made_with("PrecisionAtRecall", recall=1.5),
    "RecallAtPrecision": made_with("RecallAtPrecision", precision=-0.5),
    "SensitivityAtSpecificity": made_with("SensitivityAtSpecificity", specificity=2),
    "SpecificityAtSensitivity": made_with("SpecificityAtSensitivity", sensitivity=-1),
    "its thresholds": made_with("PrecisionAtRecall", recall=0.5, num_thresholds=0),
    "F average": made_with("F1Score", average="mean"),
    "F beta": made_with("FBetaScore", beta=-1.0),
    "F int beta": made_with("FBetaScore", beta=1),
    "F threshold": made_with("F1Score", threshold=1.5),
    "F int threshold": made_with("F1Score", threshold=1),
    "F rank": updated("F1Score", ONES(3), ONES(3)),
    "R2 aggregation": made_with("R2Score", class_aggregation="sum"),
    "R2 regressors": made_with("R2Score", num_regressors=-1),
    "R2 rank": updated("R2Score", ONES(3), ONES(3)),
    "IoU ids": made_with("IoU", num_classes=2, target_class_ids=[2]),
    "MSE shapes": updated("MeanSquaredError", ONES((3, 4)), ONES((3, 2))),
    "weights": updated("MeanSquaredError", ONES((3, 4)), ONES((3, 4)), ONES(5)),
    "abstract update": lambda p: p.metrics.Metric(name="m").update_state(1),
    "abstract result": lambda p: p.metrics.Metric(name="m").result(),
    "unknown name": lambda p: p.metrics.get("recal"),
    "number": lambda p: p.metrics.get(3),
    "config without a class": lambda p: p.metrics.deserialize({}),
    "state": lambda p: p.metrics.Mean().stateless_update_state([1.0], 1.0),
    "state of result": lambda p: p.metrics.Mean().stateless_result([1.0]),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_with_kerass_kind_of_error(what):
    errors = []
    for package in PACKAGES:
        try:
            BAD[what](package)
            errors.append(None)
        except Exception as error:
            errors.append(error)
    theirs, ours = errors
    assert ours is not None, f"Keras: {theirs!r}"
    kinds = ((ValueError, TypeError), NotImplementedError)
    expected = next((k for k in kinds if isinstance(theirs, k)), kinds[0])
    assert isinstance(ours, expected), (theirs, ours)
    assert len(str(ours)) > 20
