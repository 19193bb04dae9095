// Copies what pages need out of node_modules into static/vendor (what only tests need: tests/vendor), and writes down what it is:
// version, licence and sha256, in vendored.json.
// Run by `make vendor`; the files are committed, so that nobody needs node to run the MES.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const HERE = import.meta.dirname;
const TO = join(HERE, "..", "static", "vendor");
const FOR_TESTS = join(HERE, "..", "tests", "vendor");
// Letters for PDFs and labels; not served to browsers.
const FONTS = join(HERE, "..", "core", "fonts");
const FILES = {
  uplot: ["dist/uPlot.iife.min.js", "dist/uPlot.min.css"],
  "vis-timeline": ["standalone/umd/vis-timeline-graph2d.min.js", "styles/vis-timeline-graph2d.min.css"],
  "zxing-wasm": ["dist/iife/reader/index.js", "dist/reader/zxing_reader.wasm"],
};

// Where a package only says where to read on.
const LICENCES = { "dejavu-fonts-ttf": "Bitstream-Vera AND LicenseRef-DejaVu-public-domain" };

const about = (name) => JSON.parse(readFileSync(join(HERE, "node_modules", name, "package.json"), "utf8"));
const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

for (const folder of [TO, FOR_TESTS, FONTS]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
const manifest = {};
const note = (path, name, folder = TO) => {
  const { version, license } = about(name);
  manifest[path] = { package: name, version, licence: LICENCES[name] ?? license, sha256: sha256(join(folder, path)) };
};

// vis-timeline writes style elements into the page, which a strict policy refuses; the same rules come as a file of their own.
function withoutStyles(text) {
  const writes = /if\((\w+)&&"undefined"!=typeof document\)\{var (\w+)=document\.head(?=[^{}]*\.createElement\("style"\))/g;
  if (text.match(writes)?.length !== 1) throw new Error("vis-timeline writes its styles in another way now");
  return text.replace(writes, "if(0){var $2=document.head");
}

for (const [name, files] of Object.entries(FILES)) {
  for (const file of files) {
    const path = join(name, file.split("/").pop());
    mkdirSync(dirname(join(TO, path)), { recursive: true });
    copyFileSync(join(HERE, "node_modules", name, file), join(TO, path));
    // A map that is not there would be asked for, and missed by the collector of static files.
    if (path.endsWith(".js") || path.endsWith(".css")) {
      const text = readFileSync(join(TO, path), "utf8").replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*?(\*\/)?\s*$/, "\n");
      writeFileSync(join(TO, path), name === "vis-timeline" && path.endsWith(".js") ? withoutStyles(text) : text);
    }
    note(path, name);
  }
}

const icons = readFileSync(join(HERE, "icons.txt"), "utf8").split("\n").filter(Boolean);
const symbols = icons.map((name) => {
  const svg = readFileSync(join(HERE, "node_modules", "bootstrap-icons", "icons", `${name}.svg`), "utf8");
  const inside = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
  return `<symbol id="${name}" viewBox="0 0 16 16">${inside.replace(/\s*\n\s*/g, "")}</symbol>`;
});
writeFileSync(join(TO, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
note("icons.svg", "bootstrap-icons");
copyFileSync(join(HERE, "node_modules", "axe-core", "axe.min.js"), join(FOR_TESTS, "axe.min.js"));
note("axe.min.js", "axe-core", FOR_TESTS);
for (const file of ["ttf/DejaVuSans.ttf", "ttf/DejaVuSans-Bold.ttf", "LICENSE"]) {
  const path = file === "LICENSE" ? "DejaVu-LICENSE.txt" : file.split("/").pop();
  copyFileSync(join(HERE, "node_modules", "dejavu-fonts-ttf", file), join(FONTS, path));
  note(path, "dejavu-fonts-ttf", FONTS);
}
writeFileSync(join(HERE, "vendored.json"), `${JSON.stringify(manifest, null, 2)}\n`);
