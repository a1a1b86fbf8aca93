"""PandaGPT's eyes, LoRA, frames and prompt against its authors' program and against plain sums, and whole models."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from ecva_bench.adapters.pandagpt.adapter import PandaGPT
from ecva_bench.adapters.pandagpt.delta import load_sum
from ecva_bench.adapters.pandagpt.imagebind import ImageBindVision, load_imagebind
from ecva_bench.adapters.parts.language.lora import add_lora, lora_of
from ecva_bench.adapters.parts.media.images import DEVIATION, MEAN, short_scaled, three_crops
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.prompts import Text, Visual
from ecva_bench.checkpoints.tensors import Tensors, open_weights, under
from ecva_bench.errors import AdapterError, CheckpointError, UsageError
from tests.adapters.greedy import greedy
from tests.adapters.tiny import llm
from tests.adapters.tiny import pandagpt as tiny
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import edit

CPU = Placement(torch.device("cpu"), torch.float32)


def test_the_eyes_and_the_visual_token_are_the_originals(shared_golden: Path) -> None:
    config = json.loads((shared_golden / "pandagpt" / "a.json").read_text())["vision"]
    tensors = open_weights(shared_golden / "pandagpt" / "a.safetensors")
    weights = under(tensors, "w.")
    head = config["embed_dim"] // config["num_heads"]
    tower = load_imagebind(under(weights, "visual_encoder."), "golden", CPU, head=head)
    tower.model.set_attn_implementation("eager")
    clips = tensors["in.video_uint8"][0].float().transpose(1, 2) / 255  # clips, frames, 3, side, side
    clips = (clips - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
    with torch.no_grad():
        hidden = tower.model.vision_model.embeddings(clips.flatten(1, 2))
        trunk = tower.model.vision_model(clips.flatten(1, 2)).last_hidden_state
        seen = tower.vectors(clips).mean(0, keepdim=True)
        image = tower.vectors(clips[:1, :1].expand(1, 2, -1, -1, -1))
        visual = torch.nn.functional.linear(seen, weights["llama_proj.weight"], weights["llama_proj.bias"])
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(hidden[:, ::32], tensors["out.tokens_embedded"], **close)
    torch.testing.assert_close(trunk[:, ::32], tensors["out.trunk"], **close)
    torch.testing.assert_close(seen, tensors["out.video_embedding"], **close)
    torch.testing.assert_close(image, tensors["out.image_embedding_frame0"], **close)
    torch.testing.assert_close(visual, tensors["out.inputs_llama"][0], **close)


def test_the_eyes_are_the_sums_they_stand_for() -> None:
    state = {name: tensor.double() for name, tensor in tiny.seeing_state().items()}
    tower = load_imagebind(state, "random", Placement(torch.device("cpu"), torch.float64))
    clips = torch.randn(2, 2, 3, 28, 28, generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        found = tower.vectors(clips)
    torch.testing.assert_close(found, torch.stack([slow_eyes(state, clip) for clip in clips]), atol=1e-9, rtol=1e-9)


def norm(x: torch.Tensor, state: Tensors, name: str) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def slow_eyes(state: Tensors, clip: torch.Tensor) -> torch.Tensor:
    """One clip [2, 3, 28, 28] to a vector, under the names and in the shapes of ImageBind's own file."""
    before, stem = "modality_preprocessors.vision.", "rgbt_stem.proj.1.weight"
    cells = [(i, j) for i in range(0, 28, 7) for j in range(0, 28, 7)]
    patches = [torch.einsum("tcij,octij->o", clip[..., i : i + 7, j : j + 7], state[before + stem]) for i, j in cells]
    x = torch.cat([state[f"{before}cls_token"][0], torch.stack(patches)])
    x = norm(
        x + state[f"{before}pos_embedding_helper.pos_embed"][0], state, "modality_trunks.vision.pre_transformer_layer.0"
    )
    for layer in range(2):
        own = under(state, f"modality_trunks.vision.blocks.{layer}.")
        joint = norm(x, own, "norm_1") @ own["attn.in_proj_weight"].T + own["attn.in_proj_bias"]
        query, key, value = joint.chunk(3, dim=-1)  # one head of 80 channels
        attended = torch.softmax(query @ key.T / math.sqrt(80), dim=-1) @ value
        x = x + attended @ own["attn.out_proj.weight"].T + own["attn.out_proj.bias"]
        hidden = norm(x, own, "norm_2") @ own["mlp.fc1.weight"].T + own["mlp.fc1.bias"]
        hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
        x = x + hidden @ own["mlp.fc2.weight"].T + own["mlp.fc2.bias"]
    vector = norm(x[0], state, "modality_heads.vision.0") @ state["modality_heads.vision.2.weight"].T
    return vector / vector.square().sum().sqrt()


