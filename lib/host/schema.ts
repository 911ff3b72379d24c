/**
 * Schemas of the files that people write: one description that both checks a
 * document and gives the JSON Schema that editors complete from.
 */

import type { DocumentNode, Place, Problem } from "./document.ts";
import { nearest } from "../nearest.ts";
import { quoted } from "./cite.ts";

/** What all schemas have. */
interface Described {
  /** One or two sentences for the editor. */
  description: string;
}

/** A text. */
export interface TextSchema extends Described {
  /** Tells the kinds of schema apart. */
  kind: "text";
  /**
   * What without quotes is taken by its text, so that `1.10` keeps its zero:
   * numbers, or numbers and truth values. Default: nothing.
   */
  loose?: "numbers" | "scalars";
  /** What the JSON Schema says about the form. */
  pattern?: string;
  /** What is wrong with a text; undefined if nothing is. */
  check?: (text: string) => string | undefined;
  /** Values for the editor to offer. */
  examples?: string[];
}

/** A truth value. */
export interface BooleanSchema extends Described {
  kind: "boolean";
}

/** One of some words, or a whole number from 0. */
export interface ChoiceSchema extends Described {
  kind: "choice";
  words: string[];
  integer: boolean;
}

/** A list. */
export interface ListSchema extends Described {
  kind: "list";
  items: Schema;
  /** Whether no text may come twice. Default: false. */
  unique?: boolean;
}

/** A map with any keys of some form. */
export interface RecordSchema extends Described {
  kind: "record";
  keys: { pattern: string; what: string };
  values: Schema;
}

/** A map with known keys. */
export interface ObjectSchema extends Described {
  kind: "object";
  fields: Record<string, Schema>;
  required: string[];
  /** Pairs of fields of which only one may be given. */
  exclusive?: [string, string][];
  /** A bare text stands for an object with this field. */
  shorthand?: string;
}

/** A schema. */
export type Schema =
  | TextSchema
  | BooleanSchema
  | ChoiceSchema
  | ListSchema
  | RecordSchema
  | ObjectSchema;

/** A checked value: plain data, with defaults not filled in. */
export type Checked =
  | string
  | boolean
  | number
  | Checked[]
  | { [key: string]: Checked };

/** What checking found. */
export interface CheckResult {
  /** Plain data; only to be used if there are no problems. */
  value: Checked;
  /** Everything wrong, in the order of the file. */
  problems: Problem[];
  /** Where each value stands, by its path: `files.0.url`. */
  places: Record<string, Place>;
}

/** Checks a document against a schema. */
export function checkDocument(
  schema: Schema,
  root: DocumentNode,
): CheckResult {
  const checker = new Checker();
  const value = checker.check(schema, root, "");
  const problems = inOrder(checker.problems);
  return { value, problems, places: checker.places };
}

