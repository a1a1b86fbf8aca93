"""EVA-CLIP-g with and without its branch, UMT, Q-Formers and what they read, against plain sums and other programs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers import BertTokenizer

from ecva_bench.adapters.parts.connectors.qformer import BertText, QFormer, load_qformer, qformer_tensors
from ecva_bench.adapters.parts.families.composed import Composed
from ecva_bench.adapters.parts.layouts.lavis import QFORMER, QUERIES, first, open_lavis, tower_tensors
from ecva_bench.adapters.parts.media.images import cropped
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.towers.eva import EvaTower, eva_config, eva_tensors, load_eva
from ecva_bench.adapters.st_llm.adapter import StLlm
from ecva_bench.adapters.st_llm.bt_adapter import Branch, load_branched
from ecva_bench.adapters.timechat.adapter import TimeChat
from ecva_bench.adapters.videochat2.adapter import VideoChat2
from ecva_bench.adapters.videochat2.umt import UmtTower, load_umt, position_table
from ecva_bench.errors import CheckpointError
from tests.adapters import slow_lavis as slow
from tests.adapters.tiny import lavis as tiny
from tests.adapters.tiny import videochat2 as tiny_videochat2

CPU = Placement(torch.device("cpu"), torch.float32)
EXACT = Placement(torch.device("cpu"), torch.float64)
HALF_HEAD = 44  # two heads for the tiny tower


def frames(count: int, side: int = tiny.SIDE) -> torch.Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def as_is(pixels: np.ndarray, side: int) -> np.ndarray:
    return pixels[:, :side, :side]


# Towers


def test_the_tower_gives_what_sums_over_patches_and_heads_give() -> None:
    state = tiny.random(tiny.eva(blocks=3, side=21) | tiny.norm("ln_vision", tiny.WIDTH), 1)
    values = frames(3, 21)
    last = slow.eva_layers(state, values, 3, heads=2)[-1]
    tower = load_eva(state, "x", EXACT, as_is, norm=True, head=HALF_HEAD)
    torch.testing.assert_close(tower.tokens(values), slow.norm(state, "ln_vision", last, 1e-5), atol=1e-9, rtol=1e-9)
    bare = {name: tensor for name, tensor in state.items() if not name.startswith("ln_vision")}
    plain = load_eva(bare, "x", EXACT, as_is, norm=False, head=HALF_HEAD)
    torch.testing.assert_close(plain.tokens(values), last, atol=1e-9, rtol=1e-9)


def test_the_branch_gives_what_sums_token_by_token_give() -> None:
    shapes = tiny.eva(blocks=4, side=14) | tiny.norm("ln_vision", tiny.WIDTH) | tiny.branch(blocks=2)
    state, values = tiny.random(shapes, 2), frames(5, 14)
    layers = slow.eva_layers(state, values, 4, heads=2)
    expected = slow.norm(state, "ln_vision", slow.branched(state, layers[2:], heads=2), 1e-5)
    tower = load_branched(state, "x", EXACT, as_is, head=HALF_HEAD)
    torch.testing.assert_close(tower.tokens(values), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("number", [3, 4, 6])
def test_umt_gives_what_sums_over_patches_and_heads_give(number: int) -> None:
    state = tiny.random(tiny_videochat2.umt(patch=112), 3)
    norm = tiny.random(tiny.norm("n", tiny_videochat2.WIDTH), 4)
    values = frames(number, 224)
    expected = slow.norm(norm, "n", slow.umt(state, values, 2, heads=4), 1e-12)
    weights = {"weight": norm["n.weight"], "bias": norm["n.bias"]}
    found = load_umt(state, weights, "x", EXACT, as_is, head=16).tokens(values)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)  # its table of places is in float32


def test_places_are_those_of_the_original(shared_golden: Path) -> None:
    tables = json.loads((shared_golden / "videochat2" / "sampling_and_prompt.json").read_text())
    probe = tables["pos_embed_16f_d64_probe"]
    found = position_table(16, 196, 64)[probe["rows"]]
    torch.testing.assert_close(found[:, : len(probe["values"][0])], torch.tensor(probe["values"]), atol=1e-6, rtol=0)


def test_frames_are_seen_in_parts_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    state = tiny.random(tiny.eva(), 1)
    tower = load_eva(state, "x", CPU, as_is, norm=False)
    pixels = np.random.default_rng(1).integers(0, 256, (5, 30, 30, 3), dtype=np.uint8)
    whole = tower(pixels)
    monkeypatch.setattr("ecva_bench.adapters.parts.towers.eva.FRAMES", 2)
    torch.testing.assert_close(tower(pixels), whole, atol=1e-5, rtol=1e-5)
    assert whole.shape == (5, 17, tiny.WIDTH)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def block(width: int, mlp: int) -> int:
    """Four matrices of attention, two of the perceptron, their biases but for the keys', two norms."""
    return 4 * width**2 + 2 * mlp * width + 3 * width + mlp + width + 4 * width


