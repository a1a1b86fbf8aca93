"""The descriptions that are published with the package: on made-up rows of each shape, on real samples, whole files."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.data.described.shipped import SHIPPED
from ecva_bench.data.identity import CUVA_VIDEOS, ecva_number
from ecva_bench.errors import DataError, UsageError
from ecva_bench.names import number_of
from ecva_bench.records import Annotation
from tests.imports import ROOT

from .field_shapes import SHAPES, VAU, table, vau_row


def load(shape: str, folder: Path) -> Dataset:
    name, write = SHAPES[shape]
    return load_dataset(f"{name}:{write(folder)}")


def by_video(dataset: Dataset) -> dict[str, Annotation]:
    return {each.video: each for each in dataset.annotations}


def rules(dataset: Dataset) -> Counter[str]:
    return Counter(finding.rule for finding in dataset.findings)


def spans(annotation: Annotation) -> list[tuple[float, float]]:
    return [(moment.start, moment.end) for moment in annotation.moments]


def class_of(dataset: Dataset, video: str) -> str | None:
    label = by_video(dataset)[video].label
    return None if label is None else dataset.taxonomy.describe(label)


def test_vau_bench(tmp_path: Path) -> None:
    dataset = load("vau-bench", tmp_path)
    found = by_video(dataset)
    assert set(found) == {"14", "Fire_1", "calm_1"}
    assert spans(found["14"]) == [(1.0, 62.0)]  # 0102 is a minute and two seconds
    assert spans(found["Fire_1"]) == [(1.0, 3.0)]
    assert [found[video].anomalous for video in ("14", "Fire_1", "calm_1")] == [True, True, False]
    assert found["calm_1"].moments == ()
    assert [found[video].queries[0].answer for video in ("14", "Fire_1")] == [0, 1]
    assert class_of(dataset, "14") == "Fire"
    assert rules(dataset) == {"mmss-as-seconds": 1, "key-malformed": 1, "moments-of-normal": 1, "row-left-out": 1}


@pytest.mark.parametrize(
    ("start", "end", "moments", "rule"),
    [
        ("300.0", "330.0", [(180.0, 210.0)], "mmss-as-seconds"),
        ("8.0", "70.0", [], "moment-seconds"),  # 70 is no mmss, so the reading is not proven and the span not used
        ("560.0", "610.0", [], "moment-seconds"),
        ("5.0", "59.0", [(5.0, 59.0)], None),  # the same either way
        ("-1.0", "-1.0", [], "moments-missing"),
        ("-1.0", "9.0", [], "moment-open"),
    ],
)
def test_times_of_ecvas_part_are_mmss(
    start: str, end: str, moments: list[tuple[float, float]], rule: str | None, tmp_path: Path
) -> None:
    file = table(tmp_path, "a.csv", VAU, vau_row("ecva_7.mp4", start=start, end=end))
    dataset = load_dataset(f"vau-bench:{file}")
    assert spans(dataset.annotations[0]) == moments
    assert list(rules(dataset)) == ([rule] if rule else [])


def test_hivau_70k(tmp_path: Path) -> None:
    dataset = load("hivau-70k", tmp_path)
    found = {each.media.rpartition("/")[2]: each for each in dataset.annotations}
    assert found["a_E0C0.mp4"].description == "A man runs."
    assert found["a_E0.mp4"].cause == "It is a theft because he takes a bag."
    assert [found[name].anomalous for name in ("a_E0.mp4", "b.mp4", "c.mp4")] == [True, False, None]
    assert rules(dataset) == {"duplicate-row": 1, "detection-unclear": 1}


def test_the_raw_database_of_hivau_70k(tmp_path: Path) -> None:
    dataset = load("hivau-70k raw", tmp_path)
    found = by_video(dataset)
    assert spans(found["a_x264"]) == [(0.5, 1.5), (2.0, 2.5)]
    assert (found["a_x264"].description, found["a_x264"].cause) == ("He takes a bag.", "It is not his.")
    assert class_of(dataset, "a_x264") == "Stealing"
    assert (found["b_x264"].anomalous, found["b_x264"].moments) == (False, ())


def test_uca(tmp_path: Path) -> None:
    dataset = load("uca", tmp_path)
    found = by_video(dataset)
    assert set(found) == {"a_x264", "b_x264"}
    asked = found["a_x264"].queries
    assert [(query.task, query.name, query.text) for query in asked] == [
        ("grounding", "1", "A car comes."),
        ("grounding", "2", " It stops."),
    ]
    assert [(query.moments[0].start, query.moments[0].end) for query in asked] == [(0.5, 2.0), (2.0, 3.5)]
    assert rules(dataset) == {"lists-uneven": 1}


def test_dota(tmp_path: Path) -> None:
    dataset = load("dota", tmp_path)
    assert [spans(each) for each in dataset.annotations] == [[(1.0, 2.5)], [(1.0, 2.5)]]
    assert (class_of(dataset, "a_1"), class_of(dataset, "b_2")) == ("ego: turning", None)
    assert rules(dataset) == {"class-unknown": 1}


def test_smarthome_bench(tmp_path: Path) -> None:
    dataset = load("smarthome-bench", tmp_path)
    assert {each.video: each.anomalous for each in dataset.annotations} == {"s_1": False, "s_2": True}
    assert dataset.annotations[1].cause == "Cats do not."
    assert [(one.video, one.rule) for one in dataset.findings] == [("s_3", "row-left-out")]


def test_sutd_trafficqa(tmp_path: Path) -> None:
    dataset = load("sutd-trafficqa", tmp_path)
    [annotation] = dataset.annotations
    first, second = annotation.queries
    assert (first.name, first.options, first.answer) == ("1", ("one", "two"), 1)  # empty options are none
    assert (second.name, second.options, second.answer) == ("2", ("yes", "no"), 1)
    assert rules(dataset) == {"key-malformed": 1, "no-anomaly": 1}  # an empty option is no answer


def test_tar(tmp_path: Path) -> None:
    [annotation] = load("tar", tmp_path).annotations
    assert [(query.options, query.answer) for query in annotation.queries] == [(("Yes", "No"), 0), (("Yes", "No"), 1)]
    with pytest.raises(DataError, match=r"says nothing of a file of this name; it is for bcq\.json"):
        load_dataset(f"tar:{(tmp_path / 'bcq.json').rename(tmp_path / 'mcq.json')}")


def test_tar_refuses_columns_that_were_not_seen(tmp_path: Path) -> None:
    (tmp_path / "bcq.json").write_text('{"items": [{"video_id": "a", "question": "q", "answer": "Yes", "hint": "h"}]}')
    with pytest.raises(DataError, match=r"columns that the description does not know: hint.*known are answer"):
        load_dataset(f"tar:{tmp_path / 'bcq.json'}")


@pytest.mark.parametrize("shape", ["ucf-crime", "ucf-crime by VERA"])
def test_ucf_crime(shape: str, tmp_path: Path) -> None:
    dataset = load(shape, tmp_path)
    fire, street = dataset.annotations
    assert spans(fire) == [(1.0, 2.0), (2.5, 3.0)][: 2 if "VERA" in shape else 1]
    assert (class_of(dataset, fire.video), fire.anomalous) == ("Arson", True)
    assert (street.label, street.anomalous, street.moments) == (None, False, ())
    assert dataset.findings == ()


def test_labels_of_hivau_that_are_not_known_tell_no_anomaly(tmp_path: Path) -> None:
    """XD-Violence's part of the raw database was not seen; in XD-Violence, A is normal."""
    path = tmp_path / "xd_database_test.json"
    said = {"description": "People walk.", "analysis": ""}
    rows = {
        name: {"label": label, "events": [], "video_summary_split": said}
        for name, label in {"a": ["A"], "b": ["B1", "G"], "c": [], "d": ["Arson", "Explosion"]}.items()
    }
    path.write_text(json.dumps(rows), encoding="utf-8")
    dataset = load_dataset(f"hivau-70k:{path}")
    assert {each.video: each.anomalous for each in dataset.annotations} == {"a": None, "b": None, "c": False, "d": True}
    assert rules(dataset)["detection-unclear"] == 2


