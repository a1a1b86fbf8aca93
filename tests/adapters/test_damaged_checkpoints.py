"""Whatever is wrong with the files of a checkpoint is told in one sentence that names the file, and no program is run.

What fits but for a name or a shape is tested with each model.
"""

from __future__ import annotations

import importlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ecva_bench.adapters.videollama2.adapter import VideoLLaMA2
from ecva_bench.adapters.videollama2.stc import Stc
from ecva_bench.answering import create_adapter
from ecva_bench.errors import CheckpointError
from tests.adapters import tiny_llava as tiny

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA, its base and its tower, which have all kinds of files between them."""
    folder = tmp_path_factory.mktemp("whole")
    tiny.write_tower(folder / "tower")
    tiny.write_base(folder / "base")
    tiny.write_lora(folder / "lora", tiny.random_state(Stc(tiny.WIDTH, tiny.HIDDEN), 3), folder / "tower")
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copied"))


def load(place: Path) -> VideoLLaMA2:
    options = {"base": str(place / "base"), "vision_tower": str(place / "tower"), "device": "cpu"}
    adapter = VideoLLaMA2(model_path=str(place / "lora"), **options)
    adapter.describe()
    adapter.load()
    return adapter


def setting(name: str, value: object) -> Damage:
    """Change a setting of a config.json, or take it out where the value is `...`."""

    def change(path: Path) -> None:
        found = json.loads(path.read_text()) | {name: value}
        path.write_text(json.dumps({name: value for name, value in found.items() if value is not ...}))

    return change


def content(data: bytes) -> Damage:
    return lambda path: path.write_bytes(data)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("lora/config.json", content(b"{"), "the file is no JSON"),
        ("lora/config.json", setting("hidden_size", ...), "hidden_size is not there"),
        ("lora/config.json", setting("mm_hidden_size", "16"), "mm_hidden_size is '16', and no whole number above 0"),
        ("lora/config.json", setting("num_frames", None), "num_frames is None, and no whole number above 0"),
        ("lora/config.json", setting("num_frames", 0), "num_frames is 0, and no whole number above 0"),
        ("lora/adapter_config.json", content(b"{"), "the LoRA cannot be read"),
        ("lora/adapter_config.json", content(b"{}"), "the LoRA cannot be read"),
        ("lora/adapter_config.json", setting("target_modules", ["x"]), "the LoRA cannot be read (Target modules {'x'}"),
        ("lora/adapter_model.safetensors", half, "the file cannot be read"),
        ("lora/non_lora_trainables.bin", half, "the file cannot be read"),
        ("lora/non_lora_trainables.bin", empty, "the file cannot be read (EOFError)"),
        ("base/config.json", setting("rope_scaling", "x"), "the language model's configuration cannot be read"),
        ("base/model.safetensors", half, "the language model cannot be read"),
        ("base/tokenizer.model", content(b"junk"), "the tokenizer cannot be read"),
        ("base/tokenizer.model", empty, "the tokenizer cannot be read"),
        ("base/added_tokens.json", content(b'{"<x>": "y"}'), "an added token has no number"),
        ("tower/config.json", content(b"{"), "the vision tower's configuration cannot be read"),
        ("tower/config.json", setting("num_attention_heads", 3), "the vision tower's configuration cannot be read"),
        ("tower/config.json", setting("hidden_act", "none"), "the vision tower's configuration cannot be read"),
        ("tower/pytorch_model.bin", half, "the file cannot be read"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(copied: Path, file: str, damage: Damage, message: str) -> None:
    damage(copied / file)
    with pytest.raises(CheckpointError) as error:
        load(copied)
    assert message in str(error.value)
    assert str(copied / Path(file).parent) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("model", "file", "name", "value", "message"),
    [
        ("chat-univi", "model/config.json", "hidden_size", ..., "hidden_size is not there"),
        ("chat-univi", "model/config.json", "mm_hidden_size", True, "mm_hidden_size is True, and no whole number"),
        ("chat-univi", "model/config.json", "config", None, "config is None, and no settings"),
        ("chat-univi", "model/config.json", "config", {"use_cluster": True}, "spatial_cluster_rate0 is None, and no"),
        ("video-llava", "model/config.json", "hidden_size", ..., "hidden_size is not there"),
        ("video-llava", "languagebind/config.json", "vision_config", "x", "vision_config is 'x', and no settings"),
        ("vila", "model/config.json", "num_video_frames", ..., "num_video_frames is not there"),
        ("vila", "model/llm/config.json", "hidden_size", ..., "hidden_size is not there"),
        ("vila", "model/vision_tower/config.json", "num_attention_heads", 5, "tower's configuration cannot be read"),
        ("vila", "model/llm/tokenizer_config.json", "bos_token", 3.5, "the tokenizer has no token '3.5'"),
        ("llama-vid", "model/config.json", "bert_type", None, "a connector of another kind (None, mlp2x_gelu)"),
        ("llama-vid", "model/config.json", "compress_type", 2, "content tokens of another kind (2)"),
        ("mplug-owl", "model/config.json", "text_config", None, "text_config is None, and no settings"),
        ("mplug-owl", "model/config.json", "vision_config", [], "vision_config is [], and no settings"),
        ("mplug-owl", "model/config.json", "vision_config", {"hidden_size": "x"}, "configuration cannot be read"),
        ("otter", "model/config.json", "vision_config", 1, "vision_config is 1, and no settings"),
        ("otter", "model/config.json", "cross_attn_every_n_layers", 0, "is 0, and no whole number above 0"),
        ("videollama2", "model/config.json", "mm_projector_type", [], "the projector '[]' is none of"),
    ],
)  # fmt: skip
def test_a_setting_that_is_none_is_named_whatever_the_model(
    tmp_path: Path, model: str, file: str, name: str, value: object, message: str
) -> None:
    options = importlib.import_module(f"tests.adapters.tiny.{model.replace('-', '_')}").build(tmp_path)
    setting(name, value)(tmp_path / file)
    adapter = create_adapter(model, options)

    def use() -> None:
        adapter.describe()
        adapter.load()

    with pytest.raises(CheckpointError) as error:
        use()
    assert message in str(error.value)
    assert str((tmp_path / file).parent) in str(error.value)
    if "num_video_frames" not in message:  # which the networks do not need
        assert message in adapter.check_checkpoint().stopped


@pytest.mark.parametrize("model", ["llama-vid", "st-llm", "timechat", "videochat2"])
def test_a_vocabulary_that_is_not_the_q_formers_is_refused_before_anything_is_asked(tmp_path: Path, model: str) -> None:
    options = importlib.import_module(f"tests.adapters.tiny.{model.replace('-', '_')}").build(tmp_path)
    vocabulary = tmp_path / "bert" / "vocab.txt"
    half(vocabulary)
    with pytest.raises(
        CheckpointError, match=r"the vocabulary has \d+ words, and the Q-Former \d+ with \[DEC\]: .*vocab"
    ):
        create_adapter(model, options).load()
    assert "the vocabulary has" in create_adapter(model, options).check_checkpoint().stopped
    empty(vocabulary)
    with pytest.raises(CheckpointError, match=r"do not fit BERT's vocabulary"):
        create_adapter(model, options).load()


def test_a_tokenizer_file_that_is_none_is_named(copied: Path) -> None:
    (copied / "base" / "tokenizer.model").unlink()
    (copied / "base" / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"the tokenizer cannot be read .*tokenizer\.json"):
        load(copied)


class Program:
    """A pickle that writes a file when it is opened."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> object:
        return (Path.write_text, (self.trace, "run"))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("file", ["lora/non_lora_trainables.bin", "base/pytorch_model.bin", "tower/pytorch_model.bin"])
