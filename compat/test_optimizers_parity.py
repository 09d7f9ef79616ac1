"""Optimizers against Keras, with options drawn at random: weights, state, configs.

Case n of an optimizer draws everything from the seed (its name, n), which the id of
the test shows: `pytest "compat/test_optimizers_parity.py::test_optimizer[Adam-17]"`.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import collections
import inspect
import warnings
import zlib

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.optimizer_cases import OPTIMIZERS, SCHEDULES, draw_common, draw_schedule
from minikeras.core.variable import unique_paths

QUICK, ALL = 1, 20
SHAPES = {
    "kernel": (3, 4),
    "tall": (6, 2),
    "bias": (4,),
    "filter": (2, 2, 3, 2),
    "my_embedding": (5, 3),
    "scale": (),
}


def numbered(names):
    """(name, n) of all cases; those beyond the quick sample are slow."""
    return [
        pytest.param(name, n, marks=[] if n < QUICK else pytest.mark.slow)
        for name in names
        for n in range(ALL)
    ]


def generator(*seed):
    """Random numbers of a case."""
    return np.random.default_rng(zlib.crc32(repr(seed).encode()))


class Runner:
    """An optimizer of one package on the case's weights."""

    def __init__(self, package, optimizer, case):
        self.package, self.optimizer = package, optimizer
        self.variables = {}
        for name, value in case["weights"].items():
            with package.name_scope("layer"):
                v = package.Variable(jnp.asarray(value), name=name)
            v.overwrite_with_gradient = name == case["replaced"]
            if name == case["limited"]:
                v.constraint = package.constraints.MaxNorm(1.0, axis=0)
            self.variables[name] = v
        optimizer.build(list(self.variables.values()))
        self.step = jax.jit(getattr(self, f"_{package.__name__}"))

    def _keras(self, params, state, grads):
        params, state = self.optimizer.stateless_apply(
            state,
            *([tree[name] for name in self.variables] for tree in (grads, params)),
        )
        return dict(zip(self.variables, params, strict=True)), state

    def _minikeras(self, params, state, grads):
        paths = unique_paths(self.optimizer.variables)
        params, state = self.optimizer._mk_pure_step(
            self.variables, params, grads, dict(zip(paths, state, strict=True))
        )
        return params, [state[path] for path in paths]

    def values(self):
        """(weights, state) that the Variables hold."""
        return (
            {name: v.value for name, v in self.variables.items()},
            [v.value for v in self.optimizer.variables],
        )

    def assign(self, params, state):
        """Let the Variables hold these."""
        for name, v in self.variables.items():
            v.assign(params[name])
        for v, value in zip(self.optimizer.variables, state, strict=True):
            v.assign(value)

    def run(self, batches):
        """Values after each step; the Variables hold the last."""
        params, state = self.values()
        for grads in batches:
            params, state = self.step(params, state, grads)
            yield params, state
        self.assign(params, state)


def draw_case(rng, dtype="float32", steps=6):
    """Weights, gradients and what is special about one of the weights."""

    def tree(scale):
        return {
            name: np.asarray(scale * rng.normal(size=shape), dtype)
            for name, shape in SHAPES.items()
        }

    return {
        "weights": tree(1.0),
        "batches": [tree(10 ** rng.uniform(-2, 1)) for _ in range(steps)],
        "replaced": "bias" if rng.random() < 0.2 else None,
        "limited": "kernel" if rng.random() < 0.2 else None,
        "excluded": ["sca", "kernel"] if rng.random() < 0.5 else [],
    }


def assert_close(got, want, what, size=0.0):
    """Equal to 2e-6 of the largest entry, or of `size`."""
    got, want = (np.asarray(x, "float64") for x in (got, want))
    atol = 2e-6 * max(largest(want), size) + 1e-12
    np.testing.assert_allclose(got, want, 1e-6, atol, err_msg=what)


def largest(x):
    """The size of the largest entry."""
    return np.abs(np.asarray(x, "float64")).max(initial=0.0)


