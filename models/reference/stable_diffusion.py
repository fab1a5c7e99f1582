r"""Latent diffusion, Stable Diffusion: noise is removed not from pixels but from a small code of them, told by a text.

R. Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models", arXiv:2112.10752, sections 3.1 to
3.3, figure 3; Stable Diffusion 1.x as in its v1-inference.yaml; sampling after J. Song et al., "Denoising Diffusion
Implicit Models", arXiv:2010.02502, equation 12.

What it changes against DDPM: an autoencoder is trained first, and diffusion runs in its latent space, 48 times smaller;
the U-Net's maps attend to the states of a text encoder, CLIP's in Stable Diffusion. Against the VAE: hardly any
divergence is asked of the code. The paper's adversarial and perceptual losses of the autoencoder are left out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.clip import NAMES, encode, layers
from ailineage.models.reference.data import digits, grid, oracle, seeded
from ailineage.models.reference.diffusion import Attend, Residual, angles, noisy
from ailineage.models.reference.transformer import causal

METADATA = {
    "node": "stable-diffusion",
    "title": {"en": "Stable Diffusion (latent diffusion)", "zh": "Stable Diffusion（潜在扩散）"},
    "year": 2021,
    "paper": {
        "title": "High-Resolution Image Synthesis with Latent Diffusion Models",
        "arxiv": "2112.10752",
        "sections": "3.1 to 3.3, equations 2 and 3, figure 3",
    },
    "parents": ["diffusion", "vae", "clip"],
    "demo": {
        "task": {
            "en": "Digits drawn from their names in a learned latent space, judged by a classifier trained apart",
            "zh": "在学得的潜在空间里按名称画出数字，由另行训练的分类器评判",
        },
        "metric": "right digit",
        "target": 0.4,
        "baseline": "latent numbers drawn independently from the digits' own, decoded",
        "margin": 0.3,
    },
    # CompVis/stable-diffusion logs "DiffusionWrapper has 859.52 M params"; its README says 860M for the U-Net and 123M
    # for the text encoder, which is CLIP ViT-L/14's up to its final norm; the autoencoder is kl-f8 of 83.65M
    "presets": {
        "1.x": 1_066_235_307,
        "1.x U-Net": 859_520_964,
        "1.x autoencoder": 83_653_863,
        "1.x text encoder": 123_060_480,
    },
}


@dataclass(frozen=True)
class Config:
    parts: tuple[str, ...] = ("autoencoder", "text", "unet")  # what is built
    colours: int = 1  # channels of the picture
    latent: int = 3  # channels of the code
    groups: int = 8  # of group normalisation; 32 in the paper
    code_width: int = 16  # channels of the autoencoder at full size
    code_multiples: tuple[int, ...] = (1, 2)  # channels at each size, in widths; each size is half the one before
    code_blocks: int = 1  # residual blocks a size
    width: int = 24  # channels of the U-Net at full size
    multiples: tuple[int, ...] = (1, 2)  # channels at each size, in widths
    attention: tuple[int, ...] = (0,)  # at which of these sizes places attend to each other and to the text
    blocks: int = 1  # residual blocks a size
    heads: int = 4  # of each attention
    symbols: int = 32  # vocabulary of the text
    context: int = 8  # longest text
    text_width: int = 32  # of the text encoder
    text_layers: int = 1  # of the text encoder
    text_heads: int = 4  # of the text encoder
    guidance: float = 2.0  # scale of classifier-free guidance; 7.5 is usual
    draw: int = 20  # steps of drawing; 50 is usual
    learn_codes: int = 200  # training steps of the autoencoder
    updates: int = 350  # training steps of the U-Net
    rate: float = 3e-3  # highest learning rate


_1X = (3, 4, 32, 128, (1, 2, 4, 4), 2, 320, (1, 2, 4, 4), (0, 1, 2), 2, 8, 49_408, 77, 768, 12, 12, 7.5, 50)
TINY = Config(groups=4, code_width=8, width=8, text_width=16, learn_codes=5, updates=5, draw=3)
PRESETS = {
    "1.x": Config(("autoencoder", "text", "unet"), *_1X),
    "1.x U-Net": Config(("unet",), *_1X),
    "1.x autoencoder": Config(("autoencoder",), *_1X),
    "1.x text encoder": Config(("text",), *_1X),
}


class Plain(nn.Module):
    """The residual block of DDPM without time."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, inputs, 1e-6), nn.GroupNorm(groups, outputs, 1e-6)
        self.conv1, self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Autoencoder(nn.Module):
    """Pictures (B, C, S, S) <-> codes (B, c, s, s), s = S / 2^(sizes - 1): the encoder E and the decoder D."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        g, widths = c.groups, [m * c.code_width for m in c.code_multiples]
        down: list[nn.Module] = [nn.Conv2d(c.colours, widths[0], 3, padding=1)]
        now, last = widths[0], widths[-1]
        for i, width in enumerate(widths):
            down += [Plain(now if j == 0 else width, width, g) for j in range(c.code_blocks)]
            now = width
            if i < len(widths) - 1:  # one row and column of zeros on the right and below
                down += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(now, now, 3, stride=2)]
        down += [*self.middle(last, g, 2 * c.latent), nn.Conv2d(2 * c.latent, 2 * c.latent, 1)]
        up: list[nn.Module] = [nn.Conv2d(c.latent, c.latent, 1), nn.Conv2d(c.latent, last, 3, padding=1)]
        up += self.middle(last, g, 0)
        for i, width in reversed(list(enumerate(widths))):
            up += [Plain(now if j == 0 else width, width, g) for j in range(c.code_blocks + 1)]
            now = width
            if i:
                up += [nn.Upsample(scale_factor=2), nn.Conv2d(now, now, 3, padding=1)]
        up += [nn.GroupNorm(g, now, 1e-6), nn.SiLU(), nn.Conv2d(now, c.colours, 3, padding=1)]
        self.encoder, self.decoder = nn.Sequential(*down), nn.Sequential(*up)

    @staticmethod
    def middle(width: int, groups: int, outputs: int) -> list[nn.Module]:
        attend = Attend(width, groups)
        attend.norm.eps = 1e-6
        parts: list[nn.Module] = [Plain(width, width, groups), attend, Plain(width, width, groups)]
        end = [nn.GroupNorm(groups, width, 1e-6), nn.SiLU(), nn.Conv2d(width, outputs, 3, padding=1)] if outputs else []
        return parts + end

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code."""
        mean, log_variance = self.encoder(pictures).chunk(2, 1)
        return mean, log_variance.clamp(-30, 20)


