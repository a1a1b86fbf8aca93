"""The numbers behind the plots against direct arithmetic, and the files they are drawn into."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path
from typing import get_args

import pytest

from ecva_bench.errors import UsageError
from ecva_bench.report import FigureName
from ecva_bench.report.panels import agreement, duration_bin, means_by, plotted
from ecva_bench.report.plots import write_figure, write_plots
from ecva_bench.report.run import Run
from ecva_bench.taxonomy import load_taxonomy

from .build import story


def test_means_by_group() -> None:
    values = {"a/cause": 1.0, "b/cause": 0.0, "c/cause": 0.5, "x/cause": 9.0}
    found = means_by(values, {"a": "1", "b": "1", "c": "2"})
    mean, interval, count = found["1"]
    assert (mean, count) == (0.5, 2)
    assert interval == (0.0, 1.0)
    assert found["2"] == (0.5, None, 1)
    assert found.keys() == {"1", "2"}


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (0, "0-30 s"),
        (29.99, "0-30 s"),
        (30, "30-60 s"),
        (60, "60-120 s"),
        (239, "120-240 s"),
        (240, "240+ s"),
        (9e4, "240+ s"),
    ],
)
def test_duration_bins(seconds: float, name: str) -> None:
    assert duration_bin(seconds) == name


def test_below_the_plots_stands_what_boards_say_of_the_judge(tmp_path: Path) -> None:
    write_plots(story(), tmp_path / "plots.html")
    cause, timestamp = (tmp_path / "plots.html").read_text().split('<section aria-label="timestamp">')
    told = [part for part in re.findall("<!--(.*?)-->", cause) if "the judge was asked no controls" in part]
    assert [one.split(":")[0].strip() for one in told] == ["honest"] * len(told)
    assert len(told) >= 2
    assert "controls" not in timestamp
    (figure,) = write_figure(story(), tmp_path / "means.svg", "means", task="cause")
    assert "the judge was asked no controls" in figure.read_text()


def test_agreement_is_tau_b_over_answers_and_leaves_out_runs_that_order_nothing() -> None:
    run = story()[0]
    scores = run.scores[0]
    iou, parsed = (
        metric for metric in run.metrics if metric.task == "timestamp" and metric.column in ("iou", "parsed")
    )
    # v2 has no answer and is worth 0 in both. One pair of three is in another order: tau is (2 - 1) / 3.
    values = {"v0/timestamp": {"iou": 0.1, "parsed": 0.9}, "v1/timestamp": {"iou": 0.4, "parsed": 0.2}}
    changed = [score.model_copy(update={"values": values[score.id]}) for score in scores.scores if score.id in values]
    means = {"iou": 0.5 / 3, "parsed": 1.1 / 3}
    summaries = [
        summary.model_copy(update={"zero_filled": means[summary.column]})
        for summary in scores.summaries
        if summary.task == "timestamp" and summary.column in means
    ]
    made = scores.model_copy(update={"scores": tuple(changed), "summaries": tuple(summaries)})
    assert agreement([Run(run.results, (made,))], iou, parsed) == pytest.approx(1 / 3)
    alike = [score.model_copy(update={"values": {"iou": 0.0, "parsed": 0.5}}) for score in changed]
    means = {"iou": 0.0, "parsed": 1 / 3}
    summaries = [summary.model_copy(update={"zero_filled": means[summary.column]}) for summary in summaries]
    flat = scores.model_copy(update={"scores": tuple(alike), "summaries": tuple(summaries)})
    assert agreement([Run(run.results, (flat,))], iou, parsed) is None
    assert agreement([Run(run.results, (made,)), Run(run.results, (flat,))], iou, parsed) == pytest.approx(1 / 3)


def test_the_same_runs_draw_the_same_bytes_and_the_page_holds_no_script(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert write_plots(story(), tmp_path / f"{name}.html", task="timestamp") == 1
    text = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.html").read_text(encoding="utf-8")
    assert text.count("<section") == text.count("<svg") == 1
    assert "<script" not in text


@pytest.mark.parametrize("name", get_args(FigureName))
def test_a_figure_by_name_is_the_same_each_time(tmp_path: Path, name: FigureName) -> None:
    beginnings = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    ending = sorted(beginnings)[get_args(FigureName).index(name) % 3]
    path = tmp_path / f"{name}.{ending}"
    assert write_figure(story(), path, name, task="timestamp") == [path]
    once = path.read_bytes()
    assert once.startswith(beginnings[ending])
    if name in ("duration", "severity", "cost"):  # one of each ending; what is drawn does not matter
        write_figure(story(), path, name, task="timestamp")
        assert path.read_bytes() == once


def test_a_figure_of_several_tasks_is_a_file_each(tmp_path: Path) -> None:
    paths = write_figure(story(), tmp_path / "cost.svg", "cost")
    assert sorted(path.name for path in paths) == ["cost-cause.svg", "cost-timestamp.svg"]
    assert all(path.is_file() for path in paths)
    with pytest.raises(UsageError, match=r"\.pdf, \.png or \.svg"):
        write_figure(story(), tmp_path / "cost.html", "cost")


def texts(path: Path) -> list[str]:
    """What is written in a drawing: matplotlib names each text in a comment beside its outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


