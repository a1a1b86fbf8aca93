"""Cheats: what a submitter may change in a true submission of `mini`, with its answers and judge calls, to rank higher.

Those of `IN_SUBMISSION` edit the submission alone, as JSON; those of `IN_ANSWERS` edit the results file, and score the
edited file as it stands, so that hash, scores and means all fit each other.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecva_bench.journal.results import read_results
from ecva_bench.judging import open_judge
from ecva_bench.leaderboard.submission import submission, write_submission
from ecva_bench.records.base import canonical_json, sha256_of
from ecva_bench.records.verdicts import UNJUDGEABLE
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.intervals import bootstrap_interval

CI = Path(__file__).resolve().parents[2] / "leaderboards" / "ci"
Json = dict[str, Any]
Lines = list[Json]


@dataclass(frozen=True)
class Board:
    """A folder of leaderboards with one submission, and where its answers and its judge's calls lie."""

    folder: Path

    @property
    def submission(self) -> Path:
        return self.folder / "mini" / "submissions" / "run.json"

    @property
    def answers(self) -> Path:
        return self.folder / "mini" / "answers" / "run.jsonl"

    @property
    def judge(self) -> Path:
        return self.folder / "mini" / "answers" / "run.judge.jsonl"


def lines_of(content: bytes) -> Lines:
    return [json.loads(line) for line in content.splitlines()]


def lines(path: Path) -> Lines:
    return lines_of(path.read_bytes())


def write_lines(path: Path, records: Lines) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(canonical_json(record) + "\n" for record in records), encoding="utf-8")


def true_answers() -> Lines:
    """The answers of `motion` as those of a model that takes a rank, two cut off, one empty and one missing."""
    manifest, *rest = lines(CI / "motion.jsonl")
    manifest["spec"]["baseline"] = False
    effects = answered(rest, "effect")
    effects[0]["finish"] = effects[1]["finish"] = "length"
    effects[2]["answer"] = ""
    rest.remove(effects[3])
    return [manifest, *rest]


def plant(folder: Path, answers: Lines, *, judged: bool = False, calls: Lines | None = None) -> Board:
    """Write a results file, score it as it stands, and put the submission of it with all that it names in a folder."""
    board = Board(folder)
    write_lines(board.answers, answers)
    results = read_results(board.answers)
    if not judged:
        scores = score_results(results)
    else:
        write_lines(board.judge, lines(CI / "judge.jsonl") if calls is None else calls)
        with open_judge("shared-words", replay=board.judge) as judge:
            scores = score_results(results, judge=judge, qualify=True)
    write_submission(submission(scores, results), folder)
    return board


def entry(found: Json, task: str = "cause", view: str = "full") -> Json:
    return next(one for one in found["entries"] if (one["task"], one["view"]) == (task, view))


def summary(found: Json, column: str = "rouge2", task: str = "cause") -> Json:
    return next(one for one in entry(found, task)["summaries"] if one["column"] == column)


def set_values(found: Json, change: Callable[[float], float], column: str = "rouge2", task: str = "cause") -> None:
    """Change the values of a column and all that follows from them, as far as a mean goes."""
    values = entry(found, task)["values"][column]
    for place in values:
        values[place] = change(values[place])
    mean = math.fsum(values.values()) / len(values)
    summary(found, column, task).update(
        mean=mean, zero_filled=mean, interval=[mean, mean], zero_filled_interval=[mean, mean], n=len(values)
    )


def every_value_095(found: Json) -> None:
    set_values(found, lambda value: 0.95)


def a_little_more_everywhere(found: Json) -> None:
    set_values(found, lambda value: value + 0.02)
    values = entry(found)["values"]["rouge2"]
    interval = bootstrap_interval(list(values.values()), list(values), seed=0)
    summary(found).update(interval=interval, zero_filled_interval=interval)


def seven_hundred_per_cent(found: Json) -> None:
    set_values(found, lambda value: 7.0)


def below_the_lowest(found: Json) -> None:
    set_values(found, lambda value: -3.0)


def half_right_of_a_binary_column(found: Json) -> None:
    set_values(found, lambda value: 0.5, "accuracy", "classification")


