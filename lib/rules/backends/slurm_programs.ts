/** Calls Slurm's programs, and tells silence of the daemon from a refusal. */

import { join } from "node:path";
import { findProgram } from "../../host/process.ts";
import type { Spawner } from "../engine/spawner.ts";

/** What a program said. */
export interface Answer {
  /** Exit code; -1 if it had to be killed. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Milliseconds after which a program that says nothing is given up. */
const TIME_LIMIT_MS = 60_000;

/** What clients say when the daemon is away, or has no time. */
const SILENT =
  /unable to contact|unable to connect|connect failure|connection (refused|reset)|timed? ?out|temporarily|zero bytes|not responding|transport endpoint|communication|unable to resolve|protocol authentication|socket|munge.*(failed|error)/i;

/** Whether Slurm did not answer, or not sensibly; it may do so later. */
export function isSilent({ code, stderr }: Answer): boolean {
  return code !== 0 && (code < 0 || SILENT.test(stderr));
}

/** The last line that a program complained with. */
export function complaint({ stderr, code }: Answer): string {
  const lines = stderr.trim().split("\n");
  const text = lines.at(-1)?.replace(/^\w+: (error|fatal): /, "").trim();
  return text || (code < 0 ? "no answer" : `exit code ${code}`);
}

/**
 * The part of an environment that Slurm's programs need.
 *
 * Settings for the job that clibs itself may run in are not for others.
 */
export function slurmEnvironment(
  environ: Readonly<Record<string, string>>,
): Record<string, string> {
  const wanted =
    /^(PATH|HOME|USER|LOGNAME|TZ|LD_LIBRARY_PATH|SLURM_(CONF|CONF_SERVER|CLUSTERS|JWT)|SBATCH_.*|MUNGE_.*)$/;
  return {
    ...Object.fromEntries(
      Object.entries(environ).filter(([name]) => wanted.test(name)),
    ),
    // Its messages and dates are read.
    LC_ALL: "C",
    SLURM_TIME_FORMAT: "%Y-%m-%dT%H:%M:%S",
  };
}

/** Slurm's programs, by their names. */
export interface SlurmPrograms {
  /** Runs one and waits for its end. */
  run(
    program: string,
    args: readonly string[],
    limitMs?: number,
  ): Promise<Answer>;
}

/** Calls so far: several callers may use the same folder. */
let count = 0;

/** Slurm's programs, started by the spawner. */
export class SpawnedPrograms implements SlurmPrograms {
  readonly #spawner: () => Promise<Spawner>;
  readonly #env: Record<string, string>;
  readonly #folder: string;
  readonly #paths = new Map<string, string>();

  /**
   * @param folder Takes what they print, for a moment.
   * @param env Their whole environment.
   */
  constructor(
    spawner: () => Promise<Spawner>,
    folder: string,
    env: Record<string, string>,
  ) {
    this.#spawner = spawner;
    this.#folder = folder;
    this.#env = env;
  }

  /** Runs one and waits for its end. */
  async run(
    program: string,
    args: readonly string[],
    limitMs: number = TIME_LIMIT_MS,
  ): Promise<Answer> {
    const base = join(this.#folder, `${program}-${++count}`);
    const spawner = await this.#spawner();
    const spawned = await spawner.start({
      argv: [this.#find(program), ...args],
      cwd: "/",
      env: this.#env,
      stdin: "/dev/null",
      stdout: `${base}.out`,
      stderr: `${base}.err`,
      killGroup: true,
    });
    const timer = setTimeout(
      () => Deno.kill(spawned.pid, "SIGKILL"),
      limitMs,
    );
    try {
      const { code = -1 } = await spawned.ended;
      return { code, stdout: take(`${base}.out`), stderr: take(`${base}.err`) };
    } finally {
      clearTimeout(timer);
    }
  }

  #find(program: string): string {
    let path = this.#paths.get(program);
    if (path === undefined) {
      path = findProgram(program, this.#env["PATH"]) ?? program;
      this.#paths.set(program, path);
    }
    return path;
  }
}

function take(path: string): string {
  const text = Deno.readTextFileSync(path);
  Deno.removeSync(path);
  return text;
}
