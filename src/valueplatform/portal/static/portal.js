// Everything here adds to pages that work without it: numbers are links, forms are forms, tables stand under charts.
import { printPage, startCharts } from "./charts.js";
import { startDrawer } from "./drawer.js";
import { startKeys } from "./keys.js";
import { announce, startLive } from "./live.js";
import { remember } from "./storage.js";

const root = document.documentElement;

function startTheme() {
  const button = document.querySelector("[data-toggle-theme]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = (root.dataset.bsTheme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.bsTheme = dark ? "light" : "dark";
    remember("theme", root.dataset.bsTheme);
    document.dispatchEvent(new Event("theme-change"));
    announce(`${dark ? "Light" : "Dark"} theme`, { now: true });
  });
}

function sendCsrfToken() {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  document.body.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb !== "get") detail.headers["X-CSRF-Token"] = token;
  });
}

async function copyLink(button) {
  await navigator.clipboard.writeText(new URL(button.dataset.copy, location.href).href);
  announce("Link copied", { now: true });
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), 2000);
}

async function copyText(button) {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copyText).textContent);
  announce("Copied", { now: true });
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 2000);
}

function startButtons() {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  if (navigator.clipboard) for (const button of document.querySelectorAll("[data-copy-text]")) button.hidden = false;
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-print]")) printPage();
    const copy = target.closest("[data-copy]");
    if (copy && navigator.clipboard) copyLink(copy);
    const text = target.closest("[data-copy-text]");
    if (text) copyText(text);
  });
  // a second press of a slow button must not send twice
  document.addEventListener("submit", ({ target, submitter }) => {
    if (target.method !== "post" || target.matches("[hx-post]")) return;
    setTimeout(() => submitter && (submitter.disabled = true));
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) for (const button of document.querySelectorAll("button[type=submit]:disabled")) button.disabled = false;
  });
}

// A slider says where it stands; a form that goes with another takes its fields along as they stand now.
function startLevers() {
  document.addEventListener("input", ({ target }) => {
    const output = target.id && target.form?.querySelector(`output[for="${CSS.escape(target.id)}"]`);
    if (output) output.value = `${target.value}${output.dataset.suffix ?? ""}`;
  });
  document.addEventListener("submit", ({ target }) => {
    const levers = target.dataset.withForm && document.getElementById(target.dataset.withForm);
    for (const { name, type, checked, value } of levers?.elements ?? []) if (name && target.elements[name]) target.elements[name].value = type === "checkbox" && !checked ? "0" : value;
  });
}

// A page that answered a form is found again at its own address, so that reloading it does not send the form again.
function takeAddress() {
  const { address } = document.querySelector("[data-address]")?.dataset ?? {};
  if (address) history.replaceState(history.state, "", address);
}

// The list of chapters says which one is being read.
function startRail() {
  const links = [...document.querySelectorAll("[data-rail] a")];
  if (!links.length) return;
  const mark = () => {
    const passed = links.filter(({ hash }) => {
      const chapter = document.getElementById(decodeURIComponent(hash.slice(1)));
      return chapter && chapter.getBoundingClientRect().top < innerHeight * 0.3;
    });
    const current = passed.at(-1) ?? links[0];
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
  mark();
}

sendCsrfToken();
startTheme();
startButtons();
startLevers();
takeAddress();
startRail();
startLive();
startDrawer();
startKeys();
startCharts();
