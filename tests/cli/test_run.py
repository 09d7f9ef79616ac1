"""`minikeras run` and `minikeras check`, as a person would use them."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = '''"""A script of Keras 2."""
import sys
import numpy as np
import helper
import keras
from keras.layers import Dense
from keras.models import Sequential

print(sys.argv[1:], __name__, helper.WORD, keras.__version__)
model = Sequential([Dense(2, input_dim=3)])
model.compile("sgd", "mse")
model.fit(np.ones((64, 3)), np.ones((64, 2)), nb_epoch=4, verbose=0)
if "read" in sys.argv:
    print(sys.stdin.read().upper())
if "exit" in sys.argv:
    sys.exit(3)
if "fail" in sys.argv:
    raise ValueError("on purpose")
'''
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# Title"]},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "import keras\n", "x = 20\n", "x + 1"],
        },
        {"cell_type": "code", "source": ["%%bash\n", "ls"]},
        {
            "cell_type": "code",
            "source": "files = !ls\nif x:\n    !echo\ntext = '''\n%d\n'''\n"
            "print(text % x)",
        },
        {
            "cell_type": "code",
            "source": "import asyncio\nasync def double(n):\n"
            "    await asyncio.sleep(0.01)\n    return 2 * n\n"
            "task = asyncio.get_running_loop().create_task(double(4))\n"
            "await double(3)",
        },
        {"cell_type": "code", "source": "display(await task, 'b')"},
        {
            "cell_type": "code",
            "source": "get_ipython().run_line_magic('time', '1')\n"
            "'google.colab' in str(get_ipython())",
        },
        {"cell_type": "code", "source": ["async def f():\n", "    undefined_name"]},
        {"cell_type": "code", "source": "await f()"},
    ],
    "nbformat": 4,
}


def run(*arguments, cwd, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "minikeras", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        input=stdin,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "script.py").write_text(SCRIPT)
    (tmp_path / "code" / "helper.py").write_text("WORD = 'beside'")
    (tmp_path / "notebook.ipynb").write_text(json.dumps(NOTEBOOK))
    return tmp_path


def test_a_script_runs_as_under_python(folder):
    done = run("run", "code/script.py", "read", "--seed", "9", cwd=folder, stdin="hi")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['read', '--seed', '9'] __main__ beside 3.15.1",
        "HI",
    ]
    assert done.stderr.count("nb_epoch") == 2  # one warning, with its line


def test_exit_codes_and_tracebacks(folder):
    assert run("run", "code/script.py", "exit", cwd=folder).returncode == 3
    arguments = ["--seed", "1", "--max-steps", "1", "--report", "report.json"]
    done = run("run", *arguments, "code/script.py", "fail", cwd=folder)
    assert done.returncode == 1
    trace = done.stderr[done.stderr.index("Traceback") :].splitlines()
    assert trace[1:3] == [
        '  File "code/script.py", line 18, in <module>',
        '    raise ValueError("on purpose")',
    ]
    assert trace[-1] == "ValueError: on purpose" and len(trace) == 4
    report = json.loads((folder / "report.json").read_text())
    assert (report["status"], report["seed"]) == (1, 1)
    assert report["error"] == "ValueError: on purpose"
    assert report["versions"]["keras"] == "3.15.1"
    (fit,) = report["trained"]
    assert fit["parameters"] == 8 and len(fit["history"]["loss"]) == 1


def test_a_notebook(folder):
    done = run("run", "notebook.ipynb", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.split() == ["21", "20", "6", "8", "'b'", "False"]
    assert "6 magics and shell commands are skipped" in done.stderr
    trace = done.stderr[done.stderr.index("Traceback") :].splitlines()
    assert 'File "notebook.ipynb[8]", line 1' in trace[1]
    assert 'File "notebook.ipynb[7]", line 2' in done.stderr
    assert "undefined_name\n" in done.stderr  # the line of the cell


def test_a_module(folder):
    (folder / "code" / "__init__.py").touch()
    (folder / "code" / "part.py").write_text("import keras, sys\nprint(sys.argv[1:])")
    done = run("run", "-m", "code.part", "a", cwd=folder)
    assert done.stdout == "['a']\n", done.stderr


SPAWNS = """import concurrent.futures, multiprocessing, sys
from keras.layers.core import Dense

def library(inner):
    import keras
    from minikeras import config
    found = [keras.__name__, keras.layers.__file__, config.max_steps_per_epoch()]
    return [found, *pool(library, False)] if inner else [found]

