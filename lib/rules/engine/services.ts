/** The runner's side of one running job: what it may ask, answered. */

import { resolve } from "node:path";
import type { ClibsError } from "../../errors.ts";
import { bytesToPath } from "../../host/bytes_path.ts";
import { type Checksums, NO_FILE } from "../../host/checksum.ts";
import { isFolder } from "../../host/statx.ts";
import { AccessLog } from "../../trace/access.ts";
import type { RecordReader } from "../../trace/record.ts";
import type { CodecTables } from "../codec/tables.ts";
import { tableError } from "../codec/errors.ts";
import type { DepFlag } from "../model.ts";
import type {
  DependOptions,
  DepState,
  JobServices,
  TargetOptions,
} from "../services.ts";
import { canonicalPath } from "./canonical.ts";
import type { Files } from "./files.ts";
import { fold, type Folded, type FoldOptions } from "./fold.ts";
import { listed, spelled, wholeName } from "./listing.ts";
import { JobNotes } from "./session.ts";
import type { JobState, Outcome } from "./state.ts";
import { toldText } from "./told.ts";

/** What a running job needs from the engine. */
export interface ServiceHost {
  /** The files of the repo. */
  files: Files;
  /** Checksums. */
  sums: Checksums;
  /** Tables of codes. */
  codecs: CodecTables;
  /** Whether a file is a source. */
  isSource(file: string): boolean;
  /** Whether a name is that of a source, or some rule's target. */
  mayBeMade(file: string): "yes" | "maybe" | "no";
  /** Whether a folder lies in a source dir. */
  inSourceDir(file: string): boolean;
  /** Has a file built. */
  ensure(file: string, onDisk: boolean): Promise<Outcome>;
  /** What is known of a file without building it. */
  peek(file: string): Promise<Outcome | undefined>;
  /** Whether deps found so far are as the job saw them. */
  verify(state: JobState, folded: Folded): Promise<"ok" | "error" | "changed">;
}

/** Answers the requests of one run of a job. */
export class RunningJob implements JobServices {
  /** What it declared. */
  readonly notes = new JobNotes();
  /** What the tracers have recorded. */
  readonly log = new AccessLog();
  readonly #host: ServiceHost;
  readonly #state: JobState;
  readonly #reader: RecordReader | undefined;
  readonly #options: FoldOptions;
  readonly #kill: () => void;
  /** Checks that were asked for and go on. */
  readonly #checks = new Set<Promise<unknown>>();
  readonly #over = Promise.withResolvers<void>();
  #calls = 0;
  #isOver = false;

  /** @param kill Ends the job. */
  constructor(
    host: ServiceHost,
    state: JobState,
    reader: RecordReader | undefined,
    options: FoldOptions,
    kill: () => void,
  ) {
    this.#host = host;
    this.#state = state;
    this.#reader = reader;
    this.#options = options;
    this.#kill = kill;
  }

  /** Ends the services, and folds what the job did. */
  async finish(): Promise<Folded> {
    this.#isOver = true;
    this.#over.resolve();
    await Promise.allSettled(this.#checks);
    return this.#folded();
  }

  /** Programs that were run and could not be seen into. */
  unseen(): string[] {
    return [...this.log.escapes.values()].filter(({ seen }) => !seen)
      .map(({ program, reason }) => `${program} (${reason})`);
  }

  /** Takes in what the tracers have recorded. */
  #read(): void {
    this.#reader?.read((record) => this.log.add(record));
  }

