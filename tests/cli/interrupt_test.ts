import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cliArgs, NEUTRAL } from "../support/cli.ts";

const frame = fileURLToPath(new URL("testdata/frame.ts", import.meta.url));

/** Starts a scene, waits until it runs, and sends signals; how it ended. */
async function interrupt(
  args: string[],
  signals: Deno.Signal[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...cliArgs(frame), "build", ...args],
    env: NEUTRAL,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = new Response(child.stdout).text();
  let stderr = "";
  let sent = 0;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    // Each line is a sign that it is ready for the next signal.
    const lines = stderr.split("\n").length - 1;
    if (lines > sent && sent < signals.length) child.kill(signals[sent++]!);
  }
  const { code } = await child.status;
  return { code, stdout: await stdout, stderr };
}

Deno.test("an interrupt ends what is running and exits with 130", async (t) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    await t.step(signal, async () => {
      assert.deepEqual(await interrupt(["wait"], [signal]), {
        code: 130,
        stdout: "",
        stderr: `build zlib ...
warning: interrupted; ending what is running
build zlib: cancelled (1.2 s)
error: Interrupted
more: clibs explain CLIBS_CANCELLED
`,
      });
    });
  }
});

Deno.test("a second interrupt exits at once", async () => {
  const ended = await interrupt(["deaf"], ["SIGINT", "SIGINT"]);
  assert.deepEqual(ended, {
    code: 130,
    stdout: "",
    stderr: `build zlib ...
warning: interrupted; ending what is running
`,
  });
});

Deno.test("an interrupted --json command still prints its document", async () => {
  const { code, stdout } = await interrupt(["wait", "--json"], ["SIGINT"]);
  assert.equal(code, 130);
  assert.deepEqual(JSON.parse(stdout), {
    version: 1,
    error: { code: "CLIBS_CANCELLED", message: "Interrupted", facts: {} },
  });
});
