"""Estimators of scikit-learn around models: a classifier, a regressor, a transformer.

This module imports scikit-learn; `minikeras.wrappers` imports it when it is needed.
"""

import inspect

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.models.cloning import clone_model
from minikeras.models.model import Model

try:
    base = late_import("sklearn.base")
    multiclass = late_import("sklearn.utils.multiclass")
    validation = late_import("sklearn.utils.validation")
except ImportError as error:
    raise ImportError(
        "Could not import scikit-learn 1.6 or newer, which keras.wrappers needs: pip "
        "install -U scikit-learn"
    ) from error


def one_hot(labels, classes):
    """(n,) labels -> (n, classes) float64; a ValueError for a label that is none.

    >>> one_hot(["b", "a"], np.array(["a", "b"])).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    labels = np.asarray(labels)
    if unknown := sorted(set(labels) - set(classes)):
        raise ValueError(f"y has the labels {unknown}, which fit() did not see.")
    return np.eye(len(classes))[np.searchsorted(classes, labels)]


def _check_compiled(model):
    if not getattr(model, "compiled", False):
        raise RuntimeError(
            "The model must be compiled, with a loss and an optimizer, before an "
            f"estimator can fit it: call model.compile(...). Model: {model!r}"
        )
    return model


class SKLBase(base.BaseEstimator):
    """What the estimators share: a model that `fit` creates, trains and keeps.

    Args:
        model: compiled `Model`, of which each `fit` trains a clone with new weights; or
            a function `model(X, y, **model_kwargs)` that returns one.
        warm_start: bool, whether `fit` goes on with the model of the last `fit`, and
            trains the given `Model` itself.
        model_kwargs: dict, further arguments of the function; None: none.
        fit_kwargs: dict, arguments of `Model.fit`; None: none.

    Attributes: `model_` (the trained model), `history_` (the `History` of the last
    `fit`), `n_features_in_`, and `feature_names_in_` if `X` was a data frame.
    """

    def __init__(self, model, warm_start=False, model_kwargs=None, fit_kwargs=None):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self):
        """A new estimator; the model itself is shared, as `fit` clones it."""
        options = {name: getattr(self, name) for name in self._get_param_names()}
        model = options.pop("model")
        copies = {name: base.clone(x, safe=False) for name, x in options.items()}
        return type(self)(model=model, **copies)

    @property
    def epoch_(self):
        """Number of epochs of the last `fit`; 0 before it."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def set_fit_request(self, **kwargs):
        """Say which arguments of `fit` metadata routing passes.

        Args:
            **kwargs: name of an argument of `Model.fit` = True, False, None or the name
                it has in the caller.

        Returns:
            The estimator.

        Raises:
            RuntimeError: metadata routing is off.
            TypeError: no argument of `Model.fit`.
        """
        if not late_import("sklearn").get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "set_fit_request() needs metadata routing: call "
                "sklearn.set_config(enable_metadata_routing=True) first."
            )
        known = set(inspect.signature(Model.fit).parameters) - {"self", "x", "y"}
        if unknown := sorted(set(kwargs) - known):
            raise TypeError(
                f"set_fit_request() got {unknown}; Model.fit has {sorted(known)}."
            )
        request = self._get_metadata_request()
        for name, alias in kwargs.items():
            request.fit.add_request(param=name, alias=alias)
        self._metadata_request = request
        return self

    def _get_model(self, X, y):
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            model = _check_compiled(self.model)
            return model if self.warm_start else clone_model(model)
        if not callable(self.model):
            raise TypeError(
                f"{type(self).__name__} expected as `model` a compiled Model, or a "
                f"function model(X, y) that returns one, but got {self.model!r}."
            )
        return _check_compiled(self.model(X, y, **(self.model_kwargs or {})))

    def fit(self, X, y, **kwargs):
        """Create a model and train it.

        Args:
            X: (samples, features) array or data frame.
            y: (samples,) targets.
            **kwargs: arguments of `Model.fit`, for this call; they go before those of
                `fit_kwargs`.

        Returns:
            The estimator.

        Raises:
            RuntimeError: the model is not compiled.
            TypeError: `model` is neither a model nor a function.
            ValueError: `X` or `y` is not as described.
        """
        # Only a transformer's tags allow `y=None`.
        if y is None and not base.get_tags(self).target_tags.required:
            X, target = validation.validate_data(self, X), None
        else:
            X, y = validation.validate_data(self, X, y)
            target = self._process_target(y, reset=True)
        model = self._get_model(X, target)
        options = dict(self.fit_kwargs or {}, **kwargs)
        self.history_ = model.fit(X, target, **options)
        self.model_ = model
        return self

    def predict(self, X):
        """What the trained model says of each sample.

        Args:
            X: (samples, features) array or data frame.

        Returns:
            (samples,) NumPy array.
        """
        return self._reverse_process_target(self._mk_outputs(X))

    def _mk_outputs(self, X):
        validation.check_is_fitted(self, "model_")
        X = validation.validate_data(self, X, reset=False)
        return self.model_.predict(X)

    def _process_target(self, y, reset=False):
        """(samples,) targets -> those of the model, (samples, 1)."""
        multiclass.type_of_target(y, raise_unknown=True)
        return np.reshape(y, (-1, 1))

    def _reverse_process_target(self, y):
        """Outputs of the model -> predictions."""
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


