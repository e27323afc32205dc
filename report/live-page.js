"use strict";
// The live page: reads each training's live.js again and again and shows what is new in it. Scripts
// are the only files that a browser lets a page read which was opened from the disk.
const page = JSON.parse(document.getElementById("page").textContent);
const LOOK_MS = 4000, SELDOM = 8, QUIET_S = 90;
const SVG = "http://www.w3.org/2000/svg";

function element(kind, attributes = {}, ...inside) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

function span(seconds) {
  if (seconds < 90) return Math.max(0, Math.round(seconds)) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return Math.floor(seconds / 3600) + " h " + Math.round(seconds % 3600 / 60) + " min";
}

// A mean that follows slowly, over about a tenth of the points.
function smoothed(points) {
  const keep = 1 - 1 / Math.max(1, points.length / 10);
  let sum = 0, weight = 0;
  return points.map(([step, value]) => {
    sum = keep * sum + value; weight = keep * weight + 1;
    return [step, sum / weight];
  });
}

// wide: of the place it stands in, so that its words have their size.
function chart(told, wide) {
  const high = Math.min(190, 110 + wide / 10), left = 52, bottom = 20, top = 8;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("width", wide);
  svg.setAttribute("height", high);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "loss by step");
  const mean = smoothed(told.loss);
  const heights = [...told.loss, ...told.held_out].map(([, value]) => value).sort((a, b) => a - b);
  // A few steps of noise far above the others don't press the rest flat.
  const least = heights[0], most = heights[Math.floor((heights.length - 1) * 0.98)];
  const room = (most - least) * 0.05 || 0.01;
  const x = (step) => left + (wide - left - 8) * step / told.steps;
  const y = (value) => Math.max(top, top + (high - top - bottom) * (most + room - value) / (most - least + 2 * room));
  function draw(kind, name, attributes) {
    const made = document.createElementNS(SVG, kind);
    for (const [key, value] of Object.entries({...attributes, class: name})) made.setAttribute(key, value);
    svg.append(made);
    return made;
  }
  const line = (points) => points.map(([step, value], n) => `${n ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  draw("path", "axis", {d: `M${left} ${top}V${high - bottom}H${wide - 8}`});
  for (const value of [least, most]) draw("text", "", {x: left - 6, y: y(value) + 4, "text-anchor": "end"}).textContent = value.toPrecision(3);
  for (const step of [0, told.steps]) draw("text", "", {x: x(step), y: high - 4, "text-anchor": step ? "end" : "start"}).textContent = step ? "step " + step : "0";
  draw("path", "step-means", {d: line(told.loss)});
  draw("path", "mean", {d: line(mean)});
  if (told.held_out.length) draw("path", "held-out", {d: line(told.held_out)});
  return svg;
}

// One training: its place on the page, and what was shown of it last.
class Training {
  constructor(run) {
    this.run = run;
    this.last = null;
    this.looks = 0;
    this.figures = element("p", {class: "figures"}, "not started");
    this.progress = element("progress", {max: 1, value: 0, "aria-label": "steps done"});
    this.why = element("p", {class: "why", hidden: ""});
    this.curve = element("div");
    this.key = element("p", {class: "key quiet", hidden: ""});
    this.strips = element("div");
    this.place = element("section", {class: "training"},
      element("header", {}, element("h2", {}, run), this.figures),
      this.progress, this.why, this.curve, this.key, this.strips);
    this.shown = new Map();
  }

  show(told) {
    const drawn = this.last && JSON.stringify(this.last.loss) === JSON.stringify(told.loss) && this.last.state === told.state;
    this.last = told;
    this.progress.value = told.steps ? told.step / told.steps : 0;
    const said = [told.why, told.warning].filter(Boolean).join(" ");
    this.why.hidden = !said;
    this.why.textContent = said;
    if (told.loss.length && !drawn) {
      this.draw();
      this.key.hidden = false;
      this.key.replaceChildren(element("i"), "training loss, a mean over steps");
      if (told.held_out.length) this.key.append(element("i", {class: "held-out"}), "loss on held-out photos");
    }
    this.showPictures(told.pictures);
    this.speak();
  }

  draw() {
    if (!this.last || !this.last.loss.length) return;
    this.curve.replaceChildren();
    this.curve.append(chart(this.last, Math.max(240, this.curve.clientWidth)));
  }

  speak() {
    const told = this.last;
    if (!told) return;
    const parts = [`step ${told.step} of ${told.steps}`];
    const silent = Date.now() / 1000 - told.told;
    if (told.state !== "training") parts.unshift(told.state);
    else if (silent > QUIET_S) parts.push(`no news for ${span(silent)}`);
    else if (told.left !== null) parts.push(`${span(told.left)} left`);
    if (told.loss.length) {
      parts.push(`loss ${told.loss.at(-1)[1].toFixed(4)}`, `mean ${smoothed(told.loss).at(-1)[1].toFixed(4)}`);
    }
    if (told.held_out.length) parts.push(`held out ${told.held_out.at(-1)[1].toFixed(4)}`);
    this.figures.textContent = parts.join(" · ");
  }

  // New pictures alone are put in, so that nobody's place on the page is lost; the newest come first.
  showPictures(pictures) {
    const files = new Set(pictures.map(([, , , file]) => file));
    for (const [file, made] of this.shown) {
      if (files.has(file)) continue;
      const figure = made.closest("figure");
      made.remove();
      if (!figure.querySelector("img")) figure.remove();
      this.shown.delete(file);
    }
    for (const [step, prompt, seed, file] of pictures) {
      if (this.shown.has(file)) continue;
      const source = `${this.run}/${file}`.split("/").map(encodeURIComponent).join("/") + "?" + this.last.told;
      const image = element("img", {src: source, alt: `${prompt}, seed ${seed}, step ${step}`});
      const link = element("a", {href: source, target: "_blank"}, image);
      this.figure(prompt, step).append(link);
      this.shown.set(file, link);
    }
  }

  figure(prompt, step) {
    const strip = this.strip(prompt);
    const there = [...strip.querySelectorAll("figure[data-step]")];
    const own = there.find((one) => Number(one.dataset.step) === step);
    if (own) return own.firstChild;
    const made = element("figure", {"data-step": step}, element("div"), element("figcaption", {}, "step " + step));
    const after = there.find((one) => Number(one.dataset.step) < step);
    strip.insertBefore(made, after || null);
    return made.firstChild;
  }

  strip(prompt) {
    const known = [...this.strips.children].find((one) => one.dataset.prompt === prompt);
    if (known) return known.lastChild;
    const asked = page.prompts[prompt] || {text: prompt, who: []};
    const strip = element("div", {class: "strip", tabindex: "0"});
    const each = asked.who.length > 1 ? 2 : 3;
    const photos = asked.who.flatMap((letter) => (page.photos[letter] || []).slice(0, each));
    if (photos.length) {
      const images = photos.map((photo) => element("img", {src: photo, alt: "photo"}));
      strip.append(element("figure", {class: "photos"}, element("div", {}, ...images), element("figcaption", {}, "photos")));
    }
    this.strips.append(element("div", {class: "prompt", "data-prompt": prompt}, element("p", {}, asked.text), strip));
    return strip;
  }

  look() {
    const seldom = !this.last || this.last.state !== "training";
    if (seldom && this.looks++ % SELDOM) { this.speak(); return; }
    const script = element("script", {src: `${this.run.split("/").map(encodeURIComponent).join("/")}/live.js?${Date.now()}`});
    script.onload = script.onerror = () => script.remove();
    document.head.append(script);
    this.speak();
  }
}

const trainings = new Map(page.runs.map((run) => [run, new Training(run)]));
document.getElementById("trainings").append(...[...trainings.values()].map((one) => one.place));

// What every live.js calls.
function live(told) {
  const training = trainings.get(told.run);
  if (training) training.show(told);
}

function look() {
  for (const training of trainings.values()) training.look();
}
look();
setInterval(look, LOOK_MS);
window.addEventListener("resize", () => trainings.forEach((training) => training.draw()));
