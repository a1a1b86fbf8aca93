"""How much of a budget is spent: a model and a judge against an endpoint on loopback that bills as providers do.

    python -m benchmarks.budget [--model gpt-4o] [--frames 8] [--budgets 0.5,1,2,20] [--at-once 1,16,64]

For each budget and each number of requests at a time: the share that was spent, by the endpoint's own count, at the
packaged prices. Goal: 95 % to 100 %, and never more.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import av
import numpy as np

from ecva_bench.answering import create_adapter
from ecva_bench.errors import AnswerLost, BudgetExhausted, ModelGone
from ecva_bench.judging.calls import Call
from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.prices import find_price
from ecva_bench.judging.prompts import load_prompt
from ecva_bench.video import Video
from tests.metering import Meter

VERDICT = json.dumps({"rationale": "It is stated.", "verdicts": ["yes"] * 4})
ANSWER = "The man in the red jacket runs across the road without looking and a white van has to brake. " * 12


def clip(path: Path) -> Path:
    """Write a short video of 1280 x 720 pixels."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(40):
            picture = np.full((720, 1280, 3), 60 + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def ask_model(server: Meter, video: Path, usd: float, at_once: int, frames: int) -> None:
    """Ask about a video until the budget ends."""
    options = {"base_url": server.url, "budget_usd": str(usd), "concurrency": str(at_once), "frames": str(frames)}
    adapter = create_adapter(f"openai:{server.model}", options)
    with Video(video) as shown:
        try:
            for start in range(0, 1_000_000, 256):
                try:
                    adapter.answer_many(shown, [f"What happened before moment {n}?" for n in range(start, start + 256)])
                except AnswerLost:  # some of these have no answer for want of money: the next all have none
                    continue
        except ModelGone:
            return
        finally:
            adapter.close()


def ask_judge(server: Meter, folder: Path, usd: float, at_once: int) -> None:
    """Put calls to a judge until the budget ends."""
    prompt = load_prompt("judge/coverage")
    keys = ["a man runs across the road", "a white van brakes", "traffic stops", "people gather"]
    store = folder / f"{usd}-{at_once}.sqlite"
    with open_judge(
        server.model, base_url=server.url, budget_usd=usd, concurrency=at_once, store=store, max_tokens=512
    ) as judge:
        for start in range(0, 1_000_000, 1000):
            calls = [
                Call(prompt, {"key_sentences": keys, "candidate": f"{ANSWER} ({n})"})
                for n in range(start, start + 1000)
            ]
            try:
                judge.ask(calls)
            except BudgetExhausted:
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="gpt-4o")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--budgets", default="0.5,1,2,20")
    parser.add_argument("--at-once", default="1,16,64")
    parser.add_argument("--who", default="model,judge")
    asked = parser.parse_args()
    price = find_price(asked.model)
    assert price, "name a model of the packaged table"
    os.environ.setdefault("OPENAI_API_KEY", "none")
    with tempfile.TemporaryDirectory() as name:
        video = clip(Path(name) / "clip.mp4")
        for who in asked.who.split(","):
            for budget in map(float, asked.budgets.split(",")):
                for at_once in map(int, asked.at_once.split(",")):
                    with Meter(asked.model, VERDICT if who == "judge" else "") as server:
                        if who == "judge":
                            ask_judge(server, Path(name), budget, at_once)
                        else:
                            ask_model(server, video, budget, at_once, asked.frames)
                        spent = server.usd(price.input, price.output, price.cached_input)
                    share = f"{len(server.usages):6} requests, {spent:8.4f} USD, {spent / budget:6.1%}"
                    print(f"{who:5} {asked.model}, {budget:4g} USD, {at_once:2} at a time: {share}", flush=True)


if __name__ == "__main__":
    main()
