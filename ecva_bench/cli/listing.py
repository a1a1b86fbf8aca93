"""`ecva-bench models|tasks|scorers`: one line each, read without importing any of them."""

from __future__ import annotations


def models() -> None:
    """List the models that can be run, baselines included."""
    from ..answering.adapter import GROUP

    _print_registered(GROUP)


def scorers() -> None:
    """List the scorers that can be computed."""
    _print_registered("ecva_bench.scorers")


def tasks() -> None:
    """List the tasks that can be asked, with their aliases and default scorers."""
    from ..tasks import TASKS

    _print_rows([(t.name, f"{t.summary} [{', '.join(t.scorers)}]", ", ".join(t.aliases)) for t in TASKS.values()])


def _print_registered(group: str) -> None:
    from .. import registry

    _print_rows([(name, registry.summary(registry.find(group, name)), "") for name in registry.names(group)])


def _print_rows(rows: list[tuple[str, str, str]]) -> None:
    width = max(len(name) for name, *_ in rows)
    for name, summary, aliases in rows:
        print(f"{name:<{width}}  {summary}" + (f"  (also: {aliases})" if aliases else ""))
