"""Muon: orthogonalized momentum for matrices, Adam for the other weights."""

import re

import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


def orthogonalize(x, steps, a, b, c):
    """Bring the singular values of matrices x (..., m, n) near 1.

    Starting at X = x / |x|, iterate X = a X + (b A + c A A) X with A = X Xᵀ. On each
    singular value this is a polynomial that rises fast from 0 and stays near 1.
    Source: Jordan et al., Muon, 2024 (Newton-Schulz iteration of fifth degree).
    """
    # A is (m, m): transposing a tall matrix makes it the smaller of the two products.
    tall = x.shape[-2] > x.shape[-1]
    x = jnp.matrix_transpose(x) if tall else x
    length = jnp.sqrt(jnp.sum(jnp.square(x), axis=(-2, -1), keepdims=True))
    x = x / (length + 1e-7)
    for _ in range(steps):
        square = x @ jnp.matrix_transpose(x)
        x = a * x + (b * square + c * (square @ square)) @ x
    return jnp.matrix_transpose(x) if tall else x


def scale_to_rms(x, rms_rate):
    """rms_rate sqrt(max(m, n)) x, whose entries are as large as Adam's steps.

    `rms_rate` None returns x.
    """
    if rms_rate is None:
        return x
    return x * (rms_rate * jnp.sqrt(jnp.asarray(max(x.shape[-2:]), x.dtype)))


def muon(momentum, nesterov, rms_rate, orthogonal, adam_step, adam_lr_ratio):
    """-lr orthogonal(m) with m = momentum m + g; Adam's step where there is a velocity.

    Args:
        momentum: in [0, 1].
        nesterov: bool, whether the result is orthogonal(momentum m + g).
        rms_rate: argument of `scale_to_rms`.
        orthogonal: function of a matrix, such as `orthogonalize`.
        adam_step: step of one parameter, from `rules.adam_step`.
        adam_lr_ratio: factor of Adam's learning rate.
    """

    def step(g, slots, p, lr, t):
        if "velocity" in slots:
            return adam_step(g, slots, p, lr * adam_lr_ratio, t)
        m = momentum * slots["momentum"] + g
        direction = orthogonal(momentum * m + g if nesterov else m)
        return -(lr * scale_to_rms(direction, rms_rate)), {"momentum": m}

    def velocities(params):
        return rules.zeros({k: p for k, p in params.items() if p.ndim != 2})

    return rules.transform({"momentum": rules.zeros, "velocity": velocities}, step)


