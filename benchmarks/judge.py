"""The judge's overhead: 10,000 calls to a loopback endpoint that takes 50 ms, 64 at a time, against the ideal time.

    python -m benchmarks.judge [--calls 10000] [--concurrency 64] [--delay 0.05]

The ideal is calls / concurrency x delay. The endpoint runs in a process of its own. Beside our wall time stand the same
requests sent by the HTTP client alone and through `openai`'s own `chat.completions.create`, with nothing of ours.
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
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from ecva_bench.judging import completions
from ecva_bench.judging.backend import Vote
from ecva_bench.judging.calls import Call
from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.prompts import load_prompt
from tests.judging.server import JudgeServer

ANSWER = "The man in the red jacket runs across the road without looking and a white van has to brake. " * 12


def calls(number: int) -> list[Call]:
    """As many different calls, of the size of real ones."""
    prompt = load_prompt("judge/coverage")
    keys = ["a man runs across the road", "a white van brakes", "traffic stops", "people gather"]
    return [Call(prompt, {"key_sentences": keys, "candidate": f"{ANSWER} ({n})"}) for n in range(number)]


def serve(delay: float, link: Connection) -> None:
    """Serve until told to stop; then tell how many requests came and the CPU seconds they took."""
    with JudgeServer(lambda _, __: {"rationale": "", "verdicts": ["yes"] * 4}, delay=delay) as server:
        link.send(server.url)
        while link.recv() == "count":
            link.send((len(server.requests), time.process_time()))
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


def report(name: str, number: int, ideal: float, start: tuple[float, float], link: Connection) -> None:
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    link.send("count")
    requests, _ = link.recv()
    line = f"{name:32} {wall:7.2f} s {wall / ideal:7.3f} {1000 * cpu / number:8.3f} ms {requests:8}"
    print(line, flush=True)


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def bodies(asked: list[Call]) -> list[dict[str, object]]:
    return [completions.body(Vote(call, 0, "", ""), model="scripted", without=()) for call in asked]


async def alone(url: str, asked: list[Call], concurrency: int, through_openai: bool) -> None:
    """Send the requests with the client alone: nothing is stored, retried or parsed beyond JSON."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    make = openai.DefaultAioHttpClient if find_spec("aiohttp") else openai.DefaultAsyncHttpxClient
    http = make(limits=limits)
    client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=http)
    todo = iter(bodies(asked))

    async def plain(body: dict[str, object]) -> object:
        response = await http.post(f"{url}/chat/completions", content=json.dumps(body))
        return json.loads(response.content)["choices"]

    async def own(body: dict[str, object]) -> object:
        return (await client.chat.completions.create(**body)).choices  # type: ignore[call-overload]

    send: Callable[[dict[str, object]], Awaitable[object]] = own if through_openai else plain

    async def work() -> None:
        for body in todo:
            await send(body)

    await asyncio.gather(*(work() for _ in range(concurrency)))
    await client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.05)
    args = parser.parse_args()
    os.environ.pop("OPENAI_API_KEY", None)
    import openai  # noqa: F401 - its import, half a second or more, is no part of a call

    asked = calls(args.calls)
    ideal = args.calls / args.concurrency * args.delay
    print(f"{args.calls} calls, {args.concurrency} at a time, {1000 * args.delay:g} ms each: ideal {ideal:.2f} s")
    print(
        f"HTTP by {'aiohttp' if find_spec('aiohttp') else 'httpx2'}, {os.cpu_count()} cores, load {os.getloadavg()[0]}"
    )
    print(f"{'':32} {'wall':>9} {'x ideal':>7} {'CPU/call':>11} {'requests':>8}")
    with endpoint(args.delay) as (url, link), tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "judge.sqlite"
        for name in ("ours", "ours, a second time"):
            with open_judge("scripted", base_url=url, concurrency=args.concurrency, store=store) as judge:
                start = clock()
                verdicts = judge.ask(asked)
                report(name, args.calls, ideal, start, link)
            assert all(verdict.values == (1.0,) * 4 for verdict in verdicts)
        for name, through in (("the HTTP client alone", False), ("openai's create alone", True)):
            start = clock()
            asyncio.run(alone(url, asked, args.concurrency, through))
            report(name, args.calls, ideal, start, link)


if __name__ == "__main__":
    main()
