/** How a job is described to Slurm. */

import { ClibsError } from "../../errors.ts";
import type { Amounts } from "../engine/resources.ts";
import type { SlurmJob } from "./slurm_jobs.ts";

/**
 * Arguments of `sbatch` for what a job takes.
 *
 * @param resources Amounts; `mem` and `tmp` in megabytes.
 * @param own Counters that clibs looks after itself; others are licenses.
 */
export function resourceArgs(
  resources: Amounts,
  own: ReadonlySet<string>,
): string[] {
  const args: string[] = [];
  const licenses: string[] = [];
  for (const [name, amount] of Object.entries(resources)) {
    // Slurm deals in whole numbers only.
    const whole = Math.ceil(amount);
    if (name === "cpu") args.push(`--cpus-per-task=${Math.max(1, whole)}`);
    else if (whole === 0) continue;
    else if (name === "mem") args.push(`--mem=${whole}M`);
    else if (name === "tmp") args.push(`--tmp=${whole}M`);
    else if (!own.has(name)) licenses.push(`${name}:${whole}`);
  }
  if (licenses.length > 0) args.push(`--licenses=${licenses.join(",")}`);
  return args;
}

/**
 * Arguments of `sbatch` for a job.
 *
 * @param tag By which we find it again; it begins the comment.
 * @param others Arguments that may be anything, and stand before those that
 *   have to be as they are.
 */
export function jobArgs(
  { spec, files }: SlurmJob,
  tag: string,
  others: readonly string[],
): string[] {
  const [rule, name] = [listed(spec.rule), listed(spec.name)];
  return [
    `--job-name=${rule}:${name}`,
    "--nodes=1",
    "--ntasks=1",
    ...others,
    "--parsable",
    "--no-requeue",
    "--export=ALL",
    "--input=/dev/null",
    `--output=${files.log.replaceAll("%", "%%")}`,
    "--chdir=/",
    `--comment=${tag} ${rule} ${name}`,
  ];
}

/** Room for names that people read in listings. */
const MAX_NAME = 120;

/** A text as it can stand in Slurm's listings: one line, not too long. */
function listed(text: string): string {
  const line = text.replace(/[^\x21-\x7e]+/g, "_");
  return line.length > MAX_NAME ? `${line.slice(0, MAX_NAME - 3)}...` : line;
}

/**
 * Takes arguments apart as a shell does, without its expansions: blanks part
 * them, quotes and backslashes keep them together.
 *
 * @throws {ClibsError} `CLIBS_SLURM_ARGS` if a quote is not closed.
 */
export function splitArgs(text: string): string[] {
  const args: string[] = [];
  const part = /\s+|"((?:[^"\\]|\\[^])*)"|'([^']*)'|\\([^])|([^\s"'\\]+)/gy;
  let current: string | undefined;
  for (let at = 0; at < text.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (!match) {
      throw new ClibsError(
        "CLIBS_SLURM_ARGS",
        `Cannot use the arguments for the backend: a quote is not closed`,
        { facts: { arguments: text } },
      );
    }
    const [whole, double, single, escaped, plain] = match;
    if (/^\s/.test(whole) && escaped === undefined) {
      if (current !== undefined) args.push(current);
      current = undefined;
      continue;
    }
    current = (current ?? "") +
      (double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? escaped ?? plain!);
  }
  if (current !== undefined) args.push(current);
  return args;
}
