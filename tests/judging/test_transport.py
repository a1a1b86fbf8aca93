"""Where requests go, what they carry, and whom they trust: against real servers on loopback."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from ecva_bench.errors import JudgeError
from ecva_bench.judging import Verdict
from ecva_bench.judging.judge import open_judge

from .build import grade
from .conftest import KEY, Open
from .server import Fault, JudgeServer


def four(system: str, payload: object) -> str:
    return "4"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def ask(url: str | None, tmp_path: Path) -> Verdict:
    with open_judge("scripted", base_url=url, retries=0, store=tmp_path / "judge.sqlite") as judge:
        return judge.ask([grade()])[0]


@pytest.mark.parametrize(("base", "path"), [("", ""), ("/", ""), ("/v1", "/v1"), ("/v1/", "/v1"), ("/a/b", "/a/b")])
def test_requests_go_below_the_address(base: str, path: str, tmp_path: Path) -> None:
    with JudgeServer(four) as server:
        assert ask(server.url.removesuffix("/v1") + base, tmp_path).value == 4
        assert server.requests[0].path == f"{path}/chat/completions"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"])
@pytest.mark.parametrize("value", ["sk-12345678\r\nX-Other: 1", "sk-1234\u20115678", "sk-1234\x015678"])
def test_a_value_that_no_header_can_have_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, value)
    with JudgeServer(four) as server:
        with pytest.raises(JudgeError, match=f"cannot be sent in a header: {name}") as caught:
            ask(server.url, tmp_path)
        assert server.requests == []
    assert "5678" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://[",
        "http://",
        "http:///v1",
        "https://host:99999/v1",
        "https://host:port/v1",
        "localhost:8000/v1",
        "user:secret@host/v1",
        "ftp://user:secret@host/v1",
        "https://user:secret@[host/v1",
    ],
)
@pytest.mark.parametrize("source", ["--judge-url", "OPENAI_BASE_URL"])
def test_an_address_that_is_none_is_refused_and_not_shown(
    address: str, source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(JudgeError, match=f"no http address: {source}: write it as") as caught:
        ask(address if source == "--judge-url" else None, tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_request_is_not_sent_on_to_another_address(status: int, judge_at: Open) -> None:
    with JudgeServer(four) as elsewhere:
        away = Fault(status, headers={"Location": f"{elsewhere.url}/chat/completions"})
        with (
            JudgeServer(lambda *_: away) as server,
            pytest.raises(JudgeError, match=f"to another address .HTTP {status}"),
        ):
            judge_at(server, concurrency=1).ask([grade()])
        assert len(server.requests) == 1
        assert elsewhere.requests == []


def test_what_a_request_carries(judge_at: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    with JudgeServer(four) as server:
        judge_at(server).ask([grade()])
        headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == headers["accept"] == "application/json"
    assert headers["openai-organization"] == "org-1"
    assert not [name for name in headers if "stainless" in name or name == "cookie"]


def test_an_address_with_a_password_brings_its_own_credentials(tmp_path: Path) -> None:
    with JudgeServer(lambda *_: Fault(401)) as server:
        url = server.url.replace("://", "://me:secret@")
        with pytest.raises(JudgeError, match="refuses the key") as caught:
            ask(url, tmp_path)
        basic = base64.b64encode(b"me:secret").decode()
        assert server.requests[0].headers["authorization"] == f"Basic {basic}"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_of_the_environment_is_used(
    name: str, scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with JudgeServer(four) as proxy:
        host = proxy.url.removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv(name, f"{scheme}me:secret@{host}")
        assert ask("http://judge.invalid/v1", tmp_path).value == 4
        assert proxy.requests[0].path == "http://judge.invalid/v1/chat/completions"
        basic = base64.b64encode(b"me:secret").decode()
        assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {basic}"


def test_hosts_may_be_excepted_from_the_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with JudgeServer(four) as proxy, JudgeServer(four) as server:
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert ask(server.url, tmp_path).value == 4
        assert (len(server.requests), len(proxy.requests)) == (1, 0)


def test_a_proxy_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@127.0.0.1:1080")
    with pytest.raises(JudgeError, match="cannot use a socks5 proxy") as caught:
        ask("http://judge.invalid/v1", tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl program, to make a certificate")
def test_a_certificate_must_be_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=judge -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with JudgeServer(four, tls=tls) as server:
        assert ask(server.url, tmp_path).reason == "failed: the connection failed (ClientConnectorCertificateError)"
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask(server.url, tmp_path).value == 4
