/** Builders that are killed, and builders that race. */

import { equal, ok } from "node:assert/strict";
import { cliArgs, NEUTRAL } from "../support/cli.ts";
import { ANSWER } from "../support/engines.ts";
import { Session } from "../support/session.ts";

/** A compiler that notes each compile of a module, and takes its time. */
const COMPILER = `#!/bin/bash
[[ $1 = --version ]] && { echo "g++ (Slow) 1.0"; exit; }
[[ "$*" == *link.d* ]] && { echo compile >> "$NOTES"; sleep 0.4; }
exec g++ "$@"
`;

function start(session: Session): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...cliArgs(), "engines", "build", "--json"],
    cwd: session.dir.path,
    env: {
      ...NEUTRAL,
      ...session.env,
      CXX: session.dir.join("compiler"),
      NOTES: session.dir.join("notes"),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function compiles(session: Session): number {
  return session.dir.has("notes")
    ? session.dir.read("notes").trim().split("\n").length
    : 0;
}

async function until(what: string, test: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!test()) {
    ok(Date.now() < deadline, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a killed build, then two at once: both succeed, one compile", async () => {
  using session = new Session({
    "deno.json": "{}",
    "core/engines/cpu.cpp": ANSWER,
    compiler: COMPILER,
  });
  Deno.chmodSync(session.dir.join("compiler"), 0o755);
  const killed = start(session);
  await until("a compile", () => compiles(session) === 1);
  killed.kill("SIGKILL");
  const { success } = await killed.output();
  equal(success, false);
  session.dir.write({ notes: "" });
  const racers = [start(session), start(session)];
  const ends = await Promise.all(racers.map((racer) => racer.output()));
  const reports = ends.map(({ stdout, stderr }) => {
    const text = new TextDecoder().decode(stdout);
    ok(text !== "", new TextDecoder().decode(stderr));
    return JSON.parse(text);
  });
  for (const report of reports) equal(report.ok, true, JSON.stringify(report));
  equal(compiles(session), 1);
  const origins = reports.map(({ results }) => results[0].origin).sort();
  equal(origins.filter((origin) => origin === "build").length, 1);
  const cache = session.dir.join(".clibs/cache");
  for (const { name } of Deno.readDirSync(cache)) {
    if (!name.startsWith("ffi-")) continue;
    const left = [...Deno.readDirSync(`${cache}/${name}`)]
      .map((entry) => entry.name).filter((file) => file.endsWith(".tmp"));
    equal(left.length, 0, left.join());
  }
});

Deno.test("kill -9 at random moments of a build needs no cleaning", async () => {
  using session = new Session({
    "deno.json": "{}",
    "core/engines/cpu.cpp": ANSWER,
    compiler: COMPILER.replace("sleep 0.4", "sleep 0.02"),
  });
  Deno.chmodSync(session.dir.join("compiler"), 0o755);
  for (let round = 0; round < 12; round++) {
    session.dir.write({ "core/engines/cpu.cpp": `${ANSWER}// ${round}\n` });
    const victim = start(session);
    await new Promise((resolve) => setTimeout(resolve, 40 + round * 25));
    try {
      victim.kill("SIGKILL");
    } catch {
      // It had ended already.
    }
    await victim.output();
    const { code, stdout, stderr } = await start(session).output();
    equal(code, 0, new TextDecoder().decode(stderr));
    const report = JSON.parse(new TextDecoder().decode(stdout));
    equal(report.results[0].ok, true);
  }
  // All that is there was made by complete builds: the last one is up to date.
  const list = JSON.parse(await session.ok("engines", "list", "--json"));
  equal(list.engines[0].name, "cpu");
});
