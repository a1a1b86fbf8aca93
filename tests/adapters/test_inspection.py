"""Whether weights fit is said by names and shapes alone: everything that is wrong at once, and nothing is read."""

from __future__ import annotations

import importlib
import json
import resource
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, MistralConfig, MistralForCausalLM

from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.adapters.parts.families.composed import Composed
from ecva_bench.adapters.parts.towers.clip import CONFIGS
from ecva_bench.adapters.timechat.adapter import TimeChat
from ecva_bench.adapters.videollama2.adapter import VideoLLaMA2
from ecva_bench.adapters.videollama2.stc import Stc
from ecva_bench.adapters.vila.adapter import Vila
from ecva_bench.answering import create_adapter
from ecva_bench.checkpoints.check import CheckpointCheck
from ecva_bench.checkpoints.inspection import inspected, inspecting
from ecva_bench.checkpoints.tensors import open_weights
from ecva_bench.errors import CheckpointError, UsageError
from tests.adapters.tiny import anomshield, lavis, llm, otter, timechat, videollama2, vila
from tests.adapters.tiny.edit import edit

ONE = torch.ones(1)


def wrong(check: CheckpointCheck) -> dict[str, Mapping[str, list[str]]]:
    return {part.name: part.problems for part in check.parts if part.problems}


@pytest.mark.parametrize(
    ("model", "build", "file", "change", "expected"),
    [
        (
            Vila,
            vila.build,
            "model/vision_tower/model.safetensors",
            {
                "vision_model.post_layernorm.bias": None,
                "vision_model.x": ONE,
                "vision_model.post_layernorm.weight": ONE,
            },
            {
                "SiglipVisionModel": {
                    "missing": ["post_layernorm.bias"],
                    "unexpected": ["x"],
                    "of another shape": ["post_layernorm.weight 1 for 12"],
                }
            },
        ),
        (
            Vila,
            vila.build,
            "model/mm_projector/model.safetensors",
            {"layers.1.bias": None},
            {"MlpDownsample": {"missing": ["layers.1.bias"]}},
        ),
        (
            TimeChat,
            timechat.build,
            "model/*.pth",
            {
                "llama_model.base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight": None,
                "llama_model.base_model.model.model.layers.0.self_attn.v_proj.lora_A.default.weight": torch.ones(2, 3),
                "video_Qformer.x": ONE,
                "other": ONE,
            },
            {
                "TimeChat": {"unexpected": ["other"]},
                "the LoRA": {
                    "missing": ["model.layers.0.self_attn.q_proj.A"],
                    "of another shape": ["model.layers.0.self_attn.v_proj"],
                },
                "QFormer": {"unexpected": ["bert.x"]},
            },
        ),
        (
            AnomShield,
            anomshield.build,
            "model/adapter_model.safetensors",
            {
                "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": None,
                "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight": torch.ones(2, 3),
                "base_model.model.x.lora_A.weight": ONE,
            },
            {
                "the LoRA": {
                    "missing": ["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"],
                    "unexpected": ["base_model.model.x.lora_A.weight"],
                    "of another shape": ["base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight 2x3 for 2x32"],
                }
            },
        ),
        (
            AnomShield,
            anomshield.build,
            "base/model.safetensors",
            {"model.norm.weight": None, "model.norm.bias": ONE, "model.layers.0.mlp.up_proj.weight": torch.ones(2, 3)},
            {
                "MistralForCausalLM": {
                    "missing": ["model.norm.weight"],
                    "unexpected": ["model.norm.bias"],
                    "of another shape": ["model.layers.0.mlp.up_proj.weight 2x3 for 48x32"],
                }
            },
        ),
    ],
)
def test_all_that_is_wrong_is_told_at_once_and_loading_fails_over_it(
    model: type[Composed],
    build: Callable[[Path], dict[str, str]],
    file: str,
    change: dict[str, torch.Tensor | None],
    expected: dict[str, Any],
    tmp_path: Path,
) -> None:
    options = build(tmp_path)
    (path,) = tmp_path.glob(file)
    edit(path, change)
    found = wrong(model(**options).check_checkpoint())
    assert found == expected
    with pytest.raises(CheckpointError, match="the weights do not fit"):
        model(**options).load()


