"""The data set that the shapes are answers to."""

from __future__ import annotations

import pytest

from ecva_bench.data import Dataset, load_dataset

from .shapes import annotations


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_dataset(annotations(tmp_path_factory.mktemp("annotations")))
