import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const path = (name: string) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url));

const page = Deno.readTextFileSync(path("docs/lmake.md"));
const table = page.slice(page.indexOf("## Every function"));

/** Tests that the table names: file below `tests/`, and name. */
const named = table.split("\n").filter((line) => line.startsWith("| "))
  .flatMap((line) =>
    [...line.matchAll(/`([\w/]+_test\.ts)`: (.+?) *(?=; `|\|$)/g)]
      .map(([, file, name]) => [file!, name!] as const)
  );

Deno.test("docs/lmake.md names tests that there are", () => {
  assert.ok(named.length > 100, `${named.length} tests`);
  const missing = named.filter(([file, name]) => {
    const text = Deno.readTextFileSync(path(`tests/${file}`));
    const [, number, title] = name.match(/^lmake (\d+): (.*)$/) ?? [];
    const wanted = number ? `scenario(${number}, "${title}"` : `"${name}"`;
    return !text.includes(wanted);
  });
  assert.deepEqual(missing, []);
});

Deno.test("docs/lmake.md has every function of the job module", async () => {
  const { lmake } = await import("../../lib/rules/define/lmake.ts");
  const names = Object.keys(lmake).filter((name) => name !== "config");
  assert.ok(names.length > 20);
  assert.deepEqual(
    names.filter((name) => !table.includes(`\`${name}\``)),
    [],
  );
});
