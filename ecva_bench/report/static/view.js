"use strict";

// The page comes to life here: it reads the address, loads what that needs, and listens to keys and clicks.

(() => {
  const { el, state, store, marks, list, timeline, answers } = Ecva;
  const by = (id) => document.getElementById(id);
  const FILTERS = ["task", "class", "metric", "from", "to", "spread", "find", "sort"];
  let index = null;
  let drawing = 0; // the newest request to show a sample; older ones are dropped when their data arrive

  async function start() {
    index = await store.open();
    marks.open(index, trouble);
    state.read();
    by("summary").textContent = `${index.runs.length} runs, ${index.videos.length} videos`;
    runChips();
    options(by("task"), [["", "all tasks"], ...index.tasks.map((task) => [task, task])]);
    options(by("class"), [["", "all classes"], ...index.classes.filter(Boolean).map((name) => [name, name])]);
    list.open(index);
    timeline.open();
    listen();
    await draw();
  }

  async function draw() {
    fillForm();
    await list.update();
    if (!state.now.sample) {
      const first = list.neighbour(0);
      if (first) state.set({ sample: first });
    }
    await showSample();
  }

  const idOf = (one) => `${one.video}/${one.question}`;

  async function showSample() {
    const ticket = ++drawing;
    const number = index.samples.findIndex((_, at) => state.now.sample === idOf(store.sample(at)));
    by("sample").hidden = number < 0;
    if (number < 0) return list.draw();
    const one = store.sample(number);
    const entry = await store.videoOf(one);
    if (ticket !== drawing) return;
    const shown = list.shownRuns();
    const focus = state.now.focus === "" ? shown[0] : Number(state.now.focus);
    by("heading").textContent = `${one.video} · ${one.question}`;
    by("label").textContent = one.label;
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
      const chip = el("label", { class: "chip", title }, box, run.label, lacking ? el("small", {}, `${lacking} lacking`) : "");
      chip.style.setProperty("--hue", Ecva.hue(number));
      by("runs").append(chip);
    });
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
    for (const name of FILTERS) by(name).value = state.now[name];
    for (const name of ["errors", "marked"]) by(name).checked = Boolean(state.now[name]);
    const hidden = state.hidden();
    for (const box of by("runs").querySelectorAll("input")) box.checked = !hidden.has(Number(box.dataset.run));
  }

  function readForm() {
    const found = Object.fromEntries(FILTERS.map((name) => [name, by(name).value]));
    if (found.task !== state.now.task) found.metric = "";
    const off = [...by("runs").querySelectorAll("input")].filter((box) => !box.checked);
    const checks = { errors: by("errors").checked ? "1" : "", marked: by("marked").checked ? "1" : "" };
    state.set({ ...found, ...checks, hidden: off.map((box) => box.dataset.run).join(".") });
    guarded(draw)();
  }

  function go(step) {
    const next = list.neighbour(step);
    if (next) {
      state.set({ sample: next, at: "" });
      guarded(showSample)();
    }
  }

  function toggleMark() {
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
      state.set({ ...Object.fromEntries(FILTERS.map((name) => [name, ""])), errors: "", marked: "" });
      guarded(draw)();
    });
    by("runs").addEventListener("input", readForm);
    by("mark").addEventListener("click", toggleMark);
    by("note").addEventListener("input", () => marks.note(state.now.sample, by("note").value));
    by("export").addEventListener("click", exportMarks);
    by("answers").addEventListener("click", (event) => {
      const button = event.target.closest("button.focus");
      if (button) {
        state.set({ focus: button.dataset.run });
        guarded(showSample)();
      }
    });
  }

  function trouble(text) {
    by("trouble").textContent = text;
    by("trouble").hidden = false;
  }

  const guarded = (work) => () => work().catch((error) => trouble(error.message));

  guarded(start)();
})();