class Muon(Optimizer):
    """p - lr rms_rate sqrt(max(m, n)) O, where O is the momentum, orthogonalized.

    This holds for matrices (m, n). Other weights, those of embeddings and the excluded
    ones are updated by Adam.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        adam_beta_1: in [0, 1); Adam's average m of g moves by (1 - beta_1) (g - m).
        adam_beta_2: in [0, 1); Adam's average v of g² moves by (1 - beta_2) (g² - v).
        adam_weight_decay: >= 0 or None; decay of the weights that Adam updates.
        epsilon: > 0; avoids a division by 0 in Adam.
        weight_decay: >= 0 or None; decay of the other weights.
        clipnorm: > 0; a gradient with a larger L2 norm is scaled down to it.
        clipvalue: > 0; entries of gradients are clipped to [-clipvalue, clipvalue].
        global_clipnorm: > 0; if the L2 norm of all gradients together is larger, they
            are scaled down to it.
        use_ema: bool, whether to keep an exponential moving average (EMA) of the
            weights, which replaces them at the end of training.
        ema_momentum: m in [0, 1]; the average becomes m average + (1 - m) weights.
        ema_overwrite_frequency: number of steps after which the average also replaces
            the weights; None: only at the end.
        loss_scale_factor: > 0; the loss is multiplied by it, gradients are divided by
            it. None: 1.
        gradient_accumulation_steps: n >= 2; weights are updated in every n-th step, by
            the mean of n gradients. None: in every step.
        name: name of the optimizer; by default the class name in snake case, made
            unique.
        exclude_layers: regular expression, or list of them; weights whose path has a
            match are updated by Adam.
        exclude_embeddings: bool, whether to update weights with "embedding" in their
            path by Adam.
        muon_a: coefficient of X in the iteration X = a X + (b A + c A A) X, A = X Xᵀ,
            that orthogonalizes.
        muon_b: coefficient of A X in it.
        muon_c: coefficient of A A X in it.
        adam_lr_ratio: factor of the learning rate for Adam.
        momentum: in [0, 1]; the momentum is momentum m + g.
        ns_steps: > 0; number of iterations.
        nesterov: bool, whether to orthogonalize momentum m + g, with the new momentum
            m.
        rms_rate: >= 0, or None for steps of lr O.
        **kwargs: `lr` and `decay` of Keras 2: learning_rate / (1 + decay step).

    Raises:
        ValueError: an argument out of its range, or an unknown one.

    Source: Jordan et al., Muon, 2024; Liu et al., Muon is Scalable for LLM Training,
    2025 (rms_rate).

    >>> weight = keras.Variable([[3.0, 1.0], [0.0, -2.0]])
    >>> keras.optimizers.Muon(0.5).apply([[[1.0, 0.0], [0.5, 2.0]]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [2.84, 1.033, -0.007, -2.095]
    """

    def __init__(
        self,
        learning_rate=0.001,
        adam_beta_1=0.9,
        adam_beta_2=0.999,
        adam_weight_decay=0.004,
        epsilon=1e-7,
        weight_decay=0.004,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        exclude_layers=None,
        exclude_embeddings=True,
        muon_a=3.4445,
        muon_b=-4.775,
        muon_c=2.0315,
        adam_lr_ratio=1,
        momentum=0.95,
        ns_steps=5,
        nesterov=True,
        rms_rate=0.2,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self._mk_store_arguments(
            adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2, epsilon=epsilon
        )
        if not isinstance(exclude_layers, (list, tuple, str, type(None))):
            raise ValueError(
                "Muon: `exclude_layers` must be a list of regular expressions. Got "
                f"{exclude_layers!r}."
            )
        self._mk_store_arguments(exclude_layers=exclude_layers or [])
        self._mk_store_arguments(muon_a=muon_a, muon_b=muon_b, muon_c=muon_c)
        self._mk_store_arguments(
            adam_lr_ratio=adam_lr_ratio, momentum=momentum, ns_steps=ns_steps
        )
        self._mk_store_arguments(
            nesterov=nesterov, exclude_embeddings=exclude_embeddings
        )
        self._mk_store_arguments(adam_weight_decay=adam_weight_decay, rms_rate=rms_rate)

    def _should_use_adamw(self, variable):
        """True for weights that Adam updates."""
        if len(variable.shape) != 2:
            return True
        patterns = self.exclude_layers
        patterns = [patterns] if isinstance(patterns, str) else patterns
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(pattern, variable.path) for pattern in patterns)

    def _mk_decay_of(self, variable):
        if not self._use_weight_decay(variable):
            return None
        follows_adam = self._should_use_adamw(variable)
        return self.adam_weight_decay if follows_adam else self.weight_decay

    def _mk_build_slots(self, variables):
        """A momentum for each weight; a velocity for those that Adam updates."""
        self._mk_slots = {"momentum": [], "velocity": []}
        for v in variables:
            needed = set() if v.overwrite_with_gradient else {"momentum"}
            if needed and self._should_use_adamw(v):
                needed.add("velocity")
            for slot, column in self._mk_slots.items():
                column.append(
                    self.add_variable_from_reference(v, slot)
                    if slot in needed
                    else None
                )

    def _mk_transform(self):
        """See `muon`."""
        return muon(
            self.momentum,
            self.nesterov,
            self.rms_rate,
            lambda x: self.zeropower_via_newtonschulz5(x, self.ns_steps),
            rules.adam_step(self.adam_beta_1, self.adam_beta_2, self.epsilon),
            self.adam_lr_ratio,
        )

    def zeropower_via_newtonschulz5(self, x, steps: int):
        """Bring the singular values of a matrix near 1.

        Args:
            x: (..., m, n) array.
            steps: > 0; number of iterations.

        Returns:
            (..., m, n) array.
        """
        x = convert_to_tensor(x)
        return orthogonalize(x, steps, self.muon_a, self.muon_b, self.muon_c)

    def lr_adjust(self, x):
        """rms_rate sqrt(max(m, n)) x; x if `rms_rate` is None.

        Args:
            x: (..., m, n) array.
        """
        return scale_to_rms(convert_to_tensor(x), self.rms_rate)

    def transpose_last_axis(self, X):
        """Transpose matrices: (..., m, n) -> (..., n, m).

        Args:
            X: (..., m, n) array.
        """
        return jnp.matrix_transpose(convert_to_tensor(X))
