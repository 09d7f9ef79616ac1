"""Networks of `keras.applications`: building them, one prediction, one training step.

    python -m compat.bench.applications build [--only NAME ...] [--keras]
    python -m compat.bench.applications run [--only NAME ...] [--repeats N]

`build`: seconds in fresh processes, without the import: to build a network with random
weights, and until all weights are read, in a first process and in a second one that
finds the programs of the first; `--keras` adds Keras-JAX, which takes minutes.
`run`: contenders in processes of their own that take turns; a cell is "median (best)"
in milliseconds: `predict` of one image of 224 x 224, and a step of fine-tuning all
weights with batches of 8. PyTorch has torchvision's networks of the same name.
"""

import argparse
import contextlib
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from compat.bench.contenders import CONTENDERS, environment

ROOT = Path(__file__).parents[2]
RUN = ("MobileNetV2", "ResNet50", "EfficientNetB0")
WHO = ("ours", "keras", "tensorflow", "torch")
BATCH, STEPS = 8, 4


def build_one(package, name):
    """Print the seconds to build a network, and to have its weights."""
    keras = importlib.import_module(package)
    make = getattr(keras.applications, name)
    begin = time.perf_counter()
    model = make(weights=None)
    built = time.perf_counter()
    for variable in model.weights:
        variable.value.block_until_ready()
    print(json.dumps([built - begin, time.perf_counter() - begin]))


def fresh(who, *command, cache=None):
    """What a process that has just started prints."""
    package = CONTENDERS[who].imports[0]
    out = subprocess.run(
        [sys.executable, "-m", "compat.bench.applications", "child", package, *command],
        cwd=ROOT,
        env=environment(who, cache),
        capture_output=True,
        text=True,
    )
    if out.returncode:
        raise RuntimeError(f"{who}, {command}: {out.stderr[-600:]}")
    return json.loads(out.stdout.splitlines()[-1])


def build(options):
    """Print a row for each network."""
    import minikeras

    names = options.only or sorted(
        name for name in minikeras.applications.__all__ if name[0].isupper()
    )
    print("network | built | with weights | second process: built | with weights")
    worst = 0.0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            first = fresh("ours", name, cache=folder)
            second = fresh("ours", name, cache=folder)
        row = " | ".join(f"{x:.2f}" for x in (*first, *second))
        if options.keras:
            theirs = fresh("keras", name)[1]
            row += f" | Keras {theirs:.1f}, {theirs / first[0]:.0f}x,"
            row += f" with weights {theirs / first[1]:.0f}x"
        worst = max(worst, first[0])
        print(f"{name} | {row}", flush=True)
    print(f"the slowest was built in {worst:.2f} s")


class KerasRunner:
    """One network in Keras's style, of any backend."""

    def __init__(self, package, name):
        import numpy as np

        keras = importlib.import_module(package)
        rng = np.random.default_rng(0)
        self.image = rng.uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
        x = rng.uniform(-1, 1, (STEPS * BATCH, 224, 224, 3)).astype("float32")
        self.data = x, rng.integers(0, 10, STEPS * BATCH)
        self.model = getattr(keras.applications, name)(weights=None, classes=10)
        self.model.compile(
            keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy"
        )

    def predict(self):
        """One image."""
        self.model.predict(self.image, verbose=0)

    def epoch(self):
        """`STEPS` steps."""
        self.model.fit(*self.data, batch_size=BATCH, shuffle=False, verbose=0)


class TorchRunner:
    """The same with torchvision."""

    def __init__(self, _, name):
        import torch
        import torchvision

        names = {"MobileNetV2": "mobilenet_v2", "EfficientNetB0": "efficientnet_b0"}
        make = getattr(torchvision.models, names.get(name, name.lower()))
        self.torch, self.model = torch, make(num_classes=10)
        torch.manual_seed(0)
        self.model = self.model.to(memory_format=torch.channels_last)
        self.image = self._images(1)
        self.x = self._images(STEPS * BATCH)
        self.y = torch.randint(0, 10, (STEPS * BATCH,))
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.01)
        self.loss = torch.nn.CrossEntropyLoss()

    def _images(self, count):
        images = self.torch.rand(count, 3, 224, 224)
        return images.to(memory_format=self.torch.channels_last)

    def predict(self):
        """One image."""
        self.model.eval()
        with self.torch.inference_mode():
            self.model(self.image).numpy()

    def epoch(self):
        """`STEPS` steps."""
        self.model.train()
        for i in range(0, len(self.x), BATCH):
            self.optimizer.zero_grad()
            loss = self.loss(self.model(self.x[i : i + BATCH]), self.y[i : i + BATCH])
            loss.backward()
            self.optimizer.step()


def serve(package, name):
    """Do what the parent asks for, a word a line; answer with seconds."""
    runner = (TorchRunner if package == "torch" else KerasRunner)(package, name)
    runner.predict()
    runner.epoch()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        do, count = line.split()
        begin = time.perf_counter()
        for _ in range(int(count)):
            getattr(runner, do)()
        print(json.dumps((time.perf_counter() - begin) / int(count)), flush=True)


class Contender:
    """A process that runs one network."""

    def __init__(self, who, name):
        package = CONTENDERS[who].imports[0]
        command = [sys.executable, "-m", "compat.bench.applications", "serve", package]
        self.process = subprocess.Popen(
            [*command, name],
            cwd=ROOT,
            env=environment(who),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.answer()

    def answer(self):
        """The next line of JSON that it prints."""
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                return json.loads(line)
        raise RuntimeError("a contender has ended")

    def ask(self, do, count):
        """Milliseconds of one call."""
        self.process.stdin.write(f"{do} {count}\n")
        return 1000 * self.answer()


def run(options):
    """Print a row for each network and measure."""
    present = [who for who in WHO if not CONTENDERS[who].missing()]
    print("network, measure | " + " | ".join(CONTENDERS[w].title for w in present))
    for name in options.only or RUN:
        contenders = {who: Contender(who, name) for who in present}
        found = {}
        for _ in range(options.repeats):
            for do, count in (("predict", 10), ("epoch", 1)):
                for who in present:
                    steps = STEPS if do == "epoch" else 1
                    milliseconds = contenders[who].ask(do, count) / steps
                    found.setdefault((do, who), []).append(milliseconds)
        for do, what in (("predict", "one image"), ("epoch", "step of training")):
            cells = [found[do, who] for who in present]
            shown = (f"{statistics.median(x):.1f} ({min(x):.1f})" for x in cells)
            print(f"{name}, {what} | " + " | ".join(shown), flush=True)
        for contender in contenders.values():
            contender.process.kill()


def main():
    """Dispatch."""
    if sys.argv[1:2] == ["child"]:
        return build_one(*sys.argv[2:])
    if sys.argv[1:2] == ["serve"]:
        return serve(*sys.argv[2:])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["build", "run"])
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--keras", action="store_true", help="build with Keras, too")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    (build if options.what == "build" else run)(options)


if __name__ == "__main__":
    main()
