"""How much of a response is read: one that has no end would fill the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp
    import httpx2

LONGEST_BODY = 16 << 20  # bytes of a reply, unpacked: a hundred times what the longest answer takes
LONGEST_RESULTS = 1 << 30  # bytes of a file of a batch's results: 50,000 replies of 20 kB


class BodyTooLong(Exception):
    """A body that is longer than is read, and may have no end."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the endpoint's reply is longer than {most >> 20} MiB")


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response, read piece by piece; `BodyTooLong` for one that is longer than any reply."""
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > LONGEST_BODY:
            raise BodyTooLong(LONGEST_BODY)
    return bytes(content)


def bounded(inner: httpx2.HTTPTransport) -> httpx2.BaseTransport:
    """Return a transport whose responses end in a `BodyTooLong` where they are longer than any file of results."""
    import httpx2

    class Stream(httpx2.SyncByteStream):
        def __init__(self, stream: httpx2.SyncByteStream) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for piece in self._stream:
                size += len(piece)
                if size > LONGEST_RESULTS:
                    raise BodyTooLong(LONGEST_RESULTS)
                yield piece

        def close(self) -> None:
            self._stream.close()

    class Bounded(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            response = inner.handle_request(request)
            if isinstance(response.stream, httpx2.SyncByteStream):
                response.stream = Stream(response.stream)
            return response

        def close(self) -> None:
            inner.close()

    return Bounded()