def test_the_means_show_all_metrics_and_the_papers_figures(tmp_path: Path) -> None:
    run = story()[0]
    header = run.scores[0].header.model_copy(update={"dataset": "cuva"})
    named = Run(run.results, (run.scores[0].model_copy(update={"header": header}),))
    write_figure([named], tmp_path / "means.svg", "means", task="cause")
    written = texts(tmp_path / "means.svg")
    columns = {metric.column for metric in run.metrics if metric.task == "cause"}
    assert {"s1", "gated", "gpt_mean", "rougeL"} <= columns
    assert columns <= {text.split(" (")[0] for text in written}
    assert "Chat-Univi 5.41" in written  # the best ROUGE-2 of Table III, for the causes
    assert plotted([run], "cause", None).published == {}  # of another data set


def test_classes_have_their_names(tmp_path: Path) -> None:
    write_figure(story(), tmp_path / "named.svg", "classes", task="cause", taxonomy=load_taxonomy("cuva"))
    write_figure(story(), tmp_path / "coded.svg", "classes", task="cause")
    assert "Traffic Accidents (n=2)" in texts(tmp_path / "named.svg")
    assert "5 (n=2)" in texts(tmp_path / "coded.svg")


@pytest.mark.parametrize("ending", ["png", "txt"])
def test_other_endings_are_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(UsageError, match=r"\.pdf or \.html"):
        write_plots(story(), tmp_path / f"plots.{ending}")


def test_what_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no scores to plot"):
        write_plots(story(), tmp_path / "plots.pdf", task="effect")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"ecva-bench\[report\]"):
        write_plots(story(), tmp_path / "plots.pdf")


@pytest.mark.parametrize("model", ["$\\frac{$", "a$b$", "m" * 300, "<b>&\u202e"])
def test_a_models_name_is_text_of_bounded_length(tmp_path: Path, model: str) -> None:
    first, *others = story()
    named = Run(first.results.model_copy(update={"model": model}), first.scores)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no room left to draw in is a warning of matplotlib's
        if len(model) > 100:
            assert write_plots([named, *others], tmp_path / "plots.html", task="timestamp") == 1
        write_figure([named, *others], tmp_path / "figure.svg", "cost", task="timestamp")


@pytest.mark.parametrize(
    "names", [("Qwen/Qwen2.5-VL-7B-Instruct-A", "Qwen/Qwen2.5-VL-7B-Instruct-B"), ("a" * 99, "a" * 98)]
)
def test_long_names_that_differ_are_told_apart(tmp_path: Path, names: tuple[str, str]) -> None:
    runs = [
        Run(one.results.model_copy(update={"model": name}), one.scores)
        for one, name in zip(story(), names, strict=True)
    ]
    (file,) = write_figure(runs, tmp_path / "means.svg", "means", task="timestamp")
    shown = {text for text in texts(file) if "…" in text}
    assert len(shown) == 2
    assert max(map(len, shown)) < 30


def test_runs_without_an_answer_are_drawn_too(tmp_path: Path) -> None:
    run = story()[0]
    empty = Run(run.results.model_copy(update={"answers": ()}), run.scores)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert write_plots([empty], tmp_path / "plots.pdf", task="timestamp") == 1


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="name another file with --out"):
        write_figure(story(), tmp_path / "file" / "cost.pdf", "cost", task="timestamp")
