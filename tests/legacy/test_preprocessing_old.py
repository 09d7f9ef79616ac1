"""Old preprocessing: values by hand, draws left as they are, and bad input."""

import pickle
import random
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras.legacy.preprocessing import image, sequence, text

IMAGES = np.random.RandomState(0).uniform(0, 255, (7, 4, 6, 3)).astype("float32")
TARGETS = np.array([0, 1, 0, 1, 0, 1, 0])


def test_tokenizer_counts():
    tokenizer = text.Tokenizer(num_words=3, oov_token="?")
    tokenizer.fit_on_texts(["b a b", "b c a"])
    assert tokenizer.word_index == {"?": 1, "b": 2, "a": 3, "c": 4}
    sequences = tokenizer.texts_to_sequences(["b b a"])
    assert sequences == [[2, 2, 1]]
    assert tokenizer.sequences_to_texts(sequences) == ["b b ?"]
    expected = (1 + np.log(2)) * np.log(1 + 2 / 3)
    found = tokenizer.sequences_to_matrix(sequences, "tfidf")
    np.testing.assert_allclose(found[0, 2], expected, rtol=1e-12)
    again = text.tokenizer_from_json(tokenizer.to_json())
    assert again.texts_to_sequences(["b b a"]) == sequences


def test_skipgrams_pair_near_words():
    random.seed(0)
    pairs, labels = sequence.skipgrams([3, 0, 1, 2], 5, 1, 0, shuffle=False)
    assert pairs == [[1, 2], [2, 1]] and labels == [1, 1]
    pairs, labels = sequence.skipgrams(list(range(1, 9)), 20, 2, 1.0, seed=1)
    true = {tuple(p) for p, label in zip(pairs, labels, strict=True) if label}
    assert all(0 < abs(a - b) <= 2 for a, b in true)
    assert sum(labels) * 2 == len(labels)


def test_windows_train_and_travel():
    data = np.arange(12.0, dtype="float32")
    windows = sequence.TimeseriesGenerator(data, data, length=3, batch_size=4)
    x, y = windows[0]
    assert x.tolist() == [[i, i + 1, i + 2] for i in range(4)]
    assert y.tolist() == [3, 4, 5, 6]
    assert '"length": 3' in windows.to_json()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(windows, epochs=1, verbose=0).history["loss"]) == 1


def test_flips_and_shifts():
    generator = image.ImageDataGenerator()
    x = IMAGES[0]
    flipped = generator.apply_transform(x, {"flip_horizontal": True})
    np.testing.assert_array_equal(flipped, x[:, ::-1])
    np.testing.assert_array_equal(generator.apply_transform(x, {}), x)
    brighter = image.apply_channel_shift(x, 5.0)
    np.testing.assert_array_equal(brighter, np.clip(x + 5, x.min(), x.max()))


def test_affine_transforms_by_hand():
    square = IMAGES[0, :, :4]
    axes = {"row_axis": 1, "col_axis": 0, "channel_axis": 2}
    turn = lambda x, **sizes: image.apply_affine_transform(x, **sizes, **axes)  # noqa: E731
    turned = turn(square, theta=90)
    np.testing.assert_allclose(turned, np.rot90(square, -1), rtol=1e-5)
    found = turn(IMAGES[0], tx=1, ty=2, fill_mode="grid-wrap")
    np.testing.assert_allclose(found, np.roll(IMAGES[0], (-1, -2), (0, 1)), rtol=1e-5)
    rows, columns = np.mgrid[-4:5, -4:5, :1][:2]  # about the centre
    enlarged = turn(rows + 3.0 * columns, zx=1, zy=0.5)
    np.testing.assert_allclose(enlarged, rows + 1.5 * columns, atol=1e-6)
    sheared = turn(rows * 1.0, shear=30, fill_mode="constant", cval=np.nan)
    expected = rows - 0.5 * columns
    np.testing.assert_allclose(sheared[4:6, 3:6], expected[4:6, 3:6], atol=1e-6)
    assert turn(rows) is rows


def test_brightness():
    x = np.round(IMAGES[0])
    dark = image.apply_brightness_shift(x, 0.5, scale=False)
    np.testing.assert_allclose(dark, x / 2, atol=1)
    wide = IMAGES[0] * 2 - 100  # beyond bytes: scaled there and back
    same = image.apply_brightness_shift(wide, 1.0, scale=False)
    np.testing.assert_allclose(same, wide, atol=2.5)
    assert not image.apply_brightness_shift(x, 0.0).any()


def test_fit_measures_rescaled_images():
    options = {"featurewise_center": True, "rescale": 0.5}
    generator = image.ImageDataGenerator(**options)
    before = IMAGES.copy()
    generator.fit(IMAGES)
    np.testing.assert_allclose(generator.mean[0, 0], IMAGES.mean((0, 1, 2)) / 2, 1e-5)
    np.testing.assert_array_equal(before, IMAGES)


def test_featurewise_statistics():
    options = {"featurewise_std_normalization": True, "featurewise_center": True}
    generator = image.ImageDataGenerator(**options)
    with pytest.warns(UserWarning, match="fit"):
        generator.standardize(IMAGES[0].copy())
    generator.fit(IMAGES)
    x = generator.standardize(IMAGES.copy())
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(x.std((0, 1, 2)), 1, rtol=1e-4)


