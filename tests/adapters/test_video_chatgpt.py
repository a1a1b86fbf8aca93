"""Video-ChatGPT is its authors' program: frames, words, pooling, logits, and answers of whole checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM

from ecva_bench.adapters.parts.language.generation import generate
from ecva_bench.adapters.parts.media.images import nearest
from ecva_bench.adapters.parts.prompts import Piece, Text, TokenIds, Visual
from ecva_bench.adapters.parts.towers.clip import CONFIGS
from ecva_bench.adapters.video_chatgpt.adapter import GREEDY, VideoChatGPT
from ecva_bench.adapters.video_chatgpt.pooling import pooled
from ecva_bench.checkpoints.tensors import open_weights
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.video import Video
from tests.adapters import tiny_llava
from tests.adapters.greedy import greedy
from tests.adapters.tiny import llm, video_chatgpt
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import edit
from tests.video.make import write

QUESTIONS = ["Why does it happen?", "What does the accident lead to, in seconds?", "é?"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return video_chatgpt.build(tmp_path_factory.mktemp("video-chatgpt"))


@pytest.fixture(scope="module")
def loaded(place: dict[str, str]) -> VideoChatGPT:
    return VideoChatGPT(**place)


def said(pieces: list[Piece], patches: int) -> str:
    """Pieces as the authors write them down; the tokens about the video are the second and third of the added."""
    text = ""
    for piece in pieces:
        match piece:
            case Text(words):
                text += words
            case Visual():
                text += f"{{PATCHx{patches}}}"
            case TokenIds((number,)):
                text += {1: "", video_chatgpt.WORDS + 1: "<vid_start>", video_chatgpt.WORDS + 2: "<vid_end>"}[number]
    return text


def test_frames_are_those_the_original_takes(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "video_chatgpt" / "sampling_and_prompt.json").read_text())
    assert len(golden["frame_indices_by_total"]) == 16
    for total, expected in golden["frame_indices_by_total"].items():
        found = VideoChatGPT().frame_indices(SimpleNamespace(n_frames=int(total)))  # type: ignore[arg-type]
        assert found.tolist() == expected, total


@pytest.mark.parametrize("conversation", ["video-chatgpt_v1", "vicuna_v1_1"])
def test_the_prompts_are_the_originals_to_the_letter(
    conversation: str, place: dict[str, str], shared_golden: Path
) -> None:
    golden = json.loads((shared_golden / "video_chatgpt" / "sampling_and_prompt.json").read_text())["prompts"]
    adapter = VideoChatGPT(**place, conversation=conversation, blanks="kept")
    assert said(list(adapter.prompt("Q?", None)), 356) == golden[conversation]  # type: ignore[arg-type]


def test_blanks_beside_the_video_are_cut_as_by_the_original_tokenizer(loaded: VideoChatGPT) -> None:
    before, start, visual, end, after = loaded.prompt("Q? \n", None)[1:]  # type: ignore[arg-type]
    assert isinstance(before, Text)
    assert before.text.endswith("USER: Q?")
    assert (start, visual, end) == (TokenIds((324,)), Visual(), TokenIds((325,)))
    assert after == Text("ASSISTANT:")


def test_pooling_and_logits_are_the_originals(tmp_path: Path, shared_golden: Path) -> None:
    golden = open_weights(shared_golden / "video_chatgpt" / "a.safetensors")
    llama = json.loads((shared_golden / "video_chatgpt" / "a.json").read_text())["llama"]
    own = ("model.mm_projector.weight", "model.mm_projector.bias", "model.embed_tokens.weight")
    options = video_chatgpt.build(tmp_path)
    torch.save({name: golden[name].clone() for name in own}, tmp_path / "model" / "video_chatgpt-7B.bin")
    words = llama["vocab_size"] - 3  # before the three for the video are added
    base = {name: golden[name] for name in golden if name.startswith(("model.layers.", "model.norm."))}
    base |= {name: golden[name][:words] for name in ("lm_head.weight", "model.embed_tokens.weight")}
    (tmp_path / "base" / "config.json").write_text(json.dumps({**llama, "vocab_size": words}))
    llm.write_shards(tmp_path / "base", base, "bin")

    networks = VideoChatGPT(**options).networks
    features = pooled(golden["input.frame_features"])
    assert torch.equal(features, golden["output.video_spatio_temporal_features"].float())
    ids = golden["input.input_ids"][0].tolist()
    first, count = ids.index(37), ids.count(37)
    assert count == len(features)
    sequence = [*ids[:first], Visual(), *ids[first + count :]]
    read = {}
    hook = networks.language.register_forward_pre_hook(lambda _, __, given: read.update(given), with_kwargs=True)
    policy = replace(GREEDY, max_new_tokens=1)
    with torch.inference_mode():
        visual = networks.connector(features)
        generate(networks, [sequence], [visual], policy, seed=0, attending=VideoChatGPT().attending)
        hook.remove()
        logits = networks.language(inputs_embeds=read["inputs_embeds"]).logits
    torch.testing.assert_close(logits, golden["output.logits"][..., :words], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("frames", "patches", "room", "dtype"),
    [(3, 5, 4, torch.float32), (1, 4, 1, torch.float32), (6, 2, 100, torch.float32), (100, 16, 100, torch.float16)],
)
def test_pooling_is_the_sums_it_stands_for(frames: int, patches: int, room: int, dtype: torch.dtype) -> None:
    features = torch.randn(frames, patches, 3, generator=torch.Generator().manual_seed(1)).to(dtype)
    found = pooled(features, room)
    assert found.dtype == dtype
    expected = np.zeros((room + patches, 3))
    for t in range(frames):
        for n in range(patches):
            for c in range(3):
                value = float(features[t, n, c])
                expected[t, c] += value / patches
                expected[room + n, c] += value / frames
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-3, rtol=1e-3)  # pooled features have 16 bits
    assert torch.equal(found, found.half().to(dtype))


@pytest.mark.parametrize("size", [(48, 64), (361, 203), (7, 5), (14, 14)])
def test_frames_are_resized_as_by_the_original(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    found = nearest(pixels, 14)
    values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()  # the original resizes floats
    theirs = torch.nn.functional.interpolate(values, size=(14, 14)).permute(0, 2, 3, 1).to(torch.uint8).numpy()
    np.testing.assert_array_equal(found, theirs)
    rows, columns = ([place * length // 14 for place in range(14)] for length in size)
    np.testing.assert_array_equal(found, pixels[:, rows][:, :, columns])


def by_hand(place: dict[str, str], video: Video, question: str, new: int = 8) -> str:
    """The answer of the same files: pooled in plain sums, one token after another from the whole sequence."""
    own = torch.load(Path(place["model_path"]) / "video_chatgpt-7B.bin")
    tower = CLIPVisionModel(CLIPVisionConfig(**tiny_llava.CLIP)).eval()
    weights = torch.load(Path(place["vision_tower"]) / "pytorch_model.bin")
    tower.load_state_dict({k[13:]: v for k, v in weights.items() if k.startswith("vision_model.") and "_ids" not in k})
    language = llm.language("Llama", vocab=video_chatgpt.WORDS)
    pieces = sentencepiece.SentencePieceProcessor(model_file=place["base"] + "/tokenizer.model")
    embed = own["model.embed_tokens.weight"]
    language.set_input_embeddings(torch.nn.Embedding.from_pretrained(embed))
    frames = video.frames_at([int(i) for i in np.arange(37) - (np.arange(37) > 18)]).pixels
    rows, columns = ([place * length // 28 for place in range(28)] for length in frames.shape[1:3])
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    small = (frames[:, rows][:, :, columns] / 255 - mean) / deviation
    with torch.no_grad():
        values = torch.tensor(small, dtype=torch.float32).permute(0, 3, 1, 2)
        patches = tower(values, output_hidden_states=True).hidden_states[-2][:, 1:]
        in_time = torch.cat([patches.sum(1) / patches.shape[1], torch.zeros(63, tiny_llava.WIDTH)])
        features = torch.cat([in_time, patches.sum(0) / 37]).half().float()
        visual = features @ own["model.mm_projector.weight"].T + own["model.mm_projector.bias"]
        before, after = VideoChatGPT.conversations["video-chatgpt_v1"].text.split("\n{video} ")
        head = [1, *pieces.encode(before.replace("{question}", question)), video_chatgpt.WORDS + 1]
        row = torch.cat([embed[head], visual, embed[[video_chatgpt.WORDS + 2, *pieces.encode(after)]]])
    said = greedy(language, row, new=new)
    return pieces.decode([token for token in said if 2 < token < llm.PIECES]).strip()


def test_answers_are_those_of_the_model_put_together_by_hand(
    place: dict[str, str], loaded: VideoChatGPT, tmp_path: Path
) -> None:
    video = Video(write(tmp_path / "a.mp4", count=37))
    expected = [by_hand(place, video, question) for question in QUESTIONS]
    assert len(set(expected)) == len(QUESTIONS)
    assert loaded.answer_many(video, QUESTIONS) == expected
    assert [loaded.answer(video, question) for question in QUESTIONS] == expected


def test_the_five_tasks_are_answered_and_what_determines_answers_is_described(
    loaded: VideoChatGPT, tmp_path: Path
) -> None:
    assert len(set(five_answers(loaded, mini_clip(tmp_path)))) > 1
    described = loaded.describe()
    assert set(described["checkpoints"]) == {"model", "base", "vision_tower"}
    assert described["frames"] == {"rule": "midpoints", "at_most": 100, "rounded": "bounds"}
    assert (described["template"]["id"], described["blanks"]) == ("models/video-chatgpt.v1", "cut")


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("model/video_chatgpt-7B.bin", {"model.mm_projector.bias": None}, "1 missing: mm_projector.bias"),
        ("model/video_chatgpt-7B.bin", {"model.norm.weight": torch.ones(2)}, "1 unexpected: norm.weight"),
        ("model/video_chatgpt-7B.bin", {"optimizer": torch.ones(2)}, "1 unexpected: optimizer"),
        ("model/video_chatgpt-7B.bin", {"model.embed_tokens.weight": torch.ones(325, 32)}, "325x32 for 326x32"),
        ("base/pytorch_model-00001-of-00002.bin", {"lm_head.weight": None}, "lm_head.weight"),
        ("clip/pytorch_model.bin", {"vision_model.x": torch.ones(2)}, "1 unexpected: x"),
    ],
)
def test_a_name_too_few_too_many_or_of_another_shape_is_an_error(
    file: str, change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    options = video_chatgpt.build(tmp_path)
    edit(tmp_path / file, change)
    with pytest.raises(CheckpointError) as error:
        VideoChatGPT(**options).load()
    assert message in str(error.value)


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="choose from video-chatgpt_v1, vicuna_v1_1"):
        VideoChatGPT(conversation="v2")
    with pytest.raises(UsageError, match="choose from cut, kept"):
        VideoChatGPT(blanks="some")


def test_the_originals_way_of_ending_an_answer_is_kept_with_its_policy_alone() -> None:
    assert VideoChatGPT().finish(" Two cars ") == "Two cars"
    assert VideoChatGPT(generation="upstream").finish(" Two cars</s> ") == "Two car"


def test_real_sizes_have_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        language = LlamaForCausalLM(LlamaConfig(vocab_size=32003, intermediate_size=11008))
        tower = CLIPVisionModel(CLIPVisionConfig(**CONFIGS["clip-vit-large-patch14"]))
        projector = torch.nn.Linear(1024, 4096)
    sizes = [sum(p.numel() for p in module.parameters()) for module in (language, tower, projector)]
    assert (
        abs(2 * (sizes[0] + sizes[2]) / 1e9 - (9.98 + 3.51)) < 0.01
    )  # GB, the base's two files, LLaVA's projector too
    assert round(sizes[1] / 1e6, 1) == 303.2
    assert round(2 * sum(sizes) / 1e9, 1) == float(VideoChatGPT.card.memory.split()[0])
    assert projector(torch.empty(356, 1024, device="meta")).shape == (356, 4096)
