"""Votes, the store in front of the model, replays: the judge as scorers see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.errors import JudgeError
from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.replays import replayed_judge

from .build import GRADE, grade, keys, same
from .conftest import Open
from .server import Fault, JudgeServer, Request, completion


def by_seed(*replies: str) -> JudgeServer:
    """A server that answers the vote with seed n by the n-th reply."""

    class BySeed(JudgeServer):
        def outcome(self, request: Request) -> Fault:
            self.requests.append(request)
            return Fault(body=completion(replies[request.body["seed"]]))

    return BySeed(lambda *_: "")


def test_votes_are_averaged_and_yes_no_goes_by_majority(judge_at: Open) -> None:
    with by_seed("5", "4", "4") as server:
        (verdict,) = judge_at(server, votes=3).ask([grade()])
        assert verdict.value == pytest.approx(13 / 3)
        assert verdict.votes == ((5,), (4,), (4,))
        assert len(set(verdict.keys)) == 3
    with by_seed("yes", "no", "no", "yes") as server:
        assert judge_at(server, votes=3).ask([same("x")])[0].value == 0
        assert judge_at(server, votes=4).ask([same("x")])[0].value == 0.5
        assert judge_at(server, votes=1).ask([same("x")])[0].value == 1
        assert len(server.requests) == 4  # fewer votes are among those already cast


def test_a_vote_that_is_none_is_left_out_not_zero(judge_at: Open) -> None:
    with by_seed("4", "4.5", "2") as server:
        (verdict,) = judge_at(server, votes=3).ask([grade()])
        assert (verdict.value, verdict.votes, verdict.reason) == (3, ((4,), None, (2,)), "")


def test_each_key_sentence_has_its_verdict(judge_at: Open) -> None:
    def rule(system: str, payload: dict[str, list[str]]) -> dict[str, object]:
        return {"rationale": "r", "verdicts": ["yes" if k in payload["candidate"] else "no" for k in payload["keys"]]}

    with JudgeServer(rule) as server:
        (verdict,) = judge_at(server).ask([keys("van", "train", "brakes")])
    assert verdict.values == (1, 0, 1)
    assert verdict.rationale == "r"


def test_equal_calls_are_asked_once_and_answers_keep_their_order(judge_at: Open) -> None:
    with JudgeServer(lambda _, payload: payload["candidate"]) as server:
        texts = ["3", "1", "3", "5", "1"]
        verdicts = judge_at(server).ask([grade(text) for text in texts])
        assert [verdict.value for verdict in verdicts] == [float(text) for text in texts]
        assert len(server.requests) == 3


def test_a_second_run_makes_no_call(judge_at: Open) -> None:
    calls = [grade(str(n % 6)) for n in range(30)] + [same()]
    with JudgeServer(lambda _, payload: payload["candidate"] if len(payload["candidate"]) == 1 else "yes") as server:
        first = judge_at(server).ask(calls)
        asked = len(server.requests)
        second = judge_at(server)
        assert second.ask(calls) == first
        assert len(server.requests) == asked == 7
        assert (second.usage.asked, second.usage.from_store) == (0, 7)


@pytest.mark.parametrize("change", ["model", "seed", "prompt", "payload", "fields"])
def test_whatever_determines_a_reply_is_in_its_address(change: str, judge_at: Open, tmp_path: Path) -> None:
    from dataclasses import replace

    from ecva_bench.judging import Call

    with JudgeServer(lambda *_: "3") as server:
        options = {"base_url": server.url, "store": tmp_path / "judge.sqlite"}
        with open_judge("scripted", **options) as judge:
            judge.ask([grade()])
        call = grade()
        if change == "prompt":
            call = Call(replace(GRADE, text="Grade it well."), call.payload)
        elif change == "payload":
            call = grade("another")
        elif change == "fields":
            call = Call(replace(GRADE, version=2), call.payload)
        seed = 1 if change == "seed" else 0
        with open_judge("other" if change == "model" else "scripted", seed=seed, **options) as judge:
            judge.ask([call])
        assert len(server.requests) == 2


def test_a_replay_gives_the_same_verdicts_without_any_endpoint(
    judge_at: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = iter(["4", "yes", "nonsense", "nonsense", "nonsense"])
    calls = [grade(), same(), grade("é\u2028 \u0085")]
    with JudgeServer(lambda *_: next(replies)) as server:
        judge = judge_at(server, concurrency=1)
        verdicts = judge.ask(calls)
        assert judge.export(tmp_path / "a.jsonl") == 3
    monkeypatch.delenv("OPENAI_API_KEY")
    with open_judge("scripted", replay=tmp_path / "a.jsonl") as replay:
        assert replay.ask(calls) == verdicts
        missing = replay.ask([grade("never asked")])[0]
        assert (missing.values, missing.reason) == (None, "not in the replay")
        assert replay.usage.not_in_replay == 1
        replay.export(tmp_path / "b.jsonl")
        assert replay.identity() == judge.identity()
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_an_export_holds_only_what_was_handed_out(judge_at: Open, tmp_path: Path) -> None:
    with JudgeServer(lambda *_: "3") as server:
        judge_at(server).ask([grade("another run's")])
        judge = judge_at(server)
        judge.ask([grade("mine")])
        judge.export(tmp_path / "export.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "export.jsonl").read_text().splitlines()]
    assert lines[0] == {"type": "judge", "schema": "ecva.judge/1", "calls": 1, "sealed": True}
    assert [line["request"]["payload"]["candidate"] for line in lines[1:]] == ["mine"]


def test_a_verdict_is_of_the_reply_that_was_stored_first(judge_at: Open, tmp_path: Path) -> None:
    with JudgeServer(lambda *_: "1") as first:

        def late(system: str, payload: object) -> str:
            assert judge_at(first).ask([grade()])[0].value == 1  # another process, so to say, in the meantime
            return "5"

        with JudgeServer(late) as second:
            assert judge_at(second).ask([grade()])[0].value == 1


def test_a_full_disk_ends_the_judging_and_costs_nothing_that_was_stored(judge_at: Open, tmp_path: Path) -> None:
    with JudgeServer(lambda *_: "3") as server:
        judge = judge_at(server, concurrency=4)
        judge.ask([grade("before")])
        pages = judge._store._base.execute("PRAGMA page_count").fetchone()[0]
        judge._store._base.execute(f"PRAGMA max_page_count={pages + 4}")
        with pytest.raises(JudgeError, match=r"cannot be stored \(database or disk is full\).*make room"):
            judge.ask([grade(f"{n} " * 500) for n in range(200)])
        stored = judge._store._base.execute("SELECT count(*) FROM calls").fetchone()[0]
        assert stored > 1
        assert len(server.requests) <= stored + 4  # those under way: nobody asks on before what came is stored
        judge._store._base.execute("PRAGMA max_page_count=1000000")
        assert len(judge.ask([grade(f"{n} " * 500) for n in range(200)])) == 200


def test_progress_is_told(judge_at: Open) -> None:
    told: list[tuple[int, int, int]] = []
    with JudgeServer(lambda *_: "3", faults=[Fault(400, b"")]) as server:
        judge_at(server, progress=lambda *args: told.append(args)).ask([grade(str(n)) for n in range(4)])
    assert told == [(1, 4, 1), (2, 4, 1), (3, 4, 1), (4, 4, 1)]


def test_whatever_goes_wrong_with_a_reply_that_came_ends_the_judging(judge_at: Open) -> None:
    def broken(done: int, total: int, failed: int) -> None:
        raise BrokenPipeError("nobody reads this")

    with JudgeServer(lambda *_: "3") as server:
        with pytest.raises(BrokenPipeError):
            judge_at(server, concurrency=2, progress=broken).ask([grade(str(n)) for n in range(40)])
        assert len(server.requests) <= 2


def test_a_call_that_does_not_fit_its_prompt_is_refused(judge_at: Open) -> None:
    from ecva_bench.judging import Call

    with JudgeServer(lambda *_: "3") as server, pytest.raises(JudgeError, match="the prompt speaks of reference"):
        judge_at(server).ask([Call(GRADE, {"candidate": "x"})])


def test_a_judge_that_cannot_judge_is_refused() -> None:
    with pytest.raises(JudgeError, match="at least one vote"):
        open_judge("scripted", votes=0)


def test_text_that_is_no_unicode_is_judged_all_the_same(judge_at: Open, tmp_path: Path) -> None:
    with JudgeServer(lambda *_: "3") as server:
        judge = judge_at(server)
        assert judge.ask([grade("cut off \ud83d")])[0].value == 3
        assert judge.export(tmp_path / "export.jsonl") == 1
    with open_judge("scripted", replay=tmp_path / "export.jsonl") as replay:
        assert replay.ask([grade("cut off \ud83d")])[0].value == 3


def test_a_replay_names_its_judge_whatever_line_breaks_an_answer_holds(judge_at: Open, tmp_path: Path) -> None:
    with JudgeServer(lambda *_: "3") as server:
        judge = judge_at(server)
        judge.ask([grade("one\u2028two\x85three\x0bfour\r\nfive")])
        judge.export(tmp_path / "export.jsonl")
    assert replayed_judge(tmp_path / "export.jsonl").model == "scripted"