def test_whitened_pixels_are_uncorrelated():
    generator = image.ImageDataGenerator(zca_whitening=True, featurewise_center=True)
    few = np.random.RandomState(1).normal(size=(50, 2, 2, 1)).astype("float32")
    generator.fit(few @ np.float32([[3.0]]) + 1)
    flat = generator.standardize(few * 3 + 1).reshape(50, -1)
    np.testing.assert_allclose(flat.T @ flat / 50, np.eye(4), atol=1e-3)


def test_weights_are_split_with_the_images():
    generator = image.ImageDataGenerator(validation_split=0.3)
    weights = np.arange(7.0)
    for subset, expected in (("validation", [0, 1]), ("training", [2, 3, 4, 5, 6])):
        options = {"subset": subset, "shuffle": False, "sample_weight": weights}
        batches = generator.flow(IMAGES, TARGETS, **options)
        assert batches[0][2].tolist() == expected


def test_iterators_are_endless_and_pickled():
    batches = image.ImageDataGenerator().flow(IMAGES, TARGETS, batch_size=3, seed=1)
    assert len(batches) == 3 and batches.n == 7
    sizes = [len(next(batches)[1]) for _ in range(7)]
    assert sizes == [3, 3, 1, 3, 3, 1, 3]
    again = pickle.loads(pickle.dumps(batches))
    np.testing.assert_array_equal(next(again)[0], next(batches)[0])


@pytest.mark.parametrize("workers", [1, 3])
def test_fit(workers):
    generator = image.ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
    batches = generator.flow(IMAGES, TARGETS, batch_size=3)
    batches.workers = workers
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(batches, validation_data=batches, epochs=2, verbose=0)
    assert np.isfinite(history.history["val_loss"]).all()


def test_a_seed_makes_batches_repeat_and_no_seed_draws_on():
    options = {"batch_size": 3, "seed": 4}
    generator = image.ImageDataGenerator(channel_shift_range=30)
    first, second = (next(generator.flow(IMAGES, **options)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.random.seed(0)
    generator.get_random_transform((4, 6, 3))
    found = np.random.random()
    np.random.seed(0)
    np.random.random(3)  # two flips, one shift
    assert found == np.random.random()


def test_bad_input(tmp_path):
    generator = image.ImageDataGenerator
    affine, json = image.apply_affine_transform, '{"config": {"a": 1}}'
    folder, series = generator().flow_from_directory, sequence.TimeseriesGenerator
    fit = image.ImageDataGenerator(featurewise_center=True).fit
    calls = [
        (ValueError, "4 axes", lambda: fit(IMAGES[0])),
        (ValueError, "number of images", lambda: fit(IMAGES[:0])),
        (ValueError, "rounds", lambda: fit(IMAGES, augment=True, rounds=0)),
        (ValueError, "batch_size", lambda: generator().flow(IMAGES, batch_size=0)),
        (ValueError, "no batch 1", lambda: generator().flow(IMAGES)[1]),
        (ValueError, "no batch -1", lambda: generator().flow(IMAGES)[-1]),
        (
            ValueError,
            "fill_mode",
            lambda: affine(IMAGES[0], 3, 0, 0, 0, 1, 1, 0, 1, 2, "x"),
        ),
        (NotImplementedError, "must define", lambda: image.Iterator(3, 1, False, 1)[0]),
        (ValueError, "validation_split", lambda: generator(validation_split=2)),
        (ValueError, "zoom_range", lambda: generator(zoom_range=[1])),
        (ValueError, "brightness_range", lambda: generator(brightness_range=3)),
        (ValueError, "one length", lambda: generator().flow(IMAGES, TARGETS[:2])),
        (ValueError, "4 axes", lambda: generator().flow(IMAGES[0])),
        (ValueError, "subset", lambda: generator().flow(IMAGES, subset="all")),
        (ValueError, "row_axis", lambda: affine(IMAGES[0], 3, row_axis=0)),
        (ValueError, "class_mode", lambda: folder(tmp_path, class_mode="x")),
        (ValueError, "color_mode", lambda: folder(tmp_path, color_mode="x")),
        (ValueError, "hash_function", lambda: text.hashing_trick("a", 3, "sha")),
        (ValueError, "mode", lambda: text.Tokenizer(3).sequences_to_matrix([[1]], "x")),
        (ValueError, "num_words", lambda: text.Tokenizer().sequences_to_matrix([[1]])),
        (ValueError, "to_json", lambda: text.tokenizer_from_json(json)),
        (TypeError, "colour", lambda: text.Tokenizer(colour=1)),
        (ValueError, "targets", lambda: series([1, 2], [1], 1)),
        (ValueError, "shorter", lambda: series([1, 2], [1, 2], 2)),
    ]
    for kind, message, call in calls:
        with pytest.raises(kind, match=message):
            call()


def test_old_paths_lead_here():
    code = """
from minikeras.utils import install_as_keras
install_as_keras()
from keras.preprocessing.text import Tokenizer, text_to_word_sequence
from keras.preprocessing.sequence import TimeseriesGenerator, pad_sequences, skipgrams
from keras.preprocessing.image import ImageDataGenerator, load_img, random_rotation
from tensorflow.keras.preprocessing.image import DirectoryIterator
import keras
keras.preprocessing.image.ImageDataGenerator, keras.preprocessing.text.one_hot
"""
    subprocess.run([sys.executable, "-c", code], check=True)
