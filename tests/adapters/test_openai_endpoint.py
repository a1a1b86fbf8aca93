"""`openai:` against a server on loopback that looks at every byte, and misbehaves as servers do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecva_bench as eb
from ecva_bench.adapters.openai_endpoint.frames import FrameEncoding
from ecva_bench.adapters.parts.media.frames import UNSEEN
from ecva_bench.answering import ModelOutput, create_adapter
from ecva_bench.errors import AdapterError, AnswerLost, AnswerRefused, ModelGone, UsageError
from ecva_bench.journal.results import read_results
from ecva_bench.judging import client
from ecva_bench.judging.error_bodies import read_error_body
from ecva_bench.tasks import find_tasks, prompt_for
from ecva_bench.video import Video
from tests.cases import case
from tests.clips import write_clip
from tests.judging.server import Fault, Request, completion, error

from .model_server import TASKS, ModelServer, answer_to, ask_all, pictures_in, recorded_texts

KEY = "sk-very-secret-0123456789"
MODEL = "openai:tiny-vision"
PATIENCE = {"retries": "1", "timeout": "5"}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(client, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for number in (1, 2, 3):
        write_clip(folder / f"{number}.mp4", frames=40 + number)
    return folder


@pytest.fixture
def video(folder: Path) -> Iterator[Video]:
    with Video(folder / "1.mp4") as video:
        yield video


def at(server: ModelServer, **options: str) -> dict[str, str]:
    return {"base_url": server.url, **PATIENCE, **options}


def ask(server: ModelServer, video: Video, *questions: str, **options: str) -> list[str]:
    adapter = create_adapter(MODEL, at(server, **options))
    try:
        return adapter.answer_many(video, questions or ["What happened?"])
    finally:
        adapter.close()


# What is sent


def test_every_byte_of_a_request_with_png_is_as_said(video: Video) -> None:
    with ModelServer() as server:
        (text,) = ask(server, video, "What happened?", image="png", frames="4", max_new_tokens="77")
        (request,) = server.requests
    parts = request.body["messages"][0]["content"]
    frames = video.frames_at([0, 13, 26, 40])
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    words = [{"type": "text", "text": f"{second:.1f} s:"} for second in (0.0, 1.3, 2.6, 4.0)]
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    assert request.body == {
        "model": "tiny-vision",
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "text",
                        "text": "A video of 4.1 seconds, as 4 frames. Before each stands its time.",
                    },
                    *(part for pair in zip(words, pictures, strict=True) for part in pair),
                    {"type": "text", "text": "What happened?"},
                ],
            }
        ],
        "temperature": 0,
        "seed": 0,
        "max_completion_tokens": 77,
    }
    shown = np.stack([picture for url in urls for picture in pictures_in(url)])
    assert np.array_equal(shown, frames.pixels)
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY.encode() not in request.raw
    assert text == answer_to(request.body["messages"])


def test_no_frames_are_words_alone_and_no_picture_is_read(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Video, "frames_at", None)
    with ModelServer() as server:
        adapter = create_adapter(MODEL, at(server, frames="0"))
        adapter.answer_many(video, ["What happened?", "Why?"])
        adapter.close()
        contents = [request.body["messages"][0]["content"] for request in server.requests]
    assert sorted(content[-1]["text"] for content in contents) == ["What happened?", "Why?"]
    assert {json.dumps(content[:-1]) for content in contents} == {json.dumps([{"type": "text", "text": UNSEEN}])}
    assert adapter.describe()["frames"] == {"rule": "none"}
    assert adapter.describe()["introduction"] == UNSEEN


def test_half_a_character_costs_no_answer(video: Video) -> None:
    with ModelServer(says=[completion("[5] \ud83d")]) as server:
        assert ask(server, video) == ["[5] \ufffd"]


@pytest.mark.parametrize("key", ["none", "x", "length"])
def test_a_key_that_is_a_word_changes_no_answer_and_no_end(
    key: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such keys stand for none: a server of one's own takes any."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    said = "The length of the taxi: none."
    with ModelServer(says=[completion(said, finish="max_tokens")] * 9) as server:
        results = ask_all(MODEL, at(server), folder, tmp_path / "r.jsonl")
    assert {(one.answer, one.finish) for one in results.answers} == {(said, "length")}


def test_jpeg_is_near_and_large_frames_are_made_smaller(video: Video) -> None:
    with ModelServer() as server:
        ask(server, video, frames="3")
        ask(server, video, frames="3", image="png", max_side="32")
        near, small = ([p for p in r.body["messages"][0]["content"] if "image_url" in p] for r in server.requests)
    frames = video.frames_at([0, 20, 40]).pixels
    for part, exact in zip(near, frames, strict=True):
        (picture,) = pictures_in(part["image_url"]["url"])
        assert np.abs(picture.astype(int) - exact).max() <= 12  # at a sharp edge
    for part, exact in zip(small, frames, strict=True):
        (picture,) = pictures_in(part["image_url"]["url"])
        assert picture.shape == (24, 32, 3)
        means = exact.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
        assert np.abs(picture - means).max() < 40  # Lanczos overshoots at the square's edges
        assert np.abs(picture - means).mean() < 2


def test_jpeg_keeps_colours_apart() -> None:
    rows, columns = np.mgrid[0:48, 0:64]
    red_over_blue = np.stack([250 - 5 * rows, 2 * columns, 5 * rows], axis=-1).astype(np.uint8)
    (picture,) = pictures_in(f"data:image/jpeg;base64,{FrameEncoding('jpeg', 768).encode(red_over_blue)}")
    assert 0 < np.abs(picture.astype(int) - red_over_blue).max() <= 4


def test_as_a_video_the_same_frames_go_out_with_their_places(folder: Path) -> None:
    with ModelServer() as server, Video(folder / "1.mp4") as whole:
        video = whole.without([])
        ask(server, video, frames="5", frames_as="video")
        body = server.requests[0].body
    video_part, question = body["messages"][0]["content"]
    assert question == {"type": "text", "text": "What happened?"}
    shown = pictures_in(video_part["video_url"]["url"])
    indices = [0, 10, 20, 30, 40]
    assert np.abs(np.stack(shown).astype(int) - video.frames_at(indices).pixels).mean() < 1
    sent = body["media_io_kwargs"]["video"]
    assert sent.pop("fps") == pytest.approx(10)
    assert sent.pop("duration") == pytest.approx(4.1)
    assert sent == {"num_frames": -1, "total_num_frames": 41, "frames_indices": indices, "do_sample_frames": False}
    assert video_part["type"] == "video_url"


@pytest.mark.parametrize(
    ("options", "indices"),
    [
        ({"frames": "3"}, [0, 20, 40]),
        ({"frames": "4", "sampler": "starts"}, [0, 10, 20, 30]),
        ({"fps": "2"}, [0, 5, 10, 15, 20, 25, 30, 35, 40]),
        ({"fps": "2", "frames": "3"}, [0, 20, 40]),
        ({"frames": "1000"}, list(range(41))),
    ],
)
def test_frames_by_rule_each_once(options: dict[str, str], indices: list[int], video: Video) -> None:
    adapter = create_adapter(MODEL, {"base_url": "http://127.0.0.1:9/v1", **options})
    assert list(adapter.frame_indices(video)) == indices
    adapter.close()


@pytest.mark.parametrize(
    "options",
    [
        {"frames": "-1"},
        {"fps": "0"},
        {"fps": "2", "sampler": "starts"},
        {"sampler": "dense"},
        {"frames_as": "gif"},
        {"image": "png", "frames_as": "video"},
        {"timeout": "0"},
        {"retries": "-1"},
        {"budget_usd": "2"},  # without a price
        {"prices": "/nowhere.json"},
    ],
    ids=str,
)
def test_options_without_a_meaning_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        create_adapter(MODEL, options)


def test_a_video_is_encoded_once_and_its_questions_are_asked_together(folder: Path, tmp_path: Path) -> None:
    with ModelServer(delay=0.1) as server:
        results = ask_all(MODEL, at(server), folder, tmp_path / "r.jsonl")
        assert len(server.requests) == len(results.answers) == 9
        assert server.most_open == len(TASKS)
        first = [request.body["messages"][0]["content"][:-1] for request in server.requests[:3]]
        assert first[0] == first[1] == first[2]
    with ModelServer(delay=0.1) as server:
        one_by_one = ask_all(MODEL, at(server, concurrency="1"), folder, tmp_path / "one.jsonl")
        assert server.most_open == 1
    assert recorded_texts(one_by_one) == recorded_texts(results)


def test_an_edited_view_is_sent_with_the_times_it_is_shown_at(folder: Path, tmp_path: Path) -> None:
    with ModelServer() as server:
        results = ask_all(MODEL, at(server, frames="2"), folder, tmp_path / "r.jsonl", views=("anomaly",))
        texts = [part["text"] for part in server.requests[0].body["messages"][0]["content"] if "text" in part]
    assert texts[:3] == ["A video of 3.3 seconds, as 2 frames. Before each stands its time.", "0.0 s:", "3.2 s:"]
    frames = results.answers[0].frames
    assert frames is not None
    assert frames.timestamps == pytest.approx((0.0, 4.0))  # on the original timeline


# What comes back


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, error("boom")),
        Fault(429, error("slow down"), {"Retry-After": "0"}),
        Fault(drop=True),
        Fault(body=completion("{}"), cut=20),
        Fault(body=b'{"choices": [{"message": {"content": "{'),
        Fault(delay=30.0),
    ],
    ids=["500", "429", "dropped", "cut", "truncated", "hangs"],
)
def test_what_passes_is_asked_again_with_the_same_bytes(fault: Fault, video: Video) -> None:
    with ModelServer(faults=[fault]) as server:
        (text,) = ask(server, video, timeout="1")
        assert len(server.requests) == 2
        assert server.requests[0].raw == server.requests[1].raw
        assert text == answer_to(server.requests[0].body["messages"])


REFUSALS = [
    completion(None, refusal="I cannot help with that."),
    completion("It began", finish="content_filter"),
    Fault(400, error("filtered", code="content_filter")),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["refusal", "filter", "400"])
def test_a_refusal_is_a_record_for_good(refusal: Any, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with ModelServer(
        says=[refusal] if isinstance(refusal, dict) else [], faults=[refusal] * isinstance(refusal, Fault)
    ) as server:
        first = ask_all(MODEL, at(server, concurrency="1"), folder, out)
        assert len(server.requests) == 9  # the other answers of the batch are not paid twice
        again = ask_all(MODEL, at(server), folder, out)
        assert len(server.requests) == 9
    (failure,) = first.failures
    assert (failure.id, failure.stage, failure.error, failure.retryable) == (
        "1/description",
        "answer",
        "refusal",
        False,
    )
    assert len(first.answers) == 8
    assert recorded_texts(again) == recorded_texts(first)


def test_an_answer_that_was_cut_off_says_so(video: Video) -> None:
    with ModelServer(says=[completion("It began with", finish="length")]) as server:
        cut, whole = ask(server, video, "Why?", "What?", concurrency="1")
    assert isinstance(cut, ModelOutput)
    assert (cut, cut.finish, cut.steps) == ("It began with", "length", {"served": "scripted-1"})
    assert isinstance(whole, ModelOutput)
    assert whole.finish == "stop"


THOUGHT = "Is it [5]?"
WAYS = {
    "reasoning_content": {"content": "[7]", "reasoning_content": THOUGHT},
    "reasoning": {"content": "[7]", "reasoning": THOUGHT, "reasoning_content": None},
    "thinking": {"content": "[7]", "thinking": THOUGHT},
    "parts": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Is it "}, {"type": "text", "text": "[5]?"}]},
            {"type": "text", "text": "[7]"},
        ]
    },
    "reasoning parts": {"content": [{"type": "reasoning", "text": THOUGHT}, {"type": "text", "text": "[7]"}]},
    "details": {"content": "[7]", "reasoning_details": [{"type": "reasoning.summary", "summary": THOUGHT}]},
    "both": {
        "content": "[7]",
        "reasoning": THOUGHT,
        "reasoning_details": [{"type": "reasoning.text", "text": THOUGHT}],
    },
    "in the text": {"content": f"<think>{THOUGHT}</think>[7]"},
}


@pytest.mark.parametrize("message", WAYS.values(), ids=WAYS.keys())
def test_a_thought_that_an_endpoint_tells_goes_into_the_record_and_is_no_answer(
    message: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    reply = completion("")
    reply["choices"][0]["message"].update(message)
    with ModelServer(says=[reply]) as server:
        first = ask_all(MODEL, at(server, concurrency="1"), folder, tmp_path / "r.jsonl").answers[0]
    assert first.answer == "[7]"
    assert first.steps == {"served": "scripted-1", "thought": THOUGHT}


@pytest.mark.parametrize(
    "odd", [{"reasoning": {"effort": 1}}, {"reasoning_content": 7}, {"reasoning_details": [None, {"type": None}]}]
)
def test_a_thought_that_is_no_text_is_left_out(odd: dict[str, Any], video: Video) -> None:
    reply = completion("[7]")
    reply["choices"][0]["message"].update(odd)
    with ModelServer(says=[reply]) as server:
        (text,) = ask(server, video, "Why?")
    assert isinstance(text, ModelOutput)
    assert (text, text.steps) == ("[7]", {"served": "scripted-1"})


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_each_word_for_an_answer_that_was_cut_off_is_known(reason: str, folder: Path, tmp_path: Path) -> None:
    with ModelServer(says=[completion("It began", finish=reason)]) as server:
        first = ask_all(MODEL, at(server, concurrency="1"), folder, tmp_path / "r.jsonl").answers[0]
    assert (first.answer, first.finish, first.cut_off) == ("It began", "length", True)


def test_its_end_is_recorded(folder: Path, tmp_path: Path) -> None:
    with ModelServer(says=[completion(""), completion("It be", finish="length")]) as server:
        results = ask_all(MODEL, at(server, concurrency="1"), folder, tmp_path / "r.jsonl")
    assert [a.finish for a in results.answers] == ["stop", "length"] + 7 * ["stop"]
    assert results.answers[0].answer == ""  # of a model that stopped by itself, an empty answer is an answer


def test_a_message_in_parts_is_read_and_one_that_is_no_text_is_asked_for_again(video: Video) -> None:
    parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "A "}, {"type": "text", "text": "fire."}]
    with ModelServer([completed(parts), completed(7), completed([{"type": "text"}])]) as server:
        assert ask(server, video, "Why?") == ["A fire."]
        assert ask(server, video, "Why?", retries="2") == [answer_to(server.requests[0].body["messages"])]
        assert len(server.requests) == 4


@pytest.mark.parametrize("tokens", ["12", -5, float("nan"), [1], 10_000_000, 800_000])
def test_a_reply_that_counts_what_cannot_be_is_refused_within_a_budget_and_costs_the_most(
    video: Video, tokens: Any
) -> None:
    said = completed("A fire.")
    said["usage"]["prompt_tokens"] = tokens
    with ModelServer([said] * 2) as server:
        assert ask(server, video, "Why?") == ["A fire."]  # without a budget nothing hangs on it
        adapter = create_adapter(MODEL, at(server, budget_tokens="100000"))
        with pytest.raises(AdapterError, match="the endpoint counts"):
            adapter.answer(video, "Why?")
        spent = adapter.usage()
        assert (spent["tokens_in"], spent["uncounted"], spent["failed"]) == (0, 1, 1)
        with pytest.raises(ModelGone, match=r"may take \d+ tokens \(over all commands \d+ of 100000 tokens used\)"):
            adapter.answer(video, "What?")
        adapter.close()


def test_a_reply_without_a_count_costs_the_most_and_is_an_answer(video: Video) -> None:
    said = {name: value for name, value in completed("A fire.").items() if name != "usage"}
    with ModelServer([said]) as server:
        adapter = create_adapter(MODEL, at(server, budget_tokens="100000"))
        assert adapter.answer(video, "Why?") == "A fire."
        assert adapter.usage()["uncounted"] == 1
        with pytest.raises(ModelGone, match="does not cover another call"):
            adapter.answer(video, "What?")
        adapter.close()


def completed(content: Any) -> dict[str, Any]:
    """A completion whose message has any content."""
    found = completion("")
    found["choices"][0]["message"]["content"] = content
    return found


def test_a_response_nested_without_end_is_no_reply(video: Video) -> None:
    with ModelServer([Fault(body=b"[" * 200_000), Fault(503, b"[" * 200_000)]) as server:
        assert ask(server, video, "Why?", retries="2") == [answer_to(server.requests[0].body["messages"])]


def test_parameters_that_are_turned_down_are_left_out_and_named(video: Video) -> None:
    with ModelServer(refuses=("temperature", "max_completion_tokens")) as server:
        first, second = ask(server, video, "Why?", "What?", concurrency="1")
        last = server.requests[-1].body
    assert isinstance(first, ModelOutput)
    assert first.steps == {"served": "scripted-1", "left_out": ["max_completion_tokens", "temperature"]}
    assert second.steps == first.steps  # type: ignore[attr-defined]
    assert len(server.requests) == 4
    assert last["max_tokens"] == 1024
    assert not {"temperature", "max_completion_tokens"} & set(last)


def test_a_request_that_cannot_be_met_fails_alone(video: Video) -> None:
    with ModelServer(faults=[Fault(400, error("too many images"))]) as server:
        adapter = create_adapter(MODEL, at(server, concurrency="1"))
        with pytest.raises(AdapterError, match="HTTP 400 too many images") as caught:
            adapter.answer_many(video, ["Why?", "What?"])
        assert not caught.value.retryable
        assert adapter.answer(video, "What?") == answer_to(server.requests[1].body["messages"])
        assert len(server.requests) == 2
        adapter.close()


def test_refusals_and_losses_are_told_apart(video: Video) -> None:
    with ModelServer(says=[REFUSALS[0]]) as server, pytest.raises(AnswerRefused, match="I cannot help with that"):
        ask(server, video)
    with ModelServer(faults=2 * [Fault(503)]) as server, pytest.raises(AnswerLost, match="HTTP 503"):
        ask(server, video)


# What ends a run, and how it goes on


def test_a_server_that_dies_in_the_middle_costs_nothing_in_the_end(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with ModelServer() as server:
        undisturbed = ask_all(MODEL, at(server), folder, tmp_path / "undisturbed.jsonl")
    with ModelServer(says=[None, None, *100 * [Fault(drop=True)]]) as server:
        broken = ask_all(MODEL, at(server, concurrency="1"), folder, out)
    assert len(broken.answers) == 2
    assert {(f.error, f.retryable) for f in broken.failures} == {("no_answer", True)}
    with ModelServer() as server:  # at another address
        resumed = ask_all(MODEL, at(server), folder, out)
        assert len(server.requests) == 7
    assert recorded_texts(resumed) == recorded_texts(undisturbed)
    assert not resumed.failures


def test_a_server_that_stays_dead_ends_the_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FAILURES_IN_A_ROW", 4)
    out = tmp_path / "r.jsonl"
    with pytest.raises(ModelGone, match="4 calls in a row failed"):
        ask_all(MODEL, {"base_url": "http://127.0.0.1:9/v1", **PATIENCE, "concurrency": "1"}, folder, out)
    with ModelServer() as server:
        assert len(ask_all(MODEL, at(server), folder, out).answers) == 9


def test_an_endpoint_without_probabilities_ends_a_run_that_needs_them_at_its_first_reply(tmp_path: Path) -> None:
    with ModelServer() as server:
        with pytest.raises(ModelGone, match="gives no log-probabilities"):
            eb.run(
                MODEL,
                tasks="severity",
                severity_from="likelihood",
                limit=3,
                model_args=at(server),
                out=tmp_path / "r.jsonl",
            )
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_no_later_question_would_survive_ends_the_run(status: int, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with ModelServer(faults=[None, None, None, None, *100 * [Fault(status, error(f"bad {KEY}"))]]) as server:
        with pytest.raises(ModelGone, match="check the model's name, --model-arg base-url and OPENAI_API_KEY"):
            ask_all(MODEL, at(server, concurrency="1"), folder, out)
        asked = len(server.requests)
    assert asked <= 9
    text = out.read_text()
    assert KEY not in text
    assert len([line for line in text.splitlines() if json.loads(line)["type"] == "answer"]) == 4
    with ModelServer() as server:
        assert len(ask_all(MODEL, at(server), folder, out).answers) == 9
        assert len(server.requests) == 5


def test_without_a_key_only_a_named_endpoint_is_asked(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelGone, match="there is no key for the endpoint: OPENAI_API_KEY: set it, or name"):
        create_adapter(MODEL).answer(video, "Why?")
    with ModelServer() as server:
        assert ask(server, video)


def test_money_is_never_overspent_and_a_new_budget_goes_on(folder: Path, tmp_path: Path) -> None:
    out, prices = tmp_path / "r.jsonl", tmp_path / "prices.json"
    prices.write_text(json.dumps({"models": {"tiny-vision": {"input": 1.0, "output": 2.0}}}))
    options = {"prices": str(prices), "frames": "2", "max_new_tokens": "50"}
    cost = (8000 * 1.0 + 10 * 2.0) / 1e6  # what the server counts, at that price
    words = 190 + max(len(prompt_for(task).text.encode()) for task in find_tasks(list(TASKS)))
    most = (8000 + words + 2 * 50) / 1e6  # pictures are at most what they were; words are at most their bytes
    limit = 4.5 * cost + most
    with ModelServer([completion("A fire.", tokens=(8000, 10, 0))] * 9) as server:
        with pytest.raises(ModelGone, match="the rest does not cover another call"):
            ask_all(MODEL, at(server, **options, budget_usd=f"{limit:.9f}"), folder, out)
        records = [json.loads(line) for line in out.read_text().splitlines()]
        answered = [record for record in records if record["type"] == "answer"]
        assert len(answered) == len(server.requests)  # each was paid, and each is written
        assert len(answered) == 5
        spent = [record["detail"] for record in records if record.get("event") == "spent"]
        assert [detail["video"] for detail in spent] == ["1", "1", "2", "2"]  # the first alone; the last had no answer
        assert sum(detail.get("usd", 0) for detail in spent) == pytest.approx(len(answered) * cost)
        assert sum(detail.get("usd", 0) for detail in spent) <= limit
        assert sum(detail.get("tokens_in", 0) for detail in spent) == 8000 * len(answered)
        assert {detail["endpoint"] for detail in spent if "usd" in detail} == {server.url.removeprefix("http://")}
        resumed = ask_all(MODEL, at(server, **options, budget_usd="1"), folder, out)
        assert len(server.requests) == 9
    assert len(resumed.answers) == 9


# What the endpoint rejected, and what answered


def generation_in(out: Path) -> dict[str, Any]:
    manifest = json.loads(out.read_text().partition("\n")[0])
    return dict(manifest["spec"]["description"]["generation"])


ASKED = {"temperature": 0, "seed": 0, "max_completion_tokens": 1024}


@pytest.mark.parametrize(
    ("refused", "generation"),
    [
        ((), ASKED),
        (("temperature",), {"seed": 0, "max_completion_tokens": 1024, "left_out": ["temperature"]}),
        (("seed", "temperature"), {"max_completion_tokens": 1024, "left_out": ["seed", "temperature"]}),
        (
            ("max_completion_tokens",),
            {"temperature": 0, "seed": 0, "max_tokens": 1024, "left_out": ["max_completion_tokens"]},
        ),
    ],
)
def test_a_manifest_claims_nothing_that_was_turned_down(
    refused: tuple[str, ...], generation: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r.jsonl"
    with ModelServer(refuses=refused) as server:
        results = ask_all(MODEL, at(server), folder, out)
        assert len(server.requests) == 9 + len(refused)  # asked without from the first answer on, and not tried again
        kept = ask_all(MODEL, at(server), folder, out)  # resumed: nothing is left to ask
        assert len(server.requests) == 9 + len(refused)
    assert generation_in(out) == results.spec["description"]["generation"] == generation
    assert {tuple((a.steps or {}).get("left_out", ())) for a in results.answers} == {refused}
    assert recorded_texts(kept) == recorded_texts(results)


def test_what_was_turned_down_is_in_the_keys(folder: Path, tmp_path: Path) -> None:
    keys = []
    for number, refused in enumerate([(), ("temperature",), ("seed",), ("temperature", "seed")]):
        with ModelServer(refuses=refused) as server:
            results = ask_all(MODEL, at(server), folder, tmp_path / f"{number}.jsonl")
        keys.append({answer.key for answer in results.answers})
    assert [len(some) for some in keys] == [9] * 4
    assert len(set.union(*keys)) == 36


def test_a_resumed_run_asks_as_it_began(folder: Path, tmp_path: Path) -> None:
    """Killed after its first answers, it leaves out what it left out, also where the endpoint would take it by now."""
    out = tmp_path / "r.jsonl"
    stopping = ModelServer(refuses=("temperature",), says=[None, None, *100 * [Fault(401)]])
    with stopping as server, pytest.raises(ModelGone):
        ask_all(MODEL, at(server, concurrency="1"), folder, out)
    assert len(read_results(out).answers) == 2
    with ModelServer() as willing:
        results = ask_all(MODEL, at(willing), folder, out)
        assert len(willing.requests) == 7
        assert not any("temperature" in request.body for request in willing.requests)
    assert len(results.answers) == 9
    assert generation_in(out)["left_out"] == ["temperature"]


class Changing(ModelServer):
    """Takes a seed for its first answers, and then no more."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.left = answers

    def outcome(self, request: Request) -> Fault:
        self.refuses = () if self.left > 0 else ("seed",)
        self.left -= 1
        return super().outcome(request)