class Text(nn.Module):
    """tau_theta: ids (B, T) -> states (B, T, E), as CLIP reads them."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.words = nn.Embedding(c.symbols, c.text_width)
        self.positions = nn.Parameter(torch.randn(c.context, c.text_width) * 0.01)
        self.layers, self.norm = layers(c.text_width, c.text_heads, c.text_layers), nn.LayerNorm(c.text_width)

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.words(ids) + self.positions[:T]
        for layer in self.layers:
            x = layer(x, causal(T).to(ids.device))
        return self.norm(x)


class CrossAttention(nn.Module):
    def __init__(self, width: int, seen: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.o = nn.Linear(width, width, bias=False), nn.Linear(width, width)
        self.k, self.v = nn.Linear(seen, width, bias=False), nn.Linear(seen, width, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        # section 3.3   Q = W_Q phi(z_t),   K = W_K tau(y),   V = W_V tau(y)
        q, k, v = (z.unflatten(2, (self.heads, -1)).transpose(1, 2) for z in (self.q(x), self.k(y), self.v(y)))
        weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1)  # (B, H, N, T)
        return self.o((weights @ v).transpose(1, 2).flatten(2))


class Spatial(nn.Module):
    """Places (B, C, H, W) attend to each other, then to the text (B, T, E), then each passes a gated net."""

    def __init__(self, width: int, c: Config) -> None:
        super().__init__()
        self.norm, self.norms = nn.GroupNorm(c.groups, width, 1e-6), nn.ModuleList(nn.LayerNorm(width) for _ in "123")
        self.into, self.out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.own, self.text = CrossAttention(width, width, c.heads), CrossAttention(width, c.text_width, c.heads)
        self.up, self.down = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        h = self.into(self.norm(x)).flatten(2).transpose(1, 2)  # (B, H W, C)
        n = self.norms[0](h)
        h = h + self.own(n, n)
        h = h + self.text(self.norms[1](h), text)
        value, gate = self.up(self.norms[2](h)).chunk(2, -1)
        h = h + self.down(value * F.gelu(gate))  # GEGLU
        return x + self.out(h.transpose(1, 2).reshape(x.shape))


class UNet(nn.Module):
    """Noisy codes (B, c, s, s), times (B,) and text (B, T, E) -> the noise: DDPM's, with attention to the text."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.width, time = c.width, 4 * c.width
        self.time = nn.Sequential(nn.Linear(c.width, time), nn.SiLU(), nn.Linear(time, time))
        self.first = nn.Conv2d(c.latent, c.width, 3, padding=1)
        widths, now, kept = [m * c.width for m in c.multiples], c.width, [c.width]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()

        def stage(inputs: int, width: int, i: int) -> nn.ModuleList:
            attention = [Spatial(width, c)] if i in c.attention else []
            return nn.ModuleList([Residual(inputs, width, time, c.groups), *attention])

        for i, width in enumerate(widths):
            for _ in range(c.blocks):
                self.down.append(stage(now, width, i))
                now = width
                kept.append(now)
            if i < len(widths) - 1:
                self.down.append(nn.Conv2d(now, now, 3, stride=2, padding=1))
                kept.append(now)
        ends = Residual(now, now, time, c.groups), Residual(now, now, time, c.groups)
        self.middle = nn.ModuleList([ends[0], Spatial(now, c), ends[1]])
        for i, width in reversed(list(enumerate(widths))):
            for _ in range(c.blocks + 1):
                self.up.append(stage(now + kept.pop(), width, i))
                now = width
            if i:
                self.up.append(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(now, now, 3, padding=1)))
        self.norm, self.last = nn.GroupNorm(c.groups, now), nn.Conv2d(now, c.latent, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, text: Tensor) -> Tensor:
        time = self.time(angles(t, self.width))

        def apply(part: nn.Module, x: Tensor) -> Tensor:
            if not isinstance(part, nn.ModuleList):
                return part(x)
            for module in part:
                x = module(x, text if isinstance(module, Spatial) else time)
            return x

        x = self.first(x)
        kept = [x]
        for part in self.down:
            x = apply(part, x)
            kept.append(x)
        x = apply(self.middle, x)
        for part in self.up:
            x = apply(part, torch.cat([x, kept.pop()], 1) if isinstance(part, nn.ModuleList) else x)
        return self.last(F.silu(self.norm(x)))


