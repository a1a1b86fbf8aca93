"use strict";

// What the reader looks at, as one object that is always equal to the hash of the address: every state is a link.
// And the marks, which are kept by the browser and exported as JSON lines.

Ecva.state = (() => {
  const DEFAULTS = {
    page: "", // means or scatter; empty: the sample
    run: "", // in a link from elsewhere: the beginning of the hash of a run's results, or its name
    sample: "", // video/task
    task: "",
    class: "",
    metric: "", // scorer/column; empty: the one each task is ranked by
    text: "", // words that are searched for
    of: "", // the run that the filters of scores and answers are about; empty: the mean, or any, of those shown
    from: "",
    to: "",
    spread: "",
    right: "", // a run
    wrong: "",
    s2: "", // yes or no
    s3: "",
    errors: "",
    cut: "",
    unread: "",
    marked: "",
    find: "",
    sort: "",
    hidden: "", // numbers of runs not shown, joined by dots
    focus: "", // the run whose frames are shown
    at: "", // seconds
    x: "", // the runs of the scatter
    y: "",
  };
  const now = { ...DEFAULTS };

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const name of Object.keys(DEFAULTS)) now[name] = given.get(name) || DEFAULTS[name];
  }

  function link(changes) {
    const wanted = { ...now, ...changes };
    const given = Object.keys(DEFAULTS).filter((name) => wanted[name] !== DEFAULTS[name]);
    return "#" + new URLSearchParams(given.map((name) => [name, wanted[name]])).toString();
  }

  // Set without a new entry in the history; the caller draws what changed.
  function set(changes) {
    Object.assign(now, changes);
    history.replaceState(null, "", link({}));
  }

  // Set with a new entry, so that the browser's Back comes back to what was shown.
  function go(changes) {
    Object.assign(now, changes);
    history.pushState(null, "", link({}));
  }

  const hidden = () => new Set(now.hidden ? now.hidden.split(".").map(Number) : []);

  return { now, read, link, set, go, hidden };
})();

Ecva.marks = (() => {
  let key = "";
  let marks = new Map(); // sample -> note
  let complain = () => {};

  function open(index, onTrouble) {
    key = `ecva-bench marks ${index.id}`;
    complain = onTrouble;
    try {
      marks = new Map(JSON.parse(localStorage.getItem(key) || "[]"));
    } catch (error) {
      complain(`Marks last until this page is closed: the browser keeps none (${error.message}).`);
    }
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify([...marks]));
    } catch (error) {
      complain(`Marks last until this page is closed: the browser keeps none (${error.message}).`);
    }
  }

  function toggle(sample) {
    if (!marks.delete(sample)) marks.set(sample, "");
    keep();
  }

  function note(sample, text) {
    marks.set(sample, text);
    keep();
  }

  function asLines(index) {
    const runs = index.runs.map(({ name, model, sha256 }) => ({ name, model, results_sha256: sha256 }));
    const lines = [...marks].map(([id, text]) => {
      const { video, task } = Ecva.store.find(id);
      return { type: "mark", id, video, task, note: text };
    });
    return [{ type: "marks", schema: "ecva.marks/1", runs }, ...lines].map((line) => JSON.stringify(line) + "\n").join("");
  }

  return {
    open,
    toggle,
    note,
    asLines,
    has: (sample) => marks.has(sample),
    get: (sample) => marks.get(sample),
    size: () => marks.size,
  };
})();
