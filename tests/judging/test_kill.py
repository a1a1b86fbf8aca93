"""A judge ended half-way, by a kill or an interrupt, and started again asks each call once, but for those under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from .server import JudgeServer

CALLS, CONCURRENCY = 400, 8
PROGRAM = f"""
import sys
from pathlib import Path
from ecva_bench.judging.judge import open_judge
from tests.judging.build import grade
with open_judge("scripted", base_url=sys.argv[1], store=Path(sys.argv[2]), concurrency={CONCURRENCY}) as judge:
    verdicts = judge.ask([grade(str(n)) for n in range({CALLS})])
    assert all(verdict.value == 3 for verdict in verdicts)
    print(judge.usage.asked)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_each_call_is_made_once(end: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "OPENAI_API_KEY": "none"}
    with JudgeServer(lambda *_: "3", delay=0.02) as server:
        command = [sys.executable, "-c", PROGRAM, server.url, str(tmp_path / "judge.sqlite")]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(server.requests) < CALLS // 2:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(end)
        process.wait()
        before = len(server.requests)
        assert before < CALLS
        rest = int(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
        times = Counter(payload["candidate"] for payload in server.payloads)
        assert len(times) == CALLS
        # What was under way then, one call per connection at most, is all that was asked twice.
        repeated = [call for call, count in times.items() if count > 1]
        assert len(repeated) <= CONCURRENCY
        assert max(times.values()) <= 2
        assert rest == CALLS - before + len(repeated)
        again = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        assert int(again) == 0
        assert len(server.requests) == before + rest
