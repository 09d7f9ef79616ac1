"""Losses under the names of Keras 1 and 2."""

from minikeras import losses as today


class Reduction:
    """Names of what is done with the losses of a batch."""

    AUTO = "sum_over_batch_size"
    NONE = None
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    MEAN = "mean"

    @classmethod
    def all(cls):
        """All of them, as a tuple."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE, cls.MEAN)


_NAMES = {
    "kld": today.kl_divergence,
    "mae": today.mean_absolute_error,
    "mape": today.mean_absolute_percentage_error,
    "mse": today.mean_squared_error,
    "msle": today.mean_squared_logarithmic_error,
}
_NAMES |= {name.upper(): function for name, function in _NAMES.items()}
_NAMES |= {
    "bce": today.binary_crossentropy,
    "cosine": today.cosine_similarity,
    "cosine_proximity": today.cosine_similarity,
    "kullback_leibler_divergence": today.kl_divergence,
    "logcosh": today.log_cosh,
}
globals().update(_NAMES)
__all__ = sorted({"Reduction", *_NAMES})
