"""One endpoint's connections: a request goes out, the response's body or a `RequestFailure` comes back.

The only module that holds the key. It comes from OPENAI_API_KEY alone and is cut out of every text that leaves here; no
exception of the HTTP client, which holds the request with its headers, leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from ..errors import JudgeError
from . import completions, error_bodies
from .completions import RequestFailure
from .error_bodies import ErrorBody

if TYPE_CHECKING:
    import aiohttp
    import yarl

OPENAI = "https://api.openai.com/v1"
LONGEST_MESSAGE = 300  # characters kept of what an endpoint says of an error
_CUT_OUT = "[key]"


class Transport:
    """Connections to the endpoint at `base_url`, else at OPENAI_BASE_URL, else OpenAI's own."""

    def __init__(self, base_url: str | None, *, connections: int, timeout: float, setting: str) -> None:
        """Connect on the first request; made where an event loop runs. `timeout` is in seconds, for a whole request.

        `setting` is what a user calls `base_url`. Raises `JudgeError` where there is neither a key nor an endpoint that
        may do without one, and for an address that is none.
        """
        import aiohttp

        base = base_url or os.environ.get("OPENAI_BASE_URL")
        self._key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not self._key and not base:
            remedy = f"set it, or name an endpoint that needs none with {setting} or OPENAI_BASE_URL"
            raise JudgeError("there is no key for the endpoint", "OPENAI_API_KEY", remedy)
        address = _address(base or OPENAI, source=setting if base_url else "OPENAI_BASE_URL")
        self.where = address.origin().authority + address.path  # no more: the rest may be secret
        self._url, self._timeout, self._lost = address / "chat" / "completions", timeout, aiohttp.ClientError
        self._http = _session(address, self._key, connections)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def post(self, body: Mapping[str, Any]) -> bytes | RequestFailure:
        """Send a chat-completions request and return the body of its response, or why there is none."""
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            # One clock for it all: a body that trickles in would reset the HTTP client's own.
            async with (
                asyncio.timeout(self._timeout),
                self._http.post(self._url, data=data, allow_redirects=False) as response,
            ):
                content = await response.read()
        except TimeoutError:
            return RequestFailure(f"no reply within {self._timeout:g} s", passing=True)
        except self._lost as lost:
            return RequestFailure(f"the connection failed ({type(lost).__name__})", passing=True)
        if 200 <= response.status < 300:
            return content
        return completions.request_failure(response.status, response.headers, self.error_body(content), sent=body)

    def error_body(self, content: bytes) -> ErrorBody:
        """Return what the body of a response complains of, without the key."""
        found = error_bodies.read_error_body(content)
        return replace(found, message=self.scrub(found.message)[:LONGEST_MESSAGE])

    def scrub(self, text: str) -> str:
        """Return the text without the key."""
        return text.replace(self._key, _CUT_OUT) if self._key else text


def _session(address: yarl.URL, key: str, connections: int) -> aiohttp.ClientSession:
    """Return connections, one per worker, that send what `openai` sends and trust whom it trusts."""
    import aiohttp
    import httpx2
    import openai

    context = httpx2.create_ssl_context()
    unused = httpx2.Client(verify=context, trust_env=False)
    with openai.OpenAI(api_key=key or "none", base_url=str(address), http_client=unused) as client:
        headers = {**client.default_headers, **client.auth_headers}
    if address.user:
        del headers["Authorization"]  # the address brings its own
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=context),
        # Those called X-Stainless describe the user's machine, which concerns no endpoint.
        headers={name: text for name, text in headers.items() if isinstance(text, str) and "Stainless" not in name},
        timeout=aiohttp.ClientTimeout(),  # none: `post` has its own
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxy(address),
    )


def _proxy(address: yarl.URL) -> str | None:
    """Return the proxy that the environment names for an address (HTTPS_PROXY, ALL_PROXY, NO_PROXY and so on)."""
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(address.origin().authority):
        return None
    scheme, found, _ = proxy.partition("://")
    if found and scheme not in ("http", "https"):
        remedy = "name one that begins with http://, or except the endpoint's host with NO_PROXY"
        raise JudgeError(
            f"requests cannot use a {scheme} proxy", f"{address.scheme.upper()}_PROXY or ALL_PROXY", remedy
        )
    return proxy if found else f"http://{proxy}"


def _address(base: str, source: str) -> yarl.URL:
    """Return a base URL as such; of one that is none nothing is shown but its source, since it may hold secrets."""
    import yarl

    try:
        address = yarl.URL(base)
    except ValueError:
        address = yarl.URL()
    if address.scheme not in ("http", "https") or not address.host:
        remedy = "write it as http://HOST:PORT/v1 or https://HOST/v1"
        raise JudgeError("the endpoint's address is no http address", source, remedy)
    return address
