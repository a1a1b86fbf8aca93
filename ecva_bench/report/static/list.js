"use strict";

// The list of samples: filtered, sorted, and drawn only where it is in sight, however long it is.

Ecva.list = (() => {
  const { el, svg, state, store, marks } = Ecva;
  const ROW = 54; // pixels, as in the style sheet
  let index, box, inner, count;
  let rows = []; // {number, id, values, mean, spread}
  let metricOf = {}; // task -> metric

  function open(given) {
    index = given;
    box = document.getElementById("list");
    inner = el("div", { class: "rows", role: "list" });
    box.append(inner);
    count = document.getElementById("count");
    box.addEventListener("scroll", draw);
    new ResizeObserver(draw).observe(box);
  }

  function metricFor(task) {
    const named = index.metrics.findIndex((m) => m.task === task && `${m.scorer}/${m.column}` === state.now.metric);
    const place = named >= 0 ? named : index.main[task];
    return place === undefined ? null : { ...index.metrics[place], place };
  }

  // Work out which samples are shown, and in which order. Needs the columns of the tasks in question.
  async function update() {
    const tasks = index.tasks.filter((task) => !state.now.task || task === state.now.task);
    const columns = {};
    metricOf = {};
    await Promise.all(
      tasks.map(async (task) => {
        metricOf[task] = metricFor(task);
        columns[task] = metricOf[task] && (await store.load(`metric-${metricOf[task].place}`));
      })
    );
    const shown = shownRuns();
    rows = index.samples.map((_, number) => row(store.sample(number), columns, shown)).filter(keep(shown));
    sort();
    count.textContent = `${rows.length} of ${index.samples.length} samples`;
    inner.style.height = `${rows.length * ROW}px`;
    draw();
  }

  function row(one, columns, shown) {
    const metric = metricOf[one.task];
    const values = metric && columns[one.task] ? store.values(columns[one.task], metric, one.number) : [];
    const there = shown.map((run) => values[run]).filter((value) => value !== null && value !== undefined);
    const mean = there.length ? there.reduce((a, b) => a + b, 0) / there.length : null;
    const spread = there.length ? Math.max(...there) - Math.min(...there) : 0;
    return { ...one, id: `${one.video}/${one.question}`, metric, values, mean, spread };
  }

  function keep(shown) {
    const now = state.now;
    const wanted = now.find.trim().toLowerCase();
    const bound = (text, metric) => parseFloat(text) / (metric && metric.unit === "%" ? 100 : 1);
    return (one) =>
      (!now.task || one.task === now.task) &&
      (!now.class || one.label === now.class) &&
      (!now.errors || one.lacking.some((run) => shown.includes(run))) &&
      (!now.marked || marks.has(one.id)) &&
      (!wanted || one.video.toLowerCase().includes(wanted)) &&
      (!now.from || (one.mean !== null && one.mean >= bound(now.from, one.metric) - 1e-9)) &&
      (!now.to || (one.mean !== null && one.mean <= bound(now.to, one.metric) + 1e-9)) &&
      (!now.spread || one.spread >= bound(now.spread, one.metric) - 1e-9);
  }

  function sort() {
    const last = (value) => (value === null ? Infinity : value);
    const orders = {
      low: (a, b) => last(a.mean) - last(b.mean),
      high: (a, b) => last(a.mean === null ? null : -a.mean) - last(b.mean === null ? null : -b.mean),
      spread: (a, b) => b.spread - a.spread,
    };
    const order = orders[state.now.sort];
    if (order) rows.sort((a, b) => order(a, b) || a.number - b.number);
  }

  function draw() {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
    const last = Math.min(rows.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 4);
    inner.replaceChildren(...rows.slice(first, last).map((one, i) => drawRow(one, first + i)));
  }

  function drawRow(one, place) {
    const here = one.id === state.now.sample;
    const link = el(
      "a",
      { href: state.link({ sample: one.id, at: "" }), "aria-current": here ? "true" : null },
      el("span", { class: "id" }, one.video),
      el("span", { class: "task" }, one.question),
      marks.has(one.id) ? el("span", { class: "mark", title: "marked" }, "★") : null,
      one.lacking.length ? el("span", { class: "lacking", title: "runs without an answer" }, `${one.lacking.length} !`) : null,
      el("span", { class: "mean" }, one.metric ? Ecva.number(one.mean, { ...one.metric, decimals: 1 }) : ""),
      strip(one)
    );
    const item = el("div", { class: "row", role: "listitem" }, link);
    item.style.top = `${place * ROW}px`;
    return item;
  }

  // One tick per shown run, from the worst value to the best: agreement at a glance.
  function strip(one) {
    const drawing = svg("svg", { class: "strip", "aria-hidden": "true" });
    const top = one.metric && one.metric.unit === "%" ? 1 : Math.max(1e-9, ...one.values.map((value) => value || 0));
    for (const run of shownRuns()) {
      const value = one.values[run];
      if (value === null || value === undefined) continue;
      const x = `${1 + 98 * Math.min(1, Math.max(0, value / top))}%`;
      const line = svg("line", { x1: x, x2: x, y1: 0, y2: 8 });
      line.style.setProperty("--hue", Ecva.hue(run));
      drawing.append(line);
    }
    return drawing;
  }

  function shownRuns() {
    const hidden = state.hidden();
    return index.runs.map((_, run) => run).filter((run) => !hidden.has(run));
  }

  // The sample so many places after the one shown, within the list; the first if that one is not in it.
  function neighbour(step) {
    const here = rows.findIndex((one) => one.id === state.now.sample);
    if (here < 0) return rows.length ? rows[0].id : null;
    const there = rows[here + step];
    return there ? there.id : null;
  }

  function reveal() {
    const here = rows.findIndex((one) => one.id === state.now.sample);
    if (here >= 0 && (here * ROW < box.scrollTop || (here + 1) * ROW > box.scrollTop + box.clientHeight)) {
      box.scrollTop = Math.max(0, here * ROW - box.clientHeight / 3);
    }
    draw();
  }

  return { open, update, draw, reveal, neighbour, shownRuns, metricFor };
})();

// Runs are told apart by name; the hue helps the eye to find one again.
Ecva.hue = (run) => Math.round((205 + run * 137.5) % 360);
