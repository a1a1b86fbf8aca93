"""CUVA and ECVA are told apart by what their annotations say, whatever the file is called."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.data.identity import CUVA_VIDEOS, ECVA_VIDEOS, ecva_number, fingerprint, number_steps, recognise
from ecva_bench.names import number_of
from ecva_bench.records import Annotation


@pytest.fixture(scope="module")
def cuva(shared_data: Path) -> Dataset:
    return load_dataset(shared_data / "ecva/annotations.xlsx")


class Likeness:
    """TF-IDF over some texts; the cosine of another text with each."""

    def __init__(self, texts: dict[int, str]) -> None:
        self._unknown = math.log(1 + len(texts)) + 1
        found = Counter(word for text in texts.values() for word in set(self._words(text)))
        self._rarity = {word: math.log((1 + len(texts)) / (1 + n)) + 1 for word, n in found.items()}
        self._vectors = {number: self._vector(text) for number, text in texts.items()}

    def __call__(self, text: str) -> dict[int, float]:
        asked = self._vector(text)
        return {
            number: sum(weight * asked.get(word, 0) for word, weight in vector.items())
            for number, vector in self._vectors.items()
        }

    def _vector(self, text: str) -> dict[str, float]:
        plain = {word: n * self._rarity.get(word, self._unknown) for word, n in Counter(self._words(text)).items()}
        length = math.sqrt(sum(weight**2 for weight in plain.values())) or 1.0
        return {word: weight / length for word, weight in plain.items()}

    @staticmethod
    def _words(text: str) -> list[str]:
        return re.findall(r"[a-z]{3,}", text.lower())


def test_a_third_data_sets_descriptions_of_ecva_videos_are_of_no_row_of_the_same_number(
    cuva: Dataset, shared_data: Path
) -> None:
    rows = {number_of(a.video): f"{a.description} {a.cause} {a.effect}" for a in cuva.annotations}
    alike = Likeness({number: text for number, text in rows.items() if number is not None})
    with (shared_data / "field/vau_bench_test_ecva.csv").open(encoding="utf-8-sig", newline="") as file:
        theirs = {number_of(row["Video Name"]): row["Description"] for row in csv.DictReader(file)}
    best = {number: max((found := alike(text)), key=found.__getitem__) for number, text in theirs.items()}
    assert len(best) >= 15
    assert all(number in rows for number in best if number != 66)
    assert not [number for number, row in best.items() if number == row]
    shares = [max(alike(text).values()) for text in theirs.values()]
    assert sum(shares) / len(shares) < 0.25  # where the rest of that data set matches, 0.64
    # The measure does find a video by another text about it: descriptions among the causes and effects.
    texts = {number_of(a.video): f"{a.cause} {a.effect}" for a in cuva.annotations[:200]}
    other = Likeness({number: text for number, text in texts.items() if number is not None})
    asked = {number_of(a.video): a.description for a in cuva.annotations[:200] if a.description}
    right = [number for number, text in asked.items() if max((f := other(text)), key=f.__getitem__) == number]
    assert len(right) > 0.6 * len(asked)


def test_descriptions_of_ecva_videos_from_1253_on_are_of_the_row_that_the_map_says(
    cuva: Dataset, field_files: Path
) -> None:
    """The other half, of every fourth video: whole files, for the sample has none of these numbers."""
    rows = {number_of(a.video): f"{a.description} {a.cause} {a.effect}" for a in cuva.annotations}
    alike = Likeness({number: text for number, text in rows.items() if number is not None})
    mapped = {ecva: number for number in range(1, CUVA_VIDEOS + 1) if (ecva := ecva_number(number))}
    theirs = {}
    for file in ("test_ecva.csv", "val.csv"):
        with (field_files / "vau-bench" / file).open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                number = number_of(row["Video Name"].removeprefix("ecva_"))
                if number in mapped:
                    theirs[number] = row["Description"]
    some = sorted(theirs)[::4]
    right = []  # some rows say of two videos the very same, and are alike then
    for number in some:
        found = alike(theirs[number])
        right += [number] if found[mapped[number]] >= max(found.values()) - 0.01 else []
    assert (len(theirs), len(some)) == (337, 85)
    assert len(right) >= len(some) - 1


def test_the_map_between_the_numbers_skips_the_rows_that_annotate_nothing(cuva: Dataset) -> None:
    steps = number_steps()
    assert (sum(step.matched for step in steps), sum(step.of for step in steps)) == (335, 337)
    mapped = {number: ecva for number in range(1, CUVA_VIDEOS + 1) if (ecva := ecva_number(number))}
    assert len(set(mapped.values())) == len(mapped)
    assert 1251 < min(mapped.values()) < max(mapped.values()) <= ECVA_VIDEOS
    empty = {number_of(each.video) for each in cuva.excluded}
    assert empty.isdisjoint(mapped)
    for one, other in pairwise(steps):
        between = set(range(one.last + 1, other.first))
        assert one.shift - other.shift == len(between & empty) or between == {66, 67}
        assert between <= empty | {66, 67}


def renumbered(annotations: Iterable[Annotation], shift: int = 0) -> list[dict[str, str]]:
    rows = []
    for each in annotations:
        number = number_of(each.video)
        assert number is not None
        name = ecva_number(number) if shift else number
        if name and each.cause:
            rows.append({"visual_input": f"{name}.mp4", "task": "Cause", "output": each.cause})
    return rows


def test_cuvas_annotations_are_cuva_whatever_they_are_called(cuva: Dataset, shared_data: Path, tmp_path: Path) -> None:
    assert cuva.name == "cuva"
    named = load_dataset("ecva", shared_data / "ecva/annotations.xlsx")
    assert (named.name, named.sha256, named.annotations) == ("cuva", cuva.sha256, cuva.annotations)
    (said,) = [found for found in named.findings if found.rule == "other-data-set"]
    assert (said.before, said.after) == (
        "ecva",
        "cuva: 983 of 983 known causes stand at CUVA's number of their video",
    )
    assert not [found for found in cuva.findings if found.rule == "other-data-set"]
    some = tmp_path / "my.json"
    some.write_text(json.dumps(renumbered(cuva.annotations[40:60])))
    assert load_dataset(f"ecva:{some}").name == load_dataset(some).name == "cuva"


def test_videos_with_the_very_same_annotation_are_found(cuva: Dataset) -> None:
    texts = Counter((a.label, a.moments, a.description, a.cause, a.effect) for a in cuva.annotations)
    found = cuva.found_by("annotation-repeated")
    assert len(found) == sum(texts.values()) - len(texts) > 0
    by_video = {each.video: each for each in cuva.annotations}
    assert all(by_video[one.video].cause == by_video[one.before].cause for one in found)


def test_ecvas_numbers_of_cuvas_videos_are_ecva(cuva: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    beside = [{"visual_input": f"{number}.mp4", "task": "Cause", "output": "x" * 50} for number in range(1, 100)]
    path.write_text(json.dumps([*beside, *renumbered(cuva.annotations, shift=1)]))
    for source in (path, f"ecva:{path}"):
        dataset = load_dataset(source)
        assert dataset.name == "ecva"
        assert not [found for found in dataset.findings if found.rule == "other-data-set"]
    assert load_dataset(f"cuva:{path}").name == "ecva"
    assert dataset.annotations[0].media == "1.mp4"


def test_what_is_not_known_keeps_the_name_it_was_given(cuva: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps([{"visual_input": "14.mp4", "task": "Cause", "output": "somebody else's words " * 5}]))
    assert [load_dataset(s).name for s in (path, f"ecva:{path}", f"cuva:{path}")] == ["cuva", "ecva", "cuva"]
    path.write_text(path.read_text().replace("14.mp4", "2150.mp4"))  # no number of CUVA's
    assert load_dataset(path).name == "ecva"
    assert recognise(replace(cuva, annotations=()).annotations) is None
    assert fingerprint("Too short.") == fingerprint(None) == "------"
    assert fingerprint("ＡＢ, c! " * 20) == fingerprint("abc" * 20) != fingerprint("abd" * 20)
