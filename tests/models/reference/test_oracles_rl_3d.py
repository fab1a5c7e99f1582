"""Rendering and reinforcement learning against closed forms, plain loops and NumPy derivations."""

from __future__ import annotations

import numpy as np
import torch

from ailineage.models.reference import gs3d, instructgpt, ppo, rlhf, volume_rendering
from ailineage.models.reference.data import camera, see_balls, two_balls


def test_weights_along_a_ray_through_uniform_fog_are_those_of_the_integral() -> None:
    # uniform density 2 over [0, 3]: w_i = exp(-2 t_i) - exp(-2 t_{i+1}), whatever the widths
    edges = torch.cat([torch.zeros(1), torch.rand(20, generator=torch.Generator().manual_seed(0)).sort()[0] * 3])
    width = edges.diff()[None]
    _, weights = volume_rendering.composite(torch.full_like(width, 2.0), torch.ones(1, 20, 3), width)
    exact = torch.exp(-2 * edges[:-1]) - torch.exp(-2 * edges[1:])
    torch.testing.assert_close(weights[0], exact, atol=1e-6, rtol=1e-5)


def test_marching_through_balls_converges_to_the_closed_form() -> None:
    fog = volume_rendering.Fog(two_balls())
    origins, directions = camera(0.3, size=16)
    points, width = volume_rendering.march(origins, directions, 2.0, 6.0, 2000)
    seen, _ = volume_rendering.composite(*fog(points), width)
    torch.testing.assert_close(seen, see_balls(two_balls(), origins, directions), atol=5e-3, rtol=0)


def test_generalised_advantages_are_the_sum_of_equation_11() -> None:
    g = torch.Generator().manual_seed(0)
    rewards, values = torch.randn(9, 2, generator=g), torch.randn(10, 2, generator=g)
    ended = torch.zeros(9, 2)
    ended[4, 1] = 1
    found = ppo.gae(rewards, values, ended, 0.9, 0.8)
    for n in range(2):
        for t in range(9):
            total, weight = 0.0, 1.0
            for k in range(t, 9):
                after = 0.0 if ended[k, n] else float(values[k + 1, n])
                total += weight * (float(rewards[k, n]) + 0.9 * after - float(values[k, n]))
                weight *= 0.9 * 0.8
                if ended[k, n]:
                    break
            assert abs(float(found[t, n]) - total) < 1e-5


def test_clipped_objective_and_its_gradient_are_the_papers() -> None:
    ratio = np.array([0.5, 0.9, 1.1, 1.5, 0.5, 0.9, 1.1, 1.5])
    advantage = np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0])
    log_prob = torch.tensor(np.log(ratio), requires_grad=True)
    gain = ppo.clipped(log_prob, torch.zeros(8, dtype=torch.float64), torch.tensor(advantage), 0.2)
    np.testing.assert_allclose(gain.detach(), [0.5, 0.9, 1.1, 1.2, -0.8, -0.9, -1.1, -1.5])
    (slope,) = torch.autograd.grad(gain.sum(), log_prob)
    moving = np.array([1, 1, 1, 0, 0, 1, 1, 1])  # outside the clip a ratio that already helps is not pushed further
    np.testing.assert_allclose(slope, ratio * advantage * moving)


def test_harmonics_are_orthonormal_on_the_sphere() -> None:
    d = torch.nn.functional.normalize(torch.randn(200_000, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    y = gs3d.harmonics(d, 3)
    torch.testing.assert_close(4 * np.pi * y.T @ y / len(d), torch.eye(16), atol=0.03, rtol=0)


def test_one_opaque_gaussian_is_drawn_where_its_mean_projects() -> None:
    cloud = gs3d.build(gs3d.Config(gaussians=1, degree=0))
    with torch.no_grad():
        cloud.mean.copy_(torch.tensor([[0.5, -0.2, 0.3]]))
        cloud.opacity.fill_(9.0)
        shade = 1 - cloud(0.7, 0.4, 48).mean(1)
    origins, directions = camera(0.7, size=48)
    distance = torch.linalg.cross(directions, cloud.mean.detach() - origins).norm(dim=1)
    assert int(shade.argmax()) in distance.topk(4, largest=False).indices


def test_the_log_odds_of_rankings_are_equation_1_of_both_papers() -> None:
    scores, marks = torch.tensor([[1.0, 3.0, 2.0]]), torch.tensor([[2, 1, 1]])
    expected = np.mean([np.log1p(np.exp(3.0 - 1.0)), np.log1p(np.exp(2.0 - 1.0))])  # the third pair is a tie
    np.testing.assert_allclose(instructgpt.ranking_loss(scores, marks), expected, rtol=1e-5)
    clips = torch.randn(2, 7, generator=torch.Generator().manual_seed(0))
    a, b = clips.sum(1).exp()
    torch.testing.assert_close(torch.sigmoid(rlhf.preference(clips[0], clips[1])), a / (a + b))
