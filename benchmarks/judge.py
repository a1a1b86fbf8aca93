"""The judge's overhead: 10,000 calls to a loopback endpoint that takes 50 ms, 64 at a time, against the ideal time.

    python -m benchmarks.judge [--calls 10000] [--concurrency 64] [--delay 0.05] [--rounds 3]

The ideal is calls / concurrency x delay. The endpoint runs in a process of its own and says the same to everyone, so
that it takes little longer than its delay. Beside our time stand the same requests sent by the HTTP client alone and
through `openai`'s own `chat.completions.create`, with nothing of ours, in every round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from ecva_bench.judging import completions
from ecva_bench.judging.backend import Vote
from ecva_bench.judging.calls import Call
from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.prompts import load_prompt
from tests.judging.server import Fault, JudgeServer, Request, completion

ANSWER = "The man in the red jacket runs across the road without looking and a white van has to brake. " * 12


def calls(number: int) -> list[Call]:
    """As many different calls, of the size of real ones."""
    prompt = load_prompt("judge/coverage")
    keys = ["a man runs across the road", "a white van brakes", "traffic stops", "people gather"]
    return [Call(prompt, {"key_sentences": keys, "candidate": f"{ANSWER} ({n})"}) for n in range(number)]


class Endpoint(JudgeServer):
    """An endpoint that answers everything with the same bytes."""

    def __init__(self, delay: float) -> None:
        reply = completion(json.dumps({"rationale": "", "verdicts": ["yes"] * 4}))
        self.reply = Fault(body=json.dumps(reply).encode(), delay=delay)
        super().__init__(lambda *_: self.reply)

    def outcome(self, request: Request) -> Fault:
        self.requests.append(request)
        return self.reply


def serve(delay: float, link: Connection) -> None:
    """Serve until told to stop; tell how many requests came since last asked."""
    with Endpoint(delay) as server:
        link.send(server.url)
        while link.recv() == "count":
            link.send(len(server.requests))
            server.requests.clear()


@contextmanager
def endpoint(delay: float) -> Iterator[tuple[str, Connection]]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(delay, there), daemon=True)
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send("stop")
        process.join()


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def report(name: str, number: int, ideal: float, start: tuple[float, float], link: Connection) -> None:
    wall, cpu = (now - then for now, then in zip(clock(), start, strict=True))
    link.send("count")
    line = f"{name:32} {wall:7.2f} s {wall / ideal:7.3f} {1000 * cpu / number:8.3f} ms {link.recv():8}"
    print(line, flush=True)


Send = Callable[[dict[str, object]], Awaitable[object]]


async def send_all(asked: list[Call], concurrency: int, send: Send) -> None:
    """Send the requests of calls as they are: nothing is stored, retried or parsed beyond JSON."""
    todo = (
        completions.request_body(
            Vote(call, 0, "", ""), model="scripted", max_tokens=completions.MAX_REPLY_TOKENS, without=()
        )
        for call in asked
    )

    async def work() -> None:
        for body in todo:
            await send(body)

    await asyncio.gather(*(work() for _ in range(concurrency)))


async def by_aiohttp(url: str, asked: list[Call], concurrency: int) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def send(body: dict[str, object]) -> object:
            async with session.post(f"{url}/chat/completions", data=json.dumps(body).encode()) as response:
                return json.loads(await response.read())["choices"]

        await send_all(asked, concurrency, send)


async def by_openai(url: str, asked: list[Call], concurrency: int) -> None:
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    http = openai.DefaultAioHttpClient(limits=limits)
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=http) as client:

        async def send(body: dict[str, object]) -> object:
            return (await client.chat.completions.create(**body)).choices  # type: ignore[call-overload]

        await send_all(asked, concurrency, send)


def compare(asked: list[Call], concurrency: int, ideal: float, url: str, link: Connection) -> None:
    """Print one round."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ours", "ours, a second time"):
            store = Path(folder) / "judge.sqlite"
            with open_judge("scripted", base_url=url, concurrency=concurrency, store=store) as judge:
                start = clock()
                verdicts = judge.ask(asked)
                report(name, len(asked), ideal, start, link)
            assert all(verdict.values == (1.0,) * 4 for verdict in verdicts)
    for name, alone in (("aiohttp alone", by_aiohttp), ("openai's create alone", by_openai)):
        start = clock()
        asyncio.run(alone(url, asked, concurrency))
        report(name, len(asked), ideal, start, link)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.environ.pop("OPENAI_API_KEY", None)
    import aiohttp  # noqa: F401
    import openai  # noqa: F401 - their import, half a second or more, is no part of a call

    asked = calls(args.calls)
    ideal = args.calls / args.concurrency * args.delay
    print(f"{args.calls} calls, {args.concurrency} at a time, {1000 * args.delay:g} ms each: ideal {ideal:.2f} s")
    with endpoint(args.delay) as (url, link):
        for number in range(args.rounds):
            print(f"round {number + 1}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
            print(f"{'':32} {'wall':>9} {'x ideal':>7} {'CPU/call':>11} {'requests':>8}")
            compare(asked, args.concurrency, ideal, url, link)


if __name__ == "__main__":
    main()