def test_xd_violence(tmp_path: Path) -> None:
    dataset = load("xd-violence", tmp_path)
    assert [spans(each) for each in dataset.annotations] == [[(1.0, 2.0), (2.5, 3.0)], [(0.5, 1.5)]]
    assert [class_of(dataset, each.video) for each in dataset.annotations] == ["Shooting", "Explosion"]


def test_veras_files_of_xd_violence_mark_violent_videos_as_normal(tmp_path: Path) -> None:
    dataset = load("xd-violence by VERA", tmp_path)
    assert {each.video: each.anomalous for each in dataset.annotations} == {
        "film__#00_label_A": False,
        "v=x__#1_label_B2-G-0": True,
    }
    assert [(one.rule, one.before) for one in dataset.findings] == [
        ("row-left-out", "marked as normal, but its name says violence")
    ]
    path = tmp_path / "xd_test_800.json"
    rows = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    path.write_text(json.dumps(rows[1:]), encoding="utf-8")  # the violent video is there once, as normal
    assert [(each.video, each.anomalous) for each in load_dataset(f"xd-violence:{path}").annotations] == [
        ("film__#00_label_A", False)
    ]


def test_a_folder_is_a_split_and_videos_of_two_splits_are_found(tmp_path: Path) -> None:
    for name in ("test_ecva.csv", "test_msad.csv", "test_ucf_crime.csv"):
        table(tmp_path, name, VAU, vau_row(f"{name}.mp4"))
    table(tmp_path, "val.csv", VAU, vau_row("own.mp4"), vau_row("test_msad.csv.mp4"))
    test, val = load_dataset(f"vau-bench:{tmp_path}"), load_dataset(f"vau-bench:{tmp_path}/val")
    assert (len(test.annotations), len(val.annotations)) == (3, 2)
    assert test.sha256 != val.sha256
    assert [(one.rule, one.before) for one in test.findings] == [("in-other-split", "val.csv")]
    (tmp_path / "test_msad.csv").unlink()
    with pytest.raises(DataError, match=r"a part of the split 'test' is not there: test_msad\.csv"):
        load_dataset(f"vau-bench:{tmp_path}")


