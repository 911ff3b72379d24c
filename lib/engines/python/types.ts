/** Writes TypeScript declarations of a pybind11 module. */

import { pascalCase } from "../ffi/types.ts";
import type { PythonMembers } from "./host.ts";

/**
 * The text of a `.d.ts` file, from the signatures that pybind11 puts in front
 * of the documentation of functions.
 *
 * @param name Name of the engine; the interface is called the same in Pascal
 *   case.
 */
export function pythonTypes(name: string, members: PythonMembers): string {
  const constants = Object.entries(members.constants).map(([key, value]) =>
    `  readonly ${property(key)}: ${constantType(value)};`
  );
  const functions = members.functions.map(({ name: label, doc }) => {
    const line = doc.split("\n")[0] ?? "";
    const declared = declaration(label, line);
    return `  /** ${comment(line || label)} */\n${declared}`;
  });
  return [
    `// Written by \`clibs engines types\` from ${name}.cpp; do not edit.`,
    "",
    `/** ${comment(members.doc || `Functions of the engine ${name}.`)} */`,
    `export interface ${pascalCase(name)} {`,
    ...constants,
    ...functions,
    "}",
    "",
  ].join("\n");
}

function declaration(name: string, line: string): string {
  const [, inner, result] = /^\w+\((.*)\) -> (.+)$/.exec(line) ?? [];
  if (inner === undefined || result === undefined) {
    return `  ${property(name)}(...args: unknown[]): Promise<unknown>;`;
  }
  const all = split(inner).filter((text) => text !== "");
  // What comes after is passed by name, which is not possible from here.
  const last = all.findIndex((text) => text.startsWith("*"));
  const passed = last < 0
    ? all
    : all.slice(0, /^\*\w/.test(all[last] ?? "") ? last + 1 : last);
  const list = passed.map(parameter);
  // After one with a default, TypeScript wants the others to have one too.
  const firstOptional = list.findIndex(({ optional }) => optional);
  const texts = list.map(({ label, type, rest, optional }, index) => {
    if (rest) return `...${label}: unknown[]`;
    const mark = optional || firstOptional >= 0 && index > firstOptional;
    return `${label}${mark ? "?" : ""}: ${type}`;
  });
  const returned = `Promise<${
    typeOf(result) === "null" ? "void" : typeOf(result)
  }>`;
  const whole = `  ${property(name)}(${texts.join(", ")}): ${returned};`;
  if (whole.length <= 80) return whole;
  return [
    `  ${property(name)}(`,
    ...texts.map((text, index) =>
      `    ${text}${
        text.startsWith("...") && index === texts.length - 1 ? "" : ","
      }`
    ),
    `  ): ${returned};`,
  ].join("\n");
}

interface Parameter {
  label: string;
  type: string;
  optional: boolean;
  rest: boolean;
}

function parameter(text: string, index: number): Parameter {
  const rest = text.startsWith("*");
  const [, name = `arg${index}`, type = "", standard] =
    /^\*{0,2}(\w+)(?::\s*([^=]*[^=\s]))?(\s*=.*)?$/.exec(text) ?? [];
  return {
    label: RESERVED.has(name) ? `${name}_` : name,
    type: typeOf(type),
    optional: standard !== undefined,
    rest,
  };
}

/** Names that no parameter may have, from the grammar of JavaScript. */
const RESERVED = new Set(
  ("arguments break case catch class const continue debugger default delete " +
    "do else enum export extends false finally for function if import in " +
    "instanceof new null return super switch this throw true try typeof var " +
    "void while with").split(" "),
);

const SIMPLE: Record<string, string> = {
  int: "number",
  float: "number",
  SupportsInt: "number",
  SupportsFloat: "number",
  SupportsIndex: "number",
  complex: "unknown",
  bool: "boolean",
  str: "string",
  bytes: "Uint8Array",
  bytearray: "Uint8Array",
  buffer: "ArrayBufferView",
  None: "null",
  list: "unknown[]",
  tuple: "unknown[]",
  dict: "Record<string, unknown>",
};

const ARRAYS: Record<string, string> = {
  bool: "Uint8Array",
  float16: "Float32Array",
  float64: "Float64Array",
  float32: "Float32Array",
  int8: "Int8Array",
  int16: "Int16Array",
  int32: "Int32Array",
  int64: "BigInt64Array",
  uint8: "Uint8Array",
  uint16: "Uint16Array",
  uint32: "Uint32Array",
  uint64: "BigUint64Array",
};

/** An array as pybind11 2 writes it; as 3 does, returned; and taken. */
const ARRAY =
  /^(?:numpy\.ndarray\[|numpy\.typing\.NDArray\[|Annotated\[numpy\.typing\.ArrayLike, )(?:numpy\.)?(\w+)/;

/** A type as pybind11 writes it, in TypeScript. */
function typeOf(text: string): string {
  const either = split(text, "|");
  if (either.length > 1) return unionOf(either);
  const plain = text.trim().replace(/^(typing|collections\.abc)\./, "");
  const simple = SIMPLE[plain];
  if (simple) return simple;
  const [, array] = ARRAY.exec(plain) ?? [];
  if (array) return ARRAYS[array] ?? "ArrayBufferView";
  const [, outer = "", inner = ""] = /^(\w+)\[(.*)\]$/.exec(plain) ?? [];
  const args = split(inner);
  switch (outer.toLowerCase()) {
    case "list":
    case "set":
    case "sequence":
    case "iterable":
      return listOf(typeOf(args[0] ?? ""));
    case "tuple":
      if (args[1] === "...") return listOf(typeOf(args[0] ?? ""));
      return `[${args.filter((arg) => arg !== "()").map(typeOf).join(", ")}]`;
    case "annotated":
      return typeOf(args[0] ?? "");
    case "dict":
    case "mapping":
      return `Record<string, ${typeOf(args[1] ?? "")}>`;
    case "optional":
      return `${typeOf(args[0] ?? "")} | null`;
    case "union":
      return unionOf(args);
    default:
      return "unknown";
  }
}

function unionOf(texts: readonly string[]): string {
  return [...new Set(texts.map(typeOf))].join(" | ");
}

function listOf(type: string): string {
  return /^\w+$/.test(type) ? `${type}[]` : `Array<${type}>`;
}

/** Splits at separators that are in no bracket and in no string. */
function split(text: string, separator = ","): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if ("[({".includes(token)) depth++;
    if ("])}".includes(token)) depth--;
    if (token === separator && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += token;
  }
  parts.push(part.trim());
  return parts;
}

/** A string as Python writes it, or any other character. */
const TOKEN = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|./gs;

function constantType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "unknown[]";
  if (ArrayBuffer.isView(value)) return value.constructor.name;
  return typeof value === "object" ? "Record<string, unknown>" : typeof value;
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string): string {
  return text.replaceAll("*/", "* /").replace(/\s+/g, " ").trim();
}
