"""Parts of one run joined: what is absent is refused or owed, and a run that takes the file up fills it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import ResultsError, SealBroken, SpecMismatch
from ecva_bench.journal.merging import merge_results
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal, end_of
from ecva_bench.records.answers import Answer, Failure, Lacking, Manifest, Unasked
from ecva_bench.records.base import View
from tests.cases import case
from tests.sealing import unseal
from tests.test_journal import answer, failure

VIEWS: tuple[View, ...] = ("full", "anomaly")
Place = tuple[str, View]


def owed_by(videos: Sequence[int]) -> dict[View, tuple[str, ...]]:
    """Two questions about each video, about the edited view of those with an even number only."""
    return {view: tuple(f"{v}/{t}" for v in videos if view == "full" or v % 2 == 0 for t in "ab") for view in VIEWS}


def places(expects: dict[View, tuple[str, ...]]) -> list[Place]:
    return [(sample, view) for view, samples in expects.items() for sample in samples]


def manifest(videos: Sequence[int], shard: tuple[int, int] | None = None, *, knows: bool = True) -> Manifest:
    """The manifest of a run, or of its part, which in older files does not know what the others owe."""
    mine = videos[shard[0] - 1 :: shard[1]] if shard else videos
    spec = {"model": "m", "selection": {"seed": 0, "shard": list(shard) if shard else None}}
    return Manifest(run="r", spec=spec, expects=owed_by(mine), whole=owed_by(videos) if shard and knows else {})


def given_to(sample: str, view: View, text: str = "text") -> Answer:
    return answer(sample, text, key=f"{sample} {view}").model_copy(update={"view": view})


def write(path: Path, run: Manifest, leave: Sequence[Place] = (), text: str = "text") -> Path:
    """Write a file in which all that is owed is answered, but for some of it."""
    with Journal(path, run) as journal:
        for place in places(run.expects):
            if place not in leave:
                journal.append(given_to(*place, text))
        journal.append(end_of(journal))
    return path


def parts(folder: Path, videos: int, of: int, *, knows: bool = True, without: Sequence[int] = ()) -> list[Path]:
    numbers = [number for number in range(1, of + 1) if number not in without]
    runs = {number: manifest(range(videos), (number, of), knows=knows) for number in numbers}
    return [write(folder / f"part{number}of{of}.jsonl", run) for number, run in runs.items()]


def last(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_bytes().splitlines()[-1])
    return found


@given(data=st.data(), of=st.integers(1, 6), videos=st.integers(0, 9), knows=st.booleans())
def test_whatever_parts_are_there_nothing_absent_is_forgotten_and_the_whole_runs_command_fills_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, of: int, videos: int, knows: bool
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    there = data.draw(st.lists(st.integers(1, of), min_size=1, unique=True))
    whole = manifest(range(videos))
    runs = {number: manifest(range(videos), (number, of), knows=knows) for number in there}
    owed_there = [place for run in runs.values() for place in places(run.expects)]
    left = data.draw(st.sets(st.sampled_from(owed_there))) if owed_there else set()
    files = [write(folder / f"{number}.jsonl", run, list(left)) for number, run in runs.items()]
    target = folder / "merged.jsonl"
    # By brute force: what is owed altogether and held by no file that is there.
    gone = [place for place in places(whole.expects) if place not in owed_there]
    known_whole = len(there) == of or (knows and not gone)
    if left or not known_whole:
        with pytest.raises(ResultsError, match="absent" if not known_whole else "unfinished"):
            merge_results(files, target)
        assert not target.exists()
        merge_results(files, target, incomplete=True)
    else:
        merge_results(files, target)
    merged = read_results(target)
    expected = places(whole.expects) if knows or known_whole else owed_there
    assert sorted(places(merged.expects)) == sorted(expected)
    assert sorted((a.id, a.view) for a in merged.answers) == sorted(set(owed_there) - left)
    assert (merged.lacking is None) == known_whole
    assert (last(target)["status"] == "complete") == (known_whole and not left)
    with Journal(target, whole) as journal:  # the command without --shard
        open_now = [place for place in places(whole.expects) if place not in journal.state]
        assert sorted(open_now) == sorted([*gone, *left])
        for place in open_now:
            journal.append(given_to(*place))
        journal.append(end_of(journal))
    filled = read_results(target)
    assert sorted((a.id, a.view) for a in filled.answers) == sorted(places(whole.expects))
    assert not filled.extra
    assert filled.lacking is None
    assert last(target)["status"] == "complete"


def test_the_absent_part_of_the_case_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    files = [case("merge_missing_shard") / f"part{number}.jsonl" for number in (1, 3, 4)]
    expected = json.loads((case("merge_missing_shard") / "expected.json").read_text())
    target = tmp_path / "merged.jsonl"
    with pytest.raises(ResultsError, match=r"^part 2 of 4 is absent: .*part1\.jsonl.*--incomplete"):
        merge_results(files, target)
    assert not list(tmp_path.iterdir())
    # These parts were written before parts knew what the others owe: the file says that it is not whole.
    merge_results(files, target, incomplete=True)
    merged = read_results(target)
    assert sum(map(len, merged.expects.values())) == expected["today"]["owed"]
    assert str(merged.lacking) == "part 2 of 4"
    assert last(target)["status"] == "incomplete"
    # The run's command without --shard owes more, and the file with it.
    held = json.loads(target.read_bytes().splitlines()[0])
    owed = {"full": (*held["expects"]["full"], *(f"absent{n}/cause" for n in range(20)))}
    with Journal(target, Manifest(run="r", spec=held["spec"], expects=owed)) as journal:
        for sample in owed["full"][-20:]:
            journal.append(answer(sample))
    after = expected["after a resume without --shard"]
    assert (len(read_results(target).answers), len(read_results(target).extra)) == (after["answered"], after["extra"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1], r"^parts 2 to 4 of 4 are absent"),
        ([1, 4], r"^parts 2, 3 of 4 are absent"),
        ([1, 1, 2, 4], r"^part 3 of 4 is absent"),
    ],
)
def test_what_is_absent_is_named(given: list[int], message: str, tmp_path: Path) -> None:
    files = parts(tmp_path, 8, 4)
    with pytest.raises(ResultsError, match=message):
        merge_results([files[number - 1] for number in given], tmp_path / "all.jsonl")


def test_a_part_given_twice_counts_once_unless_it_answers_otherwise(tmp_path: Path) -> None:
    files = parts(tmp_path, 4, 2)
    merge_results([*files, files[0]], tmp_path / "all.jsonl")
    assert len(read_results(tmp_path / "all.jsonl").answers) == len(places(owed_by(range(4))))
    again = write(tmp_path / "again.jsonl", manifest(range(4), (1, 2)), text="other")
    with pytest.raises(ResultsError, match=r"^part 1 of 2 is there twice, with two answers to 0/a \(full\)"):
        merge_results([*files, again], tmp_path / "more.jsonl")


def test_parts_of_two_divisions_merge_where_they_are_the_whole_run_only(tmp_path: Path) -> None:
    half, second, fourth = *parts(tmp_path, 8, 2, without=[2]), *parts(tmp_path, 8, 4, without=[1, 3])
    message = r"^part 1 of 2 and part 2 of 4 are of two divisions of the run, and not all of it is there"
    with pytest.raises(ResultsError, match=message):
        merge_results([half, second], tmp_path / "all.jsonl", incomplete=True)
    merge_results([half, second, fourth], tmp_path / "all.jsonl")
    assert len(read_results(tmp_path / "all.jsonl").answers) == len(places(owed_by(range(8))))


def test_a_part_that_is_unfinished_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    one, two = (manifest(range(4), (number, 2)) for number in (1, 2))
    files = [write(tmp_path / "1.jsonl", one), write(tmp_path / "2.jsonl", two, [("1/a", "full"), ("3/b", "full")])]
    with pytest.raises(ResultsError, match=r"^part 2 of 2 is unfinished, without 2 of 4 answers: .*2\.jsonl"):
        merge_results(files, tmp_path / "all.jsonl")
    merge_results(files, tmp_path / "all.jsonl", incomplete=True)
    assert read_results(tmp_path / "all.jsonl").lacking is None  # all parts are there
    assert last(tmp_path / "all.jsonl") | {"t": "", "seal": ""} == {
        "type": "end", "status": "incomplete", "answers": 10, "errors": 0, "missing": 2, "t": "", "seal": "",
    }  # fmt: skip


def test_a_failure_is_no_missing_answer(tmp_path: Path) -> None:
    run = manifest([1, 3])
    with Journal(tmp_path / "1.jsonl", run) as journal:
        for sample in run.expects["full"]:
            journal.append(failure(sample))
    merge_results([tmp_path / "1.jsonl"], tmp_path / "all.jsonl")
    assert len(read_results(tmp_path / "all.jsonl").failures) == 4


def test_a_part_that_came_late_completes_an_incomplete_file(tmp_path: Path) -> None:
    *early, late = parts(tmp_path, 7, 3)
    merge_results(early, tmp_path / "early.jsonl", incomplete=True)
    with pytest.raises(ResultsError, match="part 3 of 3 is absent"):
        merge_results([tmp_path / "early.jsonl"], tmp_path / "all.jsonl")
    merge_results([tmp_path / "early.jsonl", late], tmp_path / "all.jsonl")
    assert read_results(tmp_path / "all.jsonl").lacking is None
    assert last(tmp_path / "all.jsonl")["status"] == "complete"


def test_a_part_that_owes_nothing_is_not_missed(tmp_path: Path) -> None:
    files = parts(tmp_path, 2, 4, without=[3, 4])
    merge_results(files, tmp_path / "all.jsonl")
    assert read_results(tmp_path / "all.jsonl").lacking is None
    merge_results(files[:1], tmp_path / "first.jsonl", incomplete=True)
    merge_results([tmp_path / "first.jsonl", files[1]], tmp_path / "both.jsonl")
    assert read_results(tmp_path / "both.jsonl").lacking is None


def test_a_part_that_was_extended_alone_leaves_answers_owed(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "1.jsonl", manifest(range(4), (1, 2))),
        write(tmp_path / "2.jsonl", manifest(range(5), (2, 2))),
    ]
    with pytest.raises(ResultsError, match=r"another was not, without 4 of 16 answers: .*1\.jsonl, .*2\.jsonl"):
        merge_results(files, tmp_path / "all.jsonl")
    merge_results(files, tmp_path / "all.jsonl", incomplete=True)
    assert read_results(tmp_path / "all.jsonl").expects == owed_by(range(5))
    assert last(tmp_path / "all.jsonl")["missing"] == 4
    with Journal(files[0], manifest(range(5), (1, 2))) as journal:
        for place in set(places(owed_by([4]))):
            journal.append(given_to(*place))
    merge_results(files, tmp_path / "whole.jsonl")
    assert last(tmp_path / "whole.jsonl")["status"] == "complete"


def test_runs_of_other_videos_and_tasks_merge_where_they_agree(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.jsonl", manifest(videos)) for n, videos in enumerate([(0, 1), (1, 2), (7,)])]
    merge_results(files, tmp_path / "all.jsonl")
    merged = read_results(tmp_path / "all.jsonl")
    assert merged.expects == owed_by([0, 1, 2, 7])
    assert len(merged.answers) == len(places(owed_by([0, 1, 2, 7])))
    assert last(tmp_path / "all.jsonl")["status"] == "complete"


def test_parts_pasted_together_are_refused_and_not_read_as_one(tmp_path: Path) -> None:
    one, two = parts(tmp_path, 4, 2)
    (tmp_path / "all.jsonl").write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(SealBroken, match=r"line \d+ is the first line of another file.*ecva-bench merge"):
        read_results(tmp_path / "all.jsonl")
    unseal(tmp_path / "all.jsonl")
    with pytest.raises(ResultsError, match=r"several runs \(part 1 of 2 there, part 2 of 2 here\): .*ecva-bench merge"):
        read_results(tmp_path / "all.jsonl")


def test_a_merged_file_that_forgot_a_part_owes_it_once_it_is_resumed(tmp_path: Path) -> None:
    """As files are that were merged before an absent part was noticed: they say they are whole."""
    whole = manifest(range(4))
    short = whole.model_copy(update={"expects": owed_by([0, 2])})
    write(tmp_path / "old.jsonl", short)
    with Journal(tmp_path / "old.jsonl", whole) as journal:
        for place in places(whole.expects):
            if place not in journal.state:
                journal.append(given_to(*place))
    resumed = read_results(tmp_path / "old.jsonl")
    assert len(resumed.answers) == len(places(whole.expects))
    assert not resumed.extra


def test_a_part_of_an_older_version_knows_the_whole_once_it_is_resumed(tmp_path: Path) -> None:
    files = parts(tmp_path, 4, 2, knows=False)
    with Journal(files[0], manifest(range(4), (1, 2))):
        pass
    merge_results(files[:1], tmp_path / "all.jsonl", incomplete=True)
    assert read_results(tmp_path / "all.jsonl").expects == owed_by(range(4))


def test_what_happened_in_the_parts_is_kept_and_who_wrote_them(tmp_path: Path) -> None:
    files = []
    for number in (1, 2):
        run = manifest(range(4), (number, 2)).model_copy(update={"environment": {"host": f"machine {number}"}})
        files.append(write(tmp_path / f"{number}.jsonl", run))
        with Journal(files[-1], run) as journal:
            journal.event("spent", usd=0.5 * number)
    merge_results([*files, files[0]], tmp_path / "all.jsonl")
    with Journal(tmp_path / "all.jsonl", manifest(range(4))) as journal:
        assert journal.usage == {"usd": 1.5}  # the file given twice was paid once
    first = json.loads((tmp_path / "all.jsonl").read_bytes().splitlines()[0])
    assert [part["host"] for part in first["environment"]["parts"]] == ["machine 1", "machine 2", "machine 1"]


def test_a_merged_file_has_its_name_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [write(tmp_path / f"{number}.jsonl", manifest(range(4), (number, 2))) for number in (1, 2)]
    target, extend, seen = tmp_path / "all.jsonl", Journal.extend, list[bool]()

    def extended(journal: Journal, records: Sequence[Any]) -> None:
        seen.append(target.exists())
        extend(journal, records)
        seen.append(target.exists())

    monkeypatch.setattr(Journal, "extend", extended)
    merge_results(files, target)
    assert seen
    assert not any(seen)
    assert target.read_bytes().endswith(b"}\n")


def impossible(sample: str, view: View = "anomaly") -> Unasked:
    video, task = sample.split("/")
    return Unasked(key=f"{sample} {view}", id=sample, video=video, task=task, view=view, reason="no frame is left")


def test_what_cannot_be_asked_is_neither_owed_nor_missing_nor_asked_again(tmp_path: Path) -> None:
    files = []
    for number in (1, 2):
        run = manifest(range(2), (number, 2))
        with Journal(tmp_path / f"{number}.jsonl", run) as journal:
            for sample, view in places(run.expects):
                journal.append(impossible(sample) if view == "anomaly" else given_to(sample, view))
            journal.append(end_of(journal))
        files.append(tmp_path / f"{number}.jsonl")
    assert last(files[0]) | {"t": "", "seal": ""} == {
        "type": "end", "status": "complete", "answers": 2, "errors": 0, "missing": 0, "unasked": 2, "t": "", "seal": "",
    }  # fmt: skip
    merge_results(files, tmp_path / "all.jsonl")
    merged = read_results(tmp_path / "all.jsonl")
    assert merged.expects == {"full": ("0/a", "0/b", "1/a", "1/b"), "anomaly": ()}
    assert merged.unasked == {"anomaly": {"0/a": "no frame is left", "0/b": "no frame is left"}}
    assert not merged.failures
    with Journal(tmp_path / "all.jsonl", manifest(range(2))) as journal:
        assert set(journal.unasked) == {"0/a anomaly", "0/b anomaly"}


def test_views_that_could_not_be_made_were_errors_once_and_are_none(tmp_path: Path) -> None:
    run = manifest([0])
    with Journal(tmp_path / "old.jsonl", run) as journal:
        for sample, view in places(run.expects):
            failed = {"error": "view_unavailable", "view": view, "key": f"{sample} {view}", "message": "why"}
            journal.append(failure(sample).model_copy(update=failed) if view == "anomaly" else given_to(sample, view))
    old = read_results(tmp_path / "old.jsonl")
    assert not old.failures
    assert old.expects["anomaly"] == ()
    assert old.unasked == {"anomaly": {"0/a": "why", "0/b": "why"}}
    with Journal(tmp_path / "old.jsonl", run) as journal:
        assert end_of(journal).status == "complete"


def test_an_answer_counts_more_than_that_a_view_could_not_be_made_and_that_more_than_a_failure(tmp_path: Path) -> None:
    run = manifest([0])
    with Journal(tmp_path / "r.jsonl", run) as journal:
        journal.append(impossible("0/a"))
        journal.append(given_to("0/a", "anomaly").model_copy(update={"key": "of a longer file"}))
        lost: Failure = failure("0/b").model_copy(update={"view": "anomaly"})
        journal.append(lost)
        journal.append(impossible("0/b"))
        assert end_of(journal).model_dump(include={"answers", "errors", "missing", "unasked"}) == {
            "answers": 1, "errors": 0, "missing": 2, "unasked": 1,
        }  # fmt: skip
    found = read_results(tmp_path / "r.jsonl")
    assert found.expects["anomaly"] == ("0/a",)
    assert found.unasked == {"anomaly": {"0/b": "no frame is left"}}
    assert not found.failures


def test_what_the_annotation_alone_makes_impossible_is_told_by_view(tmp_path: Path) -> None:
    why = {"1/a@anomaly": "no annotated moment", "1/b": "no reference", "odd@name/a@control": "no annotated moment"}
    with Journal(tmp_path / "r.jsonl", manifest([1]).model_copy(update={"unasked": why})):
        pass
    assert read_results(tmp_path / "r.jsonl").unasked == {
        "anomaly": {"1/a": "no annotated moment"},
        "control": {"odd@name/a": "no annotated moment"},
    }


def test_parts_are_told_in_words() -> None:
    assert Lacking(parts=(2,), of=4).text == "part 2 of 4 is absent"
    assert Lacking(parts=(1, 3, 4, 5, 8, 9), of=9).text == "parts 1, 3 to 5, 8, 9 of 9 are absent"


ASKED, HAD = {"temperature": 0, "seed": 0}, {"seed": 0, "left_out": ["temperature"]}


def described(run: Manifest) -> Manifest:
    return run.model_copy(update={"spec": {**run.spec, "description": ASKED}})


def test_parts_whose_endpoint_turned_something_down_merge_and_are_filled_as_they_were_begun(tmp_path: Path) -> None:
    """One part had no answer, and so does not know yet what is rejected."""
    whole = described(manifest(range(6)))
    files = [tmp_path / f"{number}.jsonl" for number in (1, 2)]
    for number, file in enumerate(files, 1):
        run = described(manifest(range(6), (number, 3)))
        with Journal(file, run) as journal:
            for sample, view in places(run.expects):
                if number == 1:
                    journal.append(failure(sample).model_copy(update={"view": view, "key": f"{sample} {view}"}))
                    continue
                if not journal.answered:
                    journal.settle(run.settled(HAD, {"served": ["m@1"]}))
                journal.append(given_to(sample, view))
    merge_results(files, tmp_path / "all.jsonl", incomplete=True)
    assert read_results(tmp_path / "all.jsonl").spec["description"] == HAD
    with Journal(tmp_path / "all.jsonl", whole) as journal:
        assert journal.manifest.spec["description"] == HAD
        assert journal.manifest.requested == {"description": ASKED}
        with pytest.raises(SpecMismatch, match="made with other settings"):
            journal.settle(whole)
    assert read_results(tmp_path / "all.jsonl").expects == whole.expects
    otherwise = write(tmp_path / "3.jsonl", described(manifest(range(6), (3, 3))))
    with pytest.raises(SpecMismatch, match=r"left_out none there, \[\"temperature\"\] here"):
        merge_results([*files, otherwise], tmp_path / "none.jsonl")


def test_a_file_without_answers_has_one_manifest_once_it_is_settled(tmp_path: Path) -> None:
    """Though it was taken up by a run that owes more, and so had two."""
    whole = described(manifest(range(4)))
    with Journal(tmp_path / "r.jsonl", whole.model_copy(update={"expects": owed_by([0])})) as journal:
        journal.append(failure("0/a"))
    with Journal(tmp_path / "r.jsonl", whole) as journal:
        assert (tmp_path / "r.jsonl").read_text().count('"type":"run"') == 2
        journal.settle(whole.settled(HAD, {}))
        journal.append(given_to("0/a", "full"))
    found = read_results(tmp_path / "r.jsonl")
    assert (found.spec["description"], found.expects, len(found.answers)) == (HAD, whole.expects, 1)
    kinds = [json.loads(line)["type"] for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert kinds == ["run", "error", "event", "answer"]
