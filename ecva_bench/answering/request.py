"""From a user's request to a runner that is ready: data set, tasks, prompts, model, selection, manifest.

What the user is told of it is found by `notices`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import registry, tasks
from ..data import Dataset, load_dataset
from ..data.curve_files import CurveReferences, read_curves
from ..data.loading import DatasetSource
from ..data.numbering import NumberingCheck, check_numbering
from ..errors import AdapterError, UsageError
from ..journal.lines import results_file
from ..journal.writer import Journal, now, writer
from ..records.answers import Manifest
from ..records.base import View, canonical_json, cuts_moments, sha256_of
from ..records.identity import DatasetIdentity
from ..records.training import TRAINING_FILE, TrainedOn
from ..samples import OptionOrder
from ..tasks import Prompt, PromptSet, SeverityFrom
from ..untrusted import parse_json
from ..video.video import decoder_version
from .adapter import ADAPTER_GROUP, Adapter, Baseline
from .asked_tasks import tasks_to_ask
from .environment import run_environment
from .factory import ModelSource, create_adapter, described, made_with
from .inference import Mode, Settings
from .plan import Plan, Selection, make_plan
from .runner import Runner
from .training import AskedVideo, trained_on
from .worker_options import WorkerOptions

if TYPE_CHECKING:
    from .workers import WorkerPool


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
        return self._plan(self.adapter, self.selection)

    @cached_property
    def dataset(self) -> Dataset:
        """The data set asked about, with the importance curves of `curves` where these are named."""
        dataset = load_dataset(self.data, videos=self.videos)
        return self.curve_references.of_dataset(dataset) if self.curve_references else dataset

    @cached_property
    def curve_references(self) -> CurveReferences | None:
        """The importance curves of `curves`, where these are named."""
        return read_curves(self.curves) if self.curves else None

    @cached_property
    def adapter(self) -> Adapter:
        """The model, made once: it says what is told of a run and, unless workers do, gives the answers."""
        return create_adapter(self.model, self._options)

    @property
    def model_name(self) -> str:
        """What the model is called: a registered name with its target, a file's or that of a class."""
        return self._plugin.name

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """Which videos of the plan the model was trained on; None where no record of its training is known.

        Their files are looked at, so those that are rendered must be there.
        """
        beside = Path(self.model_path) / TRAINING_FILE if self.model_path else None
        file = self.training or self.adapter.training_file() or (beside if beside and beside.is_file() else None)
        identity = DatasetIdentity(name=self.dataset.name, sha256=self.dataset.sha256)
        asked = [
            AskedVideo(one.video, one.samples[0].media, None if one.fault else one.media) for one in self.plan.groups
        ]
        return None if file is None else trained_on(file, asked, identity)

    def journal(self, out: Path, work: Runner | WorkerPool, reuse: Sequence[Path] = ()) -> Journal:
        """Open the results file of a run, which may take answers of the files `reuse`; see `Journal`."""
        return Journal(out, work.manifest.model_copy(update={"trained_on": self.trained_on}), reuse)

    @property
    def results_file(self) -> Path:
        """Where the answers go unless a file is named."""
        return results_file(self.name or self.model_name, self.dataset.name, self.selection.shard)

    def render(self, plan: Plan, progress: Callable[[int, int], None]) -> None:
        """Make the videos of a plan that are rendered and not there yet; see `Dataset.ensure_videos`."""
        self.dataset.ensure_videos(progress, only={group.video for group in plan.groups})

    def check_numbering(self) -> NumberingCheck | None:
        """Return whether annotated moments fit the videos' lengths, where that can be told.

        Raises `DataError` where the videos are not those that the annotations are of; see `data.numbering`.
        """
        if (found := self._numbering) and found.refused:
            raise found.error()
        return found

    def open(self) -> Runner | WorkerPool:
        """Return a runner or a pool of workers, as a context manager; the `EcvaError` raised says what is missing."""
        self.check_numbering()
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
        adapter = self.adapter
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
    def _numbering(self) -> NumberingCheck | None:
        return check_numbering(self.dataset)

    @cached_property
    def _plugin(self) -> registry.Plugin:
        return registry.resolve(ADAPTER_GROUP, self.model)

    def _plan(self, adapter: Adapter, selection: Selection) -> Plan:
        chosen = tasks_to_ask(
            adapter,
            self.model_name,
            self.dataset,
            self.tasks,
            prompts=self.prompts,
            severity_from=self.severity_from,
        )
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
            raise UsageError(what, f"model {self.model_name!r}", remedy)
        return self.repeats

    def _described(self, adapter: Adapter, task: str, prompt: Prompt) -> dict[str, Any]:
        """Return what the manifest says of a prompt; of a choice also the order of options, of severities the way."""
        own: dict[str, object] = {"shuffle": self.order.seed} if task == "choice" else {}
        if tasks.TASKS[task].asked:
            own = {"from": self.severity_from}
        if more := adapter.asked_with(task):
            own["with"] = more
        return {"id": prompt.versioned_id, "sha256": prompt.sha256, "text": prompt.text, **own}

    def _manifest(self, adapter: Adapter, plan: Plan, whole: Plan, mode: Mode) -> Manifest:
        code = {"code": self._plugin.code} if self._plugin.code else {}
        made = {"made_with": attributes} if (attributes := made_with(self.model)) else {}
        spec = {
            "model": self.model_name,
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
            **({"curves": self.curve_references.describe()} if self.curve_references else {}),
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
            environment={**run_environment(), **writer()},
            t=started,
        )
