"""VideoChat2 against its authors' program and against plain sums, and a whole model from its authors' layout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sentencepiece import SentencePieceProcessor
from transformers import BertTokenizer

from ecva_bench.adapters.parts.connectors.qformer import Projected, load_qformer
from ecva_bench.adapters.parts.layouts.sizes import load_linear
from ecva_bench.adapters.parts.media.images import cropped
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.prompts import Text, Visual
from ecva_bench.adapters.videochat2.adapter import TOWER, VideoChat2
from ecva_bench.adapters.videochat2.umt import load_umt, position_table
from ecva_bench.checkpoints.tensors import open_weights, under
from ecva_bench.errors import CheckpointError
from ecva_bench.video import Video
from ecva_bench.video.samplers import midpoints
from tests.adapters import slow_lavis as slow
from tests.adapters.greedy import greedy
from tests.adapters.tiny import lavis, llm
from tests.adapters.tiny import videochat2 as tiny
from tests.adapters.tiny.answers import five_answers, mini_clip

CPU = Placement(torch.device("cpu"), torch.float32)
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture(scope="module")
def tables(shared_golden: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_golden / "videochat2" / "sampling_and_prompt.json").read_text())
    return found


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return mini_clip(tmp_path_factory.mktemp("mini"))


def test_tokens_are_the_originals(shared_golden: Path) -> None:
    config = json.loads((shared_golden / "videochat2" / "a.json").read_text())
    tensors = open_weights(shared_golden / "videochat2" / "a.safetensors")
    own, width, count = under(tensors, "w."), config["vit"]["embed_dim"], config["vit"]["frames"]
    head = width // config["vit"]["num_heads"]
    tower = load_umt(under(own, TOWER), under(own, "vision_layernorm."), "a", CPU, cropped, head=head)
    queries = torch.cat([own["query_tokens"], own["extra_query_tokens"]], dim=1)
    head = config["qformer"]["hidden_size"] // config["qformer"]["num_attention_heads"]
    connector = Projected(
        load_qformer(under(own, "qformer."), queries, "a", CPU, head=head),
        load_linear(own, "mistral_proj", "a", CPU),
    )
    torch.testing.assert_close(position_table(count, 196, width)[::49], tensors["out.pos_embed_used"][0], **CLOSE)
    pixels = tensors["in.video_uint8"][0].permute(0, 2, 3, 1).numpy()
    bare: list[torch.Tensor] = []
    tower.vision_layernorm.register_forward_pre_hook(lambda _, given: bare.append(given[0]))
    with torch.no_grad():
        seen = tower(pixels)
        visual = connector(seen[None], tensors["in.qformer_input_ids"])
    blocks = bare[0].view(count, 196, width)
    torch.testing.assert_close(blocks[:, ::28], tensors["out.vision_encoder"][0], **CLOSE)
    torch.testing.assert_close(blocks.sum((0, 1)), tensors["out.vision_encoder_full_sum"][0], atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(visual, tensors["out.video_tokens"][0], **CLOSE)


def test_frames_are_the_originals(tables: dict[str, Any]) -> None:
    for key, expected in tables["frame_indices"].items():
        total, count = map(int, key.split("_"))
        rule = VideoChat2().frame_rule()
        assert (rule["rule"], rule["count"]) == ("midpoints", 16)
        shown: Any = SimpleNamespace(n_frames=total)
        if count == rule["count"]:
            assert VideoChat2().frame_indices(shown).tolist() == expected, key
        else:
            assert midpoints(total, count, rounded=rule["rounded"]).tolist() == expected, key


def test_the_prompt_is_the_originals(tables: dict[str, Any]) -> None:
    match VideoChat2.template.pieces(tables["question"]):
        case [Text(before), Visual(), Text(after)]:
            assert f"{before}<VideoHere>{after}" == tables["prompt"]
        case _:
            raise AssertionError


def test_an_answer_is_that_of_the_sums(tmp_path: Path, video: Video) -> None:
    adapter, own = VideoChat2(**tiny.build(tmp_path)), tiny.own()
    frames = video.frames_at(adapter.frame_indices(video)).pixels
    values = torch.stack([slow.prepared(frame, 224) for frame in frames])
    tower = {name.removeprefix(TOWER): tensor for name, tensor in own.items()}
    seen = slow.norm(own, "vision_layernorm", slow.umt(tower, values, tiny.BLOCKS, heads=1), 1e-12)
    ids = BertTokenizer(str(tmp_path / "bert" / "vocab.txt"))("Watch the video and answer the question.")["input_ids"]
    queries = torch.cat([own["query_tokens"][0], own["extra_query_tokens"][0]])
    bert = {name.removeprefix("qformer."): tensor for name, tensor in own.items()}
    read = slow.qformer(bert, queries, seen, (ids, [1] * len(ids)), heads=1, crossed=2, layers=2)
    visual = slow.linear(own, "mistral_proj", read[: len(queries)])
    torch.testing.assert_close(adapter.look(video).features.double(), visual, atol=2e-4, rtol=2e-4)

    language, question = llm.language("Mistral"), "Why?"
    for name, tensor in own.items():
        if ".lora_A" in name:
            module = name.removeprefix("mistral_model.base_model.model.").partition(".lora_A")[0]
            change = 32 / tiny.RANK * own[name.replace("lora_A", "lora_B")] @ tensor
            language.get_submodule(module).weight.data += change
    pieces = SentencePieceProcessor(model_proto=llm.vocabulary())
    texts = ["[INST] <Video>", f"</Video> [/INST] [INST] {question} [/INST]"]
    with torch.no_grad():
        head, tail = (torch.tensor(ids) for ids in ([1, *pieces.encode(texts[0])], pieces.encode(texts[1])))
        embed = language.get_input_embeddings()
        said = greedy(language, torch.cat([embed(head), visual.float(), embed(tail)]), new=8)
    assert adapter.answer(video, question) == pieces.decode([number for number in said if number > 2]).strip()


def test_five_questions_have_the_same_answers_together_and_alone(tmp_path: Path, video: Video) -> None:
    adapter = VideoChat2(**tiny.build(tmp_path))
    assert len(set(five_answers(adapter, video))) == 5
    assert adapter.look(video).features.shape == (lavis.QUERIES + 3, llm.HIDDEN)
    assert set(adapter.describe()["checkpoints"]) == {"model", "bert", "base"}


ONE = torch.ones(1)
LORA = "mistral_model.base_model.model.lm_head.lora_B.default.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({f"{TOWER}blocks.0.attn.q_bias": None}, "1 missing: blocks.0.attn.q_bias"),
        ({f"{TOWER}patch_embed.proj.weight": None}, "1 missing: patch_embed.proj.weight"),
        ({f"{TOWER}norm.weight": ONE}, "1 unexpected: norm.weight"),
        ({"vision_layernorm.bias": None}, "1 missing: vision_layernorm.bias"),
        ({"extra_query_tokens": None}, "1 missing: extra_query_tokens"),
        ({LORA: None}, "1 missing: lm_head.B"),
        ({"mistral_model.base_model.model.model.embed_tokens.weight": ONE}, "1 unexpected"),
        ({"temp": ONE}, "VideoChat2 (1 unexpected: temp)"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        VideoChat2(**tiny.build(tmp_path, change=change)).load()
