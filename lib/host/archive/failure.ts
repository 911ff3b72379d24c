/** Errors of archives, in one form, with nothing in them that a terminal obeys. */

import { ClibsError, type ErrorCode } from "../../errors.ts";

/** The four ways in which an archive itself is at fault. */
export type ArchiveFault = "UNSAFE" | "CORRUPT" | "UNSUPPORTED" | "TOO_LARGE";

const hints: Readonly<Record<ArchiveFault, string>> = {
  UNSAFE:
    "do not unpack this archive by other means before you know who made it and why it holds such an entry",
  CORRUPT: "download the archive again and compare its SHA-256",
  UNSUPPORTED:
    "repack the archive with `tar czf`, or unpack it with `extract: false` and a command of your own",
  TOO_LARGE:
    "check where the archive came from; no library is known to need this much",
};

/** Makes errors that name the archive and, once known, the entry at fault. */
export class FaultReporter {
  /** Name of the entry being read, as the archive spells it. */
  entry: string | undefined;
  /** How many entries have begun. */
  count = 0;
  #last: string | undefined;
  readonly #archive: string;

  /** @param archive Name of the archive, for messages. */
  constructor(archive: string) {
    this.#archive = printable(archive);
  }

  /** Notes that the entry called `name` is being read from here on. */
  begin(name: string): void {
    this.entry = name;
    this.count++;
  }

  /** Notes that what follows does not belong to the entry any more. */
  end(): void {
    this.#last = this.entry;
    this.entry = undefined;
  }

  /**
   * Makes the error for the entry being read, or for the whole archive.
   *
   * @param fault What kind of error.
   * @param reason What is wrong, as a claim about the entry or the archive.
   * @param facts More facts; their values are escaped here.
   */
  make(
    fault: ArchiveFault,
    reason: string,
    facts: Readonly<Record<string, string>> = {},
    cause?: unknown,
  ): ClibsError {
    const subject = this.entry === undefined
      ? "the archive"
      : `entry ${quote(this.entry)}`;
    return new ClibsError(
      `CLIBS_ARCHIVE_${fault}` as ErrorCode,
      `Cannot extract ${this.#archive}: ${subject} ${reason}`,
      {
        facts: {
          archive: this.#archive,
          ...this.#place(),
          ...Object.fromEntries(
            Object.entries(facts).map(([key, text]) => [key, printable(text)]),
          ),
        },
        hint: hints[fault],
        cause,
      },
    );
  }

  #place(): Record<string, string> {
    if (this.entry !== undefined) return { entry: `no. ${this.count}` };
    return this.#last === undefined ? {} : { after: printable(this.#last) };
  }
}

/** Text in double quotes, with {@linkcode printable} content. */
export function quote(text: string): string {
  return `"${printable(text).replaceAll('"', '\\"')}"`;
}

/** Longest text of an archive that a message repeats, in characters. */
const LONGEST_QUOTE = 200;

/** Text with control and invisible characters as `\x1b` or `\u202e`, cut if long. */
export function printable(text: string): string {
  const cut = text.length > LONGEST_QUOTE
    ? `${text.slice(0, LONGEST_QUOTE)}...`
    : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
