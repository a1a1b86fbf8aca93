"""A signature says how the verdicts were really had: two judges that behaved differently never have the same."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.judging.judge import LanguageJudge, open_judge
from ecva_bench.records.answers import Answer, Results
from ecva_bench.scoring.score import score_results
from tests.cases import case

from .build import grade
from .conftest import Open
from .server import Fault, JudgeServer, Request, completion, error

OPTIONAL = ("temperature", "seed", "logprobs", "response_format", "max_completion_tokens")
TURNED_DOWN = [
    {
        "if sent": "temperature",
        "status": 400,
        "body": error("temperature must be 1 for this model", param="temperature"),
    },
    {"if sent": "logprobs", "status": 403, "body": error("this key may not ask for logprobs")},
    {"if sent": "seed", "status": 400, "body": error("this model takes no seed", param="seed")},
]


class Choosy(JudgeServer):
    """Turns down what a script says, and answers under a name of its own."""

    def __init__(
        self, script: list[dict[str, Any]], *, model: str = "scripted", fingerprint: str | None = None
    ) -> None:
        super().__init__(lambda *_: "4")
        self.script, self.model, self.fingerprint = script, model, fingerprint

    def outcome(self, request: Request) -> Fault:
        self.requests.append(request)
        for step in self.script:
            if step["if sent"] in request.body:
                return Fault(step["status"], step["body"])
        return Fault(body=completion("4") | {"model": self.model, "system_fingerprint": self.fingerprint})


def refusing(*names: str) -> Choosy:
    return Choosy([{"if sent": name, "status": 400, "body": error(f"no {name}")} for name in names])


def identity_of(judge: LanguageJudge, *texts: str) -> dict[str, str]:
    judge.ask([grade(text) for text in texts or ("a", "b")])
    return judge.identity()


def test_a_judge_that_kept_to_all_is_named_as_ever(judge_at: Open) -> None:
    with Choosy([]) as server:
        found = identity_of(judge_at(server, votes=2))
    assert found == {"judge": "openai:scripted", "temperature": "0", "seed": "0", "votes": "2"}


def test_every_set_of_parameters_turned_down_has_a_signature_of_its_own(tmp_path: Path) -> None:
    sets = [names for size in range(len(OPTIONAL) + 1) for names in itertools.combinations(OPTIONAL, size)]
    found = []
    for number, names in enumerate(sets):
        with refusing(*names) as server:
            options = {"base_url": server.url, "store": tmp_path / f"{number}.sqlite"}
            with open_judge("scripted", **options) as judge:
                found.append(identity_of(judge, "a"))
        assert ("temperature" in found[-1], "seed" in found[-1]) == ("temperature" not in names, "seed" not in names)
    assert len({json.dumps(one) for one in found}) == len(sets)


def test_what_was_kept_to_in_part_is_not_claimed(judge_at: Open) -> None:
    """The endpoint changes its mind: the store holds replies of both kinds."""
    with Choosy([]) as willing, refusing("temperature") as choosy:
        judge_at(willing).ask([grade("a")])
        mixed = identity_of(judge_at(choosy), "a", "b")
        pure = identity_of(judge_at(choosy), "b")
    assert mixed == {"judge": "openai:scripted", "seed": "0", "left-out": "nothing,temperature", "votes": "1"}
    assert pure == {"judge": "openai:scripted", "seed": "0", "left-out": "temperature", "votes": "1"}


def test_a_refusal_to_judge_says_what_it_was_asked_without(judge_at: Open) -> None:
    with Choosy(
        [TURNED_DOWN[0], {"if sent": "model", "status": 400, "body": error("no", code="content_filter")}]
    ) as server:
        judge = judge_at(server)
        assert judge.ask([grade()])[0].reason.startswith("refused")
        assert "temperature" not in judge.identity()


@pytest.mark.parametrize(
    ("served", "named"),
    [
        ([("scripted", None)], None),
        ([("scripted-2024", None)], "scripted-2024"),
        ([("scripted", "fp_1")], "scripted@fp_1"),
        ([("scripted", None), ("scripted-2024", None)], "scripted,scripted-2024"),
        ([("scripted", "fp_2"), ("scripted", "fp_1")], "scripted@fp_1,scripted@fp_2"),
        ([("a|temperature:0,b", None)], "a_temperature:0_b"),
    ],
)
def test_what_answered_is_named_all_of_it(
    served: list[tuple[str, str | None]], named: str | None, judge_at: Open, tmp_path: Path
) -> None:
    for number, (model, fingerprint) in enumerate(served):
        with Choosy([], model=model, fingerprint=fingerprint) as server:
            judge = judge_at(server)
            found = identity_of(judge, *(str(n) for n in range(number + 1)))
            judge.export(tmp_path / "calls.jsonl")
    assert found.get("served") == named
    with open_judge("scripted", replay=tmp_path / "calls.jsonl") as replay:
        assert identity_of(replay, *(str(n) for n in range(len(served)))) == found


def test_another_limit_of_a_reply_is_another_judge(judge_at: Open) -> None:
    with Choosy([]) as server:
        usual, short = judge_at(server), judge_at(server, max_tokens=100)
        same = judge_at(server, max_tokens=4096)
        found = [identity_of(judge, "a") for judge in (usual, short, same)]
        assert [request.body["max_completion_tokens"] for request in server.requests] == [4096, 100]
    assert found[1] == {**found[0], "max-tokens": "100"}
    assert found[2] == found[0]


def results(*texts: str) -> Results:
    answers = tuple(
        Answer(key=text, id=f"{text}/cause", video=text, task="cause", answer=text, reference=text) for text in texts
    )
    return Results(
        name="r",
        source="r.jsonl",
        sha256="0",
        model="m",
        expects={"full": tuple(a.id for a in answers)},
        answers=answers,
    )


def signature(judge: LanguageJudge, *texts: str) -> str:
    scores = score_results(results(*texts), scorers=["gpt"], judge=judge, draws=10)
    (found,) = {summary.signature for summary in scores.summaries}
    return found


def test_a_score_is_signed_by_its_own_verdicts_whatever_else_was_judged(judge_at: Open, tmp_path: Path) -> None:
    with Choosy([]) as willing, Choosy(TURNED_DOWN) as choosy:
        kept = judge_at(willing)
        first = signature(kept, "x", "y")
        kept.export(tmp_path / "kept.jsonl")
        both = judge_at(choosy)
        assert signature(both, "x", "y") == first  # all from the store
        second = signature(both, "z")
        both.export(tmp_path / "both.jsonl")
    assert "temperature:0|seed:0" in first
    assert "temperature" not in second.replace("left-out:logprobs+seed+temperature+top_logprobs", "")
    with open_judge("scripted", replay=tmp_path / "both.jsonl") as replay:
        assert (signature(replay, "z"), signature(replay, "x", "y")) == (second, first)


def test_the_case_has_another_signature_than_an_endpoint_that_takes_all(judge_at: Open, tmp_path: Path) -> None:
    folder = case("judge_signature")
    wanted = json.loads((folder / "expected.json").read_text())
    with Choosy(json.loads((folder / "turned_down.json").read_text())) as server:
        choosy = signature(judge_at(server), "x")
    with Choosy([]) as server:
        willing = signature(judge_at(server, store=tmp_path / "other.sqlite"), "x")
    assert not [part for part in wanted["signature does not hold"] if part in choosy]
    assert (choosy != willing) == wanted["signature differs from that of an endpoint that takes all"]
