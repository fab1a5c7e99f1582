"""Mamba, experts, LoRA, DPO, two samplers and three classics against recurrences, brute force and libraries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier
from torch import Tensor, nn

from ailineage.models.reference import (
    adaboost,
    ddim,
    diffusion,
    dpo,
    flow_matching,
    gpt2,
    hmm,
    lora,
    mamba,
    mixture_of_experts,
    random_forest,
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    with torch.no_grad():
        for ours, theirs in pairs:
            assert ours.shape == theirs.shape
            ours.copy_(theirs)


@pytest.mark.parametrize("length", [2, 7, 16, 21])
def test_mambas_scan_is_the_plain_recurrence_with_its_gradients(length: int) -> None:
    a = torch.rand(2, length, 3, generator=_generator(), dtype=torch.double, requires_grad=True)
    b = torch.randn(2, length, 3, generator=_generator(1), dtype=torch.double, requires_grad=True)
    h, states = torch.zeros(2, 3, dtype=torch.double), []
    for t in range(length):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    plain, ours = torch.stack(states, 1), mamba.scan(a, b)
    torch.testing.assert_close(ours, plain)
    wanted = torch.autograd.grad(plain.square().sum(), (a, b))
    torch.testing.assert_close(torch.autograd.grad(ours.square().sum(), (a, b)), wanted)


def test_mamba_logits_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"vocab_size": 30, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}
    theirs = transformers.MambaForCausalLM(transformers.MambaConfig(**sizes)).eval()
    ours = mamba.build(mamba.Config(symbols=30, width=32, layers=2, state=8))
    pairs = [
        (ours.tokens.weight, theirs.backbone.embeddings.weight),
        (ours.norm.weight, theirs.backbone.norm_f.weight),
    ]
    for a, b in zip(ours.blocks, theirs.backbone.layers, strict=True):
        m = b.mixer
        pairs += [
            (a.norm.weight, b.norm.weight),
            (a.enter.weight, m.in_proj.weight),
            (a.leave.weight, m.out_proj.weight),
        ]
        pairs += [(a.conv.weight, m.conv1d.weight), (a.conv.bias, m.conv1d.bias), (a.space.log_a, m.A_log)]
        pairs += [(a.space.skip, m.D), (a.space.to_step.weight, m.x_proj.weight)]
        pairs += [(a.space.step.weight, m.dt_proj.weight), (a.space.step.bias, m.dt_proj.bias)]
    _copy(pairs)
    ids = torch.randint(30, (2, 11), generator=_generator())
    torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-4, rtol=1e-4)


def test_mixtral_logits_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    theirs = transformers.MixtralForCausalLM(
        transformers.MixtralConfig(
            vocab_size=30,
            hidden_size=32,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_local_experts=4,
            num_experts_per_tok=2,
            rope_theta=10_000.0,
            sliding_window=None,
        )
    ).eval()
    ours = mixture_of_experts.build(mixture_of_experts.Config(30, 32, 4, 2, 2, 24, 4, 2, noisy=False)).eval()
    pairs = [
        (ours.tokens.weight, theirs.model.embed_tokens.weight),
        (ours.head.weight, theirs.lm_head.weight),
        (ours.norm.weight, theirs.model.norm.weight),
    ]
    for a, b in zip(ours.blocks, theirs.model.layers, strict=True):
        s = b.self_attn
        pairs += [(a.q.weight, s.q_proj.weight), (a.k.weight, s.k_proj.weight), (a.v.weight, s.v_proj.weight)]
        pairs += [(a.o.weight, s.o_proj.weight), (a.norm1.weight, b.input_layernorm.weight)]
        pairs += [(a.norm2.weight, b.post_attention_layernorm.weight), (a.mixture.gate.weight, b.mlp.gate.weight)]
        for i, expert in enumerate(a.mixture.experts):
            gate, up = b.mlp.experts.gate_up_proj[i].chunk(2)
            pairs += [(expert.gate.weight, gate), (expert.up.weight, up)]
            pairs.append((expert.down.weight, b.mlp.experts.down_proj[i]))
    _copy(pairs)
    ids = torch.randint(30, (2, 9), generator=_generator())
    torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-4, rtol=1e-4)


def test_all_experts_active_are_the_weighted_sum_of_them_all() -> None:
    torch.manual_seed(0)
    layer = mixture_of_experts.Mixture(mixture_of_experts.Config(width=8, experts=3, active=3, noisy=False))
    x = torch.randn(5, 8, generator=_generator())
    gates = layer.gate(x).softmax(-1)  # (N, E)
    wanted = sum(gates[:, i : i + 1] * expert(x) for i, expert in enumerate(layer.experts))
    torch.testing.assert_close(layer(x), wanted)
    torch.testing.assert_close(layer.importance, gates.sum(0))


def test_lora_begins_as_the_frozen_model_and_merges_into_an_equal_one() -> None:
    torch.manual_seed(0)
    config = lora.Config(gpt2.Config(symbols=20, width=16, heads=2), rank=2)
    base = gpt2.build(config.base).eval()
    ids = torch.randint(20, (3, 7), generator=_generator())
    before = base(ids).detach()
    adapted = lora.adapt(base, config)
    torch.testing.assert_close(adapted(ids), before)
    assert {name.rsplit(".", 1)[1] for name, _ in adapted.named_parameters()} == {"a", "b"}
    for name, weight in adapted.named_parameters():
        if name.endswith(".b"):
            nn.init.normal_(weight)
    merged = lora.merge(adapted)
    assert not list(merged.parameters())
    assert not torch.allclose(adapted(ids), before, atol=1e-3)
    torch.testing.assert_close(merged(ids), adapted(ids), atol=1e-5, rtol=1e-5)


def test_dpo_gradient_is_that_of_the_paper() -> None:
    logs = torch.randn(4, 6, generator=_generator(), dtype=torch.double)
    policy = (logs[0].requires_grad_(), logs[1].clone().detach().requires_grad_())
    reference, beta = (logs[2].detach(), logs[3].detach()), 0.3
    ours = torch.autograd.grad(dpo.dpo_loss(policy, reference, beta), policy)
    rewards = [beta * (p - r).detach() for p, r in zip(policy, reference, strict=True)]
    # section 4: - beta E[sigma(r(y_l) - r(y_w)) (grad log pi(y_w) - grad log pi(y_l))]
    weight = -beta * torch.sigmoid(rewards[1] - rewards[0]) / 6
    torch.testing.assert_close(ours, (weight, -weight))


def test_dpo_finds_the_policy_that_is_optimal_for_the_reward_behind_the_preferences() -> None:
    reward = torch.tensor([0.0, 1.0, -0.5, 0.3], dtype=torch.double)
    reference, beta = torch.tensor([0.4, 0.1, 0.3, 0.2], dtype=torch.double).log(), 0.7
    logits = torch.zeros(4, dtype=torch.double, requires_grad=True)
    pairs = torch.tensor(list(itertools.permutations(range(4), 2)))
    chance = torch.sigmoid(reward[pairs[:, 0]] - reward[pairs[:, 1]])  # Bradley and Terry
    optimizer = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def loss() -> Tensor:
        optimizer.zero_grad()
        logs = logits.log_softmax(0)
        pieces = []
        for (w, other), p in zip(pairs.tolist(), chance, strict=True):
            ours = logs[w : w + 1], logs[other : other + 1]
            theirs = reference[w : w + 1], reference[other : other + 1]
            pieces.append(p * dpo.dpo_loss(ours, theirs, beta))
        total = torch.stack(pieces).sum()
        total.backward()
        return total

    optimizer.step(loss)  # type: ignore[arg-type]
    wanted = (reference + reward / beta).softmax(0)  # (4)
    torch.testing.assert_close(logits.softmax(0).detach(), wanted, atol=1e-5, rtol=1e-5)


class _Net(nn.Module):
    """Some smooth function of picture and time."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(x + 0.1 * t.reshape(-1, 1, 1, 1))