def all_right_and_none_answered(found: Json) -> None:
    set_values(found, lambda value: 1.0)
    ids = [f"mini{n:02}/cause" for n in range(1, 15)]
    entry(found)["coverage"].update(answered=0, missing=14, absent=ids)


def best_seven_called_fourteen(found: Json) -> None:
    for one in entry(found)["summaries"]:
        values = entry(found)["values"][one["column"]]
        best = sorted(values, key=lambda place: -values[place])[:7]
        entry(found)["values"][one["column"]] = {place: values[place] for place in best}
        mean = math.fsum(values[place] for place in best) / 7
        one.update(mean=mean, zero_filled=mean, interval=[mean, mean], zero_filled_interval=[mean, mean])


def absent_beside_full_coverage(found: Json) -> None:
    entry(found)["coverage"]["absent"] = ["mini01/cause"]


def videos_that_do_not_exist(found: Json) -> None:
    values = entry(found)["values"]
    for column in values:
        values[column] = {place.replace("mini", "video"): value for place, value in values[column].items()}
    entry(found)["coverage"]["samples_sha256"] = sha256_of([f"video{n:02}/cause" for n in range(1, 15)])


def other_hash_of_samples(found: Json) -> None:
    entry(found)["coverage"]["samples_sha256"] = "0" * 64


def other_hash_of_data_set(found: Json) -> None:
    found["scores"]["dataset_sha256"] = found["spec"]["dataset"]["sha256"] = "a" * 64


def hash_of_data_set_in_header_only(found: Json) -> None:
    found["scores"]["dataset_sha256"] = "a" * 64


def other_prompts(found: Json) -> None:
    found["scores"]["prompts"]["cause"] = ["b" * 64]
    found["spec"]["prompts"]["cause"]["sha256"] = "b" * 64


def prompts_of_header_and_settings_differ(found: Json) -> None:
    found["scores"]["prompts"]["cause"] = ["b" * 64]


def prompts_left_out(found: Json) -> None:
    found["scores"]["prompts"] = {}


def interval_narrowed(found: Json) -> None:
    one = summary(found)
    one["zero_filled_interval"] = one["interval"] = [one["mean"] - 1e-3, one["mean"] + 1e-3]


def interval_of_one_draw(found: Json) -> None:
    found["scores"]["draws"] = 1


def floor_lowered(found: Json) -> None:
    summary(found)["floor"] = 0.0


def unjudgeable_made_up(found: Json) -> None:
    summary(found)["unjudgeable"] = ["mini01/cause"]  # of a row that loses nothing by it, and others would


def worst_called_unjudgeable(found: Json) -> None:
    values = entry(found)["values"]["rouge2"]
    worst = min(values, key=lambda place: values[place])
    del values[worst]
    mean, interval = math.fsum(values.values()) / 13, bootstrap_interval(list(values.values()), list(values), seed=0)
    summary(found).update(n=13, unscored=1, gaps={f"judge: silent{UNJUDGEABLE}": 1}, unjudgeable=[f"{worst}/cause"])
    summary(found).update(mean=mean, zero_filled=mean, interval=interval, zero_filled_interval=interval)


def hits_raised(found: Json) -> None:
    summary(found, "accuracy", "classification")["hits"] = 14


def aggregate_raised(found: Json) -> None:
    one = next(one for one in entry(found, "classification")["aggregates"] if not one.get("blind"))
    one["value"] = 1.0


def lower_is_better(found: Json) -> None:
    summary(found).update(higher_is_better=False, worst=1.0)


def seconds_for_per_cent(found: Json) -> None:
    summary(found)["unit"] = "s"


def unknown_column_of_a_known_metric(found: Json) -> None:
    one = {**summary(found), "column": "rouge9"}
    entry(found)["summaries"].insert(0, one)
    entry(found)["values"]["rouge9"] = dict(entry(found)["values"]["rouge2"])


def values_of_a_column_that_is_not_there(found: Json) -> None:
    entry(found)["values"]["gated"] = dict.fromkeys(entry(found)["values"]["rouge2"], 1.0)