def compare(ours, theirs, batches):
    """Both packages' weights and state after each step.

    A value is as exact as the largest that it, or its weight, had so far: what
    cancels, such as p + (new - p) in Ftrl, loses relative precision in both packages.
    """
    sizes = collections.defaultdict(float)
    is_ftrl = type(ours.optimizer).__name__ == "Ftrl"
    runs = zip(ours.run(batches), theirs.run(batches), strict=True)
    for i, ((params, state), (other_params, other_state)) in enumerate(runs):
        names = [v.path for v in ours.optimizer.variables]
        rows = [(name, params[name], other_params[name]) for name in params]
        rows += zip(names, state, other_state, strict=True)
        for name, x, y in rows:
            assert (x.dtype, x.shape) == (y.dtype, y.shape)
            sizes[name] = max(sizes[name], largest(y), float(is_ftrl))
            assert_close(x, y, f"{name} after step {i}", sizes[name])


def restored(runner, package, case):
    """The runner's weights and state in an optimizer of the other package."""
    source = runner.optimizer
    cls = getattr(package.optimizers, type(source).__name__)
    optimizer = cls.from_config(source.get_config())
    exclude(optimizer, case["excluded"])
    weights = {name: v.numpy() for name, v in runner.variables.items()}
    other = Runner(package, optimizer, {**case, "weights": weights})
    store = {}
    source.save_own_variables(store)
    optimizer.load_own_variables(store)
    return other


