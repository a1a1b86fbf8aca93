"""mPLUG-Owl's tower, abstractor and prompts against its authors' program and against plain sums, and whole models."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from ecva_bench.adapters.mplug_owl.abstractor import Abstractor, load_abstractor
from ecva_bench.adapters.mplug_owl.adapter import VARIANTS, MplugOwl
from ecva_bench.adapters.mplug_owl.bloom import norm_words_only
from ecva_bench.adapters.mplug_owl.owl_vit import SIZES, OwlVit, load_owl_vit
from ecva_bench.adapters.parts.media.images import normalised, squeezed
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.prompts import TokenIds, Visual, encode
from ecva_bench.checkpoints.tensors import Tensors, open_weights, under
from ecva_bench.errors import CheckpointError, UsageError
from tests.adapters.tiny import mplug_owl as tiny
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import refused

CPU, DOUBLE = (Placement(torch.device("cpu"), dtype) for dtype in (torch.float32, torch.float64))
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.mark.parametrize(("tag", "temporal"), [("a", True), ("c_images", False)])
def test_tokens_logits_and_text_are_the_originals(tag: str, temporal: bool, shared_golden: Path) -> None:
    config = json.loads((shared_golden / "mplug_owl" / f"{tag}.json").read_text())
    tensors = open_weights(shared_golden / "mplug_owl" / f"{tag}.safetensors")
    weights = under(tensors, "w.")
    tower = load_owl_vit(weights, config["vision_config"], tag, CPU, temporal=temporal)
    connector = load_abstractor(weights, config["visual_abstractor_config"], tag, CPU, temporal=temporal)
    language = language_of(config["text_config"], weights)
    values, ids = tensors["in.pixel_values"], tensors["in.input_ids"]
    with torch.no_grad():
        seen = tower.tokens(values[0].transpose(0, 1) if temporal else values)
        visual = connector(seen.flatten(0, 1)[None] if temporal else seen)
        embeds = language.get_input_embeddings()(ids.clamp(min=0))
        embeds[ids < 0] = visual.flatten(0, 1)
        logits = language(inputs_embeds=embeds).logits
        mask = torch.ones(embeds.shape[:2])
        said = language.generate(inputs_embeds=embeds, attention_mask=mask, max_new_tokens=8, do_sample=False)
    torch.testing.assert_close(seen, tensors["out.vision_last_hidden"].flatten(0, -3), **CLOSE)
    torch.testing.assert_close(visual, tensors["out.abstractor"], **CLOSE)
    torch.testing.assert_close(embeds, tensors["out.inputs_embeds"], **CLOSE)
    torch.testing.assert_close(logits, tensors["out.logits"], **CLOSE)
    assert said[0].tolist() == tensors["out.generated"][0, 1:].tolist()


def language_of(sizes: dict[str, Any], weights: Tensors) -> Any:
    """The golden file's language model."""
    kind = sizes["model_type"].capitalize()
    language = getattr(transformers, f"{kind}ForCausalLM")(getattr(transformers, f"{kind}Config").from_dict(sizes))
    language.set_attn_implementation("eager")
    own = under(weights, "language_model.").items()
    language.load_state_dict({name: tensor for name, tensor in own if "rotary_emb" not in name})
    if kind == "Bloom":
        norm_words_only(language)
    return language.eval()


