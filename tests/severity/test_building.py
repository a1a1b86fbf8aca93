"""Curves of a whole set: every video has a curve or a record that says why not, and a kill costs nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecva_bench.data import Dataset
from ecva_bench.data.curves import curve_records, load_curves
from ecva_bench.errors import BudgetExhausted, CheckpointError, DataError, ResultsBusy, SpecMismatch, UsageError
from ecva_bench.files.by_video import read_moments, read_peoples_scores
from ecva_bench.judging import Call, Verdict
from ecva_bench.records import Annotation
from ecva_bench.records.curves import Curve, CurveFailure
from ecva_bench.severity.building import Built, build_curves, write_moments
from ecva_bench.severity.curve_file import CurveJournal
from ecva_bench.severity.making import CurveOptions
from ecva_bench.severity.sources import open_sources
from ecva_bench.taxonomy import load_taxonomy
from tests.clips import write_clip
from tests.severity.test_ranking import Scripted
from tests.video.make import write

SENTENCES = ("a man is shot", "a window breaks", "people run", "a dog barks")
VIDEOS = ("one", "two", "three", "four")


class Brightness:
    """An encoder whose cosines rise with how bright a frame is, in another way for each sentence."""

    name, weights = "brightness", "00"

    def __init__(self) -> None:
        self.seen = 0

    def image_features(self, pixels: Any) -> Any:
        self.seen += len(pixels)
        bright = pixels.mean(axis=(1, 2, 3), dtype=np.float64) / 255
        return np.stack([bright, np.full_like(bright, 0.3)], axis=1).astype(np.float32)

    def text_features(self, sentences: Sequence[str]) -> Any:
        return np.array([[1, len(text) % 3] for text in sentences], dtype=np.float32)

    def cut_off(self, sentences: Sequence[str]) -> list[str]:
        return [text for text in sentences if len(text) > 300]


def dataset(folder: Path, **sentences: tuple[str, ...]) -> Dataset:
    annotations = tuple(
        Annotation(video=video, media=f"{video}.mp4", key_sentences=said) for video, said in sentences.items()
    )
    return Dataset("test", "test", "00", load_taxonomy("cuva"), annotations, videos=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of 4 s, in which something moves from 2 to 2.8 s."""
    found = tmp_path_factory.mktemp("clips")
    for video in VIDEOS:
        write_clip(found / f"{video}.mp4")
    return found


def build(data: Dataset, out: Path, judge: Any = None, **options: Any) -> Built:
    sources = open_sources(options.pop("spans", []))
    return build_curves(data, out, Brightness(), judge or Scripted(), sources, CurveOptions(**options))


def whole(folder: Path) -> Dataset:
    return dataset(folder, **dict.fromkeys(VIDEOS, SENTENCES))


def test_a_curve_is_the_weighted_sum_of_its_cosines_in_its_own_range(folder: Path, tmp_path: Path) -> None:
    assert build(whole(folder), tmp_path / "curves.jsonl").written == 4
    curve = load_curves(tmp_path / "curves.jsonl")["one"]
    assert curve.times == (0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75)  # 8 of a video of 4 s
    assert [sentence.score for sentence in curve.sentences] == pytest.approx([0.4, 0.3, 0.2, 0.1])
    values = np.array([0.4, 0.3, 0.2, 0.1]) @ np.array(curve.similarity)
    assert curve.value == pytest.approx(values, abs=1e-6)
    assert curve.contrast == pytest.approx(np.ptp(values), abs=1e-6)
    assert curve.importance == pytest.approx((values - values.min()) / np.ptp(values), abs=1e-5)
    assert np.argmax(curve.importance) in (4, 5)
    assert (curve.concordance, curve.findings, curve.judge) == (pytest.approx(1), (), {"judge": "scripted"})


