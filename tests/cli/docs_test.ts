import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { commandList } from "../../cli/commands.ts";
import { cliPage } from "../../scripts/cli_docs.ts";

Deno.test("docs/cli.md is what the table of commands says", async () => {
  const script = fileURLToPath(
    new URL("../../scripts/cli_docs.ts", import.meta.url),
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, "--check"],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(code, 0);
});

Deno.test("docs/cli.md has a section for each command", () => {
  const headings = [...cliPage().matchAll(/^## clibs (.*)$/gm)];
  assert.deepEqual(
    headings.map(([, name]) => name),
    commandList.map(([name]) => name),
  );
});