def test_a_set_without_a_file_says_where_to_get_it() -> None:
    with pytest.raises(UsageError, match=r"vau-bench:FOLDER/SPLIT; get it from https://github"):
        load_dataset("vau-bench")


def test_every_description_is_registered_whole_and_in_the_table() -> None:
    files = {Path(str(file)).stem for file in resources.files("ecva_bench.data.described").joinpath("sets").iterdir()}
    assert files == {one.name for one in SHIPPED} == {name for name, _ in SHAPES.values()}
    page = (ROOT / "docs/guides/described-data.md").read_text(encoding="utf-8")
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    for one in SHIPPED:
        about = one.description
        assert about.name == one.name
        assert f"| `{about.name}` | {about.licence} | {about.size} | {about.get} |" in page
        shown = re.search(rf"\[`{about.name}`\]\(https://\S+\) \| [^|]+ \| ([^|]+) \|", front)
        assert shown
        assert about.licence.startswith(shown[1])


# Real files: samples beside the checkout, and whole ones in a folder that ECVA_FIELD names.
SAMPLES = {
    "vau-bench:vau_bench_test_ecva.csv": (18, {"mmss-as-seconds": 2, "moments-missing": 1}),
    "vau-bench:vau_bench_test_msad.csv": (10, {"key-malformed": 2}),
    "vau-bench:vau_bench_test_ucf_crime.csv": (7, {"row-left-out": 3}),
    "hivau-70k:hivau70k_instruction_test.jsonl": (8, {}),
    "hivau-70k:hivau70k_raw_ucf_test.json": (3, {"moments-of-normal": 1}),
    "uca:uca_test.json": (5, {}),
    "dota:dota_metadata_val.json": (20, {}),
}
# Of whole files (videos, questions, sentences, normal, anomalous), and findings: as published, or the difference.
WHOLE = {
    "vau-bench:vau-bench/test_ecva.csv": (
        (438, 438, 0, 2, 436),
        {"mmss-as-seconds": 175, "moment-seconds": 7, "moments-missing": 36, "moments-of-normal": 2},
    ),
    "vau-bench:vau-bench/test_msad.csv": ((240, 240, 0, 120, 120), {"key-malformed": 8, "moments-of-normal": 120}),
    # 290 rows, of which 39 hold nothing but times
    "vau-bench:vau-bench/test_ucf_crime.csv": (
        (251, 251, 0, 123, 128),
        {"row-left-out": 39, "moments-missing": 16, "moments-of-normal": 123},
    ),
    "vau-bench:vau-bench/val.csv": (
        (734, 734, 0, 214, 520),
        {"mmss-as-seconds": 115, "moment-seconds": 3, "moments-missing": 181, "moments-of-normal": 214},
    ),
    # 3,339 instructions, of which 1,264 repeat another with another prompt
    "hivau-70k:hivau/merge_instruction_test_final.jsonl": ((1369, 0, 0, 170, 256), {"duplicate-row": 1264}),
    "hivau-70k:hivau/ucf_database_test.json": ((251, 0, 0, 123, 128), {"moments-of-normal": 123}),
    "uca:uca/UCFCrime_Test.json": ((310, 0, 4331, 0, 0), {}),
    "uca:uca/UCFCrime_Val.json": ((379, 0, 3534, 0, 0), {}),
    "uca:uca/UCFCrime_Train.json": ((1165, 0, 15670, 0, 0), {"duplicate-row": 7}),  # 15,677 with the repeated ones
    "dota:dota/metadata_val.json": ((1402, 0, 0, 0, 0), {}),
    "dota:dota/metadata_train.json": ((3275, 0, 0, 0, 0), {}),
    "smarthome-bench:smarthome/Video_Annotation.csv": ((1112, 0, 0, 554, 558), {"row-left-out": 91}),
    "sutd-trafficqa:trafficqa/annotation_sample.jsonl": ((7, 7, 0, 0, 0), {}),
    "ucf-crime:vera/UCF_Eval.json": ((290, 0, 0, 150, 140), {}),
    "xd-violence:vera/xd_annotations.json": ((800, 0, 0, 300, 500), {"row-left-out": 14}),  # 814 rows
}


