"""Data sets of the field: descriptions that are published with the package, and no annotation of theirs."""

from __future__ import annotations

from pathlib import Path

from ...errors import EcvaError
from .loading import Shipped

dota = Shipped("dota")
hivau_70k = Shipped("hivau-70k")
smarthome_bench = Shipped("smarthome-bench")
sutd_trafficqa = Shipped("sutd-trafficqa")
tar = Shipped("tar")
uca = Shipped("uca")
ucf_crime = Shipped("ucf-crime")
vau_bench = Shipped("vau-bench")
xd_violence = Shipped("xd-violence")

SHIPPED = (dota, hivau_70k, smarthome_bench, sutd_trafficqa, tar, uca, ucf_crime, vau_bench, xd_violence)


def fitting_set(path: Path) -> str:
    """Return the name of the first set whose description fits an annotation file, which is read for each it may be of;
    empty where none does.
    """
    return next((one.name for one in SHIPPED if _fits(one, path)), "")


def _fits(shipped: Shipped, path: Path) -> bool:
    try:
        return bool(shipped(path).annotations)
    except EcvaError:
        return False
