"use strict";

// The list of samples, drawn only where it is in sight, however long it is. A row that stays in sight stays the same
// element, so that the focus stays on it. Tab reaches one row; the arrow keys, Home and End go to the others.

Ecva.list = (() => {
  const { el, svg, state, marks, filter } = Ecva;
  const ROW = 54; // pixels, as in the style sheet
  let index, box, inner, count;
  let rows = [];
  const drawn = new Map(); // id -> element
  let stop = ""; // the sample whose row Tab reaches

  function open(given) {
    index = given;
    box = document.getElementById("list");
    inner = el("div", { class: "rows", role: "presentation" });
    box.append(inner);
    count = document.getElementById("count");
    box.addEventListener("scroll", draw);
    box.addEventListener("keydown", step);
    box.addEventListener("focusin", (event) => {
      const row = event.target.closest(".row");
      if (row) stop = row.dataset.sample;
      for (const [id, one] of drawn) one.firstChild.tabIndex = id === stop ? 0 : -1;
    });
    new ResizeObserver(draw).observe(box);
  }

  function update(given) {
    rows = given;
    count.textContent = `${rows.length} of ${index.samples.length} samples`;
    inner.style.height = `${rows.length * ROW}px`;
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
    const last = Math.min(rows.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 4);
    const wanted = new Map(rows.slice(first, last).map((one, i) => [one.id, first + i]));
    if (!wanted.has(stop)) stop = wanted.has(state.now.sample) ? state.now.sample : rows[first] ? rows[first].id : "";
    for (const [id, element] of drawn) {
      if (wanted.has(id) || element.contains(document.activeElement)) continue;
      element.remove();
      drawn.delete(id);
    }
    let before = null;
    for (const [id, place] of wanted) {
      const element = drawn.get(id) || el("div", { class: "row", role: "listitem", "data-sample": id }, el("a"));
      drawn.set(id, element);
      fill(element, rows[place], place);
      const standing = before ? before.nextSibling === element : inner.firstChild === element;
      if (!standing && !element.contains(document.activeElement)) inner.insertBefore(element, before ? before.nextSibling : inner.firstChild);
      before = element;
    }
  }

  function fill(element, one, place) {
    const link = element.firstChild;
    const { lacking } = one.sample;
    element.style.top = `${place * ROW}px`;
    element.setAttribute("aria-setsize", rows.length);
    element.setAttribute("aria-posinset", place + 1);
    link.href = state.link({ sample: one.id, at: "", page: "" });
    link.tabIndex = one.id === stop ? 0 : -1;
    if (one.id === state.now.sample) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    link.replaceChildren(
      el("span", { class: "id" }, one.video),
      el("span", { class: "task" }, one.sample.question),
      marks.has(one.id) ? el("span", { class: "mark", title: "marked" }, "★") : "",
      lacking.length ? el("span", { class: "lacking", title: "runs without an answer" }, `${lacking.length} !`) : "",
      el("span", { class: "mean" }, one.metric ? Ecva.number(one.score, { ...one.metric, decimals: 1 }) : ""),
      strip(one)
    );
  }

  // One tick per shown run, from the worst value to the best: agreement at a glance.
  function strip(one) {
    const drawing = svg("svg", { class: "strip", "aria-hidden": "true" });
    const values = one.values;
    const top = one.metric && one.metric.unit === "%" ? 1 : Math.max(1e-9, ...values.map((value) => value || 0));
    for (const run of filter.shownRuns()) {
      const value = values[run];
      if (value === null || value === undefined) continue;
      const x = `${1 + 98 * Math.min(1, Math.max(0, value / top))}%`;
      const line = svg("line", { x1: x, x2: x, y1: 0, y2: 8 });
      line.style.setProperty("--hue", Ecva.hue(run));
      drawing.append(line);
    }
    return drawing;
  }

  function step(event) {
    const row = event.target.closest(".row");
    if (!row) return;
    const here = rows.findIndex((one) => one.id === row.dataset.sample);
    const many = Math.max(1, Math.floor(box.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: many, PageUp: -many, Home: -rows.length, End: rows.length };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const there = rows[Math.min(rows.length - 1, Math.max(0, here + steps[event.key]))];
    stop = there.id;
    show(stop);
    drawn.get(stop).firstChild.focus({ preventScroll: true });
  }

  const placeOf = (id) => rows.findIndex((one) => one.id === id);

  // The sample so many places after the one shown.
  function neighbour(move) {
    const there = rows[placeOf(state.now.sample) + move];
    return there ? there.id : null;
  }

  function show(id) {
    const here = placeOf(id);
    if (here >= 0 && (here * ROW < box.scrollTop || (here + 1) * ROW > box.scrollTop + box.clientHeight)) {
      box.scrollTop = Math.max(0, here * ROW - box.clientHeight / 3);
    }
    draw();
  }

  function reveal() {
    if (!box.contains(document.activeElement)) stop = state.now.sample;
    show(state.now.sample);
  }

  return { open, update, draw, reveal, neighbour, placeOf };
})();

// Runs are told apart by name; the hue helps the eye to find one again.
Ecva.hue = (run) => Math.round((205 + run * 137.5) % 360);
