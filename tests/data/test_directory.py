"""Which files a folder holds, their order, labels and parts."""

import os

import numpy as np
import pytest

from minikeras.data.directory import (
    Files,
    encode_labels,
    index_directory,
    read_text,
    take_subset,
)


@pytest.fixture
def folder(tmp_path):
    names = "b/2.txt b/10.TXT a/sub/x.txt a/z.txt a/no.md .h/a.txt top.txt"
    for name in names.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def find(folder, labels="inferred", **options):
    options = {"shuffle": False, "verbose": False, **options}
    files = index_directory(folder, labels, (".txt",), **options)
    paths = [os.path.relpath(path, folder) for path in files.paths]
    return paths, None if files.labels is None else list(files.labels), files[2]


def test_classes_and_files_are_sorted(folder, capsys):
    paths, labels, names = find(folder, verbose=True)
    assert paths == ["a/z.txt", "a/sub/x.txt", "b/10.TXT", "b/2.txt"]
    assert labels == [0, 0, 1, 1] and names == ["a", "b"]
    assert capsys.readouterr().out == "Found 4 files belonging to 2 classes.\n"
    paths, labels, names = find(folder, class_names=["b"])
    assert paths == ["b/10.TXT", "b/2.txt"] and labels == [0, 0] and names == ["b"]
    paths, labels, names = find(folder, None, verbose=True)
    assert paths[:2] == ["top.txt", ".h/a.txt"] and labels is names is None
    assert capsys.readouterr().out == "Found 6 files.\n"
    paths, labels, names = find(folder, [5, 3, 3, 9, 9, 9])
    assert labels == [5, 3, 3, 9, 9, 9] and names == ["3", "5", "9"]


def test_shuffles_keep_pairs(folder):
    plain = dict(zip(*find(folder)[:2], strict=True))
    mixed = find(folder, shuffle=True, seed=3)
    assert mixed == find(folder, shuffle=True, seed=3)
    assert dict(zip(*mixed[:2], strict=True)) == plain
    np.random.seed(1)
    drawn = find(folder, shuffle=True)
    np.random.seed(1)
    assert drawn == find(folder, shuffle=True, seed=np.random.randint(1e6))


def test_links_are_followed_on_request(folder):
    os.symlink(folder / "b", folder / "a" / "link")
    assert len(find(folder)[0]) == 4
    assert "a/link/2.txt" in find(folder, follow_links=True)[0]


def test_bad_input(folder):
    with pytest.raises(ValueError, match="did not match the names"):
        find(folder, class_names=["a", "c"])
    with pytest.raises(ValueError, match="`class_names` cannot be specified"):
        find(folder, None, class_names=["a"])
    with pytest.raises(ValueError, match=r"len\(labels\) is 2 while we found 6"):
        find(folder, [1, 2])
    with pytest.raises(FileNotFoundError):
        find(folder / "gone")


@pytest.mark.parametrize("split, sizes", [(0.25, (6, 2)), (0.1, (8, 0)), (0.9, (1, 7))])
def test_parts_are_whole(split, sizes, capsys):
    files = Files([*"abcdefgh"], np.arange(8), ["x"])
    parts = [take_subset(files, split, name) for name in ("training", "validation")]
    assert tuple(len(part.paths) for part in parts) == sizes
    assert parts[0].paths + parts[1].paths == files.paths
    assert [*parts[0].labels, *parts[1].labels] == [*range(8)]
    assert f"Using {sizes[0]} files for training.\n" in capsys.readouterr().out
    assert take_subset(files, None, None) is files


def test_labels():
    assert encode_labels([1, 0], "int", 2).dtype == "int32"
    assert encode_labels([1, 0], "binary", 2).tolist() == [[1.0], [0.0]]
    assert encode_labels([1], "categorical", 3).tolist() == [[0.0, 1.0, 0.0]]


def test_texts(tmp_path):
    (tmp_path / "a.txt").write_text("héllo\nyou", encoding="utf-8")
    assert read_text(tmp_path / "a.txt") == "héllo\nyou"
    assert read_text(tmp_path / "a.txt", 3) == "hél"
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"b\.txt' is not UTF-8"):
        read_text(tmp_path / "b.txt")
