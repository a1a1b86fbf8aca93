"""MovieLLM is LLaMA-VID with positions closer together, in a folder of a repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ecva_bench.adapters.moviellm import INNER, MovieLLM
from ecva_bench.adapters.parts.language.loading import load_language
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.checkpoints.tensors import open_weights
from ecva_bench.errors import CheckpointError
from ecva_bench.video import Video
from tests.adapters.test_llama_vid import QUESTIONS, by_hand
from tests.adapters.tiny import llm, moviellm
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.video.make import write

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return moviellm.build(tmp_path_factory.mktemp("moviellm"))


@pytest.fixture(scope="module")
def loaded(place: dict[str, str]) -> MovieLLM:
    return MovieLLM(**place)


def test_the_language_model_gives_the_originals_logits(shared_golden: Path, tmp_path: Path) -> None:
    settings = json.loads((shared_golden / "moviellm" / "llama_linear_rope.json").read_text())
    golden = open_weights(shared_golden / "moviellm" / "llama_linear_rope.safetensors")
    state = {name: tensor for name, tensor in golden.items() if not name.startswith(("input.", "output."))}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llava", **settings["config"]}))
    language = load_language(tmp_path, "Llama", CPU)
    with torch.no_grad():
        found = language(golden["input.input_ids"]).logits
    torch.testing.assert_close(found, golden["output.logits"], atol=1e-5, rtol=1e-5)


def test_positions_are_those_of_the_sums(tmp_path: Path) -> None:
    """Positions a factor closer: the model without it, asked at positions divided by it, says the same."""
    factor = 4.0
    scaling = {"rope_scaling": {"type": "linear", "factor": factor}}
    llm.write_language(tmp_path, "Llama", settings=scaling)
    language, plain = load_language(tmp_path, "Llama", CPU), llm.language("Llama")
    ids = torch.tensor([[1, 5, 9, 200, 31, 7, 7, 40]])
    near = torch.arange(8)[None] / factor
    with torch.no_grad():
        found = language(ids).logits
        torch.testing.assert_close(found, plain(ids, position_ids=near).logits, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(found, plain(ids).logits, atol=1e-2)


def test_answers_are_those_of_the_model_put_together_by_hand(
    place: dict[str, str], loaded: MovieLLM, tmp_path: Path
) -> None:
    video = Video(write(tmp_path / "a.mp4", count=60))
    expected = [by_hand(loaded, video, [0, 25, 50], question) for question in QUESTIONS]
    assert loaded.answer_many(video, QUESTIONS) == expected
    inner = {**place, "model_path": f"{place['model_path']}/{INNER}"}
    assert MovieLLM(**inner).answer(video, QUESTIONS[0]) == expected[0]
    config = loaded.networks.language.config
    assert (config.rope_parameters["rope_type"], config.rope_parameters["factor"]) == ("linear", 16.0)


def test_the_five_tasks_are_answered_and_both_folders_are_one_checkpoint(
    place: dict[str, str], loaded: MovieLLM, tmp_path: Path
) -> None:
    assert len(set(five_answers(loaded, mini_clip(tmp_path)))) > 1
    described = loaded.describe()
    inner = MovieLLM(**{**place, "model_path": f"{place['model_path']}/{INNER}"})
    assert inner.describe() == described
    path = loaded.checkpoint.folder / "generation_config.json"
    path.write_text(path.read_text() + " ")
    assert MovieLLM(**place).describe()["checkpoints"]["model"] != described["checkpoints"]["model"]


def test_a_folder_without_the_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"holds no weights: .*: put one of {INNER}/"):
        MovieLLM(model_path=str(tmp_path)).describe()