  #folded(): Folded {
    this.#read();
    return fold(
      this.#state,
      this.log,
      this.notes,
      this.#host.files,
      this.#options,
    );
  }

  /**
   * Where the job is now: before the record that it will write next. Calls
   * that come at one place keep their order.
   */
  #now(): number {
    return (this.#reader?.head() ?? 1) - 0.5 + ++this.#calls * 1e-6;
  }

  // --- declarations

  async depend(
    cwd: string,
    names: string[],
    options: DependOptions,
  ): Promise<DepState[]> {
    const at = this.#now();
    const flags = new Set(options.flags);
    if (options.regexpr) {
      const patterns = names.map((name) => wholeName(name));
      this.notes.depends.push({
        at,
        files: [],
        patterns,
        flags,
        read: false,
        seen: new Map(),
      });
      return [];
    }
    const files = names.map((name) =>
      this.#name(cwd, name, options.followSymlinks ?? false, at)
    );
    const inRepo = files.filter((file): file is string => !!file);
    this.#noteDeps(at, inRepo, flags, options.read ?? false);
    if (flags.has("readdirOk")) this.#allowReaddir(files);
    const known = files.map((file) => file === "" ? undefined : file);
    if (options.direct) return [await this.#direct(known)];
    if (options.verbose) {
      return await Promise.all(known.map((file) => this.#tell(file, flags)));
    }
    return [];
  }

  #noteDeps(
    at: number,
    files: string[],
    flags: Set<DepFlag>,
    read: boolean,
  ): void {
    const seen = new Map(
      read ? files.map((file) => [file, this.#host.files.look(file).sum]) : [],
    );
    this.notes.depends.push({ at, files, patterns: [], flags, read, seen });
  }

  #allowReaddir(files: (string | undefined)[]): void {
    // The root has no name that could be a dep.
    if (!files.includes("")) return;
    const last = this.notes.depends.at(-1)!;
    last.files.push("");
  }

  async #direct(files: (string | undefined)[]): Promise<DepState> {
    const outcomes = await Promise.all(
      files.map((file) =>
        file === undefined ? undefined : this.#host.ensure(file, true)
      ),
    );
    return { ok: outcomes.every((outcome) => !outcome?.failure) };
  }

  async #tell(
    file: string | undefined,
    flags: ReadonlySet<string>,
  ): Promise<DepState> {
    if (file === undefined) return {};
    const outcome = await this.#host.peek(file);
    const state: DepState = outcome
      ? { ok: !outcome.failure, checksum: outcome.sum }
      : {};
    this.notes.told.set(file, toldText(outcome, flags.has("ignoreError")));
    return state;
  }

  // deno-lint-ignore require-await
  async target(
    cwd: string,
    names: string[],
    options: TargetOptions,
  ): Promise<void> {
    const at = this.#now();
    const flags = new Set(options.flags);
    if (options.regexpr) {
      const patterns = names.map((name) => wholeName(name));
      this.notes.targets.push({ at, files: [], patterns, flags, write: false });
      return;
    }
    const files = names.map((name) =>
      this.#name(cwd, name, options.followSymlinks ?? false, at, false)
    ).filter((file) => file !== undefined);
    const write = options.write ?? false;
    this.notes.targets.push({ at, files, patterns: [], flags, write });
  }

  async checkDeps(delay: number, sync: boolean): Promise<boolean> {
    const check = this.#check(delay);
    this.#checks.add(check);
    check.finally(() => this.#checks.delete(check)).catch(() => {});
    if (!sync) return true;
    const result = await check;
    // A job that is being ended gets no answer before it has.
    if (result === "changed") await this.#over.promise;
    return result === "ok";
  }

  async #check(delay: number): Promise<"ok" | "error" | "changed"> {
    if (delay > 0) await this.#pause(delay * 1000);
    if (this.#isOver) return "ok";
    const folded = this.#folded();
    const result = folded.preexisting.length > 0
      ? "changed"
      : await this.#host.verify(this.#state, folded);
    if (result === "changed" && !this.#isOver) {
      this.notes.outOfDate = true;
      this.#kill();
    }
    return result;
  }

  async #pause(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (Date.now() < end && !this.#isOver) {
      await new Promise((done) =>
        setTimeout(done, Math.min(20, Math.max(1, end - Date.now())))
      );
    }
  }

  // --- lists

  // deno-lint-ignore require-await
  async listDeps(
    cwd: string,
    dir?: string,
    regexpr?: string,
  ): Promise<string[]> {
    const { deps } = this.#folded();
    const files = deps.filter(({ codec }) => !codec)
      .map(({ file }) => file);
    return listed(this.#host.files, files, { cwd, dir, regexpr });
  }

  // deno-lint-ignore require-await
  async listTargets(
    cwd: string,
    dir?: string,
    regexpr?: string,
  ): Promise<string[]> {
    const { stdoutTarget } = this.#options;
    const seen = this.#written();
    const files = stdoutTarget === undefined ? seen : [stdoutTarget, ...seen];
    return listed(this.#host.files, new Set(files), { cwd, dir, regexpr });
  }

  /** Names of what was written and is there, whether it was allowed or not. */
  #written(): string[] {
    this.#read();
    return [...this.log.accesses.values()]
      .filter(({ firstWrite }) => firstWrite !== 0)
      .sort((a, b) => a.firstWrite - b.firstWrite)
      .flatMap(({ path }) => {
        const file = this.#host.files.name(path);
        const stat = file === undefined || file === ""
          ? undefined
          : this.#host.files.look(file).stat;
        return stat && !isFolder(stat) ? [file!] : [];
      });
  }

  // deno-lint-ignore require-await
  async listRoot(cwd: string, dir: string): Promise<string> {
    const path = resolve(cwd, dir);
    const file = this.#host.files.name(path);
    return file === undefined ? path : spelled(this.#host.files, file, cwd);
  }

  // --- tables

  // deno-lint-ignore require-await
  async encode(
    cwd: string,
    table: string,
    context: string,
    value: string,
    minLength: number,
  ): Promise<string> {
    const name = this.#table(cwd, table);
    const code = this.#host.codecs.encode(name, context, value, minLength);
    const key = this.#host.codecs.key(name, context, { value });
    this.notes.codecs.push({ at: this.#now(), key, answer: code });
    return code;
  }

  // deno-lint-ignore require-await
  async decode(
    cwd: string,
    table: string,
    context: string,
    code: string,
  ): Promise<string> {
    const name = this.#table(cwd, table);
    const key = this.#host.codecs.key(name, context, { code });
    try {
      return this.#host.codecs.decode(name, context, code);
    } finally {
      const answer = this.#host.codecs.answer(key) ?? NO_FILE;
      this.notes.codecs.push({ at: this.#now(), key, answer });
    }
  }

  /** Name of a table; links to it become deps, and it must be a source. */
  #table(cwd: string, table: string): string {
    const at = this.#now();
    const file = this.#name(cwd, table, true, at);
    if (table.endsWith("/")) {
      if (file !== undefined && this.#host.inSourceDir(file)) return `${file}/`;
      throw this.#refuse(tableError(table, "it is not in a source dir"));
    }
    if (file === undefined) {
      throw this.#refuse(tableError(table, "it is outside the repo"));
    }
    if (!this.#host.isSource(file)) {
      // Whether it is one may depend on what makes it.
      this.#noteDeps(at, [file], new Set(), true);
      const isThere = this.#host.files.look(file).sum !== NO_FILE;
      const problem = tableError(table, "it is not a source");
      // A file that is missing may be meant to be, a made one never is.
      throw isThere || !this.#mayBeMissing(file)
        ? this.#refuse(problem)
        : problem;
    }
    return file;
  }

  #mayBeMissing(file: string): boolean {
    return this.#host.files.look(file).sum === NO_FILE &&
      this.#state.job.deps !== "dynamic" &&
      !this.#state.statics.some(({ pattern }) => pattern === file);
  }

  /** An error that the job may catch, and that fails it all the same. */
  #refuse(error: ClibsError): ClibsError {
    this.notes.problems.push(error.message);
    return error;
  }

  // --- checksums

  // deno-lint-ignore require-await
  async xxhsum(text: string | Uint8Array): Promise<string> {
    return this.#host.sums.text(
      typeof text === "string" ? text : bytesToPath(text),
    );
  }

  // deno-lint-ignore require-await
  async xxhsumFile(cwd: string, name: string): Promise<string> {
    const at = this.#now();
    const file = this.#name(cwd, name, false, at);
    const path = resolve(cwd, name);
    if (file !== undefined && file !== "") {
      this.#noteDeps(at, [file], new Set(), true);
    }
    return this.#host.sums.file(path);
  }

  // --- names

  /**
   * Canonical name of a file; undefined outside the repo. Links on the way are
   * noted.
   */
  #name(
    cwd: string,
    name: string,
    follow: boolean,
    at: number,
    reads = true,
  ): string | undefined {
    const { files } = this.#host;
    const path = canonicalPath(files, resolve(cwd, name), {
      follow,
      // Before what it leads to.
      onLink: (file, sum) =>
        this.notes.links.push({ at: at - 1e-7, file, sum }),
      // A link that is yet to be made has to be seen too; not what is to be
      // written.
      onNothing: (file, sum) => {
        if (follow && reads) this.notes.links.push({ at, file, sum });
      },
    });
    return files.name(path);
  }
}
