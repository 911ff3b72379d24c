/** Finds the patterns that a name may match, without trying them all. */

import type { Pattern } from "./pattern.ts";

interface Entry<Value> {
  /** Order in which it was added. */
  order: number;
  prefix: string;
  value: Value;
}

/** Longest end of a name by which patterns are told apart. */
const LONGEST = 24;

/**
 * Patterns by how names end, or by how they begin where any end will do. Most
 * rules have an extension, so that a name meets few of them.
 */
export class PatternIndex<Value> {
  readonly #literal = new Map<string, Entry<Value>[]>();
  readonly #bySuffix = new Map<string, Entry<Value>[]>();
  readonly #byPrefix = new Map<string, Entry<Value>[]>();
  readonly #suffixLengths = new Set<number>();
  readonly #prefixLengths = new Set<number>();
  #count = 0;

  /** Adds a pattern, and what is to be found by it. */
  add({ isLiteral, prefix, suffix }: Pattern, value: Value): void {
    const entry = { order: this.#count++, prefix, value };
    if (isLiteral) {
      push(this.#literal, prefix, entry);
    } else if (suffix !== "") {
      const end = suffix.slice(-LONGEST);
      this.#suffixLengths.add(end.length);
      push(this.#bySuffix, end, entry);
    } else {
      const start = prefix.slice(0, LONGEST);
      this.#prefixLengths.add(start.length);
      push(this.#byPrefix, start, entry);
    }
  }

  /** What was added with patterns that a name may match, in that order. */
  mayMatch(name: string): Value[] {
    const found = [...this.#literal.get(name) ?? []];
    for (const length of this.#suffixLengths) {
      if (length > name.length) continue;
      const entries = this.#bySuffix.get(name.slice(-length));
      for (const entry of entries ?? []) {
        if (name.startsWith(entry.prefix)) found.push(entry);
      }
    }
    for (const length of this.#prefixLengths) {
      if (length > name.length) continue;
      const entries = this.#byPrefix.get(name.slice(0, length));
      for (const entry of entries ?? []) {
        if (name.startsWith(entry.prefix)) found.push(entry);
      }
    }
    return found.sort((a, b) => a.order - b.order).map(({ value }) => value);
  }
}

function push<Item>(table: Map<string, Item[]>, key: string, item: Item): void {
  const items = table.get(key);
  if (items) items.push(item);
  else table.set(key, [item]);
}
