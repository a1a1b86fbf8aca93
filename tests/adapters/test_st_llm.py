"""ST-LLM against its authors' program and against plain sums, and whole models from its authors' layouts."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sentencepiece import SentencePieceProcessor
from transformers import BertTokenizer, LlamaConfig, LlamaForCausalLM

from ecva_bench.adapters.parts.connectors.qformer import Projected, load_qformer
from ecva_bench.adapters.parts.language.generation import generate
from ecva_bench.adapters.parts.language.networks import Networks
from ecva_bench.adapters.parts.language.policy import Policy
from ecva_bench.adapters.parts.layouts.lavis import QFORMER, first, tower_tensors
from ecva_bench.adapters.parts.layouts.sizes import load_linear
from ecva_bench.adapters.parts.media.images import cropped
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.prompts import Text, Visual
from ecva_bench.adapters.parts.towers.eva import load_eva
from ecva_bench.adapters.st_llm.adapter import StLlm
from ecva_bench.adapters.st_llm.residual import GlobalResidual, kept_frames
from ecva_bench.checkpoints.tensors import open_weights, under
from ecva_bench.errors import AdapterError, CheckpointError
from ecva_bench.video import Video
from tests.adapters import slow_lavis as slow
from tests.adapters.greedy import greedy
from tests.adapters.tiny import lavis, llm
from tests.adapters.tiny import st_llm as tiny
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.video.make import write

CPU = Placement(torch.device("cpu"), torch.float32)
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def tables(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "st_llm" / "sampling_and_prompt.json").read_text())
    return found


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return mini_clip(tmp_path_factory.mktemp("mini"))


def test_tokens_are_the_originals(shared_golden: Path) -> None:
    config = json.loads((shared_golden / "st_llm" / "a.json").read_text())
    tensors = open_weights(shared_golden / "st_llm" / "a.safetensors")
    own = under(tensors, "w.")
    head = config["vit"]["embed_dim"] // config["vit"]["num_heads"]
    tower = load_eva(tower_tensors([own]), "a", CPU, cropped, norm=True, head=head)
    head = config["qformer"]["hidden_size"] // config["qformer"]["num_attention_heads"]
    qformer = load_qformer(first([own], QFORMER), own["query_tokens"], "a", CPU, head=head)
    proj = load_linear(own, "llama_proj", "a", CPU)
    ends = [load_linear(own, name, "a", CPU) for name in ("down_proj", "up_proj")]
    with torch.no_grad():
        seen, ids = tower.tokens(tensors["in.video"]), tensors["in.qformer_input_ids"]
        torch.testing.assert_close(seen, tensors["out.ln_vision"], **CLOSE)
        frames = Projected(qformer, proj)(seen, ids).view(config["frames"], -1, config["llm_hidden"])
        torch.testing.assert_close(frames, tensors["out.frame_tokens"], **CLOSE)
        residual = GlobalResidual(*ends, kept=config["residual_size"])
        visual = Projected(qformer, proj, residual)(seen, ids)
        torch.testing.assert_close(visual, tensors["out.video_tokens"][0], **CLOSE)


class Numbers:
    """Ids in place of a vocabulary."""

    bos = 1

    def decode(self, ids: list[int]) -> str:
        return " ".join(map(str, ids))


DECODING = {
    "greedy": {},
    "greedy_rep15": {"repetition_penalty": 1.5, "repeated": (1,)},
    "beam5_rep15": {"repetition_penalty": 1.5, "repeated": (1,), "num_beams": 5},
}


@pytest.mark.parametrize("name", DECODING)
def test_what_is_said_is_what_the_older_transformers_said(name: str, shared_golden: Path) -> None:
    config = json.loads((shared_golden / "st_llm" / "decode_a.json").read_text())["text_config"]
    tensors = open_weights(shared_golden / "st_llm" / "decode_a.safetensors")
    language = LlamaForCausalLM(LlamaConfig.from_dict(config)).eval()
    language.set_attn_implementation("eager")
    language.load_state_dict(dict(under(tensors, "w.")))
    expected = tensors[f"out.{name}"][0].tolist()
    assert expected[0] == 1  # what it began with, and never said
    policy = Policy(max_new_tokens=len(expected) - 1, eos=(2,), pad=0, **DECODING[name])  # type: ignore[arg-type]
    networks: Any = SimpleNamespace(language=language, tokenizer=Numbers())
    embeds = tensors["in.inputs_embeds"]
    with torch.no_grad():
        torch.testing.assert_close(language(inputs_embeds=embeds).logits, tensors["out.logits"], **CLOSE)
        said = _said(networks, [embeds[0]], policy)
        # Beside a longer one, and so padded on the left.
        padded = _said(networks, [embeds[0], torch.cat([embeds[0], embeds[0]])], policy)
    assert said[0] == " ".join(str(number) for number in expected[1:] if number != 2)
    assert padded[0] == said[0]


def _said(networks: Networks, visuals: list[torch.Tensor], policy: Policy) -> list[str]:
    sequences = [[Visual()] for _ in visuals]
    return generate(networks, sequences, visuals, policy, seed=0, attending=lambda *_: nullcontext())


def test_frames_are_the_originals(shared_golden: Path) -> None:
    found = tables(shared_golden)
    for key, expected in found["frame_indices"].items():
        total, count = map(int, key.split("_"))
        adapter = StLlm(frames=str(count))
        video: Any = SimpleNamespace(n_frames=total)
        assert adapter.frame_indices(video).tolist() == expected, key
    for key, expected in found["residual_index"].items():
        kept, total = map(int, key.split("_"))
        assert kept_frames(total, kept) == [min(index, total - 1) for index in expected], key


def test_the_prompt_is_the_originals(shared_golden: Path) -> None:
    found = tables(shared_golden)
    pieces = StLlm().prompt(found["question"], None)  # type: ignore[arg-type]
    assert pieces[0] == Visual()
    text, begun = found["text_after_video_vcgbench_style"]
    assert begun
    assert [piece.ids for piece in pieces[1:-1]] == [(2,)]  # type: ignore[union-attr]
    assert pieces[-1].text == text  # type: ignore[union-attr]
    [*_, bare] = StLlm(conversation="question").prompt(found["question"], None)  # type: ignore[arg-type]
    assert bare == Text(found["text_after_video_qabench_style_no_system"][0])
    wrapped = f"###Human: {found['question']} ###Assistant: "  # as demo.py does it twice
    assert StLlm().prompt(wrapped, None)[-1] == Text(found["text_after_video_demo_py_style"][0])  # type: ignore[arg-type]


def visual_by_hand(state: dict[str, torch.Tensor], values: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """The visual tokens of prepared frames: of 16 places and the mean, or of all frames where there is a branch."""
    tower = {name.removeprefix("visual_encoder."): tensor for name, tensor in state.items()}
    seen = slow.eva_layers(tower, values, lavis.BLOCKS, heads=1)
    last = slow.branched(tower, seen, heads=1) if "BTAdapter_cls" in tower else seen[-1]
    normed = slow.norm(state, "ln_vision", last, 1e-5)
    bert = {name.removeprefix("Qformer."): tensor for name, tensor in state.items()}
    queries, text = state["query_tokens"][0], (ids, [1] * len(ids))
    read = [slow.qformer(bert, queries, tokens, text, heads=1, crossed=2, layers=2) for tokens in normed]
    frames = [slow.linear(state, "llama_proj", rows[: lavis.QUERIES]) for rows in read]
    if "down_proj.weight" not in state:
        return torch.cat(frames)
    mean = sum(frames) / len(frames)  # type: ignore[arg-type]
    whole = slow.linear(state, "up_proj", slow.linear(state, "down_proj", mean).clamp(min=0))
    places = [min(int(len(frames) / 32 + round(len(frames) / 16 * k)), len(frames) - 1) for k in range(16)]
    return torch.cat([frames[place] + whole for place in places])


@pytest.mark.parametrize("branched", [False, True])
def test_an_answer_is_that_of_the_sums(branched: bool, tmp_path: Path, video: Video) -> None:
    adapter = StLlm(**tiny.build(tmp_path, branched=branched), frames="5")
    question = "Why this? the videos."
    visual = adapter.visual(adapter.look(video), question)
    frames = video.frames_at(adapter.frame_indices(video)).pixels
    values = torch.stack([slow.prepared(frame, lavis.SIDE) for frame in frames])
    ids = BertTokenizer(str(tmp_path / "bert" / "vocab.txt"))(question)["input_ids"]
    expected = visual_by_hand(tiny.own(branched=branched), values, ids)
    torch.testing.assert_close(visual.double(), expected, atol=2e-4, rtol=2e-4)

    language = llm.language("Llama", vocab=tiny.WORDS)
    pieces = SentencePieceProcessor(model_proto=llm.vocabulary())
    text = StLlm.template.text.replace("{video}", "").replace("{question}", question)
    with torch.no_grad():
        embed = language.get_input_embeddings()
        row = torch.cat([expected.float(), embed(torch.tensor([2, *pieces.encode(text)]))])
        said = greedy(language, row, new=8, penalty=1.5, before=(1,))
    known = [number for number in said if 2 < number < llm.PIECES]
    assert adapter.answer(video, question) == pieces.decode(known).strip()


@pytest.mark.parametrize(
    ("options", "tokens"),
    [({}, 16 * lavis.QUERIES), ({"branched": True}, 16 * lavis.QUERIES), ({"frozen": False}, 16 * lavis.QUERIES)],
    ids=["conversation", "questions", "without what was frozen"],
)
def test_five_questions_have_the_same_answers_together_and_alone(
    options: dict[str, bool], tokens: int, tmp_path: Path, video: Video
) -> None:
    adapter = StLlm(**tiny.build(tmp_path, **options))
    assert len(set(five_answers(adapter, video))) == 5
    seen = adapter.look(video)
    assert adapter.visual(seen, "Why?").shape == (tokens, llm.HIDDEN)
    assert len(seen.features) == (16 if "branched" in options else 64)
    assert not torch.equal(adapter.visual(seen, "Why?"), adapter.visual(seen, "When?"))
    described = adapter.describe()
    assert ("lavis" in described["checkpoints"]) == ("frozen" in options)
    assert described["frames"]["at_most"] == len(seen.features)


def test_the_releases_may_lie_in_one_place(tmp_path: Path, video: Video) -> None:
    options = tiny.build(tmp_path)
    whole = tmp_path / "ST_LLM_weight"
    whole.mkdir()
    (tmp_path / "model").rename(whole / "conversation_weight")
    alone = StLlm(**options | {"model_path": str(whole / "conversation_weight")})
    assert StLlm(**options | {"model_path": str(whole)}).answer(video, "Why?") == alone.answer(video, "Why?")


def test_a_folder_without_a_vocabulary_is_an_error(tmp_path: Path) -> None:
    options = tiny.build(tmp_path)
    (tmp_path / "bert" / "vocab.txt").rename(tmp_path / "bert" / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"the folder holds no vocab\.txt: .*/bert: put one of vocab\.txt there"):
        StLlm(**options).describe()


def test_five_beams_and_the_end_of_a_text(tmp_path: Path, video: Video) -> None:
    options = tiny.build(tmp_path)
    beams = StLlm(**options, generation="upstream")
    assert beams.describe()["generation"]["num_beams"] == 5
    assert beams.answer(video, "Why?") != StLlm(**options).answer(video, "Why?")
    policy = beams.policy
    assert beams.finish(policy.cut("Assistant: it burns. ###Human: and?")) == "it burns."
    assert beams.finish(policy.cut(" a car ")) == "a car"


def test_more_frames_than_the_branch_has_places_for_are_an_error(tmp_path: Path, video: Video) -> None:
    adapter = StLlm(**tiny.build(tmp_path, branched=True), frames="65")
    with pytest.raises(AdapterError, match="too many frames for BT-Adapter: 65: show at most 64"):
        adapter.look(video)


def test_a_short_video_is_seen_frame_by_frame(tmp_path: Path) -> None:
    adapter = StLlm(**tiny.build(tmp_path))
    seen = adapter.look(Video(write(tmp_path / "a.mp4", count=3)))
    assert len(seen.features) == 3
    assert adapter.visual(seen, "Why?").shape == (16 * lavis.QUERIES, llm.HIDDEN)


ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("branched", "change", "message"),
    [
        (False, {"visual_encoder.blocks.1.mlp.fc1.bias": None}, "1 missing: encoder.layers.1.mlp.fc1.bias"),
        (False, {"Qformer.bert.encoder.layer.0.output.dense.bias": None}, "1 missing: bert.encoder.layer.0.output"),
        (False, {"query_tokens": None}, "1 missing: query_tokens"),
        (False, {"llama_proj.bias": None}, "1 missing: bias"),
        (False, {"llama_proj.more": ONE}, "1 unexpected: more"),
        (False, {"up_proj.weight": None, "up_proj.bias": None}, "1 missing: up_proj.weight"),
        (True, {"up_proj.bias": ONE}, "ST-LLM (1 unexpected: up_proj.bias)"),
        (False, {"gate_proj.weight": ONE}, "ST-LLM (1 unexpected: gate_proj.weight)"),
        (True, {"visual_encoder.BTAdapter_T.1.temporal_fc.bias": None}, "1 missing: T.1.temporal_fc.bias"),
        (True, {"visual_encoder.BTAdapter_more": ONE}, "1 unexpected: more"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    branched: bool, change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    options = tiny.build(tmp_path, branched=branched, change=change)
    with pytest.raises(CheckpointError, match=re.escape(message)):
        StLlm(**options).load()
