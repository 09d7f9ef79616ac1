"""Muon: momentum made orthogonal, for matrices; Adam for the other weights."""

import re

import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


def orthogonalize(x, steps, a, b, c):
    """The matrix x (..., m, n) with its singular values brought near 1.

    From X = x / |x|, `steps` times X = a X + (b A + c A A) X with A = X Xᵀ: a
    polynomial of each singular value that rises fast from 0 and stays around 1.
    Source: Jordan et al., Muon, 2024 (Newton-Schulz iteration of fifth degree).
    """
    tall = x.shape[-2] > x.shape[-1]  # the shorter side makes the smaller A
    x = jnp.matrix_transpose(x) if tall else x
    length = jnp.sqrt(jnp.sum(jnp.square(x), axis=(-2, -1), keepdims=True))
    x = x / (length + 1e-7)
    for _ in range(steps):
        square = x @ jnp.matrix_transpose(x)
        x = a * x + (b * square + c * (square @ square)) @ x
    return jnp.matrix_transpose(x) if tall else x


def of_size(x, rms_rate):
    """rms_rate sqrt(max(m, n)) x: of the size of Adam's steps; None: x itself."""
    if rms_rate is None:
        return x
    return x * (rms_rate * jnp.sqrt(jnp.asarray(max(x.shape[-2:]), x.dtype)))


def muon(momentum, nesterov, rms_rate, orthogonal, adam_step, adam_lr_ratio):
    """-lr orthogonal(m) with m = momentum m + g, or Adam where there is a velocity.

    Args:
        momentum: in [0, 1].
        nesterov: orthogonal(momentum m + g) instead?
        rms_rate: see `of_size`.
        orthogonal: function of a matrix, see `orthogonalize`.
        adam_step: see `rules.adam_step`.
        adam_lr_ratio: factor on Adam's learning rate.
    """

    def step(g, slots, p, lr, t):
        if "velocity" in slots:
            return adam_step(g, slots, p, lr * adam_lr_ratio, t)
        m = momentum * slots["momentum"] + g
        direction = orthogonal(momentum * m + g if nesterov else m)
        return -(lr * of_size(direction, rms_rate)), {"momentum": m}

    def velocities(params):
        return rules.zeros({k: p for k, p in params.items() if p.ndim != 2})

    return rules.transform({"momentum": rules.zeros, "velocity": velocities}, step)


class Muon(Optimizer):
    """Steps along the nearest orthogonal matrix of the momentum. See `muon`.

    Weights that are no matrices, those of embeddings and the excluded ones follow
    Adam with a weight decay of its own.

    Args:
        learning_rate: see `Optimizer`.
        adam_beta_1, adam_beta_2, epsilon: see `Adam`.
        adam_weight_decay: `weight_decay` of the weights that follow Adam.
        weight_decay: that of the others.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.
        exclude_layers: regular expressions; weights whose path holds a match follow
            Adam.
        exclude_embeddings: do weights with "embedding" in their path, too?
        muon_a, muon_b, muon_c, ns_steps: see `orthogonalize`.
        adam_lr_ratio: factor on Adam's learning rate.
        momentum: in [0, 1].
        nesterov: look ahead along the momentum?
        rms_rate: >= 0 or None; size of a step's entries, see `of_size`.
        **kwargs: see `Optimizer`.
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
            *(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm),
            *(use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor),
            *(gradient_accumulation_steps, name),
            **kwargs,
        )
        self._mk_set(adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2, epsilon=epsilon)
        if not isinstance(exclude_layers, (list, tuple, str, type(None))):
            raise ValueError(
                "Muon: `exclude_layers` must be a list of regular expressions. Got "
                f"{exclude_layers!r}."
            )
        self._mk_set(exclude_layers=exclude_layers or [])
        self._mk_set(muon_a=muon_a, muon_b=muon_b, muon_c=muon_c)
        self._mk_set(adam_lr_ratio=adam_lr_ratio, momentum=momentum, ns_steps=ns_steps)
        self._mk_set(nesterov=nesterov, exclude_embeddings=exclude_embeddings)
        self._mk_set(adam_weight_decay=adam_weight_decay, rms_rate=rms_rate)

    def _should_use_adamw(self, variable):
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
        self._mk_slots = {"momentum": [], "velocity": []}
        for v in variables:
            moving = not v.overwrite_with_gradient
            has = {
                "momentum": moving,
                "velocity": moving and self._should_use_adamw(v),
            }
            for slot, column in self._mk_slots.items():
                new = self.add_variable_from_reference(v, slot) if has[slot] else None
                column.append(new)

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
        """`orthogonalize` x."""
        x = convert_to_tensor(x)
        return orthogonalize(x, steps, self.muon_a, self.muon_b, self.muon_c)

    def lr_adjust(self, x):
        """x in the size of a step, see `of_size`."""
        return of_size(convert_to_tensor(x), self.rms_rate)

    def transpose_last_axis(self, X):
        """(..., m, n) -> (..., n, m)."""
        return jnp.matrix_transpose(convert_to_tensor(X))
