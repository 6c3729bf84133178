// The proof drawer: a number's own page, opened beside the number. Not modal where there is room for both.
// The address says what is open (?proof=REF); Esc and Back close; focus returns to the number.
const roomy = matchMedia("(min-width: 1200px)");
let dialog = null;
let opener = null;
let shown = null;

const refOf = ({ origin, pathname, search }) =>
  origin === location.origin && pathname.startsWith(dialog.dataset.base) ? pathname.slice(dialog.dataset.base.length) + search : null;

const wanted = () => new URLSearchParams(location.search).get("proof");
const numberOf = (ref) => [...document.querySelectorAll("a.num")].find((a) => !dialog.contains(a) && refOf(a) === ref) ?? null;

function address(ref) {
  const url = new URL(location.href);
  if (ref) url.searchParams.set("proof", ref);
  else url.searchParams.delete("proof");
  return url;
}

// The page reflows beside the drawer; what the reader looks at must not move.
function keepingInPlace(element, change) {
  const before = element?.getBoundingClientRect().top;
  change();
  if (element?.isConnected) scrollBy({ top: element.getBoundingClientRect().top - before, behavior: "instant" });
}

function light() {
  for (const lit of document.querySelectorAll(".is-open-insight")) lit.classList.remove("is-open-insight");
  for (const number of document.querySelectorAll("a.num[aria-expanded]")) number.removeAttribute("aria-expanded");
  if (!shown || !opener?.isConnected) return;
  opener.setAttribute("aria-expanded", "true");
  opener.closest("p.insight, .lead, .headline, td.why")?.classList.add("is-open-insight");
}

function show() {
  document.body.classList.toggle("proof-open", roomy.matches);
  if (dialog.open) return;
  if (roomy.matches) dialog.show();
  else dialog.showModal();
}

function fill(template) {
  dialog.replaceChildren(document.getElementById(template).content.cloneNode(true));
}

async function load(ref) {
  const waiting = setTimeout(() => shown === ref && fill("proof-waiting"), dialog.open ? 300 : 0);
  const failed = () => {
    fill("proof-failed");
    dialog.querySelector("[data-proof-retry]").href = dialog.dataset.base + ref;
  };
  dialog.addEventListener("htmx:responseError", failed, { once: true });
  dialog.addEventListener("htmx:sendError", failed, { once: true });
  try {
    await htmx.ajax("GET", dialog.dataset.base + ref, { source: dialog, target: dialog, swap: "innerHTML" });
  } catch {
    // shown by `failed`
  } finally {
    clearTimeout(waiting);
    dialog.removeEventListener("htmx:responseError", failed);
    dialog.removeEventListener("htmx:sendError", failed);
  }
  if (shown !== ref) return;
  dialog.scrollTop = 0;
  dialog.querySelector("h2")?.setAttribute("tabindex", "-1");
  dialog.querySelector("h2")?.focus({ preventScroll: true });
}

function open(ref, number) {
  if (shown === ref && dialog.open) return;
  shown = ref;
  if (!number || !dialog.contains(number)) opener = number;
  load(ref);
  keepingInPlace(opener, () => {
    show();
    light();
  });
  if (!roomy.matches || !opener) return;
  const { top, bottom } = opener.getBoundingClientRect();
  if (top < 60 || bottom > innerHeight) opener.scrollIntoView({ block: "center", behavior: "instant" });
}

function close() {
  if (!dialog.open) return;
  shown = null;
  const number = opener?.isConnected ? opener : null;
  keepingInPlace(number, () => {
    dialog.close();
    document.body.classList.remove("proof-open");
    light();
  });
  dialog.replaceChildren();
  number?.focus({ preventScroll: true });
  opener = null;
}

// Closing goes back past every proof that was opened from another, to the page as it was before.
function askToClose() {
  const depth = history.state?.proofDepth ?? 0;
  if (depth) {
    history.go(-depth);
    return;
  }
  history.replaceState(null, "", address(null));
  close();
}

function onClick(event) {
  const link = event.target.closest("a");
  if (event.target.closest("[data-close-proof]")) askToClose();
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (dialog.contains(link) && link.getAttribute("href")?.startsWith("#")) {
    event.preventDefault();
    const target = dialog.querySelector(`[id="${CSS.escape(link.hash.slice(1))}"]`);
    target?.scrollIntoView({ block: "center", behavior: "instant" });
    target?.focus({ preventScroll: true });
    return;
  }
  if (!link.matches("a.num, a[data-proof], a[data-proof-retry]")) return;
  const ref = refOf(link);
  if (!ref) return;
  event.preventDefault();
  if (link.matches("[data-proof-retry]")) {
    load(ref);
    return;
  }
  if (shown === ref) return;
  history.pushState({ proofDepth: (history.state?.proofDepth ?? 0) + 1 }, "", address(ref));
  open(ref, link);
}

function follow() {
  const ref = wanted();
  if (ref) open(ref, numberOf(ref));
  else close();
}

export function startDrawer() {
  dialog = document.getElementById("proof");
  if (!dialog) return;
  document.addEventListener("click", onClick);
  addEventListener("popstate", follow);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    askToClose();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !dialog.open || dialog.matches(":modal")) return;
    if (!document.querySelector(":popover-open, dialog:modal")) askToClose();
  });
  roomy.addEventListener("change", () => {
    if (!dialog.open) return;
    dialog.close();
    show();
  });
  document.addEventListener("page-updated", () => {
    if (shown && !opener?.isConnected) opener = numberOf(shown);
    light();
  });
  follow();
}
