# runs on: old keras only (2.x)
"""KerasClassifier and KerasRegressor within scikit-learn: pipeline, folds, a grid."""

import random

import numpy as np
from keras.layers import Dense, Dropout
from keras.models import Sequential
from keras.utils import np_utils
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

seed = 7
random.seed(seed)
np.random.seed(seed)
names = np.array(["setosa", "versicolor", "virginica"])
kinds = np.random.randint(0, 3, 150)
centers = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
X = centers[kinds] + np.random.normal(0, 0.3, (150, 4))
Y = names[kinds]


def create_model(optimizer="rmsprop", init="glorot_uniform", units=8):
    model = Sequential()
    model.add(Dense(units, input_dim=4, kernel_initializer=init, activation="relu"))
    model.add(Dropout(0.1))
    model.add(Dense(3, kernel_initializer=init, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"]
    )
    return model


# Names to numbers to one column a class.
encoder = LabelEncoder()
encoder.fit(Y)
dummy_y = np_utils.to_categorical(encoder.transform(Y))
assert dummy_y.shape == (150, 3)

estimator = KerasClassifier(build_fn=create_model, epochs=30, batch_size=10, verbose=0)
estimator.fit(X, Y)
assert (estimator.predict(X[:5], verbose=0).shape) == (5,)
probabilities = estimator.predict_proba(X)
assert probabilities.shape == (150, 3)
np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
score = estimator.score(X, Y)
print("on what it has seen:", score)
assert score > 0.7

# A pipeline, over folds.
steps = [("standardize", StandardScaler())]
steps.append(("mlp", KerasClassifier(create_model, epochs=40, batch_size=5, verbose=0)))
kfold = KFold(n_splits=2, shuffle=True, random_state=seed)
results = cross_val_score(Pipeline(steps), X, Y, cv=kfold)
print("Baseline: %.2f%% (%.2f%%)" % (results.mean() * 100, results.std() * 100))
assert results.mean() > 0.8

# A grid over arguments of the model and of fit.
model = KerasClassifier(build_fn=create_model, verbose=0)
param_grid = dict(optimizer=["adam"], units=[1, 16], epochs=[15], batch_size=[10])
grid = GridSearchCV(estimator=model, param_grid=param_grid, cv=2)
grid_result = grid.fit((X - X.mean(0)) / X.std(0), Y)
print("Best: %f using %s" % (grid_result.best_score_, grid_result.best_params_))
means = grid_result.cv_results_["mean_test_score"]
assert grid_result.best_params_["units"] == 16 and means.shape == (2,)

# Regression.
prices = X @ [1.0, -2.0, 0.5, 3.0] + np.random.normal(0, 0.1, 150)


def baseline_model():
    model = Sequential()
    model.add(Dense(16, input_dim=4, kernel_initializer="normal", activation="relu"))
    model.add(Dense(1, kernel_initializer="normal"))
    model.compile(loss="mean_squared_error", optimizer="adam")
    return model


regressor = KerasRegressor(build_fn=baseline_model, epochs=60, batch_size=10, verbose=0)
results = cross_val_score(
    regressor, X, prices, cv=kfold, scoring="neg_mean_squared_error"
)
print("Error of folds:", -results, "variance:", prices.var())
assert -results.mean() < 0.5 * prices.var()
print("RESULT", [len(param_grid), round(float(prices.var()), 5), int(dummy_y.sum())])
