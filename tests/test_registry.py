"""A name, a file and an object lead to the same thing; what is edited is another thing; what is unfit is named."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ecva_bench import registry
from ecva_bench.errors import UsageError
from ecva_bench.registry import importable, passed_over, resolve

GROUP = "ecva_bench.adapters"


def resolved(path: Path, name: str = "Mine") -> object:
    return resolve(GROUP, f"{path}:{name}").value


def code(source: object) -> str:
    return resolve(GROUP, source).code


def test_a_files_folder_holds_its_siblings_and_their_content_counts(tmp_path: Path) -> None:
    (tmp_path / "sibling_one.py").write_text("WORD = 'one'\n")
    mine = tmp_path / "mine.py"
    mine.write_text("def Mine():\n    import sibling_one\n    return sibling_one.WORD\n")
    found = resolve(GROUP, f"{mine}:Mine")
    assert (found.value(), found.name, found.target) == ("one", "mine.py:Mine", None)
    assert resolve(GROUP, f"{mine}:Mine").value is found.value  # imported once
    (tmp_path / "unrelated.py").write_text("")
    assert code(f"{mine}:Mine") == found.code
    (tmp_path / "sibling_one.py").write_text("WORD = 'two'\n")
    edited = code(f"{mine}:Mine")
    assert edited != found.code
    mine.write_text("def Mine():\n    return 'three'\n")
    again = resolve(GROUP, f"{mine}:Mine")
    assert again.value() == "three"
    assert len({found.code, edited, again.code}) == 3


def test_what_stands_behind_a_second_colon_is_the_target(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine: ...\n")
    found = resolve(GROUP, f"{tmp_path}/mine.py:Mine:owner/model:8")
    assert (found.target, found.name) == ("owner/model:8", "mine.py:Mine:owner/model:8")
    assert resolve(GROUP, "hf:some/file.py:Name").target == "some/file.py:Name"  # a registered name comes first


def test_a_file_of_a_package_is_imported_as_part_of_it(tmp_path: Path) -> None:
    package = tmp_path / "their_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "words.py").write_text("WORD = 'relative'\n")
    (package / "mine.py").write_text("from .words import WORD\n\nclass Mine:\n    word = WORD\n")
    found = resolve(GROUP, f"{package}/mine.py:Mine")
    assert found.value.word == "relative"
    assert found.value.__module__ == "their_package.mine"
    (package / "words.py").write_text("WORD = 'edited'\n")
    assert code(f"{package}/mine.py:Mine") != found.code


def test_a_sibling_that_is_hidden_by_another_module_is_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sibling_two.py").write_text(f"WORD = {folder!r}\n")
        (tmp_path / folder / "mine.py").write_text("from sibling_two import WORD\ndef Mine():\n    return WORD\n")
    assert resolve(GROUP, f"{tmp_path}/one/mine.py:Mine").value() == "one"
    with pytest.raises(UsageError, match=r"another module is called sibling_two: .*two/sibling_two.py: rename it"):
        resolved(tmp_path / "two" / "mine.py")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x = 1\nMine = nosuch\n", r"cannot be imported \(NameError: name 'nosuch' is not defined, mine.py line 2\)"),
        ("class Mine\n", r"cannot be imported \(SyntaxError: expected ':', mine.py line 1\)"),
        ("import sys\nsys.exit(3)\n", r"cannot be imported \(SystemExit: 3, mine.py line 2\)"),
        ("import no_such_package\n", r"No module named 'no_such_package', mine.py line 1"),
        ("def other(): ...\n", r"there is no Mine in the file: .*mine.py: its own names are other"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(content)
    with pytest.raises(UsageError, match=said) as caught:
        resolved(tmp_path / "mine.py")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_is_named_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        resolved(tmp_path / "mine.py")
    (tmp_path / "mine.py").write_text("class Mine: ...\n")
    with pytest.raises(UsageError, match=r"write .*mine.py:NAME; its own names are Mine"):
        resolve(GROUP, str(tmp_path / "mine.py"))


def made(word: str) -> Callable[[], str]:
    return lambda: word


class Local: ...


def test_the_code_of_a_function_has_what_it_was_made_with() -> None:
    assert code(made("a")) == code(made("a"))
    assert code(made("a")) != code(made("b"))
    assert code(functools.partial(made, "a")) != code(functools.partial(made, "b"))
    assert code(Local) == code(Local())


def test_what_is_typed_in_is_known_by_what_it_does() -> None:
    program = (
        "from ecva_bench.registry import resolve\n"
        "def codes(text):\n    space = {'__name__': '__main__'}\n    exec(text, space)\n"
        "    return [resolve('ecva_bench.adapters', space[name]).code for name in ('f', 'C')]\n"
        "text = 'def f(): return %r\\nclass C:\\n    def g(self): return [%r for _ in ()]\\n'\n"
        "print(codes(text % (1, 1)) == codes('\\n\\n' + text % (1, 1)))\n"
        "print(*[a != b for a, b in zip(codes(text % (1, 1)), codes(text % (2, 2)))])\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["True", "True", "True"]


def test_what_a_notebook_s_function_reads_of_the_notebook_counts() -> None:
    program = (
        "from ecva_bench.registry import resolve\n"
        "text = 'K = %r\\ndef h(): return %r\\nOTHER = %r\\ndef f(): return [K + h() for _ in ()]\\n'\n"
        "text += 'class C:\\n    def g(self): return f()\\n'\n"
        "def codes(*values):\n    space = {'__name__': '__main__'}\n    exec(text % values, space)\n"
        "    return [resolve('ecva_bench.adapters', space[name]).code for name in ('f', 'C')]\n"
        "first = codes(1, 1, 1)\n"
        "print(*[a == b for a, b in zip(first, codes(1, 1, 2))])\n"
        "print(*[a != b for a, b in zip(first, codes(2, 1, 1))])\n"
        "print(*[a != b for a, b in zip(first, codes(1, 2, 1))])\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["True"] * 6


def test_what_another_process_can_import(tmp_path: Path) -> None:
    class Inner: ...

    (tmp_path / "mine.py").write_text("class Mine: ...\n")
    assert all(map(importable, ("motion", "./x.py:Y", Path("a.xlsx"), Local, made)))
    assert not any(map(importable, (Inner, Local(), made("a"), resolved(tmp_path / "mine.py"))))


def install(folder: Path, package: str, **groups: dict[str, str]) -> None:
    """Install what pip leaves of a package: its entry points, and a module `PACKAGE.py` that a test writes."""
    there = folder / f"{package}-1.0.dist-info"
    there.mkdir()
    (there / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    sections = [
        "\n".join([f"[ecva_bench.{group}]", *(f"{name} = {target}" for name, target in found.items())])
        for group, found in groups.items()
    ]
    (there / "entry_points.txt").write_text("\n".join(sections))


OURS = {"adapters": "motion", "scorers": "rouge", "datasets": "mini"}


@pytest.mark.parametrize("group", OURS)
@pytest.mark.parametrize("target", ["thief:Mine", "ecva_bench.scoring.bleu:Bleu"])
def test_no_package_takes_a_name_of_ours(
    group: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = OURS[group]
    before = resolve(f"ecva_bench.{group}", name)
    install(tmp_path, "thief", **{group: {name: target, "thiefs": target}})
    (tmp_path / "thief.py").write_text("class Mine: ...\n")
    monkeypatch.syspath_prepend(tmp_path)  # which is looked through first
    found = resolve(f"ecva_bench.{group}", name)
    assert (found.value, found.code) == (before.value, "")
    assert passed_over(f"ecva_bench.{group}") == [f"{name} of thief:1.0 is not used: the name is ecva-bench's"]
    assert resolve(f"ecva_bench.{group}", "thiefs").code == "thief:1.0"  # whose it is, also where it is ours again


def test_of_two_packages_with_one_name_none_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("one", "two"):
        install(tmp_path, package, judges={"shared": "json:dumps"})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"two packages have a judge called 'shared': one:1.0, two:1.0"):
        resolve("ecva_bench.judges", "shared")


def test_what_is_installed_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    there = registry.entry_points

    def counted(**wanted: str) -> object:
        looked.append(wanted)
        return there(**wanted)

    monkeypatch.setattr(registry, "entry_points", counted)
    resolve(GROUP, "motion")
    assert len(looked) == 1


@pytest.mark.parametrize("content", ["import sys\nsys.exit(3)\n", "raise SystemExit\n", "nosuch\n"])
def test_a_package_that_ends_the_program_when_imported_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "quitter", adapters={"quits": "quitter_module:Mine"})
    (tmp_path / "quitter_module.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"cannot be imported .*: model 'quits' of quitter:1.0"):
        resolve(GROUP, "quits")
