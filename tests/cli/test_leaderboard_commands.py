"""`submit` and `leaderboard --build`, from a run to a page."""

from __future__ import annotations

from ecva_bench.journal import results as results_files


def test_from_a_run_to_a_page(tmp_path, monkeypatch, ecva_bench):
    results = tmp_path / "mine.jsonl"
    run = ("run", "--model", "constant", "--task", "classification", "--limit", "2", "--out", results)
    assert ecva_bench(*run)[0] == 0
    code, _, errors = ecva_bench("submit", results, "--to", tmp_path / "board")
    assert code == 2
    assert f"these answers are not scored yet: {results}: score them first: ecva-bench score {results}" in errors
    ecva_bench("score", results)
    read, parse_records = [], results_files.parse_records

    def noted(path):
        read.append(path)
        return parse_records(path)

    monkeypatch.setattr(results_files, "parse_records", noted)
    code, shown, _ = ecva_bench("submit", results, "--to", tmp_path / "board", "--usd", "0.5", "--hardware", "one core")
    assert code == 0
    assert "mine.json" in shown
    assert read == [results]  # what takes most of the time is done once
    assert ecva_bench("summary", results)[0] == 0
    assert read == [results] * 2
    ecva_bench("gate", results, "--against", results)
    assert read == [results] * 4  # the new run and the base
    code, _, errors = ecva_bench("submit", results, "--to", tmp_path / "board", "--usd", "0.5")
    assert code == 2
    assert "another submission has this name (other hardware)" in errors
    again = ("submit", results, "--to", tmp_path / "board", "--usd", "0.6", "--hardware", "one core", "--replace")
    assert ecva_bench(*again)[0] == 0
    assert ecva_bench("leaderboard", "--build", tmp_path / "board", "--no-published")[0] == 0
    assert "one core" in (tmp_path / "board" / "mini" / "leaderboard.md").read_text()
    code, shown, _ = ecva_bench("leaderboard", tmp_path / "board" / "mini" / "submissions" / "mine.json")
    assert code == 0
    assert "constant" in shown
    for command in (("submit", results, "--to", results), ("leaderboard", "--task", "cause", "--out", results)):
        code, _, errors = ecva_bench(*command)
        assert (code, errors.count("\n")) == (2, 1)
        assert "cannot be written" in errors
