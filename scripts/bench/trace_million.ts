/** What a million accesses in one process cost, in time and memory. */

import { fileURLToPath } from "node:url";
import { bash } from "./measure.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const COUNT = 1_000_000;
const ROUNDS = 3;

/** Prints seconds on top of the bare program, and the runner's memory. */
export function benchMillion(dir: string): void {
  bash(
    dir,
    `cc -O2 -o million ${root}tests/trace/programs/million.c
mkdir -p many/dir; cd many/dir; for i in {0..999}; do echo $i >file-$i; done`,
  );
  Deno.writeTextFileSync(
    `${dir}/runner.ts`,
    `import { traceCommand } from "${root}lib/trace/run.ts";
const [method, count, names] = Deno.args;
const started = performance.now();
const { code, trace } = await traceCommand({
  command: ["${dir}/million", count, names],
  cwd: "${dir}/many",
  method,
});
const seconds = (performance.now() - started) / 1000;
const memory = /VmHWM:\\s+(\\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))[1] / 1024;
console.log(JSON.stringify({ code, seconds, memory, complete: trace.complete, deps: trace.deps.length, absent: trace.absent.length }));
`,
  );
  console.log(`\n${COUNT} accesses in one process, best of ${ROUNDS}\n`);
  console.log("| files | method | seconds | on top | memory of the runner |");
  console.log("|---|---|--:|--:|--:|");
  for (const names of [1000, COUNT]) {
    const bare = Math.min(
      ...Array.from({ length: ROUNDS }, () => {
        const started = performance.now();
        bash(`${dir}/many`, `${dir}/million ${COUNT} ${names}`);
        return (performance.now() - started) / 1000;
      }),
    );
    for (const method of ["none", "ld_preload", "ptrace"]) {
      const runs = Array.from(
        { length: ROUNDS },
        () => run(dir, method, COUNT, names),
      );
      const seconds = Math.min(...runs.map((each) => each.seconds));
      const memory = Math.min(...runs.map((each) => each.memory));
      console.log(
        `| ${names} | ${method} | ${seconds.toFixed(2)} | ${
          (seconds - bare).toFixed(2)
        } | ${memory.toFixed(0)} MB |`,
      );
    }
  }
}

function run(
  dir: string,
  method: string,
  count: number,
  names: number,
): { seconds: number; memory: number } {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--config", `${root}deno.json`],
      ...[`${dir}/runner.ts`, method, `${count}`, `${names}`],
    ],
  }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}
