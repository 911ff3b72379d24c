/** What the README promises about versions and commands. */

import { equal, ok } from "node:assert/strict";

const read = (name: string) =>
  Deno.readTextFileSync(new URL(`../${name}`, import.meta.url));

Deno.test("README, CONTRIBUTING and .deno-version name one version of Deno", () => {
  const version = read(".deno-version").trim();
  const named = ["README.md", "CONTRIBUTING.md"].flatMap((name) =>
    [...read(name).matchAll(/deno@([\d.]+)/g)].map((match) => match[1])
  );
  ok(named.length > 2);
  for (const other of named) equal(other, version);
});

Deno.test("the version is the same in deno.json and in the command", async () => {
  const { version } = await import("@clibs/cli");
  equal(JSON.parse(read("deno.json")).version, version);
});

Deno.test("compile says what it does not know", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/compile.ts", "--target", "z80"],
    cwd: new URL("..", import.meta.url),
  }).output();
  equal(code, 2);
  equal(
    new TextDecoder().decode(stderr),
    `error: unknown target: z80
usage: deno task compile [--target T|--all]
targets: x86_64-unknown-linux-gnu
         aarch64-unknown-linux-gnu
         x86_64-apple-darwin
         aarch64-apple-darwin
         x86_64-pc-windows-msvc
`,
  );
});

Deno.test("compile without its runtime says what to set", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/compile.ts"],
    cwd: new URL("..", import.meta.url),
    // A runtime that cannot be read stands for one that cannot be downloaded.
    env: { DENORT_BIN: "/nonexistent/denort" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  equal(code, 1);
  ok(text.startsWith(`error: Cannot compile for ${Deno.build.target}\n`), text);
  ok(text.includes("set DENORT_BIN to a denort of this Deno version"), text);
  ok(!/\n\s+at /.test(text), text);
});
