"""A judge of a user's own, as scorers see it: what it gives is checked, and its code is part of who judged."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from .. import registry
from ..errors import EcvaError, JudgeError
from ..registry.source_files import error_line
from ..wording import counted
from .calls import Call, Judge, Verdict
from .judge import LOCAL_PREFIX

JUDGE_GROUP = "ecva_bench.judges"


# A model of an endpoint, `hf:PATH_OR_ID`, `./file.py:Name`, a class or an instance.
JudgeSource = str | type[Judge] | Judge


def is_user_judge(judge: JudgeSource) -> bool:
    """Return whether a judge is a user's: an object, or one in a file, and not the name of a language model."""
    return not isinstance(judge, str) or (not judge.startswith(LOCAL_PREFIX) and registry.is_named(JUDGE_GROUP, judge))


@contextmanager
def open_user_judge(judge: JudgeSource) -> Iterator[Judge]:
    """Yield a user's judge; one that was made here is closed at the end, where it has a `close`.

    Raises `UsageError` for what is no judge, and `JudgeError` where it cannot be made, fails, or gives no verdicts.
    """
    found = registry.resolve(JUDGE_GROUP, judge)
    found.has("ask", "calls")
    found.has("identity", "keys")
    try:
        with registry.no_exit(JudgeError, found.label):
            made = found.value() if isinstance(found.value, type) else found.value
    except EcvaError:
        raise
    except Exception as error:
        raise JudgeError(f"the judge cannot be made ({error_line(error)})", found.label, "mend it") from error
    try:
        yield _UserJudge(made, found)
    finally:
        if isinstance(found.value, type) and callable(close := getattr(made, "close", None)):
            with registry.no_exit(JudgeError, found.label):
                close()


class _UserJudge:
    """A user's judge, checked."""

    def __init__(self, judge: Judge, found: registry.Plugin) -> None:
        self._judge, self._found = judge, found

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        """Return one verdict per call; `JudgeError` where the judge fails or gives anything else."""
        label = self._found.label
        try:
            with registry.no_exit(JudgeError, label):
                verdicts = self._judge.ask(calls)
        except EcvaError:
            raise
        except Exception as error:
            raise JudgeError(f"the judge failed ({error_line(error)})", label, "mend it") from error
        if not isinstance(verdicts, list) or len(verdicts) != len(calls):
            raise JudgeError(
                f"the judge gave {verdicts!r:.200} to {counted(len(calls), 'call')}", label, "give one Verdict each"
            )
        for call, verdict in zip(calls, verdicts, strict=True):
            if not isinstance(verdict, Verdict) or not (verdict.values is None or _fits(call, verdict.values)):
                scale = call.prompt.scale
                count = "one number" if call.expected == 1 else f"{call.expected} numbers"
                remedy = f"give Verdict(values=…), a tuple of {count} from {scale.low} to {scale.high}, or None"
                raise JudgeError(f"the judge gave {verdict!r:.200} to {call.prompt.id}", label, remedy)
        return verdicts

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        """Return what the judge says of itself, and its code."""
        code = {"judge-code": self._found.code} if self._found.code else {}
        label = self._found.label
        try:
            with registry.no_exit(JudgeError, label):
                said = self._judge.identity(keys)
        except EcvaError:
            raise
        except Exception as error:
            raise JudgeError(f"the judge failed ({error_line(error)})", label, "mend identity(keys)") from error
        if not isinstance(said, Mapping) or any("|" in f"{name}{value}" for name, value in said.items()):
            remedy = "give a dictionary of short texts without |, which divides signatures"
            raise JudgeError(f"the judge calls itself {said!r:.200}", label, remedy)
        return {"judge": self._found.name, **{str(name): str(value) for name, value in said.items()}, **code}


def _fits(call: Call, values: object) -> bool:
    low, high = call.prompt.scale.low, call.prompt.scale.high
    if not isinstance(values, tuple | list) or len(values) != call.expected:
        return False
    return all(hasattr(value, "__float__") and math.isfinite(value) and low <= value <= high for value in values)