def test_frames_are_scaled_and_cropped_as_the_originals(shared_golden: Path) -> None:
    crops = json.loads((shared_golden / "pandagpt" / "sampling_and_prompt.json").read_text())["crops"]
    assert len(crops) == 6
    for size, expected in crops.items():
        width, height = map(int, size.split("x"))
        scaled = short_scaled(torch.zeros(1, 1, height, width))
        assert list(scaled.shape[2:]) == expected["scaled_hw"]
        places = torch.stack(torch.meshgrid(*map(torch.arange, scaled.shape[2:]), indexing="ij"))
        assert [crop[:, 0, 0].tolist() for crop in three_crops(places)] == expected["crop_top_left_yx"], size
        assert all(crop.shape == (2, 224, 224) for crop in three_crops(places))


def test_a_view_is_a_crop_of_both_frames_of_a_clip() -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (4, 28, 40, 3), dtype=np.uint8)
    views = tiny.tower().views(pixels)
    assert views.shape == (6, 2, 3, 28, 28)
    for clip in range(2):
        for crop, left in enumerate((0, 6, 12)):
            for frame in range(2):
                shown = pixels[2 * clip + frame, :, left : left + 28] / 255
                expected = torch.tensor((shown - MEAN) / DEVIATION).movedim(-1, 0).float()
                torch.testing.assert_close(views[3 * clip + crop, frame], expected, atol=1e-5, rtol=1e-5)


def test_the_prompt_is_the_originals_to_the_letter(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "pandagpt" / "sampling_and_prompt.json").read_text())
    pieces = PandaGPT.template.pieces(golden["question"])
    assert pieces == [Text(golden["text_before"]), Visual(), Text(golden["text_after"])]
    assert all(golden["stop_token_id"] in policy.eos for policy in PandaGPT.policies.values())


@pytest.mark.parametrize("delta", [False, True])
def test_the_five_tasks_are_answered_as_by_the_same_weights_put_together_by_hand(delta: bool, tmp_path: Path) -> None:
    adapter, video = PandaGPT(**tiny.build(tmp_path, delta=delta)), mini_clip(tmp_path)
    assert len(set(five_answers(adapter, video))) == 5
    question = "Why does it happen?"
    assert adapter.answer(video, question) == by_hand(adapter, tmp_path, adapter.look(video).features, question, delta)


