"""Metrics under the names of Keras 1 and 2."""

from minikeras import losses, metrics
from minikeras.legacy import losses as old_losses

_NAMES = {n: vars(old_losses)[n] for n in old_losses.__all__ if n != "Reduction"}
_NAMES |= {
    "CosineProximity": metrics.CosineSimilarity,
    "acc": metrics.binary_accuracy,
    "cosine_similarity": losses.cosine_similarity,
    "log_cosh": losses.log_cosh,
}
globals().update(_NAMES)
__all__ = sorted(_NAMES)