def test_ddim_with_eta_one_is_ddpm_with_the_posteriors_variance() -> None:
    steps = 12
    beta, alpha_bar = diffusion.noise_levels(steps)
    x = start = torch.randn(3, 1, 4, 4, generator=_generator())
    torch.manual_seed(5)
    for t in reversed(range(steps)):
        before = alpha_bar[t - 1] if t else torch.tensor(1.0)
        noise = _Net()(x, torch.full((3,), t))
        # DDPM, (11) and the beta-tilde of (7)
        x = (x - beta[t] / (1 - alpha_bar[t]).sqrt() * noise) / (1 - beta[t]).sqrt()
        if t:
            x = x + ((1 - before) / (1 - alpha_bar[t]) * beta[t]).sqrt() * torch.randn(x.shape)
    torch.manual_seed(5)
    ours = ddim.sample(_Net(), start, steps, steps, eta=1.0)
    torch.testing.assert_close(ours, x.clamp(-1, 1), atol=1e-4, rtol=1e-4)


def test_ddim_returns_the_only_picture_there_is_in_any_number_of_steps() -> None:
    picture = torch.rand(1, 1, 4, 4, generator=_generator()) - 0.5
    _, alpha_bar = diffusion.noise_levels(50)

    class Exact(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            a = alpha_bar[t].reshape(-1, 1, 1, 1)
            return (x - a.sqrt() * picture) / (1 - a).sqrt()

    start = torch.randn(2, 1, 4, 4, generator=_generator(1))
    for steps in (1, 5, 50):
        ours = ddim.sample(Exact(), start, 50, steps)
        torch.testing.assert_close(ours, picture.expand(2, -1, -1, -1), atol=1e-2, rtol=0)


def test_flow_matchings_velocity_is_the_derivative_of_its_path_and_leads_to_the_data() -> None:
    noise, data = torch.randn(2, 4, 1, 3, 3, generator=_generator(), dtype=torch.double)
    t = torch.rand(4, generator=_generator(1), dtype=torch.double)
    _, derivative = torch.func.jvp(lambda s: flow_matching.path(noise, data, s, 1e-4)[0], (t,), (torch.ones_like(t),))
    torch.testing.assert_close(derivative, flow_matching.path(noise, data, t, 1e-4)[1])

    class Exact(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            t = t.reshape(-1, 1, 1, 1)
            return (data - x) / (1 - t)

    for steps in (1, 7):
        torch.testing.assert_close(flow_matching.solve(Exact(), noise, steps), data)


def test_hmms_probability_and_best_path_are_those_of_all_paths() -> None:
    random = np.random.default_rng(0)
    model = hmm.HMM(3, 4, random)
    o = random.integers(4, size=(2, 6))
    for line, ours in zip(o, model.log_probability(o), strict=True):
        chances = {}
        for path in itertools.product(range(3), repeat=6):
            p = model.pi[path[0]] * model.b[path[0], line[0]]
            for t in range(1, 6):
                p *= model.a[path[t - 1], path[t]] * model.b[path[t], line[t]]
            chances[path] = p
        assert ours == pytest.approx(np.log(sum(chances.values())))
        best, value = model.viterbi(line)
        assert tuple(best) == max(chances, key=lambda path: chances[path])
        assert value == pytest.approx(np.log(max(chances.values())))
        alpha, beta, _ = model.messages(line[None])
        for t in range(6):
            share = [sum(p for path, p in chances.items() if path[t] == i) for i in range(3)]
            np.testing.assert_allclose((alpha * beta)[0, t], np.array(share) / sum(share))


def test_baum_welch_never_lowers_the_probability() -> None:
    random = np.random.default_rng(1)
    model, o = hmm.HMM(3, 5, random), random.integers(5, size=(7, 20))
    values = [model.learn(o) for _ in range(30)]
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(values))
    for table in (model.pi, model.a, model.b):
        np.testing.assert_allclose(table.sum(-1), 1)


def test_a_trees_first_question_is_scikit_learns() -> None:
    x, y = load_digits(return_X_y=True)
    x = x.astype(int)
    ours = random_forest.Tree(random_forest.Config()).ask(x, y)
    theirs = DecisionTreeClassifier(max_depth=1, random_state=0).fit(x, y).tree_
    assert ours is not None
    assert ours[0] == theirs.feature[0]
    assert ours[1] == int(np.floor(theirs.threshold[0]))


def test_a_grown_tree_makes_no_error_on_its_examples() -> None:
    x, y = load_digits(return_X_y=True)
    tree = random_forest.Tree(random_forest.Config())
    tree.grow(x[:300].astype(int), y[:300], 7, np.random.default_rng(0))
    assert (tree(x[:300].astype(int)) == y[:300]).all()


def test_adaboosts_errors_are_scikit_learns_and_its_bound_holds() -> None:
    x, y = load_digits(return_X_y=True)
    x, t = x.astype(int), np.where(y % 2, 1, -1)
    model = adaboost.build(adaboost.Config())
    ours = [model.round(x, t) for _ in range(10)]
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=10, random_state=0).fit(x, t)
    # scikit-learn picks its stump by Gini impurity, ours by error: the first can only err more
    assert ours[0] <= theirs.estimator_errors_[0] + 1e-12
    wrong = [np.abs(np.average(adaboost.Stump(f, c, s)(x) != t)) for f in range(64) for c in range(17) for s in (-1, 1)]
    assert ours[0] == pytest.approx(min(wrong))
    assert (model(x) != t).mean() <= model.bound
    assert model.weights[model.stumps[-1](x) != t].sum() == pytest.approx(0.5)  # the last rule is now worth nothing
