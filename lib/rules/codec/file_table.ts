/** A table that is a source file: one line for each association. */

import { bytesToPath } from "../../host/bytes_path.ts";
import type { Checksums } from "../../host/checksum.ts";
import { isAbsent, writeFileAtomic } from "../../host/files.ts";
import { readBytes } from "../../host/read_chunks.ts";
import { isFile, lstatNs, stampText } from "../../host/statx.ts";
import { checkLength, codeError, tableError } from "./errors.ts";
import {
  type Association,
  formatAppended,
  formatLine,
  normalText,
  parseLines,
} from "./line.ts";
import { automaticCode, settle } from "./settle.ts";

/** What was done to a table's file. */
export type TableWord = "expand" | "reformat" | "update";

/**
 * Files younger than this when they were read may change again without their
 * times doing so.
 */
const UNSURE_NS = 20_000_000n;

interface Context {
  values: Map<string, string>;
  codes: Map<string, string>;
  /** Code by the checksum of its value; made when first asked for. */
  sums?: Map<string, string>;
}

/**
 * The associations of a file, in memory.
 *
 * One process at a time may write a table. A user may edit it meanwhile: the
 * file wins, and what was encoded since it was read is added to it again.
 */
export class FileTable {
  /** Absolute path of the file itself, links resolved. */
  readonly path: string;
  readonly #name: string;
  readonly #sums: Checksums;
  #contexts = new Map<string, Context>();
  /** Associations that the file may not have yet. */
  #added: Association[] = [];
  /** How many of them were appended. */
  #appended = 0;
  #isCanonical = true;
  #stamp: string | undefined;
  /** Of the bytes that were read or written last. */
  #digest = "";

  private constructor(path: string, name: string, sums: Checksums) {
    this.path = path;
    this.#name = name;
    this.#sums = sums;
  }

  /**
   * Reads a table; links to it are followed. Nothing is written.
   *
   * @param name What messages call it. Default: the path.
   * @throws {ClibsError} `CLIBS_CODEC_TABLE` if there is no such file.
   */
  static open(path: string, sums: Checksums, name = path): FileTable {
    const table = new FileTable(FileTable.locate(path, name), name, sums);
    table.#read();
    return table;
  }

  /**
   * The file itself that a path leads to.
   *
   * @param name What messages call it. Default: the path.
   * @throws {ClibsError} `CLIBS_CODEC_TABLE` if there is no such file.
   */
  static locate(path: string, name = path): string {
    try {
      return Deno.realPathSync(path);
    } catch (error) {
      if (isAbsent(error)) throw missing(name);
      throw error;
    }
  }

  /** Whether something was encoded that is not saved. */
  get hasNew(): boolean {
    return this.#added.length > 0;
  }

  /** Reads the file again if it changed on disk; returns whether it did. */
  refresh(): boolean {
    if (this.#stamp !== undefined && this.#stamp === this.#stampNow()) {
      return false;
    }
    return this.#read();
  }

