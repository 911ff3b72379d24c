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

/** Keys and values, in the order written. */
export interface MapNode {
  kind: "map";
  place: Place;
  entries: { key: string; place: Place; value: DocumentNode }[];
}

/** A list. */
export interface ListNode {
  kind: "list";
  place: Place;
  items: DocumentNode[];
}

/** A text, number, truth value or nothing. */
export interface ScalarNode {
  kind: "scalar";
  place: Place;
  /** The value as the format's rules read it. */
  value: unknown;
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
}