# A model, its file, the shapes that weights in it are given, and what is said of them.
WIDTHS: list[tuple[str, str, dict[str, tuple[int, ...]], str]] = [
    ("timechat", "model/*.pth", {"llama_proj.weight": (30, 16), "llama_proj.bias": (30,)}, "llama_proj, rows 30 for"),
    ("timechat", "model/*.pth", {"llama_proj.weight": (llm.HIDDEN, 5)}, "llama_proj, columns 5 for"),
    ("timechat", "model/*.pth", {"video_frame_position_embedding.weight": (96, 5)}, "embedding, columns 5 for"),
    (
        "timechat",
        "model/*.pth",
        {"video_frame_position_embedding.weight": (95, lavis.BERT)},
        "rows 95 for 96",
    ),
    ("videochat2", "model/*.pth", {"mistral_proj.weight": (llm.HIDDEN, 5)}, "mistral_proj, columns 5 for"),
    ("st-llm", "model/*.bin", {"model.stllm_model.llama_proj.weight": (llm.HIDDEN, 5)}, "llama_proj, columns 5 for"),
    (
        "st-llm",
        "model/*.bin",
        {"model.stllm_model.up_proj.weight": (5, 3), "model.stllm_model.up_proj.bias": (5,)},
        "up_proj, rows 5 for",
    ),
    (
        "llama-vid",
        "model/*.bin",
        {"model.vlm_att_val_projector.weight": (llm.HIDDEN, 5)},
        "columns 5 for",
    ),
    ("otter", "model/*.bin", {"perceiver.frame_embs": (15, otter.WIDTH)}, "frame_embs, rows 15 for 16"),
    ("mplug-owl", "model/*.bin", {"abstractor.visual_fc.weight": (5, 24)}, "visual_fc, rows 5 for"),
]


@pytest.mark.parametrize(("model", "files", "shapes", "message"), WIDTHS)
def test_a_part_that_does_not_fit_the_next_is_a_misfit_and_no_later_error(
    model: str, files: str, shapes: dict[str, tuple[int, ...]], message: str, tmp_path: Path
) -> None:
    options = importlib.import_module(f"tests.adapters.tiny.{model.replace('-', '_')}").build(tmp_path)
    assert create_adapter(model, options).check_checkpoint().passed
    holding = [path for path in tmp_path.glob(files) if any(name in keys(path) for name in shapes)]
    assert holding
    for path in holding:
        edit(path, {name: torch.ones(shape) for name, shape in shapes.items() if name in keys(path)})
    check = create_adapter(model, options).check_checkpoint()
    assert any(message in name for part in check.parts for name in part.problems.get("of another shape", ()))
    with pytest.raises(CheckpointError, match="of another shape"):
        create_adapter(model, options).load()