  /**
   * Makes the file canonical if it was not when it was read.
   *
   * @returns Whether it had to be written.
   */
  repair(): boolean {
    if (this.#isCanonical) return false;
    this.#write();
    return true;
  }

  /**
   * Code of a value: the one it has, else a new one, of `minLength` digits or
   * of more if others have those.
   *
   * @param minLength 1 to 16. Default: 1.
   * @throws {ClibsError} `CLIBS_CODEC_LENGTH`
   */
  encode(context: string, value: string, minLength = 1): string {
    checkLength(minLength);
    const [name, text] = [normalText(context), normalText(value)];
    const known = this.#contexts.get(name)?.codes.get(text);
    if (known !== undefined) return known;
    const taken = this.#contexts.get(name)?.values;
    const code = automaticCode(
      this.#sums.text(text),
      minLength,
      (code) => taken?.has(code) ?? false,
    );
    const association = { context: name, code, value: text };
    this.#insert(association);
    this.#added.push(association);
    return code;
  }

  /**
   * Value of a code.
   *
   * @throws {ClibsError} `CLIBS_CODEC_CODE` if it has none.
   */
  decode(context: string, code: string): string {
    const value = this.valueOf(context, code);
    if (value === undefined) throw codeError(this.#name, context, code);
    return value;
  }

  /** Value of a code, if it has one. */
  valueOf(context: string, code: string): string | undefined {
    return this.#contexts.get(normalText(context))?.values
      .get(normalText(code));
  }

  /** Code of the value with a checksum, if it has one. */
  codeOfSum(context: string, sum: string): string | undefined {
    const found = this.#contexts.get(normalText(context));
    if (!found) return undefined;
    found.sums ??= new Map(
      Array.from(
        found.codes,
        ([value, code]) => [this.#sums.text(value), code],
      ),
    );
    return found.sums.get(sum);
  }

  /** Number of associations. */
  get size(): number {
    let size = 0;
    for (const { codes } of this.#contexts.values()) size += codes.size;
    return size;
  }

  /**
   * Appends what was encoded since the last time, so that a crash of this
   * process does not lose it. The file is not canonical until it is saved.
   */
  append(): void {
    const added = this.#added.slice(this.#appended);
    if (added.length === 0) return;
    const before = this.#stampNow();
    // The first newline closes what somebody may have left open.
    const text = `\n${added.map(formatAppended).join("")}`;
    const bytes = new TextEncoder().encode(text);
    using file = Deno.openSync(this.path, { append: true });
    for (let n = 0; n < bytes.length;) n += file.writeSync(bytes.subarray(n));
    this.#appended = this.#added.length;
    if (before === this.#stamp) this.#stamp = this.#stampNow();
  }

  /**
   * Brings the file up to date and makes it canonical, replacing it at once.
   *
   * @returns `update` if codes were added to it, `reformat` if it was only put
   *   in order, undefined if it was right as it was.
   */
  save(): "update" | "reformat" | undefined {
    const hasNew = this.hasNew;
    // Always read again before writing: a user may have edited it.
    if (hasNew || this.#stamp !== this.#stampNow()) this.#read();
    if (!hasNew) return this.repair() ? "reformat" : undefined;
    if (!this.#isCanonical) this.#write();
    this.#added = [];
    this.#appended = 0;
    return "update";
  }

  /** The text that the file has once it is saved. */
  canonicalText(): string {
    const all: Association[] = [];
    for (const [context, { values }] of this.#contexts) {
      for (const [code, value] of values) all.push({ context, code, value });
    }
    // What is settled already is only sorted.
    return settle(all, this.#sums.text).map(formatLine).join("");
  }

  /** Returns whether there was anything new. */
  #read(): boolean {
    const stamp = this.#stampNow(true);
    const bytes = this.#bytes();
    const digest = this.#sums.content(bytes);
    const isKnown = digest === this.#digest && this.#added.length === 0;
    this.#digest = digest;
    this.#stamp = stamp;
    if (isKnown) return false;
    const text = bytesToPath(bytes);
    const settled = settle(
      [...parseLines(text), ...this.#added],
      this.#sums.text,
    );
    this.#contexts = new Map();
    for (const association of settled) this.#insert(association);
    this.#isCanonical = settled.map(formatLine).join("") === text;
    return true;
  }

  #bytes(): Uint8Array {
    try {
      return readBytes(this.path);
    } catch (error) {
      if (isAbsent(error)) throw missing(this.#name);
      throw error;
    }
  }

  #write(): void {
    const mode = lstatNs(this.path)?.mode;
    const bytes = new TextEncoder().encode(this.canonicalText());
    writeFileAtomic(
      this.path,
      bytes,
      mode === undefined ? {} : { mode: mode & 0o7777 },
    );
    this.#isCanonical = true;
    this.#digest = this.#sums.content(bytes);
    this.#stamp = this.#stampNow(true);
  }

  #insert(association: Association): void {
    const { context, code, value } = association;
    let found = this.#contexts.get(context);
    if (!found) {
      found = { values: new Map(), codes: new Map() };
      this.#contexts.set(context, found);
    }
    found.values.set(code, value);
    found.codes.set(value, code);
    found.sums?.set(this.#sums.text(value), code);
  }

  /** @param toRelyOn Undefined if the file is too young to rely on it. */
  #stampNow(toRelyOn = false): string | undefined {
    const stat = lstatNs(this.path);
    if (!stat || !isFile(stat)) throw missing(this.#name);
    const age = BigInt(Date.now()) * 1_000_000n - stat.mtimeNs;
    return toRelyOn && age < UNSURE_NS ? undefined : stampText(stat);
  }
}

function missing(name: string): Error {
  return tableError(
    name,
    "there is no such file",
    `create it, empty, and add it to the sources: touch ${name}`,
  );
}
