// Single keys, which the reader can turn off (WCAG 2.1.4), and the list of them.
import { recall, remember } from "./storage.js";

const rows = () => [...document.querySelectorAll("[data-rows] tr[id]")];
const current = () => document.activeElement?.closest?.("[data-rows] tr[id]");

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  e: () => current()?.querySelector(".do a")?.click(),
  "/": () => document.querySelector("[role=search] input")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
};

export function startKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  const box = dialog.querySelector("[data-single-keys]");
  box.checked = recall("single-keys") !== "off";
  box.addEventListener("change", () => remember("single-keys", box.checked ? "on" : "off"));
  for (const button of document.querySelectorAll("[data-show-keys]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const action = actions[event.key];
    if (!action || (event.key !== "?" && !document.querySelector("[data-rows]"))) return;
    event.preventDefault();
    action();
  });
}
