"""From a user's request to a runner that is ready: data set, tasks, prompts, model, selection, manifest."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from .. import registry, tasks
from ..data import Dataset, load_dataset
from ..data.curve_files import CurveReferences, read_curves
from ..data.dataset import EMBEDDED
from ..data.loading import DatasetSource
from ..data.numbering import NumberingCheck, check_numbering
from ..errors import AdapterError, UsageError
from ..journal.lines import results_file
from ..journal.results import read_results
from ..journal.writer import Journal, now, writer
from ..libraries import versions_of
from ..records.answers import Manifest
from ..records.base import View, canonical_json, cuts_moments, sha256_of
from ..records.identity import DatasetIdentity
from ..records.training import TRAINING_FILE, TrainedOn
from ..samples import OptionOrder, tasks_of
from ..tasks import Prompt, PromptSet, SeverityFrom, Task
from ..untrusted import parse_json
from ..version import __version__
from ..video.video import decoder_version
from .adapter import ADAPTER_GROUP, Adapter, Baseline
from .factory import ModelSource, create_adapter, described, made_with
from .inference import Mode, Settings
from .plan import Plan, Selection, make_plan, stratified_order
from .runner import Runner
from .training import AskedVideo, tell_trained, trained_on

if TYPE_CHECKING:
    from .workers import Engine, WorkerPool

# Packages that may change an answer: those that decode, prepare pictures and texts, and compute.
_PACKAGES = (
    "accelerate", "av", "mamba-ssm", "numpy", "peft", "pillow", "sentencepiece", "timm", "tokenizers", "torch",
    "torchvision", "transformers", "vllm",
)  # fmt: skip


@dataclass(frozen=True)
class WorkerOptions:
    """Where a run is carried out: in this process alone, or by `workers` elsewhere.

    `local` workers are processes of this machine, one for each of `devices` where those are named; `ray` workers are
    spread over a cluster. None of this changes an answer.
    """

    engine: Literal["local", "ray"] = "local"
    workers: int | None = None
    devices: tuple[str, ...] = ()

    def engine_for(self, prepare: Callable[[int], Runner]) -> Engine | None:
        """Return the engine that starts the workers; None where this process does the work.

        Each worker calls `prepare` with the number of workers. Raises `UsageError` for options that contradict each
        other and for devices that are not there.
        """
        if self.devices and (self.engine == "ray" or self.workers not in (None, len(self.devices))):
            remedy = "name devices alone: each has one worker; on a cluster, Ray chooses them"
            raise UsageError("devices contradict the number of workers or the engine", ",".join(self.devices), remedy)
        if self.engine == "ray":
            from .ray_workers import RayWorkers

            return RayWorkers(prepare, self.workers)
        if not self.devices and self.workers in (None, 1):
            return None
        from .process_workers import ProcessWorkers, check_there, devices_for

        places = devices_for(self.workers or 1, self.devices)
        check_there(self.devices)
        return ProcessWorkers(prepare, places)


@dataclass(frozen=True)
class RunRequest:
    """One run, as asked for. `tasks` may be empty: all the model can be asked.

    `model`, `data` and `prompts` are names, or the objects themselves. `model_path`, where a model's weights lie, does
    not identify a run: the model describes what it found there. `name` is what tables call the run. `all_tasks` asks
    about `edited` views that cut moments also what no metric reads. `order` is that of the options of multiple choice.
    Each question is asked `repeats` times.
    `severity_from` is how severities are asked for, and `curves` a file of importance curves to hold them against.
    `training` is the record of the model's training, where none lies beside its weights.
    """

    model: ModelSource
    model_path: str | None = None
    model_args: dict[str, str] = field(default_factory=dict)
    data: DatasetSource = "mini"
    videos: Path | None = None
    tasks: tuple[str, ...] = ()
    prompts: PromptSet = "ours"
    edited: tuple[View, ...] = ()
    all_tasks: bool = False
    order: OptionOrder = OptionOrder()  # noqa: RUF009  frozen
    repeats: int = 1
    severity_from: SeverityFrom = "segments"
    curves: Path | None = None
    training: Path | None = None
    name: str = ""
    selection: Selection = field(default_factory=Selection)
    settings: Settings = field(default_factory=Settings)
    worker_options: WorkerOptions = field(default_factory=WorkerOptions)

    @cached_property
    def plan(self) -> Plan:
        """The plan of the run; of a shard, the plan of this shard."""
        return self._plan(self._adapter, self.selection)

    @cached_property
    def dataset(self) -> Dataset:
        """The data set asked about, with the importance curves of `curves` where these are named."""
        dataset = load_dataset(self.data, videos=self.videos)
        return self._curves.of_dataset(dataset) if self._curves else dataset

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """Which videos of the plan the model was trained on; None where no record of its training is known.

        Their files are looked at, so those that are rendered must be there.
        """
        beside = Path(self.model_path) / TRAINING_FILE if self.model_path else None
        file = self.training or self._adapter.training_file() or (beside if beside and beside.is_file() else None)
        identity = DatasetIdentity(name=self.dataset.name, sha256=self.dataset.sha256)
        asked = [
            AskedVideo(one.video, one.samples[0].media, None if one.fault else one.media) for one in self.plan.groups
        ]
        return None if file is None else trained_on(file, asked, identity)

    def journal(self, out: Path, work: Runner | WorkerPool, reuse: Sequence[Path] = ()) -> Journal:
        """Open the results file of a run, which may take answers of the files `reuse`; see `Journal`."""
        return Journal(out, work.manifest.model_copy(update={"trained_on": self.trained_on}), reuse)

    def tell_training(self) -> str:
        """Return in one line how many questions are about videos the model was trained on; empty where unknown."""
        if (found := self.trained_on) is None:
            return ""
        return tell_trained(found, {group.video: self.plan.questions_of(group) for group in self.plan.groups})

    @cached_property
    def _curves(self) -> CurveReferences | None:
        return read_curves(self.curves) if self.curves else None

    @cached_property
    def _numbering(self) -> NumberingCheck | None:
        return check_numbering(self.dataset)

    @property
    def results_file(self) -> Path:
        """Where the answers go unless a file is named."""
        return results_file(self.name or self._plugin.name, self.dataset.name, self.selection.shard)

    @property
    def on_trial(self) -> bool:
        """Whether a model that could be ranked is asked about the drawn clips of an embedded set."""
        return self.dataset.name in EMBEDDED and not isinstance(self._adapter, Baseline)

    @property
    def answers_jointly(self) -> bool:
        """Whether the model's answers may depend on the mode; see `Adapter.answers_jointly`."""
        return self._adapter.answers_jointly

    def tell_samples(self, manifest: Manifest) -> str:
        """Return in one line that a model is asked several times and draws no answer; empty for any other run."""
        generation = manifest.spec["description"].get("generation")
        if self.repeats == 1 or not isinstance(generation, dict) or generation.get("temperature") != 0:
            return ""
        why = "the samples differ only where the model takes no temperature, or is not exact"
        return f"at temperature 0, {why}: --model-arg temperature=0.7 lets it draw"

    def tell_notes(self, plan: Plan) -> Sequence[str]:
        """Return in a line each what the model says of the tasks that a plan asks; see `Adapter.notes`."""
        return self._adapter.notes(plan.prompts)

    def tell_unusable(self, plan: Plan) -> str:
        """Return in one line which videos have not exactly one file with something in it; see `Dataset.unusable`.

        They are those of a plan or, where only available ones are asked about, those that are left out.
        """
        if not self.selection.available:
            found = self.dataset.tell_unusable([group.video for group in plan.groups])
            return f"{found}; --available leaves them out" if found else ""
        named = Selection(self.selection.ids).apply(self.dataset.annotations)
        found = self.dataset.tell_unusable([annotation.video for annotation in named])
        return f"left out: {found}" if found else ""

    def tell_curves(self, out: Path) -> str:
        """Return in one line of which videos of a run the curves are of other files than it shows; empty where none."""
        return self._curves.tell_other_files(read_results(out)) if self._curves else ""

    def tell_data(self) -> list[str]:
        """Return in a line each what is to be known of the data set: that it is another one, that moments do not fit.

        Raises `DataError` where the videos are not those that the annotations are of; see `check_numbering`.
        """
        renamed = self.dataset.found_by("other-data-set")
        notes = [f"{self.dataset.source} is not {found.before}, but {found.after}" for found in renamed]
        if (numbering := self._numbering) is None:
            return notes
        if numbering.refused:
            raise numbering.error()
        return notes + ([numbering.text] if numbering.own.beyond else [])

    def render(self, plan: Plan, progress: Callable[[int, int], None]) -> None:
        """Make the videos of a plan that are rendered and not there yet; see `Dataset.ensure_videos`."""
        self.dataset.ensure_videos(progress, only={group.video for group in plan.groups})

    def open(self) -> Runner | WorkerPool:
        """Return a runner or a pool of workers, as a context manager; the `EcvaError` raised says what is missing."""
        self.tell_data()
        engine = self.worker_options.engine_for(replace(self).prepare)  # a request that has not loaded its data set yet
        if engine is None:
            return self.prepare()
        for given, called in ((self.model, self._plugin.label), (self.data, "the function of the data set")):
            if not (isinstance(given, Dataset) or registry.importable(given)):
                remedy = "give a class, a name or ./file.py:Name, or leave out workers and devices"
                raise UsageError("workers are other processes, which cannot make this again", called, remedy)
        from .workers import WorkerPool

        return WorkerPool(engine, self.plan, self.settings)

    def prepare(self, workers: int = 1) -> Runner:
        """Load everything but the videos and return the runner, one of `workers`.

        The `EcvaError` raised says what is missing.
        """
        with registry.no_exit(AdapterError, self._plugin.label):
            return self._prepare(workers)

    def _prepare(self, workers: int) -> Runner:
        adapter = self._adapter
        if workers > 1:
            adapter = create_adapter(self.model, adapter.share(self._options, workers))
        plan = whole = self._plan(adapter, self.selection)
        if self.selection.shard:
            whole = self._plan(adapter, replace(self.selection, shard=None))
        adapter.check_videos([group.samples[0].media for group in whole.groups])
        if isinstance(adapter, Baseline):  # nobody else may see a reference
            adapter.study([sample for group in whole.groups for sample in group.samples])
        settings = self.settings if adapter.answers_jointly else replace(self.settings, mode="exact")
        return Runner(adapter, plan, self._manifest(adapter, plan, whole, settings.mode), settings)

    @property
    def _options(self) -> dict[str, str]:
        return {**self.model_args, **({"model_path": self.model_path} if self.model_path else {})}

    @cached_property
    def _adapter(self) -> Adapter:
        """The model, made once: it says what is told of a run and, unless workers do, gives the answers."""
        return create_adapter(self.model, self._options)

    @cached_property
    def _plugin(self) -> registry.Plugin:
        return registry.resolve(ADAPTER_GROUP, self.model)

    def _plan(self, adapter: Adapter, selection: Selection) -> Plan:
        chosen = self._tasks(adapter)
        cuts = [view for view in self.edited if cuts_moments(view)]
        if self.tasks and cuts and not (self.all_tasks or any(task.edited for task in chosen)):
            about = f"the {' and '.join(cuts)} view" + ("s" if len(cuts) > 1 else "")
            what = f"no metric reads answers to {', '.join(task.name for task in chosen)} about {about}"
            raise UsageError(what, remedy="leave it out of --edited, or ask them all the same with --all-tasks")
        prompts = {task: tasks.prompt_for(task, self.prompts) for task in chosen}
        views = ("full", *self.edited)
        return make_plan(
            self.dataset,
            prompts,
            selection,
            views,
            all_tasks=self.all_tasks,
            order=self.order,
            repeats=self._repeats(adapter),
        )

    def _repeats(self, adapter: Adapter) -> int:
        """Return how often each question is asked; `UsageError` where it would get the same answer each time."""
        if self.repeats > 1 and adapter.deterministic:
            what = f"asked {self.repeats} times, the model gives the same answer each time"
            remedy = "let it sample (where it can: --model-arg temperature=0.7), or leave out --samples"
            raise UsageError(what, f"model {self._plugin.name!r}", remedy)
        return self.repeats

    def _tasks(self, adapter: Adapter) -> list[Task]:
        """Return the tasks to ask, as the data set has them; `UsageError` for one named that cannot be asked.

        Without names, these are all that the model answers, some annotation has a reference for, and the prompt set
        has words for.
        """
        chosen = {task.name for task in _choose_tasks(adapter, self._plugin.name, self.tasks)}
        known = tasks_of(self.dataset.annotations, self.dataset.taxonomy)
        annotated = [task.asked_from(self.severity_from) for task in known if task.name in chosen]
        self._check_likelihood(adapter, annotated)
        if self.tasks:
            if absent := chosen - {task.name for task in annotated}:
                there = ", ".join(task.name for task in known) or "none"
                what = f"no annotation has a reference for {', '.join(sorted(absent))}"
                raise UsageError(what, self.dataset.source, f"the tasks of this data set: {there}")
            return annotated
        unnamed = [task for task in annotated if not task.named_only]
        return [task for task in unnamed if tasks.has_prompt(task, self.prompts)] or unnamed

    def _check_likelihood(self, adapter: Adapter, chosen: list[Task]) -> None:
        """Raise `UsageError` where severities are asked for by likelihoods, and the model gives none."""
        asked = self.tasks and any(task.asked == "likelihood" for task in chosen)
        if asked and not (adapter.gives_probabilities or isinstance(adapter, Baseline)):
            remedy = "take --severity-from segments or once; hf:, vllm:, openai: and the paper's systems give them"
            raise UsageError("the model gives no probabilities of its words", f"model {self._plugin.name!r}", remedy)

    def _described(self, adapter: Adapter, task: str, prompt: Prompt) -> dict[str, Any]:
        """Return what the manifest says of a prompt; of a choice also the order of options, of severities the way."""
        own: dict[str, object] = {"shuffle": self.order.seed} if task == "choice" else {}
        if tasks.TASKS[task].asked:
            own = {"from": self.severity_from}
        if more := adapter.asked_with(task):
            own["with"] = more
        return {"id": f"{prompt.id}.v{prompt.version}", "sha256": prompt.sha256, "text": prompt.text, **own}

    def _manifest(self, adapter: Adapter, plan: Plan, whole: Plan, mode: Mode) -> Manifest:
        code = {"code": self._plugin.code} if self._plugin.code else {}
        made = {"made_with": attributes} if (attributes := made_with(self.model)) else {}
        spec = {
            "model": self._plugin.name,
            **code,
            **made,
            "model_args": {name: v for name, v in self.model_args.items() if name not in adapter.immaterial},
            "baseline": isinstance(adapter, Baseline),
            "description": described(adapter),
            "dataset": {"name": self.dataset.name, "sha256": self.dataset.sha256},
            "prompts": {task: self._described(adapter, task, prompt) for task, prompt in plan.prompts.items()},
            "selection": self.selection.describe(),
            "views": plan.views,
            "decoder": decoder_version(),
            "mode": mode,
            **({"curves": self._curves.describe()} if self._curves else {}),
        }
        started = now()
        return Manifest(
            run=sha256_of([spec, started, writer()])[:16],
            name=self.name,
            spec=parse_json(canonical_json(spec)),
            expects=plan.expects,
            unasked=plan.unasked,
            whole=whole.expects if self.selection.shard else {},
            references=whole.references,
            environment={**_environment(), **writer()},
            t=started,
        )