def pool(*arguments):
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as executor:
        return executor.submit(*arguments).result()

if __name__ == "__main__":
    assert pool(library, True) == library(False) * 2
    print("equal", sys.argv)
"""


def test_spawned_processes(folder):
    (folder / "spawns.py").write_text(SPAWNS)
    done = run("run", "--max-steps", "3", "spawns.py", "a", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "equal ['spawns.py', 'a']\n"


OLD = """import tensorflow as tf
from keras.layers.core import Dense
from keras.layers import Merge
from keras.utils.np_utils import to_categorical
from keras import backend as K
L = tf.keras.layers
d = Dense(output_dim=3, init="uniform")
K.mean(1); K.set_session(None)
m.fit_generator(g); m.fit(x, nb_epoch=3)
L.Nope(); tf.raw_ops.Abs
fine = [tf.keras.layers.Dense(3), tf.reduce_mean, tf.keras.Model.fit]
"""


SEVERAL = """
import contextlib, io, json, sys
from minikeras.cli.main import main
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


def test_check_and_what_cannot_run(folder):
    """In one process, because each takes seconds to start."""
    (folder / "code" / "old.py").write_text(OLD)
    (folder / "wrong.py").write_text("import keras\ndef f(:\n")
    (folder / "no.ipynb").write_text("{}")
    (folder / "deep.py").write_text("x = 1" + " + 1" * 20_000)
    os.mkfifo(folder / "code" / "pipe.py")
    (folder / "code" / "__main__.py").write_text(
        "import sys\nprint(sys.argv, __name__)\nsys.exit('bye')"
    )
    (folder / "gone").mkdir()
    commands = """check code notebook.ipynb
        check code/script.py
        check --strict code/script.py
        check wrong.py absent
        run wrong.py
        run absent.py
        run no.ipynb
        run --max-steps 0 wrong.py
        check deep.py code/helper.py
        run --report absent/report.json code
        run --report report.json code a
        run --report gone/report.json - b""".splitlines()
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, json.dumps([c.split() for c in commands])],
        capture_output=True,
        text=True,
        cwd=folder,
        input="import shutil, sys\nprint(sys.argv)\nshutil.rmtree('gone')\nsys.exit(7)",
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [status for status, *_ in results] == [
        *[1, 0, 1, 2, 1, 2, 2, 2],
        *[2, 2, "bye", 7],
    ], done.stderr
    lines = results[0][1].splitlines()
    found = {tuple(line.split(": ")[:3]) for line in lines[:-1]}
    assert found == {
        ("code/old.py:2", "old", "keras.layers.core.Dense"),
        ("code/old.py:3", "old", "keras.layers.Merge"),
        ("code/old.py:4", "old", "keras.utils.np_utils.to_categorical"),
        ("code/old.py:7", "old", "Dense(init=)"),
        ("code/old.py:7", "old", "Dense(output_dim=)"),
        ("code/old.py:8", "different", "keras.backend.set_session"),
        ("code/old.py:8", "old", "keras.backend.mean"),
        ("code/old.py:9", "old", ".fit_generator()"),
        ("code/old.py:9", "old", "fit(nb_epoch=)"),
        ("code/old.py:10", "missing", "tensorflow.keras.layers.Nope"),
        ("code/old.py:10", "missing", "tensorflow.raw_ops.Abs"),
        ("code/script.py:12", "old", "fit(nb_epoch=)"),
    }
    assert lines[-1] == "5 files, 2 missing, 9 old, 1 different"
    assert any("write keras.ops.mean" in line for line in lines)
    errors = [error for *_, error in results]
    assert errors[3].count("cannot be read") == 2
    assert "line 2" in errors[4] and "minikeras/cli" not in errors[4]
    assert "absent.py" in errors[5]
    assert "expected a Jupyter notebook" in errors[6]
    assert "expected 1 or more" in errors[7]
    assert "code/pipe.py: skipped" in errors[0]
    assert "deep.py: cannot be read" in errors[8] and "2 files" in results[8][1]
    assert "there is no folder" in errors[9] and not results[9][1]  # before it runs
    assert results[10][1] == "['code', 'a'] __main__\n"
    report = json.loads((folder / "report.json").read_text())
    assert (report["status"], report["error"]) == (1, "bye")
    assert results[11][1] == "['-', 'b']\n" and "no report" in errors[11]