@pytest.mark.parametrize("protocol", ["standard", "cuva-2024"])
def test_what_is_odd_is_a_finding_and_what_is_wrong_a_record(tmp_path: Path, protocol: Any) -> None:
    write_clip(tmp_path / "constant.mp4", frames=70, event=(0, 0), ramp=1)
    write_clip(tmp_path / "single.mp4", frames=1)
    write(tmp_path / "uneven.mp4", ticks=[*range(0, 200, 4), *range(200, 400, 10)])
    write_clip(tmp_path / "good.mp4", frames=70)
    for name in ("seven", "repeated", "nonsense", "unsure"):
        write_clip(tmp_path / f"{name}.mp4", frames=70)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("not found")
    said = dict.fromkeys(
        ("constant", "single", "good", "uneven", "empty", "text", "missing", "nonsense", "unsure"), SENTENCES
    )
    data = dataset(tmp_path, **said, seven=tuple("abcdefg"), repeated=("a", " a", "", "b"), silent=("", " "))
    out = tmp_path / "curves.jsonl"
    built = build(data, out, Unsure(), protocol=protocol)
    found = {record.video: record for _, record in curve_records(out)}
    assert set(found) == {annotation.video for annotation in data.annotations}
    codes = {video: record.error for video, record in found.items() if isinstance(record, CurveFailure)}
    curves = {video: record for video, record in found.items() if isinstance(record, Curve)}
    wrong = {"empty": "file_empty", "text": "not_a_video", "missing": "file_missing", "nonsense": "DataError"}
    refused = {} if protocol == "standard" else {"single": "DataError", "seven": "DataError"}
    assert codes == {**wrong, "silent": "DataError", **refused}
    assert (built.written, built.failures.total()) == (len(curves), len(codes))

    def findings(video: str) -> set[str]:
        return {finding.partition(":")[0] for finding in curves[video].findings} - {"video", "cuva-2024"}

    assert findings("good") == set()
    assert findings("uneven") == {"variable-rate"}
    assert findings("constant") == {"flat"}
    assert curves["constant"].flat
    assert findings("repeated") == {"few-sentences", "dropped-sentences"}
    assert findings("unsure") == {"unread-votes", "discordant-votes"}
    assert curves["unsure"].sentences[0].votes[0] is None
    if protocol == "standard":
        assert findings("single") == {"flat"}
        assert findings("seven") == {"many-sentences"}
        assert [one.score for one in curves["seven"].sentences] == pytest.approx([1 / 7] * 7)
        return
    faults = [finding for finding in curves["good"].findings if finding.startswith("cuva-2024")]
    assert any("whatever the frame rate" in fault for fault in faults)
    assert [sentence.score for sentence in curves["good"].sentences] == [0.5, 0.4, 0.3, 0.2]
    assert found["seven"].message.startswith("the released code has scores for 5 sentences, and there are 7")  # type: ignore[union-attr]


class Unsure(Scripted):
    """Answers nonsense about the video `nonsense`, and of `unsure` nonsense first, then two opposite orders."""

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        nonsense, ordered = Verdict(None, reason="unparsable: 'no'"), []
        for number, call in enumerate(calls):
            texts = [item["statement"] for item in call.payload["statements"]]
            places = [float(SENTENCES.index(text) + 1) if text in SENTENCES else 1.0 for text in texts]
            group = number // 3
            if group == self.groups.index("nonsense") or number == 3 * self.groups.index("unsure"):
                ordered.append(nonsense)
            elif group == self.groups.index("unsure") and number % 3 == 2:
                ordered.append(Verdict(tuple(len(texts) + 1 - place for place in places)))
            else:
                ordered.append(Verdict(tuple(places)))
        return ordered

    groups = (
        "constant",
        "single",
        "good",
        "uneven",
        "empty",
        "text",
        "missing",
        "nonsense",
        "unsure",
        "seven",
        "repeated",
    )


