"""The judge that scorers use: calls in, verdicts out. Stored replies are used first; the model is asked for the rest.

Every verdict is read from the stored reply, even right after it was asked for, so that scoring again, or from a
published export, gives the same values bit for bit. Knows no HTTP and no metric.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import JudgeError
from ..records.base import canonical_json
from . import messages
from .backend import Backend, Outcome, Vote
from .budget import Budget, Limits, Usage
from .calls import Call, Verdict
from .client import EndpointOptions
from .completions import MAX_REPLY_TOKENS
from .endpoint import Endpoint
from .exports import key_of
from .extras import NO_EXTRAS, RequestExtras
from .identity import ReplyOrigin, sampling, served
from .local import LocalModel
from .prices import find_price
from .store import Cost, Reply, Store, default_store_path
from .verdicts import NOT_IN_REPLAY, verdict

# Called with the progress of an `ask`: votes done, votes in all, votes that failed.
JudgeProgress = Callable[[int, int, int], None]

LOCAL_PREFIX = "hf:"
CALLS_AT_ONCE = 64  # addressed and looked up together
# Allocations between two garbage collections. With Python's default of 700, all objects of a run would be searched for
# garbage hundreds of times while replies wait.
COLLECTED_AFTER = 20_000


def open_judge(
    model: str,
    *,
    base_url: str | None = None,
    concurrency: int = 16,
    timeout: float = 60.0,
    retries: int = 6,
    votes: int = 1,
    seed: int = 0,
    max_tokens: int | None = None,
    extras: RequestExtras = NO_EXTRAS,
    budget_usd: float | None = None,
    budget_tokens: int | None = None,
    prices: Path | None = None,
    batch: bool = False,
    store: Path | None = None,
    replay: Path | None = None,
    progress: JudgeProgress | None = None,
    members: int = 1,
) -> LanguageJudge:
    """Return the judge called `model`: a model at an OpenAI-compatible endpoint, or `hf:PATH_OR_ID` in this process.

    The endpoint is `base_url`, else OPENAI_BASE_URL, else OpenAI's. `timeout` is in seconds per request, `retries` the
    further requests per vote. Every call is sent to the model `votes` times, with seeds from `seed` on, for a reply of
    at most `max_tokens`, with `extras` in the request. `prices` extends the price table. With `batch`, calls go out as
    batches (half the price, within a day), named in a file beside the store. Replies are stored in `store`, else in the
    cache; with `replay`, an export, none is asked. One of several `members` of a panel spends its even part of the
    budget. Raises `JudgeError` for options that cannot work.

    >>> import ecva_bench as eb

    >>> try:
    ...     eb.open_judge("gpt-4o", votes=0)
    ... except eb.EcvaError as error:
    ...     print(error.what)
    a judge needs at least one vote, one connection, one token and some time
    """
    if min(votes, concurrency, 1 if max_tokens is None else max_tokens) < 1 or retries < 0 or timeout <= 0:
        what = "a judge needs at least one vote, one connection, one token and some time"
        raise JudgeError(what, model, "check its options")
    usage = Usage()
    backend: Backend
    if model.startswith(LOCAL_PREFIX):
        if max_tokens is not None or extras.body:
            what = "a local judge writes no reply that could be too long, or thought about"
            raise JudgeError(what, model, "leave its limit and --judge-arg out")
        backend = LocalModel(model.removeprefix(LOCAL_PREFIX), replayed=replay is not None)
    else:
        limits = Limits(budget_usd, budget_tokens, workers=members, who="judges")
        budget = Budget(model, usage, price=find_price(model, prices), limits=limits)
        options = EndpointOptions(base_url, concurrency, timeout, retries)
        batches = (store or default_store_path()).with_suffix(".batches.jsonl") if batch else None
        most_out = max_tokens or MAX_REPLY_TOKENS
        backend = Endpoint(model, options, budget, max_tokens=most_out, extras=extras, batches=batches)
    if replay is not None:
        replies = Store(None)
        replies.import_jsonl(replay)
    else:
        replies = Store(store or default_store_path())
    return LanguageJudge(backend, replies, usage, votes=votes, seed=seed, ask=replay is None, progress=progress)


@dataclass
class _Batch:
    """Calls in progress: the addresses of their votes as far as looked up, and the known outcomes by address."""

    calls: Sequence[Call]
    keys: list[tuple[str, ...]] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    def conclude(self) -> None:
        """Add verdicts in the order of the calls, up to the first call with a vote without an outcome."""
        while len(self.verdicts) < len(self.keys):
            call, group = self.calls[len(self.verdicts)], self.keys[len(self.verdicts)]
            known = [self.outcomes[key] for key in group if key in self.outcomes]
            if len(known) < len(group):
                return
            self.verdicts.append(verdict(call, known, keys=group))


class LanguageJudge:
    """A language model as a `Judge`. Use as a context manager; not from several threads at once."""

    def __init__(
        self,
        backend: Backend,
        store: Store,
        usage: Usage,
        *,
        votes: int,
        seed: int,
        ask: bool,
        progress: JudgeProgress | None,
    ) -> None:
        """Judge with `backend`, or from `store` alone where `ask` is false."""
        self.usage = usage
        self._backend, self._store, self._votes, self._seed = backend, store, votes, seed
        self._asks, self._progress = ask, progress
        self._used: dict[str, ReplyOrigin] = {}  # origins of the replies that verdicts were given from, by address
        self._costs: dict[str, Cost] = {}  # what votes without a reply have cost, by address
        self._counted: set[str] = set()  # addresses of the votes whose cost counts against the budget
        self._first: Verdict | None = None  # the first call's, or the first that is one

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        """Return one verdict per call, in their order. A call that fails is unscored and says why.

        Raises `BudgetExhausted`, or `JudgeError` where no call can be answered; replies that came are stored.
        """
        if not calls:
            return []
        for call in calls:
            if set(call.payload) != set(call.prompt.fields):
                fields, given = ", ".join(call.prompt.fields), ", ".join(call.payload)
                what = f"the prompt speaks of {fields}, the call has {given}"
                raise JudgeError(what, call.prompt.id, "mend the scorer")
        asked = _Batch(calls)
        missing = self._missing(asked)
        if self._asks:
            self._put_to_model(missing, asked)
        else:
            absent = {vote.key: NOT_IN_REPLAY for vote in missing}
            self.usage.not_in_replay += len(absent)
            asked.outcomes |= absent
        asked.conclude()
        replies = {key: outcome for key, outcome in asked.outcomes.items() if isinstance(outcome, Reply)}
        if self._first is None or self._first.values is None:
            self._first = next(
                (one for one in asked.verdicts if one.values is not None), self._first or asked.verdicts[0]
            )
        self._used.update((key, ReplyOrigin.of(reply)) for key, reply in replies.items())
        return asked.verdicts

    def lacks(self, calls: Sequence[Call]) -> bool:
        """Return whether no model is asked, and the replay is without a reply to one of these calls."""
        if self._asks:
            return False
        keys = {self._vote(call, number).key for call in calls for number in range(self._votes)}
        return len(self._store.get(keys)) < len(keys)

    @property
    def mute(self) -> str:
        """Why there is no verdict, if calls were made and none has one; else empty."""
        return self._first.reason if self._first and self._first.values is None else ""

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        """Return what determined the verdicts, from their replies; see `Judge.identity`."""
        origins = {self._used[key] for key in keys or self._used if key in self._used}
        judge = {"judge": f"{self._backend.kind}:{self._backend.model}"}
        sampled = sampling(self._backend.parameters(self._seed), origins)
        # A backend without a seed gives the same vote every time, which counts as one.
        votes = len({canonical_json(self._backend.parameters(self._seed + number)) for number in range(self._votes)})
        return {**judge, **sampled, "votes": str(votes), **served(self._backend.model, origins)}

    def export(self, path: Path, *, panel: Sequence[LanguageJudge] = ()) -> int:
        """Write every call whose verdict was handed out as JSON lines, for `replay`; return how many votes.

        Those of other members of a `panel`, which have the same store, are written with them.
        """
        return self._store.export_jsonl(path, {key for one in (self, *panel) for key in one._used})

    def close(self) -> None:
        """Close connections and store."""
        self._backend.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _missing(self, asked: _Batch) -> Iterator[Vote]:
        """Yield the votes without a stored reply; addresses and stored replies go into `asked`.

        Calls are looked up in groups, so that addresses of later ones are computed while earlier ones are in progress.
        """
        seen: set[str] = set()
        for start in range(0, len(asked.calls), CALLS_AT_ONCE):
            groups = [
                [self._vote(call, number) for number in range(self._votes)]
                for call in asked.calls[start : start + CALLS_AT_ONCE]
            ]
            asked.keys += [tuple(vote.key for vote in group) for group in groups]
            wanted = {vote.key: vote for group in groups for vote in group if vote.key not in seen}
            known = self._store.get(wanted)
            if self._asks:
                self._look_up_costs(wanted, known)
            self.usage.from_store += len(known)
            asked.outcomes |= known
            seen |= wanted.keys()
            yield from (vote for key, vote in wanted.items() if key not in known)

    def _look_up_costs(self, wanted: Mapping[str, Vote], known: Mapping[str, Reply]) -> None:
        """Count what votes have cost earlier commands; where there is a budget, which is for all that is asked for."""
        new = wanted.keys() - self._counted if self._backend.limited else wanted.keys() - known.keys()
        costs = self._store.costs(new)
        self._costs |= {key: cost for key, cost in costs.items() if key not in known}
        if self._backend.limited:
            self._counted |= new
            self._backend.count_before([wanted[key] for key in new], known, costs)

    def _vote(self, call: Call, number: int) -> Vote:
        seed, backend = self._seed + number, self._backend
        request = canonical_json(
            messages.address(call, kind=backend.kind, model=backend.model, parameters=backend.parameters(seed))
        )
        request = request.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8
        return Vote(call, seed, key_of(request), request)

    def _put_to_model(self, votes: Iterator[Vote], asked: _Batch) -> None:
        """Ask the model for votes; store the replies and put the outcomes into `asked`."""
        owed = len(asked.calls) * self._votes
        asking: dict[str, Vote] = {}
        if self._backend.limited:  # all that was spent before counts before more is
            votes = iter(list(votes))

        def noted() -> Iterator[Vote]:
            """Write down what a vote will cost before it is asked, for a process that is killed meanwhile."""
            for vote in votes:
                if estimate := self._backend.estimate(vote):
                    asking[vote.key] = vote
                    self._store.put((), {vote.key: self._costs.get(vote.key, Cost()) + estimate})
                yield vote

        def costs(found: Sequence[Vote]) -> dict[str, Cost]:
            for vote in found:
                self._costs[vote.key] = self._costs.get(vote.key, Cost()) + self._backend.take_cost(vote)
                asking.pop(vote.key, None)
            return {vote.key: self._costs[vote.key] for vote in found}

        def keep(found: Sequence[tuple[Vote, Outcome]]) -> None:
            replies = [(vote.key, vote.request, reply) for vote, reply in found if isinstance(reply, Reply)]
            stored = self._store.put(replies, costs([vote for vote, _ in found]))
            for vote, outcome in found:
                self.usage.asked += 1
                self.usage.failed += vote.key not in stored
                asked.outcomes[vote.key] = stored.get(vote.key, outcome)
                if self._progress:
                    self._progress(len(asked.outcomes), owed, self.usage.failed)
            asked.conclude()  # while waiting for others, rather than all at the end

        questions = noted()
        first = next(questions, None)
        if first is not None:  # what is answered from the store needs neither a key nor a model
            often = gc.get_threshold()
            gc.set_threshold(often[0] and max(often[0], COLLECTED_AFTER), *often[1:])
            try:
                self._backend.answer(chain([first], questions), keep)
            except Exception:  # as where the budget ended: what was not sent has cost nothing
                self._store.put((), costs(list(asking.values())))
                raise
            finally:
                gc.set_threshold(*often)