@pytest.mark.parametrize("temporal", [True, False])
def test_the_tower_is_the_sums_it_stands_for(temporal: bool) -> None:
    sizes = {**tiny.VISION, "num_attention_heads": 4, "patch_size": 7, "layer_norm_eps": 1e-3}
    tower = OwlVit(sizes, temporal=temporal).double().eval()
    state = {name: tensor.double() for name, tensor in tiny.llm.random_state(tower, 5).items()}
    tower.load_state_dict(state)
    values = torch.randn(3, 3, 28, 28, generator=torch.Generator().manual_seed(6)).double()
    with torch.no_grad():
        together, alone = tower.tokens(values), tower.tokens(values[:1])
    torch.testing.assert_close(together, slow_tower(state, values, 4, temporal), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(alone, slow_tower(state, values[:1], 4, False), atol=1e-9, rtol=1e-9)


def norm(state: Tensors, name: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def linear(state: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    weight = state[f"{name}.weight"]
    return torch.einsum("...i,oi->...o", x, weight.reshape(len(weight), -1)) + state[f"{name}.bias"]


def slow_tower(state: Tensors, values: torch.Tensor, heads: int, temporal: bool) -> torch.Tensor:
    patch, (frames, _, side, _) = state["patch_embed.weight"].shape[-1], values.shape
    cells = [(i, j) for i in range(0, side, patch) for j in range(0, side, patch)]
    patches = torch.stack([values[:, :, i : i + patch, j : j + patch] for i, j in cells], dim=1)
    x = torch.einsum("tpcij,ocij->tpo", patches, state["patch_embed.weight"])
    x = torch.cat([state["cls_token"].expand(frames, 1, -1), x], dim=1) + state["position_embedding"]
    x = norm(state, "pre_layernorm", x, 1e-3)
    for layer in range(tiny.VISION["num_hidden_layers"]):
        own = under(state, f"layers.{layer}.")
        if temporal:
            x = x + moved(own, x)
        joint = linear(own, "query_key_value", norm(own, "input_layernorm", x, 1e-3))
        size, parts = x.shape[-1] // heads, []
        for head in range(heads):  # a head's queries, keys and values lie together
            query, key, value = joint[..., 3 * size * head : 3 * size * (head + 1)].split(size, dim=-1)
            weights = torch.softmax(torch.einsum("tqi,tki->tqk", query, key) / math.sqrt(size), dim=-1)
            parts.append(torch.einsum("tqk,tki->tqi", weights, value))
        x = x + linear(own, "dense", torch.cat(parts, dim=-1))
        hidden = linear(own, "fc1", norm(own, "post_attention_layernorm", x, 1e-3))
        x = x + linear(own, "fc2", hidden / (1 + torch.exp(-1.702 * hidden)))
    return norm(state, "post_layernorm", x, 1e-3)


def moved(state: Tensors, x: torch.Tensor) -> torch.Tensor:
    """What the convolutions over time give: the class token as it came, and so twice in the sum."""
    down = linear(state, "temporal.down_proj", norm(state, "temporal.ln", x, 1e-5))
    weight, hidden = state["temporal.conv.weight"][:, 0, :, 0, 0], []
    for frame in range(len(x)):
        near = [(step, frame + step - 1) for step in range(3) if 0 <= frame + step - 1 < len(x)]
        hidden.append(state["temporal.conv.bias"] + sum(weight[:, step] * down[at] for step, at in near))
    mixed = torch.stack(hidden)
    found = linear(state, "temporal.up_proj", mixed / (1 + torch.exp(-1.702 * mixed)))
    found[:, 0] = x[:, 0]
    return found


@pytest.mark.parametrize("temporal", [True, False])
def test_the_abstractor_is_the_sums_it_stands_for(temporal: bool) -> None:
    sizes = {"queries": 5, "width": 12, "hidden": 20, "layers": 3, "heads": 3, "out": 10}
    connector = Abstractor(**sizes, eps=1e-3, temporal=temporal).double().eval()
    state = {name: tensor.double() for name, tensor in tiny.llm.random_state(connector, 7).items()}
    connector.load_state_dict(state)
    tokens = torch.randn(2, 9, 12, generator=torch.Generator().manual_seed(8)).double()
    with torch.no_grad():
        found = connector(tokens)
    assert found.shape == (2, 6, 10)
    for row, expected in zip(found, tokens, strict=True):
        torch.testing.assert_close(row, slow_abstractor(state, expected, 3, temporal), atol=1e-9, rtol=1e-9)


def slow_abstractor(state: Tensors, tokens: torch.Tensor, heads: int, temporal: bool) -> torch.Tensor:
    x = torch.cat([state["query_tokens"][0], *([state["temporal_query_tokens"][0]] if temporal else [])])
    for layer in range(3):
        own = under(state, f"layers.{layer}.")
        x = norm(own, "norm1", x, 1e-5)
        read = torch.cat([linear(own, "key", x), linear(own, "key", norm(own, "normk", tokens, 1e-5))])
        told = torch.cat([linear(own, "value", x), linear(own, "value", norm(own, "normk", tokens, 1e-5))])
        size, parts = x.shape[-1] // heads, []
        for head in range(heads):
            mine = slice(size * head, size * (head + 1))
            asked = linear(own, "query", x)[:, mine]
            weights = torch.softmax(asked @ read[:, mine].T / math.sqrt(size), dim=-1)
            parts.append(weights @ told[:, mine])
        x = x + linear(own, "out_proj", torch.cat(parts, dim=-1))
        normed = norm(own, "norm2", x, 1e-5)
        gate = linear(own, "w1", normed)
        hidden = gate / (1 + torch.exp(-gate)) * linear(own, "w3", normed)
        x = x + linear(own, "w2", norm(own, "ffn_ln", hidden, 1e-3))
    half = state["query_tokens"].shape[1]
    found = linear(state, "visual_fc", x[:half])
    if temporal:
        found = found + linear(state, "temporal_visual_fc", x[half:])
    return torch.cat([found, state["vit_eos"][0]])


def test_frames_are_squeezed_and_normalised_as_transformers_does_it() -> None:
    from PIL import Image
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    frames = np.random.default_rng(9).integers(0, 256, (2, 30, 50, 3), dtype=np.uint8)
    small = squeezed(frames, 28)
    by_pillow = [np.asarray(Image.fromarray(f).resize((28, 28), Image.Resampling.BILINEAR)) for f in frames]
    assert abs(small.astype(int) - np.stack(by_pillow)).mean() < 1
    processor = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    values = processor([Image.fromarray(frame) for frame in small], return_tensors="pt")["pixel_values"]
    assert torch.equal(normalised(small), values)


class Bytes:
    """The toy vocabulary of the golden file: byte + 10, 1 begins."""

    bos = 1

    def encode(self, text: str) -> list[int]:
        return [10 + byte for byte in text.encode()]


@pytest.mark.parametrize(("variant", "name"), [("llama-video", "prompt_video"), ("bloomz", "prompt_4_images")])
def test_the_prompt_is_the_originals_to_the_letter(variant: str, name: str, shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "mplug_owl" / "sampling_and_prompt.json").read_text())
    adapter = MplugOwl(variant=variant)
    media = "<|video|>" if variant == "llama-video" else "<image>"
    text = adapter.template.text.replace("{video}", media).replace("{question}", golden["question"])
    assert text == golden[name]
    if variant == "llama-video":
        found = encode([TokenIds((1,)), *adapter.template.pieces(golden["question"])], Bytes())
        ids = [part for piece in found for part in ([-2] * 65 if isinstance(piece, Visual) else [piece])]
        assert ids == golden["bytes_tokenizer_ids_video"]


@pytest.mark.parametrize(("variant", "form"), [("bloomz", "bin"), ("llama-video", "safetensors")])
def test_the_five_tasks_are_answered_together_as_one_by_one(variant: str, form: str, tmp_path: Path) -> None:
    adapter, video = MplugOwl(**tiny.build(tmp_path, variant, form=form)), mini_clip(tmp_path)
    assert len(set(five_answers(adapter, video))) == 5
    seen = adapter.look(video)
    assert seen.features.shape == ((4 if variant == "llama-video" else 4 * 4), tiny.llm.HIDDEN)
    places = [piece for piece in adapter.prompt("?", seen) if isinstance(piece, Visual)]
    shown = torch.cat([seen.features[place.start : place.stop] for place in places])
    assert torch.equal(shown, seen.features)
    described = adapter.describe()
    assert described["frames"] == {"rule": "midpoints", "count": 4, "rounded": "steps"}
    assert described["template"]["id"] == f"models/{VARIANTS[variant].template}.v1"


def test_pictures_are_seen_apart_and_a_video_as_one(tmp_path: Path) -> None:
    video = mini_clip(tmp_path)
    for variant in VARIANTS:
        adapter = MplugOwl(**tiny.build(tmp_path / variant, variant))
        indices = adapter.frame_indices(video)
        apart = torch.cat([adapter.look(video, indices[n : n + 1]).features for n in range(4)])
        together = adapter.look(video).features
        if variant == "bloomz":
            torch.testing.assert_close(together, apart)
        else:
            assert together.shape != apart.shape


NAME = "abstractor.encoder.layers.1.crossattention.output.mlp.w3.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({NAME: None}, "fit Abstractor (1 missing: layers.1.w3.bias"),
        ({"abstractor.temporal_visual_fc.bias": torch.ones(32)}, "Abstractor (1 unexpected: temporal_visual_fc.bias"),
        ({"vision_model.post_layernorm.bias": None}, "fit OwlVit (1 missing: post_layernorm.bias"),
        ({"vision_model.encoder.layers.0.temporal.ln.bias": torch.ones(16)}, "1 unexpected: layers.0.temporal.ln.bias"),
        ({"query_tokens": None}, "1 missing: query_tokens"),
        ({"language_model.transformer.ln_f.bias": None}, "fit BloomForCausalLM (1 missing: transformer.ln_f.bias"),
        ({"language_model.x": torch.ones(1)}, "BloomForCausalLM (1 unexpected: "),
        ({"other.weight": torch.ones(1)}, "1 unexpected: other.weight"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    model = MplugOwl(**tiny.build(tmp_path, form="single"))
    assert message in refused(model, tmp_path / "model" / "pytorch_model.bin", change)


def test_the_other_variants_weights_and_unknown_variants_are_refused(tmp_path: Path) -> None:
    options = tiny.build(tmp_path) | {"variant": "llama-video"}
    with pytest.raises(
        CheckpointError, match=r"a bloom, and that of this variant a Llama: .*variant=bloomz\|llama-video"
    ):
        MplugOwl(**options).load()
    with pytest.raises(UsageError, match="'opt' is no value of variant"):
        MplugOwl(variant="opt")


def test_real_sizes_have_the_numbers_of_parameters_that_follow_from_the_papers_widths() -> None:
    width, patches, half = 1024, 257, 512
    attention, mlp = 4 * width * width + 4 * width, 2 * 4096 * width + 4096 + width
    still = 24 * (attention + mlp + 4 * width) + (3 * 196 + 1 + patches + 4) * width
    moving = 24 * (2 * width + 2 * width * half + half + width + 4 * half)
    layer = attention + 2 * 3 * width + 3 * 2816 * width + 2 * 2816 + width + 2 * 2816
    queried = 6 * layer + 64 * width + 4096 * (width + 1) + 4096
    sizes = []
    with torch.device("meta"):
        for temporal in (False, True):
            tower = OwlVit(SIZES, temporal=temporal)
            connector = Abstractor(64, 1024, 2816, 6, 16, 4096, temporal=temporal)
            found = [sum(p.numel() for p in module.parameters()) for module in (tower, connector)]
            sizes.append(sum(found))
            assert found[0] == still + temporal * moving
            assert found[1] == queried + temporal * (64 * width + 4096 * (width + 1))
            tokens = tower.tokens(torch.empty(4, 3, 224, 224))
            visual = connector(tokens.flatten(0, 1)[None] if temporal else tokens)
            assert visual.shape == ((1 if temporal else 4), 65, 4096)
        wide = transformers.BloomConfig(vocab_size=250880, hidden_size=4096, n_layer=30, n_head=32)
        languages = [transformers.BloomForCausalLM(wide), transformers.LlamaForCausalLM(transformers.LlamaConfig())]
    published = [sum(p.numel() for p in language.parameters()) for language in languages]
    assert published == [7_069_016_064, 6_738_415_616]  # of bigscience/bloomz-7b1 and LLaMA
    memory = [f"{2 * (small + large) / 1e9:.1f} GB" for small, large in zip(sizes, published, strict=True)]
    assert MplugOwl.card.memory == f"{memory[0]} of weights in 16 bits (bloomz), {memory[1]} (llama-video); computed"