def by_hand(adapter: PandaGPT, folder: Path, visual: torch.Tensor, question: str, delta: bool) -> str:
    """The answer of a LLaMA whose weights are summed here, one token after another."""
    language = llm.language("Llama", vocab=llm.PIECES + delta)
    state, base = language.state_dict(), llm.language("Llama").state_dict()
    if delta:
        other = llm.language("Llama", seed=1, vocab=llm.PIECES + 1).state_dict()
        for name, tensor in other.items():
            more = torch.zeros(len(tensor) - len(base[name]), *tensor.shape[1:])
            state[name].copy_(tensor + torch.cat([base[name], more]))
    for name, first in tiny.own_state().items():
        if "lora_A" in name:
            target = name.removeprefix("llama_model.base_model.model.").replace("lora_A.default.", "")
            state[target] += 32 / tiny.RANK * tiny.own_state()[name.replace("lora_A", "lora_B")] @ first
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "base" / "tokenizer.model"))
    embed = language.get_input_embeddings()
    with torch.no_grad():
        head = embed(torch.tensor([1, *pieces.encode("### Human: <Img>")]))
        tail = embed(torch.tensor(pieces.encode(f"</Img> {question}\n### Assistant:")))
        assert visual.shape == (1, llm.HIDDEN)
    said = greedy(language, torch.cat([head, visual, tail]), new=8)
    return pieces.decode([token for token in said if 2 < token < llm.PIECES]).strip()


def test_an_answer_ends_where_the_next_turn_would_begin(tmp_path: Path) -> None:
    adapter, video = PandaGPT(**tiny.build(tmp_path)), mini_clip(tmp_path)
    said: list[list[int]] = []
    tokenizer = adapter.networks.tokenizer
    decode = tokenizer.decode
    tokenizer.decode = lambda ids: said.append(list(ids)) or decode(ids)  # type: ignore[method-assign, func-returns-value]
    adapter.answer(video, "Why?")
    mark = said[0][3]
    adapter.policy = type(adapter.policy)(max_new_tokens=8, eos=(2, mark), pad=2)
    adapter.answer(video, "Why?")
    assert said[1] == said[0][: said[0].index(mark)]


def test_clips_are_those_of_the_rate_containers_state(tmp_path: Path) -> None:
    adapter = PandaGPT(model_path="unread")

    class Shown:
        n_frames, frame_rate = 1800, 1800 / (30 - 1e-14)  # a rate of 60, but for rounding

    assert Shown.frame_rate != 60
    assert adapter.frame_indices(Shown()).tolist() == [0, 119, 420, 539, 840, 959, 1260, 1379, 1680, 1799]  # type: ignore[arg-type]


def test_what_determines_answers_is_described(tmp_path: Path) -> None:
    described = PandaGPT(**tiny.build(tmp_path, delta=True)).describe()
    assert set(described["checkpoints"]) == {"model", "base", "delta", "imagebind"}
    assert described["frames"] == {"rule": "clip_ends", "count": 5, "seconds": 2.0}
    before = described["checkpoints"]["model"]
    edit(tmp_path / "model" / "pytorch_model.pt", {"llama_proj.bias": torch.ones(llm.HIDDEN)})
    again = PandaGPT(
        model_path=str(tmp_path / "model"), base=str(tmp_path / "base"), imagebind=str(tmp_path / "imagebind")
    )
    assert again.describe()["checkpoints"]["model"] != before


def test_without_imagebind_the_remedy_is_told(tmp_path: Path) -> None:
    options = {**tiny.build(tmp_path), "imagebind": ""}
    with pytest.raises(UsageError, match=r"own weights do not see: .*imagebind_huge\.pth .*--model-arg imagebind="):
        PandaGPT(**options).describe()


