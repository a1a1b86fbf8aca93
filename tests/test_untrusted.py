"""Texts of others as they are shown: on one line, obeyed by no terminal and by no runner of workflows."""

from __future__ import annotations

import ast
import json
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.untrusted import one_line, printable_json, say, say_json, say_lines
from tests.imports import ROOT

HOSTILE = (
    "a\x1b[2J\x1b]8;;http://evil\x07b\n::error::forged\r\n  ::set-output name=x::y\n##[error]forged\n"
    "##vso[task.setvariable variable=x]y\u202egnp.exe\u2028::warning::z\x00\x85::stop-commands::t\u2066\x9b31m"
)


def shown_safely(text: str) -> bool:
    """No character but line breaks that a terminal obeys, and no line that a runner of workflows does."""
    odd = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}
    lines = text.split("\n")
    return not odd and not any(line.lstrip().startswith("::") or "##[" in line or "##vso[" in line for line in lines)


def test_a_hostile_text_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    say("  ::error::x", error=True)
    out, err = capsys.readouterr()
    assert shown_safely(out)
    assert shown_safely(err)
    assert (out.count("\n"), err) == (1, "  : :error::x\n")
    assert "forged" in out  # it is shown, not hidden


@given(st.text(st.one_of(st.sampled_from("::##[a]v so\n\r\x1b\u202e "), st.characters())))
def test_any_text_is_one_harmless_line_and_plain_text_is_unchanged(text: str) -> None:
    shown = one_line(text)
    assert "\n" not in shown
    assert shown_safely(shown)
    assert one_line(shown) == shown
    if text.isprintable() and "::" not in text and "##" not in text:
        assert shown == text


@given(st.text(), st.text())
def test_json_on_a_terminal_is_the_same_value(key: str, value: str) -> None:
    text = json.dumps({key: [value, "##[error]\u202e\x85🎬"]}, ensure_ascii=False)
    shown = printable_json(text)
    assert json.loads(shown) == json.loads(text)
    assert shown_safely(shown)


def test_several_lines_are_each_made_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    say_lines("a table\n::error::row\n\x1b[1mrow")
    assert capsys.readouterr().out == "a table\n: :error::row\n [1mrow\n"


def test_every_line_that_is_printed_goes_through_this_door() -> None:
    """`print` is called here, and where commands to GitHub are meant; nothing else writes to the streams."""
    found = []
    for room in ("ecva_bench", "adapters"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                    "print",
                    "sys.stdout.write",
                    "sys.stderr.write",
                    "typer.echo",
                    "click.echo",
                ):
                    found.append(path.relative_to(ROOT).as_posix())
    first_of_all = "ecva_bench/__main__.py"  # a constant, printed also where nothing is imported yet
    assert found == [first_of_all, "ecva_bench/cli/gate.py", "ecva_bench/untrusted.py", "ecva_bench/untrusted.py"]


PROGRAM = """
import json, sys
hostile = json.loads(sys.argv[1])
def tell(message): print(json.dumps(message), flush=True)
print(hostile, file=sys.stderr, flush=True)
print(hostile, flush=True)
tell({"protocol": 1, "describe": {"says": hostile}, "frames": {"rule": "linspace", "count": 2}})
sys.stdin.readline()
tell({"loaded": True})
for line in sys.stdin:
    request = json.loads(line)
    number = request["id"]
    if number == 1:
        tell({"id": number, "error": hostile})
    elif number == 2:
        said = [hostile for _ in request["questions"]]
        tell({"id": number, "answers": said, "finish": said})
    else:
        print(hostile, file=sys.stderr, flush=True)
        sys.exit(3)
"""


def test_what_a_program_says_reaches_both_streams_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from ecva_bench import cli

    monkeypatch.chdir(tmp_path)
    Path("evil.py").write_text(PROGRAM)
    target = f"command:{sys.executable} evil.py '{json.dumps(HOSTILE)}'"

    def command(*arguments: str) -> None:
        monkeypatch.setattr("sys.argv", ["ecva-bench", *arguments])
        with pytest.raises(SystemExit):
            cli.main()

    command("run", "--model", target, "--task", "cause", "--limit", "4", "--out", "evil.jsonl")
    records = [json.loads(line) for line in Path("evil.jsonl").read_bytes().splitlines()]
    assert {record["type"] for record in records} >= {"answer", "error"}
    command("score", "evil.jsonl", "--scorers", "rouge")
    command("score", "evil.jsonl", "--scorers", "rouge", "--json")
    command("leaderboard", "evil.scores.jsonl")
    command("summary", "evil.jsonl")
    command("compare", "evil.scores.jsonl", "evil.scores.jsonl")
    command("audit", "evil.jsonl")
    out, err = capfd.readouterr()
    assert "forged" in out + err
    assert shown_safely(out), out
    assert shown_safely(err), err


def test_keys_of_the_environment_are_not_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", 'sk-"123456')
    say('the endpoint says: bad key sk-"123456', error=True)
    say_json(json.dumps({"a": 'sk-"123456'}))
    assert capsys.readouterr() == ('{"a": "[OPENAI_API_KEY]"}\n', "the endpoint says: bad key [OPENAI_API_KEY]\n")
