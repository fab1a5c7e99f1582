r"""Volume rendering: a picture of fog is an integral along each ray, summed front to back.

J. T. Kajiya and B. P. Von Herzen, "Ray Tracing Volume Densities", SIGGRAPH 1984 (the brightness equation);
M. Levoy, "Display of Surfaces from Volume Data", IEEE CG&A 8(3), 1988 (compositing of samples, front or back first);
the quadrature in the form of N. Max, "Optical Models for Direct Volume Rendering", IEEE TVCG 1(2), 1995.

Surfaces are hit or missed, a density dims what lies behind it by degrees. That makes the picture a smooth function of
the scene: what NeRF and Gaussian splatting later send gradients through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Balls, camera, see_balls, seeded, two_balls

METADATA = {
    "node": "volume-rendering",
    "title": {"en": "Volume rendering", "zh": "体渲染"},
    "year": 1984,
    "paper": {
        "title": "Ray Tracing Volume Densities",
        "doi": "10.1145/800031.808594",
        "sections": "brightness equation; Levoy 1988, compositing",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Two balls of coloured fog, summed from samples along each ray, against the exact integral",
            "zh": "两团彩色雾球：沿光线逐点累加采样，与精确积分对照",
        },
        "metric": "mean error",
        "target": 0.001,
        "baseline": "the same samples added up without absorption",
        "margin": 0.02,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    size: int = 64  # pixels a side
    samples: int = 128  # N along each ray, reached by doubling from 8
    near: float = 2.0  # where the samples of a ray begin
    far: float = 6.0  # and end
    angles: int = 3  # views averaged


TINY = Config(size=24, samples=128, angles=1)
PRESETS: dict[str, Config] = {}


def weights(alpha: Tensor) -> Tensor:
    """How much of each sample (R, N), nearest first, reaches the eye, from the opacities alpha in [0, 1]."""
    # T_i = prod_{j < i} (1 - alpha_j)
    light = torch.cumprod(1 - alpha, 1)
    light = torch.cat([torch.ones_like(light[:, :1]), light[:, :-1]], 1)
    # w_i = T_i alpha_i: front to back, Levoy's  C_out = C_in (1 - alpha) + c alpha  unrolled
    return light * alpha


def composite(density: Tensor, colour: Tensor, width: Tensor, background: float = 1.0) -> tuple[Tensor, Tensor]:
    """Densities and widths (R, N), colours (R, N, 3) of samples along rays -> colours (R, 3) and weights (R, N)."""
    # B = int exp(- int_0^t sigma ds) sigma(t) c(t) dt; over a piece of uniform density
    # alpha_i = 1 - exp(- sigma_i delta_i)
    w = weights(1 - torch.exp(-density * width))
    # C = sum_i T_i (1 - exp(- sigma_i delta_i)) c_i + T_N background
    return (w[..., None] * colour).sum(1) + (1 - w.sum(1, keepdim=True)) * background, w


class Fog:
    """Points (..., 3) -> density (...) and colour (..., 3) of balls of fog."""

    def __init__(self, balls: Balls) -> None:
        self.balls = balls

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        distance = (points[..., None, :] - self.balls.centres).norm(dim=-1)  # (..., K)
        inside = (distance < self.balls.radii).float()
        return inside @ self.balls.densities, inside @ self.balls.colours


def march(origins: Tensor, directions: Tensor, near: float, far: float, count: int) -> tuple[Tensor, Tensor]:
    """Points (R, N, 3) in the middles of `count` equal pieces of each ray, and the pieces' widths (R, N)."""
    width = (far - near) / count
    t = near + (torch.arange(count) + 0.5) * width
    return origins[:, None] + t[:, None] * directions[:, None], torch.full((len(origins), count), width)


def build(config: Config) -> Fog:
    return Fog(two_balls())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    fog = build(config)
    rays = [camera(0.3 + 6.2832 * k / config.angles, size=config.size) for k in range(config.angles)]
    o, d = (torch.cat(parts) for parts in zip(*rays, strict=True))  # (R, 3)
    exact = see_balls(fog.balls, o, d)
    counts = [8 << k for k in range((config.samples // 8).bit_length())]
    metrics: dict[str, float] = {}
    for done, count in enumerate(counts, 1):
        points, width = march(o, d, config.near, config.far, count)
        density, colour = fog(points)
        seen, w = composite(density, colour, width)
        # without absorption, as early X-ray projections: C = sum_i sigma_i delta_i c_i over the same background
        thin = (density * width)[..., None]
        added = (1 - thin.sum(1)).clamp(min=0) + (thin * colour).sum(1)
        metrics |= {"mean error": float((seen - exact).abs().mean()), "samples": count}
        metrics["baseline"] = float((added.clamp(max=1) - exact).abs().mean())
        metrics["opacity"] = float(w.sum(1).mean())
        n = config.size**2
        pictures = [x[:n].reshape(config.size, config.size, 3) for x in (exact, seen, added)]
        picture = (torch.cat(pictures, 1).clamp(0, 1) * 255).byte().numpy().repeat(2, 0).repeat(2, 1)
        yield Step(done, len(counts), dict(metrics), picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
