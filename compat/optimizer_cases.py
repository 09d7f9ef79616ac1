"""Random arguments of optimizers and schedules, the same for both packages."""


def maybe(rng, chance, **arguments):
    """The arguments, or none of them."""
    return arguments if rng.random() < chance else {}


def share(rng, low=0.5, high=0.99):
    """A float that prints short."""
    return float(round(rng.uniform(low, high), 3))


def flag(rng):
    """True or False."""
    return bool(rng.random() < 0.5)


def draw_common(rng):
    """What every optimizer takes."""
    clips = ("clipnorm", "clipvalue", "global_clipnorm")
    return {
        **maybe(rng, 0.4, weight_decay=share(rng, 0.01, 0.3)),
        **maybe(rng, 0.5, **{clips[rng.integers(3)]: share(rng, 0.3, 2.0)}),
        **maybe(
            rng,
            0.3,
            use_ema=True,
            ema_momentum=share(rng),
            ema_overwrite_frequency=[None, 2, 3][rng.integers(3)],
        ),
        **maybe(rng, 0.3, loss_scale_factor=share(rng, 2.0, 64.0)),
        **maybe(rng, 0.3, gradient_accumulation_steps=int(rng.integers(2, 4))),
    }


def draw_rate(package, rng):
    """A float or a schedule."""
    if rng.random() < 0.7:
        return share(rng, 0.01, 0.2)
    return draw_schedule(package, rng, list(SCHEDULES)[rng.integers(len(SCHEDULES))])


def betas(rng, *names):
    """Each name, or Keras's default."""
    drawn = {name: share(rng) for name in names}
    return {name: value for name, value in drawn.items() if rng.random() < 0.5}


def simple(name, draw):
    """Maker of an optimizer whose own arguments `draw(rng)` gives."""

    def make(package, rng, common):
        rate = draw_rate(package, rng)
        return getattr(package.optimizers, name)(rate, **draw(rng), **common)

    return make


def adam_like(rng):
    epsilon = maybe(rng, 0.5, epsilon=share(rng, 1e-3, 1e-1))
    return {**betas(rng, "beta_1", "beta_2"), **epsilon}


def muon(rng):
    return {
        **maybe(rng, 0.5, exclude_layers=["tal"], exclude_embeddings=flag(rng)),
        **betas(rng, "adam_beta_1", "adam_beta_2", "momentum", "adam_lr_ratio"),
        **maybe(rng, 0.5, nesterov=flag(rng), ns_steps=int(rng.integers(1, 6))),
        **maybe(rng, 0.5, adam_weight_decay=[None, 0.1][rng.integers(2)]),
        **maybe(rng, 0.5, rms_rate=[None, 0.3][rng.integers(2)]),
        **maybe(rng, 0.3, epsilon=share(rng, 1e-3, 1e-1)),
    }


def ftrl(rng):
    return {
        **maybe(rng, 0.5, learning_rate_power=-share(rng, 0.2, 0.8)),
        **maybe(rng, 0.5, initial_accumulator_value=share(rng)),
        **maybe(rng, 0.5, l1_regularization_strength=share(rng, 0.01, 0.3)),
        **maybe(rng, 0.5, l2_regularization_strength=share(rng, 0.01, 0.3)),
        **maybe(rng, 0.5, l2_shrinkage_regularization_strength=share(rng, 0.01, 0.3)),
        **maybe(rng, 0.5, beta=share(rng, 0.01, 0.3)),
    }


def adafactor(rng):
    return {
        **maybe(rng, 0.5, beta_2_decay=-share(rng)),
        **maybe(rng, 0.5, epsilon_1=1e-6, epsilon_2=share(rng, 1e-3, 0.1)),
        **maybe(rng, 0.5, clip_threshold=share(rng), relative_step=flag(rng)),
    }


def inner(package, rng, name, scaled=False):
    """A drawn optimizer inside another one."""
    kinds = ("Nadam", "Adafactor", "SGD", "Adam", "RMSprop", "Muon", "Lion")
    # Under Keras's LossScaleOptimizer the first two lose some of their variables.
    kind = kinds[rng.integers(2 if scaled else 0, len(kinds))]
    return OPTIMIZERS[kind](package, rng, dict(draw_common(rng), name=name))


