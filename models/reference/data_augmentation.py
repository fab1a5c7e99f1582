r"""Data augmentation: show each example as it might also have looked.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86(11), 1998, section III.A: distorted patterns lower the error from 0.95% to 0.8%.

What it changes against the convolutional net: only its data. Knowledge about what leaves the class unchanged is given
as examples instead of being built in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import accuracy, digits, grid, seeded

METADATA = {
    "node": "data-augmentation",
    "title": {"en": "Data augmentation", "zh": "数据增强"},
    "year": 1998,
    "paper": {
        "title": "Gradient-based learning applied to document recognition",
        "doi": "10.1109/5.726791",
        "sections": "III.A, distorted patterns",
    },
    "parents": ["cnn"],
    "demo": {
        "task": {
            "en": "A small net learns digits from 40 examples, shifted and turned anew each time; four draws",
            "zh": "小网络只用 40 个样本学数字，每次随机平移旋转；取四组样本的平均",
        },
        "metric": "test accuracy",
        "target": 0.77,
        "baseline": "the same training on the 40 examples as they are",
        "margin": 0.02,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    examples: int = 40  # labelled digits
    updates: int = 300  # training steps
    draws: int = 4  # times this is repeated with other examples, since the gain depends on which ones they are
    shift: float = 0.25  # largest shift as a part of half the picture
    turn: float = 0.35  # largest turn in radians
    scale: float = 0.15  # largest change of size
    rate: float = 2e-3  # of Adam


TINY = Config(updates=10, draws=2)
PRESETS: dict[str, Config] = {}


def distort(images: Tensor, config: Config) -> Tensor:
    """Pictures (B, 1, H, W) under random affine maps."""
    B = len(images)
    angle, size = ((torch.rand(2, B) * 2 - 1).T * torch.tensor([config.turn, config.scale])).unbind(1)
    size = 1 + size
    shift = (torch.rand(B, 2) * 2 - 1) * config.shift
    # x' = s R(angle) x + shift
    rows = [torch.stack([size * angle.cos(), -size * angle.sin(), shift[:, 0]], 1)]
    rows.append(torch.stack([size * angle.sin(), size * angle.cos(), shift[:, 1]], 1))
    places = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)  # (B, H, W, 2)
    return F.grid_sample(images, places, align_corners=False)


def build(config: Config) -> nn.Sequential:
    conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
    return nn.Sequential(conv, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, found = digits(), {"test accuracy": 0.0, "baseline": 0.0}
    images, labels = torch.cat([split.x, split.x_test]), torch.cat([split.y, split.y_test])
    for draw in range(config.draws):
        order = torch.randperm(len(images))
        known, unknown = order[: config.examples], order[config.examples :]
        x, y = images[known], labels[known]
        models = {name: build(config) for name in found}
        models["baseline"].load_state_dict(models["test accuracy"].state_dict())
        optimizers = {name: torch.optim.Adam(model.parameters(), config.rate) for name, model in models.items()}
        for update in range(1, config.updates + 1):
            index = torch.randint(len(x), (50,))
            views = {"test accuracy": distort(x[index], config), "baseline": x[index]}
            for name, model in models.items():
                optimizers[name].zero_grad()
                F.cross_entropy(model(views[name]), y[index]).backward()
                optimizers[name].step()
            if update % (config.updates // 5) == 0:
                now = {name: accuracy(model, images[unknown], labels[unknown]) for name, model in models.items()}
                # the mean over the draws, the present one included
                means = {name: (found[name] + now[name]) / (draw + 1) for name in found}
                picture = grid(torch.cat([x[index[:10], 0], views["test accuracy"][:10, 0]]), scale=4)
                yield Step(draw * config.updates + update, config.draws * config.updates, means, picture=picture)
        found = {name: found[name] + now[name] for name in found}


if __name__ == "__main__":
    raise SystemExit(main(__file__))