class LatentDiffusion(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        made = {"autoencoder": Autoencoder, "text": Text, "unet": UNet}
        for part in config.parts:
            self.add_module(part, made[part](config))


def build(config: Config) -> LatentDiffusion:
    return LatentDiffusion(config)


def noise_levels(steps: int = 1000) -> Tensor:
    """alpha_bar (T,): the square root of beta rises linearly from that of 0.00085 to that of 0.012."""
    return (1 - torch.linspace(0.00085**0.5, 0.012**0.5, steps) ** 2).cumprod(0)


@torch.no_grad()
def draw(model: LatentDiffusion, config: Config, ids: Tensor, empty: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Codes (B, c, s, s) for texts (B, T) in a few deterministic steps, pushed away from what the empty text gives."""
    alpha_bar, x = noise_levels(), torch.randn(shape)
    text, nothing = model.text(ids), model.text(empty)
    times = torch.linspace(len(alpha_bar) - 1, 0, config.draw + 1).long()
    for now, then in pairwise(times):
        t = now.expand(len(x))
        free = model.unet(x, t, nothing)
        noise = free + config.guidance * (model.unet(x, t, text) - free)
        a, b = alpha_bar[now], alpha_bar[then]
        # DDIM (12), sigma = 0   x' = sqrt(a') (x - sqrt(1 - a) eps) / sqrt(a) + sqrt(1 - a') eps
        x = b.sqrt() * (x - (1 - a).sqrt() * noise) / a.sqrt() + (1 - b).sqrt() * noise
    return x


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, model, total = digits(), build(config), config.learn_codes + config.updates
    x, wanted = split.x * 2 - 1, torch.arange(100) % 10
    optimizer = torch.optim.Adam(model.autoencoder.parameters(), config.rate)
    for update in range(1, config.learn_codes + 1):
        clean = x[torch.randint(len(x), (32,))]
        mean, log_variance = model.autoencoder.encode(clean)
        again = model.autoencoder.decoder(mean + (log_variance / 2).exp() * torch.randn_like(mean))
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum((1, 2, 3)).mean()
        loss = (again - clean).abs().mean() + 1e-4 * divergence  # section 3.1: "slight KL-penalty"
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % max(1, config.learn_codes // 5) == 0:
            pair = torch.cat([clean[:20, 0], again[:20, 0].detach()]) / 2 + 0.5
            yield Step(update, total, {"reconstruction": float(loss.detach())}, picture=grid(pair))
    with torch.no_grad():
        codes = torch.cat([model.autoencoder.encode(piece)[0] for piece in x.split(500)])
    scale = 1 / codes.std()  # appendix G: codes of unit variance; 0.18215 in Stable Diffusion
    codes = codes * scale

    def right(drawn: Tensor) -> tuple[float, Tensor]:
        with torch.no_grad():
            pictures = (model.autoencoder.decoder(drawn / scale) / 2 + 0.5).clamp(0, 1)
            chances, classes = oracle()(pictures).softmax(1).max(1)
        return float(((classes == wanted) & (chances > 0.9)).float().mean()), pictures

    shuffled = codes.flatten(1).gather(0, torch.rand(len(codes), codes[0].numel()).argsort(0))[:100]
    baseline, _ = right(shuffled.reshape(-1, *codes.shape[1:]))
    alpha_bar, names = noise_levels(), encode([*NAMES, ""])[:, : config.context]  # (11, T), the last one empty
    optimizer = torch.optim.AdamW([*model.unet.parameters(), *model.text.parameters()], config.rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for update in range(1, config.updates + 1):
        index = torch.randint(len(x), (48,))
        clean, t = codes[index], torch.randint(len(alpha_bar), (48,))
        noise = torch.randn_like(clean)
        # one caption in ten is dropped, so that the net also knows the empty text
        text = model.text(names[torch.where(torch.rand(48) < 0.1, 10, split.y[index])])
        # (3)   L_LDM = E || eps - eps_theta(z_t, t, tau_theta(y)) ||^2
        loss = (noise - model.unet(noisy(clean, t, noise, alpha_bar), t, text)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 10) == 0:
            metrics, picture = {"loss": float(loss.detach()), "baseline": baseline}, None
            if update == config.updates:
                drawn = draw(model, config, names[wanted], names[[10] * 100], (100, *codes.shape[1:]))
                metrics["right digit"], pictures = right(drawn)
                picture = grid(pictures[:40, 0])
            yield Step(config.learn_codes + update, total, metrics, " ".join(NAMES), picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
