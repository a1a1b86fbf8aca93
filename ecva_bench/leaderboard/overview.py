"""The table that a board begins with: models x tasks, a number each, with links to what lies behind a row."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from urllib.parse import quote

from ..hub_ids import HUB_ID
from ..statistics.standings import Standing
from .background import NOTHING_KNOWN, Background, Card
from .board import marks_in, score_cell
from .groups import RANKED_BY, LeaderboardGroup, LeaderboardRow, group_submissions, labels
from .headings import meanings_of
from .printed import printed_cell
from .published import PublishedColumn, PublishedRow, PublishedTable
from .submission import Submission
from .table import Cell, Table, decimal_cell, marked

_FACTS = ("judge", "frames", "checkpoint", "s per answer", "USD", "hardware", "answers", "submission", "paper", "code")
_PAPERS_OWN = "anomeval"  # stands for a text task where a table of the paper has it
_ARXIV = re.compile(r"\barXiv[: ](\d{4}\.\d{4,5})\b")
_REPOSITORY = re.compile(r"(?<![\w./-])[A-Za-z0-9-]+/[A-Za-z0-9_.-]*[A-Za-z0-9](?![\w/-])")
_HUB = re.compile(rf"(?<![\w./-]){HUB_ID}(?=@)")

_Standings = Sequence[Mapping[str, Standing]]


@dataclass(frozen=True)
class _Line:
    """A row of the table: the runs of one model, as rows of groups, by the place of the group."""

    label: str
    rows: Mapping[int, LeaderboardRow]

    @property
    def runs(self) -> list[Submission]:
        """The runs, each once."""
        return list({row.submission.scores.name: row.submission for row in self.rows.values()}.values())

    @property
    def baseline(self) -> bool:
        """Whether it takes no rank."""
        return any(row.baseline for row in self.rows.values())


def models_by_tasks(submissions: Sequence[Submission], task: str | None = None) -> list[Table]:
    """Return the overviews of submissions; none where each would have one task, of which its board says more."""
    groups = group_submissions(submissions, task)
    several = Counter((group.protocol, group.dataset) for group in groups if group.view == "full")
    return overviews([group for group in groups if several[group.protocol, group.dataset] > 1], NOTHING_KNOWN)


def overviews(groups: Sequence[LeaderboardGroup], known: Background) -> list[Table]:
    """Return a table for each protocol, `standard` first, and data set: every model's number in every task.

    Edited views are left out. A mean rank over several data sets would say nothing.
    """
    full = [group for group in groups if group.view == "full" and group.by]
    places = sorted({(one.protocol, one.dataset) for one in full}, key=lambda place: (place[0] != "standard", place))
    several = len({dataset for _, dataset in places}) > 1
    return [
        _overview(
            [group for group in full if (group.protocol, group.dataset) == (protocol, dataset)],
            f"protocol {protocol}" + (f", {dataset or 'an unknown data set'}" if several else ""),
            known,
        )
        for protocol, dataset in places
    ]


def _overview(groups: Sequence[LeaderboardGroup], of: str, known: Background) -> Table:
    headings = _headings(groups)
    standings = [group.standings.get(group.by, {}) for group in groups]
    rows = []
    for line in sorted(_lines(groups), key=lambda line: _order(line, groups, standings)):
        numbers = [_number(group, line.rows.get(n), standings[n], known) for n, group in enumerate(groups)]
        kind = ", ".join(dict.fromkeys(row.kind for row in line.rows.values()))
        cells = (Cell(line.label), *numbers, Cell(kind), *_facts(line, known))
        rows.append(marked(cells, "baseline") if line.baseline else cells)
    header = ("model", *headings, "kind", *_FACTS)
    there = [n for n in range(len(header)) if n < 2 + len(groups) or any(row[n].text for row in rows)]
    ranked_by = {name: g.columns[g.by] for g, name in zip(groups, headings, strict=True) if g.by in g.columns}
    return Table(
        title=f"Models and tasks, {of}",
        header=tuple(header[n] for n in there),
        rows=tuple(tuple(row[n] for n in there) for row in rows),
        notes=(
            "One number for each task, on full videos: the mean by which its board ranks, in which a missing answer "
            "counts as the worst. Its 95 % interval is shown where it is pointed at, and in the boards below.",
            "Models stand in the order of their mean rank, baselines behind them.",
        ),
        meanings=meanings_of(ranked_by, known.metrics),
        overview=True,
    )


def _headings(groups: Sequence[LeaderboardGroup]) -> list[str]:
    """Return a heading for each group: its task and column, and what tells it from others of the task."""
    several = Counter((group.task, group.by) for group in groups)
    found = []
    for group in groups:
        unit = group.columns[group.by].unit if group.by in group.columns else ""
        own = [sha256[:8] for sha256 in group.prompts] + list(group.made)
        own += [] if own or several[group.task, group.by] < 2 else [f"n = {group.samples}"]
        task = f"{group.task} ({', '.join(own)})" if own else group.task
        found.append(f"{task}: {group.by} {unit}".rstrip())
    return found


def _lines(groups: Sequence[LeaderboardGroup]) -> list[_Line]:
    """Return the rows of all groups by model; runs of one model that answered the same task stand apart."""
    answered = Counter((group.task, row.submission.scores.model) for group in groups for row in group.rows)
    several = {model for (_, model), runs in answered.items() if runs > 1}
    found: dict[tuple[str, str, str, int], dict[int, LeaderboardRow]] = defaultdict(dict)
    for place, group in enumerate(groups):
        so_far = Counter[tuple[str, str, str]]()  # the same run may be there twice
        for row in group.rows:
            scores = row.submission.scores
            run = (scores.model, *((scores.name, scores.results_sha256) if scores.model in several else ("", "")))
            so_far[run] += 1
            found[*run, so_far[run]][place] = row
    named = labels([(model, name) for model, name, *_ in found])
    return [_Line(label, rows) for label, rows in zip(named, found.values(), strict=True)]


def _order(
    line: _Line, groups: Sequence[LeaderboardGroup], standings: _Standings
) -> tuple[bool, bool, float, list[float], str]:
    ranks = [standings[n][row.label].rank for n, row in line.rows.items() if row.label in standings[n]]
    values = []
    for n, group in enumerate(groups):
        mean = line.rows[n].mean(group.by) if n in line.rows else None
        better = -1 if group.by not in group.columns or group.columns[group.by].higher_is_better else 1
        values.append(float("inf") if mean is None else better * mean)
    return line.baseline, not ranks, sum(ranks) / len(ranks) if ranks else 0.0, values, line.label


def _number(
    group: LeaderboardGroup, row: LeaderboardRow | None, standings: Mapping[str, Standing], known: Background
) -> Cell:
    if row is None:
        return Cell()
    summary = row.summaries.get(group.by)
    page = known.answers.get(row.submission.scores.results_sha256, "")
    standing = standings.get(row.label)
    cell = score_cell(summary, marks_in(standings, row.label, summary) if summary else frozenset())
    return replace(
        cell,
        remark=f"rank {standing.rank}" if standing else "",
        links=((cell.text, f"{page}&task={quote(group.task)}"),) if page and cell.text else (),
    )


def _facts(line: _Line, known: Background) -> tuple[Cell, ...]:
    """Return the cells of `_FACTS`: how the runs were made, and where what lies behind them is."""
    runs = line.runs
    efforts = [row.entry.effort.seconds for row in line.rows.values() if row.entry.effort.seconds is not None]
    paid = [run.usd for run in runs if run.usd is not None]
    checkpoint = _joined(_checkpoint(run) for run in runs)
    hub = _HUB.search(checkpoint)
    card = known.cards.get(runs[0].scores.model)
    files = file_links(runs)
    page = next((known.answers[sha] for run in runs if (sha := run.scores.results_sha256) in known.answers), "")
    return (
        Cell(_joined(_judge(row) for row in line.rows.values())),
        Cell(frames_shown(runs)),
        _link(checkpoint, f"https://huggingface.co/{hub[0]}" if hub else ""),
        decimal_cell(sum(efforts) / len(efforts) if efforts else None, 3),
        decimal_cell(sum(paid) if paid else None, 2),
        Cell(_joined(run.hardware or "" for run in runs)),
        _link("answers" if page else "", page),
        Cell(_joined(name for name, _ in files), links=files),
        *origin(card),
    )


def _link(text: str, href: str) -> Cell:
    return Cell(text, links=((text, href),) if href else ())


def file_links(runs: Iterable[Submission]) -> tuple[tuple[str, str], ...]:
    """Return the names of the files that runs were read from, and where these are beside the board."""
    return tuple((run.file.stem, f"submissions/{quote(run.file.name)}") for run in runs if run.file)


def origin(card: Card | None) -> tuple[Cell, Cell]:
    """Return where a model is described and where its program is, as links where a card says so by number or name."""
    if card is None:
        return Cell(), Cell()
    paper, code = _ARXIV.search(card.paper), _REPOSITORY.search(card.code)
    return (
        _link(paper[0], f"https://arxiv.org/abs/{paper[1]}") if paper else Cell(),
        _link(code[0], f"https://github.com/{code[0]}") if code else Cell(),
    )


def frames_shown(runs: Iterable[Submission]) -> str:
    """Return the fewest and the most frames of a video that runs were shown; empty where they do not say so."""
    entries = [entry for run in runs for entry in run.entries]
    shown = list(chain.from_iterable(entry.effort.frames for entry in entries if entry.effort.frames))
    return f"{min(shown)} to {max(shown)}" if shown else ""


def _checkpoint(run: Submission) -> str:
    said = run.spec.get("description")
    named = said.get("checkpoint") if isinstance(said, dict) else None
    return named if isinstance(named, str) else ""


def _judge(row: LeaderboardRow) -> str:
    parts = [part for one in row.entry.summaries for part in one.signature.split("|")]
    return _joined(part.removeprefix("judge:") for part in parts if part.startswith("judge:"))


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, texts)))


def published_overview(published: Sequence[PublishedTable], known: Background) -> list[Table]:
    """Return the paper's models x tasks, a printed figure each, in at most one table."""
    tables = [table for table in published if not table.ablation]
    columns: dict[str, tuple[PublishedTable, PublishedColumn]] = {}
    for table in tables:
        for task in table.tasks:
            own = table.columns_of(task)
            columns.setdefault(task, (table, next((one for one in own if one.column == _PAPERS_OWN), own[0])))
    columns = {task: columns[task] for task in (*RANKED_BY, *columns) if task in columns}
    rows: dict[str, dict[str, PublishedRow]] = defaultdict(dict)
    for task, (table, column) in columns.items():
        for row in table.rows:
            if row.cells[column.name]:
                rows[row.model.casefold()][task] = row  # the paper prints Video-LLaMA2, and Video-LLaMa2
    if not rows:
        return []
    lines = []
    for found in rows.values():
        cells = [
            printed_cell(found[task].cells[column.name] if task in found else None)
            for task, (_, column) in columns.items()
        ]
        adapter = next((row.adapter for row in found.values() if row.adapter), None)
        cells += [Cell(adapter or ""), *origin(known.cards.get(adapter or ""))]
        lines.append(marked((Cell(next(iter(found.values())).model), *cells), "printed"))
    named = [f"{task}: {column.heading}" for task, (_, column) in columns.items()]
    return [
        Table(
            title="Models and tasks, as published",
            header=("model", *named, "model here", "paper", "code"),
            rows=tuple(lines),
            notes=(
                "As the paper prints them, over its own videos and by its own arithmetic; the tables below say more.",
            ),
            overview=True,
        )
    ]
