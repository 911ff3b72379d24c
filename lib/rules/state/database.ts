/** The database of a repo: its tables, and whether it can be trusted. */

import type { DatabaseSync } from "node:sqlite";

/**
 * Version of the store.
 *
 * Bump it when bytes or their meaning change, and add a line here:
 * 1: the first.
 * 2: runs are in a journal, which the database knows the places of.
 */
export const STORE_FORMAT = 2;

/** Makes the tables of an empty database. */
export function create(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA busy_timeout = 10000;
    BEGIN;
    CREATE TABLE IF NOT EXISTS meta (one INTEGER PRIMARY KEY,
      generation INTEGER NOT NULL, synced INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, record TEXT NOT NULL,
      at INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
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

/** Opens a database; undefined if it is none. */
export function openOrUndefined(
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

/** Whether a database has no tables. */
export function isEmpty(db: DatabaseSync): boolean {
  try {
    return db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()
      ?.["n"] ===
      0;
  } catch {
    return false;
  }
}

/** Whether a database is of our version and can be read. */
export function isGood(db: DatabaseSync): boolean {
  try {
    const version = db.prepare("PRAGMA user_version").get()?.["user_version"];
    if (version !== STORE_FORMAT) return false;
    for (const table of ["job", "file", "mark", "meta"]) {
      db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
    }
    return true;
  } catch {
    return false;
  }
}

/** Whether there is something at a path. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Which journal the database is made from, and how far. */
export function metaOf(
  db: DatabaseSync,
): { generation: number; synced: number } {
  const row = db.prepare("SELECT generation, synced FROM meta").get();
  return {
    generation: Number(row?.["generation"] ?? 0),
    synced: Number(row?.["synced"] ?? 0),
  };
}
