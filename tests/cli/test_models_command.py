"""Models as a user finds them: listed with their costs, described by their cards, checked against their files."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import huggingface_hub
import pytest
import torch

from ecva_bench import registry
from ecva_bench.adapters.vila.adapter import Vila
from tests.adapters.tiny import vila
from tests.adapters.tiny.edit import edit
from tests.cli.conftest import Command


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's cache in which nothing lies."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "hub"


def listed(ecva_bench: Command) -> dict[str, dict[str, object]]:
    code, shown, _ = ecva_bench("models", "--json")
    assert code == 0
    return {model["name"]: model for model in json.loads(shown)}


def test_every_model_is_listed_with_what_a_question_costs(hub: Path, ecva_bench: Command) -> None:
    code, shown, _ = ecva_bench("models")
    assert code == 0
    lines = {line.split()[0].removesuffix(":…"): line for line in shown.splitlines() if line}
    assert lines.keys() >= set(registry.names("ecva_bench.adapters"))
    assert lines["vila"].split() == ["vila", "8", "B", "8", "1568", "17.0", "GB", "CC", "BY-NC", "4.0", "0", "of", "2"]
    assert lines["anomshield-mini"].split()[1:3] == ["0.001", "B"]
    assert lines["anomshield-mini"].endswith("in the package")
    assert lines["anomshield"].endswith("none released")
    assert "the floor" in lines["constant"]
    card = listed(ecva_bench)["vila"]["card"]
    assert isinstance(card, dict)
    assert card["deviations"] == list(Vila.card.deviations)


def test_weights_are_found_in_the_cache_of_the_hub_and_in_folders(hub: Path, ecva_bench: Command) -> None:
    assert listed(ecva_bench)["vila"]["here"] == []
    first, second = Vila.card.hub_ids
    cached = hub / f"models--{first.replace('/', '--')}"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("a" * 40)
    (cached / "snapshots" / ("a" * 40) / "llm").mkdir(parents=True)
    assert listed(ecva_bench)["vila"]["here"] == []  # a download that was broken off
    (cached / "snapshots" / ("a" * 40) / "llm" / "model-00001-of-00004.safetensors").touch()
    assert listed(ecva_bench)["vila"]["here"] == [first]
    Path(second).mkdir(parents=True)
    (Path(second) / "model.safetensors").touch()
    assert listed(ecva_bench)["vila"]["here"] == [first, second]
    assert f"{first} (here)" in ecva_bench("models", "show", "vila")[1]


def test_a_card_is_shown_whole(ecva_bench: Command) -> None:
    code, shown, _ = ecva_bench("models", "show", "vila")
    assert code == 0
    assert all(sentence in shown for sentence in (*Vila.card.deviations, Vila.card.code_licence, Vila.card.memory))
    assert ecva_bench("models", "show", "motion")[0] == 0
    code, _, complaint = ecva_bench("models", "show", "villa")
    assert code == 2
    assert "did you mean 'vila'?" in complaint


def test_a_package_that_is_broken_hides_no_other(
    hub: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("theirs", "no_such_package.module:Model", "ecva_bench.adapters")
    no_class = EntryPoint("strange", "json:dumps", "ecva_bench.adapters")
    found = registry.entry_points

    def entry_points(**wanted: str) -> list[EntryPoint]:
        return [*found(**wanted), *(e for e in (broken, no_class) if wanted.get("name", e.name) == e.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    code, shown, _ = ecva_bench("models")
    assert code == 0
    assert "theirs        cannot be used (ModuleNotFoundError: No module named 'no_such_package')" in shown
    assert (
        "strange       cannot be used (strange (dumps in json) is no model: it has no answer(video, question))" in shown
    )
    assert "\nvila " in shown


def test_files_that_fit_and_files_that_do_not(tmp_path: Path, ecva_bench: Command) -> None:
    path = vila.build(tmp_path)["model_path"]
    code, shown, _ = ecva_bench("models", "check", "vila", "--model-path", path)
    assert code == 0
    assert "MlpDownsample: fits: 6 tensors  [model/mm_projector]" in shown
    assert shown.endswith("B in 16 bits\nthe weights fit\n")
    more = {f"extra.{n:02}": torch.ones(1) for n in range(12)}
    edit(Path(path) / "mm_projector" / "model.safetensors", {"layers.1.bias": None, **more})
    code, shown, _ = ecva_bench("models", "check", "vila", "--model-path", path)
    assert code == 1
    assert "  1 missing\n    layers.1.bias\n  12 unexpected\n    extra.00\n" in shown
    assert "extra.09\n    … and 2 more (--all)\n" in shown
    assert shown.endswith("the weights do not fit\n")
    assert "LlamaForCausalLM: fits: 21 tensors" in shown  # one part does not hide another
    assert "extra.11" in ecva_bench("models", "check", "vila", "--model-path", path, "--all")[1]
    (Path(path) / "llm" / "config.json").write_text("{")
    code, shown, _ = ecva_bench("models", "check", "vila", "--model-path", path)
    assert code == 1
    assert "not compared further: the file is no JSON" in shown


def test_a_check_that_cannot_be_made_says_why(hub: Path, ecva_bench: Command) -> None:
    code, _, complaint = ecva_bench("models", "check", "motion")
    assert code == 2
    assert "the model has no weights that could be checked: Motion" in complaint
    code, _, complaint = ecva_bench("models", "check", "vila", "--model-path", hub / "nowhere")
    assert code == 2
    assert "there is no such checkpoint" in complaint
    code, _, complaint = ecva_bench("models", "check", "vila", "--model-arg", "frames")
    assert code == 2
    assert "write name=value" in complaint
