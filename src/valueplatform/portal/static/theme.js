// In the head and not deferred: the chosen theme stands before the first paint. Without a choice the machine decides.
(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.bsTheme = chosen;
  } catch {
    // storage is refused: follow the machine
  }
})();
