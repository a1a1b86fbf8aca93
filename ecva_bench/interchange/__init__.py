"""Answers made elsewhere, and answers for elsewhere: files of other programs read as runs, and runs written as theirs.

In four steps, a module or two each: a file is opened as rows (`opening`, `containers`, `nesting`; what is none is told
what it is by `kinds`), its fields are recognised (`columns` has the names, `mapping` chooses), its rows are joined with
the data set (`words`, `values`, `joining`), and a run is made of them (`imported`). `export` is the way back. A run
with its scores (`scored_runs`) has forms of its own: `eval_results`, and `every_eval_ever` with `instances`. Computes
no score.
"""
