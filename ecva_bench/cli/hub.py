"""Pushing to the hub from a terminal: what goes, how large it is, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..untrusted import say
from ..wording import counted, size

if TYPE_CHECKING:
    from ..publishing import HubPush


def push_folders(hub: HubPush, folders: Mapping[Path, Collection[Path]]) -> None:
    """Push data sets' folders, each with those of its answers that are named; exit code 3 where something failed."""
    from ..api.hub_files import card, hub_files
    from ..errors import UsageError

    space = hub.place.kind == "space"
    if space and len(folders) > 1:
        raise UsageError("a Space shows the board of one data set", "--hub", "submit the runs of each by themselves")
    commits: dict[str, dict[str, bytes]] = {}
    for folder, answers in folders.items():
        commits |= hub_files(folder, answers, space=space)
    for files in commits.values():
        hub.check(files)
    new, private = hub.open()
    if new or hub.lacks("README.md"):
        first = next(iter(commits))
        dataset = next(iter(folders)).name
        commits[first] = {"README.md": card(dataset, space=space), **commits[first]}
    contents = {path: len(held) for files in commits.values() for path, held in files.items()}
    kind, total = "private" if private else "public", size(sum(contents.values()))
    say(f"to push to {hub.place} ({kind}): {counted(len(contents), 'file')}, {total}")
    for path, length in contents.items():
        say(f"  {path} ({size(length)})")
    failed = 0
    for one in hub.push(commits):
        if one.failure:
            say(f"not pushed: {one.message} ({one.failure})", error=True)
            failed += 1
        else:
            say(f"pushed: {one.message}: {one.link}")
    if failed:
        say(
            f"{counted(failed, 'commit')} failed; all is on disk. The same command again pushes what is lacking.",
            error=True,
        )
        raise typer.Exit(3)
