"""A model's budget is spent, and not overspent, at endpoints that bill as providers do."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
import pytest

from ecva_bench.adapters.openai_endpoint.picture_tokens import most_tokens
from ecva_bench.answering import create_adapter
from ecva_bench.errors import AdapterError, ModelGone
from ecva_bench.judging.prices import find_price
from ecva_bench.records import Moment
from ecva_bench.video import Video
from tests.metering import RULES, Meter


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Video]:
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(10):
            picture = np.full((360, 640, 3), 60 + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with Video(path) as found:
        yield found


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def ask_until_it_ends(server: Meter, video: Video, **options: str) -> str:
    """Ask until the budget ends; return how that was told."""
    adapter = create_adapter(f"openai:{server.model}", {"base_url": server.url, "frames": "2", **options})
    try:
        for batch in range(1000):
            try:
                adapter.answer_many(video, [f"What happened before moment {batch}-{n}?" for n in range(70)])
            except ModelGone as gone:
                return str(gone)
            except AdapterError:
                continue
    finally:
        adapter.close()
    raise AssertionError("the budget does not end")


@pytest.mark.parametrize("at_once", ["1", "16", "64"])
@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-5-mini"])
def test_a_budget_is_spent_and_not_more(model: str, at_once: str, video: Video) -> None:
    price = find_price(model)
    assert price
    usd = 0.25
    with Meter(model, caches=True, delay=0.001) as server:
        ask_until_it_ends(server, video, budget_usd=str(usd), concurrency=at_once, max_new_tokens="256")
        assert 0.95 * usd <= server.usd(price.input, price.output, price.cached_input) <= usd


def test_where_one_call_is_much_of_the_budget_the_end_says_so(video: Video) -> None:
    with Meter("gpt-4o") as server:
        told = ask_until_it_ends(server, video, budget_usd="0.02")
    assert "which may take 0.0" in told
    assert "of 0.02 USD used" in told


@pytest.mark.parametrize("model", RULES)
@pytest.mark.parametrize("size", [(64, 48), (384, 384), (385, 20), (768, 432), (432, 768), (768, 768)])
@pytest.mark.parametrize("detail", ["low", "high"])
def test_the_first_bound_of_a_picture_is_none_too_low_and_not_far_off(
    model: str, size: tuple[int, int], detail: str
) -> None:
    counted = RULES[model](*size, detail)
    assert counted <= most_tokens(f"provider/{model}", *size, low=detail == "low") <= 1.4 * counted


def test_detail_goes_out_with_every_picture_and_into_the_description(video: Video) -> None:
    with Meter("gpt-4o") as server:
        options = {"base_url": server.url, "frames": "2"}
        low, plain = (
            create_adapter("openai:gpt-4o", {**options, "detail": "low"}),
            create_adapter("openai:gpt-4o", options),
        )
        low.answer(video, "Why?"), plain.answer(video, "Why?")
        low.close(), plain.close()
        parts = [request.body["messages"][0]["content"] for request in server.requests]
    details = [[part["image_url"].get("detail") for part in some if "image_url" in part] for some in parts]
    assert details == [["low", "low"], [None, None]]
    assert low.describe()["picture"] == {**plain.describe()["picture"], "detail": "low"}
    assert server.usages[0][0] - server.usages[1][0] == 2 * (85 - (85 + 2 * 170))


def test_a_video_is_read_once_where_what_is_cached_is_cheaper(video: Video) -> None:
    questions = [f"What happened, {n}?" for n in range(6)]
    with Meter("gpt-4o", caches=True, delay=0.01) as server:
        adapter = create_adapter("openai:gpt-4o", {"base_url": server.url, "frames": "4", "concurrency": "6"})
        adapter.answer_many(video, ["Is it settled what is rejected?"])
        for event in (1, 2):
            shown = video.without([Moment(start=0.2 * event, end=0.2 * event + 0.1)])  # other frames, other times
            adapter.answer_many(shown, questions)
        adapter.close()
    assert [cached >= 1024 for *_, cached in server.usages] == [False] + 2 * ([False] + 5 * [True])
    assert server.most_open == 5
