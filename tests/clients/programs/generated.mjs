// Lets a generator make types of every OpenAPI document, checks the program generated_calls.ts against
// them, runs it, and prints what it sees as JSON.
// Arguments: the server's URL, a key, a picture in base64, the path of generated_calls.ts.

import { mkdirSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const DOCUMENTS = ["stability", "omixa", "1min", "scenario", "enlarger"];
const OPTIONS = {
  strict: true,
  noEmitOnError: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  types: [],
};

const [, , baseUrl, key, picture, calls] = process.argv;
const folder = join(process.cwd(), "generated");
mkdirSync(folder, { recursive: true });
for (const name of DOCUMENTS) {
  // Otherwise a request has to give every field that has a default.
  const types = await openapiTS(new URL(`${baseUrl}/${name}/openapi.json`), { defaultNonNullable: false });
  writeFileSync(join(folder, `${name}.ts`), astToString(types));
}
copyFileSync(calls, join(folder, "calls.ts"));
writeFileSync(join(folder, "package.json"), '{"type": "module"}');
const program = ts.createProgram([join(folder, "calls.ts")], OPTIONS);
const { diagnostics } = program.emit();
const wrong = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => folder, getNewLine: () => "\n" };
if (wrong.length) throw new Error(ts.formatDiagnostics(wrong, host));
const { seen } = await import(pathToFileURL(join(folder, "calls.js")));
console.log(JSON.stringify(await seen(baseUrl, key, picture)));
