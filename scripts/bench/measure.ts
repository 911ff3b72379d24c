/** Times commands side by side, so that a noisy machine is noisy for all. */

/** A command to time. */
export interface Contender {
  name: string;
  command: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Runs before each round, untimed. */
  prepare?: () => void;
}

/**
 * Median milliseconds of each contender; they take turns in every round.
 *
 * @throws If a command fails: a time of something else would be printed.
 */
export function medians(contenders: Contender[], rounds: number): number[] {
  const times = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      contender.prepare?.();
      const ms = timed(contender);
      if (round >= 0) times[i]?.push(ms);
    }
  }
  return times.map((list) =>
    list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN
  );
}

function timed({ name, command, env, cwd }: Contender): number {
  const [program = "", ...args] = command;
  const started = performance.now();
  const { success, stderr } = new Deno.Command(program, {
    args,
    env,
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  const ms = performance.now() - started;
  if (success) return ms;
  throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
}

/** Prints medians as a table, with ratios to the first contender. */
export function report(
  title: string,
  contenders: Contender[],
  times: number[],
): void {
  console.log(`\n${title}`);
  const width = Math.max(...contenders.map(({ name }) => name.length));
  for (const [i, { name }] of contenders.entries()) {
    const ms = (times[i] ?? NaN).toFixed(1).padStart(9);
    const ratio = ((times[i] ?? NaN) / (times[0] ?? NaN)).toFixed(2);
    console.log(`  ${name.padEnd(width)}  ${ms} ms  x${ratio}`);
  }
}

/**
 * A new folder for a benchmark: in memory where possible, because on a disk the
 * place that the file system happens to choose for 10,000 files decides by a
 * factor of three. `CLIBS_BENCH_DIR` names another parent.
 */
export function benchDir(): string {
  const memory = "/dev/shm";
  const isThere = Deno.build.os === "linux" && exists(memory);
  const dir = Deno.env.get("CLIBS_BENCH_DIR") ?? (isThere ? memory : undefined);
  return Deno.makeTempDirSync({ prefix: "clibs-bench-", dir });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Runs a bash script in a folder; throws with its output if it fails. */
export function bash(cwd: string, script: string): string {
  const { success, stdout, stderr } = new Deno.Command("bash", {
    args: ["-ec", script],
    cwd,
  }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout);
}
