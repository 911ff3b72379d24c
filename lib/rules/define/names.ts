/** The names that strings of a rule may use in braces. */

import { checkTemplate, parseTemplate } from "../pattern_template.ts";
import { NAME } from "../pattern_parse.ts";
import { BadValue } from "./check.ts";

/** Names by which a command knows something else, and what. */
const RESERVED: Readonly<Record<string, string>> = {
  dep: "the attribute dep, which is stdin",
  lmake: "the functions for jobs",
  target: "the attribute target, which gets stdout",
  vars: "the attribute vars",
};

/** Names that stand for something, and for what. */
export class NameTable {
  readonly #kinds = new Map<string, string>();
  readonly #functions = new Map<string, boolean>();
  /** Whether a function will give further names for each job. */
  isOpen = false;

  /**
   * Adds a name.
   *
   * @param kind What it stands for, such as `target`.
   * @param isFunction Whether it stands for many files.
   * @throws {BadValue} If it is taken.
   */
  add(kind: string, name: string, isFunction = false): void {
    const before = this.#kinds.get(name);
    if (before !== undefined) {
      throw new BadValue(
        `has the name ${name} for a ${kind} and for a ${before}`,
        "a command knows each of them by its name: rename one",
      );
    }
    this.#kinds.set(name, kind);
    this.#functions.set(name, isFunction);
  }

  /** Checks that a template uses only these names. */
  check(template: string): void {
    if (this.isOpen) parseTemplate(template);
    else checkTemplate(template, this.#functions);
  }

  /** A copy to which further names can be added. */
  copy(): NameTable {
    const table = new NameTable();
    for (const [name, kind] of this.#kinds) {
      table.add(kind, name, this.#functions.get(name));
    }
    table.isOpen = this.isOpen;
    return table;
  }
}

/** Refuses what cannot be the name of a stem, target, dep or resource. */
export function checkKey(kind: string, name: string): void {
  if (!NAME.test(name)) {
    throw new BadValue(
      `has a ${kind} with the name ${JSON.stringify(name)}`,
      "names consist of letters, digits and _, and begin with no digit",
    );
  }
  const other = Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
  if (other !== undefined) {
    throw new BadValue(
      `has a ${kind} with the name ${name}, which stands for ${other}`,
      "choose another name",
    );
  }
}
