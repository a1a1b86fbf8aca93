"use strict";

// Which samples are listed, and in which order: what the form asks for, applied to the columns of numbers.

Ecva.filter = (() => {
  const { state, store, marks, search } = Ecva;
  let index;
  let rows = []; // Listed

  function open(given) {
    index = given;
  }

  // A sample as it is listed. Its numbers are worked out when they are asked for: most lists are longer than what is seen.
  class Listed {
    constructor(sample, part, shown) {
      this.sample = sample;
      this.part = part;
      this.shown = shown;
    }
    get number() {
      return this.sample.number;
    }
    get id() {
      return this.sample.id;
    }
    get video() {
      return this.sample.video;
    }
    get task() {
      return this.sample.task;
    }
    get metric() {
      return this.part.metric;
    }
    lacks(run) {
      return this.sample.lacking.includes(run);
    }
    // What counts in each run: of no answer the worst.
    get counted() {
      const { metric, column } = this.part;
      return (this.kept ??= column ? store.values(column, metric, this.number) : []);
    }
    // The values of answers, null where there is none.
    get values() {
      return this.counted.map((value, run) => (this.lacks(run) ? null : value));
    }
    get overRuns() {
      if (!this.summed) {
        const values = this.values;
        const there = this.shown.map((run) => values[run]).filter((value) => value !== null && value !== undefined);
        this.summed = there.length
          ? { mean: there.reduce((a, b) => a + b, 0) / there.length, spread: Math.max(...there) - Math.min(...there) }
          : { mean: null, spread: 0 };
      }
      return this.summed;
    }
    // The mean and the spread of the runs shown.
    get mean() {
      return this.overRuns.mean;
    }
    get spread() {
      return this.overRuns.spread;
    }
    // The value of the run that the filters are about, else the mean.
    get score() {
      return (state.now.of ? this.values[Number(state.now.of)] : this.mean) ?? null;
    }
  }

  function metricFor(task) {
    const named = index.metrics.findIndex((m) => m.task === task && `${m.scorer}/${m.column}` === state.now.metric);
    const place = named >= 0 ? named : index.main[task];
    return place === undefined ? null : { ...index.metrics[place], place };
  }

  const shownRuns = () => {
    const hidden = state.hidden();
    return index.runs.map((_, run) => run).filter((run) => !hidden.has(run));
  };

  // What is needed of a task to list its samples: its metric with its column, and columns of AnomEval's parts.
  async function numbers(task) {
    const metric = metricFor(task);
    const found = { metric, column: metric && (await store.load(`metric-${metric.place}`)) };
    for (const name of ["s2", "s3"]) {
      if (!state.now[name]) continue;
      const place = index.metrics.findIndex((m) => m.task === task && m.column === name);
      if (place >= 0) found[name] = { metric: index.metrics[place], column: await store.load(`metric-${place}`) };
    }
    if (found.column && (state.now.right || state.now.wrong)) {
      const largest = found.column.flat().reduce((most, value) => Math.max(most, Math.abs(value || 0)), 0);
      found.half = metric.unit === "%" ? 0.5 : largest / metric.scale / 2;
    }
    return found;
  }

  async function update() {
    const tasks = index.tasks.filter((task) => !state.now.task || task === state.now.task);
    const found = Object.fromEntries(await Promise.all(tasks.map(async (task) => [task, await numbers(task)])));
    const shown = shownRuns();
    const wanted = await search.samples(state.now.text, shown);
    const noted = state.now.cut || state.now.unread ? await notes() : null;
    const tests = [simple(wanted), score(), rightAndWrong(found), ofAnAnswer(found, noted, shown)].filter(Boolean);
    rows = [];
    for (let number = 0; number < index.samples.length; number++) {
      const one = store.sample(number);
      if (!(one.task in found)) continue;
      const listed = new Listed(one, found[one.task], shown);
      if (tests.every((test) => test(listed))) rows.push(listed);
    }
    sort();
    return rows;
  }

  async function notes() {
    const noted = await store.load("noted");
    return Object.fromEntries(Object.entries(noted).map(([name, runs]) => [name, runs.map((one) => new Set(one))]));
  }

  function simple(wanted) {
    const now = state.now;
    const name = now.find.trim().toLowerCase();
    const shown = new Set(shownRuns());
    return (one) =>
      (!now.class || one.sample.label === now.class) &&
      (!now.errors || one.sample.lacking.some((run) => (now.of ? run === Number(now.of) : shown.has(run)))) &&
      (!now.marked || marks.has(one.id)) &&
      (!name || one.video.toLowerCase().includes(name)) &&
      (!wanted || wanted.has(one.number));
  }

  // A number as it is typed, with a point or a comma; NaN where it is none, and then it bounds nothing.
  const typed = (text) => (text.trim() ? Number(text.trim().replace(",", ".")) : NaN);

  // Bounds of one run's score, or of the mean of the runs shown; the spread is over the runs shown.
  function score() {
    const [from, to, spread] = ["from", "to", "spread"].map((name) => (Number.isNaN(typed(state.now[name])) ? "" : state.now[name]));
    const bound = (text, metric) => typed(text) / (metric && metric.unit === "%" ? 100 : 1);
    return (one) =>
      (!from || (one.score !== null && one.score >= bound(from, one.metric) - 1e-9)) &&
      (!to || (one.score !== null && one.score <= bound(to, one.metric) + 1e-9)) &&
      (!spread || one.spread >= bound(spread, one.metric) - 1e-9);
  }

  function rightAndWrong(found) {
    const { right, wrong } = state.now;
    const isRight = (one, run) => {
      const value = one.counted[run];
      if (value === null || value === undefined) return null;
      if (one.lacks(run)) return false;
      const { half } = found[one.task];
      return one.metric.higher_is_better ? value >= half - 1e-9 : value <= half + 1e-9;
    };
    if (!right && !wrong) return null;
    return (one) => (!right || isRight(one, Number(right)) === true) && (!wrong || isRight(one, Number(wrong)) === false);
  }

  // What must hold of one answer at a time: of the run chosen, else of any that is shown.
  function ofAnAnswer(found, noted, shown) {
    const { s2, s3, cut, unread, of } = state.now;
    if (!(s2 || s3 || cut || unread)) return null;
    const fits = (one, name, asked, run) => {
      const part = found[one.task][name];
      const value = part && !one.lacks(run) ? store.values(part.column, part.metric, one.number)[run] : null;
      return value !== null && value !== undefined && (asked === "yes" ? value >= 0.5 : value < 0.5);
    };
    const runs = of ? [Number(of)] : shown;
    return (one) =>
      runs.some(
        (run) =>
          (!s2 || fits(one, "s2", s2, run)) &&
          (!s3 || fits(one, "s3", s3, run)) &&
          (!cut || noted.cut_off[run].has(one.number)) &&
          (!unread || noted.unread[run].has(one.number))
      );
  }

  function sort() {
    const last = (value) => (value === null ? Infinity : value);
    const signed = (one, sign) => last(one.score === null ? null : (one.metric.higher_is_better ? sign : -sign) * one.score);
    const orders = {
      low: (a, b) => signed(a, 1) - signed(b, 1),
      high: (a, b) => signed(a, -1) - signed(b, -1),
      spread: (a, b) => b.spread - a.spread,
    };
    const order = orders[state.now.sort];
    if (order) rows.sort((a, b) => order(a, b) || a.number - b.number);
  }

  // The mean of a run over the listed samples of a task, as boards count it: {mean, samples}; null where none has a value.
  function mean(task, run) {
    const values = rows.filter((one) => one.task === task).map((one) => one.counted[run]);
    const there = values.filter((value) => value !== null && value !== undefined);
    return there.length ? { mean: there.reduce((a, b) => a + b, 0) / there.length, samples: there.length } : null;
  }

  return { open, update, metricFor, shownRuns, mean, typed, rows: () => rows };
})();
