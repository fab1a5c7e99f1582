"""Pictures, sound and text together: against torch.nn and transformers on shared random weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ailineage.models.reference import (
    contrastive,
    image_transformer,
    imagebind,
    mae,
    metaclip,
    sam,
    stable_diffusion,
    whisper,
)

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    state = torch.get_rng_state()
    torch.manual_seed(0)
    yield
    torch.set_rng_state(state)


def test_info_nce_is_cross_entropy_with_the_partner_as_class() -> None:
    one, two = torch.randn(2, 7, 5)
    logits = F.cosine_similarity(one[:, None], two[None], dim=2) / 0.3
    torch.testing.assert_close(contrastive.info_nce(one, two, 0.3), F.cross_entropy(logits, torch.arange(7)))


def test_pair_and_triplet_losses_are_those_of_torch() -> None:
    a, p, n = torch.randn(3, 7, 5)
    squared = nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).square().sum(1), margin=0.5)
    torch.testing.assert_close(contrastive.triplet_loss(a, p, n, 0.5), squared(a, p, n))
    # the pair loss of 2006 is half the squared hinge of torch's HingeEmbeddingLoss
    dissimilar, distance = torch.tensor([0, 1, 0, 1, 1, 0, 1]), F.pairwise_distance(a, p, eps=0)
    hinge = F.hinge_embedding_loss(distance, 1 - 2 * dissimilar, margin=4.0, reduction="none")
    torch.testing.assert_close(contrastive.pair_loss(a, p, dissimilar, 4.0), (hinge**2 / 2).mean())


def _copy(pairs: list[tuple[nn.Module, nn.Module]]) -> None:
    """Give our modules the parameters of theirs, those of one name."""
    for ours, theirs in pairs:
        ours.load_state_dict(theirs.state_dict())


def test_mae_reconstructions_and_loss_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    config = mae.Config(12, 3, 1, 16, 2, 4, 8, 1, 2, 0.75, longest=10_000.0)
    theirs = transformers.ViTMAEForPreTraining(
        transformers.ViTMAEConfig(
            image_size=12,
            patch_size=3,
            num_channels=1,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            decoder_hidden_size=8,
            decoder_num_hidden_layers=1,
            decoder_num_attention_heads=2,
            decoder_intermediate_size=32,
            layer_norm_eps=1e-6,
            mask_ratio=0.75,
        )
    ).eval()
    for parameter in theirs.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.3)
    ours = mae.build(config)
    v, d = theirs.vit, theirs.decoder
    v.embeddings.position_embeddings.data, d.decoder_pos_embed.data = ours.places[None], ours.decoder_places[None]
    ours.token.data, ours.mask_token.data = v.embeddings.cls_token.data, d.mask_token.data
    pairs = [(ours.patches.conv, v.embeddings.patch_embeddings.projection), (ours.norm, v.layernorm)]
    pairs += [(ours.narrow, d.decoder_embed), (ours.decoder_norm, d.decoder_norm), (ours.pixels, d.decoder_pred)]
    for a, b in zip([*ours.encoder, *ours.decoder], [*v.layers, *d.decoder_layers], strict=True):
        s, m = b.attention, b.mlp
        pairs += [(a.attention.q, s.q_proj), (a.attention.k, s.k_proj), (a.attention.v, s.v_proj)]
        pairs += [(a.attention.o, s.o_proj), (a.forward_net.up, m.fc1), (a.forward_net.down, m.fc2)]
        pairs += [(a.norms[0], b.layernorm_before), (a.norms[1], b.layernorm_after)]
    _copy(pairs)
    images, noise = torch.randn(2, 1, 12, 12), torch.rand(2, 16)
    loss, pixels, hidden = ours(images, noise)
    expected = theirs(images, noise=noise)
    torch.testing.assert_close(pixels, expected.logits, **CLOSE)
    torch.testing.assert_close(hidden.float(), expected.mask)
    torch.testing.assert_close(loss, expected.loss, **CLOSE)


def _whisper(attention: nn.Module, theirs: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    modules = [(attention.q, theirs.q_proj), (attention.k, theirs.k_proj), (attention.v, theirs.v_proj)]
    return [*modules, (attention.o, theirs.out_proj)]


def test_whisper_logits_and_their_gradient_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    ours = whisper.build(whisper.Config(mels=8, frames=20, symbols=50, context=12, width=16, heads=2, layers=2))
    theirs = transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=50,
            num_mel_bins=8,
            d_model=16,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            max_source_positions=20,
            max_target_positions=12,
            **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 0),
        )
    ).eval()
    e, d = theirs.model.encoder, theirs.model.decoder
    torch.testing.assert_close(ours.waves, e.embed_positions.weight, **CLOSE)
    for parameter in theirs.parameters():
        if parameter is not e.embed_positions.weight:
            nn.init.normal_(parameter, std=0.2)
    pairs = [(ours.conv1, e.conv1), (ours.conv2, e.conv2), (ours.norm_sound, e.layer_norm)]
    pairs += [(ours.tokens, d.embed_tokens), (ours.norm_text, d.layer_norm)]
    ours.positions.data = d.embed_positions.weight.data
    for a, b in zip([*ours.encoder, *ours.decoder], [*e.layers, *d.layers], strict=True):
        pairs += [*_whisper(a.attention, b.self_attn), (a.norms[0], b.self_attn_layer_norm)]
        if a.cross is not None:
            pairs += [*_whisper(a.cross, b.encoder_attn), (a.norms[1], b.encoder_attn_layer_norm)]
        pairs += [(a.forward_net.up, b.fc1), (a.forward_net.down, b.fc2), (a.norms[-1], b.final_layer_norm)]
    _copy(pairs)
    mel, ids = torch.randn(2, 8, 40, requires_grad=True), torch.randint(50, (2, 7))
    logits, expected = ours(mel, ids), theirs(input_features=mel, decoder_input_ids=ids).logits
    torch.testing.assert_close(logits, expected, **CLOSE)
    direction = torch.randn_like(logits)
    (one,) = torch.autograd.grad((logits * direction).sum(), mel)
    (two,) = torch.autograd.grad((expected * direction).sum(), mel)
    torch.testing.assert_close(one, two, **CLOSE)


def test_whispers_spectrogram_is_that_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.WhisperFeatureExtractor(chunk_length=1)
    torch.testing.assert_close(whisper.mel_filters(80).double(), torch.tensor(theirs.mel_filters.T), **CLOSE)
    sound = torch.randn(2, 16_000)
    expected = theirs(list(sound.numpy()), sampling_rate=16_000, return_tensors="pt").input_features
    torch.testing.assert_close(whisper.log_mel(sound, 80), expected, rtol=1e-3, atol=1e-3)


def _perceptron(ours: nn.Sequential, theirs: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    return [(ours[0], theirs.proj_in), (ours[2], theirs.layers[0]), (ours[4], theirs.proj_out)]


def _sam_encoder(ours: nn.Module, theirs: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    ours.places.data = theirs.pos_embed.data[0]
    pairs = [(ours.patches.conv, theirs.patch_embed.projection)]
    for a, b in zip(ours.blocks, theirs.layers, strict=True):
        a.attention.rows.data, a.attention.columns.data = b.attn.rel_pos_h.data, b.attn.rel_pos_w.data
        pairs += [(a.norm1, b.layer_norm1), (a.norm2, b.layer_norm2), (a.attention.qkv, b.attn.qkv)]
        pairs += [(a.attention.out, b.attn.proj), (a.net.up, b.mlp.lin1), (a.net.down, b.mlp.lin2)]
    n = theirs.neck
    return [*pairs, *zip(ours.neck, (n.conv1, n.layer_norm1, n.conv2, n.layer_norm2), strict=True)]


def _sam_prompts(ours: nn.Module, theirs: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    ours.frequencies = theirs.shared_embedding.positional_embedding.data
    ours.kinds.weight.data = torch.cat([e.weight.data for e in theirs.point_embed])
    m = theirs.mask_embed
    masks = [(ours.mask[0], m.conv1), (ours.mask[1], m.layer_norm1), (ours.mask[3], m.conv2)]
    masks += [(ours.mask[4], m.layer_norm2), (ours.mask[6], m.conv3)]
    return [*masks, (ours.nothing, theirs.not_a_point_embed), (ours.no_mask, theirs.no_mask_embed)]


def _sam_decoder(ours: nn.Module, theirs: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    ours.outputs.weight.data = torch.cat([theirs.iou_token.weight.data, theirs.mask_tokens.weight.data])
    t = theirs.transformer
    pairs = [*_whisper(ours.last, t.final_attn_token_to_image), (ours.norm, t.layer_norm_final_attn)]
    for a, b in zip(ours.layers, t.layers, strict=True):
        pairs += [*_whisper(a.own, b.self_attn), *_whisper(a.to_image, b.cross_attn_token_to_image)]
        pairs += [*_whisper(a.to_tokens, b.cross_attn_image_to_token), (a.net.up, b.mlp.lin1), (a.net.down, b.mlp.lin2)]
        pairs += zip(a.norms, (b.layer_norm1, b.layer_norm2, b.layer_norm3, b.layer_norm4), strict=True)
    up = (theirs.upscale_conv1, theirs.upscale_layer_norm, ours.up[2], theirs.upscale_conv2, ours.up[4])
    pairs += [*zip(ours.up, up, strict=True), *_perceptron(ours.quality, theirs.iou_prediction_head)]
    for a, b in zip(ours.weights, theirs.output_hypernetworks_mlps, strict=True):
        pairs += _perceptron(a, b)
    return pairs


def test_sam_masks_and_their_expected_overlap_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    config = sam.Config(48, 4, 3, 16, 2, 2, (1,), 5, 32, 4, 48, 2)  # 12 patches in windows of 5: padded
    vision = {"image_size": 48, "patch_size": 4, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"global_attn_indexes": [1], "window_size": 5, "mlp_dim": 64, "output_channels": 32, "num_pos_feats": 16}
    prompts = {"hidden_size": 32, "image_size": 48, "patch_size": 4}
    masks = {"hidden_size": 32, "mlp_dim": 48, "num_attention_heads": 4, "iou_head_hidden_dim": 32}
    theirs = transformers.SamModel(
        transformers.SamConfig(
            vision_config=vision | {"image_embedding_size": 12},
            prompt_encoder_config=prompts | {"image_embedding_size": 12},
            mask_decoder_config=masks | {"layer_norm_eps": 1e-5},
        )
    ).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = sam.build(config)
    _copy(_sam_encoder(ours.image, theirs.vision_encoder) + _sam_prompts(ours.prompt, theirs.prompt_encoder))
    _copy(_sam_decoder(ours.mask, theirs.mask_decoder))
    images, points = torch.randn(2, 3, 48, 48), torch.randint(48, (2, 3, 2)).float()
    kinds, rough = torch.tensor([[1, 0, 1], [0, 1, -1]]), torch.randn(2, 1, 48, 48)
    for given in (None, rough):
        expected = theirs(images, input_points=points[:, None], input_labels=kinds[:, None], input_masks=given)
        # transformers adds a point of kind -1 where there is no box
        all_points, all_kinds = F.pad(points, (0, 0, 0, 1)), F.pad(kinds, (0, 1), value=-1)
        found, quality = ours(ours.image(images), all_points, all_kinds, given)
        torch.testing.assert_close(found[:, None, 1:], expected.pred_masks, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(quality[:, None, 1:], expected.iou_scores, **CLOSE)


def test_local_attention_whose_memory_reaches_everything_is_torchs() -> None:
    ours, x = image_transformer.LocalAttention(8, 2, 4, 12), torch.randn(2, 14, 8)  # the fourth block is filled up
    q, k, v = (f(x).unflatten(2, (2, 4)).transpose(1, 2) for f in (ours.q, ours.k, ours.v))
    expected = ours.o(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
    torch.testing.assert_close(ours(x), expected, **CLOSE)


def test_image_transformer_does_not_see_what_it_predicts() -> None:
    model = image_transformer.build(image_transformer.Config(width=16, hidden=16)).eval()
    ids = torch.randint(17, (1, 64))
    other = ids.clone()
    other[0, 30] = (other[0, 30] + 1) % 17
    same = (model(ids) - model(other)).abs().sum(2)[0] == 0
    assert bool(same[:31].all())
    assert not bool(same[31:].all())


def test_stable_diffusions_text_states_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    ours = stable_diffusion.Text(stable_diffusion.Config(symbols=50, context=9, text_width=16, text_layers=2))
    sizes = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 64, "max_position_embeddings": 9}
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = transformers.CLIPTextConfig(**sizes, **ids, num_hidden_layers=2, num_attention_heads=4)
    theirs = transformers.CLIPTextModel(config).eval()
    core = getattr(theirs, "text_model", theirs)
    pairs = [(ours.words, core.embeddings.token_embedding), (ours.norm, core.final_layer_norm)]
    ours.positions.data = core.embeddings.position_embedding.weight.data
    for a, b in zip(ours.layers, core.encoder.layers, strict=True):
        pairs += [*_whisper(a.attention, b.self_attn), (a.norms[0], b.layer_norm1), (a.norms[1], b.layer_norm2)]
        pairs += [(a.forward_net.up, b.mlp.fc1), (a.forward_net.down, b.mlp.fc2)]
    _copy(pairs)
    words = torch.randint(3, 50, (2, 9))
    torch.testing.assert_close(ours(words), theirs(words).last_hidden_state, **CLOSE)


def test_attention_to_a_learned_key_is_torchs_bias_kv() -> None:
    ours, theirs = imagebind.Biased(8, 2), nn.MultiheadAttention(8, 2, add_bias_kv=True, batch_first=True)
    theirs.in_proj_weight.data = torch.cat([f.weight.data for f in (ours.q, ours.k, ours.v)])
    theirs.in_proj_bias.data = torch.cat([f.bias.data for f in (ours.q, ours.k, ours.v)])
    theirs.bias_k.data, theirs.bias_v.data = ours.key.data[None, None], ours.value.data[None, None]
    theirs.out_proj.load_state_dict(ours.o.state_dict())
    x = torch.randn(3, 5, 8)
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0], **CLOSE)


def test_imagebind_has_the_sum_of_the_released_models_layers() -> None:
    def trunk(width: int, layers: int, biased: bool = True) -> int:
        return layers * (12 * width**2 + 13 * width + 2 * width * biased) + 2 * width + width * 1024

    def stem(inputs: int, places: int, width: int) -> int:  # patches, their or the states' norm, token, positions
        return inputs * width + 2 * width + width + (places + 1) * width

    total = stem(3 * 2 * 14 * 14, 256, 1280) + trunk(1280, 32, biased=False)
    total += (49_408 + 77) * 1024 + trunk(1024, 24, biased=False) + 1
    total += stem(256, 12 * 19, 768) + stem(256, 196, 768) + 2 * trunk(768, 12)
    total += stem(256, 196, 384) + trunk(384, 12) + stem(48, 250, 512) + trunk(512, 6)
    assert imagebind.METADATA["presets"] == {"huge": total}


def test_metaclip_keeps_rare_entries_and_thins_frequent_ones() -> None:
    captions = ["one day"] * 900 + ["number two"] * 30 + ["someone"] * 50
    kept = metaclip.curate(captions, ["one", "two"], 50, np.random.default_rng(0))
    assert set(range(900, 930)) <= set(kept)
    assert all(i < 930 for i in kept)
    assert 25 < sum(i < 900 for i in kept) < 80
