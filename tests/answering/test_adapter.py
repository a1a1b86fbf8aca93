"""A model is found by its name; a name with a scheme hands on what stands behind the colon."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from ecva_bench import registry
from ecva_bench.answering import Adapter, create_adapter
from ecva_bench.answering.adapter import ADAPTER_GROUP
from ecva_bench.errors import AdapterError, UsageError
from ecva_bench.video import Video


class Plain(Adapter):
    def answer(self, video: Video, question: str) -> str:
        return "plain"


class Scheme(Adapter):
    scheme = True

    def __init__(self, *, target: str, size: str = "") -> None:
        self.target, self.size = target, size

    def answer(self, video: Video, question: str) -> str:
        return self.target


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[[type], list[str]]:
    """A function that registers one class under any name; it returns the list of the names looked up."""

    def register(found: type) -> list[str]:
        asked: list[str] = []
        entries = [EntryPoint(name, f"{__name__}:{found.__name__}", ADAPTER_GROUP) for name in ("hf", "plain")]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)
        monkeypatch.setattr(registry, "_loaded", lambda group, entry: (asked.append(entry.name), found)[1])
        return asked

    return register


@pytest.mark.parametrize("target", ["owner/model", "/a folder/model", "registry:5000/model", "python -I 'my model.py'"])
def test_what_stands_behind_the_first_colon_is_the_target(target: str, registered: Callable[[type], list[str]]) -> None:
    asked = registered(Scheme)
    adapter = create_adapter(f"hf:{target}", {"size": "7b"})
    assert asked == ["hf"]
    assert vars(adapter) == {"target": target, "size": "7b"}


@pytest.mark.parametrize("name", ["hf", "hf:"])
def test_a_scheme_without_a_target_is_refused(name: str, registered: Callable[[type], list[str]]) -> None:
    registered(Scheme)
    with pytest.raises(UsageError, match="write hf:…"):
        create_adapter(name)


def test_a_target_behind_a_model_with_a_name_of_its_own_is_refused(registered: Callable[[type], list[str]]) -> None:
    registered(Plain)
    assert isinstance(create_adapter("plain"), Plain)
    with pytest.raises(UsageError, match=r"write plain$"):
        create_adapter("plain:large")


def test_an_option_that_a_scheme_does_not_know_is_refused(registered: Callable[[type], list[str]]) -> None:
    registered(Scheme)
    with pytest.raises(AdapterError, match="there is no option colour"):
        create_adapter("hf:model", {"colour": "red"})


def test_an_unknown_scheme_is_named_with_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no model is called 'nosuch'.*available"):
        create_adapter("nosuch:model")
