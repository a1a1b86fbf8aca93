"""The harness from Python: `run`, `score`, `compare` and `leaderboard`, over what the command line is made of.

What is to be used from outside is handed out by `ecva_bench` itself.
"""

from .calls import compare, leaderboard, run, score
from .outcomes import Compared, Leaderboard, RunOutcome, Scored

__all__ = ["Compared", "Leaderboard", "RunOutcome", "Scored", "compare", "leaderboard", "run", "score"]
