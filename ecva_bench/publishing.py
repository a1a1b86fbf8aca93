"""Files pushed to a repository of the Hugging Face Hub by its own client (extra `data`), which is asked for the token.

The token is the client's: `HF_TOKEN`, or what `hf auth login` stored. It is never written, printed or taken as an
option, and a file that holds it is not pushed. A new repository is private unless it is to be public.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import UsageError
from .hub_ids import HUB_ID

_PLACE = re.compile(
    r"(?:(?P<kind>datasets|spaces)/)?"
    rf"(?P<name>(?!(?:datasets|models|spaces)/){HUB_ID})"  # no owner may be called so
)
_OPTION = "--hub"

Files = Mapping[str, bytes]  # content by path in the repository


@dataclass(frozen=True)
class HubRepository:
    """A data set or a Space on the hub, by its id, `OWNER/NAME`."""

    name: str
    kind: Literal["dataset", "space"] = "dataset"

    @classmethod
    def parse(cls, text: str) -> HubRepository:
        """Return what `OWNER/NAME`, `datasets/OWNER/NAME` or `spaces/OWNER/NAME` names; else `UsageError`."""
        found = _PLACE.fullmatch(text.removeprefix("https://huggingface.co/"))
        if not found:
            remedy = "write OWNER/NAME for a data set, or spaces/OWNER/NAME"
            raise UsageError(f"{text!r:.80} is no repository", _OPTION, remedy)
        return cls(found["name"], "space" if found["kind"] == "spaces" else "dataset")

    def __str__(self) -> str:
        return f"{self.kind}s/{self.name}"


@dataclass(frozen=True)
class Pushed:
    """What became of one commit: the link to its repository, or why it failed."""

    message: str
    link: str = ""
    failure: str = ""


class HubPush:
    """The hub's client, ready to push to one repository; `UsageError` without the client or without a token."""

    def __init__(self, place: HubRepository, *, public: bool) -> None:
        try:
            from huggingface_hub import HfApi, get_token
        except ModuleNotFoundError:
            remedy = "pip install 'ecva-bench[data]'"
            raise UsageError("the package huggingface_hub is not installed", _OPTION, remedy) from None
        self._token = get_token() or ""
        if not self._token:
            remedy = "set HF_TOKEN in the environment, or type: hf auth login"
            raise UsageError("the hub takes nothing without a token", _OPTION, remedy)
        self.place, self.public = place, public
        self._api = HfApi(token=self._token, library_name="ecva-bench")

    def check(self, files: Files) -> None:
        """Raise `UsageError` for a file that holds the token."""
        for path, content in files.items():
            if self._token.encode() in content:
                raise UsageError("a file to push holds the token", path, "take it out, and make a new token")

    def open(self) -> tuple[bool, bool]:
        """Make the repository where there is none; return whether it was made, and whether it is private.

        Raises `UsageError` where the hub refuses, and for a public one that was not said to be.
        """
        try:
            there = self._api.repo_exists(self.place.name, repo_type=self.place.kind)
            if not there:
                self._api.create_repo(
                    self.place.name,
                    repo_type=self.place.kind,
                    private=not self.public,
                    exist_ok=True,
                    space_sdk="static" if self.place.kind == "space" else None,
                )
            private = bool(self._api.repo_info(self.place.name, repo_type=self.place.kind).private)
            if not (private or self.public):
                raise UsageError(f"{self.place} is public", _OPTION, "add --public where everybody may read it")
        except UsageError:
            raise
        except Exception as error:  # the client's errors share no base class
            remedy = "what was written is on disk: run the same command again"
            raise UsageError(f"the hub cannot be used ({self._reason(error)})", self.place, remedy) from None
        return not there, private

    def push(self, commits: Mapping[str, Files]) -> Iterator[Pushed]:
        """Yield what became of each commit, by its message; one that fails does not keep the next from being tried.

        The client leaves out files that are there with the same content, so that a second try goes on.
        """
        from huggingface_hub import CommitOperationAdd

        for message, files in commits.items():
            try:
                added = [CommitOperationAdd(path_in_repo=path, path_or_fileobj=held) for path, held in files.items()]
                self._api.create_commit(self.place.name, added, commit_message=message, repo_type=self.place.kind)
                yield Pushed(message, link=f"{self._api.endpoint}/{self.place}")
            except Exception as error:  # the client's errors share no base class
                yield Pushed(message, failure=self._reason(error))

    def lacks(self, path: str) -> bool:
        """Return whether a file of the repository is not there; False where the hub does not say."""
        try:
            return not self._api.file_exists(self.place.name, path, repo_type=self.place.kind)
        except Exception:  # the client's errors share no base class
            return False

    def _reason(self, error: Exception) -> str:
        first = next(iter(str(error).splitlines()), "")
        return f"{type(error).__name__}: {first}".replace(self._token, "***")
