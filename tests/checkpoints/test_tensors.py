"""Weight files are read as what they are, and a network is filled by all its names or not at all."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ecva_bench.adapters.parts.layouts.llava import read_layout
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import (
    _Safetensors,
    after_last,
    layered,
    open_weights,
    renamed,
    under,
    weights_file,
)
from ecva_bench.errors import CheckpointError
from tests.adapters.tiny_llava import write_shards

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([1.0, 2.0]), "b": torch.tensor(3.0)}


def same(found: object, expected: dict[str, torch.Tensor] = STATE) -> bool:
    read = dict(found)  # type: ignore[call-overload]
    return read.keys() == expected.keys() and all(torch.equal(read[name], expected[name]) for name in expected)


@pytest.mark.parametrize("form", ["bin", "safetensors"])
def test_shards_are_read_through_their_index(form: str, tmp_path: Path) -> None:
    write_shards(tmp_path, STATE, form)
    assert same(open_weights(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"model": STATE, "epoch": 3, "optimizer": {"state": {}}},
        {"state_dict": {f"module.{name}": tensor for name, tensor in STATE.items()}},
        {"module": {"model": STATE}, "step": 1},
        {**STATE, "epoch": 3},
    ],
    ids=["plain", "model", "state_dict and module.", "nested", "with a number"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_are_read_out_of_their_wrapping(content: dict[str, object], zipped: bool, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pth", _use_new_zipfile_serialization=zipped)
    assert same(open_weights(tmp_path / "weights.pth"))


def test_a_name_that_merely_begins_like_a_wrapper_stays(tmp_path: Path) -> None:
    state = {"module.a": torch.ones(1), "b": torch.ones(2)}
    torch.save(state, tmp_path / "x.bin")
    assert same(open_weights(tmp_path / "x.bin"), state)


def test_safetensors_come_before_pickles_as_transformers_has_it(tmp_path: Path) -> None:
    torch.save({"old": torch.ones(1)}, tmp_path / "pytorch_model.bin")
    save_file(STATE, tmp_path / "model.safetensors")
    assert same(open_weights(tmp_path))


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_an_index_beside_a_single_file_is_refused_unless_it_names_that_file(form: str, tmp_path: Path) -> None:
    write_shards(tmp_path, STATE, form)
    single = tmp_path / {"safetensors": "model.safetensors", "bin": "pytorch_model.bin"}[form]
    save_file(STATE, single) if form == "safetensors" else torch.save(STATE, single)
    with pytest.raises(
        CheckpointError, match=rf"two sets of weights, {single.name} and the files of {single.name}\.index"
    ):
        open_weights(tmp_path)
    index = json.dumps({"weight_map": dict.fromkeys(STATE, single.name)})
    single.with_name(f"{single.name}.index.json").write_text(index)
    assert same(open_weights(tmp_path))
    assert weights_file(tmp_path) == single


def test_only_the_shards_that_are_asked_for_are_opened(tmp_path: Path) -> None:
    write_shards(tmp_path, STATE, "bin")
    places = json.loads((tmp_path / "pytorch_model.bin.index.json").read_text())["weight_map"]
    (tmp_path / places["b"]).write_bytes(b"cut off")
    found = open_weights(tmp_path)
    assert torch.equal(found["a.bias"], STATE["a.bias"])
    with pytest.raises(CheckpointError, match=rf"is damaged.*{places['b']}.*download it again"):
        found["b"]


class Opener:
    """A pickle that writes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.write_text, (self.path, "run"))


def test_a_pickle_that_holds_a_program_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1), "args": Opener(tmp_path / "trace")}, tmp_path / "evil.bin")
    with pytest.raises(CheckpointError, match=r"holds more than weights: .*evil\.bin: .*safetensors"):
        open_weights(tmp_path / "evil.bin")
    assert not (tmp_path / "trace").exists()


def test_a_pickle_of_a_trainer_with_its_arguments_is_refused(tmp_path: Path) -> None:
    torch.save({"model": STATE, "args": argparse.Namespace(lr=1)}, tmp_path / "train.pth")
    with pytest.raises(CheckpointError, match="holds more than weights"):
        open_weights(tmp_path / "train.pth")


