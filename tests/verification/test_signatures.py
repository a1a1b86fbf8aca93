"""Signatures by throw-away SSH keys, checked against what `ssh-keygen` itself says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ecva_bench.cli.submit import submit_command
from ecva_bench.errors import UsageError
from ecva_bench.records.seals import unsealed_text
from ecva_bench.verification.evidence import Evidence
from ecva_bench.verification.signatures import check_key, sign, signature_path, signature_text
from tests.sealing import unseal

from . import cheats
from .cheats import plant, true_answers
from .test_cheats import built

keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")


def new_key(path: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a test", "-f", path]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def mine(tmp_path_factory) -> Path:
    return new_key(tmp_path_factory.mktemp("keys") / "mine")


@pytest.fixture
def allowed(mine, tmp_path) -> Path:
    path = tmp_path / "allowed"
    path.write_text(f"me@example.org {mine.with_suffix('.pub').read_text()}")
    return path


@pytest.fixture
def signed(mine, tmp_path) -> Path:
    path = tmp_path / "file.json"
    path.write_text('{"a": 1}\n')
    assert sign(path, mine) == signature_path(path)
    return path


@keygen
def test_a_signature_is_one_that_ssh_keygen_accepts_and_names_who_made_it(signed, allowed):
    command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "me@example.org", "-n", "ecva-bench"]
    checked = subprocess.run([*command, "-s", signature_path(signed)], input=signed.read_bytes(), capture_output=True)
    assert checked.returncode == 0, checked.stderr
    assert signature_text(signed, allowed) == "signed by me@example.org"


@keygen
def test_what_does_not_hold_is_named(signed, allowed, mine, tmp_path):
    whole = signed.read_bytes()
    signed.write_bytes(whole + b" ")
    assert signature_text(signed, allowed).startswith("wrong signature (")
    signed.write_bytes(whole)
    other = new_key(tmp_path / "other")
    sign(signed, other)
    assert signature_text(signed, allowed).startswith("signed by nobody who is allowed to (")
    for_git = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", mine]
    made = subprocess.run(for_git, input=whole, capture_output=True, check=True)
    signature_path(signed).write_bytes(made.stdout)
    assert signature_text(signed, allowed).startswith("wrong signature (")
    signature_path(signed).write_text("-----BEGIN SSH SIGNATURE-----\n\x1b[31m::error::\n")
    said = signature_text(signed, allowed)
    assert said.startswith("signed by nobody who is allowed to (")
    assert said.isprintable()
    signature_path(signed).unlink()
    assert signature_text(signed, allowed) == "not signed"


@keygen
def test_what_cannot_sign_or_check_is_an_error_with_a_remedy(signed, mine, tmp_path):
    (tmp_path / "no.key").write_text("nothing")
    before = signature_path(signed).read_bytes()
    for key in (tmp_path / "no.key", tmp_path / "absent"):
        with pytest.raises(UsageError, match=r"cannot be signed with .*--sign"):
            sign(signed, key)
    assert signature_path(signed).read_bytes() == before
    with pytest.raises(UsageError, match="allowed signers cannot be read"):
        signature_text(signed, tmp_path / "absent")


@keygen
def test_what_is_no_list_of_signers_is_named_with_its_line(signed, allowed, mine, tmp_path):
    key, bad = mine.with_suffix(".pub").read_text().strip(), tmp_path / "bad"
    for content, why in (
        ("", "allows nobody"),
        ("# nobody yet\n\n", "allows nobody"),
        (f"# us\nme@example.org {key}\nyou@example.org\n", "line 3 names no signer with a key"),
        (f"{key}\n", "line 1 names no signer"),
        ("me@example.org ssh-ed25519 not-a-key\n", "line 1"),
    ):
        bad.write_text(content)
        with pytest.raises(UsageError, match=why) as refused:
            signature_text(signed, bad)
        assert str(bad) in str(refused.value)
    bad.write_text(f'# us\n"me@example.org" namespaces="ecva-bench,file" {key}\n')
    assert signature_text(signed, bad) == "signed by me@example.org"


@keygen
def test_a_key_is_checked_before_anything_is_written(mine, tmp_path):
    check_key(mine)
    check_key(mine.with_suffix(".pub"))
    (tmp_path / "run.jsonl").write_bytes((cheats.CI / "motion.jsonl").read_bytes())
    (tmp_path / "no.key").write_text("nothing")
    for key in ("no.key", "absent"):
        with pytest.raises(UsageError, match=r"cannot be signed with .*--sign"):
            submit_command([tmp_path / "run.jsonl"], to=tmp_path / "boards", sign=tmp_path / key)
    assert not (tmp_path / "boards").exists()


def test_without_ssh_keygen_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    (tmp_path / "a").write_text("a")
    with pytest.raises(UsageError, match="install OpenSSH"):
        sign(tmp_path / "a", tmp_path / "key")


@keygen
def test_boards_say_of_each_row_and_its_judges_calls_who_signed_them(mine, allowed, tmp_path):
    board = plant(tmp_path / "boards", true_answers())
    head, call, *_ = cheats.lines(cheats.CI / "judge.jsonl")
    cheats.write_lines(board.judge, [{**head, "calls": 1}, call])  # which no column here needs
    unseal(board.judge)
    sign(board.submission, mine)
    evidence = Evidence(signers=allowed)
    text = "signed by me@example.org; the judge's calls: not signed"
    assert built(board, read=evidence.read_verified)["kind"] == "run, verified"
    assert evidence.notes == [f"{board.submission}: verified; {unsealed_text(board.judge)}; {text}"]
    assert f"- motion: {text}." in (board.folder / "mini" / "leaderboard.md").read_text()
    sign(board.judge, mine)
    board.submission.write_text(board.submission.read_text() + "\n")
    found = evidence.read_verified(board.submission).verification
    assert found is not None
    assert found.signature.startswith("wrong signature (")
    assert found.signature.endswith("; the judge's calls: signed by me@example.org")
