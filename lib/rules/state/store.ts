/**
 * What a repo remembers: its jobs, and its files as jobs left them.
 *
 * A database under `LMAKE/` answers questions; beside it each job has a file
 * with its record, from which a database that is torn, or of another version,
 * is made anew.
 */

import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { sha256Hex } from "../../host/digest.ts";
import { removeFile, sortedEntries } from "../../host/files.ts";
import { PRIVATE } from "../root.ts";
import type { JobLog, JobRecord } from "./record.ts";

/**
 * Version of the store.
 *
 * Bump it when bytes or their meaning change, and add a line here:
 * 1: the first.
 */
export const STORE_FORMAT = 1;

/** A file as it was when it was last looked at. */
export interface FileRecord {
  /** Checksum. */
  sum: string;
  /** Status that spares a look at the content; empty: look. */
  stamp: string;
  /** Job that wrote it; empty: a source, or nobody's. */
  writer: string;
}

/** Marks that users set: `f` freezes, `t` does not trigger. */
export type Mark = "f" | "t";

/** The memory of a repo. */
export class Store {
  /** Whether the database had to be made anew from the jobs' records. */
  readonly rebuilt: boolean;
  readonly #db: DatabaseSync;
  readonly #folder: string;
  readonly #jobs = new Map<string, JobRecord | undefined>();
  readonly #files = new Map<string, FileRecord | undefined>();
  readonly #dirty = new Map<string, FileRecord>();
  readonly #readOnly: boolean;
  #getJob: StatementSync;
  #getFile: StatementSync;

  /**
   * Opens the memory of a repo, making it if there is none.
   *
   * @param root Root of the repo.
   * @param options.readOnly Changes nothing on disk; whatever is put is lost.
   */
  static async open(
    root: string,
    options: { readOnly?: boolean } = {},
  ): Promise<Store> {
    const { DatabaseSync } = await import("node:sqlite");
    const folder = join(root, PRIVATE);
    const path = join(folder, "state.db");
    const readOnly = options.readOnly ?? false;
    if (readOnly) {
      const there = isThere(path);
      // As it is, with what a running command has written. That takes files
      // beside it; where they cannot be made nobody writes, but a command
      // that was killed may have left there what is not in it.
      const addresses = !there
        ? []
        : isThere(`${path}-wal`)
        ? [path]
        : [path, `file:${encodeURI(path)}?immutable=1`];
      for (const address of addresses) {
        const db = openOrUndefined(DatabaseSync, address, true);
        if (db && isGood(db)) return new Store(db, folder, true, false);
        db?.close();
      }
      const memory = new DatabaseSync(":memory:");
      create(memory);
      const store = new Store(memory, folder, true, there);
      store.#rebuild();
      return store;
    }
    Deno.mkdirSync(join(folder, "jobs"), { recursive: true });
    let db = openOrUndefined(DatabaseSync, path);
    const isNew = db !== undefined && isEmpty(db);
    if (db && (isNew || isGood(db))) {
      if (isNew) create(db);
      const store = new Store(db, folder, false, false);
      if (isNew) store.#rebuild();
      return store;
    }
    db?.close();
    for (const suffix of ["", "-wal", "-shm"]) removeFile(path + suffix);
    db = new DatabaseSync(path);
    create(db);
    const store = new Store(db, folder, false, true);
    store.#rebuild();
    return store;
  }

