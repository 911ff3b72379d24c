/** Which symbolic links there are, while a log of what changed them is read. */

import { Buffer } from "node:buffer";
import { readdirSync, readlinkSync } from "node:fs";

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
    for (const root of roots) this.#scan(root);
  }

  #scan(dir: string): void {
    const bytes = Buffer.from(dir, "latin1");
    for (
      const entry of readdirSync(bytes, {
        withFileTypes: true,
        encoding: "buffer",
      })
    ) {
      const path = `${dir}/${Buffer.from(entry.name).toString("latin1")}`;
      if (entry.isDirectory()) this.#scan(path);
      else if (entry.isSymbolicLink()) this.#links.set(path, read(path));
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

function read(path: string): Link | undefined {
  try {
    return { text: readlinkSync(Buffer.from(path, "latin1"), "latin1") };
  } catch {
    return undefined;
  }
}
