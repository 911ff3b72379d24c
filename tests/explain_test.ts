import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { explain, explanations } from "../mod.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Sources of a folder, without the catalogues. */
function* sources(dir: string): Generator<[path: string, text: string]> {
  for (const entry of Deno.readDirSync(`${root}/${dir}`)) {
    const path = `${dir}/${entry.name}`;
    if (/^lib\/explain\/(?!explain\.ts)/.test(path)) continue;
    if (entry.isDirectory) yield* sources(path);
    else if (/\.ts$/.test(path)) {
      yield [path, Deno.readTextFileSync(`${root}/${path}`)];
    }
  }
}

const all = [...sources("lib"), ...sources("cli")];

/**
 * Codes that the text uses as such. Variables of the environment have names of
 * the same form; they are arguments of other calls and keys of objects.
 */
function thrownCodes(text: string): string[] {
  const literal = `"(CLIBS_[A-Z0-9_]+)"`;
  const places = [
    // new ClibsError("CLIBS_X", ... and calls of functions that make errors
    `(?:\\bnew \\w+|\\bsuper|\\b(?:fail|refuse|reject|bad|deny)\\w*|\\b\\w*[eE]rror)` +
    `(?:<[^>]*>)?\\(\\s*(?:\\w+,\\s*)?${literal}`,
    // new ClibsError(full ? "CLIBS_X" : "CLIBS_Y", ...
    `\\?\\s*${literal}\\s*:`,
    `:\\s*${literal},\\s*(?:\`|")`,
    // code: "CLIBS_X"
    `\\bcode(?:: ErrorCode)?\\s*(?::|===?|!==)\\s*${literal}`,
  ];
  return places.flatMap((place) =>
    [...text.matchAll(new RegExp(place, "g"))].map(([, code]) => code!)
  );
}

Deno.test("thrownCodes() finds codes and leaves variables alone", () => {
  assert.deepEqual(
    thrownCodes(`
      throw new ClibsError("CLIBS_A", "x");
      new UsageError(
        "CLIBS_B", y);
      throw new FetchError(full ? "CLIBS_C" : "CLIBS_D", "z");
      fail("CLIBS_E", "x"); refuse(entry, "CLIBS_F");
      return { code: "CLIBS_G" };
      env("CLIBS_JOBS"); Deno.env.get("CLIBS_CACHE_DIR");
      const X = { CLIBS_LIB_DIR: "x" }, y = ["CLIBS_BUILD_DIR"];
    `).sort(),
    ["A", "B", "C", "D", "E", "F", "G"].map((letter) => `CLIBS_${letter}`),
  );
});

Deno.test("every error code is explained", async () => {
  const explained = new Set<string>(
    (await explanations()).map(([code]) => code),
  );
  const missing = all.flatMap(([path, text]) =>
    thrownCodes(text).filter((code) => !explained.has(code))
      .map((code) => `${code} (${path})`)
  );
  assert.deepEqual([...new Set(missing)].sort(), []);
});

/** Whether a source has the code: whole, or as `CLIBS_ARCHIVE_${...}` and its rest. */
function isUsed(code: string): boolean {
  return all.some(([, text]) =>
    text.includes(`"${code}"`) ||
    [...text.matchAll(/`(CLIBS_[A-Z_]+_)\$\{/g)].some(([, start]) =>
      code.startsWith(start!) &&
      all.some(([, text]) => text.includes(`"${code.slice(start!.length)}"`))
    )
  );
}

Deno.test("every explanation is of a code in use", async () => {
  const codes = (await explanations()).map(([code]) => code);
  assert.deepEqual(codes.filter((code) => !isUsed(code)), []);
});

Deno.test("every explanation has a title and says what to do", async () => {
  for (const [code, { title, text }] of await explanations()) {
    assert.match(code, /^CLIBS(_[A-Z0-9]+)+$/);
    assert.ok(title.length <= 80, `${code}: ${title}`);
    assert.doesNotMatch(title, /\.$|\n/, code);
    assert.ok(text.trim().length > 60, code);
  }
});

Deno.test("no two areas explain the same code", async () => {
  const codes: string[] = [];
  for (const entry of Deno.readDirSync(`${root}/lib/explain`)) {
    const module = await import(`../lib/explain/${entry.name}`);
    for (const [name, value] of Object.entries(module)) {
      if (name.endsWith("Errors")) codes.push(...Object.keys(value as object));
    }
  }
  codes.sort();
  assert.deepEqual(codes, [...new Set(codes)]);
  // And each of them is in the merged catalogue.
  assert.deepEqual((await explanations()).map(([code]) => code), codes);
});

Deno.test("explain() takes a code in any case, with or without its prefix", async () => {
  const { title } = await explain("CLIBS_DISK_FULL");
  for (const code of ["disk_full", "clibs_disk_full", "DISK_FULL"]) {
    const found = await explain(code);
    assert.equal(found.title, title);
    assert.equal(found.code, "CLIBS_DISK_FULL");
  }
  await assert.rejects(explain("constructor"), {
    name: "UsageError",
    code: "CLIBS_EXPLAIN_UNKNOWN",
    message: 'Cannot explain "constructor": there is no such error code',
  });
});
