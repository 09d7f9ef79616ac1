"""`keras.wrappers`: models as estimators of scikit-learn, imported when asked for."""

import functools
import importlib
import sys
import types
from typing import Any

# Placeholders: the module's class below answers for these names.
SKLearnClassifier: Any = None
SKLearnRegressor: Any = None
SKLearnTransformer: Any = None

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def _estimator(name, module):
    return getattr(importlib.import_module(f"{module.__name__}.estimators"), name)


# The base classes are scikit-learn's, whose import takes longer than minikeras's.
_names = {name: property(functools.partial(_estimator, name)) for name in __all__}
sys.modules[__name__].__class__ = type("_Wrappers", (types.ModuleType,), _names)
