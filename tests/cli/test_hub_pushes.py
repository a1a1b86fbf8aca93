"""`submit --hub`, over HTTP to a stand-in of the hub by the hub's own client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ecva_bench.api.hub_files import hub_commits
from ecva_bench.journal.results import read_results
from ecva_bench.scoring.files import write_scores
from ecva_bench.scoring.score import score_results
from tests.imports import ROOT
from tests.sealing import reseal

from .conftest import Command
from .hub_server import Hub, serving

pytest.importorskip("huggingface_hub")
CI = ROOT / "leaderboards" / "ci"
TOKEN = "hf_" + "t" * 34


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two frozen runs, cut down to four causes each, with their scores."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("constant", "motion"):
        first, *records = map(json.loads, (CI / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
        first["expects"] = {"full": [f"mini0{number}/cause" for number in (1, 2, 3, 4)]}
        kept = [one for one in records if one.get("id") in first["expects"]["full"] and one["view"] == "full"]
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in (first, *kept)), encoding="utf-8")
        reseal(path)
        write_scores(score_results(read_results(path), scorers=["rouge"]), path.with_suffix(".scores.jsonl"))
    return folder


@pytest.fixture
def hub(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    import huggingface_hub
    from huggingface_hub import constants

    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    with serving() as found:
        here = partial(huggingface_hub.HfApi, endpoint=found.url)
        monkeypatch.setattr(huggingface_hub, "HfApi", here)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # as CI sets it; this hub is on the same machine
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


def test_results_and_their_page_are_pushed_to_a_private_data_set(hub: Hub, ecva_bench: Command, tmp_path: Path) -> None:
    code, shown, errors = ecva_bench("submit", "motion.jsonl", "--with-answers", "--hub", "me/runs")
    assert code == 0, errors
    assert hub.private == {"datasets/me/runs": True}
    folder = tmp_path / "leaderboards" / "mini"
    assert hub.files["mini/submissions/motion.json"] == (folder / "submissions" / "motion.json").read_bytes()
    assert hub.files["mini/answers/motion.jsonl"] == (tmp_path / "motion.jsonl").read_bytes()
    assert set(hub.files) == {
        "README.md",
        "mini/answers/motion.jsonl",
        "mini/leaderboard.html",
        "mini/leaderboard.md",
        "mini/submissions/motion.json",
    }
    before = shown.index("to push to datasets/me/runs (private): 5 files, ")
    assert all(shown.index(f"  {path} (") > before for path in hub.files)
    assert shown.index("pushed: ") > max(shown.index(f"  {path} (") for path in hub.files)
    assert f"{hub.url}/datasets/me/runs" in shown
    assert hub.tokens - {""} == {f"Bearer {TOKEN}"}  # the check of a README's YAML goes without
    everything = b"".join([*hub.files.values(), *(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())])
    assert TOKEN.encode() not in everything
    assert TOKEN not in shown + errors


def test_the_page_that_is_pushed_is_the_one_that_is_built(hub: Hub, ecva_bench: Command, tmp_path: Path) -> None:
    """Over videos of ECVA, of which another paper has figures, its rows too."""
    assert ecva_bench("submit", "motion.jsonl")[0] == 0
    boards = tmp_path / "boards"
    shutil.copytree(tmp_path / "leaderboards" / "mini", boards / "vau-bench")
    assert ecva_bench("leaderboard", "--build", boards)[0] == 0
    built = (boards / "vau-bench" / "leaderboard.md").read_bytes()
    (files,) = hub_commits({boards / "vau-bench": ()}, space=False).values()
    assert b"VAU-R1" in built
    assert files["vau-bench/leaderboard.md"] == built


def test_a_second_try_goes_on_after_a_failure(hub: Hub, ecva_bench: Command, tmp_path: Path) -> None:
    hub.refused = {"Answers: mini/answers/constant.jsonl"}
    asked = ("submit", "constant.jsonl", "motion.jsonl", "--with-answers", "--hub", "me/runs")
    code, _, errors = ecva_bench(*asked)
    assert code == 3
    assert "not pushed: Answers: mini/answers/constant.jsonl (" in errors
    assert "The same command again pushes what is lacking" in errors
    assert "mini/answers/motion.jsonl" in hub.files  # tried after the one that failed
    assert "mini/answers/constant.jsonl" not in hub.files
    hub.refused, done = set(), list(hub.commits)
    code, _, errors = ecva_bench(*asked)
    assert (code, hub.commits[len(done) :]) == (0, ["Answers: mini/answers/constant.jsonl"]), errors
    assert hub.files["mini/answers/constant.jsonl"] == (tmp_path / "constant.jsonl").read_bytes()


def test_a_space_shows_the_page_and_keeps_its_own_readme(hub: Hub, ecva_bench: Command) -> None:
    hub.private["spaces/me/board"], hub.files["README.md"] = False, b"mine"
    asked = ("submit", "motion.jsonl", "--hub", "spaces/me/board")
    code, _, errors = ecva_bench(*asked)
    assert (code, hub.commits) == (2, [])
    assert "spaces/me/board is public" in errors
    assert "--public" in errors
    code, _, errors = ecva_bench(*asked, "--public")
    assert code == 0, errors
    assert hub.files["README.md"] == b"mine"
    assert b'href="mini/submissions/motion.json"' in hub.files["index.html"]
    assert "mini/answers/motion.jsonl" not in hub.files  # not asked for


def test_a_new_space_is_static(hub: Hub, ecva_bench: Command) -> None:
    assert ecva_bench("submit", "motion.jsonl", "--hub", "spaces/me/board")[0] == 0
    (made,) = hub.made
    assert (made["type"], made["sdk"]) == ("space", "static")
    assert hub.private == {"spaces/me/board": True}
    assert b"\nsdk: static\n" in hub.files["README.md"]


def test_nothing_is_asked_or_written_without_a_token(
    hub: Hub, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    code, _, errors = ecva_bench("submit", "motion.jsonl", "--hub", "me/runs")
    assert code == 2
    assert "without a token" in errors
    assert "HF_TOKEN" in errors
    assert hub.tokens == set()
    assert not (tmp_path / "leaderboards").exists()


def test_a_file_that_holds_the_token_is_not_pushed(
    hub: Hub, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "mini01/cause")  # a text of the answers
    code, _, errors = ecva_bench("submit", "motion.jsonl", "--with-answers", "--hub", "me/runs")
    assert code == 2
    assert "holds the token" in errors
    assert hub.files == {}


@pytest.mark.parametrize(
    "place", ["runs", "me/a/b", "models/me/runs", "me/../x", "spaces/me", "datasets/me", "models/me"]
)
def test_a_place_that_is_none_is_refused_before_anything(place: str, hub: Hub, ecva_bench: Command) -> None:
    code, _, errors = ecva_bench("submit", "motion.jsonl", "--hub", place)
    assert (code, hub.tokens) == (2, set())
    assert "--hub" in errors


def test_a_failure_that_quotes_the_token_does_not_show_it(
    hub: Hub, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that the client stored, and the environment does not have."""
    from huggingface_hub import HfApi

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"Bearer {TOKEN} was refused")

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: TOKEN)
    monkeypatch.setattr(HfApi.func, "create_commit", fails)
    code, shown, errors = ecva_bench("submit", "motion.jsonl", "--hub", "me/runs")
    assert code == 3
    assert "Bearer *** was refused" in errors
    assert TOKEN not in shown + errors
