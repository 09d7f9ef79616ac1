"""Figures: no display, no backend, no half files."""

import pathlib
import pickle
import subprocess
import sys

import pytest

from minikeras.saving import figures


def test_a_notebook_gets_a_picture():
    figure = figures.new_figure("f", 2, 1)
    figure.subplots()
    assert figure._repr_png_()[:4] == b"\x89PNG"
    copy = pickle.loads(pickle.dumps(figure))
    assert copy._repr_png_()[:4] == b"\x89PNG" and copy is not figure


def test_what_is_written(tmp_path):
    figure = figures.new_figure("f", 2, 1)
    assert figures.finish(figure) is figure
    assert figures.finish(figure, tmp_path / "a") is None
    figures.finish(figure, str(tmp_path / "b.JPG"), dpi=30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.JPG"]
    with pytest.raises(ValueError, match="'.doc'.*png"):
        figures.finish(figure, tmp_path / "c.doc")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        figures.finish(figure, tmp_path / "nowhere" / "a.png")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        figures.finish(figure, tmp_path)
    # A figure of a million dots has as many as the renderer takes.
    tall = figures.new_figure("f", 0.1, 1000)
    figures.write_figure(tall, tmp_path / "tall.png", dpi=1000)
    data = (tmp_path / "tall.png").read_bytes()
    assert int.from_bytes(data[20:24], "big") == 2**16 - 1


def test_a_failure_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    figure = figures.new_figure("f", 2, 1)

    def fail(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(KeyboardInterrupt):
        figures.finish(figure, path)
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="^f draws.*pip install matplotlib"):
        figures.new_figure("f", 1, 1)


def test_no_backend_is_chosen_and_none_is_changed(tmp_path):
    root = pathlib.Path(figures.__file__).parents[2]
    script = """
import sys
from minikeras.saving import figures
figures.finish(figures.new_figure("f", 1, 1), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
import matplotlib, matplotlib.pyplot as plt
assert matplotlib.get_backend(auto_select=False) is None
figures.new_figure("f", 1, 1)
assert matplotlib.get_backend(auto_select=False) is None and not plt.get_fignums()
plt.switch_backend("svg")
figures.new_figure("f", 1, 1)
assert plt.get_backend() == "svg" and not plt.get_fignums()
# Where the user has a backend with windows, `plt.show()` shows the figure.
matplotlib.get_backend = lambda auto_select=True: "TkAgg"
figure = figures.new_figure("f", 1, 1)
assert plt.get_fignums() == [1] and plt.figure(1) is figure
figures.finish(figure, sys.argv[1])
assert not plt.get_fignums()
"""
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "out.png")],
        check=True,
        cwd=root,
        env={"PATH": "", "PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"},
    )