/** Problems in the order of their places. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) =>
    a.place.line - b.place.line || a.place.column - b.place.column
  );
}

class Checker {
  readonly problems: Problem[] = [];
  readonly places: Record<string, Place> = {};

  check(schema: Schema, node: DocumentNode, path: string): Checked {
    if (path !== "") this.places[path] = node.place;
    if (schema.kind === "object") return this.#object(schema, node, path);
    if (schema.kind === "record") return this.#record(schema, node, path);
    if (schema.kind === "list") return this.#list(schema, node, path);
    return this.#scalar(schema, node, path);
  }

  #list(schema: ListSchema, node: DocumentNode, path: string): Checked {
    if (node.kind !== "list") return this.#expected("a list", node, path, []);
    const seen = new Set<Checked>();
    return node.items.map((item, i) => {
      const value = this.check(schema.items, item, `${path}.${i}`);
      if (schema.unique && seen.has(value)) {
        this.#problem(item.place, `${path} has ${quoted(String(value))} twice`);
      }
      seen.add(value);
      return value;
    });
  }

  #scalar(
    schema: TextSchema | BooleanSchema | ChoiceSchema,
    node: DocumentNode,
    path: string,
  ): Checked {
    if (schema.kind === "boolean") {
      if (node.kind === "scalar" && typeof node.value === "boolean") {
        return node.value;
      }
      return this.#expected("true or false", node, path, false);
    }
    if (schema.kind === "choice") {
      const words = schema.words.join(" or ");
      if (node.kind === "scalar") {
        if (schema.words.includes(node.text)) return node.text;
        if (schema.integer && /^\d{1,6}$/.test(node.text)) {
          return Number(node.text);
        }
      }
      const integer = schema.integer ? " or a whole number from 0" : "";
      return this.#expected(`${words}${integer}`, node, path, "");
    }
    return this.#text(schema, node, path);
  }

  #text(schema: TextSchema, node: DocumentNode, path: string): Checked {
    if (node.kind !== "scalar" || !isText(node.value, schema.loose)) {
      const hint = node.kind === "scalar" && node.value !== null
        ? `write ${quoted(node.text)} with the quotes`
        : undefined;
      return this.#expected("a text", node, path, "", hint);
    }
    // Neither can be passed to a command, or be part of a file's name.
    const wrong = node.text.includes("\0")
      ? "must not have a NUL character"
      : !node.text.isWellFormed()
      ? "must not have half a character (a lone surrogate)"
      : schema.check?.(node.text);
    if (wrong !== undefined) this.#problem(node.place, `${path} ${wrong}`);
    return node.text;
  }

  #record(schema: RecordSchema, node: DocumentNode, path: string): Checked {
    if (node.kind !== "map") return this.#expected("a map", node, path, {});
    const pattern = new RegExp(`^(?:${schema.keys.pattern})$`);
    const values: [string, Checked][] = [];
    for (const entry of node.entries) {
      if (!pattern.test(entry.key)) {
        this.#problem(
          entry.place,
          `${quoted(entry.key)}${
            path === "" ? "" : ` in ${path}`
          } is not ${schema.keys.what}`,
        );
        continue;
      }
      const below = path === "" ? entry.key : `${path}.${entry.key}`;
      values.push([entry.key, this.check(schema.values, entry.value, below)]);
    }
    // Unlike an assignment, this makes a property of the key `__proto__` too.
    return Object.fromEntries(values);
  }

  #object(schema: ObjectSchema, node: DocumentNode, path: string): Checked {
    if (node.kind === "scalar" && schema.shorthand && node.value !== null) {
      const field = schema.fields[schema.shorthand] as Schema;
      return { [schema.shorthand]: this.check(field, node, path) };
    }
    if (node.kind !== "map") return this.#expected("a map", node, path, {});
    const value: Record<string, Checked> = {};
    const where = path === "" ? "" : ` in ${path}`;
    const meant = new Set<string>();
    for (const entry of node.entries) {
      const field = Object.hasOwn(schema.fields, entry.key)
        ? schema.fields[entry.key]
        : undefined;
      if (!field) {
        const near = nearest(
          entry.key.slice(0, 80),
          Object.keys(schema.fields),
        );
        if (near !== undefined) meant.add(near);
        this.#problem(
          entry.place,
          `unknown key ${quoted(entry.key)}${where}`,
          near === undefined ? {} : { nearest: near },
        );
        continue;
      }
      const below = path === "" ? entry.key : `${path}.${entry.key}`;
      value[entry.key] = this.check(field, entry.value, below);
    }
    for (const name of schema.required) {
      // A mistyped key has been reported already.
      if (Object.hasOwn(value, name) || meant.has(name)) continue;
      this.#problem(node.place, `the key "${name}" is missing${where}`);
    }
    for (const [one, other] of schema.exclusive ?? []) {
      if (!Object.hasOwn(value, one) || !Object.hasOwn(value, other)) continue;
      const second = node.entries.findLast(({ key }) =>
        key === one || key === other
      );
      this.#problem(
        second?.place ?? node.place,
        `the keys "${one}" and "${other}" exclude each other`,
        { hint: "keep one of the two" },
      );
    }
    return value;
  }

  #expected(
    what: string,
    node: DocumentNode,
    path: string,
    instead: Checked,
    hint?: string,
  ): Checked {
    const name = path === "" ? "the document" : path;
    this.#problem(
      node.place,
      `${name} must be ${what}, not ${found(node)}`,
      hint === undefined ? {} : { hint },
    );
    return instead;
  }

  #problem(
    place: Place,
    message: string,
    more: Pick<Problem, "nearest" | "hint"> = {},
  ): void {
    this.problems.push({ place, message, ...more });
  }
}

function isText(value: unknown, loose: TextSchema["loose"]): boolean {
  return typeof value === "string" ||
    loose !== undefined && typeof value === "number" ||
    loose === "scalars" && typeof value === "boolean";
}

function found(node: DocumentNode): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  if (node.value === null) return "empty";
  if (typeof node.value === "string") return `the text ${quoted(node.text)}`;
  return typeof node.value === "boolean"
    ? `the truth value ${node.text}`
    : `the number ${quoted(node.text).slice(1, -1)}`;
}

/** The same schema as JSON Schema, draft 2020-12. */
export function jsonSchema(schema: Schema): Record<string, unknown> {
  const { description } = schema;
  switch (schema.kind) {
    case "text":
      return {
        type: schema.loose === "scalars"
          ? ["string", "number", "boolean"]
          : schema.loose === "numbers"
          ? ["string", "number"]
          : "string",
        description,
        ...(schema.pattern ? { pattern: schema.pattern } : {}),
        ...(schema.examples ? { examples: schema.examples } : {}),
      };
    case "boolean":
      return { type: "boolean", description };
    case "choice": {
      const words = { enum: schema.words };
      return schema.integer
        ? { anyOf: [words, { type: "integer", minimum: 0 }], description }
        : { ...words, description };
    }
    case "list":
      return {
        type: "array",
        description,
        items: jsonSchema(schema.items),
        ...(schema.unique ? { uniqueItems: true } : {}),
      };
    case "record":
      return {
        type: "object",
        description,
        propertyNames: { pattern: `^(?:${schema.keys.pattern})$` },
        additionalProperties: jsonSchema(schema.values),
      };
    case "object": {
      const object = {
        type: "object",
        description,
        additionalProperties: false,
        ...(schema.required.length > 0 ? { required: schema.required } : {}),
        properties: Object.fromEntries(
          Object.entries(schema.fields).map(([name, field]) => [
            name,
            jsonSchema(field),
          ]),
        ),
        ...(schema.exclusive
          ? {
            not: { anyOf: schema.exclusive.map((required) => ({ required })) },
          }
          : {}),
      };
      return schema.shorthand
        ? {
          anyOf: [
            jsonSchema(schema.fields[schema.shorthand] as Schema),
            object,
          ],
          description,
        }
        : object;
    }
  }
}