def test_a_frame_that_stays_on_screen_is_looked_at_once(folder: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "slow.mp4", frames=3, rate=1)
    encoder = Brightness()
    data = dataset(tmp_path, slow=SENTENCES)
    build_curves(data, tmp_path / "curves.jsonl", encoder, Scripted(), [], CurveOptions())
    curve = load_curves(tmp_path / "curves.jsonl")["slow"]
    assert (encoder.seen, len(curve.times)) == (3, 8)


def test_a_file_that_was_cut_off_anywhere_is_gone_on_with(folder: Path, tmp_path: Path) -> None:
    data, out = whole(folder), tmp_path / "curves.jsonl"
    build(data, out)
    expected, content = load_curves(out), out.read_bytes()
    for seed in range(25):
        out.write_bytes(content[: random.Random(seed).randrange(len(content))])
        build(data, out)
        assert load_curves(out) == expected
        assert len(list(curve_records(out))) == 4  # none lost, none twice
    assert build(data, out).there == 4


def test_what_failed_is_tried_again_and_the_same_failure_is_written_once(folder: Path, tmp_path: Path) -> None:
    data, out = dataset(tmp_path, late=SENTENCES), tmp_path / "curves.jsonl"
    assert build(data, out).failures == {"file_missing": 1}
    assert build(data, out).failures == {"file_missing": 1}
    assert len(out.read_text().splitlines()) == 1
    write_clip(tmp_path / "late.mp4")
    assert build(data, out).written == 1
    assert list(load_curves(out)) == ["late"]


def test_a_budget_that_ends_costs_no_curve_that_is_written(folder: Path, tmp_path: Path) -> None:
    class Poor(Scripted):
        def ask(self, calls: Sequence[Call]) -> list[Verdict]:
            if self.calls:
                raise BudgetExhausted("the budget is used up")
            return super().ask(calls)

    videos = {f"v{number}": SENTENCES for number in range(130)}  # the last two are asked about in a second group
    data, out = dataset(tmp_path, **videos), tmp_path / "curves.jsonl"
    for video in ("v0", "v1"):
        write_clip(tmp_path / f"{video}.mp4")
    with pytest.raises(BudgetExhausted):
        build(data, out, Poor())
    assert list(load_curves(out)) == ["v0", "v1"]
    assert len(list(curve_records(out))) == 128


def test_weights_that_do_not_fit_end_the_command(folder: Path, tmp_path: Path) -> None:
    class Misfit(Brightness):
        def text_features(self, sentences: Sequence[str]) -> Any:
            raise CheckpointError("the weights do not fit CLIP")

    out = tmp_path / "curves.jsonl"
    with pytest.raises(CheckpointError, match="do not fit"):
        build_curves(whole(folder), out, Misfit(), Scripted(), (), CurveOptions())
    assert out.read_bytes() == b""  # no video is blamed


def test_a_file_keeps_to_its_settings_and_its_one_writer(folder: Path, tmp_path: Path) -> None:
    data, out = whole(folder), tmp_path / "curves.jsonl"
    build(data, out)
    before = out.read_bytes()
    with pytest.raises(SpecMismatch, match=r"smooth: None, and now 2\.0"):
        build(data, out, smooth=2.0)
    with CurveJournal(out), pytest.raises(ResultsBusy):
        build(data, out)
    assert out.read_bytes() == before
    other = tmp_path / "other.jsonl"
    other.write_text('{"type": "run"}\n')
    with pytest.raises(DataError, match="line 1 is no record of"):
        build(data, other)
    assert other.read_text() == '{"type": "run"}\n'


