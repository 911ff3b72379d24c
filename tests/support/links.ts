/** Which symbolic links there are, while a log of what changed them is read. */

import { Buffer } from "node:buffer";
import { readdirSync, readlinkSync } from "node:fs";

/**
 * The links of some trees as they were when this was made, changed since by
 * those who call, and of the rest of the machine as they are now.
 */
export class Links {
  /** Text of each known link; undefined where there was one and is none now. */
  readonly #links = new Map<string, string | undefined>();
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
      else if (entry.isSymbolicLink()) this.#links.set(path, text(path));
    }
  }

  /** Text of the link of that canonical name. */
  get(path: string): string | undefined {
    if (this.#links.has(path)) return this.#links.get(path);
    // Where nothing changes, what is there now was there then.
    const found = this.#roots.some((root) => path.startsWith(`${root}/`))
      ? undefined
      : text(path);
    this.#links.set(path, found);
    return found;
  }

  set(path: string, text: string | undefined): void {
    this.#links.set(path, text);
  }

  /** Moves a link, or the links in a folder. */
  move(from: string, to: string): void {
    const moved: [string, string | undefined][] = [];
    for (const path of [...this.#links.keys()]) {
      if (isIn(path, to)) this.#links.set(path, undefined);
      if (!isIn(path, from)) continue;
      moved.push([to + path.slice(from.length), this.#links.get(path)]);
      this.#links.set(path, undefined);
    }
    for (const [path, text] of moved) this.#links.set(path, text);
  }

  /** Exchanges two names, and what is in them. */
  exchange(one: string, other: string): void {
    const found = [...this.#links].filter(([path]) =>
      isIn(path, one) || isIn(path, other)
    );
    for (const [path] of found) this.#links.set(path, undefined);
    for (const [path, text] of found) {
      const [from, to] = isIn(path, one) ? [one, other] : [other, one];
      this.#links.set(to + path.slice(from.length), text);
    }
  }
}

/** Whether a path is another one or in it. */
export function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function text(path: string): string | undefined {
  try {
    return readlinkSync(Buffer.from(path, "latin1"), "latin1");
  } catch {
    return undefined;
  }
}
