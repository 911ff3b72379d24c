/**
 * Writes schema/*.json from the schemas that the code checks with.
 *
 * `deno task schema [--check]`; with --check nothing is written, and a file
 * that is out of date is an error.
 */

import { enginesJsonSchema } from "../lib/engines/config.ts";
import { packageJsonSchema } from "../lib/packages/parse_spec.ts";

const files: [string, unknown][] = [
  ["engines.schema.json", enginesJsonSchema()],
  ["pkg.schema.json", packageJsonSchema()],
];

let failed = false;
for (const [name, schema] of files) {
  const path = new URL(`../schema/${name}`, import.meta.url);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (!Deno.args.includes("--check")) {
    Deno.writeTextFileSync(path, text);
  } else if (Deno.readTextFileSync(path) !== text) {
    console.error(`error: schema/${name} is out of date`);
    console.error("hint: deno task schema");
    failed = true;
  }
}
if (failed) Deno.exit(1);