def in_both_modes(
    request: RunRequest,
    questions: int,
    folder: Path,
    rendered: Callable[[int, int], None],
    settled: Callable[[int, int, int], None],
) -> dict[Mode, Path]:
    """Run a request in both modes on as many whole videos as have so many questions; return the results files.

    Videos are drawn as those of a subset are. `rendered` and `settled` are called with the progress of both parts.
    `UsageError` for a model that has one mode only.
    """
    if not request.answers_jointly:
        remedy = "there is nothing to check"
        raise UsageError(
            "the model answers each question alone in both modes", f"model {request._plugin.name!r}", remedy
        )
    groups = {group.video: group for group in request.plan.groups}
    drawn: list[str] = []
    for video in stratified_order(request.dataset.annotations, request.selection.seed):
        if sum(request.plan.owed_of(groups[found]) for found in drawn) >= questions:
            break
        drawn += [video] if video in groups else []
    selection = replace(request.selection, ids=tuple(drawn))
    files: dict[Mode, Path] = {}
    for mode in get_args(Mode):
        one = replace(request, selection=selection, settings=replace(request.settings, mode=mode))
        one.render(one.plan, rendered)
        files[mode] = folder / f"{mode}.jsonl"
        with one.open() as work, one.journal(files[mode], work) as results:
            work.run(results, settled)
    return files


def _choose_tasks(adapter: Adapter, model: str, names: tuple[str, ...]) -> list[Task]:
    able = [task for task in tasks.TASKS.values() if adapter.tasks is None or task.name in adapter.tasks]
    chosen = tasks.find_tasks(names) if names else able
    unable = [task.name for task in chosen if task not in able]
    if unable:
        raise UsageError(
            f"the model cannot be asked {', '.join(unable)}",
            f"model {model!r}",
            f"it answers {', '.join(task.name for task in able)}",
        )
    return chosen


def _environment() -> dict[str, Any]:
    return {
        "ecva_bench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions_of(*_PACKAGES),
    }
