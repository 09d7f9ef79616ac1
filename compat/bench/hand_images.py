"""Networks of images in plain JAX; `hand_networks` says what their functions are."""

import jax
import jax.numpy as jnp
from jax import lax

from compat.bench.hand_networks import (
    batch_norm,
    conv,
    dense,
    dense_params,
    dropout,
    glorot,
    max_pool,
    norm_params,
    norm_stats,
)
from compat.bench.keras_images import MOBILE

LAYOUT = ("NHWC", "HWIO", "NHWC")


def up(x, kernel, strides=2):
    return lax.conv_transpose(
        x, kernel, (strides, strides), "SAME", dimension_numbers=LAYOUT
    )


def leaky(x):
    return jnp.where(x > 0, x, 0.2 * x)


def conv_params(key, shapes):
    """{name: (size, filters in, filters out)} -> {name: kernel and bias}."""
    keys = jax.random.split(key, len(shapes))
    return {
        name: dense_params(own, size, size, n_in, n_out)
        for own, (name, (size, n_in, n_out)) in zip(keys, shapes.items(), strict=True)
    }


def conv_bias(x, p, strides=1, padding="SAME"):
    return conv(x, p["w"], strides, padding) + p["b"]


def dcgan():
    convs = {"last": (5, 64, 1), "d1": (5, 1, 64), "d2": (5, 64, 128)}
    norms = {"first": 7 * 7 * 128, "up1": 128, "up2": 64}

    def init(key):
        k1, k2, k3, k4, k5 = jax.random.split(key, 5)
        params = conv_params(k1, convs)
        params |= {name: norm_params(width) for name, width in norms.items()}
        params["first"]["w"] = glorot(k2, (100, 7 * 7 * 128))
        params["up1"]["w"] = glorot(k3, (5, 5, 128, 128))
        params["up2"]["w"] = glorot(k4, (5, 5, 128, 64))
        params["judge"] = dense_params(k5, 7 * 7 * 128, 1)
        return params, {name: norm_stats(width) for name, width in norms.items()}

    def judge(params, x, key):
        for name in ("d1", "d2"):
            key, own = (None, None) if key is None else jax.random.split(key)
            x = dropout(leaky(conv_bias(x, params[name], 2)), 0.3, own)
        return dense(x.reshape(len(x), -1), params["judge"])

    def forward(params, stats, x, key):
        new = {}

        def norm(name, y):
            y, new[name] = batch_norm(y, params[name], stats[name], key is not None)
            return leaky(y)

        z = x[:, :10, :10].reshape(len(x), -1)
        y = norm("first", z @ params["first"]["w"]).reshape(-1, 7, 7, 128)
        for name in ("up1", "up2"):
            y = norm(name, up(y, params[name]["w"]))
        fake = jnp.tanh(up(y, params["last"]["w"], 1) + params["last"]["b"])
        turned = 2.0 * lax.stop_gradient(fake) - fake
        keys = (None, None) if key is None else jax.random.split(key)
        logits = [judge(params, y, k) for y, k in zip((x, turned), keys, strict=True)]
        return jnp.concatenate(logits, -1), new

    return init, forward


def vae(latent=16):
    convs = {
        **{"in1": (3, 1, 32), "in2": (3, 32, 64)},
        **{"up1": (3, 64, 64), "up2": (3, 64, 32), "up3": (3, 32, 1)},
    }
    denses = {"mean": (3136, latent), "var": (3136, latent), "up": (latent, 3136)}

    def init(key):
        key, *keys = jax.random.split(key, 4)
        parts = zip(keys, denses.items(), strict=True)
        params = {name: dense_params(k, *shape) for k, (name, shape) in parts}
        return params | conv_params(key, convs), {"loss": jnp.zeros(())}

    def forward(params, stats, x, key):
        for name in ("in1", "in2"):
            x = jax.nn.relu(conv_bias(x, params[name], 2))
        x = x.reshape(len(x), -1)
        mean, log_var = dense(x, params["mean"]), dense(x, params["var"])
        kl = 1 + log_var - jnp.square(mean) - jnp.exp(log_var)
        key = jax.random.key(0) if key is None else key
        noise = jax.random.normal(key, mean.shape, mean.dtype)
        z = mean + jnp.exp(0.5 * log_var) * noise
        x = jax.nn.relu(dense(z, params["up"])).reshape(-1, 7, 7, 64)
        for name in ("up1", "up2"):
            x = jax.nn.relu(up(x, params[name]["w"]) + params[name]["b"])
        x = jax.nn.sigmoid(up(x, params["up3"]["w"], 1) + params["up3"]["b"])
        return x, {"loss": -5e-4 * kl.astype("float32").mean()}

    return init, forward


def unet():
    pairs = {"a": (3, 16), "b": (16, 32), "c": (32, 64), "d": (64, 32), "e": (32, 16)}
    convs = {"up1": (2, 64, 32), "up2": (2, 32, 16), "last": (1, 16, 3)}
    for name, (n_in, n_out) in pairs.items():
        convs |= {name + "1": (3, n_in, n_out), name + "2": (3, n_out, n_out)}

    def init(key):
        return conv_params(key, convs), {}

    def forward(params, stats, x, key):
        def twice(name, x):
            for part in (name + "1", name + "2"):
                x = jax.nn.relu(conv_bias(x, params[part]))
            return x

        a = twice("a", x)
        b = twice("b", max_pool(a))
        x = twice("c", max_pool(b))
        for name, start, level in (("up1", b, "d"), ("up2", a, "e")):
            x = up(x, params[name]["w"]) + params[name]["b"]
            x = twice(level, jnp.concatenate([start, x], -1))
        return jax.nn.sigmoid(conv_bias(x, params["last"])), stats

    return init, forward


def mobile():
    # {name: (size, filters in, filters out, strides, groups)}
    convs, n_in = {"stem": (3, 3, 16, 2, 1)}, 16
    for i, (filters, size, strides) in enumerate(MOBILE):
        convs[f"{i}a"] = (size, n_in, n_in, strides, n_in)
        convs[f"{i}b"] = (1, n_in, filters, 1, 1)
        n_in = filters

    def init(key):
        params, stats = {"dense": dense_params(key, n_in, 10)}, {}
        keys = jax.random.split(key, len(convs))
        for own, (name, shape) in zip(keys, convs.items(), strict=True):
            size, channels, filters, _, groups = shape
            kernel = glorot(own, (size, size, channels // groups, filters))
            params[name] = {"w": kernel, **norm_params(filters)}
            stats[name] = norm_stats(filters)
        return params, stats

    def forward(params, stats, x, key):
        new = {}
        for name, (*_, strides, groups) in convs.items():
            x = lax.conv_general_dilated(
                *(x, params[name]["w"], (strides, strides), "SAME"),
                dimension_numbers=LAYOUT,
                feature_group_count=groups,
            )
            x, new[name] = batch_norm(x, params[name], stats[name], key is not None)
            x = jax.nn.relu(x)
        return dense(x.mean((1, 2)), params["dense"]), new

    return init, forward


NETWORKS = {"dcgan": dcgan, "vae_conv": vae, "unet": unet, "mobile": mobile}
