"""Video-LLaVA is its authors' program: frames, words, preparation, tower, projector, and answers of checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlamaForCausalLM

from ecva_bench.adapters.parts.connectors.mlp import mlp2x
from ecva_bench.adapters.parts.prompts import Text
from ecva_bench.adapters.parts.towers.clip import own_name
from ecva_bench.adapters.video_llava.adapter import VideoLLaVA
from ecva_bench.adapters.video_llava.languagebind import CONFIGS, LanguageBindTower, prepared
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import after_last, open_weights, renamed
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.video import Video
from tests.adapters.greedy import greedy
from tests.adapters.slow_languagebind import gelu, quick_gelu, slow_tower
from tests.adapters.tiny import llm, video_llava
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import edit
from tests.video.make import write

QUESTIONS = ["Why does it happen?", "What does the accident lead to, in seconds?", "é?"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return video_llava.build(tmp_path_factory.mktemp("video-llava"))


@pytest.fixture(scope="module")
def loaded(place: dict[str, str]) -> VideoLLaVA:
    return VideoLLaVA(**place)


def test_frames_and_prompt_are_those_of_the_original(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "video_llava" / "sampling_and_prompt.json").read_text())
    assert len(golden["frame_indices_by_total"]) == 13
    for total, expected in golden["frame_indices_by_total"].items():
        found = VideoLLaVA().frame_indices(SimpleNamespace(n_frames=int(total)))  # type: ignore[arg-type]
        assert found.tolist() == expected, total
    pieces = VideoLLaVA.template.pieces("Q?")
    assert "".join(p.text if isinstance(p, Text) else "<image>" * 8 for p in pieces) == golden["prompt"]


def test_frames_are_prepared_as_by_the_original(shared_golden: Path) -> None:
    golden = open_weights(shared_golden / "video_llava" / "preprocess.safetensors")
    sizes = json.loads((shared_golden / "video_llava" / "preprocess.json").read_text())
    assert len(sizes["sizes"]) == 3
    for number in range(3):
        pixels = golden[f"input.{number}"].permute(1, 2, 3, 0).numpy()
        found, expected = prepared(pixels, sizes["crop"]), golden[f"output.{number}"].movedim(1, 0)
        # To the bit on the processor that made the golden file; others have other vector instructions.
        torch.testing.assert_close(found, expected, atol=5e-6, rtol=0)


@pytest.mark.parametrize("size", [(33, 50), (61, 24), (9, 9), (20, 37)])
def test_frames_are_prepared_as_the_sums_say(size: tuple[int, int]) -> None:
    side = 12
    pixels = np.random.default_rng(3).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    found = prepared(pixels, side)[0].numpy()
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    values = (pixels[0] / 255 - mean) / deviation
    tall, wide = (side if length == min(size) else length * side // min(size) for length in size)
    top, left = round((tall - side) / 2), round((wide - side) / 2)
    for row in range(side):
        for column in range(side):
            y, y_share = _place(row + top, size[0] / tall)
            x, x_share = _place(column + left, size[1] / wide)
            y2, x2 = min(y + 1, size[0] - 1), min(x + 1, size[1] - 1)
            upper = values[y, x] * (1 - x_share) + values[y, x2] * x_share
            lower = values[y2, x] * (1 - x_share) + values[y2, x2] * x_share
            expected = upper * (1 - y_share) + lower * y_share
            np.testing.assert_allclose(found[:, row, column], expected, atol=1e-4)


def _place(number: int, scale: float) -> tuple[int, float]:
    """The source pixel before a target pixel's centre, and the share of the one after it."""
    centre = max((number + 0.5) * scale - 0.5, 0)
    return int(centre), centre - int(centre)