@pytest.mark.parametrize(
    ("model", "file", "before"),
    [
        ("anomshield", "model/adapter_model.safetensors", "base_model.model.model"),
        ("timechat", "model/*.pth", "llama_model.base_model.model.model"),
    ],
)
def test_a_buffer_that_older_transformers_saved_is_no_misfit_in_a_lora_either(
    model: str, file: str, before: str, tmp_path: Path
) -> None:
    options = importlib.import_module(f"tests.adapters.tiny.{model}").build(tmp_path)
    (path,) = tmp_path.glob(file)
    edit(path, {f"{before}.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)})
    assert create_adapter(model, options).check_checkpoint().passed
    create_adapter(model, options).load()


def keys(path: Path) -> set[str]:
    state = torch.load(path)
    return set(state.get("model", state))


def write_holes(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a safetensors file of the full length whose numbers are a hole."""
    entries, end = {}, 0
    for name, tensor in state.items():
        start, end = end, end + 2 * tensor.numel()
        entries[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + end)


@pytest.fixture(scope="module")
def real_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VideoLLaMA 2 at its real size: two shards of 7.7 GB and a pickle of 0.6 GB, without one number in them."""
    folder = tmp_path_factory.mktemp("real")
    sizes = {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "sliding_window": None}
    sizes |= {"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}
    clip = CONFIGS["clip-vit-large-patch14-336"]
    with torch.device("meta"):
        state = MistralForCausalLM(MistralConfig(**sizes)).state_dict()
        tower = CLIPVisionModel(CLIPVisionConfig(**clip)).half().state_dict()
        state |= {f"model.mm_projector.{name}": tensor for name, tensor in Stc(1024, 4096).state_dict().items()}
    shards = {f"model-0000{n + 1}-of-00002.safetensors": sorted(state)[n::2] for n in range(2)}
    for name, names in shards.items():
        write_holes(folder / name, {name: state[name] for name in names})
    places = {name: file for file, names in shards.items() for name in names}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    named = {"mm_vision_tower": str(folder / "tower"), "mm_hidden_size": 1024, "mm_projector_type": "stc_connector"}
    (folder / "config.json").write_text(json.dumps({"model_type": "videollama2_mistral", **sizes, **named}))
    llm.write_vocabulary(folder)
    (folder / "tower").mkdir()
    (folder / "tower" / "config.json").write_text(json.dumps({"model_type": "clip_vision_model", **clip}))
    with torch.serialization.skip_data():
        empty = {f"vision_model.{name}": torch.empty(tensor.shape, dtype=torch.half) for name, tensor in tower.items()}
        torch.save(empty, folder / "tower" / "pytorch_model.bin")
    return folder


def test_a_model_of_16_gb_is_compared_without_reading_it(real_size: Path) -> None:
    files = [path for path in real_size.rglob("*") if path.suffix in (".bin", ".safetensors")]
    assert sum(path.stat().st_size for path in files) > 16e9
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check = VideoLLaMA2(model_path=str(real_size)).check_checkpoint()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert check.passed
    assert check.parameters is not None
    assert round(2 * check.parameters / 1e9, 1) == float(VideoLLaMA2.card.memory.split()[0])
    assert grown < 300_000  # kB; a single of the shards has 7 700 000


@pytest.mark.parametrize(("file", "kept"), [("tower/pytorch_model.bin", 300_000), ("model/config.json", 3)])
def test_what_ends_the_comparison_early_is_told_beside_what_was_found(file: str, kept: int, tmp_path: Path) -> None:
    options = videollama2.build(tmp_path)
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(content[: min(kept, len(content) - 100)])
    options["vision_tower"] = str(tmp_path / "tower")
    check = VideoLLaMA2(**options).check_checkpoint()
    assert not check.passed
    assert check.parameters is None
    assert str(tmp_path / file) in check.stopped


def test_a_shard_that_was_not_downloaded_is_named(tmp_path: Path) -> None:
    options = videollama2.build(tmp_path)
    (tmp_path / "model" / "pytorch_model-00002-of-00002.bin").unlink()
    check = VideoLLaMA2(**options).check_checkpoint()
    assert "pytorch_model-00002-of-00002.bin" in check.stopped


def test_nothing_is_downloaded_and_what_is_not_here_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(name: str, **options: Any) -> str:
        assert options["local_files_only"]
        raise huggingface_hub.errors.LocalEntryNotFoundError("not here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    options = anomshield.build(tmp_path)
    del options["base"]
    check = AnomShield(**options).check_checkpoint()
    assert "mistralai/Mistral-7B-Instruct-v0.2: run `hf download" in check.stopped
    with pytest.raises(CheckpointError, match="there are no weights"):
        VideoLLaMA2().check_checkpoint()
    with pytest.raises(UsageError, match="no weights of its own"):
        AnomShield().check_checkpoint()


def test_outside_of_an_inspection_tensors_have_numbers_again(tmp_path: Path) -> None:
    write_holes(tmp_path / "model.safetensors", {"a": torch.ones(2, 3)})
    torch.save({"a": torch.ones(2, 3)}, tmp_path / "b.pth")
    with inspecting():
        seen = [open_weights(tmp_path)["a"], open_weights(tmp_path / "b.pth")["a"]]
    assert [(tensor.device.type, tensor.shape) for tensor in seen] == [("meta", (2, 3))] * 2
    assert inspected() is None
    assert torch.equal(open_weights(tmp_path)["a"], torch.zeros(2, 3).half())
    assert torch.equal(open_weights(tmp_path / "b.pth")["a"], torch.ones(2, 3))
