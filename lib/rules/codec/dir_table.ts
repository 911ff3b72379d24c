/** A table that is a folder, shared by repos and hosts. */

import { basename, join } from "node:path";
import { bytesToPath } from "../../host/bytes_path.ts";
import type { Checksums } from "../../host/checksum.ts";
import { isAbsent, removeFile } from "../../host/files.ts";
import { readBytes } from "../../host/read_chunks.ts";
import { isFolder, readLinkNs, statNs } from "../../host/statx.ts";
import { type DirConfig, readDirConfig } from "./dir_config.ts";
import { DirFiles, makeLink } from "./dir_files.ts";
import {
  contextDir,
  DECODE,
  ENCODE,
  isContext,
  isEntryCode,
  storeLink,
  sumOfLink,
} from "./dir_layout.ts";
import {
  checkLength,
  codeError,
  contextError,
  damageError,
  tableError,
} from "./errors.ts";
import { normalText } from "./line.ts";
import { automaticCode } from "./settle.ts";

/** The associations of a folder; nothing of them is kept in memory. */
export class DirTable {
  /** Absolute path, without a trailing slash. */
  readonly path: string;
  readonly #name: string;
  readonly #sums: Checksums;
  readonly #files: DirFiles;

  private constructor(
    path: string,
    name: string,
    sums: Checksums,
    config: DirConfig,
  ) {
    this.path = path;
    this.#name = name;
    this.#sums = sums;
    this.#files = new DirFiles(path, config);
  }

  /**
   * Opens a table. A folder without entries is an empty one.
   *
   * @param name What messages call it. Default: the path.
   * @throws {ClibsError} `CLIBS_CODEC_TABLE` if there is no such folder,
   *   `CLIBS_CODEC_CONFIG` if its settings are wrong.
   */
  static open(path: string, sums: Checksums, name = path): DirTable {
    const stat = statNs(path);
    if (!stat || !isFolder(stat)) {
      throw tableError(
        name,
        "there is no such folder",
        "create it below a source dir",
      );
    }
    const plain = path.replace(/\/+$/, "");
    return new DirTable(plain, name, sums, readDirConfig(plain));
  }

  /**
   * Code of a value: the one it has, else a new one, of `minLength` digits or
   * of more if others have those. Whatever others do at the same time, all get
   * the same answer.
   *
   * @param minLength 1 to 16. Default: 1.
   * @throws {ClibsError} `CLIBS_CODEC_LENGTH`, `CLIBS_CODEC_CONTEXT`, or
   *   `CLIBS_CODEC_DAMAGED` if the table was tampered with.
   */
  encode(context: string, value: string, minLength = 1): string {
    checkLength(minLength);
    this.#checkContext(context);
    const text = normalText(value);
    const sum = this.#sums.text(text);
    const known = this.codeOfSum(context, sum);
    if (known !== undefined) {
      this.#verify(context, known, text);
      return known;
    }
    this.#files.store(sum, text);
    const dir = contextDir(this.path, context);
    this.#files.makeDir(dir);
    const made: string[] = [];
    const code = automaticCode(
      sum,
      minLength,
      (code) => !this.#take(context, code, sum, made),
    );
    const link = join(dir, `${sum}${ENCODE}`);
    if (makeLink(`${code}${DECODE}`, link)) {
      this.#files.sync(dir);
      return code;
    }
    // Somebody else was quicker and may have wanted another length.
    const theirs = this.codeOfSum(context, sum);
    if (theirs === undefined) {
      // A link to a code that is gone makes way for one to a code that is there.
      this.#files.replaceLink(`${code}${DECODE}`, link);
      return code;
    }
    if (theirs !== code && made.includes(code)) {
      removeFile(join(dir, `${code}${DECODE}`));
    }
    this.#verify(context, theirs, text);
    return theirs;
  }

  /**
   * Value of a code.
   *
   * @throws {ClibsError} `CLIBS_CODEC_CODE` if it has none,
   *   `CLIBS_CODEC_CONTEXT`
   */
  decode(context: string, code: string): string {
    this.#checkContext(context);
    const value = this.valueOf(context, code);
    if (value === undefined) throw codeError(this.#name, context, code);
    return value;
  }

  /** Value of a code, if it has one. */
  valueOf(context: string, code: string): string | undefined {
    if (!isContext(context) || !isEntryCode(code)) return undefined;
    const dir = contextDir(this.path, context);
    // Opening a folder makes a network file system look at it again.
    this.#files.sync(dir);
    try {
      return bytesToPath(readBytes(join(dir, `${code}${DECODE}`)));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Code of the value with a checksum, if it has one; nothing is read. */
  codeOfSum(context: string, sum: string): string | undefined {
    if (!isContext(context)) return undefined;
    const dir = contextDir(this.path, context);
    const target = readLinkNs(join(dir, `${sum}${ENCODE}`));
    if (!target?.endsWith(DECODE) || target.includes("/")) return undefined;
    // A code that was removed by hand is none.
    if (!statNs(join(dir, target))) return undefined;
    return basename(target, DECODE);
  }

  /** Checksum of a code's value, if it has one; our own entries are not read. */
  sumOfCode(context: string, code: string): string | undefined {
    if (!isContext(context) || !isEntryCode(code)) return undefined;
    const path = join(contextDir(this.path, context), `${code}${DECODE}`);
    const target = readLinkNs(path);
    const sum = target && sumOfLink(context, target);
    if (sum) return statNs(path) ? sum : undefined;
    const value = this.valueOf(context, code);
    return value === undefined ? undefined : this.#sums.text(value);
  }

  /** Takes a code for a value; false if it stands for another one. */
  #take(
    context: string,
    code: string,
    sum: string,
    made: string[],
  ): boolean {
    const path = join(contextDir(this.path, context), `${code}${DECODE}`);
    if (makeLink(storeLink(context, sum), path)) {
      made.push(code);
      return true;
    }
    return this.sumOfCode(context, code) === sum;
  }

  /** A checksum that two values share, or a value that was edited. */
  #verify(context: string, code: string, value: string): void {
    if (this.valueOf(context, code) === value) return;
    throw damageError(
      this.#name,
      `${code} of ${context} leads to another value than it was made for`,
    );
  }

  #checkContext(context: string): void {
    if (!isContext(context)) throw contextError(this.#name, context);
  }
}