def test_at_their_real_size_networks_have_the_known_number_of_parameters() -> None:
    with torch.device("meta"):
        eva, text = EvaTower(eva_config(), as_is, norm=True), QFormer()
        umt, branch = UmtTower(as_is), Branch(1408, 16, 6144)
    assert round(count(eva) / 1e6, 2) == 985.95
    assert round(count(text.bert) / 1e6, 2) == 185.66
    assert count(umt) == 23 * block(1024, 4096) + (3 * 16 * 16 + 1) * 1024 + 2 * 1024
    temporal = 5 * 1408**2 + 6 * 1408  # attention, a matrix after it, biases but for the keys', a norm
    assert count(branch) == 3 * (block(1408, 6144) + temporal) + (1 + 64) * 1408


# Q-Formers


@pytest.mark.parametrize(("crossed", "layers"), [(1, 2), (2, 5), (3, 4)])
def test_a_q_former_with_text_gives_what_sums_over_heads_give(crossed: int, layers: int) -> None:
    state = tiny.random(tiny.qformer(layers=layers, crossed=crossed), 6)
    generator = torch.Generator().manual_seed(7)
    queries = torch.randn(1, 5, tiny.BERT, generator=generator, dtype=torch.float64)
    pictures = torch.randn(2, 7, tiny.WIDTH, generator=generator, dtype=torch.float64)
    texts = [([2, 9, 5, 3], [1, 1, 1, 1]), ([2, 3, 0, 0], [1, 1, 0, 0])]
    module = load_qformer(state, queries, "x", EXACT, head=16)
    found = module(pictures, torch.tensor([t[0] for t in texts]), torch.tensor([t[1] for t in texts]))
    for row, picture, text in zip(found, pictures, texts, strict=True):
        by_hand = slow.qformer(state, queries[0], picture, text, heads=4, crossed=crossed, layers=layers)
        torch.testing.assert_close(row, by_hand, atol=1e-9, rtol=1e-9)
    one = module(pictures, torch.tensor([texts[0][0]]))
    torch.testing.assert_close(one[0], found[0], atol=1e-9, rtol=1e-9)
    by_hand = slow.qformer(state, queries[0], pictures[1], texts[0], heads=4, crossed=crossed, layers=layers)
    torch.testing.assert_close(one[1], by_hand, atol=1e-9, rtol=1e-9)


def test_a_q_former_without_text_gives_what_sums_over_heads_give() -> None:
    state = tiny.random(tiny.qformer(layers=3, encoder=48, crossed=1, text=False), 8)
    queries, picture = torch.randn(1, 5, tiny.BERT).double(), torch.randn(1, 9, 48).double()
    module = load_qformer(state, queries, "x", EXACT, head=32)
    expected = slow.qformer(state, queries[0], picture[0], None, heads=2, crossed=1, layers=3)
    torch.testing.assert_close(module(picture)[0], expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bert.encoder.layer.1.output.dense.bias": None}, "1 missing: bert.encoder.layer.1.output.dense.bias"),
        ({"bert.encoder.layer.0.crossattention.self.key.weight": None}, "1 missing: encoder.layer.0.crossattention"),
        ({"bert.more": torch.ones(1)}, "1 unexpected: bert.more"),
        ({"bert.encoder.layer.1.crossattention.self.key.bias": torch.ones(64)}, "missing: bert.encoder.layer.1.cross"),
        ({"bert.embeddings.LayerNorm.bias": torch.ones(3)}, "bert.embeddings.layernorm.bias 3 for 64"),
    ],
)
def test_a_q_former_takes_all_names_or_none(change: dict[str, torch.Tensor | None], message: str) -> None:
    state = {**tiny.random(tiny.qformer(), 6), "cls.predictions.bias": torch.ones(3)}
    load_qformer(state, torch.zeros(1, 4, tiny.BERT), "there", CPU)
    changed = {name: tensor for name, tensor in (state | change).items() if tensor is not None}
    with pytest.raises(CheckpointError, match=message):
        load_qformer(changed, torch.zeros(1, 4, tiny.BERT), "there", CPU)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks.1.attn.q_bias": None}, "1 missing: encoder.layers.1.self_attn.qkv.bias"),
        ({"blocks.0.attn.v_bias": None}, "1 missing: encoder.layers.0.self_attn.qkv.bias"),
        ({"pos_embed": None}, "1 missing: embeddings.position_embedding"),
        ({"ln_vision.bias": None}, "1 missing: post_layernorm.bias"),
        ({"blocks.1.gamma_1": torch.ones(3)}, "1 unexpected: blocks.1.gamma_1"),
        ({"more": torch.ones(3)}, "1 unexpected: more"),
    ],
)
def test_a_tower_takes_all_names_or_none(change: dict[str, torch.Tensor | None], message: str) -> None:
    state = tiny.random(tiny.eva() | tiny.norm("ln_vision", tiny.WIDTH), 1)
    changed = {name: tensor for name, tensor in (state | change).items() if tensor is not None}
    with pytest.raises(CheckpointError, match=message):
        load_eva(changed, "there", CPU, as_is, norm=True)


