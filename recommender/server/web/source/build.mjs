// Makes ../built (or the folder that is named) of the sources: scripts and styles of one file each,
// the fonts, and the notices of all parts.
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "built");

const fonts = {
  "franklin.woff2": "@fontsource-variable/libre-franklin/files/libre-franklin-latin-wght-normal.woff2",
  "franklin-ext.woff2":
    "@fontsource-variable/libre-franklin/files/libre-franklin-latin-ext-wght-normal.woff2",
  "caslon-display.woff2":
    "@fontsource/libre-caslon-display/files/libre-caslon-display-latin-400-normal.woff2",
  "caslon-italic.woff2":
    "@fontsource/libre-caslon-text/files/libre-caslon-text-latin-400-italic.woff2",
};
const parts = [
  "preact",
  "@preact/signals",
  "@preact/signals-core",
  "@fontsource-variable/libre-franklin",
  "@fontsource/libre-caslon-display",
  "@fontsource/libre-caslon-text",
];

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx", theme: "src/theme.ts", style: "src/style.css" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome110", "firefox115", "safari16"],
  jsx: "automatic",
  jsxImportSource: "preact",
  external: ["*.woff2"],
  legalComments: "none",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg", "app.webmanifest"]) {
  cpSync(join(here, "src", name), join(out, name));
}
for (const [name, path] of Object.entries(fonts)) {
  cpSync(join(here, "node_modules", path), join(out, name));
}
const notices = parts.map((name) => {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = readFileSync(join(folder, file), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
const rule = `\n${"-".repeat(80)}\n\n`;
writeFileSync(join(out, "NOTICES.txt"), `The web page has these parts.\n${rule}${notices.join(rule)}`);
