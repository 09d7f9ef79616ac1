"""Sequential cases: optimizers, schedules, noise, regularizers, callbacks."""

import numpy as np

from compat.case_table import (
    BINARY,
    LABELS,
    ROWS,
    TARGETS,
    WEIGHTS,
    X,
    case,
    data,
    one_hot,
)


@case
def momentum_dropout(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(7, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model, {"x": X, "y": LABELS, "class_weight": {0: 0.5, 1: 1.5, 2: 3.0}}


@case
def nesterov_noise(keras):
    layers, schedules = keras.layers, keras.optimizers.schedules
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.GaussianNoise(0.2),
            layers.Dense(6, activation="tanh", kernel_regularizer="l2"),
            layers.GaussianDropout(0.2),
            layers.Dense(2),
        ]
    )
    rate = schedules.ExponentialDecay(0.02, 4, 0.8, staircase=True)
    optimizer = keras.optimizers.SGD(rate, momentum=0.8, nesterov=True)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS, "validation_split": 0.25}


@case
def centered_rmsprop_alpha_dropout(keras):
    layers, schedules = keras.layers, keras.optimizers.schedules
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, activation="selu", kernel_initializer="lecun_normal"),
            layers.AlphaDropout(0.2),
            layers.Dense(2, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)),
        ]
    )
    rate = schedules.PiecewiseConstantDecay([3, 8], [0.01, 0.004, 0.001])
    model.compile(
        keras.optimizers.RMSprop(
            rate, rho=0.8, momentum=0.5, centered=True, clipnorm=0.5
        ),
        keras.losses.Huber(),
        metrics=["mse"],
        weighted_metrics=["mae"],
    )
    return model, {"x": X, "y": TARGETS, "sample_weight": WEIGHTS}


@case
def adam_normalization(keras):
    layers, schedules = keras.layers, keras.optimizers.schedules
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.LayerNormalization(),
            layers.Dense(2),
        ]
    )
    rate = schedules.CosineDecay(
        0.001, 10, alpha=0.1, warmup_target=0.02, warmup_steps=4
    )
    model.compile(keras.optimizers.Adam(rate), "mae", metrics=["mse"])
    validation = (data(21, 5, seed=8), data(21, 2, seed=9))
    return model, {
        **{"x": X, "y": TARGETS, "shuffle": "batch"},
        **{"validation_data": validation, "validation_freq": 2},
    }


@case
def adamw_constraints(keras):
    layers, constraints = keras.layers, keras.constraints
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, "elu", kernel_constraint=constraints.MaxNorm(0.9)),
            layers.Dense(4, "sigmoid", kernel_regularizer=keras.regularizers.L1(0.01)),
            layers.Dense(2, kernel_constraint="unit_norm", bias_constraint="non_neg"),
        ]
    )
    rate = keras.optimizers.schedules.PolynomialDecay(0.03, 9, 0.002, power=2.0)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.05, global_clipnorm=0.4)
    model.compile(optimizer, "mse", metrics=["cosine_similarity"])
    return model, {"x": X, "y": TARGETS, "shuffle": False}


@case
def adam_moving_average(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, activation="gelu", activity_regularizer="l2"),
            layers.ActivityRegularization(l1=0.02),
            layers.Dense(2),
        ]
    )
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.InverseTimeDecay(0.02, 3, 0.5),
        **{"clipvalue": 0.2, "use_ema": True, "ema_momentum": 0.7},
        ema_overwrite_frequency=4,
    )
    model.compile(optimizer, "mse")
    return model, {"x": X, "y": TARGETS}


@case
def accumulated_gradients(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((5,)), layers.Dense(6, "swish"), layers.Dense(2)]
    )
    rate = keras.optimizers.schedules.CosineDecayRestarts(0.05, 3, 1.5, 0.8)
    optimizer = keras.optimizers.SGD(
        rate, momentum=0.5, gradient_accumulation_steps=3, weight_decay=0.01
    )
    model.compile(optimizer, "mse", metrics=["mae"], steps_per_execution=2)
    return model, {"x": X, "y": TARGETS}


@case
def final_moving_average(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(2)])
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8)
    model.compile(optimizer, "mse")
    return model, {"x": X, "y": TARGETS}


@case
def deferred(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Dense(6, "relu"), layers.Dropout(0.4)])
    model.add(layers.Dense(3, kernel_initializer="he_uniform"))
    model.compile(
        "rmsprop",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)],
    )
    return model, {"x": X, "y": LABELS, "steps_per_epoch": 2}


@case
def convolution(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Rescaling(0.5, offset=0.1),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Conv2D(3, 2, strides=2),
            layers.LeakyReLU(0.1),
            layers.AveragePooling2D(1),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model, {"x": data(ROWS, 6, 6, 2), "y": one_hot(LABELS, 3)}


@case
def embedding(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((7,), dtype="int32"),
            layers.Embedding(11, 4, mask_zero=True),
            layers.Dropout(0.25),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)
    model.compile("adam", loss, metrics=["accuracy"])
    words = np.random.default_rng(6).integers(1, 11, (ROWS, 7))
    words[np.arange(7) >= np.random.default_rng(7).integers(2, 8, ROWS)[:, None]] = 0
    return model, {"x": words, "y": BINARY}


@case
def binary_metrics(keras):
    layers, metrics = keras.layers, keras.metrics
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(4),
            layers.PReLU(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02, amsgrad=True),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", metrics.AUC(), metrics.Precision(), metrics.Recall()],
        weighted_metrics=[metrics.AUC(curve="PR", num_thresholds=30, name="pr")],
    )
    return model, {
        "x": X,
        "y": BINARY,
        "sample_weight": WEIGHTS,
        "validation_split": 0.2,
    }


@case
def early_stopping(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(6), layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.3, momentum=0.9), "mse")
    callbacks = [
        keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss", factor=0.3, patience=1, min_delta=0.5
        ),
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    ]
    validation = (data(20, 5, seed=8), data(20, 2, seed=9))
    return model, {
        **{"x": X, "y": TARGETS, "callbacks": callbacks},
        **{"validation_data": validation, "epochs": 9},
    }


@case
def scheduled_rate(keras):
    layers = keras.layers
    model = keras.Sequential([layers.Input((5,)), layers.Dense(2, "softplus")])
    model.compile("sgd", "mse", metrics=[keras.metrics.RootMeanSquaredError()])

    def schedule(epoch, rate):
        return 0.1 / (1 + epoch)

    callbacks = [keras.callbacks.LearningRateScheduler(schedule)]
    return model, {
        **{"x": X, "y": TARGETS, "callbacks": callbacks},
        **{"initial_epoch": 2, "epochs": 7},
    }


@case
def half_precision(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(8, "relu", dtype="mixed_float16"),
            layers.BatchNormalization(dtype="mixed_float16"),
            layers.Dropout(0.2, dtype="mixed_bfloat16"),
            layers.Dense(2, dtype="float32"),
        ]
    )
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01), dynamic_growth_steps=5
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, {"x": X, "y": TARGETS, "validation_split": 0.2}
