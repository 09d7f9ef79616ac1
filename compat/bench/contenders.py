"""Who is measured. Each function imports what it needs: imports are measured too."""


def ours(name):
    import minikeras
    from compat.bench.keras_style import Contender

    return Contender(minikeras, name)


def by_hand(name):
    from compat.bench.by_hand import Contender

    return Contender(name)


def keras(name):
    import keras

    from compat.bench.keras_style import Contender

    return Contender(keras, name)


CONTENDERS = {"minikeras": ours, "by hand": by_hand, "Keras": keras}
# What each of them imports beside JAX.
IMPORTS = {"minikeras": "minikeras", "by hand": "optax", "Keras": "keras"}
