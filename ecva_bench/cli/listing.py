"""`ecva-bench tasks|scorers`: one line each, read without importing any of them."""

from __future__ import annotations

from ..untrusted import say


def scorers_command() -> None:
    """List the scorers that can be computed."""
    from .. import registry

    group = "ecva_bench.scorers"
    _print_rows([(name, registry.summary(registry.find(group, name)), "") for name in registry.names(group)])
    for note in registry.passed_over(group):
        say(note)


def tasks_command() -> None:
    """List the tasks that can be asked, with their aliases and default scorers."""
    from ..tasks import TASKS

    _print_rows([(t.name, f"{t.summary} [{', '.join(t.scorers)}]", ", ".join(t.aliases)) for t in TASKS.values()])


def _print_rows(rows: list[tuple[str, str, str]]) -> None:
    width = max(len(name) for name, *_ in rows)
    for name, summary, aliases in rows:
        say(f"{name:<{width}}  {summary}" + (f"  (also: {aliases})" if aliases else ""))
