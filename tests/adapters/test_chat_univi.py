"""Chat-UniVi is its authors' program: frames, words, merging, and answers of checkpoints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM

from ecva_bench.adapters.chat_univi import merging
from ecva_bench.adapters.chat_univi.adapter import ChatUniVi
from ecva_bench.adapters.chat_univi.merging import Noise, Rates, merge_tokens
from ecva_bench.adapters.parts.prompts import Text
from ecva_bench.adapters.parts.towers.clip import CONFIGS
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import after_last, open_weights
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.video import Video
from tests.adapters import tiny_llava
from tests.adapters.greedy import greedy
from tests.adapters.slow_merging import slow_merge
from tests.adapters.test_videollama2_parts import prepared_by_hand
from tests.adapters.tiny import chat_univi, llm
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import edit
from tests.video.make import write

QUESTIONS = ["Why does it happen?", "What does the accident lead to, in seconds?", "é?"]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> ChatUniVi:
    return ChatUniVi(**chat_univi.build(tmp_path_factory.mktemp("chat-univi")))


def draws(seed: int) -> Noise:
    generator = torch.Generator().manual_seed(seed)
    return lambda n, m: torch.rand(n, m, generator=generator)


@pytest.mark.parametrize("most", ["64", "100"])
def test_frames_are_those_of_the_original(most: str, shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "chat_univi" / "sampling_and_prompt.json").read_text())["frame_indices"]
    listed = {name: indices for name, indices in golden.items() if name.endswith(f"/{most}")}
    assert len(listed) == 13
    for name, expected in listed.items():
        total, rate = name.split("/")[0].split("@")
        video = SimpleNamespace(n_frames=int(total), positions=np.arange(int(total)) / float(rate))
        found = ChatUniVi(frames=most).frame_indices(video)  # type: ignore[arg-type]
        assert found.tolist() == expected, name


@pytest.mark.parametrize("conversation", ["v1", "simple"])
def test_prompts_are_the_originals_to_the_letter(conversation: str, shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "chat_univi" / "sampling_and_prompt.json").read_text())
    model = ChatUniVi(conversation=conversation)
    said = "".join(p.text if isinstance(p, Text) else "<image>" * 3 for p in model.template.pieces("Q?"))
    assert said == golden[f"prompt_{conversation}"]
    ends = [*model.policy.stop, *({2: "</s>"}[number] for number in model.policy.eos)]
    assert golden[f"stop_{conversation}"] in ends


@pytest.mark.parametrize("name", ["a", "c_image"])
def test_tokens_are_merged_as_by_the_original(name: str, shared_golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = json.loads((shared_golden / "chat_univi" / f"{name}.json").read_text())
    golden = open_weights(shared_golden / "chat_univi" / f"{name}.safetensors")
    recorded = iter(sorted(key for key in golden if key.startswith("noise.")))
    labels, cluster = [], merging.cluster
    monkeypatch.setattr(merging, "cluster", lambda *given: labels.append(cluster(*given)) or labels[-1])
    spatial = tuple(settings[f"spatial_cluster_rate{step}"] for step in range(3))
    projector = torch.nn.Linear(settings["mm_hidden_size"], settings["hidden_size"])
    fill(projector, after_last(golden, "mm_projector."), "golden")
    rates = Rates(spatial, settings["temporal_cluster_rate"])
    with torch.no_grad():
        tokens = projector(merge_tokens(golden["input.image_features"], rates, lambda *_: golden[next(recorded)]))
    for number, found in enumerate(labels):
        assert torch.equal(found, golden[f"inter.idx_cluster.{number:03d}"])
    assert len(labels) == len(settings["calls"])
    torch.testing.assert_close(tokens, golden["output"].flatten(0, 1), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("frames", "patches", "spatial", "temporal"),
    [(10, 16, (6, 4, 0.75), 0.4), (7, 12, (9, 7, 5), 5), (1, 20, (8, 5, 4), 0.5), (2, 24, (0.5, 6, 4), 0.5)],
)
def test_merging_is_the_loops_it_stands_for(
    frames: int, patches: int, spatial: tuple[float, float, float], temporal: float
) -> None:
    features = torch.randn(frames, patches, 12, generator=torch.Generator().manual_seed(frames))
    found = merge_tokens(features, Rates(spatial, temporal), draws(3))
    expected = slow_merge(features, spatial, temporal, draws(3))
    assert found.shape == expected.shape
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)


def test_few_events_are_a_matter_of_noise_and_of_nothing_else() -> None:
    features = torch.randn(20, 9, 8, generator=torch.Generator().manual_seed(1))
    rates = Rates((8, 4, 2), 0.1)
    assert torch.equal(merge_tokens(features, rates, draws(4)), merge_tokens(features, rates, draws(4)))
    found = [merge_tokens(features, rates, draws(seed)) for seed in range(4)]
    assert not all(torch.equal(found[0], other) for other in found[1:])


def test_sixteen_bits_are_merged_by_densities_of_32() -> None:
    features = torch.randn(6, 20, 8, generator=torch.Generator().manual_seed(2)).half()
    labels = [merging.cluster(f, 7, 5, draws(1)(6, 20)) for f in (features, features.float())]
    assert torch.equal(*labels)
    tokens = merging.cluster_means(features, labels[0], 7)
    assert tokens.dtype == torch.float16
    torch.testing.assert_close(
        tokens.float(), merging.cluster_means(features.float(), labels[0], 7), atol=4e-3, rtol=4e-3
    )


def by_hand(model: ChatUniVi, video: Video, indices: list[int], question: str, new: int = 8) -> str:
    """The answer of the same files: CLIP, the merging's loops, one token after another from the whole sequence."""
    place = model.checkpoint.folder
    pixels = video.frames_at(indices).pixels
    drawn = hashlib.sha256(b"0 " + pixels.tobytes()).digest()
    tower = CLIPVisionModel(CLIPVisionConfig(**tiny_llava.CLIP)).eval()
    weights = torch.load(place.parent / "clip" / "pytorch_model.bin")
    tower.load_state_dict({k[13:]: v for k, v in weights.items() if k.startswith("vision_model.") and "_ids" not in k})
    language, projector = llm.language("Llama"), chat_univi.projector()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(place / "tokenizer.model"))
    embed, before = language.get_input_embeddings(), model.template.text.split("{video}")[0]
    after = model.template.text.split("{video}")[1].replace("{question}", question)
    with torch.no_grad():
        values = torch.stack([prepared_by_hand(frame, False) for frame in pixels])
        patches = tower(values, output_hidden_states=True).hidden_states[-2][:, 1:]
        merged = slow_merge(patches, (8, 5, 4), 0.8, draws(int.from_bytes(drawn[:7]))).float()
        visual = merged @ projector["weight"].T + projector["bias"]
        head, tail = torch.tensor([1, *pieces.encode(before)]), torch.tensor(pieces.encode(after))
        row = torch.cat([embed(head), visual, embed(tail)])
    said = greedy(language, row, new=new)
    return pieces.decode([token for token in said if token > 2]).strip()


