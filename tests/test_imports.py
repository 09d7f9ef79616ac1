"""What `import minikeras` brings along, seen from a fresh process."""

import subprocess
import sys

# Imported where they are used: most programs need few of them.
LAZY = "PIL h5py keras matplotlib optax pandas rich scipy tensorflow torch".split()


def run(code):
    """What the code prints in a fresh process."""
    command = [sys.executable, "-c", code]
    return subprocess.check_output(command, text=True).strip()


def test_heavy_packages_are_imported_where_they_are_used():
    found = run(
        "import sys; import minikeras;"
        f"print([name for name in {LAZY!r} if name in sys.modules])"
    )
    assert found == "[]"


def test_fit_needs_no_file_or_table_package():
    found = run(
        "import sys, numpy as np; import minikeras as keras;"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]);"
        "model.compile('sgd', 'mse');"
        "model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0);"
        "print([name for name in ('h5py', 'rich', 'pandas') if name in sys.modules])"
    )
    assert found == "[]"
