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
    message = "keras.wrappers.scikit_learn needs scikit-learn: pip install scikit-learn"
    raise ImportError(message) from error

__all__ = ["KerasClassifier", "KerasRegressor"]


class BaseWrapper(base.BaseEstimator):
    """A model that a function makes, as an estimator of scikit-learn.

    Args:
        build_fn: function that returns a compiled model; or an object with `__call__`;
            None: the subclass has `__call__`.
        **sk_params: arguments of `build_fn`, and of the model's `fit`, `predict` and
            `evaluate`; each function gets those that it has.
    """

    def __init__(self, build_fn=None, **sk_params):
        self.build_fn, self.sk_params = build_fn, sk_params
        self._mk_check(sk_params)

    @property
    def _mk_build(self):
        return self if self.build_fn is None else self.build_fn

    def _mk_check(self, params):
        if not callable(self._mk_build):
            raise ValueError("build_fn must be a function that makes a compiled model.")
        functions = Model.fit, Model.predict, Model.evaluate, self._mk_build
        names = set().union(*(inspect.signature(f).parameters for f in functions))
        if unknown := sorted(set(params) - names - {"nb_epoch"}):
            raise ValueError(
                f"{unknown} are no arguments of build_fn, or of the model's fit, "
                f"predict and evaluate. Those are {sorted(names - {'self'})}."
            )

    def get_params(self, deep=True):
        """`build_fn` and the other arguments, as a dict.

        Args:
            deep: has no effect: no argument is an estimator.
        """
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params):
        """Change arguments; the estimator is returned.

        Args:
            **params: those of the constructor.
        """
        self.build_fn = params.pop("build_fn", self.build_fn)
        self._mk_check(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn, override=None):
        """Those of `sk_params` that a function has, as a dict.

        Args:
            fn: function.
            override: dict of more arguments, which go before.
        """
        known = inspect.signature(fn).parameters
        own = {k: v for k, v in self.sk_params.items() if k in known}
        return own | (override or {})

    def fit(self, x, y, **kwargs):
        """Make a model and train it; returns its `History`, as Keras did.

        Args:
            x, y, **kwargs: as in `Model.fit`; labels in `y` may be of any kind.
        """
        self.model = self._mk_build(**self.filter_sk_params(self._mk_build))
        y = self._mk_targets(y)
        old = {"epochs": epochs} if (epochs := self.sk_params.get("nb_epoch")) else {}
        return self._mk_run("fit", x, y, **(old | kwargs))

    def _mk_targets(self, y, n_classes=None):
        loss = getattr(self.model.loss, "__name__", self.model.loss)
        is_whole = loss != "categorical_crossentropy" or np.ndim(y) == 2
        return y if is_whole else to_categorical(y, n_classes)

    def _mk_run(self, name, *data, **kwargs):
        """Call a method of the model with those of the arguments that it has."""
        options = self.filter_sk_params(getattr(Model, name), kwargs)
        return getattr(self.model, name)(*data, **options)


class KerasClassifier(base.ClassifierMixin, BaseWrapper):
    """A model that a function makes, as classifier.

    Args:
        build_fn, **sk_params: as in `BaseWrapper`.
    """

    def fit(self, x, y, **kwargs):  # described in the base
        y = np.asarray(y)
        is_one_hot = y.ndim == 2 and y.shape[1] > 1
        self.classes_ = np.arange(y.shape[1]) if is_one_hot else np.unique(y)
        self.n_classes_ = len(self.classes_)
        y = y if is_one_hot else np.searchsorted(self.classes_, y)
        return super().fit(x, y, **kwargs)

    def predict(self, x, **kwargs):
        """The likeliest class of each sample; (samples, 1) for a model with one unit.

        Args:
            x, **kwargs: as in `Model.predict`.
        """
        p = self._mk_run("predict", x, **kwargs)
        return self.classes_[(p > 0.5) * 1 if p.shape[-1] == 1 else p.argmax(-1)]

    def predict_proba(self, x, **kwargs):
        """The probability of each class, (samples, classes).

        Args:
            x, **kwargs: as in `Model.predict`.
        """
        p = self._mk_run("predict", x, **kwargs)
        return np.hstack([1 - p, p]) if p.shape[1] == 1 else p

    def score(self, x, y, **kwargs):
        """The accuracy, which `compile(metrics=["accuracy"])` must ask for.

        Args:
            x, y, **kwargs: as in `Model.evaluate`.
        """
        y = self._mk_targets(np.searchsorted(self.classes_, y), self.n_classes_)
        logs = self._mk_run("evaluate", x, y, **kwargs, return_dict=True)
        if not (names := {"accuracy", "acc"} & set(logs)):
            raise ValueError(
                f"score() needs the accuracy, but the model has {sorted(logs)}. Let "
                'build_fn call model.compile(..., metrics=["accuracy"]).'
            )
        return logs[max(names)]


class KerasRegressor(base.RegressorMixin, BaseWrapper):
    """A model that a function makes, as regressor.

    Args:
        build_fn, **sk_params: as in `BaseWrapper`.
    """

    def predict(self, x, **kwargs):
        """The outputs of the model, without axes of length 1.

        Args:
            x, **kwargs: as in `Model.predict`.
        """
        return np.squeeze(self._mk_run("predict", x, **kwargs))

    def score(self, x, y, **kwargs):
        """The negative loss: higher is better.

        Args:
            x, y, **kwargs: as in `Model.evaluate`.
        """
        return -self._mk_run("evaluate", x, y, **kwargs, return_dict=True)["loss"]