def test_answers_are_those_of_the_model_put_together_by_hand(loaded: ChatUniVi, tmp_path: Path) -> None:
    video = Video(write(tmp_path / "a.mp4", count=140))
    seconds = [0, 25, 50, 75, 100, 125]
    assert loaded.frame_indices(video).tolist() == seconds
    expected = [by_hand(loaded, video, seconds, question) for question in QUESTIONS]
    assert len(set(expected)) == len(QUESTIONS)
    assert loaded.answer_many(video, QUESTIONS) == expected
    assert loaded.look(video).features.shape == (5 * (8 + 5 + 4), llm.HIDDEN)
    short = Video(write(tmp_path / "b.mp4", count=37))
    assert loaded.answer(short, QUESTIONS[0]) == by_hand(loaded, short, [0, 25], QUESTIONS[0])
    assert loaded.look(short).features.shape == (2 * (8 + 5 + 4), llm.HIDDEN)


def test_the_five_tasks_are_answered_and_noise_is_the_frames_own(loaded: ChatUniVi, tmp_path: Path) -> None:
    video = mini_clip(tmp_path)
    assert len(set(five_answers(loaded, video))) > 1
    again = ChatUniVi(model_path=str(loaded.checkpoint.folder), device="cpu")
    again.load()
    before = torch.random.get_rng_state()
    assert torch.equal(again.look(Video(video.path)).features, loaded.look(video).features)
    assert torch.equal(torch.random.get_rng_state(), before)
    described = loaded.describe()
    assert described["frames"] == {"rule": "at_fps", "fps": 1.0, "cap": 64}
    assert set(described["checkpoints"]) == {"model", "vision_tower"}
    assert json.dumps(described)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.mm_projector.bias": None}, "1 missing: bias"),
        ({"model.mm_projector.2.bias": torch.ones(3)}, "1 unexpected: 2.bias"),
        ({"model.norm.weight": None}, "1 missing: model.norm.weight"),
        ({"model.extra": torch.ones(3)}, "1 unexpected: model.extra"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    change: Mapping[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    options = chat_univi.build(tmp_path, form="single")
    edit(tmp_path / "model" / "pytorch_model.bin", dict(change))
    with pytest.raises(CheckpointError) as error:
        ChatUniVi(**options).load()
    assert message in str(error.value)


def test_a_model_that_does_not_merge_and_options_of_no_meaning_are_refused(tmp_path: Path) -> None:
    options = chat_univi.build(tmp_path)
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"config": {"use_cluster": False}}))
    with pytest.raises(CheckpointError, match="the model does not merge tokens"):
        ChatUniVi(**options).load()
    with pytest.raises(UsageError, match="choose from v1, simple"):
        ChatUniVi(conversation="v2")
    with pytest.raises(UsageError, match="'0' is no value of frames"):
        ChatUniVi(frames="0")


def test_real_sizes_have_the_published_numbers() -> None:
    with torch.device("meta"):
        tower = CLIPVisionModel(CLIPVisionConfig(**CONFIGS["clip-vit-large-patch14"]))
        language = LlamaForCausalLM(LlamaConfig(vocab_size=32000, intermediate_size=11008))
        projector = torch.nn.Linear(1024, 4096)
    numbers = [sum(p.numel() for p in module.parameters()) for module in (tower, language, projector)]
    assert numbers[1] == 6_738_415_616  # LLaMA 2 7B
    assert round(2 * sum(numbers) / 1e9, 1) == float(ChatUniVi.card.memory.split()[0])
    features = torch.randn(64, 65, 2, generator=torch.Generator().manual_seed(5))
    assert len(merge_tokens(features, Rates((64, 32, 16), 0.0625), draws(0))) == 448
