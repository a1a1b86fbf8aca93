"use strict";

// The answers to one sample side by side: what was said, what of the annotation it states, what changed on an
// edited view, and what every metric and the judge made of it.

Ecva.answers = (() => {
  const { el, state, filter, search, clock } = Ecva;
  const LONG = 700; // characters; a longer answer is folded
  const FOUND = { 1: ["✓", "found"], 0.5: ["~", "votes tied"], 0: ["✗", "missed"] };
  const EDITED = {
    anomaly: "asked again without the anomaly",
    control: "asked again without a normal span",
    still: "asked again with one frame throughout",
    shuffled: "asked again with its frames shuffled",
    blank: "asked again without a picture",
  };

  // What was asked: once where all runs shown were asked the same, else with the runs that were.
  function questions(index, one, task, shown) {
    const asked = new Map();
    for (const run of shown) {
      const number = index.runs[run].questions[one.task];
      if (number !== undefined) asked.set(number, [...(asked.get(number) || []), index.runs[run].label]);
    }
    const words = { question: task.asked, sentence: task.asked, options: "(the answers to choose from)" };
    const parts = [...asked].flatMap(([number, runs]) => [
      asked.size > 1 ? el("h4", {}, runs.join(", ")) : null,
      folded([index.questions[number].replace(/\{(question|sentence|options)\}/g, (_, name) => words[name] || "")]),
    ]);
    const unknown = el("p", { class: "nothing" }, "The question is not recorded: these answers were made elsewhere.");
    return [el("h3", {}, "Question"), ...(asked.size ? parts.filter(Boolean) : [unknown])];
  }

  function reference(index, one, task, shown) {
    const keys = task.keys.map((sentence) => el("li", {}, sentence));
    return [
      ...questions(index, one, task, shown),
      el("h3", {}, "Annotation"),
      el("p", { class: "text" }, task.reference),
      ...(keys.length ? [el("h4", {}, "Key sentences"), el("ol", { class: "keys" }, ...keys)] : []),
    ];
  }

  // A text in parts, of which every second is marked; a long one is folded, and it is said where it goes round in circles.
  function folded(parts) {
    const text = parts.join("");
    const shown = el("p", { class: "text" }, ...parts.map((part, i) => (i % 2 ? el("mark", {}, part) : part)));
    return fold(shown, text);
  }

  function fold(shown, text) {
    if (text.length <= LONG) return shown;
    const times = repeats(text);
    const size = `${text.length} characters${times > 2 ? `; it says one sentence ${times} times` : ""}`;
    const open = Boolean(state.now.text); // what was searched for may stand in any place
    const button = el("button", { type: "button", class: "unfold", "aria-expanded": String(open) }, open ? "Show less" : `Show all: ${size}`);
    const box = el("div", { class: `folded${open ? " open" : ""}` }, shown, button);
    button.addEventListener("click", () => {
      const now = box.classList.toggle("open");
      button.setAttribute("aria-expanded", String(now));
      button.textContent = now ? "Show less" : `Show all: ${size}`;
    });
    return box;
  }

  function repeats(text) {
    const counts = new Map();
    for (const sentence of text.split(/[.!?\n]+\s*/)) {
      if (sentence.length > 15) counts.set(sentence, (counts.get(sentence) || 0) + 1);
    }
    return Math.max(0, ...counts.values());
  }

  function card(index, run, entry, one) {
    const given = index.runs[run];
    const task = entry.tasks[one.question] || { keys: [] };
    const found = (entry.runs[run] && entry.runs[run].answers[one.question]) || {};
    const seen = Boolean(entry.runs[run] && entry.runs[run].tracks.length);
    const article = el("article", { class: "card", "aria-label": given.label }, head(index, run, found.full, one, seen));
    article.style.setProperty("--hue", Ecva.hue(run));
    article.append(...full(found.full, task));
    for (const view of Object.keys(EDITED)) if (found[view]) article.append(edited(view, found));
    const scored = Object.keys(Ecva.VIEWS).filter((view) => found[view] && (found[view].scores || found[view].gaps));
    if (scored.length) article.append(metrics(index, found, scored));
    for (const view of scored) if (found[view].judge) article.append(judge(found[view].judge));
    return article;
  }

  function head(index, run, answer, one, seen) {
    const given = index.runs[run];
    const metric = filter.metricFor(one.task);
    const value = metric && answer && answer.scores ? answer.scores[metric.place] : undefined;
    const choose = el(
      "button",
      { type: "button", class: "focus", "data-run": run, "aria-pressed": String(Number(state.now.focus || firstShown()) === run) },
      "frames"
    );
    return el(
      "header",
      {},
      el("h3", {}, given.model, given.name === given.model ? "" : el("small", {}, given.name)),
      given.baseline ? el("span", { class: "tag" }, "baseline") : null,
      seen ? choose : null,
      value === undefined
        ? null
        : el(
            "p",
            { class: "main", title: `${metric.scorer}, ${metric.column}` },
            el("b", {}, Ecva.number(value, { ...metric, decimals: 1 })),
            el("span", {}, metric.unit === "%" ? ` % ${metric.column}` : ` ${metric.column}`)
          )
    );
  }

  const firstShown = () => filter.shownRuns()[0];

  function full(answer, task) {
    if (!answer) return [el("p", { class: "nothing" }, "No answer.")];
    if (answer.error) return [failure(answer.error)];
    const text = answer.text.join("").trim() ? folded(answer.text) : el("p", { class: "nothing" }, "An empty answer.");
    return [text, ...reading(answer), ...(answer.found ? keys(answer, task) : []), ...circumstances(answer), ...steps(answer), ...again(answer)];
  }

  // What the answer was read as, where the metric reads a class or spans out of it; the characters are marked above.
  function reading(answer) {
    if (!answer.reading) return [];
    const { as: values = [], status, rule, by, others = [] } = answer.reading;
    const said = [values.length ? `read as ${values.join(", ")}` : `not read: ${status}`];
    if (by) said.push(`by ${by}`);
    if (rule) said.push(`rule: ${rule}`);
    if (others.length) said.push(`also named: ${others.join(", ")}`);
    return [el("p", { class: "reading" }, said.join(" · "))];
  }

  function failure({ stage, error, message }) {
    return el("p", { class: "failure" }, el("b", {}, `${stage}: ${error}`), ` ${message}`);
  }

  function keys(answer, task) {
    const items = answer.found.map((value, i) => {
      const [sign, word] = FOUND[value] || FOUND[value > 0.5 ? 1 : 0];
      return el("li", { class: word.replace(" ", "-") }, el("span", { class: "sign", role: "img", "aria-label": word }, sign), task.keys[i]);
    });
    const how =
      answer.by === "judge"
        ? "key sentences, as the judge found them"
        : "key sentences by shared words: half of the longer words, no judge asked";
    return [el("h4", {}, how), el("ul", { class: "stated" }, ...items)];
  }

  function circumstances(answer) {
    const noted = [];
    if (answer.finish) noted.push(`stopped by: ${answer.finish}`);
    if (answer.trained) noted.push("the model was trained on this video");
    if (answer.damaged) noted.push(`${answer.damaged} damaged frames`);
    if (answer.seconds !== undefined) noted.push(`${answer.seconds} s`);
    return noted.length ? [el("p", { class: "noted" }, noted.join(" · "))] : [];
  }

  function edited(view, found) {
    const answer = found[view];
    const box = el("details", { class: "edited", open: true }, el("summary", {}, EDITED[view]));
    if (answer.error) box.append(failure(answer.error));
    else if (answer.text) box.append(folded(answer.text));
    else box.append(...difference(answer.difference));
    box.append(...reading(answer), ...steps(answer), ...again(answer));
    return box;
  }

  function difference(segments) {
    if (segments.every((segment) => segment[0] === "=")) return [el("p", { class: "same" }, "The same answer, word for word.")];
    const tags = { "=": "span", "-": "del", "+": "ins" };
    const shown = el("p", { class: "text diff" }, ...segments.map((segment) => el(tags[segment[0]], {}, segment.slice(1))));
    return [fold(shown, segments.map((segment) => segment.slice(1)).join(""))];
  }

  // How a model that works in several steps came to its answer, in its own words: whatever it recorded, as text.
  function steps(answer) {
    if (!answer.steps) return [];
    return [el("details", { class: "steps" }, el("summary", {}, "how the answer came about"), told(answer.steps))];
  }

  // The other answers to a question that was asked several times, with what each scores.
  function again(answer) {
    if (!answer.again) return [];
    const more = `asked again: ${answer.again.length} more`;
    return [el("details", { class: "steps" }, el("summary", {}, more), told(answer.again))];
  }

  function told(value) {
    if (typeof value === "number") return String(Math.round(100 * value) / 100);
    if (value === null || typeof value !== "object") return String(value);
    if (Array.isArray(value)) {
      const plain = value.every((part) => part === null || typeof part !== "object");
      return plain ? value.map(told).join(", ") : el("ol", {}, ...value.map((part) => el("li", {}, told(part))));
    }
    const { start, end, ...others } = value;
    const stretch = typeof start === "number" && typeof end === "number"; // of the video
    const parts = Object.entries(stretch ? others : value);
    const list = el("dl", {}, ...parts.flatMap(([name, part]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, told(part))]));
    return stretch ? el("div", {}, `${clock(start)} to ${clock(end)}`, list) : list;
  }

  function metrics(index, found, views) {
    const places = new Set(views.flatMap((view) => [...Object.keys(found[view].scores || {}), ...Object.keys(found[view].gaps || {})]));
    const rows = [...places].map(Number).sort((a, b) => a - b).map((place) => {
      const metric = index.metrics[place];
      const unit = metric.unit === "%" ? " %" : metric.unit === "points" ? "" : ` ${metric.unit}`;
      const cells = views.map((view) => {
        const gap = (found[view].gaps || {})[place];
        return el("td", { title: gap }, gap ? "unscored" : Ecva.number((found[view].scores || {})[place], metric));
      });
      const name = el("th", { scope: "row", title: metric.scorer }, `${metric.column}${unit}`);
      return el("tr", {}, name, ...cells);
    });
    const top = el("tr", {}, el("th", { scope: "col" }, "metric"), ...views.map((view) => el("th", { scope: "col" }, view)));
    const table = el("table", {}, el("thead", {}, top), el("tbody", {}, ...rows));
    const reasons = views.flatMap((view) => Object.entries(found[view].unscored || {}));
    const said = reasons.map(([scorer, why]) => el("p", { class: "noted" }, `${scorer}: not scored: ${why}`));
    return el("details", { class: "metrics" }, el("summary", {}, "metrics"), table, ...said);
  }

  function judge(parts) {
    const items = Object.entries(parts).flatMap(([name, { values, why }]) => [
      el("dt", {}, name, el("b", {}, ` ${values.length ? values.map((value) => Math.round(100 * value) / 100).join(" ") : "–"}`)),
      el("dd", {}, why || "No reason was given."),
    ]);
    return el("details", { class: "judge", open: true }, el("summary", {}, "what the judge said"), el("dl", {}, ...items));
  }

  function show(index, entry, one, shown) {
    const asked = (run) => one.lacking.includes(run) || (entry.runs[run] && entry.runs[run].answers[one.question]);
    const task = entry.tasks[one.question] || { reference: "", keys: [], asked: "" };
    const places = ["reference", "answers"].map((id) => document.getElementById(id));
    places[0].replaceChildren(...reference(index, one, task, shown));
    places[1].replaceChildren(...shown.filter(asked).map((run) => card(index, run, entry, one)));
    search.mark(state.now.text, places);
  }

  return { show };
})();
