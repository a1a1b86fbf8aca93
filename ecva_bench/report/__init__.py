"""Looking at runs: a page of all answers on their videos' time axis, the server that shows it, plots for a paper.

`page.write_page` makes a folder of static files, `server.Server` shows it on this machine only, `plots.write_plots`
draws the plots.
"""

from typing import Literal

FigureName = Literal["means", "classes", "duration", "severity", "cost", "correlation"]