def test_an_endpoint_that_changes_its_mind_ends_the_run(folder: Path, tmp_path: Path) -> None:
    """Answers asked for otherwise would be another run's: none is written, and none that is there is lost."""
    out = tmp_path / "r.jsonl"
    ending = r"rejects seed .HTTP 400 Unsupported parameter: 'seed'..*begin another run"
    with Changing(2) as server, pytest.raises(ModelGone, match=ending):
        ask_all(MODEL, at(server, concurrency="1"), folder, out)
    with Changing(0) as server, pytest.raises(ModelGone, match=ending):  # and when it is resumed
        ask_all(MODEL, at(server, concurrency="1"), folder, out)
    assert len(read_results(out).answers) == 2
    with ModelServer() as server:
        results = ask_all(MODEL, at(server), folder, out)
        assert len(server.requests) == 7
    assert len(results.answers) == 9
    assert generation_in(out) == ASKED
    assert not any("left_out" in (answer.steps or {}) for answer in results.answers)


def test_failures_before_the_first_answer_are_kept(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "0.mp4").write_bytes(b"no video at all")
    (tmp_path / "videos" / "1.mp4").write_bytes((folder / "1.mp4").read_bytes())
    out = tmp_path / "r.jsonl"
    with ModelServer(refuses=("seed",)) as server:
        results = ask_all(MODEL, at(server), tmp_path / "videos", out)
    assert ([len(results.answers), len(results.failures)]) == [3, 3]
    assert generation_in(out)["left_out"] == ["seed"]
    assert [json.loads(line)["type"] for line in out.read_text().splitlines()].count("run") == 1


