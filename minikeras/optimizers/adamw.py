"""AdamW: Adam with weight decay that does not pass through the averages."""

from minikeras.optimizers.adam import Adam


class AdamW(Adam):
    """Adam's step from p - weight_decay lr p.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        weight_decay: >= 0; each step first subtracts weight_decay lr p from p.
        beta_1: in [0, 1); m, the average of g, moves by (1 - beta_1) (g - m).
        beta_2: in [0, 1); v, the average of g², moves by (1 - beta_2) (g² - v).
        epsilon: > 0; avoids a division by 0.
        amsgrad: bool, whether to divide by the largest v so far.
        *common, **settings: the arguments that all optimizers take.

    Raises:
        ValueError: `weight_decay` is None; use `Adam` then.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2017.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.AdamW(0.5, weight_decay=0.1).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.45, -2.4]
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        *common,
        **settings,
    ):
        if weight_decay is None:
            raise ValueError(
                "AdamW: Argument `weight_decay` must be a float. Received: "
                "weight_decay=None. "
                "Without decay use Adam."
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay,
            *common,
            **settings,
        )
