// Draws `figure[data-chart]` from the chart file of that name and its `data-drawing`, once it comes near the screen.
const dark = matchMedia("(prefers-color-scheme: dark)");
const contrast = matchMedia("(prefers-contrast: more)");
const views = new WeakMap();
let observer = null;

function themeName() {
  const { bsTheme, contrast: chosen } = document.documentElement.dataset;
  const more = contrast.matches || chosen === "more" ? "-contrast" : "";
  return `vega-theme${more}${(bsTheme ?? (dark.matches ? "dark" : "light")) === "dark" ? "-dark" : ""}`;
}

function specification(spec, drawing, width) {
  const made = structuredClone(spec);
  made.datasets = drawing.datasets;
  made.description = drawing.description;
  for (const param of made.params ?? []) if (param.name in drawing.params) param.value = drawing.params[param.name];
  return width < 480 ? Object.assign(made, made.usermeta?.narrow) : made;
}

async function draw(figure, theme = themeName()) {
  const place = figure.querySelector(".chart");
  const source = figure.dataset.drawing;
  const { embed, specs, themes } = await import("./vendor/vega.js");
  await document.fonts.ready;
  views.get(place)?.finalize();
  const spec = specification(specs[figure.dataset.chart], JSON.parse(source), place.clientWidth);
  const view = await embed(place, spec, {
    mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, config: themes[theme],
    tooltip: { disableDefaultStyle: true }, logLevel: 1, // errors only: a layer without rows is not one
  });
  views.set(place, view);
  // the place is the image, and says what one sees; its marks one by one say nothing
  place.setAttribute("role", "img");
  place.removeAttribute("aria-roledescription");
  place.querySelector("svg").setAttribute("aria-hidden", "true");
  place.dataset.drawn = source;
}

// Draws again only what has other data than it shows.
export function drawCharts(container = document) {
  for (const figure of container.querySelectorAll("figure[data-chart]")) {
    const place = figure.querySelector(".chart");
    if (place.dataset.drawn === undefined) observer.observe(figure);
    else if (place.dataset.drawn !== figure.dataset.drawing) draw(figure);
  }
}

const redrawAll = (theme) => Promise.all([...document.querySelectorAll(".chart[data-drawn]")].map((place) => draw(place.closest("figure"), theme)));

// Paper is light, whatever the screen is.
export async function printPage() {
  await redrawAll("vega-theme");
  addEventListener("afterprint", () => redrawAll(), { once: true });
  print();
}

export function startCharts() {
  observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "200px" },
  );
  drawCharts();
  document.addEventListener("theme-change", () => redrawAll());
  for (const query of [dark, contrast]) query.addEventListener("change", () => redrawAll());
}
