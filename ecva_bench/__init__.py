"""ecva-bench: evaluation of causation understanding of video anomalies (ECVA, arXiv 2412.07183).

The rooms, from left to right as data flows: `data`, `video`, `tasks`, `answering`, `scoring`, `leaderboard`.
Importing this package imports none of them; import the room you need.
"""

__version__ = "0.1.0"
