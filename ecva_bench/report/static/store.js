"use strict";

// The data of the page. Scripts under data/ hand their value to Ecva.take; each is loaded when it is first needed,
// and only the last few chunks are kept, so that a large run never lies in memory as a whole.

const Ecva = {};

Ecva.store = (() => {
  const CHUNKS_KEPT = 12;
  const waiting = new Map();
  const loaded = new Map();

  Ecva.take = (name, value) => {
    const resolve = waiting.get(name);
    waiting.delete(name);
    if (resolve) resolve(value);
  };

  function load(name) {
    const known = loaded.get(name);
    if (known) {
      loaded.delete(name);
      loaded.set(name, known);
      return known;
    }
    const coming = new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      script.onload = () => script.remove();
      script.onerror = () => {
        loaded.delete(name);
        reject(new Error(`data/${name}.js cannot be loaded: write the page again`));
      };
      document.head.append(script);
    });
    loaded.set(name, coming);
    const chunks = [...loaded.keys()].filter((key) => key.startsWith("chunk-"));
    if (chunks.length > CHUNKS_KEPT) loaded.delete(chunks[0]);
    return coming;
  }

  let index = null;
  let rowOf = []; // sample -> its row in the columns of its task
  let samples = []; // each as the page speaks of it, where it was asked for
  let numberOf = null; // id -> number

  async function open() {
    index = await load("index");
    const rows = index.tasks.map(() => 0);
    rowOf = index.samples.map(([, task]) => rows[task]++);
    return index;
  }

  // A sample as the page speaks of it: its number, its id, and what the index says of it.
  function sample(number) {
    if (samples[number]) return samples[number];
    const [video, task, ...lacking] = index.samples[number];
    const [id, label, chunk, place] = index.videos[video];
    const name = index.names[number];
    const question = name ? `${index.tasks[task]}${name.startsWith("@") ? "" : "/"}${name}` : index.tasks[task];
    return (samples[number] = {
      ...{ number, id: `${id}/${question}`, video: id, task: index.tasks[task], question },
      ...{ label: index.classes[label], chunk, place, lacking },
    });
  }

  // The sample of an id; undefined where there is none.
  function find(id) {
    numberOf = numberOf || new Map(index.samples.map((_, number) => [sample(number).id, number]));
    return numberOf.has(id) ? sample(numberOf.get(id)) : undefined;
  }

  async function videoOf(one) {
    const chunk = await load(`chunk-${one.chunk}`);
    return chunk[one.place];
  }

  // The values of a sample in a loaded column, one per run, in the metric's own unit; null where there is none.
  function values(column, metric, number) {
    return column[rowOf[number]].map((value) => (value === null ? null : value / metric.scale));
  }

  return { load, open, sample, find, videoOf, values };
})();

// An element with attributes and children. Text, whoever wrote it, reaches the page as text only.
Ecva.el = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

Ecva.svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

Ecva.number = (value, metric) =>
  value === null || value === undefined
    ? "–"
    : (metric.unit === "%" ? value * 100 : value).toFixed(Math.min(metric.decimals, 2));

Ecva.clock = (seconds) => {
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}.${tenths % 10}`;
};

Ecva.VIEWS = {
  full: "full video",
  anomaly: "without its anomaly",
  control: "without a normal span",
  still: "one frame throughout",
  shuffled: "frames shuffled",
  blank: "no picture",
};
