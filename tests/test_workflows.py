"""The workflows name what there is: targets of the Makefile, commands and options of the program, files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from ecva_bench.cli import app
from tests.clips import write_clip
from tests.data.test_workbook import ROW, write
from tests.mutants import TESTS

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def scripts(name: str) -> str:
    jobs = yaml.safe_load(WORKFLOWS[name])["jobs"].values()
    return "\n".join(step.get("run", "") for job in jobs for step in job.get("steps", ()))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_make_targets_exist(name):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)$", scripts(name), re.MULTILINE)) <= targets


@pytest.mark.parametrize("name", WORKFLOWS)
def test_commands_and_their_options_exist(name):
    text = scripts(name).replace("\\\n", " ")
    for command, rest in re.findall(r"ecva-bench ([a-z-]+)(.*)", text):
        known = {
            option for parameter in COMMANDS[command].params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert set(re.findall(r"(?<!\S)--[a-z-]+|(?<=:)--[a-z-]+", rest)) <= known, command


@pytest.mark.parametrize("name", WORKFLOWS)
def test_scripts_are_sound_bash_and_take_inputs_from_the_environment_only(name):
    text = scripts(name)
    assert "${{" not in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)  # noqa: S607


def test_every_workflow_may_read_and_no_more():
    assert {name.removesuffix(".yml") for name in WORKFLOWS} == {
        *("ci", "docs", "engines", "model-gate", "mutation", "scheduled", "slow")
    }
    for text in WORKFLOWS.values():
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_no_workflow_runs_what_a_stranger_wrote_with_the_rights_of_this_project():
    """`pull_request_target` and `workflow_run` give a fork's code our token and secrets; no secret is handed on."""
    safe = {"push", "pull_request", "schedule", "workflow_dispatch", "workflow_call"}
    for text in WORKFLOWS.values():
        workflow = yaml.safe_load(text)
        triggers = workflow[True]
        assert set([triggers] if isinstance(triggers, str) else triggers) <= safe
        called = [job for job in workflow["jobs"].values() if "uses" in job]
        assert all(job["uses"].startswith("./") and "secrets" not in job for job in called)


