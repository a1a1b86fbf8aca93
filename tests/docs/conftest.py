"""What a page needs and no test has, each a small one of this machine: videos, a hub, weights, an endpoint."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ecva_bench import cli
from ecva_bench.answering.process_workers import ProcessWorkers
from ecva_bench.data import Dataset, fetch, mini
from ecva_bench.data.hubs import RemoteFile
from ecva_bench.errors import DataError
from ecva_bench.report.server import Server
from ecva_bench.torchvision import ensure_torchvision
from tests.clips import write_clip
from tests.data.test_workbook import write as write_workbook
from tests.imports import ROOT
from tests.judging.server import JudgeServer, Outcome, Request
from tests.scoring.judges import served

from .pages import Command, commands

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
WORKBOOK_ROW = (
    "[5-1,3]",
    "a car brakes late",
    "it burns",
    "[0001,0002]",
    "[a car hits a wall]",
    '["a car","a wall","late","fire"]',
)
VIDEOS = 3
TOKENS = 3


class Endpoint(JudgeServer):
    """A model that says one sentence about any pictures, and a judge that counts shared words."""

    def __init__(self) -> None:
        super().__init__(served())

    def said(self, request: Request) -> Outcome:
        of_a_model = isinstance(request.body["messages"][-1]["content"], list)
        return "A car brakes late." if of_a_model else super().said(request)


class FolderHub:
    """A hub that has one data set, which is a folder."""

    host = "hub.test"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, repository: str) -> list[RemoteFile]:
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return [RemoteFile(path.relative_to(self.folder).as_posix(), path.stat().st_size) for path in found]

    def download(self, repository: str, to: Path, paths: Sequence[str], revision: str | None = None) -> None:
        for path in paths:
            if revision is not None:
                raise DataError("this hub has one revision", path)
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / path, to / path)


@dataclass
class Shell:
    """Runs commands in this process, `ecva-bench` through its own entry; what another program would do is stood in for.

    `known` are texts of arguments that name what only the reader has, with what stands in for them.
    """

    monkeypatch: pytest.MonkeyPatch
    known: dict[str, str]
    weights: tuple[str, ...] = ("hf:", "weights/")
    ran: list[str] = field(default_factory=list)

    def __call__(self, command: Command) -> int:
        program, *arguments = command.words
        self.ran.append(command.line)
        if program == "ecva-bench":
            return self._ecva_bench(arguments)
        stand_in: Callable[[list[str]], int] = {
            ".": lambda _: 0,
            "make": self._make,
            "pip": _pip,
            "python3": lambda words: int(words[:2] != ["-m", "venv"]),
            "sbatch": self._sbatch,
        }[program]
        return stand_in(arguments)

    def _ecva_bench(self, arguments: list[str]) -> int:
        if ">" in arguments:
            arguments = arguments[: arguments.index(">")]
        if arguments[:2] == ["annotate", "rankings"]:
            for name in (word for word in arguments if word.endswith(".csv") and not Path(word).exists()):
                _rank(Path("triples/ranks.csv"), Path(name))
        for name, meant in self.known.items():
            arguments = [word.replace(name, meant) for word in arguments]
        self.monkeypatch.setattr("sys.argv", ["ecva-bench", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        code = int(stop.value.code or 0)
        random = any(word.startswith(self.weights) for word in arguments)
        return 0 if code == 3 and random else code  # such a model comes to no end, and every answer is cut off

    def _make(self, words: list[str]) -> int:
        """`demo` runs the commands of its recipe, without installing; of others, the Makefile says what they are."""
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert words[0] in targets
        if words[0] == "demo":
            dry = ["make", "-n", "-C", str(ROOT), "demo"]
            shown = subprocess.run(dry, capture_output=True, text=True, check=True).stdout
            recipe = re.findall(r"/bin/(ecva-bench .*)", shown)
            assert len(recipe) > 3
            for command in commands("\n".join(recipe)):
                assert self(command) == 0, command.line
        return 0

    def _sbatch(self, words: list[str]) -> int:
        script = Path(words[0]).read_text(encoding="utf-8")
        first, last = map(int, re.findall(r"^#SBATCH --array=(\d+)-(\d+)$", script, re.MULTILINE)[0])
        self.monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", str(last - first + 1))
        for number in range(first, last + 1):
            self.monkeypatch.setenv("SLURM_ARRAY_TASK_ID", str(number))
            for command in commands(script):
                assert self(command) == 0, command.line
        return 0


def _rank(table: Path, out: Path) -> None:
    """Fill in a table as somebody does who likes the answers in the order of their letters."""
    rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines(keepends=True)))
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            rank = 1 + "ABC".index(row["letter"])
            writer.writerow({name: text or (rank if name.startswith("rank") else "") for name, text in row.items()})


def _pip(words: list[str]) -> int:
    """What `pip install -e` is told to install: this project, with extras that it has."""
    assert words[:2] == ["install", "-e"]
    assert words[2].startswith(".")
    return int(not set(re.findall(r"[a-z]+", words[2])) <= EXTRAS.keys())


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """An empty folder, `annotations.xlsx` and `videos` aside, from which a page is followed."""
    hub = tmp_path / "hub"
    rows = [(f"{n:05}", *WORKBOOK_ROW) for n in range(1, VIDEOS + 1)]
    for n in range(1, VIDEOS + 1):
        write_clip(hub / "videos" / f"{n:05}.mp4", event=(10, 20))
    place = tmp_path / "place"
    place.mkdir()
    write_workbook(hub / "annotations.xlsx", rows, rows)
    shutil.copytree(hub, place, dirs_exist_ok=True)
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setitem(fetch.REPOSITORIES, "cuva", (FolderHub(hub), "authors/cuva"))
    monkeypatch.setattr(Server, "serve_forever", lambda _: None)
    monkeypatch.setattr("ecva_bench.answering.ray_workers.RayWorkers", _one_machine)
    monkeypatch.setattr("huggingface_hub.snapshot_download", partial(_downloaded, tmp_path / "weights"))
    with Endpoint() as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        yield Shell(
            monkeypatch, {"http://localhost:8000/v1": endpoint.url, "/envs/old/bin/python": os.fspath(sys.executable)}
        )


def _one_machine(prepare: Any, workers: int | None) -> ProcessWorkers:
    """A cluster that is this machine."""
    return ProcessWorkers(prepare, ["cpu"] * (workers or 1))


def _downloaded(folder: Path, hub_id: str, **_: Any) -> str:
    """A hub's weights: tiny, random, and in the form of the real ones."""
    from tests.adapters import tiny_hf, tiny_llava

    makers: dict[str, Callable[[Path], Path]] = {
        "Qwen/Qwen2.5-VL-7B-Instruct": lambda path: tiny_hf.write(path, "qwen2_5_vl"),
        "mistralai/Mistral-7B-Instruct-v0.2": tiny_llava.write_base,
    }
    target = folder / hub_id
    if hub_id not in makers:
        raise OSError("this hub has no such model")
    return str(target if target.is_dir() else makers[hub_id](target))


