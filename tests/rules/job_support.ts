/** A runner that notes what it is asked, and jobs that ask it. */

import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { ClibsError } from "../../lib/errors.ts";
import { functionCommand } from "../../lib/rules/job/command.ts";
import type { JobDescription } from "../../lib/rules/job/description.ts";
import { JobServer } from "../../lib/rules/channel/server.ts";
import type { DepState, JobServices } from "../../lib/rules/services.ts";
import { TempDir } from "../support/temp.ts";

/** Root of this repository. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Answers as it is told, and notes the calls. */
export class FakeServices implements JobServices {
  /** Calls with their arguments, in order. */
  calls: [name: string, ...args: unknown[]][] = [];
  /** Answers of `depend`, by name of the file. */
  states: Record<string, DepState> = {};
  /** Answer of `checkDeps`. */
  isOk = true;
  /** Answer of `listDeps`. */
  deps: string[] = [];
  /** Answer of `listTargets`, given its folder. */
  targets: (dir?: string, regexpr?: string) => string[] = () => [];
  /** Tables. */
  codes = new Map<string, string>();

  #note(name: string, ...args: unknown[]): void {
    this.calls.push([name, ...args]);
  }

  depend(
    ...[cwd, files, options]: Parameters<JobServices["depend"]>
  ): Promise<DepState[]> {
    this.#note("depend", cwd, files, options);
    return Promise.resolve(files.map((file) => this.states[file] ?? {}));
  }

  target(...args: Parameters<JobServices["target"]>): Promise<void> {
    this.#note("target", ...args);
    return Promise.resolve();
  }

  checkDeps(delay: number, sync: boolean): Promise<boolean> {
    this.#note("checkDeps", delay, sync);
    return Promise.resolve(this.isOk);
  }

  listDeps(...args: Parameters<JobServices["listDeps"]>): Promise<string[]> {
    this.#note("listDeps", ...args);
    return Promise.resolve(this.deps);
  }

  listTargets(cwd: string, dir?: string, regexpr?: string): Promise<string[]> {
    this.#note("listTargets", cwd, dir, regexpr);
    return Promise.resolve(this.targets(dir, regexpr));
  }

  listRoot(cwd: string, dir: string): Promise<string> {
    this.#note("listRoot", cwd, dir);
    return Promise.resolve(dir.replace(/(?<=.)\/+$/, ""));
  }

  encode(...args: Parameters<JobServices["encode"]>): Promise<string> {
    this.#note("encode", ...args);
    const [, table, context, value, minLength] = args;
    const code = "c".repeat(minLength);
    this.codes.set(`${table} ${context} ${code}`, value);
    return Promise.resolve(code);
  }

  decode(
    cwd: string,
    table: string,
    context: string,
    code: string,
  ): Promise<string> {
    this.#note("decode", cwd, table, context, code);
    const value = this.codes.get(`${table} ${context} ${code}`);
    if (value !== undefined) return Promise.resolve(value);
    return Promise.reject(
      new ClibsError(
        "CLIBS_CODEC_CODE",
        `Cannot decode ${code}: table ${table} has no such code`,
        { hint: "see what codes there are" },
      ),
    );
  }

  xxhsum(text: string | Uint8Array): Promise<string> {
    const shown = typeof text === "string"
      ? text
      : new TextDecoder().decode(text);
    this.#note("xxhsum", shown);
    return Promise.resolve("0123456789abcdef");
  }

  xxhsumFile(cwd: string, file: string): Promise<string> {
    this.#note("xxhsumFile", cwd, file);
    return Promise.resolve("fedcba9876543210-R");
  }
}

/** What a process of a job left. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A server, one job, and a folder for it. */
export class Session implements AsyncDisposable {
  readonly dir = new TempDir();
  readonly services = new FakeServices();
  /** Secret of the job. */
  readonly id = crypto.randomUUID();
  readonly server: JobServer;
  readonly job: Disposable;

  constructor(server: JobServer, folder: TempDir) {
    this.server = server;
    this.folder = folder;
    this.job = server.add(this.id, this.services);
  }

  /** Where the socket is. */
  readonly folder: TempDir;

  static async open(): Promise<Session> {
    const folder = new TempDir();
    return new Session(await JobServer.listen(folder.path), folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.dir[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }

  /** What a process of the job has in its environment. */
  get env(): Record<string, string> {
    return { CLIBS_JOB_SOCKET: this.server.address, CLIBS_JOB_ID: this.id };
  }

  /** Runs a program in the job's folder. */
  async run(
    command: string,
    args: string[],
    { stdin, env }: {
      stdin?: string | Uint8Array;
      env?: Record<string, string>;
    } = {},
  ): Promise<Ended> {
    const child = new Deno.Command(command, {
      args,
      cwd: this.dir.path,
      env: { NO_COLOR: "1", ...this.env, ...env },
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      const bytes = typeof stdin === "string"
        ? new TextEncoder().encode(stdin)
        : stdin;
      await writer.write(bytes).catch(() => {});
      await writer.close().catch(() => {});
    }
    const { code, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** Runs a function job; the function is given as its text. */
  runFunction(
    functionText: string,
    more: Partial<JobDescription> = {},
    env: Record<string, string> = {},
  ): Promise<Ended> {
    const description: JobDescription = {
      rule: "Test",
      functionText,
      imports: [],
      vars: {},
      root: this.dir.path,
      ...more,
      values: {
        stems: {},
        targets: {},
        deps: {},
        resources: {},
        ...more.values,
      },
    };
    const path = this.folder.join("job.json");
    Deno.writeTextFileSync(path, JSON.stringify(description));
    const [deno, ...args] = functionCommand([Deno.execPath()], path);
    return this.run(deno!, args, { env });
  }
}

/** The launcher under its names, in a folder of its own. */
export function buildLauncher(names: readonly string[]): TempDir {
  const bin = new TempDir();
  const { success, stderr } = new Deno.Command("cc", {
    args: [
      "-O2",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-o",
      bin.join("launch"),
      join(ROOT, "lib/rules/native/launch.c"),
    ],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  for (const name of names) Deno.linkSync(bin.join("launch"), bin.join(name));
  return bin;
}

/**
 * Runs the body of a function job; what it returns comes back. `caught(call)`
 * is the message that a call is rejected with.
 */
export async function job(
  session: Session,
  body: string,
  env?: Record<string, string>,
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const { stdout, stderr } = await session.runFunction(
    `async ({ lmake }) => {
      const caught = (call) => call().then(() => "nothing", (error) => error.message);
      const result = await (async () => { ${body} })();
      console.log(JSON.stringify(result ?? null));
    }`,
    {},
    env,
  );
  if (stderr !== "") throw new Error(stderr);
  return JSON.parse(stdout);
}
