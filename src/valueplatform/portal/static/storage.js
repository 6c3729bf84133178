// What the reader chose on this machine. Where storage is refused a choice lasts as long as the page.
const kept = new Map();

export function recall(name) {
  try {
    return localStorage.getItem(name) ?? kept.get(name) ?? null;
  } catch {
    return kept.get(name) ?? null;
  }
}

export function remember(name, value) {
  kept.set(name, value);
  try {
    localStorage.setItem(name, value);
  } catch {
    // kept for this page only
  }
}
