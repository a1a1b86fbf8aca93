"""The baselines are the floor and the ceiling they say they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecva_bench import registry
from ecva_bench.answering import Baseline, Question, create_adapter
from ecva_bench.answering.adapter import ADAPTER_GROUP
from ecva_bench.errors import AdapterError
from ecva_bench.reading.curves import cell_centres, segments_at
from ecva_bench.reading.severities import read_severities
from ecva_bench.records import Annotation, Label, Moment, Sample
from ecva_bench.records.annotations import Query, Review
from ecva_bench.samples import samples as samples_of
from ecva_bench.tasks import TASKS, prompt_for
from ecva_bench.video import Video
from tests.clips import write_clip


@pytest.fixture
def video(tmp_path: Path) -> Video:
    """Forty frames at 10 a second; a square moves through the lower right from 2.0 to 2.8 s."""
    return Video(write_clip(tmp_path / "00001.mp4"))


@pytest.fixture
def samples() -> list[Sample]:
    annotation = Annotation(
        video="00001",
        media="00001.mp4",
        label=Label(major=8, sub=3),
        moments=(Moment(start=2, end=2.8),),
        description="d",
        cause="c",
        effect="e",
        anomalous=True,
        queries=(
            Query(task="choice", name="1", text="What?", options=("x", "y"), answer=1),
            Query(task="grounding", name="1", text="A square moves.", moments=(Moment(start=2, end=2.8),)),
        ),
        review=Review(label=Label(major=8, sub=3), moments=(Moment(start=2, end=3),)),
    )
    return [one for task in TASKS.values() for one in samples_of(annotation, task, prompt_for(task))]


def baseline(name: str) -> Baseline:
    found = create_adapter(name)
    assert isinstance(found, Baseline)
    return found


def answers(adapter: Baseline, video: Video, samples: list[Sample]) -> dict[str, str]:
    adapter.study(samples)
    asked = [s for s in samples if adapter.tasks is None or s.task in adapter.tasks]
    found = adapter.answer_many(video, [Question.of_sample(s) for s in asked])
    return dict(zip([s.task for s in asked], found, strict=True))


BASELINES = [
    name
    for name in registry.names(ADAPTER_GROUP)
    if (found := registry.load(ADAPTER_GROUP, name)).baseline and not found.scheme  # of those, see test_blind
]


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_wears_the_interface(name: str, video: Video, samples: list[Sample]) -> None:
    adapter = baseline(name)
    found = answers(adapter, video, samples)
    assert set(found) == (set(adapter.tasks) if adapter.tasks else set(TASKS))
    assert all(text and isinstance(text, str) for text in found.values())
    one_by_one = {s.task: adapter.answer(video, Question.of_sample(s)) for s in samples if s.task in found}
    assert one_by_one == found
    packaged = [s for s in samples if s.task in found and not TASKS[s.task].fields]  # whose words tell the task
    plain = {s.task: adapter.answer(video, s.question) for s in packaged}  # type: ignore[arg-type]
    assert plain == {s.task: found[s.task] for s in packaged}
    assert adapter.describe() == adapter.describe()


def test_motion_finds_where_and_when_the_picture_changes(video: Video, samples: list[Sample]) -> None:
    found = answers(baseline("motion"), video, samples)
    start, end = (float(part) for part in found["timestamp"].strip("[]").split(","))
    # Sampled four times a second, so an edge is known to a quarter of a second.
    assert start == pytest.approx(2.0, abs=0.3)
    assert end == pytest.approx(2.8, abs=0.3)
    assert "strong" in found["description"]
    assert "lower right" in found["description"]


def test_the_oracle_tells_videos_of_one_name_apart(tmp_path: Path) -> None:
    names = ("day/1", "night/1", "cam.1", "cam.2")
    media = {name: f"set/{name}.mp4" for name in names}
    known = [Annotation(video=video, media=file, cause=f"cause of {video}") for video, file in media.items()]
    task = TASKS["cause"]
    samples = [one for each in known for one in samples_of(each, task, prompt_for(task))]
    adapter = baseline("oracle")
    adapter.study(samples)
    for video, file in media.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        assert adapter.answer(Video(write_clip(path)), samples[0].question) == f"cause of {video}"
    with pytest.raises(AdapterError, match="the annotation has no the reference"):
        adapter.answer(Video(write_clip(tmp_path / "3.mp4")), samples[0].question)
    adapter.study([samples[0], samples[0].model_copy(update={"video": "1", "media": "set/1.mp4"})])
    (tmp_path / "other/day").mkdir(parents=True)
    with pytest.raises(AdapterError, match="this may be 'day/1' or '1'"):
        adapter.answer(Video(write_clip(tmp_path / "other/day/1.mp4")), samples[0].question)
    assert adapter.answer(Video(tmp_path / "set/day/1.mp4"), samples[0].question) == "cause of day/1"


def test_motion_says_something_of_a_still_video(samples: list[Sample], tmp_path: Path) -> None:
    still = Video(write_clip(tmp_path / "still.mp4", frames=1, event=(9, 9)))
    assert answers(baseline("motion"), still, samples)["timestamp"] == "[0.0, 0.0]"


def test_motion_asks_for_the_frames_it_announces(video: Video, samples: list[Sample]) -> None:
    adapter = baseline("motion")
    announced = np.asarray(adapter.frame_indices(video))
    seen: list[np.ndarray] = []
    video.on_frames = lambda frames: seen.append(frames.indices)
    answers(adapter, video, samples)
    assert all(np.array_equal(indices, announced) for indices in seen)


def test_the_oracle_gives_the_reference_and_knows_what_it_does_not_know(video: Video, samples: list[Sample]) -> None:
    oracle = baseline("oracle")
    assert answers(oracle, video, samples) == {**{s.task: s.reference for s in samples}, "severity": "2 2.8 10"}
    with pytest.raises(AdapterError, match="00001"):
        oracle.answer(video, "Never asked?")


def test_second_round_gives_the_review(video: Video, samples: list[Sample]) -> None:
    expected = {"classification": "[8]", "timestamp": "[2, 3]", "severity": "2 3 10"}
    assert answers(baseline("second-round"), video, samples) == expected
    unreviewed = [s.model_copy(update={"review": None}) for s in samples]
    adapter = baseline("second-round")
    adapter.study(unreviewed)
    with pytest.raises(AdapterError, match="no second round"):
        adapter.answer(video, samples[-1].question)


def severities(text: str, duration: float) -> np.ndarray:
    found = read_severities(text, unit=None)
    assert (found.status, found.unparsed) == ("read", ())
    segments = [(*span, severity) for span, severity in zip(found.spans, found.severities, strict=True)]
    return segments_at(segments, cell_centres(duration))


def test_severities_are_of_the_middle_of_the_change_or_of_the_curve(video: Video, samples: list[Sample]) -> None:
    centres = cell_centres(video.duration)
    assert set(severities(answers(baseline("constant"), video, samples)["severity"], 4.0)) == {0.5}
    middle = severities(answers(baseline("middle"), video, samples)["severity"], 4.0)
    assert middle == pytest.approx(np.exp(-0.5 * ((centres - 2.0) / 1.0) ** 2), abs=1e-6)
    motion = severities(answers(baseline("motion"), video, samples)["severity"], 4.0)
    assert (motion.min(), motion.max()) == (0, pytest.approx(1, abs=0.2))
    assert 1.9 < centres[motion.argmax()] < 2.9
    curve = ((0.0, 0.1), (2.4, 1.0), (4.0, 0.3))
    curved = [one.model_copy(update={"curve": curve}) for one in samples]
    oracle = severities(answers(baseline("oracle"), video, curved)["severity"], 4.0)
    assert oracle == pytest.approx(np.interp(centres, *np.array(curve).T), abs=1e-6)
    assert answers(baseline("second-round"), video, curved)["severity"] == "2 3 10"  # a review has no curve


def test_severities_of_a_normal_video_and_of_one_frame(tmp_path: Path, samples: list[Sample]) -> None:
    short = Video(write_clip(tmp_path / "00001.mp4", frames=1))
    for name in ("constant", "middle", "motion"):
        assert len(severities(answers(baseline(name), short, samples)["severity"], short.duration)) == 20
    assert set(severities(answers(baseline("motion"), short, samples)["severity"], short.duration)) == {0.0}
    normal = [one.model_copy(update={"moments": ()}) for one in samples]
    assert set(severities(answers(baseline("oracle"), short, normal)["severity"], short.duration)) == {0.0}


def test_another_reference_makes_another_oracle(samples: list[Sample]) -> None:
    one, two = baseline("oracle"), baseline("oracle")
    one.study(samples)
    two.study([s.model_copy(update={"reference": "other"}) for s in samples])
    assert one.describe() != two.describe()
