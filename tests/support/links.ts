/** Which symbolic links there are, while a log of what changed them is read. */

import { readlinkSync } from "node:fs";
import { find } from "./find.ts";

/** One link, which may have several names. */
export interface Link {
  readonly text: string;
}

/**
 * The links of some trees as they were when this was made, changed since by
 * those who call, and of the rest of the machine as they are now.
 */
export class Links {
  /** By canonical path; undefined where it is known that there is none. */
  readonly #links = new Map<string, Link | undefined>();
  readonly #roots: string[];

  constructor(roots: string[]) {
    this.#roots = roots;
    for (const [path, text] of linksBelow(roots)) {
      this.#links.set(path, { text });
    }
  }

  /** The link of that canonical name. */
  get(path: string): Link | undefined {
    if (this.#links.has(path)) return this.#links.get(path);
    // Where nothing changes, what is there now was there then.
    const found = this.#roots.some((root) => path.startsWith(`${root}/`))
      ? undefined
      : read(path);
    this.#links.set(path, found);
    return found;
  }

  set(path: string, link: Link | undefined): void {
    this.#links.set(path, link);
  }

  /** Gives a name, and those in it, to another one's. */
  rename(from: string, to: string, exchange: boolean): void {
    const link = this.#links.get(from);
    // Two names of one file: the kernel does nothing.
    if (link !== undefined && link === this.#links.get(to)) return;
    const known = [...this.#links];
    const moved = known.filter(([path]) => isIn(path, from) || isIn(path, to));
    for (const [path] of moved) this.#links.set(path, undefined);
    for (const [path, link] of moved) {
      if (isIn(path, from)) this.#links.set(to + path.slice(from.length), link);
      else if (exchange) this.#links.set(from + path.slice(to.length), link);
    }
  }
}

/** Whether a path is another one or in it. */
export function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function linksBelow(roots: string[]): [string, string][] {
  const found = find(roots, ["-type", "l", "-printf", "%p\\0%l\\0"]);
  return Array.from(
    { length: found.length / 2 },
    (_, i) => [found[2 * i] ?? "", found[2 * i + 1] ?? ""],
  );
}

function read(path: string): Link | undefined {
  try {
    return { text: readlinkSync(path) };
  } catch {
    return undefined;
  }
}
