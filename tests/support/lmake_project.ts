/** Real C sources in a repo of rules, and what a compiler alone makes of them. */

import assert from "node:assert/strict";
import type { Random } from "./seeded.ts";
import type { LmakeRepo } from "./lmake.ts";
import { TempDir } from "./temp.ts";

/** A project of C. */
export interface Project {
  /** Names of its sources in the repo. */
  files: string[];
  /** Those that are compiled. */
  units: string[];
  /** Arguments of gcc, without the file to compile. */
  flags: string[];
  /** Script that links from the objects, in their folder. */
  link: string;
  /** Files that it makes. */
  products: string[];
}

/** Names and contents of what a build makes. */
export type Products = Map<string, string>;

/** The sources as they stand in a repo, and edits of them. */
export class Sources {
  readonly #texts = new Map<string, string>();
  #edits = 0;

  constructor(readonly repo: LmakeRepo, readonly project: Project) {
    for (const name of project.files) {
      this.#texts.set(name, repo.content(name));
    }
  }

  /** Units that are compiled again when a file changes, as gcc sees it. */
  async includers(file: string): Promise<string[]> {
    const { units, flags } = this.project;
    const found = await run(
      "sh",
      [
        "-ec",
        'for unit in $UNITS; do echo "$unit:"; gcc "$@" -MM "$unit"; done',
        "sh",
        ...flags,
      ],
      this.repo.dir.path,
      { UNITS: units.join(" ") },
    );
    const includers: string[] = [];
    let unit = "";
    for (const word of found.split(/[\s\\]+/)) {
      if (word.endsWith(".c:")) unit = word.slice(0, -1);
      else if (word === file && !includers.includes(unit)) includers.push(unit);
    }
    return includers;
  }

  /** Builds them elsewhere, without rules. */
  async clean(): Promise<Products> {
    using dir = new TempDir();
    dir.write(Object.fromEntries(this.#texts));
    const { units, flags, link, products } = this.project;
    const objects = units.map(objectOf);
    await run(
      "sh",
      [
        "-ec",
        'printf "%s\\n" $UNITS | xargs -P 2 -I @unit@ sh -c \'u=$1; shift; exec gcc "$@" -c -o "${u%.c}.o" "$u"\' sh @unit@ "$@"',
        "sh",
        ...flags,
      ],
      dir.path,
      { UNITS: units.join(" ") },
    );
    await run("sh", ["-ec", link], dir.path);
    return contents(dir.path, [...objects, ...products]);
  }

  /** What the rules have built. */
  built(): Products {
    const { units, products } = this.project;
    return contents(this.repo.dir.path, [...units.map(objectOf), ...products]);
  }

  /** Edits some file; returns its name and how. */
  edit(random: Random): { file: string; how: string } {
    const n = ++this.#edits;
    const file = random.pick(this.project.files);
    const text = this.#texts.get(file)!;
    const how = random.pick([
      "comment",
      "code",
      "code",
      "code",
      "touch",
      "header",
    ]);
    if (how === "touch") this.repo.touch(file);
    else if (how === "comment") this.write(file, `${text}/* edit ${n} */\n`);
    else if (how === "code" || !file.endsWith(".c")) {
      const line = `static const int edit_${n} __attribute__((used)) = ${n};\n`;
      // Within the guard, which a header included twice relies on.
      const at = file.endsWith(".h") ? text.lastIndexOf("#endif") : -1;
      this.write(
        file,
        at < 0 ? text + line : text.slice(0, at) + line + text.slice(at),
      );
    } else {
      const header = file.replace(/[^/]*$/, `edit_${n}.h`);
      this.write(header, `static const int edit_${n} = ${n};\n`);
      this.project.files.push(header);
      this.write(file, `${text}#include "edit_${n}.h"\n`);
    }
    return { file, how };
  }

  /** Text of a source. */
  text(file: string): string {
    return this.#texts.get(file)!;
  }

  /** Writes a source. */
  write(file: string, text: string): void {
    this.repo.source({ [file]: text });
    this.#texts.set(file, text);
  }
}

/** Name of a unit's object. */
export function objectOf(unit: string): string {
  return unit.replace(/\.c$/, ".o");
}

function contents(dir: string, names: readonly string[]): Products {
  return new Map(names.map((name) => {
    const bytes = Deno.readFileSync(`${dir}/${name}`);
    return [name, new TextDecoder("latin1").decode(bytes)];
  }));
}

async function run(
  program: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