LORA = tiny.LAYER.format(1, "k", "B")
SEEING = "modality_trunks.vision.blocks.1."


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("model/pytorch_model.pt", {LORA: None}, "fit the LoRA (1 missing: model.layers.1.self_attn.k_proj.B"),
        ("model/pytorch_model.pt", {LORA.replace("k_", "x_"): torch.ones(1)}, "the LoRA (1 unexpected"),
        ("model/pytorch_model.pt", {LORA: torch.ones(5, 3)}, "the LoRA (1 of another shape"),
        ("model/pytorch_model.pt", {"llama_proj.bias": None}, "fit Linear (1 missing: bias"),
        ("model/pytorch_model.pt", {"other": torch.ones(1)}, "fit PandaGPT (1 unexpected: other"),
        ("model/pytorch_model.pt", {"llama_model.x": torch.ones(1)}, "fit PandaGPT (1 unexpected: llama_model.x"),
        ("imagebind/imagebind_huge.pth", {f"{SEEING}norm_1.bias": None}, "missing: vision_model.encoder.layers.1."),
        ("imagebind/imagebind_huge.pth", {f"{SEEING}x.bias": torch.ones(1)}, "unexpected: vision_model.encoder.layers"),
        ("base/pytorch_model.bin", {"model.norm.weight": None}, "missing: model.norm.weight"),
    ],
)  # fmt: skip
def test_a_name_too_few_or_too_many_is_an_error(
    file: str, change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    options = tiny.build(tmp_path, form="single")
    edit(tmp_path / file, change)
    with pytest.raises(CheckpointError) as error:
        PandaGPT(**options).load()
    assert message in str(error.value)
    assert file.partition("/")[0] in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.norm.weight": None}, "fit the delta (1 missing: model.norm.weight"),
        ({"model.x": torch.ones(1)}, "fit the delta (1 unexpected: model.x"),
        ({"model.embed_tokens.weight": torch.ones(400, 32)}, "1 of another shape: model.embed_tokens.weight"),
    ],
)
def test_a_base_must_be_that_of_the_delta(change: dict[str, torch.Tensor | None], message: str, tmp_path: Path) -> None:
    options = tiny.build(tmp_path, delta=True, form="single")
    edit(tmp_path / "base" / "pytorch_model.bin", change)
    with pytest.raises(CheckpointError) as error:
        PandaGPT(**options).load()
    assert message in str(error.value)


def test_a_lora_is_read_with_and_without_the_name_of_its_adapter() -> None:
    tensors = {
        "x.base_model.model.layer.lora_A.weight": torch.ones(1),
        "x.base_model.model.layer.lora_B.default.weight": torch.ones(2),
        "x.base_model.model.layer.bias": torch.ones(3),
        "base_model.model.layer.lora_A.weight": torch.ones(4),
    }
    found = {name: len(tensor) for name, tensor in lora_of(tensors, "x.").items()}
    assert found == {"layer.A": 1, "layer.B": 2, "x.base_model.model.layer.bias": 3}


def test_quantised_weights_take_neither_a_lora_nor_a_delta() -> None:
    with pytest.raises(AdapterError, match="a LoRA cannot be merged into quantised weights"):
        add_lora(SimpleNamespace(is_quantized=True), {}, 1, "here", modules=())
    with pytest.raises(AdapterError, match="a delta cannot be added to quantised weights"):
        load_sum(Path("a"), Path("b"), "Llama", replace(CPU, quantize="8bit"))


def test_real_sizes_have_the_numbers_of_parameters_that_follow_from_the_published_widths() -> None:
    width = 1280
    block = 4 * width * width + 4 * width + 2 * 5120 * width + 5120 + width + 4 * width
    eyes = 32 * block + (6 * 14 * 14 + 1 + 257 + 4 + 1024) * width
    with torch.device("meta"):
        tower = ImageBindVision()
        assert sum(p.numel() for p in tower.parameters()) == eyes
        assert tower.vectors(torch.empty(15, 2, 3, 224, 224)).shape == (15, 1024)
        large = {"hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 40, "num_attention_heads": 40}
        sizes = [sum(p.numel() for p in LlamaForCausalLM(LlamaConfig(**more)).parameters()) for more in ({}, large)]
    assert sizes == [6_738_415_616, 13_015_864_320]  # as LLaMA's 7B and 13B are published
    memory = [2 * (eyes + llama + 1024 * hidden) / 1e9 for llama, hidden in zip(sizes, (4096, 5120), strict=True)]
    assert [f"{gigabytes:.1f} GB" for gigabytes in memory] == ["14.8 GB", "27.3 GB"]
    assert all(f"{gigabytes:.1f} GB" in PandaGPT.card.memory for gigabytes in memory)
