"""Old preprocessing of images against real Keras: the same values, the same draws."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing import image as keras_image

import minikeras
from compat.old_runs import as_id, assert_same, train
from minikeras.legacy.preprocessing import image

PIL = pytest.importorskip("PIL.Image")
pytest.importorskip("scipy")
pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.RandomState(4)
IMAGES = RNG.uniform(0, 255, (7, 6, 9, 3)).astype("float32")
TARGETS = np.array([0, 1, 0, 1, 0, 1, 2])


# -- transforms -----------------------------------------------------------------------
PARTS = {"theta": 13.3, "tx": 1.5, "ty": -0.7, "shear": 9.1, "zx": 0.8, "zy": 1.3}


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (1, 0, 2), (2, 1, 0)])
@pytest.mark.parametrize("mode", ["nearest", "constant", "reflect", "wrap"])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_affine(axes, mode, order):
    x = IMAGES[0] if axes[2] == 2 else IMAGES[0].transpose(2, 0, 1)
    names = ("row_axis", "col_axis", "channel_axis")
    options = dict(zip(names, axes, strict=True), fill_mode=mode, cval=7, order=order)
    for left_out in (None, *PARTS):
        parts = {name: part for name, part in PARTS.items() if name != left_out}
        run = lambda m: m.apply_affine_transform(x, **parts, **options)  # noqa: E731, B023
        assert_same(run, keras_image, image)


AXES = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
TRANSFORMS = [
    lambda m: m.random_rotation(IMAGES[0], 20, **AXES),
    lambda m: m.random_rotation(IMAGES[0].transpose(2, 0, 1), 20),
    lambda m: m.random_shift(IMAGES[0], 0.3, 0.2, **AXES, fill_mode="wrap"),
    lambda m: m.random_shear(IMAGES[0], 20, **AXES, interpolation_order=3),
    lambda m: m.random_zoom(IMAGES[0], (0.5, 1.5), **AXES, fill_mode="constant"),
    lambda m: m.random_zoom(IMAGES[0], (1, 1), **AXES),
    lambda m: m.random_zoom(IMAGES[0], (1, 2, 3)),
    lambda m: m.random_channel_shift(IMAGES[0], 30, 2),
    lambda m: m.apply_channel_shift(IMAGES[0].astype("uint8"), 30.5, 0),
    lambda m: m.random_brightness(IMAGES[0], (0.2, 1.9)),
    lambda m: m.random_brightness(IMAGES[0], (0.2, 1.9), scale=False),
    lambda m: m.apply_brightness_shift(IMAGES[0] * 2 - 9, 0.7, False),
    lambda m: m.random_brightness(IMAGES[0], 3 * [1]),
    lambda m: m.apply_affine_transform(IMAGES[0], 3, row_axis=0, col_axis=0),
    lambda m: m.apply_affine_transform(IMAGES, 3),
    lambda m: m.flip_axis(IMAGES[0], 1),
    lambda m: m.random_rotation(IMAGES[0], 0, **AXES),
    lambda m: m.random_shift(IMAGES[0].transpose(2, 0, 1), 2.5, 0),
    lambda m: m.random_zoom(IMAGES[0].astype("uint8"), [0.7, 0.7], **AXES, cval=3),
    lambda m: m.random_channel_shift(IMAGES[0].transpose(2, 0, 1), 9.5),
    lambda m: m.apply_channel_shift(IMAGES[0], -7, 1),
    lambda m: m.apply_brightness_shift(IMAGES[0][..., :1], 0.0, False),
    lambda m: m.apply_brightness_shift(IMAGES[0][..., :1] + 99, 1.5, False),
    lambda m: m.apply_brightness_shift(IMAGES[0].astype("uint8"), 2, False),
    lambda m: m.apply_brightness_shift(IMAGES[0].transpose(1, 2, 0), 2),
    lambda m: m.apply_affine_transform(IMAGES[0], 3, **AXES, fill_mode="mirror"),
    lambda m: m.apply_affine_transform(IMAGES[0], 3, **AXES, fill_mode="grid-wrap"),
    lambda m: m.apply_affine_transform(IMAGES[0].astype("uint8"), 3, **AXES),
    lambda m: m.apply_affine_transform(IMAGES[0], row_axis=1, channel_axis=1),
    lambda m: m.apply_affine_transform(IMAGES[0], 3, 0, 0, 0, 1, 1, 0, 2, 1),
    lambda m: m.apply_affine_transform(IMAGES[0], 3, 0, 0, 0, 1, 1, 0, 3, 2),
    lambda m: m.apply_affine_transform(IMAGES[0], 3, 0, 0, 0, 1, 1, -3, -2, -1),
    lambda m: m.apply_affine_transform(IMAGES[0][..., 0], 3),
]


@pytest.mark.parametrize("call", TRANSFORMS)
def test_transforms(call):
    assert_same(call, keras_image, image)


CHANGES = [
    {},
    {"foo": 1},
    PARTS,
    {"flip_horizontal": True},
    {"flip_vertical": 1, "flip_horizontal": 0},
    {"channel_shift_intensity": 0},
    {"channel_shift_intensity": 30.5, "flip_vertical": True, "theta": 9},
    {"brightness": 0.0, "zx": 2},
    {"brightness": 0.7, "channel_shift_intensity": -9, "tx": 1.2, "ty": 3},
    {"theta": "a"},
]


@pytest.mark.parametrize("change", CHANGES, ids=as_id)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_given_transforms(change, data_format):
    x = IMAGES[0] if data_format == "channels_last" else IMAGES[0].transpose(2, 0, 1)

    def run(module):
        options = {"fill_mode": "constant", "cval": 7, "interpolation_order": 2}
        generator = module.ImageDataGenerator(data_format=data_format, **options)
        found = generator.apply_transform(x, change)
        # Sums over an image depend on its layout.
        return found, found.strides, generator.standardize(found * 1.0)

    assert_same(run, keras_image, image)


# -- the generator --------------------------------------------------------------------
EVERYTHING = {
    "rotation_range": 5,
    "width_shift_range": 0.1,
    "height_shift_range": 3,
    "shear_range": 3.0,
    "zoom_range": 0.1,
    "channel_shift_range": 4,
    "brightness_range": (0.5, 0.9),
    "horizontal_flip": True,
    "vertical_flip": True,
}
OPTIONS = [
    {},
    {"rotation_range": 10},
    *({"width_shift_range": x} for x in (0.2, 3, 1.0, 2.5, [-2, 0, 2], [0.1, 0.2])),
    *({"height_shift_range": x} for x in (0.2, 3, [1, 2], [0.1])),
    {"shear_range": 5.0},
    *({"zoom_range": x} for x in (0.2, [0.5, 1.5], (1, 1), [1], 0.0, [1, 2, 3])),
    {"channel_shift_range": 20},
    *({"brightness_range": x} for x in ((0.5, 1.5), (1, 1), [1])),
    {"horizontal_flip": True},
    {"vertical_flip": True},
    EVERYTHING,
    EVERYTHING | {"data_format": "channels_first", "brightness_range": None},
    EVERYTHING | {"fill_mode": "constant", "cval": 9.0, "interpolation_order": 3},
    {"rescale": 1 / 255, "samplewise_center": True},
    {"samplewise_std_normalization": True, "preprocessing_function": lambda x: x + 1},
    {"featurewise_center": True, "rotation_range": 9},
    {"featurewise_std_normalization": True, "rescale": 0.1},
    {"zca_whitening": True, "zca_epsilon": 1e-3, "dtype": "float64"},
    {"zca_whitening": True, "featurewise_std_normalization": True},
    {"validation_split": 1.5},
    {"dtype": "float64"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=as_id)
def test_generator(options):
    x = IMAGES
    if options.get("data_format") == "channels_first":
        x = x.transpose(0, 3, 1, 2)

    def run(module):
        generator = module.ImageDataGenerator(**options)
        generator.fit(x, augment=True, rounds=2, seed=5)
        measured = [generator.mean, generator.std, generator.zca_whitening_matrix]
        drawn = [generator.get_random_transform(x[0].shape) for _ in range(3)]
        drawn.append(generator.get_random_transform(x[0].shape, seed=2))
        changed = generator.random_transform(x[0])
        standard = generator.standardize(x[1].astype(generator.dtype))
        batches = generator.flow(x, TARGETS, batch_size=3, seed=8)
        several = [next(batches) for _ in range(4)]
        return [*measured, drawn, changed, standard, several, batches[1]]

    assert_same(run, keras_image, image)


CENTRE = {"featurewise_center": True}
FITS = [
    ({}, {}, IMAGES),
    (CENTRE, {"seed": 3}, IMAGES.astype("uint8")),
    (CENTRE, {}, IMAGES.tolist()),
    (CENTRE, {"augment": True}, IMAGES[..., :1]),
    (CENTRE, {}, IMAGES[..., :2]),
    (CENTRE, {}, IMAGES[0]),
    (CENTRE | {"rotation_range": 40}, {"augment": True, "rounds": 3}, IMAGES),
    ({"data_format": "channels_first"} | CENTRE, {}, IMAGES.transpose(0, 3, 1, 2)),
    ({"featurewise_std_normalization": True, "dtype": "float64"}, {}, IMAGES),
    ({"zca_whitening": True}, {"augment": True, "seed": 1}, IMAGES),
    (CENTRE | {"rescale": 0.1, "channel_shift_range": 9}, {"augment": True}, IMAGES),
    ({"zca_whitening": True, "zca_epsilon": 0.5, "dtype": "float64"}, {}, IMAGES),
]


@pytest.mark.parametrize("case", FITS)
def test_fit(case):
    options, arguments, x = case

    def run(module):
        generator = module.ImageDataGenerator(**options)
        generator.fit(x, **arguments)
        names = ("mean", "std", "zca_whitening_matrix")
        return np.array(x), [getattr(generator, name) for name in names]

    assert_same(run, keras_image, image)


def test_own_generators_are_asked():
    """Subclasses override the drawing, the change and the standardization."""

    def run(module):
        class Own(module.ImageDataGenerator):
            def get_random_transform(self, img_shape, seed=None):
                return super().get_random_transform(img_shape, seed) | {"theta": 9}

            def apply_transform(self, x, transform_parameters):
                return super().apply_transform(x, transform_parameters) * 2

            def standardize(self, x):
                return super().standardize(x) + 1

        return next(Own(rescale=0.5).flow(IMAGES, batch_size=3))

    assert_same(run, keras_image, image)


@pytest.mark.parametrize("arguments", [(5, 2), (6, 3), (3, 8), (0, 2), (4, 4)])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("seed", [None, 7])
def test_order_of_batches(arguments, shuffle, seed):
    def run(module):
        class Own(module.Iterator):
            def _get_batches_of_transformed_samples(self, index_array):
                return index_array.tolist(), np.random.random()

        found = []
        for actions in ("nnnnnn", "i", "ninne", "eininrinnennrri", "rnenin", "innn"):
            batches = Own(*arguments, shuffle, seed)
            for action in actions:
                if action == "n":
                    found.append(next(batches))
                elif action == "i" and len(batches):
                    found.append(batches[len(batches) - 1])
                elif action == "e":
                    batches.on_epoch_end()
                elif action == "r":
                    batches.reset()
                found.append([batches.batch_index, batches.total_batches_seen])
            assert iter(batches) is batches
            assert len(batches) == batches.num_batches
            found.append([len(batches), batches.index_array])
        return found

    assert not isinstance(assert_same(run, keras_image, image), type)
    get = lambda m: m.Iterator(*arguments, shuffle, seed)[len(m.__name__)]  # noqa: E731
    assert_same(get, keras_image, image)


FLOWS = [
    {},
    {"y": TARGETS, "batch_size": 3},
    {"y": TARGETS, "sample_weight": TARGETS * 0.1, "seed": 4},
    {"y": TARGETS[:3]},
    {"y": TARGETS, "sample_weight": TARGETS[:3]},
    {"subset": "training"},
    {"subset": "foo"},
    {"y": TARGETS, "subset": "training"},
    {"y": TARGETS % 2, "subset": "training", "shuffle": False},
    {"y": TARGETS % 2, "subset": "validation"},
    {"y": TARGETS, "subset": "validation", "ignore_class_split": True},
]


@pytest.mark.parametrize("options", FLOWS, ids=as_id)
@pytest.mark.parametrize("many", [False, True])
def test_flow(options, many):
    def run(module):
        x = [IMAGES, [TARGETS, TARGETS * 2]] if many else IMAGES
        generator = module.ImageDataGenerator(validation_split=0.4, rotation_range=2)
        batches = generator.flow(x, **options)
        several = [next(batches) for _ in range(3)]
        several.append(batches[0])
        batches.reset()
        batches.on_epoch_end()
        several += [next(batches), batches[0]]
        return several, len(batches), batches.n, batches.total_batches_seen

    assert_same(run, keras_image, image)


def test_saved_images(tmp_path):
    def run(module):
        folder = tmp_path / module.__name__
        folder.mkdir()
        generator = module.ImageDataGenerator(rotation_range=9)
        options = {"save_to_dir": folder, "save_prefix": "p", "save_format": "png"}
        generator.flow(IMAGES, TARGETS, batch_size=2, **options)[1]
        return [(file.name, file.read_bytes()) for file in sorted(folder.iterdir())]

    assert len(assert_same(run, keras_image, image)) == 2


# -- files ----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    for name, count in (("b", 3), ("a", 4), ("c", 1)):
        (root / name / "sub").mkdir(parents=True)
        for i in range(count):
            pixels = RNG.randint(0, 255, (9 + i, 7, 3)).astype("uint8")
            PIL.fromarray(pixels).save(root / name / f"{name}{i}.png")
    PIL.fromarray(pixels).save(root / "a" / "sub" / "z.JPG")
    (root / "a" / "x.txt").write_text("no image")
    (root / "top.txt").write_text("no image")
    return str(root)


NAMES = """samples class_indices filenames n image_shape class_mode batch_size filepaths
    dtype split subset""".split()


def described(batches):
    found = {name: getattr(batches, name, None) for name in NAMES}
    found["split"] = None
    return found


DIRECTORIES = [
    {},
    {"shuffle": False},
    {"subset": "training"},
    {"subset": "validation", "class_mode": "binary"},
    {"subset": "x"},
    {"classes": ["c", "a"], "class_mode": "sparse"},
    {"classes": ["zz", "a"]},
    {"class_mode": "foo"},
    {"class_mode": None, "interpolation": "bicubic", "keep_aspect_ratio": True},
    {"class_mode": "input", "color_mode": "grayscale"},
    {"color_mode": "rgba", "batch_size": 2, "seed": 3},
    {"color_mode": "x"},
    {"interpolation": "bad"},
]


@pytest.mark.parametrize("options", DIRECTORIES, ids=as_id)
def test_flow_from_directory(options, folder, capsys):
    def run(module):
        generator = module.ImageDataGenerator(validation_split=0.4, rotation_range=9)
        batches = generator.flow_from_directory(
            folder, **({"target_size": (5, 6)} | options)
        )
        several = [next(batches), next(batches), batches[0]]
        labels = batches.labels, batches.sample_weight, batches.classes
        return described(batches), batches.num_classes, labels, several

    assert_same(run, keras_image, image)
    theirs, ours = capsys.readouterr().out.splitlines() or ("", "")
    assert theirs == ours


def frame():
    pandas = pytest.importorskip("pandas")
    names = ["a/a0.png", "b/b0.png", "c/c0.png", "none.png", "a/a1.png", "a/x.txt"]
    columns = {
        "filename": names,
        "class": ["x", "y", "x", "y", "z", "x"],
        "lists": [["x", "y"], ["y"], ("z",), ["x"], ["x", "z"], ["x"]],
        "w": [1.0, 2, 3, 4, 5, 6],
        "t1": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "t2": [1, 2, 3, 4, 5, 6],
    }
    return pandas.DataFrame(columns, index=range(10, 16))


FRAMES = [
    {},
    {"shuffle": False, "weight_col": "w"},
    {"class_mode": "raw", "y_col": "t1"},
    {"class_mode": "raw", "y_col": ["t1", "t2"]},
    {"class_mode": "multi_output", "y_col": ["t1", "t2"], "weight_col": "w"},
    {"class_mode": "multi_output", "y_col": "t1"},
    {"class_mode": None},
    {"class_mode": "input"},
    {"class_mode": "binary"},
    {"class_mode": "binary", "classes": ["x", "y"]},
    {"class_mode": "sparse", "classes": ["z", "x"], "batch_size": 2, "seed": 1},
    {"classes": ["x", "q"]},
    {"classes": "x"},
    {"class_mode": "bad"},
    {"class_mode": "other"},
    {"subset": "training"},
    {"subset": "validation", "class_mode": "raw", "y_col": "t2"},
    {"subset": "x"},
    {"x_col": "t1"},
    {"y_col": "zz"},
    {"weight_col": "class"},
    {"x_col": "zz"},
    {"validate_filenames": False, "class_mode": None},
    {"has_ext": True},
    {"y_col": "lists"},
    {"y_col": "lists", "classes": ["x", "y"]},
    {"y_col": "lists", "class_mode": "sparse"},
    {"y_col": "t1"},
]


@pytest.mark.parametrize("options", FRAMES, ids=as_id)
def test_flow_from_dataframe(options, folder):
    rows = frame()

    def run(module):
        generator = module.ImageDataGenerator(validation_split=0.4, rotation_range=9)
        batches = generator.flow_from_dataframe(
            rows, folder, target_size=(5, 6), **options
        )
        several = [next(batches), next(batches), batches[0]]
        return described(batches), several, batches.sample_weight

    assert_same(run, keras_image, image)


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp"])
def test_saved_images_of_files(kind, folder, tmp_path):
    def run(module):
        generator = module.ImageDataGenerator(horizontal_flip=True, zoom_range=0.3)
        options = {"target_size": (5, 6), "batch_size": 3, "save_format": kind}
        found = []
        for seed in (None, 3):
            place = tmp_path / f"{module.__name__}{seed}"
            place.mkdir()
            options |= {"seed": seed, "save_to_dir": place, "save_prefix": "s"}
            batches = generator.flow_from_directory(folder, **options)
            next(batches), batches[2]
            rows = generator.flow_from_dataframe(frame(), folder, **options)
            next(rows)
            files = sorted(place.iterdir())
            found.append([(file.name, file.read_bytes()) for file in files])
        return found

    assert len(assert_same(run, keras_image, image)[0]) > 4


@pytest.mark.parametrize("follow_links", [False, True])
def test_links(follow_links, folder, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "link").symlink_to(os.path.join(folder, "a"))
    (tmp_path / "two").symlink_to(os.path.join(folder, "b"))

    def run(module):
        generator = module.ImageDataGenerator(data_format="channels_first")
        options = {"follow_links": follow_links, "target_size": [4, 3]}
        batches = generator.flow_from_directory(tmp_path, **options)
        return batches.filenames, batches.image_shape, next(batches)

    assert_same(run, keras_image, image)


# -- training -------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [None, 5])
def test_fit_on_images(seed):
    def run(module):
        options = {"rescale": 1 / 255, "rotation_range": 20, "horizontal_flip": True}
        y = np.eye(3, dtype="float32")[TARGETS]
        generator = module.ImageDataGenerator(**options)
        return train(
            keras if module is keras_image else minikeras,
            generator.flow(IMAGES, y, batch_size=3, seed=seed),
        )

    np.testing.assert_allclose(run(image), run(keras_image), rtol=1e-5)
