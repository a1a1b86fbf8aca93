"""One endpoint's connections: a request goes out, the response's body or a `RequestFailure` comes back.

The only module that holds the key. It comes from OPENAI_API_KEY alone and is cut out of every text that leaves here; no
exception of the HTTP client, which holds the request with its headers, leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.request import getproxies, proxy_bypass

from ..errors import JudgeError
from ..untrusted import scrubbed, secrets
from . import completions, error_bodies
from .bodies import BodyTooLong, bounded, read_body
from .completions import RequestFailure
from .error_bodies import ErrorBody

if TYPE_CHECKING:
    import aiohttp
    import yarl

OPENAI = "https://api.openai.com/v1"
LONGEST_MESSAGE = 300  # characters kept of what an endpoint says of an error
_CUT_OUT = "[key]"

Result = TypeVar("Result")
_IN_HEADERS = ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")  # variables whose values every request has


class _Endpoint:
    """An endpoint's address, and the key for it, which is cut out of what it says."""

    def __init__(self, base_url: str | None, setting: str) -> None:
        base = base_url or os.environ.get("OPENAI_BASE_URL")
        self._key, self._secrets = os.environ.get("OPENAI_API_KEY", "").strip(), secrets()
        if not self._key and not base:
            remedy = f"set it, or name an endpoint that needs none with {setting} or OPENAI_BASE_URL"
            raise JudgeError("there is no key for the endpoint", "OPENAI_API_KEY", remedy)
        for name in _IN_HEADERS:
            value = os.environ.get(name, "").strip()
            if not (value.isascii() and value.isprintable()):
                raise JudgeError("its value cannot be sent in a header", name, "set it anew, on one line")
        self._address = _address(base or OPENAI, source=setting if base_url else "OPENAI_BASE_URL")
        self.where = self._address.origin().authority + self._address.path  # no more: the rest may be secret

    def error_body(self, content: bytes) -> ErrorBody:
        """Return what the body of a response complains of, without the key."""
        found = error_bodies.read_error_body(content)
        return replace(found, message=self.scrub(found.message)[:LONGEST_MESSAGE])

    def scrub(self, text: str) -> str:
        """Return what an error says without the key, however short, and without the other keys of the environment."""
        return scrubbed(text.replace(self._key, _CUT_OUT) if self._key else text, self._secrets)

    def scrub_reply(self, text: str) -> str:
        """Return a model's text without the keys, but for one so short that it may be any word: `none` is an answer."""
        return scrubbed(text, self._secrets)


class Transport(_Endpoint):
    """Connections to the endpoint at `base_url`, else at OPENAI_BASE_URL, else OpenAI's own."""

    def __init__(self, base_url: str | None, *, connections: int, timeout: float, setting: str) -> None:
        """Connect on the first request; made where an event loop runs. `timeout` is in seconds, for a whole request.

        `setting` is what a user calls `base_url`. Raises `JudgeError` where there is neither a key nor an endpoint that
        may do without one, and for an address that is none.
        """
        import aiohttp

        super().__init__(base_url, setting)
        self._url, self._timeout = self._address / "chat" / "completions", timeout
        self._failed, self._unreachable = aiohttp.ClientError, aiohttp.ClientConnectorError
        self._http = _session(self._address, self._key, connections)

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
                content = await read_body(response)
        except BodyTooLong as error:
            return RequestFailure(str(error), lost=True)
        except TimeoutError:
            return RequestFailure(f"no reply within {self._timeout:g} s", passing=True, lost=True)
        except self._unreachable as error:
            return RequestFailure(f"the connection failed ({type(error).__name__})", passing=True)
        except self._failed as error:
            return RequestFailure(f"the connection failed ({type(error).__name__})", passing=True, lost=True)
        if 200 <= response.status < 300:
            return content
        return completions.request_failure(response.status, response.headers, self.error_body(content), sent=body)


@dataclass(frozen=True)
class BatchState:
    """How far a batch is: `status` in the endpoint's words, requests done of all, files of results, what is wrong."""

    status: str
    done: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    wrong: str = ""


class BatchTransport(_Endpoint):
    """The files and batches of an endpoint, by OpenAI's client. Raises `JudgeError` for whatever goes wrong there."""

    def __init__(self, base_url: str | None, *, timeout: float, retries: int, setting: str) -> None:
        """Open nothing yet; see `Transport`. `retries` are the further tries of each request."""
        import httpx2
        import openai

        super().__init__(base_url, setting)
        context = httpx2.create_ssl_context()
        http = httpx2.Client(
            transport=bounded(httpx2.HTTPTransport(verify=context, proxy=_proxy(self._address), trust_env=False)),
            headers={"Accept-Encoding": "identity"},  # so that a body is as long as what comes
            trust_env=False,
            follow_redirects=False,
        )
        self._client = openai.OpenAI(
            api_key=self._key or "none",
            base_url=str(self._address),
            http_client=http,
            timeout=timeout,
            max_retries=retries,
        )
        self._errors = (openai.OpenAIError, BodyTooLong)

    def upload(self, path: Path) -> str:
        """Send a file of requests and return its id."""
        with path.open("rb") as lines:
            return self._tried(lambda: self._client.files.create(file=(path.name, lines), purpose="batch").id)

    def start(self, file: str) -> str:
        """Begin a batch of the requests in a file and return its id."""
        endpoint: Literal["/v1/chat/completions"] = "/v1/chat/completions"
        return self._tried(
            lambda: self._client.batches.create(input_file_id=file, endpoint=endpoint, completion_window="24h").id
        )

    def started(self, file: str) -> str | None:
        """Return the id of a batch that was begun with a file; None where there is none."""
        batches = self._tried(lambda: list(self._client.batches.list(limit=100)))
        return next((batch.id for batch in batches if batch.input_file_id == file), None)

    def state(self, batch: str) -> BatchState:
        """Return how far a batch is."""
        found = self._tried(lambda: self._client.batches.retrieve(batch))
        counts, errors = found.request_counts, found.errors.data if found.errors else None
        return BatchState(
            found.status,
            counts.completed + counts.failed if counts else 0,
            counts.total if counts else 0,
            tuple(file for file in (found.output_file_id, found.error_file_id) if file),
            self.scrub("; ".join(error.message or "" for error in errors or ())),
        )

    def read(self, file: str) -> bytes:
        """Return what is in a file of results."""
        return self._tried(lambda: self._client.files.content(file).content)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _tried(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except self._errors as error:  # it holds the request, with the key: no more of it than its words leaves here
            what = f"the batch endpoint failed ({type(error).__name__}: {self.scrub(str(error))[:LONGEST_MESSAGE]})"
            raise JudgeError(what, self.where, "run the same command again: what was submitted is taken up") from None


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
