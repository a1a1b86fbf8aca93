"""A judge behind real HTTP on loopback: its verdicts follow a rule on the data, its faults a script.

    with JudgeServer(lambda system, payload: {"verdicts": ["yes"]}) as server:
        open_judge("scripted", base_url=server.url, ...)
        server.requests  # what reached it, in order

A rule gets the system message and the payload (the user message's JSON object) and returns the judge's reply as a
JSON object, as bare text, as the whole completion (`completion(...)`), or a `Fault`. `faults` are played to the first
requests, in order of arrival, before the rule is asked; None in it means none.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a reply. Seconds; `cut` is the number of body bytes sent before the line goes dead."""

    status: int = 200
    body: Mapping[str, Any] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    cut: int | None = None
    drip: float = 0.0

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Request:
    """One request as it reached the server."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @cached_property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)

    @property
    def system(self) -> str:
        return self.body["messages"][0]["content"]

    @property
    def user(self) -> str:
        return self.body["messages"][1]["content"]

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.user)


Outcome = Mapping[str, Any] | str | Fault
Rule = Callable[[str, dict[str, Any]], Outcome]


def completion(
    content: str | None,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    logprobs: Sequence[Mapping[str, Any]] | None = None,
    tokens: tuple[int, int, int] = (100, 10, 0),
) -> dict[str, Any]:
    """A chat completion as endpoints return it; `tokens` are prompt, completion and cached prompt tokens."""
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": content, "refusal": refusal},
        "logprobs": {"content": list(logprobs)} if logprobs is not None else None,
    }
    usage = {
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "total_tokens": tokens[0] + tokens[1],
        "prompt_tokens_details": {"cached_tokens": tokens[2]},
    }
    return {
        "id": "c-1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted-1",
        "choices": [choice],
        "usage": usage,
    }


def error(message: str, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """An error body as endpoints return it."""
    return {"error": {"message": message, "type": "error", "param": param, "code": code}}


class JudgeServer:
    """An OpenAI-compatible endpoint at `url`. `delay` is in seconds; `refuses` names parameters answered with 400.

    `model` is what it calls itself.
    """

    def __init__(
        self,
        rule: Rule,
        *,
        faults: Sequence[Fault | None] = (),
        delay: float = 0.0,
        refuses: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
        model: str = "scripted-1",
    ) -> None:
        self.model = model
        self.rule, self.delay, self.refuses, self.tls = rule, delay, tuple(refuses), tls
        self.faults = list(faults)
        self.requests: list[Request] = []
        self.open = 0  # requests being served now
        self.most_open = 0
        self.connections = 0
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """The data of every request, in order of arrival."""
        return [request.payload for request in self.requests]

    def outcome(self, request: Request) -> Fault:
        """What is sent back for a request, all faults considered."""
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            return fault
        refused = [name for name in self.refuses if name in request.body]
        if refused:
            return Fault(400, error(f"Unsupported parameter: '{refused[0]}'", param=refused[0]))
        said = self.said(request)
        if isinstance(said, Fault):
            return said
        if isinstance(said, Mapping) and "choices" in said:
            return Fault(body=said, delay=self.delay)
        body = completion(said if isinstance(said, str) else json.dumps(said)) | {"model": self.model}
        return Fault(body=body, delay=self.delay)

    def said(self, request: Request) -> Outcome:
        """What the rule says to a request."""
        return self.rule(request.system, request.payload)

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=self.tls)
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Connection(asyncio.Protocol):
    """One keep-alive connection; HTTP/1.1 with Content-Length, one request at a time."""

    def __init__(self, server: JudgeServer) -> None:
        self.server, self.data = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections += 1

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, found, rest = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(rest) < size:
            return
        raw, self.data = rest[:size], rest[size:]
        self._serve(Request(first.split(" ")[1], headers, raw))

    def _serve(self, request: Request) -> None:
        server = self.server
        server.open += 1
        server.most_open = max(server.most_open, server.open)
        reply = server.outcome(request)
        if reply.drip:
            server._loop.create_task(self._drip(reply))
        elif reply.delay:
            server._loop.call_later(reply.delay, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: Fault) -> None:
        self.server.open -= 1
        if reply.drop:
            self.transport.abort()
            return
        body = reply.encoded()
        self.transport.write(self._head(reply, len(body)) + body[: reply.cut])
        if reply.cut is not None:
            self.transport.close()

    async def _drip(self, reply: Fault) -> None:
        body = reply.encoded()
        self.transport.write(self._head(reply, len(body)))
        for number in range(len(body)):
            self.transport.write(body[number : number + 1])
            await asyncio.sleep(reply.drip)
        self.server.open -= 1

    @staticmethod
    def _head(reply: Fault, size: int) -> bytes:
        lines = [
            f"HTTP/1.1 {reply.status} Scripted",
            "Content-Type: application/json",
            f"Content-Length: {size}",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()