def test_blocks_that_no_model_uses_are_left_out() -> None:
    state = tiny.random(tiny.eva(blocks=40, side=14, mlp=4), 1)
    assert len(load_eva(state, "x", CPU, as_is, norm=False).model.encoder.layers) == 39


# Where they lie


def as_hubs_have_it(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """LAVIS's tensors as InstructBLIP in transformers names them, with a language model beside."""
    tower = {f"vision_model.{name}": tensor for name, tensor in eva_tensors(tower_tensors([state]), norm=True).items()}
    bert = {f"qformer.{name}": tensor for name, tensor in qformer_tensors(first([state], QFORMER)).items()}
    return {**tower, **bert, QUERIES: state[QUERIES], "language_model.model.norm.weight": torch.ones(3)}


def test_the_frozen_half_is_the_same_from_lavis_and_from_hubs(tmp_path: Path) -> None:
    lavis = open_lavis(tiny.write_lavis(tmp_path / "lavis"))
    (tmp_path / "hub").mkdir()
    torch.save(as_hubs_have_it(dict(lavis)), tmp_path / "hub" / "pytorch_model.bin")
    towers, formers = [], []
    for source in (lavis, open_lavis(tmp_path / "hub")):
        towers.append(load_eva(tower_tensors([source]), "x", CPU, as_is, norm=True).state_dict())
        formers.append(load_qformer(first([source], QFORMER), source[QUERIES], "x", CPU).state_dict())
    for one, other in (towers, formers):
        assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    (tmp_path / "lavis" / "eva_vit_g.pth").unlink()
    with pytest.raises(CheckpointError, match=r"there is no eva_vit_g\.pth.*put it beside instruct_blip"):
        open_lavis(tmp_path / "lavis")


# Texts and pictures


@settings(max_examples=60)
@given(text=st.text(alphabet="the video watch frames 0123.,?é[]!Xx\t\n", max_size=90), length=st.integers(3, 24))
def test_texts_become_the_ids_of_transformers(text: str, length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bert")
    tiny.write_bert(folder / "b")
    other = BertTokenizer(str(folder / "b" / "vocab.txt"), truncation_side="left")
    ids, mask = BertText(folder / "b", length)([text, "this"])
    expected = other([text, "this"], padding="longest", truncation=True, max_length=length, return_tensors="pt")
    assert torch.equal(ids, expected["input_ids"])
    assert torch.equal(mask, expected["attention_mask"])


def test_no_text_names_a_special_token_and_a_broken_vocabulary_is_told(tmp_path: Path) -> None:
    folder = tiny.write_bert(tmp_path / "bert")
    ids, _ = BertText(folder, 32)(["[SEP]"])
    assert [tiny.WORDS[i] for i in ids[0]] == ["[CLS]", "[", "s", "##e", "##p", "]", "[SEP]"]
    (folder / "vocab.txt").write_text("[PAD]\n[CLS]\n")
    with pytest.raises(CheckpointError, match=r"2 missing: \[SEP\], \[UNK\]"):
        BertText(folder, 32)
    with pytest.raises(CheckpointError, match=r"no vocab\.txt"):
        BertText(tmp_path, 32)


@pytest.mark.parametrize("size", [(30, 40), (41, 30), (30, 30), (33, 61), (28, 29), (90, 47)])
def test_the_middle_is_cropped_as_torchvision_does(size: tuple[int, int]) -> None:
    height, width = size
    pixels = np.random.default_rng(2).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    short, long = sorted(size)
    scaled = (28, 28 * long // short) if width <= height else (28 * long // short, 28)
    for frame, found in zip(pixels, cropped(pixels, 28), strict=True):
        image = np.asarray(Image.fromarray(frame).resize(scaled, Image.Resampling.BICUBIC))
        margins = [(scaled[1] - 28) / 2, (scaled[0] - 28) / 2]
        top, left = (
            math.floor(m) if m % 1 < 0.5 or (m % 1 == 0.5 and math.floor(m) % 2 == 0) else math.ceil(m) for m in margins
        )
        assert np.array_equal(found, image[top : top + 28, left : left + 28])


# What a real run needs


SIZES = {
    "Llama": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32},
    "Mistral": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32},
}


@pytest.mark.parametrize(("model", "kind"), [(StLlm, "Llama"), (TimeChat, "Llama"), (VideoChat2, "Mistral")])
def test_a_card_states_the_memory_of_the_real_networks(model: type[Composed], kind: str) -> None:
    with torch.device("meta"):
        sizes = getattr(transformers, f"{kind}Config")(**SIZES[kind], num_attention_heads=32)
        language = getattr(transformers, f"{kind}ForCausalLM")(sizes)
        tower = UmtTower(as_is) if model is VideoChat2 else EvaTower(eva_config(), as_is, norm=True)
        qformer = QFormer(96, encoder=1024) if model is VideoChat2 else QFormer()
        video = QFormer(layers=2, crossed=1, words=0, encoder=768) if model is TimeChat else torch.nn.Identity()
    bytes_ = 2 * sum(count(part) for part in (language, tower, qformer, video))
    assert model.card.memory.startswith(f"{bytes_ / 1e9:.1f} GB of weights in 16 bits")
