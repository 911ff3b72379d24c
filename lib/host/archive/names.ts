/** Names of entries: what may be written, and what is dropped of them. */

import { Buffer } from "node:buffer";
import type { FaultReporter } from "./failure.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text for a message: UTF-8, or one character for each byte. */
export function textForMessage(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/** Bytes as UTF-8 text; undefined if they are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Names that Windows gives to devices, with any extension. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Longest name of one file on every usual file system, in bytes. */
const LONGEST_COMPONENT = 255;

/**
 * Splits an entry's name into its components, `.` and empty ones dropped.
 *
 * @param name As the archive spells it.
 * @param faults Makes the errors.
 * @param what What the name is, for messages: `name` or `link target`.
 * @param windows Whether the rules of Windows hold too.
 * @returns No component at all for the top folder itself (`./`).
 */
export function safeComponents(
  name: string,
  faults: FaultReporter,
  what = "name",
  windows: boolean = Deno.build.os === "windows",
): string[] {
  const fact = what === "name" ? {} : { [what]: name };
  const unsafe = (reason: string) =>
    faults.make("UNSAFE", `has ${reason}`, fact);
  if (name === "") throw faults.make("CORRUPT", `has an empty ${what}`);
  if (CONTROL.test(name)) throw unsafe(`a control character in its ${what}`);
  if (name.startsWith("/")) throw unsafe(`an absolute ${what}`);
  if (windows && name.includes("\\")) {
    throw unsafe(`a backslash in its ${what}`);
  }
  const components = name.split("/").filter((part) =>
    part !== "" && part !== "."
  );
  for (const part of components) {
    if (part === "..") throw unsafe(`".." in its ${what}`);
    if (part.length * 3 > LONGEST_COMPONENT && byteLength(part) > 255) {
      throw faults.make(
        "UNSUPPORTED",
        `has a part longer than 255 bytes in its ${what}`,
      );
    }
    if (
      windows && (/[:<>"|?*]|[. ]$/.test(part) || WINDOWS_DEVICE.test(part))
    ) {
      throw unsafe(`a ${what} that Windows takes for something else`);
    }
  }
  return components;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Checks the text of a symlink: where it leads is checked elsewhere. */
export function checkLinkText(target: string, faults: FaultReporter): void {
  const refuse = (reason: string) =>
    faults.make("UNSAFE", `is a symlink with ${reason}`, { target });
  if (target === "") {
    throw faults.make("CORRUPT", "is a symlink without a target");
  }
  if (CONTROL.test(target)) throw refuse("a control character in its target");
  if (target.startsWith("/")) throw refuse("an absolute target");
  if (Deno.build.os === "windows" && /[\\:]/.test(target)) {
    throw refuse("a backslash or a drive in its target");
  }
}

/**
 * Finds names that differ only in case or Unicode form.
 *
 * Such names are two files on most Linux file systems but one on those that
 * ignore case (macOS, Windows, ext4 with casefold), where the second would
 * silently replace the first. Only used where the file system does that.
 */
export class CollisionGuard {
  #spellings = new Map<string, string>();

  /** Notes one full path; refuses a second spelling of one noted before. */
  check(path: string, faults: FaultReporter): void {
    const key = path.normalize("NFC").toLowerCase().normalize("NFC");
    const before = this.#spellings.get(key);
    if (before === undefined) this.#spellings.set(key, path);
    else if (before !== path) {
      throw faults.make(
        "UNSAFE",
        "has the same name as another one on a file system that ignores case",
        { other: before },
      );
    }
  }
}
