/** Small C programs that tests need. */

import assert from "node:assert/strict";

/** Compiles a program. */
export function compileProgram(source: string, to: string): void {
  const path = `${to}.c`;
  Deno.writeTextFileSync(path, source);
  const { code, stderr } = new Deno.Command("cc", {
    args: ["-O2", "-std=gnu11", "-o", to, path],
    stdin: "null",
  }).outputSync();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}
