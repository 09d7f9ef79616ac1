"""Networks of images in plain PyTorch."""

import torch
from torch import nn

from compat.bench.keras_images import MOBILE


class ChannelsFirst(nn.Module):
    """Images as the data has them -> as PyTorch wants them; a view, no copy."""

    def forward(self, x):
        return x.permute(0, 3, 1, 2)


class ChannelsLast(nn.Module):
    """The way back."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1)


def up(n_in, n_out, size, strides=2, bias=True):
    """A transposed convolution whose outputs are `strides` times the inputs."""
    before = (size - strides + 1) // 2
    extra = 2 * before + strides - size
    return nn.ConvTranspose2d(n_in, n_out, size, strides, before, extra, bias=bias)


def norm(width, kind=nn.BatchNorm2d):
    return kind(width, 1e-3, 0.01)


class Dcgan(nn.Module):
    def __init__(self):
        super().__init__()
        wide = 7 * 7 * 128
        self.generator = nn.Sequential(
            *(nn.Flatten(), nn.Linear(100, wide, bias=False)),
            *(norm(wide, nn.BatchNorm1d), nn.LeakyReLU(0.2)),
            nn.Unflatten(1, (128, 7, 7)),
            *(up(128, 128, 5, bias=False), norm(128), nn.LeakyReLU(0.2)),
            *(up(128, 64, 5, bias=False), norm(64), nn.LeakyReLU(0.2)),
            *(up(64, 1, 5, 1), nn.Tanh()),
        )
        self.judge = nn.Sequential(
            *(nn.Conv2d(1, 64, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.3)),
            *(nn.Conv2d(64, 128, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.3)),
            *(nn.Flatten(), nn.Linear(wide, 1)),
        )

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        fake = self.generator(x[:, :, :10, :10])
        turned = 2.0 * fake.detach() - fake
        return torch.cat([self.judge(x), self.judge(turned)], -1)


class Vae(nn.Module):
    """`added_loss` is the KL divergence of the last batch."""

    def __init__(self, latent=16):
        super().__init__()
        self.encoder = nn.Sequential(
            *(ChannelsFirst(), nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU()),
            *(nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten()),
        )
        self.mean, self.log_var = nn.Linear(3136, latent), nn.Linear(3136, latent)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent, 3136), nn.ReLU(), nn.Unflatten(1, (64, 7, 7))),
            *(up(64, 64, 3), nn.ReLU(), up(64, 32, 3), nn.ReLU()),
            *(up(32, 1, 3, 1), nn.Sigmoid(), ChannelsLast()),
        )

    def forward(self, x):
        x = self.encoder(x)
        mean, log_var = self.mean(x), self.log_var(x)
        kl = 1 + log_var - mean.square() - log_var.exp()
        self.added_loss = -5e-4 * kl.mean()
        return self.decoder(mean + (0.5 * log_var).exp() * torch.randn_like(mean))


def twice(n_in, n_out):
    first, second = nn.Conv2d(n_in, n_out, 3, 1, 1), nn.Conv2d(n_out, n_out, 3, 1, 1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        pairs = (3, 16), (16, 32), (32, 64), (64, 32), (32, 16)
        self.levels = nn.ModuleList([twice(*pair) for pair in pairs])
        self.ups = nn.ModuleList([up(64, 32, 2), up(32, 16, 2)])
        self.last = nn.Conv2d(16, 3, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        a, b, c, d, e = self.levels
        first = a(x.permute(0, 3, 1, 2))
        second = b(self.pool(first))
        x = d(torch.cat([second, self.ups[0](c(self.pool(second)))], 1))
        x = e(torch.cat([first, self.ups[1](x)], 1))
        return self.last(x).sigmoid().permute(0, 2, 3, 1)


def mobile():
    def part(n_in, n_out, size, strides=1, groups=1):
        conv = nn.Conv2d(
            n_in, n_out, size, strides, size // 2, groups=groups, bias=False
        )
        return conv, norm(n_out), nn.ReLU()

    parts, n_in = [ChannelsFirst(), *part(3, 16, 3, 2)], 16
    for filters, size, strides in MOBILE:
        parts += [*part(n_in, n_in, size, strides, n_in), *part(n_in, filters, 1)]
        n_in = filters
    tail = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_in, 10)
    return nn.Sequential(*parts, *tail)


NETWORKS = {"dcgan": Dcgan, "vae_conv": Vae, "unet": Unet, "mobile": mobile}
