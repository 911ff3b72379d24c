/** The jobs that Slurm has of us, for whoever comes after a sudden death. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClibsError } from "../../errors.ts";
import { PRIVATE } from "../root.ts";
import {
  type Answer,
  complaint,
  slurmEnvironment,
  type SlurmPrograms,
} from "./slurm_programs.ts";

/** Folder of the journals in `LMAKE`. */
const FOLDER = "slurm";

/** Writes down which jobs Slurm has. */
export class SlurmJournal implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #head: string;
  #open = 0;

  /**
   * @param tag What the comments of all its jobs begin with.
   * @param ended Folder in which there is a file for each job that ended.
   */
  constructor(
    root: string,
    tag: string,
    ended: string,
    env: Record<string, string>,
  ) {
    const folder = join(root, PRIVATE, FOLDER);
    Deno.mkdirSync(folder, { recursive: true });
    this.#path = join(folder, tag.replace(/\W/g, "-"));
    this.#file = Deno.openSync(this.#path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    this.#head = `${JSON.stringify({ tag, ended, env, pid: Deno.pid })}\n`;
    this.#write(this.#head);
  }

  /** A job is about to be handed over. */
  begin(key: number, { rule, name }: { rule: string; name: string }): void {
    this.#open++;
    const job = { rule, name, startedMs: Date.now() };
    this.#write(`begin ${key} ${JSON.stringify(job)}\n`);
  }

  /** Slurm has it, under this number. */
  submitted(key: number, id: number): void {
    this.#write(`id ${key} ${id}\n`);
  }

  /** Nothing of it runs any more, and nothing will. */
  end(key: number): void {
    this.#open--;
    if (this.#open > 0) return this.#write(`end ${key}\n`);
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#write(this.#head);
  }

  /** Closes it; it stays if there are jobs of which nobody knows the end. */
  [Symbol.dispose](): void {
    this.#file.close();
    if (this.#open === 0) Deno.removeSync(this.#path);
  }

  #write(text: string): void {
    this.#file.writeSync(new TextEncoder().encode(text));
  }
}

/** A job that Slurm has, or is about to get. */
export interface JournalJob {
  rule: string;
  name: string;
  /** When it was handed over. */
  startedMs: number;
  /** Slurm's number of it. */
  id?: number;
}

/** A journal with jobs of which it does not say that they ended. */
interface Journal {
  path: string;
  tag: string;
  env: Record<string, string>;
  /** Process that wrote it. */
  pid: number;
  jobs: JournalJob[];
}

/** The jobs that Slurm has of commands that are at work in a repo. */
export function slurmJobs(root: string): JournalJob[] {
  const folder = join(root, PRIVATE, FOLDER);
  if (!exists(folder)) return [];
  return [...Deno.readDirSync(folder)]
    .map(({ name }) => parse(join(folder, name)))
    .filter((one) => one && exists(`/proc/${one.pid}`))
    .flatMap((one) => one!.jobs);
}

/** How long Slurm may take to end them, and to answer at all. */
const PATIENCE_MS = 45_000;

/**
 * Ends jobs that a killed command left in Slurm's hands.
 *
 * @param withdraw Takes their tickets away, so that none starts any more.
 * @throws {ClibsError} `CLIBS_SLURM_LEFT` if they may be running still.
 */
export async function endSlurmLeftOvers(
  root: string,
  withdraw: () => void,
  programs: (env: Record<string, string>) => SlurmPrograms = plainPrograms,
): Promise<void> {
  const left = leftOvers(join(root, PRIVATE, FOLDER));
  withdraw();
  for (const one of left) {
    await endThem(one, programs(one.env));
    Deno.removeSync(one.path);
  }
}

function leftOvers(folder: string): Journal[] {
  const found: Journal[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    const one = parse(path);
    if (one) found.push(one);
    else Deno.removeSync(path);
  }
  return found;
}

/** What a journal says, if it says of jobs that may be there. */
function parse(path: string): Journal | undefined {
  const [head, ...lines] = Deno.readTextFileSync(path).split("\n");
  let start: Omit<Journal, "path" | "jobs"> & { ended: string };
  try {
    start = JSON.parse(head!);
  } catch {
    // Torn: no job had been handed over.
    return undefined;
  }
  const jobs = new Map<string, JournalJob>();
  for (const line of lines) {
    const [, word, key = "", rest = ""] = /^(\w+) (\d+) ?(.*)$/.exec(line) ??
      [];
    const job = jobs.get(key);
    if (word === "begin") jobs.set(key, described(rest));
    else if (word === "id" && job) job.id = Number(rest);
    else if (word === "end") jobs.delete(key);
  }
  for (const key of jobs.keys()) {
    if (exists(join(start.ended, key))) jobs.delete(key);
  }
  return jobs.size === 0
    ? undefined
    : { path, ...start, jobs: [...jobs.values()] };
}

function described(text: string): JournalJob {
  try {
    return JSON.parse(text);
  } catch {
    // Torn.
    return { rule: "", name: "", startedMs: 0 };
  }
}

async function endThem(left: Journal, programs: SlurmPrograms): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const cancelled = new Set<number>();
  for (let pause = 50;; pause = Math.min(2 * pause, 1000)) {
    const answer = await programs.run("squeue", [
      "--noheader",
      `--user=${Deno.uid()}`,
      "--format=%A|%k",
    ]).catch((error: Error): Answer => ({
      code: -1,
      stdout: "",
      stderr: error.message,
    }));
    const there = answer.code === 0 ? present(answer.stdout, left) : undefined;
    if (there?.length === 0) return;
    const fresh = there?.filter((id) => !cancelled.has(id)) ?? [];
    if (fresh.length > 0) {
      const { code } = await programs.run("scancel", fresh.map(String));
      if (code === 0) { for (const id of fresh) cancelled.add(id); }
    }
    if (Date.now() > deadline) throw stillThere(left, answer, there);
    await sleep(pause);
  }
}

function present(listing: string, { tag, jobs }: Journal): number[] {
  const ids = new Set(jobs.map(({ id }) => id));
  return listing.split("\n").flatMap((line) => {
    const bar = line.indexOf("|");
    const id = Number(line.slice(0, bar));
    if (bar < 0 || !id) return [];
    return ids.has(id) || line.startsWith(tag, bar + 1) ? [id] : [];
  });
}

function stillThere(
  { path }: Journal,
  answer: Answer,
  there: readonly number[] | undefined,
): ClibsError {
  return new ClibsError(
    "CLIBS_SLURM_LEFT",
    "Cannot begin: jobs of a command that was killed may still be running in Slurm",
    {
      facts: {
        ...(there ? { jobs: there.join(" ") } : { squeue: complaint(answer) }),
        journal: path,
      },
      hint: there
        ? `end them with scancel ${there.join(" ")}`
        : "start Slurm again; if it is gone for good, remove the journal",
    },
  );
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Slurm's programs as they are called before there is a spawner. */
function plainPrograms(env: Record<string, string>): SlurmPrograms {
  const whole = slurmEnvironment({ ...Deno.env.toObject(), ...env });
  return {
    async run(program, args) {
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args: [...args],
        env: whole,
        clearEnv: true,
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return {
        code,
        stdout: decoder.decode(stdout),
        stderr: decoder.decode(stderr),
      };
    },
  };
}
