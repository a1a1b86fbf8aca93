"""Signatures of files by the SSH keys that people have: OpenSSH's `ssh-keygen` makes and checks them.

A signature lies beside its file, as `<file>.sig`, and is for the namespace `ecva-bench` alone. This program never sees
a key or a passphrase: `ssh-keygen` reads it, asks for it, or takes it from an agent.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ..errors import UsageError
from ..untrusted import one_line
from ..writing import write_whole

NAMESPACE = "ecva-bench"
_PROGRAM = "ssh-keygen"
_NAME_A_KEY = "name an SSH key of yours with --sign"
# Whom, perhaps with options, and their key, as ssh-keygen reads such a line.
_SIGNER = re.compile(
    r"(?:\"[^\"]+\"|[^\s\"]+)\s(?:.*\s)?(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+\s+[A-Za-z0-9+/]{16,}={0,2}(?:\s|$)"
)
_LONGEST_S = 60.0  # of a check, which asks nobody


def signature_path(path: Path) -> Path:
    """Return where the signature of a file lies."""
    return path.with_name(f"{path.name}.sig")


def check_key(key: Path) -> None:
    """Raise `UsageError` where a file is no SSH key, or there is no `ssh-keygen`: before there is anything to sign."""
    looked = _ssh_keygen("-l", "-f", str(key))
    if looked.returncode:
        raise UsageError(f"it cannot be signed with ({_said(looked)})", key, _NAME_A_KEY)


def sign(path: Path, key: Path) -> Path:
    """Sign a file with a private SSH key, or with a public one whose private key an agent has; return the signature.

    Raises `UsageError` where there is no `ssh-keygen`, or it cannot sign.
    """
    done = _ssh_keygen("-Y", "sign", "-f", str(key), "-n", NAMESPACE, content=path.read_bytes(), longest=None)
    if done.returncode:
        raise UsageError(f"it cannot be signed with ({_said(done)})", key, _NAME_A_KEY)
    signature = signature_path(path)
    write_whole(signature, done.stdout)
    return signature


def signature_text(path: Path, allowed: Path) -> str:
    """Return who signed a file, in words: `signed by …`, `not signed`, or why its signature does not hold.

    `allowed` is a file of allowed signers, as `man ssh-keygen` describes it. Raises `UsageError` where it cannot be
    read, names nobody or has a line that is none of them, or there is no `ssh-keygen`.
    """
    _check_allowed(allowed)
    signature = signature_path(path)
    if not signature.is_file():
        return "not signed"
    found = _ssh_keygen("-Y", "find-principals", "-s", str(signature), "-f", str(allowed))
    if found.returncode:
        return f"signed by nobody who is allowed to ({_said(found)})"
    who = found.stdout.decode(errors="replace").splitlines()[0]
    options = ("-I", who, "-n", NAMESPACE, "-s", str(signature), "-f", str(allowed))
    checked = _ssh_keygen("-Y", "verify", *options, content=path.read_bytes())
    return f"wrong signature ({_said(checked)})" if checked.returncode else f"signed by {one_line(who)}"


def _check_allowed(allowed: Path) -> None:
    try:
        lines = allowed.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"the allowed signers cannot be read ({error.strerror})", allowed, "check the path") from None
    told = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and line.lstrip()[0] != "#"]
    remedy = "write a line for each: WHO KEY, as in `me@example.org ssh-ed25519 AAAA…`"
    if not told:
        raise UsageError("it allows nobody to sign", allowed, remedy)
    for number, line in told:
        if not _SIGNER.match(line.strip()):
            raise UsageError(f"line {number} names no signer with a key", allowed, remedy)


def _ssh_keygen(
    *options: str, content: bytes = b"", longest: float | None = _LONGEST_S
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run([_PROGRAM, *options], input=content, capture_output=True, timeout=longest, check=False)
    except FileNotFoundError:
        raise UsageError("there is no ssh-keygen", _PROGRAM, "install OpenSSH 8.2 or newer") from None
    except subprocess.TimeoutExpired:
        raise UsageError("ssh-keygen does not end", _PROGRAM, "try it by hand") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return one_line(lines[-1] if lines else f"code {done.returncode}")
