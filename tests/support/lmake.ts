/** A repo of rules in a temporary folder, and what `clibs make` says about it. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { cacheDir } from "../../lib/host/dirs.ts";
import { cliArgs, NEUTRAL } from "./cli.ts";
import {
  checkRun,
  type Expectation,
  type JobLine,
  jobLines,
} from "./lmake_lines.ts";
import { TempDir } from "./temp.ts";
import { has } from "./tools.ts";

/** What a command is expected to do, and how it is run. */
export interface MakeOptions extends Expectation {
  /** Flags before the targets. */
  flags?: string[];
  /** Variables of the calling shell. */
  env?: Record<string, string>;
  /** Done while the command runs. */
  during?: (child: Deno.ChildProcess) => Promise<void> | void;
  /** Takes the end as it comes. */
  unchecked?: boolean;
}

/** How a command ended. */
export interface Run {
  /** Exit code; 128 and more for signals. */
  code: number;
  stdout: string;
  stderr: string;
  /** Both, as shown when an assertion fails. */
  shown: string;
}

/** How `clibs make` ended. */
export interface MakeRun extends Run {
  /** Lines about jobs, in order. */
  jobs: JobLine[];
}

/** A repo with a `Manifest`; `using` removes it. */
export class LmakeRepo implements Disposable {
  readonly dir = new TempDir();
  /** A folder outside the repo, which no tracer sees. */
  readonly ext = new TempDir();
  readonly #home = new TempDir();
  readonly #sources = new Set<string>();
  readonly #written = new Map<string, number>();
  #listed = "";
  #prefix: string[] = [];

  constructor() {
    this.rules("");
  }

  /** Absolute path of something in the repo. */
  path(name: string): string {
    return this.dir.join(name);
  }

  /** Writes sources, new ones or others; the texts are what the files hold. */
  source(files: Record<string, string>): void {
    this.file(files);
    this.list(...Object.keys(files));
  }

  /** Makes links that are sources; keys are their names. */
  sourceLink(links: Record<string, string>): void {
    for (const [name, text] of Object.entries(links)) {
      Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
      Deno.symlinkSync(text, this.path(name));
    }
    this.list(...Object.keys(links));
  }

