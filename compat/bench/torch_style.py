"""The workloads in plain PyTorch (eager), with the data on the device."""

import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from compat.bench.torch_images import NETWORKS as OF_IMAGES
from compat.bench.torch_images import ChannelsFirst
from compat.bench.workloads import find

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def dense(*widths):
    """Linear layers with ReLU between them."""
    layers = [nn.Linear(*pair) for pair in zip(widths, widths[1:], strict=False)]
    mixed = [part for layer in layers for part in (layer, nn.ReLU())]
    return nn.Sequential(*mixed[:-1])


def mlp():
    return nn.Sequential(
        *(nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.2)),
        *(nn.Linear(256, 128), nn.ReLU(), nn.BatchNorm1d(128, 1e-3, 0.01)),
        nn.Linear(128, 10),
    )


def convnet():
    return nn.Sequential(
        *(ChannelsFirst(), nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1600, 10)),
    )


def convolved(n_in, n_out, size, strides=1):
    conv = nn.Conv2d(n_in, n_out, size, strides, size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out, 1e-3, 0.01))


class Residual(nn.Module):
    def __init__(self, n_in, n_out, strides):
        super().__init__()
        self.first = convolved(n_in, n_out, 3, strides)
        self.second = convolved(n_out, n_out, 3)
        self.short = convolved(n_in, n_out, 1, strides) if strides > 1 else None

    def forward(self, x):
        y = self.second(self.first(x).relu())
        return (y + (x if self.short is None else self.short(x))).relu()


def resnet():
    return nn.Sequential(
        *(ChannelsFirst(), convolved(3, 16, 3), nn.ReLU()),
        *(Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )


class Recurrent(nn.Module):
    def __init__(self, cell, units=64):
        super().__init__()
        self.table = nn.Embedding(find("lstm").vocabulary, units)
        self.cell = cell(units, units, batch_first=True)
        self.last = nn.Linear(units, 1)

    def forward(self, x):
        return self.last(self.cell(self.table(x))[0][:, -1])


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.inner = dense(width, 2 * width, width)
        self.first, self.second = (nn.LayerNorm(width, 1e-3) for _ in range(2))
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        y, _ = self.attention(x, x, x, need_weights=False)
        x = self.first(x + self.dropout(y))
        return self.second(x + self.dropout(self.inner(x)))


class Transformer(nn.Module):
    def __init__(self, width=128, heads=4, blocks=2):
        super().__init__()
        workload = find("transformer")
        self.table = nn.Embedding(workload.vocabulary, width)
        self.places = nn.Parameter(0.05 * torch.randn(*workload.shape, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(blocks)))
        self.last = nn.Linear(width, 1)

    def forward(self, x):
        return self.last(self.blocks(self.table(x) + self.places).mean(1))


NETWORKS = {
    **OF_IMAGES,
    "mlp": mlp,
    "convnet": convnet,
    "resnet": resnet,
    "lstm": lambda: Recurrent(nn.LSTM),
    "gru": lambda: Recurrent(nn.GRU),
    "transformer": Transformer,
    "autoencoder": lambda: nn.Sequential(dense(784, 128, 32, 128, 784), nn.Sigmoid()),
}


def network(name):
    """The module of the workload called `name`."""
    if name in NETWORKS:
        return NETWORKS[name]()
    workload = find(name)
    return dense(*workload.shape, *workload.hidden, workload.outputs)


def _classes(outputs, y):
    return functional.cross_entropy(outputs, y), (
        outputs.argmax(-1) == y
    ).float().mean()


def _binary(outputs, y):
    loss = functional.binary_cross_entropy_with_logits(outputs, y)
    return loss, ((outputs > 0) == (y > 0.5)).float().mean()


def _images(outputs, y):
    return functional.mse_loss(outputs, y), (outputs - y).abs().mean()


MEASURES = {
    "classes": _classes,
    "binary": _binary,
    "pairs": _binary,
    "images": _images,
}


class Contender:
    """One workload, ready to be timed."""

    loops = ("fit",)

    def __init__(self, name, policy="float32"):
        if policy != "float32":
            raise ValueError(f"PyTorch is measured in float32 only, not in {policy!r}.")
        self.workload = find(name)
        self.host = self.workload.data()
        x, y = (torch.from_numpy(a).to(DEVICE) for a in self.host)
        self.x, self.y = x, y.long() if self.workload.task == "classes" else y
        self.measure = MEASURES[self.workload.task]
        self.model = network(name).to(DEVICE)
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, eps=1e-7)
        self.parameters = sum(p.numel() for p in self.model.parameters())

    def epochs(self, count, loop="fit"):
        """Train; returns the seconds each epoch took."""
        self.model.train()
        return [self._epoch() for _ in range(count)]

    def _epoch(self):
        begin, size = time.perf_counter(), self.workload.batch
        order = torch.randperm(len(self.x), device=DEVICE)
        totals = torch.zeros(2, device=DEVICE)
        for i in range(0, len(order), size):
            rows = order[i : i + size]
            loss, metric = self.measure(self.model(self.x[rows]), self.y[rows])
            loss = loss + getattr(self.model, "added_loss", 0.0)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            totals += torch.stack([loss.detach(), metric.detach()])
        self.loss = totals.tolist()[0] / self.workload.steps
        return time.perf_counter() - begin

    @torch.inference_mode()
    def _outputs(self):
        self.model.eval()
        size = self.workload.batch
        for i in range(0, len(self.host[0]), size):
            yield i, self.model(torch.from_numpy(self.host[0][i : i + size]).to(DEVICE))

    def evaluate(self):
        """[loss, metric] on all samples."""
        totals = torch.zeros(2, device=DEVICE)
        for i, outputs in self._outputs():
            y = self.y[i : i + len(outputs)]
            totals += torch.stack(self.measure(outputs, y))
        return (totals / self.workload.steps).tolist()

    def predict(self):
        """The outputs for all samples, as a numpy array."""
        return np.concatenate([y.cpu().numpy() for _, y in list(self._outputs())])

    @torch.inference_mode()
    def predict_one(self):
        """The output for one sample, as a numpy array."""
        self.model.eval()
        return self.model(torch.from_numpy(self.host[0][:1]).to(DEVICE)).cpu().numpy()
