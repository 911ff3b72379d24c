/**
 * Checksums that tell whether a job would see another file: over content and
 * execute bit, or over the text of a link. Dates and other mode bits do not
 * count.
 */

import { isAbsent } from "./files.ts";
import {
  isExecutable,
  isFile,
  isLink,
  lstatNs,
  readLinkNs,
  type StatNs,
} from "./statx.ts";
import { loadXxh3 } from "./xxh3.ts";

/** Checksum of what is no file: nothing, a folder, a device, … */
export const NO_FILE = "none";
/** Checksum of an empty file that nobody may execute. */
export const EMPTY_FILE = "empty-R";

/**
 * Seeds keep apart what may have the same bytes. Changing one makes every
 * saved checksum worthless.
 */
const SEEDS = { plain: 0, executable: 1, link: 2, text: 3 };

/** Checksums; none of the functions waits for anything. */
export interface Checksums {
  /** Sum of a text: 16 lower-case hex digits. */
  text(text: string): string;
  /**
   * Sum of a path, without following a link: {@linkcode NO_FILE},
   * {@linkcode EMPTY_FILE}, 16 digits and `-R` for other files, and `-L` for
   * links.
   *
   * @param stat Its status, if the caller just got it.
   * @throws What Deno throws for a file that may not be read.
   */
  file(path: string, stat?: StatNs): string;
  /** Sum that {@linkcode file} gives for a file of this content. */
  content(bytes: Uint8Array, executable?: boolean): string;
  /** Sum that {@linkcode file} gives for a link of this text. */
  link(text: string): string;
}

/** Loads what checksums need. */
export async function loadChecksums(): Promise<Checksums> {
  const [plain, executable, link, text] = await Promise.all([
    loadXxh3(SEEDS.plain),
    loadXxh3(SEEDS.executable),
    loadXxh3(SEEDS.link),
    loadXxh3(SEEDS.text),
  ]);
  const empty = plain.bytes(new Uint8Array());
  const ofLink = (text: string) => `${link.text(text)}-L`;
  return {
    text: (value) => text.text(value),
    link: ofLink,
    content: (bytes, isExecutable = false) => {
      if (bytes.length === 0 && !isExecutable) return EMPTY_FILE;
      return `${(isExecutable ? executable : plain).bytes(bytes)}-R`;
    },
    file: (path, stat = lstatNs(path)) => {
      if (!stat) return NO_FILE;
      if (isLink(stat)) {
        const target = readLinkNs(path);
        return target === undefined ? NO_FILE : ofLink(target);
      }
      // Opening a pipe would wait for its other end.
      if (!isFile(stat)) return NO_FILE;
      const runs = isExecutable(stat);
      try {
        const sum = (runs ? executable : plain).file(path);
        return !runs && sum === empty ? EMPTY_FILE : `${sum}-R`;
      } catch (error) {
        // It was there a moment ago; there is none now.
        if (isAbsent(error)) return NO_FILE;
        throw error;
      }
    },
  };
}
