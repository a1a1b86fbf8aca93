"""The workflows name what there is: targets of the Makefile, commands and options of the program, files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from ecva_bench.cli import app
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
    assert set(WORKFLOWS) == {"ci.yml", "docs.yml", "model-gate.yml", "mutation.yml", "scheduled.yml", "slow.yml"}
    for text in WORKFLOWS.values():
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


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
    assert {f"tests/{area}/**" for area in areas} == {path for path in changed if path.startswith("tests/")}
    assert all(list(ROOT.glob(path)) for path in changed)


def test_the_rooms_whose_mutants_are_tried_are_all_tried_weekly():
    workflow = yaml.safe_load(WORKFLOWS["mutation.yml"])
    assert workflow[True]["schedule"]
    assert set(workflow["jobs"]["mutants"]["strategy"]["matrix"]["room"]) == set(TESTS)
    assert "make mutants" in scripts("mutation.yml")


def test_every_tier_of_the_gate_is_run():
    assert {"make test", "make gate", "make leaderboards"} <= set(scripts("ci.yml").splitlines())
    assert "git diff --exit-code" in scripts("ci.yml")