def test_the_job_that_publishes_the_site_alone_may_write_and_runs_nothing_of_the_repository():
    jobs = {(name, job): each for name in WORKFLOWS for job, each in yaml.safe_load(WORKFLOWS[name])["jobs"].items()}
    assert [job for job, each in jobs.items() if "permissions" in each] == [("docs.yml", "publish")]
    publish = jobs["docs.yml", "publish"]
    assert publish["permissions"] == {"actions": "read", "contents": "write"}
    assert publish["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    assert publish["needs"] == "site"
    assert [step for step in publish["steps"] if "uses" in step] == []
    built = next(step for step in jobs["docs.yml", "site"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert f"--name {built['with']['name']} " in publish["steps"][0]["run"]


def test_what_is_published_is_the_site_alone(tmp_path):
    """The job's own commands, with a repository of this machine in place of the service's."""
    steps = yaml.safe_load(WORKFLOWS["docs.yml"])["jobs"]["publish"]["steps"]
    remote, site, programs = tmp_path / "remote", tmp_path / "site", tmp_path / "bin"
    programs.mkdir()
    (programs / "gh").write_text("#!/bin/sh\n")
    (programs / "gh").chmod(0o755)
    git = ["git", "-c", "safe.directory=*"]
    subprocess.run([*git, "init", "--quiet", "--bare", remote], check=True)
    script = steps[1]["run"].replace("https://github.com/$REPOSITORY.git", str(remote))
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "BUILT": "abc"}
    for text in ("first", "second"):
        shutil.rmtree(site, ignore_errors=True)
        site.mkdir()
        (site / "index.html").write_text(text)
        subprocess.run(["bash", "-e", "-c", script], cwd=site, env=environment, check=True)  # noqa: S607
        shown = [*git, "-C", remote, "show", "gh-pages:index.html"]
        assert subprocess.run(shown, capture_output=True, text=True, check=True).stdout == text
    listed = [*git, "-C", remote, "ls-tree", "-r", "--name-only", "gh-pages"]
    assert subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split() == [
        ".nojekyll",
        "index.html",
    ]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_and_leave_no_token_behind(name):
    jobs = yaml.safe_load(WORKFLOWS[name])["jobs"].values()
    steps = [step for job in jobs for step in job.get("steps", ()) if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]) for step in steps)
    checkouts = [step for step in steps if step["uses"].startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_an_artifact_is_named_so_that_it_can_be_kept_whatever_the_model_is_called():
    steps = yaml.safe_load(WORKFLOWS["model-gate.yml"])["jobs"]["gate"]["steps"]
    script = next(step["run"] for step in steps if step.get("id") == "named")
    shown = subprocess.run(
        ["bash", "-c", script],  # noqa: S607
        env={"MODEL": "hf:Qwen/Qwen2.5-VL-7B", "GITHUB_OUTPUT": "/dev/stdout"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "model=hf-Qwen-Qwen2.5-VL-7B\n"
    names = [step["with"]["name"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert names == ["gate-${{ steps.named.outputs.model }}"]


def test_the_scheduled_gate_gives_what_the_model_gate_takes():
    given = yaml.safe_load(WORKFLOWS["scheduled.yml"])["jobs"]["motion"]["with"]
    # YAML reads the key `on` as true.
    taken = yaml.safe_load(WORKFLOWS["model-gate.yml"])[True]["workflow_call"]["inputs"]
    assert given.keys() <= taken.keys()
    assert {name for name, one in taken.items() if one.get("required")} <= given.keys()
    assert (ROOT / given["base"]).is_file()


def test_slow_tests_are_run_weekly_and_where_they_or_what_they_test_change():
    triggers = yaml.safe_load(WORKFLOWS["slow.yml"])[True]
    changed = triggers["pull_request"]["paths"]
    assert triggers["schedule"]
    assert "make slow" in scripts("slow.yml")
    marked = {path for path in (ROOT / "tests").rglob("test_*.py") if "mark.slow" in path.read_text(encoding="utf-8")}
    areas = {path.relative_to(ROOT / "tests").parts[0] for path in marked} - {"test_workflows.py"}
    assert {f"tests/{area}" if area.endswith(".py") else f"tests/{area}/**" for area in areas} == {
        path for path in changed if path.startswith("tests/")
    }
    assert all(list(ROOT.glob(path)) for path in changed)


def test_engines_are_run_weekly_and_where_what_they_run_changes():
    triggers = yaml.safe_load(WORKFLOWS["engines.yml"])[True]
    assert triggers["schedule"]
    assert "make engines" in scripts("engines.yml")
    assert all(list(ROOT.glob(path)) for path in triggers["pull_request"]["paths"])


def test_the_rooms_whose_mutants_are_tried_are_all_tried_weekly():
    workflow = yaml.safe_load(WORKFLOWS["mutation.yml"])
    assert workflow[True]["schedule"]
    assert set(workflow["jobs"]["mutants"]["strategy"]["matrix"]["room"]) == set(TESTS)
    assert "make mutants" in scripts("mutation.yml")


def test_every_tier_of_the_gate_is_run():
    assert {"make test", "make gate", "make leaderboards"} <= set(scripts("ci.yml").splitlines())
    assert "git diff --exit-code" in scripts("ci.yml")


def test_the_guides_workflow_gives_what_the_model_gate_takes():
    guide = (ROOT / "docs" / "guides" / "ci-gate.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```yaml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    given = yaml.safe_load(block)["jobs"]["gate"]["with"]
    taken = yaml.safe_load(WORKFLOWS["model-gate.yml"])[True]["workflow_call"]["inputs"]
    assert given.keys() <= taken.keys()
    assert {name for name, one in taken.items() if one.get("required")} <= given.keys()
    assert {name for name in taken if f"`{name}`" not in guide} == set()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A user's checkout on a runner: a model of theirs, annotations and videos."""
    rows = [(f"{n:05}", *ROW) for n in range(1, 4)]
    write(tmp_path / "annotations.xlsx", rows, rows)
    for n in range(1, 4):
        write_clip(tmp_path / "videos" / f"{n:05}.mp4", frames=160)
    (tmp_path / "mine.py").write_text(
        "from ecva_bench.answering import Adapter\n\n\n"
        "class Mine(Adapter):\n"
        "    def __init__(self, says='a'):\n        self.says = says\n\n"
        "    def answer(self, video, question):\n        return f'{self.says} cause'\n"
    )
    (tmp_path / "results").mkdir()
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return tmp_path


def run_steps(checkout: Path, **inputs: str) -> list[int]:
    """What each script of the model gate ends with, from the run to the page, with the inputs as GitHub gives them."""
    job = yaml.safe_load(WORKFLOWS["model-gate.yml"])["jobs"]["gate"]
    environment = {name: inputs.get(name, "") for name in job["env"]}
    wanted = ("Run the model; where answers are missing, once more for those", "Score", "Gate", "The answers as a page")
    scripts_of = {step["name"]: step["run"] for step in job["steps"] if step.get("name") in wanted}
    return [
        subprocess.run(
            ["bash", "-eo", "pipefail", "-c", scripts_of[name]],  # noqa: S607
            cwd=checkout,
            env={**os.environ, **environment},
            check=False,
        ).returncode
        for name in wanted
    ]


def test_the_model_gate_runs_with_data_videos_arguments_tasks_and_views(checkout):
    inputs = {"MODEL": "./mine.py:Mine", "DATA": "annotations.xlsx", "VIDEOS": "videos", "BUDGET": "5"}
    asked = {"MODEL_ARGS": "says=another", "TASKS": "cause effect", "EDITED": "anomaly"}
    base = ROOT / "leaderboards" / "ci" / "motion.scores.jsonl"
    assert run_steps(checkout, **inputs, **asked, BASE=str(base)) == [
        0,
        0,
        2,
        0,
    ]  # other videos than the base's: INVALID
    answers = [json.loads(line) for line in (checkout / "results" / "new.jsonl").read_text().splitlines()]
    answers = [one for one in answers if one["type"] == "answer"]
    assert {(one["task"], one["view"]) for one in answers} == {
        (task, view) for task in ("cause", "effect") for view in ("full", "anomaly")
    }
    assert {one["answer"] for one in answers} == {"another cause"}
    assert json.loads((checkout / "results" / "gate" / "verdict.json").read_text())["verdict"] == "INVALID"