def exclude(optimizer, names):
    """`exclude_from_weight_decay`, also of inner optimizers."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for each in getattr(inner, "optimizers", [inner]):
        each.exclude_from_weight_decay(var_names=names)


def make_both(name, n):
    """(ours, theirs, case)."""
    rng = generator(name, n)
    case = draw_case(rng)
    common = {} if name in ("LossScaleOptimizer", "MultiOptimizer") else None
    common = draw_common(rng) if common is None else common
    seed = rng.integers(2**31)
    runners = []
    for package in (minikeras, keras):
        again = np.random.default_rng(seed)
        optimizer = OPTIMIZERS[name](package, again, dict(common, name="o"))
        exclude(optimizer, case["excluded"])
        if "'use_ema': True" in str(optimizer.get_config()):
            case["replaced"] = None  # Keras fails on both
        runners.append(Runner(package, optimizer, case))
    return *runners, case


@pytest.mark.parametrize(("name", "n"), numbered(OPTIMIZERS))
def test_optimizer(name, n):
    ours, theirs, case = make_both(name, n)
    assert ours.optimizer.get_config() == theirs.optimizer.get_config()
    for v, w in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        # Keras gives Nadam's product of betas no name of its own.
        assert v.path == w.path or v.name == "u_product"
    *first, last = case["batches"]
    compare(ours, theirs, first)
    if n % 2:
        theirs = restored(ours, keras, case)
    else:
        ours = restored(theirs, minikeras, case)
    compare(ours, theirs, [last])


HALF = ("bfloat16", "float16")
NAMES = sorted(set(OPTIMIZERS) - {"LossScaleOptimizer"})


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param(name, dtype, marks=pytest.mark.slow if (n + i) % 3 else [])
        for n, name in enumerate(NAMES)
        for i, dtype in enumerate(HALF)
    ],
)
def test_half_width_weights_keep_state_of_keras_shape(name, dtype):
    """Not its values: ours updates them in float32, see `rules.for_each`."""
    rng = generator(name, dtype)
    case = draw_case(rng, dtype)
    common = {} if name == "MultiOptimizer" else {"use_ema": True}
    ours, theirs = (
        Runner(p, OPTIMIZERS[name](p, generator(0), dict(common, name="o")), case)
        for p in (minikeras, keras)
    )
    params, state = next(ours.run(case["batches"][:1]))
    assert {str(x.dtype) for x in params.values()} == {dtype}
    assert all(np.all(np.isfinite(np.float32(x))) for x in params.values())
    for x, v in zip(state, theirs.optimizer.variables, strict=True):
        assert (str(x.dtype), x.shape) == (v.dtype, tuple(v.shape))


@pytest.mark.parametrize(("name", "n"), numbered(SCHEDULES))
def test_schedule(name, n):
    ours, theirs = (
        draw_schedule(p, generator(name, n), name) for p in (minikeras, keras)
    )
    assert ours.get_config() == theirs.get_config()
    steps = jnp.arange(0, 40)
    got, want = (jax.jit(jax.vmap(schedule))(steps) for schedule in (ours, theirs))
    assert got.dtype == want.dtype
    assert_close(got, want, name)
    back = minikeras.optimizers.schedules.deserialize(
        keras.optimizers.schedules.serialize(theirs)
    )
    assert_close(back(7), theirs(7), "read from Keras's config")


@pytest.mark.parametrize("writer", [minikeras, keras], ids=["ours", "Keras's"])
@pytest.mark.parametrize(
    "name",
    [
        *("Muon", "LossScaleOptimizer"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("ScheduleFreeAdamW", "MultiOptimizer")
        ),
    ],
)
def test_files_hold_the_state(name, writer, tmp_path):
    x = generator("x").normal(size=(16, 3)).astype("float32")
    reader = keras if writer is minikeras else minikeras
    for package in (writer, reader):
        package.utils.clear_session()
    layers = writer.layers
    stack = [writer.Input((3,)), layers.Dense(4, name="one"), layers.Dense(2)]
    model = writer.Sequential(stack)
    for n in range(20):
        optimizer = OPTIMIZERS[name](writer, generator(name, n), {"name": "o"})
        # Keras cannot fit twice with averages: it donates one array as two.
        if "'use_ema': True" not in str(optimizer.get_config()):
            break
    model.compile(optimizer, loss="mse")
    train = {"batch_size": 8, "shuffle": False, "verbose": 0, "epochs": 2}
    model.fit(x, x[:, :2], **train)
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # every variable finds its place
        other = reader.saving.load_model(tmp_path / "model.keras")
    pairs = zip(other.optimizer.variables, model.optimizer.variables, strict=True)
    for v, w in pairs:
        np.testing.assert_array_equal(np.asarray(v.value), np.asarray(w.value))
    histories = [m.fit(x, x[:, :2], **train).history["loss"] for m in (model, other)]
    np.testing.assert_allclose(*histories, rtol=1e-5)


def public(module):
    return {n for n, x in vars(module).items() if inspect.isclass(x) and n[0].isupper()}


def test_every_public_name_has_a_case():
    cases = set(OPTIMIZERS) | {"Optimizer", "OptimizerMap"}
    assert public(keras.optimizers) == cases
    assert public(minikeras.optimizers) == cases | {"OptaxOptimizer"}
    schedules = set(SCHEDULES) | {"LearningRateSchedule"}
    assert public(keras.optimizers.schedules) == schedules
    assert public(minikeras.optimizers.schedules) == schedules


@pytest.mark.parametrize("name", sorted([*OPTIMIZERS, "Optimizer", "OptimizerMap"]))
def test_signature(name):
    ours, theirs = (getattr(p.optimizers, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_signature_of_schedule(name):
    ours, theirs = (getattr(p.optimizers.schedules, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)


def test_scale_finds_itself():
    case = draw_case(generator("scale"), steps=8)
    case |= {"replaced": None, "limited": None}
    for i in (1, 4):
        case["batches"][i]["bias"][1] = np.inf
    runners = [
        Runner(
            p,
            p.optimizers.LossScaleOptimizer(
                p.optimizers.Adam(0.1, name="inner", loss_scale_factor=8.0),
                initial_scale=64.0,
                dynamic_growth_steps=2,
                name="o",
            ),
            case,
        )
        for p in (minikeras, keras)
    ]
    compare(*runners, case["batches"])
    assert runners[0].optimizer.get_config() == runners[1].optimizer.get_config()
