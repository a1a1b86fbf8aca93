"""Looking at runs: a page of all answers on their videos' time axis, the server that shows it, plots for a paper.

`write_page` makes a folder of static files, `Server` shows it on this machine only, `write_plots` draws the plots.
"""

from .page import Page, write_page
from .plots import write_plots
from .run import Run, dataset_of, run_with_scores, scores_beside, scores_by_results
from .server import Server
from .videos import Videos

__all__ = [
    "Page",
    "Run",
    "Server",
    "Videos",
    "dataset_of",
    "run_with_scores",
    "scores_beside",
    "scores_by_results",
    "write_page",
    "write_plots",
]
