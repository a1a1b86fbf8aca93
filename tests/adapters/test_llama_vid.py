"""LLaMA-VID is its authors' program: frames, words, tower, connector, and answers of checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from ecva_bench.adapters.llama_vid.adapter import LlamaVid
from ecva_bench.adapters.llama_vid.context import ContextTokens, load_context
from ecva_bench.adapters.parts.connectors.mlp import mlp2x
from ecva_bench.adapters.parts.connectors.qformer import QFormer
from ecva_bench.adapters.parts.media.images import cropped, normalised
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.prompts import Text
from ecva_bench.adapters.parts.towers.eva import EvaTower, eva_config, load_eva
from ecva_bench.checkpoints.tensors import open_weights, renamed, under
from ecva_bench.errors import CheckpointError
from ecva_bench.video import Video
from tests.adapters import slow_lavis as slow
from tests.adapters.greedy import greedy
from tests.adapters.slow_context import slow_context
from tests.adapters.tiny import lavis, llama_vid, llm
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.video.make import write

CPU = Placement(torch.device("cpu"), torch.float32)
EXACT = Placement(torch.device("cpu"), torch.float64)
QUESTIONS = ["Why does it happen?", "What does the accident lead to, in seconds?", "é?"]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LlamaVid:
    return LlamaVid(**llama_vid.build(tmp_path_factory.mktemp("llama-vid")))


def test_frames_and_prompt_are_those_of_the_original(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "llama_vid" / "sampling_and_prompt.json").read_text())
    assert len(golden["frame_indices"]) == 13
    for name, expected in golden["frame_indices"].items():
        total, rate = name.split("@")
        video = SimpleNamespace(n_frames=int(total), positions=np.arange(int(total)) / float(rate))
        assert LlamaVid().frame_indices(video).tolist() == expected, name  # type: ignore[arg-type]
    pieces = LlamaVid.template.pieces("Q?")
    assert "".join(p.text if isinstance(p, Text) else "<image>" for p in pieces) == golden["prompt"]


def test_the_tower_gives_the_originals_tokens(shared_golden: Path) -> None:
    settings = json.loads((shared_golden / "llama_vid" / "eva_a.json").read_text())
    golden = open_weights(shared_golden / "llama_vid" / "eva_a.safetensors")
    state = renamed(golden, lambda name: None if name.startswith(("input", "output")) else name)
    head = settings["embed_dim"] // settings["num_heads"]
    tower = load_eva(state, "golden", CPU, cropped, norm=False, head=head)
    with torch.no_grad():
        found = tower.tokens(golden["input.pixel_values"])
    torch.testing.assert_close(found, golden["output"], atol=1e-5, rtol=1e-5)


def test_the_connector_gives_the_originals_tokens(shared_golden: Path) -> None:
    settings = json.loads((shared_golden / "llama_vid" / "a.json").read_text())
    golden = open_weights(shared_golden / "llama_vid" / "a.safetensors")
    head = settings["bert"]["hidden_size"] // settings["bert"]["num_attention_heads"]
    connector = load_context(under(golden, "model."), settings["compress_type"], "golden", CPU, head=head)
    with torch.no_grad():
        found = connector(golden["input.image_features"], golden["input.text_ids"])
    torch.testing.assert_close(found, golden["output"][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("compress", "grid", "frames", "tokens"),
    [
        ("mean", 1, 3, 17),
        ("mean_concat", 1, 2, 16),
        ("grid:2", 2, 2, 17),
        ("grid:3", 3, 1, 37),
        ("mean", 1, 2, 26),
        (None, 0, 2, 10),
    ],
)
def test_the_connector_is_the_sums_it_stands_for(compress: str | None, grid: int, frames: int, tokens: int) -> None:
    state = llama_vid.own()
    connector = load_context(state, compress, "random", EXACT, head=16)
    generator = torch.Generator().manual_seed(tokens)
    features = torch.randn(frames, tokens, lavis.WIDTH, generator=generator, dtype=torch.float64)
    ids = [2, 9, 5, 30, 3]
    expected = slow_context(state, features, ids, grid=grid, heads=4, layers=3)
    with torch.no_grad():
        found = connector(features, torch.tensor([ids]))
    torch.testing.assert_close(found, expected, atol=1e-8, rtol=1e-8)


def test_long_videos_are_seen_in_parts_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    connector = load_context(llama_vid.own(), "mean", "random", EXACT)
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(70, 9, lavis.WIDTH, generator=generator, dtype=torch.float64)
    ids = torch.tensor([[2, 7, 3]])
    with torch.no_grad():
        found = connector(features, ids)
        monkeypatch.setattr("ecva_bench.adapters.llama_vid.context.FRAMES", 100)
        torch.testing.assert_close(found, connector(features, ids), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("size", [(48, 65), (61, 32), (28, 28), (45, 31)])
def test_frames_are_prepared_as_by_clip(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(4).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    clip = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    expected = clip(list(frames), return_tensors="pt")["pixel_values"]
    found = normalised(cropped(frames, 28, rounded=False))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def by_hand(model: LlamaVid, video: Video, indices: list[int], question: str, new: int = 8) -> str:
    """The answer of the same files: tower and connector in sums, one token after another from the whole sequence."""
    place = model.checkpoint.folder
    tower = {name.rpartition("vision_tower.")[2]: tensor for name, tensor in llama_vid.tower_state().items()}
    values = normalised(cropped(video.frames_at(indices).pixels, lavis.SIDE, rounded=False)).double()
    features = slow.eva_layers(tower, values, lavis.BLOCKS, heads=1)[-1]
    words = model.text([question])[0][0].tolist()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(place / "tokenizer.model"))
    language = LlamaForCausalLM(LlamaConfig.from_pretrained(place)).eval()
    language.load_state_dict(llm.language("Llama").state_dict())
    embed = language.get_input_embeddings()
    before, after = model.template.text.split("{video}")
    with torch.no_grad():
        visual = slow_context(llama_vid.own(), features, words, grid=1, heads=1, layers=3).float()
        assert len(visual) == 2 * len(indices)
        head, tail = [1, *pieces.encode(before)], pieces.encode(after.replace("{question}", question))
        row = torch.cat([embed(torch.tensor(head)), visual, embed(torch.tensor(tail))])
    said = greedy(language, row, new=new)
    return pieces.decode([token for token in said if token > 2]).strip()


def test_answers_are_those_of_the_model_put_together_by_hand(loaded: LlamaVid, tmp_path: Path) -> None:
    video = Video(write(tmp_path / "a.mp4", count=90))
    expected = [by_hand(loaded, video, [0, 25, 50, 75], question) for question in QUESTIONS]
    assert len(set(expected)) == len(QUESTIONS)
    assert loaded.answer_many(video, QUESTIONS) == expected
    two = LlamaVid(**llama_vid.build(tmp_path / "two"), frames="2")
    assert two.answer(video, QUESTIONS[0]) == by_hand(two, video, [0, 75], QUESTIONS[0])


def test_the_connector_reads_the_question(loaded: LlamaVid, tmp_path: Path) -> None:
    seen = loaded.look(Video(write(tmp_path / "a.mp4", count=30)))
    tokens = [loaded.visual(seen, question) for question in QUESTIONS[:2]]
    assert not torch.allclose(tokens[0][::2], tokens[1][::2])  # context
    assert torch.equal(tokens[0][1::2], tokens[1][1::2])  # content


@pytest.mark.parametrize("tower", ["alone", "lavis"])
def test_a_tower_apart_is_the_same_tower(tower: str, loaded: LlamaVid, tmp_path: Path) -> None:
    video = Video(write(tmp_path / "a.mp4", count=30))
    apart = LlamaVid(**llama_vid.build(tmp_path, tower=tower))
    assert torch.equal(apart.look(video).features, loaded.look(video).features)
    assert set(apart.describe()["checkpoints"]) == {"model", "bert", "lavis"}
    assert set(loaded.describe()["checkpoints"]) == {"model", "bert"}


def test_the_five_tasks_are_answered_and_what_determines_answers_is_described(loaded: LlamaVid, tmp_path: Path) -> None:
    assert len(set(five_answers(loaded, mini_clip(tmp_path)))) > 1
    described = loaded.describe()
    assert described["frames"] == {"rule": "at_fps", "fps": 1.0, "cap": None}
    assert described["template"]["id"] == "models/llama-vid.v1"
    assert json.dumps(described)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vlm_att_ln.bias": None}, "1 missing: bias"),
        ({"vlm_att_query": None}, "1 missing: vlm_att_query"),
        ({"vlm_att_bert_proj.weight": torch.ones(3, 3)}, "1 unexpected: vlm_att_bert_proj.weight"),
        ({"vlm_att_encoder.bert.x": torch.ones(3)}, "1 unexpected: bert.x"),
        ({"mm_projector.2.bias": None}, "1 missing: 2.bias"),
        ({"mm_projector.4.bias": torch.ones(3)}, "1 unexpected: 4.bias"),
        ({"vision_tower.vision_tower.blocks.1.norm1.bias": None}, "1 missing: encoder.layers.1.layer_norm1.bias"),
        ({"vision_tower.vision_tower.x": torch.ones(3)}, "1 unexpected: x"),
        ({"more": torch.ones(3)}, "1 unexpected: model.more"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(change: llama_vid.Change, message: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as error:
        LlamaVid(**llama_vid.build(tmp_path, change=change)).load()
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bert_type": "raw_bert"}, "another kind (raw_bert, mlp2x_gelu)"),
        ({"bert_type": "qformer_pretrain_layer:6"}, "another kind"),
        ({"mm_projector_type": "linear"}, "another kind"),
        ({"compress_type": "grid:1"}, "content tokens of another kind (grid:1)"),
        ({"compress_type": "max"}, "content tokens of another kind (max)"),
    ],
)
def test_another_connector_is_refused(settings: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as error:
        LlamaVid(**llama_vid.build(tmp_path, **settings)).load()
    assert message in str(error.value)


def test_real_sizes_have_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        tower = EvaTower(eva_config(), cropped, norm=False)
        layers = [torch.nn.Linear(*sizes) for sizes in ((768, 1408), (1408, 1408), (1408, 4096))]
        connector = ContextTokens(QFormer(), torch.nn.LayerNorm(1408), *layers, mlp2x(1408, 4096), 1)
        language = LlamaForCausalLM(LlamaConfig(vocab_size=32000, intermediate_size=11008))
    parts = (tower, connector.qformer.bert, connector, language)
    seeing, reading, connecting, speaking = (sum(p.numel() for p in module.parameters()) for module in parts)
    assert round((seeing + 2 * 1408) / 1e6, 2) == 985.95  # with the norm that it does not use
    assert round(reading / 1e6, 2) == 185.66
    assert round(2 * (seeing + connecting + speaking) / 1e9, 1) == float(LlamaVid.card.memory.split()[0])