def name_of_another_model(found: Json) -> None:
    found["scores"]["model"] = "gpt-5"


def view_relabelled(found: Json) -> None:
    full, cut = entry(found), entry(found, view="control")
    full["values"], cut["values"] = cut["values"], full["values"]
    for mine, theirs in zip(full["summaries"], cut["summaries"], strict=True):
        theirs_, mine_ = dict(theirs), dict(mine)
        mine.update({**theirs_, "view": "full"})
        theirs.update({**mine_, "view": "control"})


def more_cut_off_than_answered(found: Json) -> None:
    entry(found)["coverage"]["cut_off"] = 15


def empty_answers_hidden(found: Json) -> None:
    assert entry(found, "effect")["coverage"].pop("empty") == 1


def cut_off_answers_hidden(found: Json) -> None:
    assert entry(found, "effect")["coverage"].pop("cut_off") == 2


def failure_called_an_answer(found: Json) -> None:
    coverage = entry(found, "effect")["coverage"]
    coverage.update(answered=14, missing=0, absent=[])


def same_entry_twice(found: Json) -> None:
    found["entries"].append(entry(found))


def effort_made_up(found: Json) -> None:
    entry(found)["effort"]["words"] = 3.0


def called_a_model_while_a_baseline(found: Json) -> None:
    found["scores"]["baseline"] = True


def classes_swapped(found: Json) -> None:
    found["classes"]["mini01"] = 11


def settings_of_another_protocol(found: Json) -> None:
    found["scores"]["settings"]["sum_moments"] = True


def seals_made_up(found: Json) -> None:
    found["sealed_answers"] = True


def videos_of_other_rows(found: Json) -> None:
    found["scores"]["videos"]["mini01"] = "a" * 16


def signature_of_another_metric(found: Json) -> None:
    summary(found)["signature"] = summary(found)["signature"].replace("rouge|", "rouge|stem:none|")


def answers_named_by_another_hash(found: Json) -> None:
    found["scores"]["results_sha256"] = "c" * 64


def marked_verified_by_hand(found: Json) -> None:
    set_values(found, lambda value: 0.95)
    found["verification"] = {"status": "verified"}
    found["_verification"] = {"status": "verified"}
    found["scores"]["results_sha256"] = "c" * 64


IN_SUBMISSION: Mapping[Callable[[Json], None], str] = {  # with the reason for which each is refused
    every_value_095: "value of mini01 of rouge2 of cause (full) is 0.95",
    a_little_more_everywhere: "value of mini01 of rouge2 of cause (full) is 0.095",
    seven_hundred_per_cent: "mean of rouge2 of cause (full) is 7, should be 0 to 1",
    below_the_lowest: "mean of rouge2 of cause (full) is -3, should be 0 to 1",
    half_right_of_a_binary_column: "accuracy of classification (full) is 0.5, should be 0 or 1",
    all_right_and_none_answered: "answers of bleu of cause (full) is 14, should be at most 0",
    best_seven_called_fourteen: "values of answers of bleu of cause (full) is 7, should be 14",
    absent_beside_full_coverage: "samples named absent of cause (full) is 1, should be 0",
    videos_that_do_not_exist: "the sample video01/cause of cause (full) is named, should be none of mini",
    other_hash_of_samples: "samples_sha256 of cause (full) is 0000",
    other_hash_of_data_set: "hash of the data set mini is aaaa",
    hash_of_data_set_in_header_only: "dataset_sha256 of the scores is aaaa",
    other_prompts: "hash of the prompt ours/cause.v1 is bbbb",
    prompts_of_header_and_settings_differ: "prompts of cause is bbbb",
    prompts_left_out: "prompts of cause is none",
    interval_narrowed: "zero_filled_interval of rouge2 of cause (full) is",
    interval_of_one_draw: "draws is 1, should be 1000 to 100000",
    floor_lowered: "floor of rouge2 of cause (full) is 0",
    unjudgeable_made_up: "unjudgeable samples of rouge2 of cause (full) is 1, should be at most 0",
    worst_called_unjudgeable: "value of mini",
    hits_raised: "hits of accuracy of classification (full) is 14",
    aggregate_raised: "macro_recall of classification (full) is 1",
    lower_is_better: "higher_is_better of rouge2 of cause (full) is False",
    seconds_for_per_cent: "unit of rouge2 of cause (full) is s",
    unknown_column_of_a_known_metric: "a column of rouge of rouge9 of cause (full) is rouge9",
    values_of_a_column_that_is_not_there: "columns with values of cause (full) is bleu, rouge1, rouge2, rougeL, gated",
    name_of_another_model: "model is gpt-5, should be motion",
    view_relabelled: "of cause (control) is",
    more_cut_off_than_answered: "cut_off of cause (full) is 15, should be at most 14",
    cut_off_answers_hidden: "cut_off of effect (full) is 0, should be 2",
    empty_answers_hidden: "empty of effect (full) is 0, should be 1",
    failure_called_an_answer: "effect (full) is",
    same_entry_twice: "entries of cause (full) is 2, should be 1",
    effort_made_up: "words of cause (full) is 3",
    called_a_model_while_a_baseline: "baseline of the scores is True, should be False",
    classes_swapped: "class of mini01 is 11, should be 5",
    settings_of_another_protocol: "sum_moments of the protocol standard is True",
    videos_of_other_rows: "mini01",
    seals_made_up: "sealed_answers is True, should be False",
}

