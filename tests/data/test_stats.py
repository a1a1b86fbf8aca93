"""Statistics against numpy, brute force and the figures known of the real annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.data import load_dataset
from ecva_bench.data.dataset import Dataset
from ecva_bench.data.spreads import histogram, spread
from ecva_bench.data.stats import dataset_stats
from ecva_bench.data.table_1 import load_table_1, size_row
from ecva_bench.data.video_stats import LENGTH_EDGES, covered
from ecva_bench.records import Annotation, Label, Moment
from ecva_bench.taxonomy import load_taxonomy

NUMBERS = st.lists(st.floats(0, 1e4), min_size=1, max_size=40)


@given(NUMBERS)
def test_spread_is_numpys(numbers: list[float]) -> None:
    found = spread(numbers)
    assert found is not None
    five = [found.minimum, found.lower, found.median, found.upper, found.maximum]
    assert five == pytest.approx(np.percentile(numbers, [0, 25, 50, 75, 100]))
    assert (found.n, found.mean) == (len(numbers), pytest.approx(np.mean(numbers)))


@given(NUMBERS)
def test_histogram_is_numpys(numbers: list[float]) -> None:
    expected, _ = np.histogram(numbers, bins=[*LENGTH_EDGES, np.inf])
    assert [part.count for part in histogram(numbers, LENGTH_EDGES)] == expected.tolist()


def test_the_real_annotations(shared_data: Path) -> None:
    found = dataset_stats(load_dataset(shared_data / "ecva/annotations.xlsx"))
    counts = {code: count for code, _, count in found.classes}
    assert max(counts[str(major)] for major in range(1, 12)) == counts["5"] == 208
    assert sum(counts[str(major)] for major in range(1, 12)) == 924 == 983 - found.unlabelled
    assert sum(count for code, count in counts.items() if "-" in code) == 924
    assert len(counts) == 11 + 42
    assert found.moments_per_video == {0: 1, 1: 941, 2: 38, 3: 3}
    assert sum(part.count for part in found.lengths) == 941 + 2 * 38 + 3 * 3
    assert round(found.words["description"].mean) == 12
    assert found.files is None
    means = {name: round(mean, 1) for name, mean in found.per_video.items()}
    assert means["words"] == 81.9
    assert means["words with key sentences"] == 105.4
    assert means["sentences"] == 5.0
    assert size_row(found).classes == 42


def test_what_is_counted_by_hand() -> None:
    def one(video: str, label: Label | None, *spans: tuple[float, float], **texts: object) -> Annotation:
        moments = tuple(Moment(start=start, end=end) for start, end in spans)
        return Annotation.model_validate(
            {"video": video, "media": video, "label": label, "moments": moments, "cause": "/", **texts}
        )

    seven = "one two three four five six seven"
    annotations = (
        one("a", Label(major=5, sub=2, severity=3), (0, 4), (8, 18), cause="a b c", key_sentences=(seven, "one")),
        one("b", Label(major=5, sub=1, severity=1), (2, 602), cause="a", effect="so it goes"),
        one("c", Label(major=2), key_sentences=(seven + " eight", "a b")),
        one("d", None, description="two words"),
    )
    found = dataset_stats(Dataset("x", "x", "", load_taxonomy("cuva"), annotations))
    assert (found.dataset, found.videos, found.unlabelled, found.severities) == ("x", 4, 1, {1: 1, 3: 1})
    assert [(code, count) for code, _, count in found.classes] == [("2", 1), ("5", 2), ("5-1", 1), ("5-2", 1)]
    assert {name: (of.n, of.mean) for name, of in found.words.items()} == {
        "description": (1, 2),
        "cause": (4, 1.5),
        "effect": (1, 3),
        "key sentence": (4, 4.5),
    }
    assert found.key_sentences_too_long == 1 / 4
    assert found.moments_per_video == {0: 2, 1: 1, 2: 1}
    assert [(bar.start, bar.end) for bar in found.lengths if bar.count] == [(0, 5), (10, 20), (600, None)]
    assert [(of.minimum, of.median, of.maximum) for of in (found.starts, found.ends, found.durations) if of] == [
        (0, 2, 8),
        (4, 18, 602),
        (4, 10, 600),
    ]
    assert found.start_at_zero == 1 / 3


def test_nothing_annotated_is_nothing_counted() -> None:
    bare = (Annotation(video="a", media="a.mp4", cause="a"),)
    found = dataset_stats(Dataset("x", "x", "", load_taxonomy("cuva"), bare))
    assert (found.key_sentences_too_long, found.start_at_zero, found.starts, found.durations) == (0, 0, None, None)


def test_coverage_is_the_share_of_videos_anomalous_at_each_tenth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Probed:
        def __init__(self, path: Path) -> None:
            self.error = "not_a_video" if path.name == "bad.mp4" else None
            self.duration, self.frames, self.frame_rate = 10.0, 250, 25.04
            self.variable_frame_rate, self.has_audio = path.name == "b.mp4", path.name == "a.mp4"

    monkeypatch.setattr("ecva_bench.data.video_stats.probe", Probed)
    annotations = (
        Annotation(video="a", media="a.mp4", moments=(Moment(start=0.5, end=4.5),)),
        Annotation(video="b", media="b.mp4", moments=(Moment(start=2, end=3), Moment(start=9, end=10))),
        Annotation(video="bad", media="bad.mp4", moments=(Moment(start=0, end=9),)),
        Annotation(video="none", media="none.mp4"),
        Annotation(video="00007", media="7.mp4", moments=(Moment(start=0, end=9),)),  # either of two files
    )
    for name in ("7.mkv", "00007.avi"):
        (tmp_path / name).touch()
    told: list[tuple[int, int, int]] = []
    dataset = Dataset("x", "x", "", load_taxonomy("cuva"), annotations, videos=tmp_path)
    found = dataset_stats(dataset, lambda *state: told.append(state))
    files = found.files
    assert files is not None
    assert files.coverage == (0.5, 0.5, 1.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5)
    assert told == [(1, 5, 0), (2, 5, 0), (3, 5, 1), (4, 5, 1), (5, 5, 2)]
    assert (files.n, files.unusable, files.hours, files.frames) == (3, 2, 30 / 3600, 750)
    assert (files.frame_rates, files.variable_rates, files.with_audio) == ({25.0: 3}, 1, 1 / 3)
    assert files.anomalous is not None
    assert (files.anomalous.n, files.anomalous.minimum, files.anomalous.maximum) == (2, 0.2, 0.4)
    assert [(bar.start, bar.count) for bar in files.lengths if bar.count] == [(10, 3)]
    assert size_row(found).model_dump(include={"frames", "clip_s", "audio"}) == {
        "frames": 750,
        "clip_s": 10.0,
        "audio": "33%",
    }
    assert found.start_at_zero == 2 / 5
    unread = dataset_stats(Dataset("x", "x", "", load_taxonomy("cuva"), annotations[2:3], videos=tmp_path))
    assert unread.files is not None
    assert (unread.files.n, unread.files.coverage, unread.files.seconds) == (0, None, None)
    assert (size_row(unread).frames, size_row(unread).audio) == (None, None)
    assert spread([]) is None


SECONDS = st.integers(0, 30)


@given(st.lists(st.tuples(SECONDS, SECONDS), max_size=6), st.integers(1, 25))
def test_covered_time_counts_overlaps_once_and_nothing_beyond_the_end(
    spans: list[tuple[int, int]], duration: int
) -> None:
    moments = [Moment(start=min(span), end=max(span)) for span in spans]
    brute = sum(any(one.start <= second < one.end for one in moments) for second in range(duration))
    assert covered(moments, duration) == brute


def test_what_the_paper_prints_and_cannot_be_is_doubted() -> None:
    """Frames over seconds are frames per second, and no camera takes 100; the paper's own figure is too exact."""
    rows = {row.dataset: row for row in load_table_1().rows}
    rates = {name: row.frames / row.hours / 3600 for name, row in rows.items() if row.frames and row.hours}
    assert {name for name, rate in rates.items() if rate < 2 or rate > 100} <= {n for n in rows if rows[n].doubt}
    assert rates["ECVA"] == pytest.approx(60, abs=1e-6)
    assert rates["CUVA"] == pytest.approx(28.6, abs=0.05)
    assert rates["UCF-Crimes"] == pytest.approx(29.8, abs=0.05)
    assert len(rows) == 19