def test_a_program_in_a_pickle_is_refused_and_not_run(copied: Path, file: str, zipped: bool) -> None:
    weights = {"model.mm_projector.x": Program(copied / "trace")}
    if zipped:
        torch.save(weights, copied / file)
    else:
        (copied / file).write_bytes(pickle.dumps(weights))
    if file.startswith("base"):
        (copied / "base" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError) as error:
        load(copied)
    assert str(copied / Path(file).parent) in str(error.value)
    assert not (copied / "trace").exists()


def test_an_index_that_names_no_files_is_an_error(copied: Path) -> None:
    (copied / "tower" / "pytorch_model.bin").rename(copied / "tower" / "model-1.bin")
    (copied / "tower" / "pytorch_model.bin.index.json").write_text('{"weight_map": ["model-1.bin"]}')
    with pytest.raises(CheckpointError, match=r"the index names no files: .*index\.json"):
        load(copied)


def test_the_tower_s_sizes_are_read_from_a_config_of_both_of_clip_s_halves(copied: Path) -> None:
    config = copied / "tower" / "config.json"
    own = {name: value for name, value in json.loads(config.read_text()).items() if name != "model_type"}
    config.write_text(json.dumps({"model_type": "clip", "vision_config": own, "text_config": {}, "projection_dim": 8}))
    assert load(copied).networks.tower.model.config.hidden_size == tiny.WIDTH  # type: ignore[attr-defined]


def test_loading_draws_no_bars_where_there_is_no_terminal(copied: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(copied)
    assert capfd.readouterr().err == ""