  /** Writes files without making sources of them. */
  file(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      this.#settle(name);
      this.dir.write({ [name]: text });
      this.#written.set(name, Date.now());
    }
  }

  /** Gives a file another date and nothing else. */
  touch(name: string): void {
    this.#settle(name);
    const now = new Date();
    Deno.utimeSync(this.path(name), now, now);
    this.#written.set(name, Date.now());
  }

  /** Puts names in the manifest, which is written with the next command. */
  list(...names: string[]): void {
    for (const name of names) this.#sources.add(name);
  }

  /** Takes names out of the manifest and leaves the files. */
  unlist(...names: string[]): void {
    for (const name of names) this.#sources.delete(name);
  }

  /** Removes a file, from the manifest too. */
  remove(...names: string[]): void {
    this.unlist(...names);
    for (const name of names) Deno.removeSync(this.path(name));
  }

  /** Writes `Lmakefile.ts`: rules, with the import that they need on top. */
  rules(text: string): void {
    this.source({ "Lmakefile.ts": IMPORT + text.trim() + "\n" });
  }

  /** What a file of the repo holds. */
  content(name: string): string {
    return this.dir.read(name);
  }

  /** What a file outside the repo holds; nothing if it is not there. */
  extContent(name: string): string {
    return this.ext.has(name) ? this.ext.read(name) : "";
  }

  /** Whether a file is there; links are not followed. */
  has(name: string): boolean {
    return this.dir.has(name);
  }

  /**
   * Runs `clibs make` and compares its end with what is expected: exit 0 and
   * no job unless the options, which come last, say otherwise.
   */
  async make(...args: (string | MakeOptions)[]): Promise<MakeRun> {
    const { targets, options } = splitArgs(args);
    this.#writeManifest();
    // Files written within the precision of dates are read again, rightly.
    pause(this.#newest() + 2 * DATE_PRECISION_MS - Date.now());
    const run = await this.run(
      ["make", ...(options.flags ?? []), ...targets],
      options,
    );
    const made: MakeRun = { ...run, jobs: jobLines(run.stdout + run.stderr) };
    if (!options.unchecked) checkRun(made, made.jobs, options);
    return made;
  }

  /** Runs `clibs show` and returns what it prints. */
  async show(...args: string[]): Promise<string> {
    return (await this.ok("show", ...args)).stdout;
  }

  /** Whether commands may write in the repo; needs root to mean more than modes. */
  setWritable(writable: boolean): void {
    this.#prefix = writable || !canMount() ? [] : [
      "unshare",
      "--mount",
      "sh",
      "-ec",
      'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; cd "$0"; exec "$@"',
      this.dir.path,
    ];
    new Deno.Command("chmod", {
      args: ["-R", writable ? "u+w" : "a-w", this.dir.path],
    }).outputSync();
  }

  /** Names of the deps of a job's last run, in order. */
  async deps(target: string): Promise<string[]> {
    return lastWords(await this.show("-d", target));
  }

  /** Names of the targets of a job's last run, in order. */
  async targets(target: string): Promise<string[]> {
    return lastWords(await this.show("-t", target));
  }

  /** Runs a command of clibs which has to succeed. */
  async ok(...args: string[]): Promise<Run> {
    const run = await this.run(args);
    assert.equal(run.code, 0, run.shown);
    return run;
  }

  /** Runs a command of clibs in the repo. */
  async run(
    args: string[],
    { env = {}, during }: Pick<MakeOptions, "env" | "during"> = {},
  ): Promise<Run> {
    const [program = "", ...rest] = [
      ...this.#prefix,
      Deno.execPath(),
      ...cliArgs(),
      ...args,
    ];
    const child = new Deno.Command(program, {
      args: rest,
      cwd: this.dir.path,
      env: { ...this.#env, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill(child);
    }, TIME_LIMIT_MS);
    const ended = child.output();
    // Whatever went wrong meanwhile, the command ends with this call.
    const failure = await attempt(during && (() => during(child)));
    if (failure) kill(child);
    const { code, stdout, stderr } = await ended;
    clearTimeout(timer);
    const decoder = new TextDecoder();
    const run = {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
    const shown =
      `$ clibs ${args.join(" ")}\n${run.stdout}${run.stderr}exit ${code}` +
      (late ? `, killed after ${TIME_LIMIT_MS / 1000} s` : "");
    if (failure) throw new Error(shown, { cause: failure.error });
    if (late) throw new Error(shown);
    return { ...run, shown };
  }

  get #env(): Record<string, string> {
    return {
      ...NEUTRAL,
      HOME: this.#home.path,
      DENO_DIR: denoDir(),
      // Shared by all tests: what is compiled for the tracers stays good.
      CLIBS_CACHE_DIR: sharedCache(),
      LMAKE_ARGS: "",
    };
  }

  #writeManifest(): void {
    const text = [...this.#sources].join("\n") + "\n";
    if (text === this.#listed) return;
    this.file({ Manifest: text });
    this.#listed = text;
  }

  /** Waits until another edit of a file gets another date. */
  #settle(name: string): void {
    const last = this.#written.get(name);
    if (last !== undefined) pause(last + 2 * DATE_PRECISION_MS - Date.now());
  }

  #newest(): number {
    return Math.max(0, ...this.#written.values());
  }

  [Symbol.dispose](): void {
    for (const dir of [this.dir, this.ext, this.#home]) removeTree(dir.path);
  }
}

/** A test of one scenario of the specification, in a repo of its own. */
export function scenario(
  number: number,
  title: string,
  test: (repo: LmakeRepo) => Promise<void>,
  needs: string[] = [],
): void {
  Deno.test({
    name: `lmake ${number}: ${title}`,
    ignore: Deno.build.os !== "linux" || !needs.every(has),
    async fn() {
      using repo = new LmakeRepo();
      await test(repo);
    },
  });
}

/** Waits until something holds. */
export async function until(
  holds: () => boolean,
  what: string,
  limitMs = 20_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Still waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Words of a text, wherever its lines break. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** The line of a listing which has a name as its last word. */
export function lineOf(listing: string, name: string): string {
  const found = listing.split("\n").find((line) => words(line).at(-1) === name);
  assert.ok(found !== undefined, `no line for ${name} in\n${listing}`);
  return found;
}

/** Last words of the lines of a listing. */
export function lastWords(listing: string): string[] {
  return listing.split("\n").flatMap((line) => words(line).at(-1) ?? []);
}

/** What rules import. */
const IMPORT =
  `import { aliasRule, antiRule, dirRule, lmake, rule, sourceRule } from "@clibs/cli/lmake";\n`;

const DATE_PRECISION_MS = 10;
const TIME_LIMIT_MS = 90_000;

function splitArgs(
  args: (string | MakeOptions)[],
): { targets: string[]; options: MakeOptions } {
  const last = args.at(-1);
  return {
    targets: args.filter((arg) => typeof arg === "string"),
    options: typeof last === "object" ? last : {},
  };
}

function pause(ms: number): void {
  if (ms <= 0) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function attempt(
  action: (() => Promise<void> | void) | undefined,
): Promise<{ error: unknown } | undefined> {
  try {
    await action?.();
    return undefined;
  } catch (error) {
    return { error };
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Removes a folder, also while a process that ends still writes there. */
function removeTree(path: string): void {
  for (let attempts = 0; attempts < 50; attempts++) {
    try {
      Deno.removeSync(path, { recursive: true });
      return;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      pause(20);
    }
  }
  Deno.removeSync(path, { recursive: true });
}

/** Whether a folder can be mounted so that root cannot write there either. */
function canMount(): boolean {
  return Deno.uid() === 0 && has("unshare") &&
    new Deno.Command("unshare", {
      args: ["--mount", "true"],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
}

let knownDenoDir: string | undefined;

function denoDir(): string {
  return knownDenoDir ??= Deno.env.get("DENO_DIR") ??
    JSON.parse(
      new TextDecoder().decode(
        new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
          .outputSync().stdout,
      ),
    ).denoDir as string;
}

function sharedCache(): string {
  const own = cacheDir((name) =>
    name === "CLIBS_CACHE_DIR" ? undefined : Deno.env.get(name)
  );
  return join(own, "../clibs-test-rules");
}
