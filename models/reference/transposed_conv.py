r"""Transposed convolution: a convolution run backwards, from few places to many.

M. D. Zeiler, D. Krishnan, G. W. Taylor and R. Fergus, "Deconvolutional Networks", CVPR 2010, section 2 (equation 1:
a picture as a sum of maps convolved with filters); as a layer that enlarges by a learned filter: J. Long, E. Shelhamer
and T. Darrell, arXiv:1411.4038, section 3.3. The arithmetic is that of V. Dumoulin and F. Visin, arXiv:1603.07285.

What it changes against convolution: if a convolution of the flattened picture is the matrix C, this is C^T. It restores
the shape, not the values; what to fill in is learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from skimage import data as pictures
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import psnr, seeded

METADATA = {
    "node": "transposed-conv",
    "title": {"en": "Transposed convolution", "zh": "转置卷积"},
    "year": 2010,
    "paper": {
        "title": "Deconvolutional Networks",
        "doi": "10.1109/CVPR.2010.5539957",
        "sections": "2, equation 1; Long et al. 2014, 3.3",
    },
    "parents": ["cnn"],
    "demo": {
        "task": {
            "en": "One learned filter doubles the sides of a photograph; trained on its left, measured on its right",
            "zh": "一个学得的滤波器把照片的边长放大一倍：在左半边训练，在右半边测量",
        },
        "metric": "PSNR",
        "target": 27.75,
        "baseline": "bilinear enlargement",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    stride: int = 2  # how many times larger
    kernel: int = 6  # side of the filter; a multiple of the stride leaves no checkerboard
    updates: int = 5  # training steps, each of four quasi-Newton iterations on a square of the left half


TINY = Config(kernel=4, updates=1)
PRESETS: dict[str, Config] = {}


def transposed(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """(B, C, H, W) by filters (C, D, K, K) -> (B, D, (H - 1) s - 2 p + K, ...): each input paints its filter."""
    B, _, H, W = x.shape
    _, D, K, _ = weight.shape
    out = x.new_zeros(B, D, (H - 1) * stride + K, (W - 1) * stride + K)
    for i in range(K):
        for j in range(K):
            # y[s h + i, s w + j] += sum_c x[c, h, w] f[c, d, i, j]
            painted = torch.einsum("bchw,cd->bdhw", x, weight[:, :, i, j])
            out[:, :, i : i + (H - 1) * stride + 1 : stride, j : j + (W - 1) * stride + 1 : stride] += painted
    return out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding]


def bilinear(kernel: int, stride: int) -> Tensor:
    """The filter (1, 1, K, K) that interpolates linearly: where Long et al. start."""
    at = torch.arange(kernel) - (kernel - 1) / 2
    line = (1 - at.abs() / stride).clamp(min=0)
    return (line[:, None] * line)[None, None]


class Enlarge(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stride, self.padding = config.stride, (config.kernel - config.stride) // 2
        self.weight = nn.Parameter(bilinear(config.kernel, config.stride))

    def forward(self, x: Tensor) -> Tensor:  # (B, 1, H, W) -> (B, 1, s H, s W)
        return transposed(x, self.weight, self.stride, self.padding)


def build(config: Config) -> Enlarge:
    return Enlarge(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    photo = torch.tensor(np.array(pictures.camera()), dtype=torch.float32)[None, None] / 255  # (1, 1, 512, 512)
    left, right = photo[..., 128:384, :256], photo[..., 256:]
    model = build(config)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4, line_search_fn="strong_wolfe")
    small = F.avg_pool2d(right, config.stride)
    plain = F.interpolate(small, scale_factor=config.stride, mode="bilinear", align_corners=False)
    # the matrix view: <C x, y> = <x, C^T y> for the convolution of the same filter
    x, y = torch.randn(1, 1, 16, 16), torch.randn(1, 1, 8, 8)
    there = F.conv2d(x, model.weight, stride=config.stride, padding=model.padding)
    adjoint = float(((there * y).sum() - (x * model(y)).sum()).abs().detach())
    below = F.avg_pool2d(left, config.stride)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.mse_loss(model(below), left)
        loss.backward()
        return loss

    for update in range(1, config.updates + 1):
        optimizer.step(closure)
        with torch.no_grad():
            large = model(small).clamp(0, 1)
        metrics = {"PSNR": psnr(large, right), "baseline": psnr(plain, right), "adjoint differs by": adjoint}
        strip = torch.cat([part[0, 0, 60:188, 20:148] for part in (plain, large, right)], 1)
        yield Step(update, config.updates, metrics, picture=(strip * 255).byte().numpy())


if __name__ == "__main__":
    raise SystemExit(main(__file__))