def test_what_answered_is_in_manifest_answers_and_events(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    one, other = ({**completion("Yes."), "model": "m-1", "system_fingerprint": f"fp_{n}"} for n in (1, 2))
    with ModelServer(says=[one] * 4 + [other] * 5) as server:
        ask_all(MODEL, at(server, concurrency="1"), folder, out)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert records[0]["environment"]["served"] == ["m-1@fp_1"]
    answers = [record["steps"]["served"] for record in records if record["type"] == "answer"]
    assert answers == ["m-1@fp_1"] * 4 + ["m-1@fp_2"] * 5
    spent = [record["detail"].get("served") for record in records if record.get("event") == "spent"]
    assert [served for served in spent if served] == [["m-1@fp_1"], ["m-1@fp_2"]]


def test_the_cases_of_errors_reach_the_user_here_too(video: Video) -> None:
    cases = case("endpoint_errors")
    for name, wanted in json.loads((cases / "expected.json").read_text()).items():
        fault = Fault(wanted["status"], (cases / name).read_bytes())
        if left_out := wanted.get("left out"):
            guessed = not read_error_body((cases / name).read_bytes()).names
            with ModelServer(faults=[fault] * (1 + guessed)) as server:
                (text,) = ask(server, video)
                assert text.steps["left_out"] == left_out  # type: ignore[attr-defined]
        else:
            with ModelServer(faults=[fault] * 2) as server, pytest.raises(AnswerLost) as caught:
                ask(server, video)
            assert wanted["reason holds"] in str(caught.value)


def test_the_case_of_a_signature_leaves_no_claim_in_the_manifest(folder: Path, tmp_path: Path) -> None:
    script = json.loads((case("judge_signature") / "turned_down.json").read_text())

    class Choosy(ModelServer):
        def outcome(self, request: Request) -> Fault:
            refused = next((step for step in script if step["if sent"] in request.body), None)
            return Fault(refused["status"], refused["body"]) if refused else super().outcome(request)

    out = tmp_path / "r.jsonl"
    with Choosy() as server:
        assert len(ask_all(MODEL, at(server), folder, out).answers) == 9
    assert generation_in(out) == {"max_completion_tokens": 1024, "left_out": ["seed", "temperature"]}


class TooLong(ModelServer):
    """Finds one question too long, in words that name a parameter, whatever it is sent without."""

    def outcome(self, request: Request) -> Fault:
        if "led to" not in request.body["messages"][0]["content"][-1]["text"] or len(self.requests) < self.first:
            return super().outcome(request)
        self.requests.append(request)
        return Fault(400, error("'max_completion_tokens' is too large: 1024, with 3500 tokens of input"))

    first = 0


@pytest.mark.parametrize("first", [0, 3])
def test_a_request_that_is_at_fault_itself_fails_alone_whatever_its_error_names(
    first: int, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r.jsonl"
    with TooLong() as server:
        server.first = first
        results = ask_all(MODEL, at(server, concurrency="1"), folder, out)
    assert {failure.task for failure in results.failures} == {"effect"}
    assert all("is too large" in failure.message for failure in results.failures)
    assert {answer.task for answer in results.answers} >= {"description", "cause"}
    assert generation_in(out) == ASKED
    assert not any("left_out" in (answer.steps or {}) for answer in results.answers)
