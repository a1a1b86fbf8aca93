"""Every family of transformers that takes videos: loaded, shown and asked as its settings say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ecva_bench.adapters.hf.adapter import Hf
from ecva_bench.adapters.hf.families import FAMILIES, UNLISTED
from ecva_bench.answering.models import target_rows
from tests.adapters import conformance

FEW = ("minicpmv4_7", "molmo2", "qwen2_5_omni")  # without times, with times, and with a part that speaks


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return conformance.clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(autouse=True)
def one_thread() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield None
    torch.set_num_threads(before)


def check_family(family: str, videos: dict[str, Path], folder: Path) -> None:
    """Compare what a family's tiny model was shown, told and answered with what its settings say."""
    asked = conformance.ask(family, conformance.checkpoint(folder, family), videos)
    assert asked.listed
    assert len(asked.frames) == asked.count
    if asked.step is not None:
        assert np.abs(np.diff(asked.frames) - asked.step).max() <= 1
    assert len(asked.told) == len(asked.due)
    wrong = [(told, due) for told, due in zip(asked.told, asked.due, strict=True) if not due[0] <= told <= due[1]]
    assert wrong == []
    assert asked.together == asked.one_by_one
    assert len(asked.one_by_one) == len(conformance.QUESTIONS)
    assert {*asked.others} == {"single", "tall"}
    assert all(isinstance(answer, str) for answer in asked.others.values())


@pytest.mark.parametrize("family", FEW)
def test_a_few_families_are_shown_and_answer_as_listed(family: str, videos: dict[str, Path], tmp_path: Path) -> None:
    check_family(family, videos, tmp_path / family)


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted({*conformance.families()} - {*conformance.NOT_PASSED, *FEW}))
def test_every_family_is_shown_and_answers_as_listed(family: str, videos: dict[str, Path], tmp_path: Path) -> None:
    check_family(family, videos, tmp_path / family)


def test_readme_and_guide_list_every_family_as_it_is() -> None:
    for page, part in ((conformance.README, conformance.short_table()), (conformance.PAGE, conformance.table())):
        text = page.read_text(encoding="utf-8")
        assert conformance.page_with(text, part) == text
        named = re.findall(r"`(\w+)`", "\n".join(line for line in part.splitlines() if line.startswith("|")))
        assert sorted({*named} - {"images"}) == conformance.families()
        assert all(why in part for why in conformance.NOT_PASSED.values())
    assert len(conformance.families()) - len(conformance.NOT_PASSED) >= 34


def test_rates_and_counts_are_those_of_the_installed_processors() -> None:
    auto = conformance.video_processing_auto
    listed = json.loads(FAMILIES.read_text(encoding="utf-8"))["families"]
    compared = 0
    for name, row in listed.items():
        kinds = auto.VIDEO_PROCESSOR_MAPPING_NAMES.get(name)
        if kinds and row["source"].startswith("processor:"):
            processor = auto.video_processor_class_from_name(kinds["torchvision"])
            rule = row["frames"]
            if "fps" in rule and (rate := getattr(processor, "fps", None) or getattr(processor, "max_fps", None)):
                assert rule["fps"] == rate, name
                compared += 1
            if "count" in rule:
                assert rule["count"] == processor.num_frames, name
                compared += 1
            if least := getattr(processor, "min_frames", None):
                assert rule["least"] == least, name
    assert compared >= 8


def test_what_is_not_listed_is_said_signed_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nobody_knows"}))
    adapter = Hf.of_settings(str(tmp_path))
    adapter.say_unlisted()
    assert f"'nobody_knows' is {UNLISTED}" in capsys.readouterr().err
    assert adapter.family.describe()["settings"] == UNLISTED
    assert dict(target_rows(f"hf:{tmp_path}"))["settings"] == UNLISTED


def test_a_listed_family_is_shown_with_its_source_and_its_key_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen3_vl"}))
    rows = dict(target_rows(f"hf:{tmp_path}"))
    assert rows["frames"] == "rule at_fps, fps 2, least 4, cap 64"
    assert rows["source"].startswith("processor:")
    assert "the words" not in rows
    assert set(Hf.of_settings(str(tmp_path)).family.describe()) == {"input", "frames", "pixels", "processor"}


def test_the_words_for_times_are_shown_where_tasks_about_times_are_asked_with_them(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "internvl"}))
    rows = dict(target_rows(f"hf:{tmp_path}"))
    assert rows["times"] == "none; in words, for tasks about times"
    assert rows["the words"].startswith("The video lasts for {duration:.2f} seconds, and {count} frames are uniformly")
    assert "LLaVA-Video's authors: docs/LLaVA_Video_1003.md" in rows["the words"]
