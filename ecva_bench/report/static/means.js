"use strict";

// The page of means: of every metric and run, over all samples, as boards count them, with intervals and floors.

Ecva.means = (() => {
  const { el, state, filter } = Ecva;

  function show(index, box) {
    const shown = filter.shownRuns();
    const main = index.tasks.map((task) => filter.metricFor(task)).filter(Boolean);
    box.replaceChildren(
      el("h2", {}, "Means"),
      el("p", { class: "hint" }, "Over all samples, with 95 % intervals over videos; a sample without an answer counts as the worst. The floor is what the same answers get for other samples. A mean leads to its samples."),
      table(index, shown, main, "The metric each task is ranked by, or the one chosen"),
      ...index.tasks.map((task) => {
        const metrics = index.metrics.map((metric, place) => ({ ...metric, place })).filter((metric) => metric.task === task);
        const open = task === state.now.task;
        return metrics.length ? el("details", { open }, el("summary", {}, `All metrics of ${task}`), table(index, shown, metrics, task)) : null;
      }).filter(Boolean)
    );
  }

  function table(index, shown, metrics, name) {
    const top = el("tr", {}, el("th", { scope: "col" }, "metric"), ...shown.map((run) => el("th", { scope: "col" }, index.runs[run].label)));
    const rows = metrics.map((metric) => {
      const unit = metric.unit === "%" ? " %" : ` ${metric.unit}`;
      const title = `${metric.scorer}: ${metric.higher_is_better ? "more" : "less"} is better`;
      return el("tr", {}, el("th", { scope: "row", title }, `${metric.task} ${metric.column}${unit}`), ...shown.map((run) => cell(index, metric, run)));
    });
    const made = el("table", {}, el("thead", {}, top), el("tbody", {}, ...rows));
    return el("div", { class: "wide-table", role: "region", "aria-label": name, tabindex: 0 }, made);
  }

  function cell(index, metric, run) {
    const found = index.means[metric.place][run];
    if (!found) return el("td", {}, "–");
    const number = (value) => Ecva.number(value, { ...metric, decimals: Math.min(metric.decimals, 2) });
    const href = state.link({ page: "", sample: "", task: metric.task, metric: `${metric.scorer}/${metric.column}`, of: String(run), sort: "low" });
    const interval = found.interval ? ` ${number(found.interval[0])} to ${number(found.interval[1])}` : "";
    return el(
      "td",
      { title: `${found.samples} samples` },
      el("a", { href, "aria-label": `${index.runs[run].label}, ${metric.task} ${metric.column}: ${number(found.mean)}` }, number(found.mean)),
      el("small", {}, interval),
      found.floor === null ? null : el("small", {}, ` floor ${number(found.floor)}`)
    );
  }

  return { show };
})();
