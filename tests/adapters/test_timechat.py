"""TimeChat against its authors' program and against plain sums, and a whole model from its authors' layout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sentencepiece import SentencePieceProcessor
from transformers import BertTokenizer

from ecva_bench.adapters.parts.connectors.qformer import load_qformer
from ecva_bench.adapters.parts.layouts.lavis import tower_tensors
from ecva_bench.adapters.parts.layouts.sizes import load_embedding, load_linear
from ecva_bench.adapters.parts.media.images import squeezed
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.prompts import Text, TokenIds, Visual
from ecva_bench.adapters.parts.towers.eva import load_eva
from ecva_bench.adapters.timechat.adapter import TimeChat, seconds
from ecva_bench.adapters.timechat.sliding import SlidingQFormer
from ecva_bench.checkpoints.tensors import open_weights, under
from ecva_bench.errors import CheckpointError
from ecva_bench.video import Video
from ecva_bench.video.samplers import starts
from tests.adapters import slow_lavis as slow
from tests.adapters.greedy import greedy
from tests.adapters.tiny import lavis, llm
from tests.adapters.tiny import timechat as tiny
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.video.make import write

CPU = Placement(torch.device("cpu"), torch.float32)
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture(scope="module")
def tables(shared_golden: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_golden / "timechat" / "sampling_and_prompt.json").read_text())
    return found


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return mini_clip(tmp_path_factory.mktemp("mini"))


def test_tokens_are_the_originals(shared_golden: Path) -> None:
    config = json.loads((shared_golden / "timechat" / "a.json").read_text())
    tensors = open_weights(shared_golden / "timechat" / "a.safetensors")
    own = under(tensors, "w.")
    head = config["vit"]["embed_dim"] // config["vit"]["num_heads"]
    tower = load_eva(tower_tensors([own]), "a", CPU, squeezed, norm=True, head=head)
    head = config["qformer"]["hidden_size"] // config["qformer"]["num_attention_heads"]
    image = load_qformer(under(own, "Qformer."), own["query_tokens"], "a", CPU, head=head)
    connector = SlidingQFormer(
        image,
        load_embedding(own, "video_frame_position_embedding", "a", CPU),
        load_qformer(under(own, "video_Qformer."), own["video_query_tokens"], "a", CPU, head=head),
        load_linear(own, "llama_proj", "a", CPU),
        window=config["window_size"],
    )
    ids, mask = tensors["in.timestamp_input_ids"], tensors["in.timestamp_attention_mask"]
    with torch.no_grad():
        seen = tower.tokens(tensors["in.video"][0].transpose(0, 1))
        torch.testing.assert_close(seen, tensors["out.ln_vision"], **CLOSE)
        torch.testing.assert_close(image(seen, ids, mask), tensors["out.image_qformer_last_hidden"], **CLOSE)
        torch.testing.assert_close(connector(seen, ids, mask), tensors["out.inputs_llama"][0], **CLOSE)


def test_frames_are_the_originals(tables: dict[str, Any]) -> None:
    for key, expected in tables["frame_indices"].items():
        total, count = map(int, key.split("_"))
        assert TimeChat().frame_rule() == {"rule": "starts", "at_most": 96}
        shown: Any = SimpleNamespace(n_frames=total)
        if count == 96:
            assert TimeChat().frame_indices(shown).tolist() == expected, key
        else:
            assert starts(total, min(count, total)).tolist() == expected, key


def prompt_of(positions: list[float], question: str) -> tuple[int, str, str]:
    adapter = TimeChat()
    adapter.networks = SimpleNamespace(tokenizer=SimpleNamespace(bos=1))  # type: ignore[assignment]
    seen: Any = SimpleNamespace(positions=np.array(positions))
    match adapter.prompt(question, seen):
        case [TokenIds((bos,)), Text(before), Visual(), Text(after)]:
            return bos, before, after
    raise AssertionError


def test_prompts_are_the_originals(tables: dict[str, Any]) -> None:
    question = tables["question"]
    for key, message in tables["messages"].items():
        total, count, fps = key.split("_")
        rate = {"30.000": 30, "23.976": 24000 / 1001}[fps]
        indices = tables["frame_indices"][f"{total}_{count}"]
        _, _, after = prompt_of([index / rate for index in indices], "{video} {seconds}?")
        assert after == f"</Video> {message} {{video}} {{seconds}}? [/INST]", key
    indices = tables["frame_indices"]["15_8"]
    bos, before, after = prompt_of([index / 30 for index in indices], question)
    assert bos == 1
    assert f"{before}<ImageHere>{after}" == tables["prompt_15_frames_8"]
    texts = [TimeChat.instruction.text.replace("{second}", second) for second in seconds(np.array(indices) / 30)]
    assert texts == tables["timestamp_texts_15_8"]


def visual_by_hand(frames: np.ndarray, texts: list[str], bert: Path) -> torch.Tensor:
    """The visual tokens of frames scaled already, beside their texts; the last window is short."""
    eva, trimmed = lavis.random(lavis.eva() | EXTRA, 11), lavis.random(lavis.frozen() | TRIMMED, 12)
    own = tiny.own()
    values = torch.stack([slow.normed(frame) for frame in frames])
    last = slow.norm(trimmed, "ln_vision", slow.eva_layers(eva, values, lavis.BLOCKS, heads=1)[-1], 1e-5)
    text = BertTokenizer(str(bert / "vocab.txt"))(texts, padding="longest")
    image = {name.removeprefix("Qformer."): tensor for name, tensor in own.items()}
    marked = []
    for number, tokens in enumerate(last):
        row = (text["input_ids"][number], text["attention_mask"][number])
        read = slow.qformer(image, own["query_tokens"][0], tokens, row, heads=1, crossed=2, layers=2)
        marked.append(read + own["video_frame_position_embedding.weight"][number].double())
    second = {name.removeprefix("video_Qformer."): tensor for name, tensor in own.items()}
    found = []
    for start in range(0, len(marked), 32):
        window = torch.cat(marked[start : start + 32])
        queries = own["video_query_tokens"][0]
        found.append(slow.qformer(second, queries, window, None, heads=1, crossed=1, layers=2))
    return slow.linear(own, "llama_proj", torch.cat(found))


EXTRA = {"norm.weight": (3,), "head.bias": (3,)}
TRIMMED = {"llm_proj.weight": (3, 3), "Qformer.cls.predictions.bias": (3,)}


def test_an_answer_is_that_of_the_sums(tmp_path: Path) -> None:
    adapter = TimeChat(**tiny.build(tmp_path), alpha="3")
    question, indices = "Why this?", np.arange(37)
    video = Video(
        write(tmp_path / "a.mp4", ticks=[31 * number for number in indices])
    )  # so that texts differ in length
    seen = adapter.look(video, indices)
    frames = video.frames_at(indices)
    texts = [f"This frame is sampled at {round(float(t), 1)} second." for t in frames.positions]
    assert len({len(text) for text in texts}) > 1
    visual = visual_by_hand(squeezed(frames.pixels, lavis.SIDE), texts, tmp_path / "bert")
    torch.testing.assert_close(seen.features.double(), visual, atol=2e-4, rtol=2e-4)

    language = llm.language("Llama")
    for name, tensor in tiny.own().items():
        if "lora_A" in name:
            module = language.get_submodule(name.removeprefix("llama_model.base_model.model.").partition(".lora_A")[0])
            other = tiny.own()[name.replace("lora_A", "lora_B")]
            module.weight.data += 3 / tiny.RANK * other @ tensor
    pieces = SentencePieceProcessor(model_proto=llm.vocabulary())
    bos, before, after = prompt_of(list(frames.positions), question)
    with torch.no_grad():
        head, tail = (torch.tensor(ids) for ids in ([bos, *pieces.encode(before)], pieces.encode(after)))
        embed = language.get_input_embeddings()
        said = greedy(language, torch.cat([embed(head), visual.float(), embed(tail)]), new=8)
    known = [number for number in said if number > 2]
    assert adapter.ask([(seen, question)]) == [pieces.decode(known).strip()]


def test_five_questions_have_the_same_answers_together_and_alone(tmp_path: Path, video: Video) -> None:
    options = tiny.build(tmp_path)
    adapter = TimeChat(**options)
    assert len(set(five_answers(adapter, video))) == 5
    assert adapter.look(video).features.shape == (3 * 3, llm.HIDDEN)
    described = adapter.describe()
    assert set(described["checkpoints"]) == {"model", "lavis", "bert", "base"}
    assert described["alpha"] == 20
    flat = TimeChat(**options | {"base": f"{options['base']}/llama-2-7b-chat-hf"})
    assert flat.answer(video, "Why?") == adapter.answer(video, "Why?")
    assert TimeChat(**options, alpha="32").answer(video, "Why?") != adapter.answer(video, "Why?")


ONE = torch.ones(1)
LORA = "llama_model.base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"video_query_tokens": None}, "1 missing: video_query_tokens"),
        ({"video_Qformer.bert.embeddings.LayerNorm.bias": None}, "1 missing: bert.layernorm.bias"),
        ({"video_frame_position_embedding.weight": None}, "1 missing: video_frame_position_embedding.weight"),
        ({"llama_proj.bias": None}, "1 missing: bias"),
        ({LORA: None}, "1 missing: model.layers.0.self_attn.q_proj.A"),
        ({LORA.replace("q_proj", "up_proj"): ONE}, "1 unexpected: model.layers.0.self_attn.up_proj.A"),
        ({"llama_model.base_model.model.model.norm.weight": ONE}, "1 unexpected"),
        ({"query_tokens_more": ONE, "video_frame.x": ONE}, "2 unexpected: query_tokens_more, video_frame.x"),
        ({"audio_Qformer.bert.x": ONE}, "TimeChat (1 unexpected: audio_Qformer.bert.x)"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        TimeChat(**tiny.build(tmp_path, change=change)).load()


def test_one_file_is_the_models(tmp_path: Path) -> None:
    options = tiny.build(tmp_path)
    torch.save({}, tmp_path / "model" / "other.pth")
    with pytest.raises(CheckpointError, match=r"none of 2 files \*\.pth is known to be the model's.*/model"):
        TimeChat(**options).load()
