"""The server, asked over a socket as a browser, a script or an attacker would."""

from __future__ import annotations

import re
import shutil
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.report.page import write_page
from ecva_bench.report.server import Server, Unsatisfiable, byte_range

from .build import story
from .conftest import serving


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    """A request as it is written, with nothing normalised; `_` stands for `-` in the names of headers."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in given_headers)
    for name, value in given_headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


@pytest.fixture
def video(folder: Path) -> bytes:
    return (folder / "media" / "00000.mp4").read_bytes()


@pytest.fixture
def path(server: Server) -> str:
    return f"/{server.token}/media/00000.mp4"


def test_the_page_and_its_files(server: Server, folder: Path, video: bytes, path: str) -> None:
    response, content = ask(server, f"/{server.token}/index.html?x=1")
    assert (response.status, content) == (200, (folder / "index.html").read_bytes())
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    response, content = ask(server, path)
    assert (response.status, content, response.headers["Content-Type"]) == (200, video, "video/mp4")
    assert response.headers["Accept-Ranges"] == "bytes"
    response, content = ask(server, path, "HEAD")
    assert (response.status, content, int(response.headers["Content-Length"])) == (200, b"", len(video))


def test_parts_of_a_video(server: Server, video: bytes, path: str) -> None:
    size = len(video)
    for header, part in {
        "bytes=0-0": video[:1],
        "bytes=10-19": video[10:20],
        "bytes=10-": video[10:],
        "bytes=-7": video[-7:],
        f"bytes=-{size + 5}": video,
        f"bytes=5-{size + 99}": video[5:],
    }.items():
        response, content = ask(server, path, Range=header)
        assert (response.status, content) == (206, part), header
        first = size - len(part) if header.startswith("bytes=-") else int(header[6:].split("-")[0])
        assert response.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{size}"


@pytest.mark.parametrize(
    "header",
    ["bytes=0-1,4-5", "bytes=9-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes 0-1", f"bytes={'9' * 5000}-"],
)
def test_what_is_no_single_range_is_answered_whole(server: Server, video: bytes, path: str, header: str) -> None:
    response, content = ask(server, path, Range=header)
    assert (response.status, content) == (200, video)


def test_a_range_under_a_condition_is_answered_whole(server: Server, video: bytes, path: str) -> None:
    response, content = ask(server, path, Range="bytes=0-1", If_Range='"some-version"')
    assert (response.status, content) == (200, video)


@pytest.mark.parametrize("header", ["bytes={size}-", "bytes=9999999-", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_had(server: Server, video: bytes, path: str, header: str) -> None:
    response, content = ask(server, path, Range=header.format(size=len(video)))
    assert (response.status, content) == (416, b"")
    assert response.headers["Content-Range"] == f"bytes */{len(video)}"


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_ranges_as_slices_have_them(size: int, a: int, b: int) -> None:
    content = bytes(range(size))
    for header, expected in (
        (f"bytes={a}-{b}", content[a : b + 1]),
        (f"bytes={a}-", content[a:]),
        (f"bytes=-{a}", content[max(0, size - a) :]),
    ):
        try:
            part = byte_range(header, size)
        except Unsatisfiable:
            assert expected == b""
            continue
        if part is not None:
            assert content[part[0] : part[1] + 1] == expected != b""
        else:
            assert header == f"bytes={a}-{b}"
            assert b < a


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
    ],
)
def test_other_hosts_and_origins_are_refused(server: Server, path: str, headers: dict[str, str]) -> None:
    filled = {name: value.format(port=server.server_port) for name, value in headers.items()}
    response, content = ask(server, path, **filled)
    assert (response.status, content) == (403, b"")


def test_its_own_names_are_not_refused(server: Server, path: str) -> None:
    port = server.server_port
    assert ask(server, path, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")[0].status == 200
    assert ask(server, path, Origin=f"http://127.0.0.1:{port}")[0].status == 200


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/index.html",
        "/wrong-token/index.html",
        "/{token}",
        "/{token}/",
        "/{token}x/index.html",
        "/{token}/..%2f..%2fetc%2fpasswd",
        "/{token}/../videos/v0.mp4",
        "/{token}/%2e%2e/videos/v0.mp4",
        "/{token}//etc/passwd",
        "/{token}/data",
        "/{token}/data/",
        "/{token}/media/",
        "/{token}/media/00002.mp4",
        "/{token}/late.txt",
    ],
)
def test_nothing_else_can_be_had(server: Server, folder: Path, address: str) -> None:
    late = folder / "late.txt"  # there, but not when the server started
    late.write_text("secret")
    try:
        response, content = ask(server, address.format(token=server.token))
    finally:
        late.unlink()
    assert (response.status, content) == (403, b"")


def test_an_address_that_is_none_is_refused(server: Server) -> None:
    response, _ = ask(server, f"http://[::1/{server.token}/index.html", Host=f"127.0.0.1:{server.server_port}")
    assert response.status == 403


def test_each_server_has_a_token_of_its_own_and_listens_on_loopback_only(server: Server, folder: Path) -> None:
    with Server(folder) as other:
        assert other.token != server.token
        assert len(other.token) >= 32
        assert other.socket.getsockname()[0] == "127.0.0.1"


def test_a_file_that_vanished_is_not_found(server: Server, tmp_path: Path) -> None:
    server.files = {**server.files, "gone.txt": tmp_path / "gone.txt"}
    assert ask(server, f"/{server.token}/gone.txt")[0].status == 404


def test_links_lead_nowhere_but_from_media_to_videos(folder: Path, tmp_path: Path) -> None:
    """Links that somebody put into the folder, or in a file's place, before and after the server started."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "secret.txt").write_text("secret")
    page = tmp_path / "page"
    shutil.copytree(folder, page, symlinks=True)
    (page / "data" / "planted.js").symlink_to(tmp_path / "secret.txt")
    (page / "planted").symlink_to(tmp_path / "away")
    (page / "later.js").write_text("ours")
    with serving(page) as server:
        (page / "later.js").unlink()
        (page / "later.js").symlink_to(tmp_path / "secret.txt")
        for name in ("data/planted.js", "planted/secret.txt", "later.js"):
            response, content = ask(server, f"/{server.token}/{name}")
            assert (response.status >= 400, content) == (True, b""), name
        assert ask(server, f"/{server.token}/media/00000.mp4")[0].status == 200


def test_a_page_is_not_written_through_a_link(tmp_path: Path) -> None:
    write_page(story(), tmp_path / "page")
    (tmp_path / "profile").write_text("mine")
    (tmp_path / "page" / "index.html").unlink()
    (tmp_path / "page" / "index.html").symlink_to(tmp_path / "profile")
    write_page(story(), tmp_path / "page")
    assert (tmp_path / "profile").read_text() == "mine"
    assert not (tmp_path / "page" / "index.html").is_symlink()


def test_the_policies_of_a_page_allow_its_own_files_and_nothing_else(server: Server) -> None:
    response, content = ask(server, f"/{server.token}/index.html")
    assert response.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    [policy] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', content.decode())
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    own = dict.fromkeys(("script-src", "style-src", "media-src", "img-src"), "'self'")
    assert allowed == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", **own}
    head = content.decode().partition("<meta http-equiv")[0]
    assert not re.search(r"<(script|link|img|style)\b", head)  # nothing is loaded before it holds


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_read_only(server: Server, path: str, method: str) -> None:
    assert ask(server, path, method)[0].status == 501
