"""AdamW: Adam with weight decay beside the gradient."""

from minikeras.optimizers.adam import Adam


class AdamW(Adam):
    """Adam on p - weight_decay lr p.

    Args:
        learning_rate: see `Optimizer`.
        weight_decay: >= 0.
        beta_1, beta_2, epsilon, amsgrad: see `Adam`.
        *common, **settings: see `Optimizer`.

    Raises:
        ValueError: no weight decay: that is Adam.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2017.
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
            *(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *common),
            **settings,
        )