class SKLearnClassifier(base.ClassifierMixin, SKLBase):
    """A model as classifier: targets are one-hot, predictions the likeliest class.

    The last layer needs a unit for each class, with two classes too, and the loss is
    "categorical_crossentropy".

    Args:
        model: compiled `Model`, of which each `fit` trains a clone with new weights; or
            a function `model(X, y, **model_kwargs)` that returns one.
        warm_start: bool, whether `fit` goes on with the model of the last `fit`, and
            trains the given `Model` itself.
        model_kwargs: dict, further arguments of the function; None: none.
        fit_kwargs: dict, arguments of `Model.fit`; None: none.

    Attributes: `classes_`, `model_`, `history_`, `n_features_in_`.

    >>> def create(X, y):
    ...     layers = keras.layers
    ...     model = keras.Sequential([layers.Dense(y.shape[1], "softmax")])
    ...     model.compile("adam", "categorical_crossentropy")
    ...     return model
    >>> X, y = np.eye(4), np.array(["a", "b", "a", "b"])
    >>> classifier = SKLearnClassifier(create, fit_kwargs={"verbose": 0})
    >>> classifier.fit(X, y).classes_.tolist()
    ['a', 'b']
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def decision_function(self, X):
        """The outputs of the model.

        Args:
            X: (samples, features) array or data frame.

        Returns:
            (samples, classes) NumPy array.
        """
        return self._mk_outputs(X)

    def _process_target(self, y, reset=False):
        if reset:
            kind = multiclass.type_of_target(y, raise_unknown=True)
            if kind not in ("binary", "multiclass"):
                raise ValueError(
                    f"Unknown label type: {kind}. A classifier takes labels of classes;"
                    " for numbers take SKLearnRegressor."
                )
            self.classes_ = np.unique(y)
            if len(self.classes_) < 2:
                raise ValueError(
                    "A classifier needs two classes or more to learn from, but y has "
                    f"one class: {self.classes_[0]!r}."
                )
        return one_hot(y, self.classes_)

    def _reverse_process_target(self, y):
        if y.ndim != 2 or y.shape[1] != len(self.classes_):
            raise ValueError(
                f"The last layer needs {len(self.classes_)} units, one a class, but "
                f"the model's output has shape {y.shape}."
            )
        return self.classes_[np.argmax(y, axis=1)]


class SKLearnRegressor(base.RegressorMixin, SKLBase):
    """A model as regressor; the last layer has one unit.

    Args:
        model: compiled `Model`, of which each `fit` trains a clone with new weights; or
            a function `model(X, y, **model_kwargs)` that returns one.
        warm_start: bool, whether `fit` goes on with the model of the last `fit`, and
            trains the given `Model` itself.
        model_kwargs: dict, further arguments of the function; None: none.
        fit_kwargs: dict, arguments of `Model.fit`; None: none.

    Attributes: `model_`, `history_`, `n_features_in_`.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(base.TransformerMixin, SKLBase):
    """A model as transformer: `transform` gives its outputs.

    Args:
        model: compiled `Model`, of which each `fit` trains a clone with new weights; or
            a function `model(X, y, **model_kwargs)` that returns one.
        warm_start: bool, whether `fit` goes on with the model of the last `fit`, and
            trains the given `Model` itself.
        model_kwargs: dict, further arguments of the function; None: none.
        fit_kwargs: dict, arguments of `Model.fit`; None: none.

    Attributes: `model_`, `history_`, `n_features_in_`.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X):
        """The outputs of the trained model.

        Args:
            X: (samples, features) array or data frame.

        Returns:
            (samples, ...) NumPy array.
        """
        return self._mk_outputs(X)
