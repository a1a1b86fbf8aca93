"""Requests that go out together and are answered within a day, at half the price: OpenAI's batch endpoints.

Requests are `put`, submitted and waited for together by `wait`, and what came of them is then taken one by one. What is
submitted is written to a file first, so that a run that died takes its batches up and pays nothing twice. A request is
known by its name, a hash of all that is sent. Knows no votes, no videos and no metric.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..errors import BudgetExhausted, JudgeError
from ..untrusted import parse_json, say
from ..wording import counted
from . import completions
from .budget import Budget
from .client import FAILURES_IN_A_ROW, EndpointOptions, Request
from .completions import RequestFailure
from .store import Reply
from .transport import BatchState, BatchTransport

MOST_REQUESTS, MOST_BYTES = 50_000, 190_000_000  # of one batch; OpenAI takes 200 MB
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0
_ENDED = ("completed", "expired", "cancelled", "failed")


class Batches:
    """The batches of a run, as a file at `path` names them. Opens nothing before the first is submitted."""

    def __init__(self, path: Path, options: EndpointOptions, budget: Budget) -> None:
        """Ask the endpoint of `options` within `budget`; `JudgeError` where the file cannot be read."""
        self._path, self._options, self._budget = path, options, budget
        self._opened: BatchTransport | None = None
        self._batches: dict[str, dict[str, Any]] = {}  # by the id of its file: the batch's id, its requests' names
        self._of: dict[str, str] = {}  # the file a request is in
        self._wanted: set[str] = set()  # files whose results are to be waited for
        self._earlier: set[str] = set()  # files that an earlier process submitted
        self._results: dict[str, tuple[int, bytes]] = {}  # status and body, by the request's name
        self._reserved: dict[str, int] = {}  # what is held of the budget, by the request's name
        self._settled: set[str] = set()  # requests whose cost is counted
        self._spooled: dict[Path, list[str]] = {}  # requests not submitted yet, by the file they are written to
        self._without: list[str] = []  # parameters that what is spooled leaves out
        self._not_covered: BudgetExhausted | None = None  # since the last wait
        self._failed, self._replied = 0, False  # what was taken since the last reply, or since `check_replies`
        self._last_failure = ""
        self._load()

    def close(self) -> None:
        """Close all connections; what was not submitted is forgotten."""
        for path in self._spooled:
            path.unlink(missing_ok=True)
        if self._opened is not None:
            self._opened.close()

    def is_under_way(self, name: str) -> bool:
        """Return whether a request was submitted."""
        return name in self._of

    def put(self, name: str, request: Request, without: Collection[str]) -> None:
        """Have a request go out with the next batch, unless it is under way or the budget does not cover it."""
        if file := self._of.get(name):
            self._wanted.add(file)
            return
        if name in self._reserved:
            return
        try:
            self._reserved[name] = self._budget.reserve_in_batch(request.size)
        except BudgetExhausted as error:
            self._not_covered = error
            return
        line = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": request.body(without)}
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        path, self._without = self._spool(len(data)), sorted(without)
        with path.open("ab") as lines:
            lines.write(data)
        self._spooled[path].append(name)

    def wait(self) -> bool:
        """Submit what was put and wait for it; return whether there is anything new to be taken.

        Raises `BudgetExhausted` where the budget covers nothing of what was put, and `JudgeError` as `check_replies`.
        """
        self.check_replies()
        not_covered, self._not_covered = self._not_covered, None
        for path, names in list(self._spooled.items()):
            self._submit(path, names)
            del self._spooled[path]
        wanted, self._wanted = self._wanted, set()
        for file in wanted:
            self._finish(file)
        if not_covered and not wanted:
            raise not_covered
        return bool(wanted)

    def check_replies(self) -> None:
        """Raise `JudgeError` where all that was taken since the last reply failed, and that is much.

        Within a batch the order says nothing: one reply in it, and the endpoint answers. The results are kept until
        then; what failed goes out anew when the same command is run again.
        """
        if self._replied:
            self._failed, self._replied = 0, False
        elif self._failed >= FAILURES_IN_A_ROW:
            what = f"all {self._failed:,} requests of batches failed, the last with: {self._last_failure}"
            remedy = "mend that, then run the same command again: it asks these again, and what has a reply is stored"
            raise JudgeError(what, self._transport().where, remedy)

    def take(self, name: str, request: Request, without: Collection[str]) -> Reply | RequestFailure | None:
        """Return what came of a request, its cost settled; None where nothing did yet."""
        if name not in self._results:
            return None
        status, raw = self._results[name]
        without = self._batches[self._of[name]].get("without", without)  # what it was really asked without
        transport, sent = self._transport(), request.body(without)
        found: Reply | RequestFailure | None = None
        if status == 200:
            found = request.read(raw, without=without, scrub=transport.scrub_reply)
            found = found or completions.no_completion(transport.error_body(raw), sent=sent)
        else:
            found = completions.request_failure(status, {}, transport.error_body(raw), sent=sent)
        if name not in self._settled:
            self._settled.add(name)
            number = self._reserved.pop(name, None)
            number = self._budget.hold_in_batch(request.size) if number is None else number
            reply = found if isinstance(found, Reply) else None
            if absurd := self._budget.settle(number, reply, lost=reply is None and status == 200):
                found = RequestFailure(absurd)
                self._results[name] = 400, json.dumps({"error": {"message": absurd}}).encode()
            self._count(found)
        if isinstance(found, RequestFailure) and found.refusal:
            return Reply("", finish="content_filter", refusal=found.what, left_out=tuple(sorted(without)))
        return found

    def _count(self, found: Reply | RequestFailure) -> None:
        if isinstance(found, RequestFailure) and not found.refusal:
            self._failed, self._last_failure = self._failed + 1, found.what
        else:
            self._replied = True

    def _transport(self) -> BatchTransport:
        if self._opened is None:
            options = self._options
            self._opened = BatchTransport(
                options.base_url, timeout=options.timeout, retries=options.retries, setting=options.setting
            )
        return self._opened

    def _spool(self, size: int) -> Path:
        """Return the file that the next request, of so many bytes, is written to."""
        if self._spooled:
            path, names = list(self._spooled.items())[-1]
            if len(names) < MOST_REQUESTS and path.stat().st_size + size <= MOST_BYTES:
                return path
        path = self._path.with_suffix(f".{len(self._spooled)}.part.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        self._spooled[path] = []
        return path

    def _submit(self, path: Path, names: list[str]) -> None:
        file = self._transport().upload(path)
        self._note({"file": file, "requests": names, "without": self._without})  # before it costs anything
        self._note({"file": file, "batch": self._transport().start(file)})
        self._wanted.add(file)
        path.unlink(missing_ok=True)

    def _finish(self, file: str) -> None:
        """Wait for a batch and keep its results. What failed in one of an earlier process may be put again."""
        batch, transport = self._batches[file], self._transport()
        if "batch" not in batch:  # the process that submitted it died in between
            self._note({"file": file, "batch": transport.started(file) or transport.start(file)})
        state = self._ended(batch["batch"])
        if state.status == "failed":
            self._note({"file": file, "failed": state.wrong})
            remedy = "mend that, then run the same command again"
            raise JudgeError(f"the batch was rejected ({state.wrong})", batch["batch"], remedy)
        results = self._read(state, set(batch["requests"]))
        lost = 408, json.dumps({"error": {"message": f"the batch was {state.status} before its turn came"}}).encode()
        for name in batch["requests"]:
            result = results.get(name, lost)
            if result[0] == 200 or file not in self._earlier:
                self._results[name] = result
            else:
                self._of.pop(name, None)

    def _ended(self, batch: str) -> BatchState:
        """Return the state of a batch when it has come to its end."""
        pause, shown = FIRST_WAIT_S, ""
        while (state := self._transport().state(batch)).status not in _ENDED:
            news = f"{batch}: {state.status}, {state.done:,} of {counted(state.total, 'request')} done"
            if news != shown:
                say(f"{news}; it may be interrupted: the same command goes on from here", error=True)
            shown = news
            time.sleep(pause)
            pause = min(LONGEST_WAIT_S, 1.5 * pause)
        return state

    def _read(self, state: BatchState, names: set[str]) -> dict[str, tuple[int, bytes]]:
        """Return status and body of every request that a batch's files have a response to."""
        results: dict[str, tuple[int, bytes]] = {}
        for file in state.files:
            for line in self._transport().read(file).decode("utf-8", "replace").split("\n"):
                found = _object(line)
                response, name = found.get("response"), str(found.get("custom_id"))
                if name in names and isinstance(response, dict) and response.get("body") is not None:
                    status = response.get("status_code")
                    body = json.dumps(response["body"]).encode()
                    results[name] = (status if isinstance(status, int) else 500, body)
        return results

    def _load(self) -> None:
        """Take up what the file says of earlier batches; their results are fetched when they are wanted."""
        if not self._path.exists():
            return
        try:
            lines = self._path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            remedy = "mend it: it names the batches that are paid for"
            raise JudgeError(f"the file of batches cannot be read ({error})", self._path, remedy) from None
        for line in lines:
            self._take_note(_object(line))
        self._earlier = set(self._batches)

    def _note(self, record: dict[str, Any]) -> None:
        """Write down what is known of a batch; it survives this process when this returns."""
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(record) + "\n")
            lines.flush()
            os.fsync(lines.fileno())
        self._take_note(record)

    def _take_note(self, record: dict[str, Any]) -> None:
        if not isinstance(record.get("file"), str):  # a line that a crash cut off
            return
        batch = self._batches.setdefault(record["file"], {"requests": []})
        batch.update(record)
        for name in batch["requests"]:
            self._of[name] = record["file"]
            if "failed" in batch:  # rejected as a whole: nothing of it was asked
                del self._of[name]


def _object(line: str) -> dict[str, Any]:
    try:
        found = parse_json(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
