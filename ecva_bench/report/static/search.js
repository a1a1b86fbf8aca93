"use strict";

// Search for words in answers, references and reasons, by the index of words that the page was written with; and the
// marking of what was found in the texts on the screen.

Ecva.search = (() => {
  const { store } = Ecva;
  const CJK = "\\u3040-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7af"; // each character is a word, as in report/search.py
  const WORD = new RegExp(`[${CJK}]|(?:(?![${CJK}])[\\p{L}\\p{N}_])+\\*?`, "gu");
  const LONGEST = 40;
  let index;

  function open(given) {
    index = given;
  }

  const terms = (text) => (text.toLowerCase().match(WORD) || []).map((word) => word.slice(0, LONGEST));

  // The part that a word would stand in: the last whose first word is not behind it.
  function partOf(word) {
    let low = 0;
    let high = index.words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (index.words[middle] <= word) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  function unpack(places, into) {
    let at = 0;
    for (const step of places.split(" ")) into.add((at += parseInt(step, 36)));
  }

  // The places of a word, or of all words that begin with it where a * follows.
  async function placesOf(term) {
    const found = new Set();
    const beginning = term.endsWith("*");
    const word = beginning ? term.slice(0, -1) : term;
    const first = partOf(word);
    const last = beginning ? partOf(`${word}\uffff`) : first;
    for (let part = first; part <= last && part < index.words.length; part++) {
      const words = await store.load(`words-${part}`);
      if (!beginning) {
        if (Object.hasOwn(words, word)) unpack(words[word], found);
      } else {
        for (const [one, places] of Object.entries(words)) if (one.startsWith(word)) unpack(places, found);
      }
    }
    return found;
  }

  // The numbers of the samples in which one reference, or all that one shown run says and is told, has all words; null
  // where no word is asked for.
  async function samples(text, shown) {
    const wanted = terms(text);
    if (!wanted.length) return null;
    const all = await Promise.all(wanted.map(placesOf));
    all.sort((a, b) => a.size - b.size);
    const holders = index.runs.length + 1;
    const open = new Set([0, ...shown.map((run) => run + 1)]);
    const found = new Set();
    for (const place of all[0]) {
      if (open.has(place % holders) && all.every((places) => places.has(place))) found.add(Math.floor(place / holders));
    }
    return found;
  }

  // Mark the words in some elements, without a change to them.
  function mark(text, elements) {
    if (!CSS.highlights) return;
    const wanted = terms(text);
    const hits = (word) => wanted.some((term) => (term.endsWith("*") ? word.startsWith(term.slice(0, -1)) : word === term));
    const ranges = [];
    for (const element of wanted.length ? elements : []) {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        for (const match of node.data.matchAll(WORD)) {
          const word = match[0].toLowerCase().replace(/\*$/, "");
          if (hits(word.slice(0, LONGEST))) {
            const range = new Range();
            range.setStart(node, match.index);
            range.setEnd(node, match.index + word.length);
            ranges.push(range);
          }
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  return { open, samples, mark };
})();
