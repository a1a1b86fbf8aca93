"""Tables from scores: the score sheet of a run, what to report of it, leaderboards, and the paper's tables beside them.

`sheet`, `board` and `details` make `Table` objects; `forms`, `latex` and `page` write them as text, Markdown, CSV,
JSON, LaTeX and HTML. A leaderboard is made of submissions, each of which `submission` makes of a scored run.
"""
