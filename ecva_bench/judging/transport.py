"""One endpoint's connections: a request goes out, the response's body or a `Problem` comes back.

The only module that holds the key. It comes from OPENAI_API_KEY alone and is cut out of every text that leaves here; no
exception of the HTTP client, which holds the request with its headers, leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import JudgeError
from . import completions
from .completions import Problem

if TYPE_CHECKING:
    import httpx2

LONGEST_MESSAGE = 300  # characters kept of what an endpoint says of an error
_CUT_OUT = "[key]"


class Transport:
    """Connections to the endpoint at `base_url`, else at OPENAI_BASE_URL, else OpenAI's own."""

    def __init__(self, base_url: str | None, *, connections: int, timeout: float) -> None:
        """Connect on the first request. `timeout` is in seconds, for a whole request.

        Raises `JudgeError` where there is neither a key nor an endpoint that may do without one.
        """
        import httpx2
        import openai

        base = base_url or os.environ.get("OPENAI_BASE_URL")
        self._key = os.environ.get("OPENAI_API_KEY", "")
        if not self._key and not base:
            remedy = "set it, or name an endpoint that needs none with --judge-url"
            raise JudgeError("there is no key for the judge", "OPENAI_API_KEY", remedy)
        if base and urlsplit(base).scheme not in ("http", "https"):
            raise JudgeError(
                "the judge's address is no http address", _shown(base), "begin it with http:// or https://"
            )
        self.where = _shown(base) if base else "api.openai.com"
        self._timeout, self._request_error = timeout, httpx2.RequestError
        self._http = _http_client(connections)
        client = openai.AsyncOpenAI(api_key=self._key or "none", base_url=base, http_client=self._http)
        # Address, headers and connections are openai's; a request is sent without its per-request machinery, which
        # takes as much time as everything else in a call together (benchmarks/judge.md) and whose retries,
        # timeouts and parsing are done here another way.
        self._url = httpx2.URL(f"{client.base_url}chat/completions")
        headers = {**client.default_headers, **client.auth_headers}
        # Those called X-Stainless describe the user's machine, which concerns no judge.
        self._http.headers = httpx2.Headers(
            {name: value for name, value in headers.items() if isinstance(value, str) and "Stainless" not in name}
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def post(self, body: Mapping[str, Any]) -> bytes | Problem:
        """Send a chat-completions request and return the body of its response, or why there is none."""
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            # One clock for it all: a body that trickles in would reset the HTTP client's own.
            async with asyncio.timeout(self._timeout):
                response = await self._http.post(self._url, content=content)
        except TimeoutError:
            return Problem(f"no reply within {self._timeout:g} s", passing=True)
        except self._request_error as lost:
            return Problem(f"the connection failed ({type(lost).__name__})", passing=True)
        if response.is_success:
            return response.content
        error = _error_in(response.content)
        message = self.scrub(str(error.get("message") or ""))[:LONGEST_MESSAGE]
        return completions.problem(response.status_code, response.headers, error | {"message": message}, sent=body)

    def scrub(self, text: str) -> str:
        """Return the text without the key."""
        return text.replace(self._key, _CUT_OUT) if self._key else text


def _http_client(connections: int) -> httpx2.AsyncClient:
    """Return a client with a connection per worker, on aiohttp where that is installed: half the work per call."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    make = openai.DefaultAioHttpClient if find_spec("aiohttp") else openai.DefaultAsyncHttpxClient
    return make(limits=limits, timeout=None)


def _error_in(content: bytes) -> dict[str, Any]:
    """Return the error object in the body of a response, or its text as the message of one."""
    try:
        found = json.loads(content)
    except ValueError:
        return {"message": content.decode("utf-8", "replace").strip()}
    error = found.get("error", found) if isinstance(found, dict) else {}
    return error if isinstance(error, dict) else {"message": str(error)}


def _shown(url: str) -> str:
    """Return host and path of an address, without what may be secret in it."""
    parts = urlsplit(url)
    return (parts.hostname or "") + (f":{parts.port}" if parts.port else "") + parts.path
