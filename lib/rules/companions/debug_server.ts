/** Answers what a job asks while it runs by hand: from memory, and nothing is made. */

import { spawn } from "node:child_process";
import { isAbsolute, join, relative, resolve } from "node:path";
import { NO_FILE } from "../../host/checksum.ts";
import { JOB_ID_VARIABLE } from "../../jobs/group.ts";
import { SOCKET_VARIABLE } from "../channel/frames.ts";
import { JobServer } from "../channel/server.ts";
import { CodecTables } from "../codec/tables.ts";
import type { Repo } from "../repo.ts";
import type { DepState, JobServices } from "../services.ts";
import type { JobRecord } from "../state/record.ts";
import { PRIVATE } from "../root.ts";
import { isSource, knownMakerOf } from "./repo.ts";
import type { DebugOptions } from "./types.ts";

/** Runs the script of a job with the caller's terminal; returns its exit code. */
export async function attended(
  repo: Repo,
  record: JobRecord,
  script: string,
  { stdout = "inherit", signal }: Pick<DebugOptions, "stdout" | "signal">,
): Promise<number> {
  const folder = join(repo.root, PRIVATE, "debug");
  await using server = await JobServer.listen(folder);
  const id = crypto.randomUUID();
  using _job = server.add(id, new FromMemory(repo, record));
  // The only way to give a child our standard error as its output.
  const child = spawn(script, [], {
    env: {
      ...Deno.env.toObject(),
      [SOCKET_VARIABLE]: server.address,
      [JOB_ID_VARIABLE]: id,
    },
    stdio: ["inherit", stdout === "stderr" ? 2 : "inherit", "inherit"],
    signal,
  });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 128));
  });
}

class FromMemory implements JobServices {
  readonly #repo: Repo;
  readonly #record: JobRecord;
  readonly #codecs: CodecTables;

  constructor(repo: Repo, record: JobRecord) {
    this.#repo = repo;
    this.#record = record;
    this.#codecs = new CodecTables(repo.root, repo.sums, { readOnly: true });
  }

  // deno-lint-ignore require-await
  async depend(
    cwd: string,
    files: string[],
    { direct, verbose, regexpr }: {
      direct?: boolean;
      verbose?: boolean;
      regexpr?: boolean;
    },
  ): Promise<DepState[]> {
    if (regexpr) return [];
    const states = files.map((file) => this.#state(resolve(cwd, file)));
    if (direct) return [{ ok: states.every(({ ok }) => ok !== false) }];
    return verbose ? states : [];
  }

  #state(path: string): DepState {
    const name = this.#repo.files.name(path);
    if (name === undefined || name === "") return {};
    const { sum } = this.#repo.files.look(name);
    if (isSource(this.#repo, name)) return { ok: true, checksum: sum };
    const maker = knownMakerOf(this.#repo, name);
    if (maker) return { ok: maker.status === "ok", checksum: sum };
    return sum === NO_FILE ? { ok: true, checksum: sum } : {};
  }

  async target(): Promise<void> {}

  // deno-lint-ignore require-await
  async checkDeps(): Promise<boolean> {
    return true;
  }

  // deno-lint-ignore require-await
  async listDeps(
    cwd: string,
    dir?: string,
    regexpr?: string,
  ): Promise<string[]> {
    const names = this.#record.deps.filter(({ codec }) => !codec)
      .map(({ file }) => file);
    return this.#listed(names, cwd, dir, regexpr);
  }

  // deno-lint-ignore require-await
  async listTargets(
    cwd: string,
    dir?: string,
    regexpr?: string,
  ): Promise<string[]> {
    const names = this.#record.targets.map(({ file }) => file)
      .filter((file) => this.#repo.files.look(file).sum !== NO_FILE);
    return this.#listed(names, cwd, dir, regexpr);
  }

  #listed(
    names: readonly string[],
    cwd: string,
    dir: string | undefined,
    regexpr: string | undefined,
  ): string[] {
    const { files } = this.#repo;
    const below = dir === undefined ? "" : `${resolve(cwd, dir)}/`;
    const whole = regexpr === undefined
      ? undefined
      : new RegExp(`^(?:${regexpr})$`, "su");
    return names.filter((name) => files.path(name).startsWith(below))
      .map((name) => this.#shown(cwd, files.path(name), isAbsolute(name)))
      .filter((name) => whole?.test(name) ?? true);
  }

  #shown(cwd: string, path: string, absolute: boolean): string {
    if (absolute || this.#repo.files.name(cwd) === undefined) return path;
    return relative(cwd, path) || ".";
  }

  // deno-lint-ignore require-await
  async listRoot(cwd: string, dir: string): Promise<string> {
    return this.#shown(cwd, resolve(cwd, dir), false);
  }

  // deno-lint-ignore require-await
  async encode(
    cwd: string,
    table: string,
    context: string,
    value: string,
    minLength: number,
  ): Promise<string> {
    return this.#codecs.encode(
      this.#table(cwd, table),
      context,
      value,
      minLength,
    );
  }

  // deno-lint-ignore require-await
  async decode(
    cwd: string,
    table: string,
    context: string,
    code: string,
  ): Promise<string> {
    return this.#codecs.decode(this.#table(cwd, table), context, code);
  }

  #table(cwd: string, table: string): string {
    const name = this.#repo.files.name(resolve(cwd, table)) ?? table;
    return table.endsWith("/") ? `${name}/` : name;
  }

  // deno-lint-ignore require-await
  async xxhsum(text: string | Uint8Array): Promise<string> {
    return this.#repo.sums.text(
      typeof text === "string" ? text : new TextDecoder().decode(text),
    );
  }

  // deno-lint-ignore require-await
  async xxhsumFile(cwd: string, file: string): Promise<string> {
    return this.#repo.sums.file(resolve(cwd, file));
  }
}