@pytest.fixture
def weights(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `weights` of who has the paper's systems: a Video-LLaMA2 and two forms of AnomShield.

    They are random and come to no end, so that answers of any model are cut off after a few tokens.
    """
    ensure_torchvision()
    from ecva_bench.adapters.anomshield.connector import MambaConnector
    from ecva_bench.adapters.anomshield.pooled_mlp import PooledMlp
    from ecva_bench.adapters.hf import multimodal
    from ecva_bench.adapters.parts.language import generation
    from ecva_bench.adapters.videollama2.stc import Stc
    from tests.adapters import tiny_llava as tiny

    config_of = generation.config_of
    for module in (generation, multimodal):
        monkeypatch.setattr(
            module, "config_of", lambda policy, *rest: config_of(replace(policy, max_new_tokens=TOKENS), *rest)
        )
    folder, tower = Path("weights").resolve(), Path("tower").resolve()
    tiny.write_tower(tower)
    tiny.write_tower(folder / "clip")
    for name, connector, kind, write in (
        ("videollama2", Stc, "stc_connector", tiny.write_whole),
        ("lora", MambaConnector, "mamba_scan", tiny.write_lora),
        ("mlp", PooledMlp, "mlp2x_gelu", tiny.write_stage_1),
    ):
        state = tiny.random_state(connector(tiny.WIDTH, tiny.HIDDEN), 3)
        write(folder / name, state, tower, mm_projector_type=kind, num_frames=8 if name == "videollama2" else 16)
    return folder


@pytest.fixture
def few_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mini` has one clip, for pages whose models take long."""
    whole = mini.load_mini

    def first(path: Path | None = None, videos: Path | None = None) -> Dataset:
        found = whole(path, videos)
        return replace(found, annotations=found.annotations[:1])

    monkeypatch.setattr(mini, "load_mini", first)