def test_what_is_not_there_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no whole model.*model\.safetensors"):
        open_weights(tmp_path)
    with pytest.raises(CheckpointError, match=r"no such file: .*mm_projector\.bin"):
        open_weights(tmp_path / "mm_projector.bin")
    (tmp_path / "x.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0garbage!")
    with pytest.raises(CheckpointError, match=r"cannot be read.*x\.safetensors"):
        open_weights(tmp_path / "x.safetensors")
    save_file({"a": torch.ones(1)}, tmp_path / "one.safetensors")
    index = {"a": "one.safetensors", "b": "one.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {**index, "c": "two.safetensors", "d": "three.safetensors"}})
    )
    with pytest.raises(CheckpointError, match=r"without 2 files \(three\.safetensors, two\.safetensors\): .*json"):
        open_weights(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    found = open_weights(tmp_path)
    with pytest.raises(CheckpointError, match=r"index names 'b'.*one\.safetensors"):
        found["b"]


def test_names_are_mapped_and_sources_layered() -> None:
    names = ["mm_projector.x", "model.mm_projector.y", "base_model.model.model.mm_projector.mm_projector.z", "lm_head"]
    tensors = {name: torch.tensor(float(place)) for place, name in enumerate(names)}
    assert {name: float(value) for name, value in after_last(tensors, "mm_projector.").items()} == {
        "x": 0,
        "y": 1,
        "z": 2,
    }
    assert list(under(tensors, "model.")) == ["mm_projector.y"]
    stages = layered({"a": torch.tensor(1.0)}, {"a": torch.tensor(2.0), "b": torch.tensor(2.0)})
    assert {name: float(value) for name, value in stages.items()} == {"a": 1, "b": 2}
    with pytest.raises(CheckpointError, match="two tensors are called 'same'"):
        renamed(tensors, lambda name: "same")


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Linear(3, 2)
        self.b = torch.nn.Parameter(torch.zeros(()))


@pytest.mark.parametrize("form", ["file", "shards"])
def test_filling_a_module_reads_each_tensor_once(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shards(tmp_path, STATE, "safetensors") if form == "shards" else save_file(STATE, tmp_path / "a.safetensors")
    read: list[str] = []
    whole = _Safetensors.__getitem__
    monkeypatch.setattr(_Safetensors, "__getitem__", lambda file, name: read.append(name) or whole(file, name))
    found = open_weights(tmp_path if form == "shards" else tmp_path / "a.safetensors")
    fill(Small(), renamed(layered(found), lambda name: name), "x")
    assert sorted(read) == sorted(STATE)


def test_a_module_is_filled_in_its_own_dtype() -> None:
    module = Small()
    fill(module, {name: tensor.bfloat16() for name, tensor in STATE.items()}, "x")
    assert same(module.state_dict())
    assert module.a.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a.weight": STATE["a.weight"]}, r"\(2 missing: a\.bias, b\): file\.bin: name the checkpoint"),
        ({**STATE, "c": STATE["b"]}, r"do not fit Small \(1 unexpected: c\)"),
        (
            {**STATE, "b": torch.ones(1), "a.bias": torch.ones(3)},
            r"2 of another shape: .*b 1 for scalar, a\.bias 3 for 2",
        ),
        ({**STATE, "a.bias": torch.tensor([1, 2], dtype=torch.int8)}, r"1 of whole numbers: a\.bias"),
        ({**STATE, **{f"z{n:02}": STATE["b"] for n in range(25)}}, r"25 unexpected: z00, .*, z19, …\)"),
        (
            {"a.weight": STATE["a.weight"], "b": STATE["b"], "a.biass": STATE["b"]},
            r"1 missing: a.bias; 1 unexpected: a.biass",
        ),
    ],
    ids=["missing", "unexpected", "shape", "quantised", "many", "misspelt"],
)
def test_names_and_shapes_that_do_not_fit_are_listed(state: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        fill(Small(), state, "file.bin")


def test_a_projector_file_holds_nothing_else(tmp_path: Path) -> None:
    torch.save(
        {"model.mm_projector.x": torch.ones(1), "model.embed_tokens.weight": torch.ones(1)},
        tmp_path / "mm_projector.bin",
    )
    with pytest.raises(CheckpointError, match=r"1 unexpected: model\.embed_tokens\.weight.*mm_projector\.bin"):
        read_layout(tmp_path, tmp_path / "base")
