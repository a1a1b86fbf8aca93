"""Whoever loads a network, a checkpoint that is not whole is refused by the one loader, and what is wrong is named.

A fault of a checkpoint is the same for a judge, a metric and a model of `hf`: a weight taken out, a weight of another
shape, an index beside a single file, a shard that is not there.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecva_bench.adapters.hf.multimodal import Multimodal
from ecva_bench.adapters.parts.language.loading import load_language
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.checkpoints.pretrained import load_pretrained
from ecva_bench.errors import CheckpointError
from ecva_bench.judging import open_judge
from ecva_bench.scoring.moverscore import MoverModel
from ecva_bench.scoring.unieval import UniEvalModel
from tests.adapters import tiny_hf
from tests.judging.build import grade
from tests.judging.tiny import save_tiny_model
from tests.scoring.tiny_moverscore import save_distilbert
from tests.scoring.tiny_unieval import save_t5

HERE = Placement(torch.device("cpu"), torch.float32)
Load = Callable[[Path], object]


def ask_judge(folder: Path) -> None:
    with open_judge(f"hf:{folder}", store=folder.parent / "store.sqlite") as judge:
        judge.ask([grade()])


LOADERS: dict[str, tuple[Callable[[Path], object], Load, str]] = {
    "judge, Llama": (save_tiny_model, ask_judge, "model.layers.1.mlp.up_proj.weight"),
    "judge, head": (save_tiny_model, ask_judge, "lm_head.weight"),
    "judge, GPT-2": (lambda folder: save_tiny_model(folder, kind="gpt2"), ask_judge, "transformer.h.1.mlp.c_fc.bias"),
    "metric, DistilBERT": (
        save_distilbert,
        lambda folder: MoverModel(folder, "cpu", "float32"),
        "transformer.layer.1.ffn.lin1.weight",
    ),
    "metric, T5": (
        save_t5,
        lambda folder: UniEvalModel(folder, "cpu", "float32"),
        "decoder.block.1.layer.1.EncDecAttention.k.weight",
    ),
    "hf": (
        lambda folder: tiny_hf.write(folder, "video_llava"),
        lambda folder: Multimodal(folder, HERE, trusted=False),
        "layers.1.mlp.up_proj.weight",
    ),
    "language model": (
        save_tiny_model,
        lambda folder: load_language(folder, "Llama", HERE),
        "model.layers.0.self_attn.q_proj.weight",
    ),
}


@pytest.fixture(params=LOADERS)
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Load, str]:
    save, load, name = LOADERS[request.param]
    folder = tmp_path / "checkpoint"
    save(folder)
    return folder, load, name


def refused(folder: Path, load: Load) -> str:
    with pytest.raises(CheckpointError) as error:
        load(folder)
    store = folder.parent / "store.sqlite"
    if store.exists():
        with sqlite3.connect(store) as base:
            assert base.execute("SELECT count(*) FROM calls").fetchone() == (0,)
    return str(error.value)


def rewrite(folder: Path, name: str, tensor: torch.Tensor | None) -> None:
    state = load_file(folder / "model.safetensors")
    (whole,) = [each for each in state if each.endswith(name)]  # a file may have more before it than the network
    del state[whole]
    if tensor is not None:
        state[whole] = tensor
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_weight_that_is_missing_is_named_and_not_drawn_at_random(checkpoint: tuple[Path, Load, str]) -> None:
    folder, load, name = checkpoint
    load(folder)
    (folder.parent / "store.sqlite").unlink(missing_ok=True)
    rewrite(folder, name, None)
    message = refused(folder, load)
    assert re.search(rf"1 missing: [\w.]*{re.escape(name)}\)", message)
    assert str(folder) in message


def test_a_weight_of_another_shape_is_named(checkpoint: tuple[Path, Load, str]) -> None:
    folder, load, name = checkpoint
    rewrite(folder, name, torch.ones(2, 3))
    message = refused(folder, load)
    assert re.search(rf"1 of another shape: [\w.]*{re.escape(name)} 2x3 for \d", message)


def test_two_sets_of_weights_in_a_folder_are_refused_and_so_is_half_a_one(checkpoint: tuple[Path, Load, str]) -> None:
    folder, load, _ = checkpoint
    names = list(load_file(folder / "model.safetensors"))
    index = {"weight_map": dict.fromkeys(names, "model-00001-of-00002.safetensors")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "two sets of weights, model.safetensors and the files of" in refused(folder, load)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index["weight_map"][names[0]] = "model-00002-of-00002.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "without 1 file (model-00002-of-00002.safetensors)" in refused(folder, load)


def test_what_may_be_passed_over_is_said_with_a_reason_and_nothing_else_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_tiny_model(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    extra = {"head.weight": torch.ones(2), "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)}
    save_file({**state, **extra}, tmp_path / "model.safetensors", metadata={"format": "pt"})

    def load(**passed_over: str) -> object:
        options = {"what": "the model", "dtype": torch.float32, "too_large": ""}
        return load_pretrained("LlamaForCausalLM", tmp_path, passed_over=passed_over, **options)

    with pytest.raises(CheckpointError, match=r"1 unexpected: head\.weight\)"):
        load()
    with pytest.raises(CheckpointError, match=r"1 unexpected: head\.weight\)"):
        load(weights="no name holds this")
    with caplog.at_level("INFO"):
        load(head="of another task")
    assert "head.weight is passed over: of another task" in caplog.text
