"use strict";

// The page comes to life here: it reads the address, loads what that needs, and listens to keys and clicks.

(() => {
  const { el, state, store, marks, search, filter, list, timeline, answers, means, scatter } = Ecva;
  const by = (id) => document.getElementById(id);
  const SIMPLE = ["task", "class", "metric", "text", "find", "sort"];
  const MORE = ["of", "from", "to", "spread", "right", "wrong", "s2", "s3"];
  const BOUNDS = ["from", "to", "spread"];
  const CHECKS = ["errors", "cut", "unread", "marked"];
  const PAGES = { "": "Samples", means: "Means", scatter: "Run against run" };
  let index = null;
  let drawing = 0; // the newest request to draw; older ones are dropped when their data arrive

  const counted = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

  async function start() {
    index = await store.open();
    marks.open(index, trouble);
    state.read();
    by("summary").textContent = `${counted(index.runs.length, "run")}, ${counted(index.videos.length, "video")}`;
    runChips();
    choices();
    for (const part of [search, filter, list]) part.open(index);
    timeline.open();
    listen();
    await draw();
  }

  function choices() {
    const runs = index.runs.map((run, number) => [number, run.label]);
    options(by("task"), [["", "all tasks"], ...index.tasks.map((task) => [task, task])]);
    options(by("class"), [["", "all classes"], ...index.classes.filter(Boolean).map((name) => [name, name])]);
    options(by("of"), [["", "mean, or any, of the runs shown"], ...runs]);
    for (const name of ["right", "wrong"]) options(by(name), [["", "–"], ...runs]);
    options(by("s2"), [["", "–"], ["yes", "yes"], ["no", "no"]]);
    options(by("s3"), [["", "–"], ["yes", "yes"], ["no", "no"]]);
  }

  // A link from elsewhere knows no number of a run here: it names the run, of which the worst samples come first.
  function namedRun() {
    const { run } = state.now;
    if (!run) return;
    const called = [(one) => one.name === run, (one) => one.label === run, (one) => run.length > 7 && one.sha256.startsWith(run)];
    const found = called.map((fits) => index.runs.findIndex(fits)).find((place) => place >= 0) ?? -1;
    if (found < 0) trouble(`There is no run ${run} here.`);
    state.set(found < 0 ? { run: "" } : { run: "", of: String(found), sort: state.now.sort || "low" });
  }

  async function draw() {
    const ticket = ++drawing;
    namedRun();
    fillForm();
    const rows = await filter.update();
    if (ticket !== drawing) return;
    list.update(rows);
    if (state.now.sample && !store.find(state.now.sample)) trouble(`There is no sample ${state.now.sample} here.`);
    if (list.placeOf(state.now.sample) < 0) state.set({ sample: rows.length ? rows[0].id : "", at: "" });
    pageLinks();
    runMeans();
    runNotes();
    await showSample();
  }

  // Show what the address names: the page of means, the scatter, or the sample.
  async function showSample() {
    const ticket = ++drawing;
    const { page } = state.now;
    const one = store.find(state.now.sample);
    by("page").hidden = !page;
    by("sample").hidden = Boolean(page) || !one;
    by("none").hidden = Boolean(page) || Boolean(one);
    if (page) timeline.pause();
    if (page === "means") means.show(index, by("page"));
    if (page === "scatter") scatter.show(index, by("page"), guarded(showSample));
    if (page || !one) return list.draw();
    const entry = await store.videoOf(one);
    if (ticket !== drawing) return;
    const shown = filter.shownRuns();
    const focus = state.now.focus === "" ? shown[0] : Number(state.now.focus);
    by("heading").textContent = `${one.video} · ${one.question}`;
    by("label").textContent = one.label;
    by("position").textContent = `${list.placeOf(one.id) + 1} of ${filter.rows().length}`;
    document.title = `${one.video} ${one.question} – ecva-bench`;
    showMark();
    timeline.show(entry, index, shown, focus);
    answers.show(index, entry, one, shown);
    list.reveal();
  }

  function showMark() {
    const marked = marks.has(state.now.sample);
    by("mark").setAttribute("aria-pressed", String(marked));
    by("note").hidden = !marked;
    if (marked && document.activeElement !== by("note")) by("note").value = marks.get(state.now.sample);
    by("export").textContent = `Export marks (${marks.size()})`;
    by("export").disabled = !marks.size();
  }

  function runChips() {
    index.runs.forEach((run, number) => {
      const box = el("input", { type: "checkbox", "data-run": number });
      const lacking = run.owed - run.answered;
      const poor = (run.empty ? `, ${run.empty} empty` : "") + (run.cut_off ? `, ${run.cut_off} cut off` : "");
      const title = `${run.name}: ${run.answered} of ${run.owed} answered${poor}${run.scored ? "" : ", not scored"}`;
      const chip = el("label", { class: "chip", title }, box, el("span", {}, run.label), lacking ? el("small", {}, `${lacking} lacking`) : "", el("b"));
      chip.style.setProperty("--hue", Ecva.hue(number));
      by("runs").append(chip);
    });
  }

  // What is to be known of the judges of the runs shown, on every page: each text once, with its runs.
  function runNotes() {
    const told = new Map();
    for (const run of filter.shownRuns()) {
      for (const text of index.runs[run].notes) told.set(text, [...(told.get(text) || []), index.runs[run].label]);
    }
    by("notes").replaceChildren(el("ul", {}, ...[...told].map(([text, runs]) => el("li", {}, `${runs.join(", ")}: ${text}`))));
    by("notes").hidden = !told.size;
  }

  // On each chip the run's mean over the listed samples of the task that is looked at.
  function runMeans() {
    const one = store.find(state.now.sample);
    const task = state.now.task || (one ? one.task : "");
    const metric = task ? filter.metricFor(task) : null;
    [...by("runs").children].forEach((chip, run) => {
      const found = metric && filter.mean(task, run);
      chip.lastChild.textContent = found ? Ecva.number(found.mean, { ...metric, decimals: 1 }) : "";
      chip.lastChild.title = found ? `mean of ${task} ${metric.column} over ${found.samples} listed samples; no answer counts as the worst` : "";
    });
  }

  function pageLinks() {
    const links = Object.entries(PAGES).filter(([page]) => page !== "scatter" || index.runs.length > 1);
    by("pages").replaceChildren(
      ...links.map(([page, name]) => el("a", { href: state.link({ page }), "aria-current": state.now.page === page ? "page" : null }, name))
    );
  }

  function options(select, pairs) {
    select.replaceChildren(...pairs.map(([value, text]) => el("option", { value }, text)));
  }

  // Bring the form in line with the state. Metrics are offered of the task that is chosen.
  function fillForm() {
    const task = state.now.task;
    const offered = index.metrics.filter((metric) => metric.task === task);
    const names = offered.map((metric) => [`${metric.scorer}/${metric.column}`, `${metric.scorer}: ${metric.column}`]);
    options(by("metric"), [["", task ? "main metric" : "main metric of each task"], ...names]);
    by("metric").disabled = !offered.length;
    for (const name of [...SIMPLE, ...MORE]) if (by(name).value !== state.now[name]) by(name).value = state.now[name];
    for (const name of CHECKS) by(name).checked = Boolean(state.now[name]);
    for (const name of BOUNDS) by(name).setAttribute("aria-invalid", String(Boolean(state.now[name]) && Number.isNaN(filter.typed(state.now[name]))));
    if ([...MORE, ...CHECKS].some((name) => state.now[name])) by("more").open = true;
    const hidden = state.hidden();
    for (const box of by("runs").querySelectorAll("input")) box.checked = !hidden.has(Number(box.dataset.run));
  }

  function readForm() {
    const found = Object.fromEntries([...SIMPLE, ...MORE].map((name) => [name, by(name).value]));
    if (found.task !== state.now.task) found.metric = "";
    const off = [...by("runs").querySelectorAll("input")].filter((box) => !box.checked);
    const checks = Object.fromEntries(CHECKS.map((name) => [name, by(name).checked ? "1" : ""]));
    state.set({ ...found, ...checks, hidden: off.map((box) => box.dataset.run).join(".") });
    guarded(draw)();
  }

  function go(step) {
    const next = state.now.page ? null : list.neighbour(step);
    if (next) {
      state.go({ sample: next, at: "" });
      guarded(showSample)();
    }
  }

  function toggleMark() {
    if (state.now.page || !state.now.sample) return;
    marks.toggle(state.now.sample);
    showMark();
    list.draw();
  }

  function exportMarks() {
    const url = URL.createObjectURL(new Blob([marks.asLines(index)], { type: "application/jsonl" }));
    el("a", { href: url, download: "marks.jsonl" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  const KEYS = {
    j: () => go(1),
    k: () => go(-1),
    "[": () => timeline.moment(-1),
    "]": () => timeline.moment(1),
    m: toggleMark,
  };

  function listen() {
    window.addEventListener("hashchange", () => {
      by("trouble").hidden = true; // it was about another address
      state.read();
      guarded(draw)();
    });
    window.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
      event.preventDefault();
      KEYS[event.key]();
    });
    by("filters").addEventListener("input", readForm);
    by("filters").addEventListener("submit", (event) => event.preventDefault());
    by("reset").addEventListener("click", () => {
      state.set(Object.fromEntries([...SIMPLE, ...MORE, ...CHECKS].map((name) => [name, ""])));
      guarded(draw)();
    });
    by("fold").addEventListener("click", () => {
      by("fold").setAttribute("aria-expanded", String(by("side").classList.toggle("open")));
      list.draw();
    });
    by("runs").addEventListener("input", readForm);
    by("previous").addEventListener("click", () => go(-1));
    by("next").addEventListener("click", () => go(1));
    by("mark").addEventListener("click", toggleMark);
    by("note").addEventListener("input", () => marks.note(state.now.sample, by("note").value));
    by("export").addEventListener("click", exportMarks);
    by("answers").addEventListener("click", async (event) => {
      const button = event.target.closest("button.focus");
      if (!button) return;
      state.set({ focus: button.dataset.run });
      await guarded(showSample)();
      by("answers").querySelector(`button.focus[data-run="${button.dataset.run}"]`).focus(); // it was drawn anew
    });
  }

  function trouble(text) {
    by("trouble").textContent = text;
    by("trouble").hidden = false;
  }

  const guarded = (work) => () => work().catch((error) => trouble(error.message));

  guarded(start)();
})();