def test_tower_and_projector_give_the_originals_features(shared_golden: Path) -> None:
    settings = json.loads((shared_golden / "video_llava" / "a.json").read_text())
    golden = open_weights(shared_golden / "video_llava" / "a.safetensors")
    sizes = {name: settings[name] for name in video_llava.TOWER}
    tower = LanguageBindTower(CLIPVisionConfig(**sizes), settings["num_frames"]).eval()
    fill(tower.model, renamed(after_last(golden, "video_tower."), own_name), "golden")
    projector = mlp2x(settings["hidden_size"], settings["llm_hidden"])
    fill(projector, after_last(golden, "mm_projector."), "golden")
    with torch.no_grad():
        features = tower.features(golden["input.pixel_values"][0].movedim(1, 0))
        tokens = projector(features)
    torch.testing.assert_close(features, golden["output.hidden_states_m2"][0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tokens, golden["output.projected"][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("frames", "activation"), [(5, "quick_gelu"), (1, "gelu"), (4, "gelu")])
def test_the_tower_is_the_sums_it_stands_for(frames: int, activation: str) -> None:
    sizes = {**video_llava.TOWER, "hidden_act": activation, "image_size": 12, "patch_size": 4, "num_hidden_layers": 4}
    tower = LanguageBindTower(CLIPVisionConfig(**sizes), 6).double().eval()
    state = llm.random_state(tower.model, 8)
    fill(tower.model, state, "random")
    values = torch.randn(frames, 3, 12, 12, generator=torch.Generator().manual_seed(9)).double()
    with torch.no_grad():
        found = tower.features(values)
    expected = slow_tower(state, values, 4, 2, {"gelu": gelu, "quick_gelu": quick_gelu}[activation])
    assert found.shape == (frames, 10, video_llava.WIDTH)
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)


def by_hand(place: dict[str, str], video: Video, question: str, new: int = 8) -> str:
    """The answer of the same files: the tower in sums, one token after another from the whole sequence."""
    language = llm.language("Llama")
    pieces = sentencepiece.SentencePieceProcessor(model_file=place["model_path"] + "/tokenizer.model")
    projector, embed = llm.random_state(mlp2x(video_llava.WIDTH, llm.HIDDEN), 6), language.get_input_embeddings()
    values = prepared(video.frames_at([0, 5, 10, 15, 20, 25, 30, 36]).pixels, 14)
    with torch.no_grad():
        features = slow_tower(video_llava.tower_state(), values, 7, 2, gelu).flatten(0, 1).float()
        inner = gelu(features @ projector["0.weight"].T + projector["0.bias"])
        visual = inner @ projector["2.weight"].T + projector["2.bias"]
        assert len(visual) == 8 * 5
        before, after = VideoLLaVA.template.text.split("{video}")
        head, tail = [1, *pieces.encode(before)], pieces.encode(after.replace("{question}", question))
        row = torch.cat([embed(torch.tensor(head)), visual, embed(torch.tensor(tail))])
    said = greedy(language, row, new=new)
    return pieces.decode([token for token in said if token > 2]).strip()


def test_answers_are_those_of_the_model_put_together_by_hand(
    place: dict[str, str], loaded: VideoLLaVA, tmp_path: Path
) -> None:
    video = Video(write(tmp_path / "a.mp4", count=37))
    expected = [by_hand(place, video, question) for question in QUESTIONS]
    assert len(set(expected)) == len(QUESTIONS)
    assert loaded.answer_many(video, QUESTIONS) == expected
    apart = VideoLLaVA(**video_llava.build(tmp_path / "apart", tower_inside=False))
    assert apart.answer_many(video, QUESTIONS) == expected
    assert set(apart.describe()["checkpoints"]) == {"model", "vision_tower"}


def test_the_five_tasks_are_answered_and_what_determines_answers_is_described(
    loaded: VideoLLaVA, tmp_path: Path
) -> None:
    assert len(set(five_answers(loaded, mini_clip(tmp_path)))) > 1
    described = loaded.describe()
    assert set(described["checkpoints"]) == {"model"}
    assert described["frames"] == {"rule": "linspace", "count": 8}
    assert described["template"]["id"] == "models/video-llava.v1"


LAYER = "model.video_tower.video_tower.encoder.layers.1."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({f"{LAYER}temporal_attn.q_proj.bias": None}, "1 missing: encoder.layers.1.temporal_attn.q_proj.bias"),
        ({f"{LAYER}temporal_mlp.bias": torch.ones(2)}, "1 unexpected: encoder.layers.1.temporal_mlp.bias"),
        ({f"{LAYER}temporal_embedding": torch.ones(1, 4, 16)}, "temporal_embedding 1x4x16 for 1x8x16"),
        ({"model.mm_projector.2.bias": None}, "1 missing: 2.bias"),
        ({"model.mm_projector.4.bias": torch.ones(2)}, "1 unexpected: 4.bias"),
        ({"model.norm.weight": None}, "1 missing: model.norm.weight"),
        ({"model.vision_tower.x": torch.ones(2)}, "1 unexpected: "),
    ],
)
def test_a_name_too_few_too_many_or_of_another_shape_is_an_error(
    change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    options = video_llava.build(tmp_path)
    folder = tmp_path / "model"
    state = dict(open_weights(folder))
    for file in folder.glob("*.bin*"):
        file.unlink()
    torch.save(state, folder / "pytorch_model.bin")
    edit(folder / "pytorch_model.bin", change)
    with pytest.raises(CheckpointError) as error:
        VideoLLaVA(**options).load()
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"add_time_attn": False}, "does not attend over time"),
        (None, "sizes of the vision tower are not known"),
    ],
)
def test_a_tower_of_another_kind_is_an_error(change: dict[str, bool] | None, message: str, tmp_path: Path) -> None:
    options = video_llava.build(tmp_path)
    config = tmp_path / "languagebind" / "config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps({"vision_config": {**settings["vision_config"], **change}} if change else {}))
    with pytest.raises(CheckpointError, match=message):
        VideoLLaVA(**options).load()


def test_another_projector_or_aspect_is_refused(tmp_path: Path) -> None:
    options = video_llava.build(tmp_path)
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"mm_projector_type": "linear"}))
    with pytest.raises(CheckpointError, match="the projector 'linear' is not known"):
        VideoLLaVA(**options).load()
    with pytest.raises(UsageError, match="choose from none"):
        VideoLLaVA(aspect="pad")


def test_real_sizes_have_the_published_numbers_of_parameters() -> None:
    settings = CONFIGS["LanguageBind_Video_merge"]
    sizes = {name: settings[name] for name in video_llava.TOWER}
    with torch.device("meta"):
        tower = LanguageBindTower(CLIPVisionConfig(**sizes), settings["num_frames"])
        language = LlamaForCausalLM(LlamaConfig(vocab_size=32000, intermediate_size=11008))
        projector = mlp2x(1024, 4096)
    numbers = [sum(p.numel() for p in module.parameters()) for module in (tower, language, projector)]
    assert round(numbers[0] / 1e6, 2) == 404.19
    assert round(2 * sum(numbers) / 1e9, 1) == float(VideoLLaVA.card.memory.split()[0])
    features = tower.features(torch.empty(8, 3, 224, 224, device="meta"))
    assert projector(features).flatten(0, 1).shape == (2056, 4096)
