"use strict";

// The video and, under it, one time axis with tracks. Every track is clickable: a click goes to that time.

Ecva.timeline = (() => {
  const { el, svg, state, clock } = Ecva;
  const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200];
  let video, stage, tracks, trouble;
  let entry = null; // the video's data
  let end = 1; // seconds shown
  let at = 0; // the time shown, where there is no film to ask

  function open() {
    stage = document.getElementById("stage");
    video = document.getElementById("video");
    tracks = document.getElementById("tracks");
    trouble = document.getElementById("no-video");
    const follow = () => move(video.currentTime);
    for (const event of ["timeupdate", "seeking", "seeked"]) video.addEventListener(event, follow);
    video.addEventListener("error", () => {
      if (entry && entry.media) say(`The browser cannot play this file; ${entry.drawn ? "the frames that were shown are below" : "the time axis works without it"}.`);
    });
    video.addEventListener("loadedmetadata", () => {
      if (at) video.currentTime = at;
    });
    document.getElementById("frames").addEventListener("click", (event) => {
      const frame = event.target.closest("[data-start]");
      if (frame) seek(Number(frame.dataset.start));
    });
    tracks.addEventListener("click", (event) => {
      const span = event.target.closest("[data-start]");
      const content = event.target.closest(".content");
      if (span) seek(Number(span.dataset.start));
      else if (content) {
        const box = content.getBoundingClientRect();
        seek((end * (event.clientX - box.left)) / box.width);
      }
    });
  }

  function say(text) {
    trouble.textContent = text;
    trouble.hidden = !text;
    stage.classList.toggle("empty", Boolean(text));
  }

  function seek(seconds) {
    at = Math.min(Math.max(0, seconds), end);
    if (video.readyState > 0) video.currentTime = at;
    state.set({ at: at.toFixed(2) });
    move(at);
  }

  function move(seconds) {
    at = seconds;
    tracks.style.setProperty("--now", String(Math.min(1, seconds / end)));
    document.getElementById("clock").textContent = `${clock(seconds)} / ${clock(end)}`;
  }

  // Go to the next moment (step 1) or the one before (-1).
  function moment(step) {
    const starts = entry ? entry.moments.map(([start]) => start).sort((a, b) => a - b) : [];
    const beyond = starts.filter((start) => (step > 0 ? start > at + 0.05 : start < at - 0.05));
    if (beyond.length) seek(step > 0 ? beyond[0] : beyond[beyond.length - 1]);
  }

  function show(given, index, shown, focus) {
    const another = !entry || entry.video !== given.video;
    entry = given;
    end = entry.end || 1;
    if (another) {
      at = 0;
      say(entry.media ? "" : "No file of this video was given; the time axis works without it.");
      if (entry.media) video.src = entry.media;
      else video.removeAttribute("src");
      video.load();
    }
    draw(index, shown, focus);
    if (state.now.at && Math.abs(Number(state.now.at) - at) > 0.02) seek(Number(state.now.at));
    else move(at);
  }

  const percent = (seconds) => `${(100 * Math.min(1, Math.max(0, seconds / end))).toFixed(3)}%`;

  function draw(index, shown, focus) {
    const rows = [ruler(), track("annotated", spans(entry.moments, "moment", "annotated moment"))];
    const curves = shown.filter((number) => entry.runs[number] && entry.runs[number].severe);
    if (entry.curve.length || curves.length) rows.push(track("severity", severity(index, curves), "tall"));
    const run = entry.runs[focus];
    for (const seen of run ? run.tracks : []) {
      const title = seen.view === "full" ? "frames seen" : `frames seen, ${seen.view}`;
      const note = `${index.runs[focus].label}, ${Ecva.VIEWS[seen.view]}: ${seen.times.length} frames, asked ${seen.tasks.join(", ")}`;
      rows.push(track(title, [...spans(seen.cut, "cut", "cut out"), ticks(seen.times)], "seen", focus, note));
    }
    for (const number of shown) {
      const said = entry.runs[number] && entry.runs[number].said;
      const given = index.runs[number];
      if (said && said.length) {
        rows.push(track(`said by ${given.label}`, spans(said, "said", `predicted by ${given.label}`), "thin", number));
      }
    }
    tracks.replaceChildren(...rows, el("div", { class: "now", "aria-hidden": "true" }));
    const strips = run && entry.drawn ? run.tracks.map((seen) => strip(index.runs[focus], run.tracks, seen)).filter(Boolean) : [];
    document.getElementById("frames").replaceChildren(...strips);
  }

  // The frames of a view as pictures; of an edited view also those of the full one that were cut, in grey.
  function strip(given, all, seen) {
    const full = all.find((one) => one.view === "full" && one.tasks.some((task) => seen.tasks.includes(task)));
    const inCut = (time) => seen.cut.some(([start, stop]) => start <= time && time < stop);
    const gone = seen.cut.length && full ? full.times.filter((time) => inCut(time) && !seen.times.includes(time)) : [];
    const times = [...seen.times.map((time) => [time, false]), ...gone.map((time) => [time, true])].sort((a, b) => a[0] - b[0]);
    const pictures = times.filter(([time]) => entry.drawn.times.includes(time)).map(([time, cut]) => picture(time, cut));
    if (!pictures.length || ["still", "shuffled", "blank"].includes(seen.view)) return null;
    const name = `Frames ${given.label} was shown, ${Ecva.VIEWS[seen.view]} (${seen.tasks.join(", ")})`;
    return el("details", { open: seen.view === "full" }, el("summary", {}, name), el("div", { class: "strip-of-frames" }, ...pictures));
  }

  function picture(time, cut) {
    const { file, width, height, columns, times } = entry.drawn;
    const place = times.indexOf(time);
    const name = `${clock(time)}${cut ? ", cut out" : ""}`;
    const image = el("span", { class: "picture" });
    image.style.width = `${width}px`;
    image.style.height = `${height}px`;
    image.style.backgroundImage = `url("${file}")`;
    image.style.backgroundPosition = `-${(place % columns) * width}px -${Math.floor(place / columns) * height}px`;
    return el("button", { type: "button", class: `frame${cut ? " cut" : ""}`, "data-start": time, title: name }, image, el("span", {}, name));
  }

  function track(title, content, kind, run, note) {
    const row = el(
      "div",
      { class: `track ${kind || ""}` },
      el("div", { class: "name", title: note || title }, title),
      el("div", { class: "content" }, ...content)
    );
    if (run !== undefined) row.style.setProperty("--hue", Ecva.hue(run));
    return row;
  }

  function ruler() {
    const most = tracks.clientWidth < 600 ? 4 : 10;
    const step = STEPS.find((one) => end / one <= most) || Math.ceil(end / most);
    const labels = [];
    for (let time = 0; time <= 0.97 * end; time += step) {
      const label = el("span", { class: "time" }, step < 1 ? clock(time) : clock(time).slice(0, -2));
      label.style.left = percent(time);
      labels.push(label);
    }
    return track("", labels, "ruler");
  }

  function spans(list, kind, what) {
    return list.map(([start, stop]) => {
      const title = `${what}, ${clock(start)} to ${clock(stop)}`;
      const span = el("button", { type: "button", class: `span ${kind}`, title, "aria-label": title, "data-start": start });
      span.style.left = percent(start);
      span.style.width = `max(3px, ${(100 * Math.max(0, Math.min(stop, end) - Math.min(start, end))) / end}%)`;
      return span;
    });
  }

  function ticks(times) {
    const path = times.map((time) => `M${((1000 * time) / end).toFixed(1)} 0V10`).join("");
    return svg(
      "svg",
      { class: "ticks", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("path", { d: path })
    );
  }

  // The annotated curve as an area, over it a line for each run that is shown; floors are dashed, gaps are hatched.
  function severity(index, curves) {
    const rows = entry.curve.length ? [curve()] : [];
    for (const number of curves) {
      const { segments, unparsed } = entry.runs[number].severe;
      const { label, baseline } = index.runs[number];
      const line = svg(
        "svg",
        { class: `curve predicted${baseline ? " floor" : ""}`, viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img", "aria-label": `severity by ${label}` },
        svg("path", { d: steps(segments) })
      );
      line.style.setProperty("--hue", Ecva.hue(number));
      rows.push(line, ...spans(unparsed, "unparsed", `no severity read, ${label}`));
    }
    return rows;
  }

  // The outline of segments, in order of time; 0 between them.
  function steps(segments) {
    const x = (seconds) => ((1000 * Math.min(seconds, end)) / end).toFixed(1);
    const y = (value) => (100 - 100 * value).toFixed(1);
    let d = "M0 100";
    let before = 0;
    for (const [start, stop, value] of [...segments].sort((a, b) => a[0] - b[0])) {
      if (start > before) d += `V100H${x(start)}`;
      d += `V${y(value)}H${x(stop)}`;
      before = Math.max(before, stop);
    }
    return before < end ? `${d}V100H1000` : d;
  }

  function curve() {
    const points = entry.curve.map(([time, height]) => `${((1000 * time) / end).toFixed(1)},${(100 - 100 * height).toFixed(1)}`);
    const last = entry.curve[entry.curve.length - 1][0];
    const first = entry.curve[0][0];
    const area = [`${(1000 * first) / end},100`, ...points, `${(1000 * last) / end},100`].join(" ");
    return svg(
      "svg",
      { class: "curve", viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img", "aria-label": "severity over time" },
      svg("polygon", { points: area }),
      svg("polyline", { points: points.join(" ") })
    );
  }

  return { open, show, moment, pause: () => video.pause() };
})();