def loss_scale(package, rng, common):
    if rng.random() < 0.2:
        wrapped = multi(package, rng, {"name": "i"}, scaled=True)
    else:
        wrapped = inner(package, rng, "i", scaled=True)
    return package.optimizers.LossScaleOptimizer(
        wrapped,
        **maybe(rng, 0.8, initial_scale=share(rng, 0.5, 64.0)),
        **maybe(rng, 0.8, dynamic_growth_steps=int(rng.integers(2, 4))),
        **common,
    )


def multi(package, rng, common, scaled=False):
    patterns = [".*/bias", "layer/kernel", ".*/(scale|tall)"][: rng.integers(1, 4)]
    by_path = {
        key: inner(package, rng, f"i{i}", scaled) for i, key in enumerate(patterns)
    }
    rest = inner(package, rng, "rest", scaled)
    return package.optimizers.MultiOptimizer(
        package.optimizers.OptimizerMap(rest, by_path),
        **maybe(rng, 0.5, loss_scale_factor=share(rng, 2.0, 64.0)),
        **common,
    )


# Each row: (package, generator, {"name": …, common arguments}) -> optimizer.
OPTIMIZERS = {
    "SGD": simple("SGD", lambda r: {**betas(r, "momentum"), "nesterov": flag(r)}),
    "RMSprop": simple(
        "RMSprop",
        lambda r: {**betas(r, "rho", "momentum"), "centered": flag(r), "epsilon": 0.01},
    ),
    "Adam": simple("Adam", lambda r: {**adam_like(r), "amsgrad": flag(r)}),
    "AdamW": simple("AdamW", lambda r: {**adam_like(r), "amsgrad": flag(r)}),
    "Adagrad": simple(
        "Adagrad",
        lambda r: maybe(r, 0.7, initial_accumulator_value=share(r), epsilon=0.01),
    ),
    "Adadelta": simple("Adadelta", lambda r: {**betas(r, "rho"), "epsilon": 0.01}),
    "Adafactor": simple("Adafactor", adafactor),
    "Adamax": simple("Adamax", adam_like),
    "Nadam": simple("Nadam", adam_like),
    "Lion": simple("Lion", lambda r: betas(r, "beta_1", "beta_2")),
    "Lamb": simple("Lamb", adam_like),
    "Ftrl": simple("Ftrl", ftrl),
    "Muon": simple("Muon", muon),
    "ScheduleFreeAdamW": simple(
        "ScheduleFreeAdamW",
        lambda r: {**adam_like(r), **maybe(r, 0.5, warmup_steps=int(r.integers(1, 9)))},
    ),
    "LossScaleOptimizer": loss_scale,
    "MultiOptimizer": multi,
}


def stepwise(rng):
    steps = int(rng.integers(1, 20))
    return [steps, share(rng)], maybe(rng, 0.5, staircase=flag(rng))


def cosine(rng):
    warm = {"warmup_target": share(rng, 0.1, 0.5), "warmup_steps": int(rng.integers(9))}
    return [int(rng.integers(1, 30))], {
        **maybe(rng, 0.5, alpha=share(rng, 0.0, 0.5)),
        **maybe(rng, 0.5, **warm),
    }


def restarts(rng):
    return [int(rng.integers(1, 9))], {
        **maybe(rng, 0.5, t_mul=[1.0, 1.5, 3.0][rng.integers(3)]),
        **maybe(rng, 0.5, m_mul=share(rng), alpha=share(rng, 0.0, 0.5)),
    }


def polynomial(rng):
    return [int(rng.integers(1, 20))], {
        **maybe(rng, 0.5, end_learning_rate=share(rng, 0.0, 0.05)),
        **maybe(rng, 0.5, power=[0.5, 2.0, 3.0][rng.integers(3)], cycle=flag(rng)),
    }


def piecewise(rng):
    """Boundaries in place of the initial rate."""
    boundaries = sorted(int(b) for b in rng.choice(30, rng.integers(1, 5), False))
    return boundaries, [share(rng) for _ in range(len(boundaries) + 1)]


SCHEDULES = {
    "CosineDecay": cosine,
    "CosineDecayRestarts": restarts,
    "ExponentialDecay": stepwise,
    "InverseTimeDecay": stepwise,
    "PiecewiseConstantDecay": piecewise,
    "PolynomialDecay": polynomial,
}


def draw_schedule(package, rng, name):
    """A schedule with random arguments."""
    cls = getattr(package.optimizers.schedules, name)
    if name == "PiecewiseConstantDecay":
        return cls(*piecewise(rng))
    rate = share(rng, 0.01, 0.2)
    positional, named = SCHEDULES[name](rng)
    return cls(rate, *positional, **named)