@pytest.mark.parametrize("source", SAMPLES)
def test_real_samples(source: str, shared_data: Path) -> None:
    name, _, file = source.partition(":")
    dataset = load_dataset(f"{name}:{shared_data / 'field' / file}")
    assert (len(dataset.annotations), rules(dataset)) == SAMPLES[source]


@pytest.mark.parametrize("source", WHOLE)
def test_whole_public_files(source: str, field_files: Path) -> None:
    name, _, file = source.partition(":")
    dataset = load_dataset(f"{name}:{field_files / file}")
    asked = Counter(query.task for each in dataset.annotations for query in each.queries)
    judged = Counter(each.anomalous for each in dataset.annotations)
    counts = (len(dataset.annotations), asked["choice"], asked["grounding"], judged[False], judged[True])
    assert (counts, rules(dataset)) == WHOLE[source]


def test_times_read_as_mmss_are_those_that_cuva_has_of_the_same_videos(shared_data: Path, field_files: Path) -> None:
    """The evidence: of the videos that both annotate, each span that was mended is CUVA's to the second."""
    theirs = load_dataset(shared_data / "ecva/annotations.xlsx")
    cuva = {ecva_number(n): each for each in theirs.annotations if 0 < (n := number_of(each.video) or 0) <= CUVA_VIDEOS}
    compared: Counter[tuple[bool, bool]] = Counter()
    for file in ("test_ecva", "val"):
        dataset = load_dataset(f"vau-bench:{field_files}/vau-bench/{file}.csv")
        mended = {finding.video for finding in dataset.found_by("mmss-as-seconds")}
        for each in dataset.annotations:
            number = re.fullmatch(r"(?:ecva_)?(\d+)", each.video)
            known = cuva.get(int(number[1])) if number else None
            if known and known.moments and each.moments:
                compared[each.video in mended, set(spans(each)) <= set(spans(known))] += 1
    assert compared == {(True, True): 128, (False, True): 192}