  private constructor(
    db: DatabaseSync,
    folder: string,
    readOnly: boolean,
    rebuilt: boolean,
  ) {
    this.#db = db;
    this.#folder = folder;
    this.#readOnly = readOnly;
    this.rebuilt = rebuilt;
    this.#getJob = db.prepare("SELECT record FROM job WHERE id = ?");
    this.#getFile = db.prepare(
      "SELECT sum, stamp, writer FROM file WHERE name = ?",
    );
  }

  /** The last run of a job; undefined if it never ran. */
  job(id: string): JobRecord | undefined {
    if (this.#jobs.has(id)) return this.#jobs.get(id);
    const row = this.#getJob.get(id);
    const record = row ? JSON.parse(row["record"] as string) : undefined;
    this.#jobs.set(id, record);
    return record;
  }

  /** All jobs that ever ran, in order of their names. */
  *jobs(): Generator<JobRecord> {
    this.flush();
    for (
      const row of this.#db.prepare("SELECT id FROM job ORDER BY id").all()
    ) {
      const record = this.job(row["id"] as string);
      if (record) yield record;
    }
  }

  /** Those of all jobs that may have to do with a file, as a dep or a target. */
  *jobsAbout(file: string): Generator<JobRecord> {
    this.flush();
    // Whatever may be written in another way is looked for by parsing.
    const isPlain = /^[\w./+,=@%~-]+$/.test(file);
    const rows = this.#db.prepare(
      "SELECT id FROM job WHERE instr(record, ?) > 0 ORDER BY id",
    ).all(isPlain ? file : "");
    for (const row of rows) {
      const record = this.job(row["id"] as string);
      if (record) yield record;
    }
  }

  /** Notes a run of a job, at once and for good. */
  putJob(record: JobRecord, log?: JobLog): void {
    this.#jobs.set(record.id, record);
    if (this.#readOnly) return;
    const before = log ?? this.log(record.id);
    const body = JSON.stringify({ record, log: before });
    const path = this.#jobPath(record.id);
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    // Torn by a crash, it lacks the digest and counts as absent.
    const text = `${digestOf(body)}\n${body}\n`;
    Deno.writeTextFileSync(`${path}.tmp`, text);
    Deno.renameSync(`${path}.tmp`, path);
    this.#db.prepare("INSERT OR REPLACE INTO job VALUES (?, ?)")
      .run(record.id, JSON.stringify(record));
    this.flush();
  }

  /** Forgets a job. */
  removeJob(id: string): void {
    this.#jobs.set(id, undefined);
    if (this.#readOnly) return;
    this.#db.prepare("DELETE FROM job WHERE id = ?").run(id);
    removeFile(this.#jobPath(id));
  }

  /** What is kept of a job's last run for people. */
  log(id: string): JobLog | undefined {
    return readJobFile(this.#jobPath(id))?.log;
  }

  /** A file as it was last seen. */
  file(name: string): FileRecord | undefined {
    if (this.#files.has(name)) return this.#files.get(name);
    const row = this.#getFile.get(name) as unknown as FileRecord | undefined;
    this.#files.set(name, row);
    return row;
  }

  /** Notes a file; kept in memory until {@linkcode flush}. */
  putFile(name: string, record: FileRecord): void {
    this.#files.set(name, record);
    this.#dirty.set(name, record);
  }

  /** Names of the files that some job wrote. */
  writtenFiles(): { file: string; writer: string }[] {
    this.flush();
    return this.#db.prepare(
      "SELECT name AS file, writer FROM file WHERE writer <> '' ORDER BY name",
    ).all() as unknown as { file: string; writer: string }[];
  }

  /** Forgets a file. */
  removeFile(name: string): void {
    this.#files.set(name, undefined);
    this.#dirty.delete(name);
    if (!this.#readOnly) {
      this.#db.prepare("DELETE FROM file WHERE name = ?").run(name);
    }
  }

  /** Writes what is only in memory. */
  flush(): void {
    if (this.#dirty.size === 0 || this.#readOnly) return;
    const put = this.#db.prepare(
      "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)",
    );
    this.#db.exec("BEGIN IMMEDIATE");
    for (const [name, { sum, stamp, writer }] of this.#dirty) {
      put.run(name, sum, stamp, writer);
    }
    this.#db.exec("COMMIT");
    this.#dirty.clear();
  }

  /** Files and jobs that the user marked. */
  marks(): Map<string, Mark> {
    const rows = this.#db.prepare("SELECT name, mark FROM mark").all();
    return new Map(
      rows.map((row) => [row["name"] as string, row["mark"] as Mark]),
    );
  }

  /** Sets a mark, or removes it. */
  setMark(name: string, mark: Mark | undefined): void {
    if (mark === undefined) {
      this.#db.prepare("DELETE FROM mark WHERE name = ?").run(name);
    } else {
      this.#db.prepare("INSERT OR REPLACE INTO mark VALUES (?, ?)")
        .run(name, mark);
    }
  }

  /** Closes the database. */
  close(): void {
    this.flush();
    this.#db.close();
  }

  #jobPath(id: string): string {
    const hash = sha256Hex(id).slice(0, 24);
    return join(
      this.#folder,
      "jobs",
      hash.slice(0, 2),
      `${hash.slice(2)}.json`,
    );
  }

  /** Fills the database from the jobs' records. */
  #rebuild(): void {
    const put = this.#db.prepare("INSERT OR REPLACE INTO job VALUES (?, ?)");
    this.#db.exec("BEGIN");
    const written = new Map<string, { record: JobRecord; sum: string }>();
    for (const { record } of jobFiles(this.#folder)) {
      if (!record) continue;
      put.run(record.id, JSON.stringify(record));
      for (const { file, sum } of record.targets) {
        const other = written.get(file);
        if (other && other.record.startedMs > record.startedMs) continue;
        written.set(file, { record, sum });
      }
    }
    this.#db.exec("COMMIT");
    for (const [file, { record, sum }] of written) {
      this.putFile(file, { sum, stamp: "", writer: record.id });
    }
    this.flush();
  }
}

function create(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA busy_timeout = 10000;
    BEGIN;
    CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, record TEXT NOT NULL)
      WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY, sum TEXT NOT NULL,
      stamp TEXT NOT NULL, writer TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, mark TEXT NOT NULL)
      WITHOUT ROWID;
    PRAGMA user_version = ${STORE_FORMAT};
    COMMIT;
  `);
}

type Constructor = new (
  path: string,
  options: { readOnly: boolean },
) => DatabaseSync;

function openOrUndefined(
  constructor: Constructor,
  path: string,
  readOnly = false,
): DatabaseSync | undefined {
  try {
    const db = new constructor(path, { readOnly });
    db.exec("PRAGMA busy_timeout = 10000; PRAGMA synchronous = NORMAL");
    return db;
  } catch {
    return undefined;
  }
}

function isEmpty(db: DatabaseSync): boolean {
  try {
    return db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()
      ?.["n"] ===
      0;
  } catch {
    return false;
  }
}

/** Whether a database is of our version and can be read. */
function isGood(db: DatabaseSync): boolean {
  try {
    const version = db.prepare("PRAGMA user_version").get()?.["user_version"];
    if (version !== STORE_FORMAT) return false;
    for (const table of ["job", "file", "mark"]) {
      db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
    }
    return true;
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * The files of all jobs.
 *
 * @param folder The private folder of the repo.
 * @returns Their paths; a file that is torn, or of another version, has no
 *   record.
 */
export function* jobFiles(
  folder: string,
): Generator<{ path: string; record?: JobRecord }> {
  const jobs = join(folder, "jobs");
  if (!isThere(jobs)) return;
  for (const { name } of sortedEntries(jobs)) {
    for (const entry of sortedEntries(join(jobs, name))) {
      const path = join(jobs, name, entry.name);
      // What a writer that was killed left is no job's file either.
      const found = path.endsWith(".json") ? readJobFile(path) : undefined;
      yield found ? { path, record: found.record } : { path };
    }
  }
}

/** A digest that only texts of our version have. */
function digestOf(body: string): string {
  return sha256Hex(`${STORE_FORMAT}\n${body}`);
}

/** A job's file; undefined if there is none, or it is torn. */
function readJobFile(
  path: string,
): { record: JobRecord; log?: JobLog } | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
  const end = text.indexOf("\n");
  const body = text.slice(end + 1, -1);
  return digestOf(body) === text.slice(0, end) ? JSON.parse(body) : undefined;
}