IN_ANOTHER_WAY = (signature_of_another_metric,)  # which an older version might have done
NOT_TOLD = (answers_named_by_another_hash, marked_verified_by_hand)  # their answers are not there to tell


def answered(records: Lines, task: str = "cause", view: str = "full") -> Lines:
    return [one for one in records if one["type"] == "answer" and (one["task"], one["view"]) == (task, view)]


def references_rewritten(records: Lines) -> None:
    for one in answered(records):
        one["reference"] = one["answer"]


def one_reference_rewritten(records: Lines) -> None:
    answered(records)[3]["reference"] = answered(records)[3]["answer"]


def moments_rewritten(records: Lines) -> None:
    for one in answered(records, "timestamp"):
        one["moments"] = [{"start": 0.0, "end": one["duration"]}]


def classes_rewritten(records: Lines) -> None:
    for one in answered(records, "classification"):
        one["label"], one["reference"] = {"major": 1, "sub": None, "severity": None}, "1"


def key_sentences_rewritten(records: Lines) -> None:
    for one in answered(records):
        one["key_sentences"] = [one["answer"]]


def options_made_up(records: Lines) -> None:
    for one in answered(records, "classification"):
        one["options"] = [one["answer"], "something else"]
        one["label"] = {"major": 1, "sub": None, "severity": None}  # else no class of these is the annotated one


def keys_made_up(records: Lines) -> None:
    for one in answered(records):
        one["key"] = hashlib.sha256(one["id"].encode()).hexdigest()


def one_key_made_up(records: Lines) -> None:
    answered(records)[0]["key"] = "d" * 64


def second_answer_under_one_key(records: Lines) -> None:
    first = answered(records)[0]
    records.insert(1, {**first, "answer": first["reference"]})


def second_answer_under_another_key(records: Lines) -> None:
    first = answered(records)[0]
    records.append({**first, "answer": first["reference"], "key": "e" * 64})


def an_answer_twice(records: Lines) -> None:
    records.append(answered(records)[0])


def prompts_left_out_of_the_run(records: Lines) -> None:
    records[0]["spec"]["prompts"] = {}


def made_up_videos(records: Lines) -> None:
    for n in range(20):
        about = {"id": f"extra{n}/cause", "video": f"extra{n}", "answer": "yes", "reference": "yes", "key": f"{n:064}"}
        records.append({**answered(records)[0], **about})
        records[0]["expects"]["full"].append(about["id"])


def hard_videos_left_out(records: Lines) -> None:
    gone = {one["id"] for one in answered(records)[:7]}
    records[:] = [one for one in records if one.get("id") not in gone]


