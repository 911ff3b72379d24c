/**
 * Schemas of the files that people write: one description that both checks a
 * document and gives the JSON Schema that editors complete from.
 */

import type { DocumentNode, Place, Problem } from "./document.ts";
import { nearest } from "./nearest.ts";

/** What all schemas have. */
interface Described {
  /** One or two sentences for the editor. */
  description: string;
}

/** A text. Numbers and truth values are taken by their text if `loose`. */
export interface TextSchema extends Described {
  kind: "text";
  /** Whether `1.2` without quotes is the text "1.2". */
  loose?: boolean;
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
  const problems = checker.problems.sort((a, b) =>
    a.place.line - b.place.line || a.place.column - b.place.column
  );
  return { value, problems, places: checker.places };
}

class Checker {
  readonly problems: Problem[] = [];
  readonly places: Record<string, Place> = {};

  check(schema: Schema, node: DocumentNode, path: string): Checked {
    if (path !== "") this.places[path] = node.place;
    if (schema.kind === "object") return this.#object(schema, node, path);
    if (schema.kind === "record") return this.#record(schema, node, path);
    if (schema.kind === "list") {
      if (node.kind !== "list") return this.#expected("a list", node, path, []);
      return node.items.map((item, i) =>
        this.check(schema.items, item, `${path}.${i}`)
      );
    }
    return this.#scalar(schema, node, path);
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
    const isText = node.kind === "scalar" &&
      (typeof node.value === "string" || schema.loose && isPlain(node.value));
    if (!isText) return this.#expected("a text", node, path, "");
    const wrong = schema.check?.(node.text);
    if (wrong !== undefined) this.#problem(node.place, `${path} ${wrong}`);
    return node.text;
  }

  #record(schema: RecordSchema, node: DocumentNode, path: string): Checked {
    if (node.kind !== "map") return this.#expected("a map", node, path, {});
    const value: Record<string, Checked> = {};
    for (const entry of node.entries) {
      if (!new RegExp(`^(?:${schema.keys.pattern})$`).test(entry.key)) {
        this.#problem(
          entry.place,
          `${quoted(entry.key)} in ${path} is not ${schema.keys.what}`,
        );
        continue;
      }
      value[entry.key] = this.check(
        schema.values,
        entry.value,
        `${path}.${entry.key}`,
      );
    }
    return value;
  }

  #object(schema: ObjectSchema, node: DocumentNode, path: string): Checked {
    if (node.kind === "scalar" && schema.shorthand && node.value !== null) {
      const field = schema.fields[schema.shorthand] as Schema;
      return { [schema.shorthand]: this.check(field, node, path) };
    }
    if (node.kind !== "map") return this.#expected("a map", node, path, {});
    const value: Record<string, Checked> = {};
    const where = path === "" ? "" : ` in ${path}`;
    for (const entry of node.entries) {
      const field = Object.hasOwn(schema.fields, entry.key)
        ? schema.fields[entry.key]
        : undefined;
      if (!field) {
        const near = nearest(entry.key, Object.keys(schema.fields));
        this.#problem(
          entry.place,
          `unknown key ${quoted(entry.key)}${where}`,
          near,
        );
        continue;
      }
      const below = path === "" ? entry.key : `${path}.${entry.key}`;
      value[entry.key] = this.check(field, entry.value, below);
    }
    for (const name of schema.required) {
      if (node.entries.some((entry) => entry.key === name)) continue;
      this.#problem(node.place, `the key "${name}" is missing${where}`);
    }
    return value;
  }

  #expected(
    what: string,
    node: DocumentNode,
    path: string,
    instead: Checked,
  ): Checked {
    const name = path === "" ? "the document" : path;
    this.#problem(node.place, `${name} must be ${what}, not ${found(node)}`);
    return instead;
  }

  #problem(place: Place, message: string, near?: string): void {
    this.problems.push({
      place,
      message,
      ...(near === undefined ? {} : { nearest: near }),
    });
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean" ||
    typeof value === "bigint";
}

function found(node: DocumentNode): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  if (node.value === null) return "empty";
  if (typeof node.value === "string") return `the text ${quoted(node.text)}`;
  return typeof node.value === "boolean"
    ? `the truth value ${node.text}`
    : `the number ${node.text}`;
}

/** A text in quotes, shortened, control characters escaped. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return JSON.stringify(short);
}

/** The same schema as JSON Schema, draft 2020-12. */
export function jsonSchema(schema: Schema): Record<string, unknown> {
  const { description } = schema;
  switch (schema.kind) {
    case "text":
      return {
        type: schema.loose ? ["string", "number", "boolean"] : "string",
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
      return { type: "array", description, items: jsonSchema(schema.items) };
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
      };
      return schema.shorthand
        ? { anyOf: [{ type: "string" }, object], description }
        : object;
    }
  }
}
