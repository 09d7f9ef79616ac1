"""`keras.wrappers.scikit_learn` of Keras 1 and 2: KerasClassifier, KerasRegressor.

New code takes `keras.wrappers.SKLearnClassifier` and `SKLearnRegressor`.
"""

import inspect

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.data.numerical import to_categorical
from minikeras.models.model import Model

try:
    base = late_import("sklearn.base")
except ImportError as error:
    raise ImportError(
        "Could not import scikit-learn, which keras.wrappers.scikit_learn needs: pip "
        "install scikit-learn"
    ) from error

__all__ = ["KerasClassifier", "KerasRegressor"]


class BaseWrapper(base.BaseEstimator):
    """A model that a function makes, as an estimator of scikit-learn.

    Args:
        build_fn: function that returns a compiled model; or an object with `__call__`;
            None: the subclass has `__call__`.
        **sk_params: arguments of `build_fn`, and of the model's `fit`, `predict` and
            `evaluate`; each function gets those that it has.

    Raises:
        ValueError: an argument that none of them has.
    """

    def __init__(self, build_fn=None, **sk_params):
        self.build_fn = build_fn
        self.sk_params = sk_params
        self._mk_check(sk_params)

    def _mk_builder(self):
        builder = type(self).__call__ if self.build_fn is None else self.build_fn
        plain = inspect.isfunction(builder) or inspect.ismethod(builder)
        return builder if plain or self.build_fn is None else builder.__call__

    def _mk_check(self, params):
        if self.build_fn is None and not callable(self):
            name = type(self).__name__
            raise ValueError(f"{name} needs build_fn, which returns a compiled model.")
        functions = Model.fit, Model.predict, Model.evaluate, self._mk_builder()
        known = {
            name
            for function in functions
            for name in inspect.signature(function).parameters
        }
        if unknown := sorted(set(params) - known - {"nb_epoch"}):
            raise ValueError(
                f"{unknown} are no arguments of build_fn, or of the model's fit, "
                f"predict and evaluate. Those are {sorted(known - {'self'})}."
            )

    def get_params(self, deep=True):
        """`build_fn` and the other arguments, as a dict."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params):
        """Change arguments; the estimator is returned."""
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self._mk_check(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn, override=None):
        """Those of the arguments that `fn` has; the dict `override` goes before."""
        known = inspect.signature(fn).parameters
        own = {k: v for k, v in self.sk_params.items() if k in known}
        return {**own, **(override or {})}

    def fit(self, x, y, **kwargs):
        """Make a model and train it; returns its `History`, as Keras did.

        Args:
            x, y, **kwargs: as in `Model.fit`; they go before `sk_params`.
        """
        builder = self._mk_builder()
        first = (self,) if self.build_fn is None else ()
        self.model = builder(*first, **self.filter_sk_params(builder))
        y = self._mk_targets(y)
        options = self.filter_sk_params(Model.fit)
        if "nb_epoch" in self.sk_params:
            options["epochs"] = self.sk_params["nb_epoch"]
        return self.model.fit(x, y, **{**options, **kwargs})

    def _mk_targets(self, y, n_classes=None):
        loss = getattr(self.model.loss, "__name__", self.model.loss)
        is_one_hot = loss != "categorical_crossentropy" or np.ndim(y) == 2
        return y if is_one_hot else to_categorical(y, n_classes)

    def _mk_predict(self, x, kwargs):
        options = self.filter_sk_params(Model.predict, kwargs)
        return np.asarray(self.model.predict(x, **options))

    def _mk_evaluate(self, x, y, kwargs):
        options = self.filter_sk_params(Model.evaluate, kwargs)
        return self.model.evaluate(x, y, **{**options, "return_dict": True})


class KerasClassifier(base.ClassifierMixin, BaseWrapper):
    """A model that a function makes, as classifier.

    Args:
        build_fn: function that returns a compiled model.
        **sk_params: arguments of `build_fn`, `fit`, `predict` and `evaluate`.
    """

    def fit(self, x, y, **kwargs):
        """Make a model and train it; returns its `History`.

        Args:
            x, y, **kwargs: as in `Model.fit`; `y` may hold labels of any kind.
        """
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def predict(self, x, **kwargs):
        """The likeliest class of each sample; (samples, 1) for a model with one unit.

        Args:
            x, **kwargs: as in `Model.predict`.
        """
        outputs = self._mk_predict(x, kwargs)
        if outputs.shape[-1] > 1:
            return self.classes_[np.argmax(outputs, axis=-1)]
        return self.classes_[(outputs > 0.5).astype("int32")]

    def predict_proba(self, x, **kwargs):
        """The probability of each class, (samples, classes).

        Args:
            x, **kwargs: as in `Model.predict`.
        """
        outputs = self._mk_predict(x, kwargs)
        one_unit = outputs.shape[1] == 1
        return np.hstack([1 - outputs, outputs]) if one_unit else outputs

    def score(self, x, y, **kwargs):
        """The accuracy, which `compile(metrics=["accuracy"])` must ask for.

        Args:
            x, y, **kwargs: as in `Model.evaluate`.
        """
        y = self._mk_targets(np.searchsorted(self.classes_, y), self.n_classes_)
        logs = self._mk_evaluate(x, y, kwargs)
        found = [logs[name] for name in ("accuracy", "acc") if name in logs]
        if not found:
            raise ValueError(
                f"score() needs the accuracy, but the model has {sorted(logs)}. Let "
                'build_fn call model.compile(..., metrics=["accuracy"]).'
            )
        return found[0]


class KerasRegressor(base.RegressorMixin, BaseWrapper):
    """A model that a function makes, as regressor.

    Args:
        build_fn: function that returns a compiled model.
        **sk_params: arguments of `build_fn`, `fit`, `predict` and `evaluate`.
    """

    def predict(self, x, **kwargs):
        """The outputs of the model, without axes of length 1.

        Args:
            x, **kwargs: as in `Model.predict`.
        """
        return np.squeeze(self._mk_predict(x, kwargs))

    def score(self, x, y, **kwargs):
        """The negative loss: higher is better.

        Args:
            x, y, **kwargs: as in `Model.evaluate`.
        """
        return -self._mk_evaluate(x, y, kwargs)["loss"]
