// Calm updates: a story that arrives by server-sent events is morphed in place, what changed gets the ink bar, and one
// polite region says so at most once a minute.
import { drawCharts } from "./charts.js";

const MINUTE = 60_000;
const changed = new Set();
let saidAt = -MINUTE;
let waiting = null;
let pending = "";

// `now` is for what the reader just did; everything else waits its minute, and only the latest of it is said.
export function announce(text, { now = false } = {}) {
  const region = document.getElementById("announce");
  if (now) {
    region.textContent = text;
    return;
  }
  pending = text;
  waiting ??= setTimeout(
    () => {
      region.textContent = pending;
      saidAt = performance.now();
      waiting = null;
    },
    Math.max(0, saidAt + MINUTE - performance.now()),
  );
}

function wordings(container) {
  return new Map([...container.querySelectorAll("[data-insight-id]")].map((s) => [s.dataset.insightId, s.textContent]));
}

function markNew(container) {
  for (const sentence of container.querySelectorAll("[data-insight-id]")) {
    if (!changed.has(sentence.dataset.insightId)) continue;
    const block = sentence.closest("p, h1, td") ?? sentence;
    if (block.classList.contains("is-new-mark")) continue;
    block.classList.add("is-new-mark");
    const spoken = document.createElement("span");
    spoken.className = "visually-hidden";
    spoken.textContent = "New: ";
    block.prepend(spoken);
  }
}

function isBeingFilled(form) {
  const changed = (field) =>
    field instanceof HTMLSelectElement
      ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.value !== field.defaultValue;
  return [...form.elements].some((field) => field.matches("input:not([type=hidden]), textarea, select") && changed(field));
}

// A drawn chart is not markup to compare, what the reader opened stays open, and what they write stays written.
function keepWhatScriptMade() {
  if (!globalThis.Idiomorph) return;
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old) =>
      !(old instanceof Element && (old.matches(".chart[data-drawn]") || (old.matches("form") && isBeingFilled(old)))),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
  });
}

function startAges() {
  const relative = new Intl.RelativeTimeFormat("en", { style: "short", numeric: "always" });
  const say = (seconds) => {
    if (seconds < 60) return relative.format(-Math.max(1, Math.round(seconds)), "second");
    if (seconds < 3600) return relative.format(-Math.round(seconds / 60), "minute");
    if (seconds < 86400) return relative.format(-Math.round(seconds / 3600), "hour");
    return relative.format(-Math.round(seconds / 86400), "day");
  };
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-ago]"))
      time.textContent = say((Date.now() - Date.parse(time.dateTime)) / 1000);
  }, 20_000);
}

const notices = () => Number(document.querySelector("[data-bell]")?.dataset.bell ?? 0);

// A stream tells of the list as its page was opened: one that somebody has narrowed since is asked for as it is now.
function askedAnew({ id }) {
  const find = id && document.querySelector(`form[hx-target="#${id}"] input[type="search"]`);
  if (!find || find.value === find.defaultValue) return false;
  find.form.dispatchEvent(new Event("submit", { cancelable: true }));
  return true;
}

export function startLive() {
  let rung = notices();
  keepWhatScriptMade();
  startAges();
  let before = new Map();
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (askedAnew(event.target)) event.preventDefault();
    else before = wordings(event.target);
  });
  document.body.addEventListener("htmx:sseMessage", ({ target }) => {
    markNew(target);
    const news = [...wordings(target)].filter(([id, text]) => before.get(id) !== text).map(([id]) => id);
    for (const id of news) changed.add(id);
    markNew(target);
    const waiting = notices();
    if (waiting > rung) announce(waiting === 1 ? "One notice for you." : `${waiting} notices for you.`);
    rung = waiting;
    drawCharts(target);
    target.dispatchEvent(new CustomEvent("page-updated", { bubbles: true }));
    if (news.length) announce(news.length === 1 ? "One sentence on this page changed." : `${news.length} sentences on this page changed.`);
  });
}
