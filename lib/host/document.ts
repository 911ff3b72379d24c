/** A parsed text file whose every value knows its place. */

/** A place in a text file, both counted from 1. */
export interface Place {
  /** Line. */
  line: number;
  /** Column, in characters. */
  column: number;
}

/** A value of a document. */
export type DocumentNode = MapNode | ListNode | ScalarNode;

/** Keys and values, in the order written; no key comes twice. */
export interface MapNode {
  /** Tells the kinds of node apart. */
  kind: "map";
  /** Where it starts. */
  place: Place;
  /** The keys, each with its own place, and their values. */
  entries: { key: string; place: Place; value: DocumentNode }[];
}

/** A list. */
export interface ListNode {
  /** Tells the kinds of node apart. */
  kind: "list";
  /** Where it starts. */
  place: Place;
  /** Its items, in order. */
  items: DocumentNode[];
}

/** A text, number, truth value or nothing. */
export interface ScalarNode {
  /** Tells the kinds of node apart. */
  kind: "scalar";
  /** Where it starts. */
  place: Place;
  /** The value as the format's rules read it. */
  value: string | number | boolean | null;
  /** The text as written, quotes and escapes resolved: `1.10` keeps its zero. */
  text: string;
}

/** Something wrong at a place. */
export interface Problem {
  /** Where. */
  place: Place;
  /** What, as the second half of "Cannot read FILE: …". */
  message: string;
  /** What was probably meant. */
  nearest?: string;
  /** What to do; without it, what the file's reader says in general. */
  hint?: string;
}

/** Finds the line and column of offsets in a text with `\n` as line ends. */
export class LineIndex {
  readonly #text: string;
  readonly #starts = [0];
  #last = { start: 0, offset: 0, column: 1 };

  /** @param text The text. */
  constructor(text: string) {
    this.#text = text;
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) {
      this.#starts.push(i + 1);
    }
  }

  /** Place of an offset, which counts UTF-16 units from 0. */
  place(offset: number): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return {
      line: low + 1,
      column: this.#column(this.#starts[low] ?? 0, offset),
    };
  }

  /** Counts from the last place if that is nearer: lines can be very long. */
  #column(start: number, offset: number): number {
    let { offset: from, column } = this.#last;
    if (this.#last.start !== start) [from, column] = [start, 1];
    column += from <= offset
      ? this.#count(from, offset)
      : -this.#count(offset, from);
    this.#last = { start, offset, column };
    return column;
  }

  #count(from: number, to: number): number {
    return Array.from(this.#text.slice(from, to)).length;
  }
}
