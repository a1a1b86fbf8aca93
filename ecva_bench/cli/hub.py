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
    from ..api.hub_files import card, hub_commits

    space = hub.place.kind == "space"
    commits = hub_commits(folders, space=space)
    for files in commits.values():
        hub.check(files)
    new, private = hub.open()
    if new or hub.lacks("README.md"):
        first = next(iter(commits))
        commits[first] = {"README.md": card((folder.name for folder in folders), space=space), **commits[first]}
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