def hard_videos_called_impossible(records: Lines) -> None:
    for one in answered(records)[:7]:
        kept = {name: one[name] for name in ("key", "id", "video", "task", "view", "t")}
        records[records.index(one)] = {**kept, "type": "unasked", "reason": "no normal span is long enough"}


def other_data_set(records: Lines) -> None:
    records[0]["spec"]["dataset"]["sha256"] = "a" * 64


def other_question(records: Lines) -> None:
    for one in answered(records):
        one["prompt_sha256"] = "b" * 64
    records[0]["spec"]["prompts"]["cause"] = {"id": "ours/cause.v1", "sha256": "b" * 64}


def cut_view_called_full(records: Lines) -> None:
    for one in list(answered(records)):
        records.remove(one)
    for one in answered(records, view="anomaly"):
        one.update(view="full", removed=[])


def ends_made_up(records: Lines) -> None:
    for one in answered(records):
        one["t"] = "2126-01-01T00:00:00Z"


def answered_before_asked(records: Lines) -> None:
    for one in answered(records):
        one["time"] = {"answer": -5.0}


def duration_negative(records: Lines) -> None:
    for one in records[1:]:
        one["duration"] = -one.get("duration", 1.0)


def duration_of_one_answer(records: Lines) -> None:
    answered(records, "timestamp")[0]["duration"] = 6.0


def model_renamed(records: Lines) -> None:
    records[0]["spec"]["model"] = "gpt-5"


def model_renamed_and_what_its_keys_hold_left_out(records: Lines) -> None:
    model_renamed(records)
    records[0]["spec"].pop("decoder")


def other_question_that_nobody_knows(records: Lines) -> None:
    for one in (one for one in records if one.get("task") == "cause"):
        one["prompt_sha256"] = "b" * 64
    records[0]["spec"]["prompts"]["cause"] = {"id": "mine/cause.v1", "sha256": "b" * 64}


def duration_made_up(records: Lines) -> None:
    for one in answered(records, "timestamp"):
        one["answer"] = "[0, 6]"
        one["moments"] = [{"start": 0.0, "end": 6.0}]


def sub_classes_left_out(records: Lines) -> None:
    for one in answered(records, "classification"):
        one["label"] = {**one["label"], "sub": None}


def video_of_other_bytes(records: Lines) -> None:
    for one in answered(records):
        one["video_sha256"] = "f" * 64


IN_ANSWERS: Mapping[Callable[[Lines], None], str] = {  # with the reason for which each is refused
    references_rewritten: "mini01/cause (full): reference is",
    one_reference_rewritten: "mini04/cause (full): reference is",
    moments_rewritten: "mini01/timestamp (full): moments is",
    duration_made_up: "mini01/timestamp (full): moments is",
    classes_rewritten: 'mini01/classification (full): reference is "1"',
    sub_classes_left_out: "mini01/classification (full): label is",
    key_sentences_rewritten: "mini01/cause (full): key_sentences is",
    options_made_up: "mini01/classification (full): label is",
    keys_made_up: "mini01/cause (full): its key",
    one_key_made_up: "mini01/cause (full): its key dddd",
    second_answer_under_one_key: "a second, other answer under one key",
    second_answer_under_another_key: "mini01/cause (full): its key eeee",
    made_up_videos: "the video extra0 is named, should be none of mini",
    hard_videos_called_impossible: "every video has this view, so it can be asked",
    other_data_set: "hash of the data set mini is aaaa",
    other_question: "hash of the prompt ours/cause.v1 is bbbb",
    prompts_left_out_of_the_run: "the run does not say what it was asked",
    cut_view_called_full: "its key",
    ends_made_up: "it was given at 2126",
    answered_before_asked: "mini01/cause (full): answer took -5 s",
    duration_negative: "its video takes -",
    duration_of_one_answer: "mini01/timestamp (full): its video takes 6 s",
    model_renamed: "its key",
    video_of_other_bytes: "mini01/cause (full): its key",
}

NOT_KNOWN: Mapping[Callable[[Lines], None], str] = {  # which keys they should have
    model_renamed_and_what_its_keys_hold_left_out: "the run does not say its decoder",
    other_question_that_nobody_knows: "the run does not say the words of its prompt for cause",
}
