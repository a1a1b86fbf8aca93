"use strict";

// Run against run: a dot for each place where listed samples of one task stand, larger where there are more. A dot of
// one sample leads to it; a dot of several lists them beside the drawing.

Ecva.scatter = (() => {
  const { el, svg, state, filter, store } = Ecva;
  const SIZE = 400; // of the square that dots stand in, in units of the drawing
  const LEFT = 44;
  const TOP = 10;
  const LISTED = 40;
  const LETTERS = 48; // that an axis has room for; the fields above have the whole name

  function taskShown() {
    const one = state.now.sample && store.find(state.now.sample);
    return state.now.task || (one ? one.task : "");
  }

  function show(index, box, redraw) {
    const task = taskShown();
    const metric = filter.metricFor(task);
    const scored = filter.shownRuns().filter((run) => metric && index.means[metric.place][run]);
    const runOf = (name, place) => (state.now[name] === "" ? scored[Math.min(place, scored.length - 1)] : Number(state.now[name]));
    const runs = { x: runOf("x", 0), y: runOf("y", 1) };
    const rows = metric ? filter.rows().filter((one) => one.task === task && known(one, runs.x) && known(one, runs.y)) : [];
    const heading = el("h2", {}, metric ? `${task}: ${metric.column}${metric.unit === "%" ? " %" : ""}, run against run` : "Run against run");
    const chosen = el("div", { class: "chosen" }, ...["x", "y"].map((name) => choice(index, name, runs[name], redraw)));
    if (!rows.length) {
      box.replaceChildren(heading, chosen, el("p", { class: "nothing" }, "No listed sample has a value in both runs."));
      return;
    }
    const links = el("div", { class: "links" });
    const apart = [...rows].sort((a, b) => gap(b, runs) - gap(a, runs));
    tell(links, apart, "Furthest apart first", metric, runs);
    const note = el("p", { class: "hint" }, `${rows.length} listed samples; no answer counts as the worst. Above the line ${index.runs[runs.y].label} has more. Arrow keys go from dot to dot.`);
    box.replaceChildren(heading, chosen, note, el("div", { class: "plot" }, drawing(index, rows, metric, runs, links), links));
  }

  const known = (one, run) => one.counted[run] !== null && one.counted[run] !== undefined;
  const shortened = (name) => (name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name);
  const gap = (one, runs) => Math.abs(one.counted[runs.x] - one.counted[runs.y]);

  function choice(index, name, run, redraw) {
    const options = index.runs.map((one, number) => el("option", { value: number, selected: number === run }, one.label));
    const select = el("select", { id: `scatter-${name}` }, ...options);
    select.addEventListener("input", () => {
      state.set({ [name]: select.value });
      redraw();
      document.getElementById(`scatter-${name}`).focus();
    });
    return el("label", {}, name === "x" ? "Across " : "Up ", select);
  }

  function tell(links, rows, title, metric, runs) {
    const number = (value) => Ecva.number(value, { ...metric, decimals: 1 });
    const items = rows.slice(0, LISTED).map((one) =>
      el("li", {}, el("a", { href: state.link({ page: "", sample: one.id, at: "" }) }, one.id), ` ${number(one.counted[runs.x])} and ${number(one.counted[runs.y])}`)
    );
    const rest = rows.length > LISTED ? el("p", { class: "hint" }, `and ${rows.length - LISTED} more`) : null;
    links.replaceChildren(...[el("h3", {}, title), el("ol", {}, ...items), rest].filter(Boolean));
  }

  // The next of 1, 2, 5, 10, … of a power of ten, where an axis may end.
  function roundUp(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-6)));
    return power * [1, 2, 5, 10].find((part) => part * power >= value * (1 - 1e-9));
  }

  function drawing(index, rows, metric, runs, links) {
    const top = roundUp(Math.max(...rows.flatMap((one) => [one.counted[runs.x], one.counted[runs.y]])));
    const x = (value) => LEFT + (SIZE * Math.max(0, value)) / top;
    const y = (value) => TOP + SIZE - (SIZE * Math.max(0, value)) / top;
    const picture = svg("svg", { viewBox: `0 0 ${LEFT + SIZE + 14} ${TOP + SIZE + 44}`, class: "scatter", role: "group", "aria-label": `${index.runs[runs.y].label} against ${index.runs[runs.x].label}` });
    for (const part of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      const text = Ecva.number(part * top, { ...metric, decimals: metric.unit === "%" && top >= 0.05 ? 0 : 1 });
      picture.append(
        svg("path", { class: "grid", d: `M${x(0)} ${y(part * top)}H${x(top)}M${x(part * top)} ${y(0)}V${y(top)}` }),
        svg("text", { x: x(part * top), y: TOP + SIZE + 16, "text-anchor": "middle" }, text),
        svg("text", { x: LEFT - 6, y: y(part * top) + 4, "text-anchor": "end" }, text)
      );
    }
    picture.append(
      svg("path", { class: "equal", d: `M${x(0)} ${y(0)}L${x(top)} ${y(top)}` }),
      svg("text", { x: LEFT + SIZE / 2, y: TOP + SIZE + 36, "text-anchor": "middle" }, shortened(index.runs[runs.x].label)),
      svg("text", { x: 12, y: TOP + SIZE / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${TOP + SIZE / 2})` }, shortened(index.runs[runs.y].label))
    );
    const groups = new Map();
    for (const one of rows) {
      const place = `${Math.round(x(one.counted[runs.x]) / 2)} ${Math.round(y(one.counted[runs.y]) / 2)}`;
      groups.set(place, [...(groups.get(place) || []), one]);
    }
    const dots = [...groups.values()].map((group) => {
      const first = group[0];
      const name = group.length > 1 ? `${group.length} samples here` : first.id;
      const link = svg("a", { href: state.link({ page: "", sample: first.id, at: "" }), tabindex: -1, "aria-label": name });
      const dot = svg("circle", { cx: x(first.counted[runs.x]), cy: y(first.counted[runs.y]), r: Math.min(12, 3 * Math.sqrt(group.length)) }, svg("title", {}, name));
      link.append(dot);
      if (group.length > 1) {
        link.addEventListener("click", (event) => {
          event.preventDefault();
          tell(links, group, name, metric, runs);
        });
      }
      return link;
    });
    if (dots.length) dots[0].setAttribute("tabindex", 0);
    picture.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = step && dots[dots.indexOf(document.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      for (const dot of dots) dot.setAttribute("tabindex", dot === next ? 0 : -1);
      next.focus();
    });
    picture.append(...dots);
    return picture;
  }

  return { show };
})();
