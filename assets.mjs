// Builds src/valueplatform/portal/static/vendor from node_modules. Run by hatch_build.py after `npm ci`; deterministic.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";
import subsetFont from "subset-font";

const portal = join(import.meta.dirname, "src", "valueplatform", "portal");
const charts = join(portal, "charts");
const vendor = join(portal, "static", "vendor");
const modules = join(import.meta.dirname, "node_modules");

// The parts of Tabler that our pages stand on; the look forbids the rest.
const tablerParts = `
  html body main header footer nav section article aside h1 h2 h3 h4 p a b strong small code pre kbd ul ol li dl dt dd
  blockquote figure figcaption img svg table caption thead tbody tfoot tr th td form fieldset legend label input button
  select option textarea output details summary dialog time hr sub sup
  btn btn-primary btn-sm form-label form-control form-select form-range
  visually-hidden visually-hidden-focusable
  disabled active show type button submit reset search checkbox radio data-bs-theme dark light`;

// Vega's transforms for maps, trees, graphs and clouds: no chart of ours draws them.
const unusedInVega = new Set([
  "d3-geo", "vega-crossfilter", "vega-force", "vega-geo", "vega-hierarchy", "vega-projection", "vega-regression",
  "vega-themes", "vega-wordcloud",
]);

const codePoints = (from, to) => String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
// Latin-1 with the letters and signs that its languages, and our figures, need beyond it.
const letters = codePoints(0x20, 0x7e) + codePoints(0xa0, 0xff) + "ıŁłŒœŠšŸŽžƒ‐‑–—‘’‚“”„†•…‹›€™−≠≤≥≈←↑→↓\u2009\u202f";
const fontFeatures = ["calt", "ccmp", "kern", "liga", "lnum", "locl", "mark", "mkmk", "rclt", "rlig", "rvrn", "tnum"];

const leaveOut = {
  name: "leave-out",
  setup(bundle) {
    bundle.onResolve({ filter: /.*/ }, ({ path }) => (unusedInVega.has(path) ? { path, namespace: "empty" } : null));
    bundle.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "module.exports = {};" }));
  },
};

async function chartLibrary() {
  const files = (await readdir(charts)).filter((name) => name.endsWith(".json")).sort();
  const table = (kind, names, suffix) =>
    `export const ${kind} = {${names.map((name) => `"${name.slice(0, -suffix.length)}": require("./${name}")`).join(",")}};`;
  const contents = [
    `export { default as embed } from "vega-embed";`,
    table("specs", files.filter((name) => name.endsWith(".vl.json")), ".vl.json"),
    table("themes", files.filter((name) => name.startsWith("vega-theme")), ".json"),
  ].join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: charts, loader: "js" },
    bundle: true, format: "esm", minify: true, target: "es2022", write: false, legalComments: "none",
    nodePaths: [modules], plugins: [leaveOut], logLevel: "error",
  });
  return outputFiles[0].contents;
}

async function tabler() {
  const css = await readFile(join(modules, "@tabler/core/dist/css/tabler.min.css"), "utf8");
  const [{ css: kept }] = await new PurgeCSS().purge({
    content: [{ raw: tablerParts, extension: "txt" }], css: [{ raw: css }],
    variables: true, keyframes: true, fontFace: true,
  });
  return (await transform(kept, { loader: "css", minify: true, legalComments: "none" })).code;
}

async function font(family, name) {
  const original = await readFile(join(modules, "@fontsource-variable", family, "files", `${name}.woff2`));
  return subsetFont(original, letters, {
    targetFormat: "woff2", keepFeatures: fontFeatures, noHinting: true, variationAxes: { wght: { min: 400, max: 700 } },
  });
}

async function write(name, contents) {
  const bytes = Buffer.from(contents);
  await writeFile(join(vendor, name), bytes);
  if (name.endsWith(".woff2")) return;
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_LGWIN]: 22 };
  await writeFile(join(vendor, `${name}.br`), brotliCompressSync(bytes, { params: size }));
  await writeFile(join(vendor, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}

await rm(vendor, { recursive: true, force: true });
await mkdir(join(vendor, "fonts"), { recursive: true });
await write("vega.js", await chartLibrary());
await write("tabler.css", await tabler());
await write("htmx.js", await readFile(join(modules, "htmx.org/dist/htmx.min.js")));
await write("htmx-sse.js", await readFile(join(modules, "htmx-ext-sse/dist/sse.min.js")));
await write("idiomorph.js", await readFile(join(modules, "idiomorph/dist/idiomorph-ext.min.js")));
await write("fonts/inter.woff2", await font("inter", "inter-latin-wght-normal"));
await write("fonts/source-serif-4.woff2", await font("source-serif-4", "source-serif-4-latin-wght-normal"));
