"""From a model as a user names or gives it to an adapter that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any

from .. import registry
from ..errors import AdapterError, EcvaError, UsageError
from ..records.base import canonical_json
from ..registry import source_files
from ..registry.source_files import error_line
from .adapter import ADAPTER_GROUP, Adapter, Baseline
from .question import Question

if TYPE_CHECKING:
    from ..video import Video

# A registered name, one with its target (`hf:ID`), `./file.py:Name`, a class, an instance or a function.
ModelSource = str | type[Adapter] | Adapter | Callable[["Video", Question], str]


class _Function(Adapter):
    """A function that answers, as a model."""

    def __init__(self, function: Callable[[Video, Question], str]) -> None:
        self._function = function

    def answer(self, video: Video, question: Question) -> str:
        return self._function(video, question)


def create_adapter(model: ModelSource, options: Mapping[str, str] | None = None) -> Adapter:
    """Return the adapter that a model's name, class, instance or function stands for, built with keyword `options`.

    A name such as `hf:ID` is split at its first colon: the adapter registered as `hf` is given `ID` as `target`.
    Raises `UsageError` for an unknown name, one with a target too many or too few, and for what is no model; and
    `AdapterError` where a class refuses an option or cannot be made.

    >>> import ecva_bench as eb

    >>> eb.create_adapter("constant").baseline
    True
    """
    given = options or {}
    try:
        found = registry.resolve(ADAPTER_GROUP, model)
    except ImportError as error:
        raise _lacking(str(model), error) from error
    if isinstance(found.value, type):
        return _made(found, model_class(found), given)
    if found.target is not None:
        raise UsageError("this model takes nothing behind its name", f"model {found.name!r}", "leave it out")
    if given:
        what = "only a class takes options, and the model is none"
        raise UsageError(what, f"model {found.name!r}", f"leave out {', '.join(given)}")
    if isinstance(found.value, Adapter):
        _check_methods(found, type(found.value))
        return found.value
    if not callable(found.value):
        raise found.unfit("it has no answer(video, question)")
    if iscoroutinefunction(found.value):
        raise found.unfit("it is a coroutine: give a function that waits for it, such as with asyncio.run")
    found.takes("video", "question")
    return _Function(found.value)


def model_class(found: registry.Plugin) -> type[Adapter]:
    """Return the class that was found; `UsageError` where it is no model's."""
    kind = found.value
    _check_methods(found, kind)
    if not (isinstance(kind, type) and issubclass(kind, Adapter)):
        raise found.unfit("it does not derive from ecva_bench.Adapter")
    if found.target and kind.scheme:
        kind = kind.of_target(found.target)
    if kind.baseline != issubclass(kind, Baseline):
        raise found.unfit("it is marked as a baseline and is none, or the reverse: derive baselines from Baseline")
    return kind


def described(adapter: Adapter) -> dict[str, Any]:
    """Return what a model says determines its answers; `AdapterError` where that is no JSON object."""
    where = f"{type(adapter).__qualname__}.describe()"
    description = adapter.describe()
    if not isinstance(description, Mapping):
        raise AdapterError(f"the description is a {type(description).__name__}", where, "return a dictionary")
    try:
        canonical_json(description)
    except (TypeError, ValueError) as error:
        remedy = "return texts, numbers, and lists and dictionaries of them"
        raise AdapterError(f"the description is no JSON ({error})", where, remedy) from None
    return dict(description)


def made_with(model: ModelSource) -> dict[str, Any]:
    """Return what an instance was made with that does not describe itself; of all else nothing.

    Raises `UsageError` where two such adapters could not be told apart.
    """
    if isinstance(model, str | type):
        return {}
    if not isinstance(model, Adapter):
        return source_files.state_of(model)
    if type(model).describe is not Adapter.describe:
        return {}
    try:
        return source_files.attributes(model)
    except TypeError as error:
        what = f"two models of this class could not be told apart ({error}, and it has no describe)"
        remedy = "give it describe(), which returns as a dictionary what determines the answers, such as the weights"
        raise UsageError(what, type(model).__qualname__, remedy) from None


def _check_methods(found: registry.Plugin, kind: type) -> None:
    found.has("answer", "video", "question", of=kind)
    if issubclass(kind, Adapter):
        found.has("answer_many", "video", "questions", of=kind)
        found.has("frame_indices", "video", of=kind)
        for method in ("load", "describe", "close"):
            found.has(method, of=kind)


def _made(found: registry.Plugin, kind: type[Adapter], options: Mapping[str, str]) -> Adapter:
    where = f"model {found.name!r}"
    registered = found.name.removesuffix(f":{found.target}")
    if kind.scheme and not found.target:
        raise UsageError("the name does not say which model", where, f"write {registered.removesuffix(':')}:…")
    if found.target is not None and not kind.scheme:
        raise UsageError("this model takes nothing behind its name", where, f"write {registered}")
    given = {**options, "target": found.target} if kind.scheme else options
    known = options_of(kind)
    try:
        with registry.no_exit(AdapterError, where):
            return kind(**{name: _as_declared(value, known.get(name)) for name, value in given.items()})
    except EcvaError:
        raise
    except ImportError as error:
        raise _lacking(found.name, error) from error
    except Exception as error:
        strange = ", ".join(option for option in options if option not in known)
        of_options = isinstance(error, TypeError) and strange
        what = f"there is no option {strange}" if of_options else f"the model cannot be made ({error_line(error)})"
        remedy = f"its options are {', '.join(known)}" if known else "it has no options"
        raise AdapterError(what, where, remedy) from error


def _lacking(name: str, error: ImportError) -> AdapterError:
    return AdapterError(
        f"the model needs a package that is not installed ({error})",
        f"model {name!r}",
        "install it, for models of this project with: pip install 'ecva-bench[models]'",
    )


def _as_declared(value: str | None, declared: object) -> str | int | float | None:
    """Return an option, which comes as text, as the number that a constructor declares it to be."""
    if value is not None and declared in (int, "int"):
        return int(value)
    return float(value) if value is not None and declared in (float, "float") else value


def options_of(model: type[Adapter]) -> dict[str, object]:
    """Return a model's options with their declared types: its constructor's, and of the bases it passes others on to.

    They are sorted by name.
    """
    found: dict[str, object] = {}
    for kind in model.__mro__:
        if "__init__" in vars(kind):
            parameters = signature(vars(kind)["__init__"]).parameters.values()
            named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
            found = {p.name: p.annotation for p in named} | found
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
    return {name: found[name] for name in sorted(found.keys() - {"self", "target"})}
