"""Intervals, paired comparisons, agreement and rank correlation. Works on plain numbers.

Callers know what the numbers mean, and record the seed.
"""

from .agreement import Level, ac1, icc, kappa, krippendorff_alpha, raw_agreement
from .comparisons import Difference, holm, paired_difference
from .intervals import DRAWS, LEVEL, Estimate, bootstrap_interval, estimate
from .paired import (
    PAIRED_DRAWS,
    PairedBootstrap,
    clusters_needed,
    detectable_drop,
    detectable_effect,
    paired_bootstrap,
)
from .ranks import kendall_w, midranks, pearson, spearman, tau_b
from .standings import Standing, standings

__all__ = [
    "DRAWS",
    "LEVEL",
    "PAIRED_DRAWS",
    "Difference",
    "Estimate",
    "Level",
    "PairedBootstrap",
    "Standing",
    "ac1",
    "bootstrap_interval",
    "clusters_needed",
    "detectable_drop",
    "detectable_effect",
    "estimate",
    "holm",
    "icc",
    "kappa",
    "kendall_w",
    "krippendorff_alpha",
    "midranks",
    "paired_bootstrap",
    "paired_difference",
    "pearson",
    "raw_agreement",
    "spearman",
    "standings",
    "tau_b",
]
