"""VideoLLaMA 2's connector, CLIP tower, frames and prompt are those of the authors' programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPVisionConfig, CLIPVisionModel, MistralConfig, MistralForCausalLM

from ecva_bench.adapters.parts.prompts import Text, Visual
from ecva_bench.adapters.parts.towers.clip import CONFIGS, ClipTower
from ecva_bench.adapters.videollama2.adapter import SAMPLING, VideoLLaMA2
from ecva_bench.adapters.videollama2.stc import Stc
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import after_last, open_weights
from ecva_bench.video import samplers
from tests.adapters.slow_stc import slow_stc
from tests.adapters.tiny_llava import CLIP, random_state


def test_the_connector_gives_the_originals_tokens_and_stages(shared_golden: Path) -> None:
    golden = open_weights(shared_golden / "videollama2" / "a.safetensors")
    connector = Stc(24, 32).eval()
    fill(connector, after_last(golden, "mm_projector."), "golden")
    stages = {}
    for name in ("s1", "s2", "sampler"):
        getattr(connector, name).register_forward_hook(lambda *call, name=name: stages.update({name: call[-1]}))
    with torch.no_grad():
        tokens = connector(golden["input.frames_features"][0])
    for name, found in stages.items():
        torch.testing.assert_close(found, golden[f"inter.{name}"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tokens, golden["output"][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("frames", "side", "channels", "width", "padding"),
    [(5, 7, 12, 12, 1), (1, 4, 8, 12, 1), (4, 6, 8, 12, 0), (7, 5, 12, 12, 0)],
)
def test_the_connector_is_the_sums_it_stands_for(
    frames: int, side: int, channels: int, width: int, padding: int
) -> None:
    connector = Stc(channels, width, padding=padding).double().eval()
    state = random_state(connector, 5)
    fill(connector, state, "random")
    features = torch.randn(frames, side * side, channels, generator=torch.Generator().manual_seed(6)).double()
    with torch.no_grad():
        tokens = connector(features)
    half = (1 if padding else 0, 1 if padding else 0)
    assert len(tokens) == (frames // 2 + half[0]) * (side // 2 + half[1]) ** 2 if frames > 1 else 1
    torch.testing.assert_close(tokens, slow_stc(state, features, padding), atol=1e-9, rtol=1e-9)


def test_real_sizes_have_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        connector = Stc(1024, 4096)
        tower = CLIPVisionModel(CLIPVisionConfig(**CONFIGS["clip-vit-large-patch14-336"]))
        language = MistralForCausalLM(MistralConfig(vocab_size=32000, max_position_embeddings=32768))
    sizes = [sum(p.numel() for p in module.parameters()) for module in (connector, tower, language)]
    assert round(sizes[0] / 1e6, 2) == 489.19
    assert round(sizes[1] / 1e6, 1) == 303.5
    assert round(2 * sum(sizes) / 1e9, 2) == 16.07  # GB, the size of the released files
    for frames, tokens in ((8, 845), (16, 1521)):
        assert connector(torch.empty(frames, 576, 1024, device="meta")).shape == (tokens, 4096)


def test_the_tower_gives_the_originals_features(shared_golden: Path) -> None:
    config = json.loads((shared_golden / "clip_tower" / "a.json").read_text())
    golden = open_weights(shared_golden / "clip_tower" / "a.safetensors")
    names = ("hidden_act", "layer_norm_eps", *CLIP)
    tower = ClipTower(CLIPVisionConfig(**{name: config[name] for name in names})).eval()
    fill(tower.model, after_last(golden, "vision_model."), "golden")
    with torch.no_grad():
        patches = tower.patches(golden["input.pixel_values"])
    torch.testing.assert_close(patches, golden["output.hidden_states_m2"][:, 1:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("size", [(48, 64), (61, 33), (28, 28)])
def test_frames_are_shown_as_the_model_class_of_transformers_would_see_them(pad: bool, size: tuple[int, int]) -> None:
    tower = ClipTower(CLIPVisionConfig(**CLIP), pad=pad).eval()
    fill(tower.model, random_state(tower.model, 7), "random")
    frames = np.random.default_rng(8).integers(0, 256, (35, *size, 3), dtype=np.uint8)
    with torch.no_grad():
        found = tower(frames)
        values = torch.stack([prepared_by_hand(frame, pad) for frame in frames])
        expected = tower.model(values, output_hidden_states=True).hidden_states[-2][:, 1:]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def prepared_by_hand(frame: np.ndarray, pad: bool) -> torch.Tensor:
    """[3, 28, 28]: the short side to 28, the middle of the long one, the mean and deviation CLIP was trained with."""
    height, width, _ = frame.shape
    if pad:
        side = max(height, width)
        square = np.full((side, side, 3), (122, 116, 104), np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = frame
        frame, height, width = square, side, side
    tall, wide = (28 * height // width, 28) if width < height else (28, 28 * width // height)
    small = np.asarray(Image.fromarray(frame).resize((wide, tall), Image.Resampling.BICUBIC), np.float64)
    middle = small[(tall - 28) // 2 :, (wide - 28) // 2 :][:28, :28]
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    return torch.tensor((middle / 255 - mean) / deviation, dtype=torch.float32).permute(2, 0, 1)


@pytest.mark.parametrize(("release", "name"), [("v1.0", "v1.0"), ("main", "v1.5_main")])
def test_frames_are_those_the_originals_take(release: str, name: str, shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "videollama2" / "sampling_and_prompt.json").read_text())
    assert len(golden[name]) == 26
    for lengths, expected in golden[name].items():
        total, count = map(int, lengths.split("/"))
        assert samplers.midpoints(total, count, rounded=SAMPLING[release]).tolist() == expected, lengths


def test_the_prompt_is_the_originals_to_the_letter(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "videollama2" / "sampling_and_prompt.json").read_text())
    before, after = golden["prompt_v1_0"].split("<video>")
    assert VideoLLaMA2.template.pieces("Q?") == [Text(before), Visual(), Text(after)]


def test_a_question_cannot_name_a_placeholder() -> None:
    pieces = VideoLLaMA2.template.pieces("{video} <video> {question}?")
    assert [type(piece) for piece in pieces] == [Text, Visual, Text]
    assert pieces[-1] == Text("\n{video} <video> {question}? [/INST]")