def test_peoples_scores_stand_for_a_judge(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text('{"video": "one", "scores": [0.1, 0.4, 0.4, 0.1]}\n{"video": "two", "scores": [1, 2]}\n')
    options = CurveOptions(scores=read_peoples_scores(file))
    out = tmp_path / "curves.jsonl"
    built = build_curves(whole(folder), out, Brightness(), None, [], options)
    assert (built.written, built.failures) == (1, {"DataError": 3})
    curve = load_curves(out)["one"]
    assert [(one.rank, one.score) for one in curve.sentences] == [(3.5, 0.1), (1.5, 0.4), (1.5, 0.4), (3.5, 0.1)]
    with pytest.raises(UsageError, match="nothing says which key sentence"):
        build_curves(whole(folder), out, Brightness(), None, [], CurveOptions())
    for scores in ("null", '"0123"', '{"0": 1}', '["x"]', '["inf"]', "[true, 1, 1, 1]"):
        file.write_text(f'{{"video": "one", "scores": {scores}}}')
        with pytest.raises(DataError, match=r"line 1: .*no list of numbers"):
            read_peoples_scores(file)
    for content in ('{"video": "one"}', "[]"):
        file.write_text(content)
        with pytest.raises(DataError, match="line 1"):
            read_peoples_scores(file)


@pytest.mark.parametrize("name", ["first", "one.mp4", "clips/one.mp4"])
def test_what_a_file_says_is_found_by_a_videos_id_and_by_its_file(folder: Path, tmp_path: Path, name: str) -> None:
    scores, spans, out = (tmp_path / file for file in ("scores.jsonl", "spans.jsonl", "curves.jsonl"))
    scores.write_text(json.dumps({"video": name, "scores": [0.1, 0.4, 0.4, 0.1]}))
    spans.write_text(json.dumps({"video": name, "sentence": SENTENCES[0], "spans": [[1, 3]]}))
    one = Annotation(video="first", media="one.mp4", key_sentences=SENTENCES)
    data, judge = replace(dataset(folder), annotations=(one,)), Scripted()
    options = CurveOptions(scores=read_peoples_scores(scores))
    build_curves(data, out, Brightness(), judge, open_sources([str(spans)]), options)
    sentences = load_curves(out)["first"].sentences
    assert [said.score for said in sentences] == [0.1, 0.4, 0.4, 0.1]
    assert sentences[0].spans == ((1, 3),)
    assert judge.calls == []


def test_sources_vote_and_what_they_locate_can_be_written_as_moments(folder: Path, tmp_path: Path) -> None:
    lines = [
        {"video": "one", "sentence": SENTENCES[0], "spans": [[1, 3], [9, 4]]},
        {"video": "one.mp4", "sentence": SENTENCES[1], "spans": [[2, 9]]},
        {"video": "two", "sentence": "another", "spans": [[0, 4]]},
    ]
    (tmp_path / "univtg.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "Voting_new.json").write_text('[null, [{"video_name": "one", "answer": [2, 3]}]]')
    out = tmp_path / "curves.jsonl"
    sources = [str(tmp_path / name) for name in ("univtg.jsonl", "Voting_new.json")]
    built = build(whole(folder), out, spans=sources)
    assert built.findings["nothing-located"] == 3
    curve = load_curves(out)["one"]
    first, second, third, _ = curve.sentences
    assert first.sources == {"univtg": ((1, 3),), "Voting_new": ((2, 3),)}
    assert (first.spans, first.agreement) == (((2, 3),), 0.5)
    assert (second.spans, second.agreement) == (((2, 3),), 0.5)
    assert third.spans == ((2, 3),)  # of the one source that named any
    assert curve.voted == ((0, 2, 0), (2, 3, 1), (3, 4, 0))
    assert write_moments(out, tmp_path / "moments.json") == 1
    assert read_moments(tmp_path / "moments.json").of(folder / "one.mp4") == [(2, 3)]
    for name, content in (("bad.jsonl", '{"video": "one"}'), ("bad.json", "{")):
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match="cannot be read"):
            open_sources([str(tmp_path / name)])
    with pytest.raises(UsageError, match="two sources have one name"):
        open_sources(sources * 2)


def test_models_are_asked_about_each_sentence(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "def told(video, question):\n"
        "    if video.path.stem == 'two':\n"
        "        raise ValueError('no memory')\n"
        "    assert (question.task, question.unit) == ('grounding', 'seconds')\n"
        "    return '[1.0, 2.5]' if 'a man is shot' in question else 'It does not take place.'\n"
    )
    out = tmp_path / "curves.jsonl"
    built = build(whole(folder), out, spans=[f"{file}:told"])
    assert built.failures == {"AdapterError": 1}
    curve = load_curves(out)["one"]
    assert [sentence.spans for sentence in curve.sentences] == [((1, 2.5),), (), (), ()]
    with pytest.raises(UsageError):
        open_sources(["absent-model"])


@pytest.mark.parametrize(
    ("yes", "no", "expected"),
    [(0.5, 0.4, [(0, 4)]), (0.4, 0.5, []), (0.3, 0.1, "words"), (None, None, "words")],
    ids=["yes", "no", "neither is meant", "no probabilities"],
)
def test_a_model_with_probabilities_is_asked_for_those_of_yes_and_no(
    yes: float | None, no: float | None, expected: Any, folder: Path, tmp_path: Path
) -> None:
    """Its words, which count where it means neither, say yes of the second sentence alone."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from ecva_bench import Adapter\n"
        "from ecva_bench.errors import AdapterError\n"
        "class Sure(Adapter):\n"
        "    def answer(self, video, question):\n"
        "        return 'Yes' if 'a window breaks' in question else 'No'\n"
        "    def first_token_probabilities(self, video, question, words):\n"
        f"        yes, no = {yes}, {no}\n"
        "        if yes is None:\n"
        "            raise AdapterError('the endpoint gives none')\n"
        "        return [{'yes': yes, 'No': no}.get(word, 0.0) for word in words]\n"
    )
    out = tmp_path / "curves.jsonl"
    assert build(whole(folder), out, spans=[f"entailment:{file}:Sure"]).failures == {}
    found = [[*sentence.spans] for sentence in load_curves(out)["one"].sentences]
    assert found == ([[], [(0, 4)], [], []] if expected == "words" else [expected] * 4)


def test_a_question_that_was_lost_does_not_make_the_words_of_all_others_count(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from ecva_bench import Adapter\n"
        "from ecva_bench.errors import AnswerLost\n"
        "class Sure(Adapter):\n"
        "    asked = 0\n"
        "    def answer(self, video, question):\n"
        "        return 'No'\n"
        "    def first_token_probabilities(self, video, question, words):\n"
        "        self.asked += 1\n"
        "        if self.asked == 1:\n"
        "            raise AnswerLost('the server is down')\n"
        "        return [0.9 if word == 'yes' else 0.0 for word in words]\n"
    )
    out = tmp_path / "curves.jsonl"
    assert build(whole(folder), out, spans=[f"entailment:{file}:Sure"]).failures == {"no_answer": 1}
    found = load_curves(out)
    assert len(found) == len(VIDEOS) - 1
    assert all(sentence.spans == ((0, 4),) for curve in found.values() for sentence in curve.sentences)


def test_a_model_may_be_asked_of_each_part_whether_it_shows_a_sentence(folder: Path, tmp_path: Path) -> None:
    """A model that says yes where something moves: parts are half a second, and what moves does from 2 to 2.8 s."""
    file = tmp_path / "mine.py"
    file.write_text(
        "def seen(video, question):\n"
        "    bright = video.frames_at(range(video.n_frames)).pixels.max() > 200\n"
        "    return 'Yes.' if bright and 'a window breaks' in question else 'No, it does not.'\n"
    )
    out = tmp_path / "curves.jsonl"
    built = build(whole(folder), out, spans=[f"entailment:{file}:seen"])
    assert built.failures == {}
    curve = load_curves(out)["one"]
    assert [sentence.spans for sentence in curve.sentences] == [(), ((2, 3),), (), ()]
    assert curve.settings["sources"][0]["kind"] == "entailment"
