/** Writes TypeScript declarations of a library's functions. */

import { pointerTo } from "./dwarf_types.ts";
import type {
  FfiFunction,
  FfiInterface,
  FfiType,
  NumberType,
} from "./interface.ts";

/** `cpu_load` becomes `CpuLoad`. */
export function pascalCase(name: string): string {
  return name.split("_").filter((part) => part !== "")
    .map((part) => part[0]!.toUpperCase() + part.slice(1)).join("");
}

/**
 * The text of a `.d.ts` file.
 *
 * @param name Name of the engine; the interface is called the same in Pascal
 *   case.
 * @param nonblocking Functions that return a promise.
 */
export function ffiTypes(
  name: string,
  api: FfiInterface,
  nonblocking: readonly string[] = [],
): string {
  const own = pascalCase(name);
  const structs = structNames(Object.keys(api.structs), own);
  const pointer = pointerName(own);
  const blocks = [
    `// Written by \`clibs engines types\` from ${name}.cpp; do not edit.`,
    [
      "/** Memory that is passed by its address. */",
      `export type ${pointer} = ArrayBuffer | ArrayBufferView | Deno.PointerValue;`,
    ].join("\n"),
    ...Object.entries(api.structs).map(([struct, layout]) =>
      [
        `/** struct ${comment(struct)}, ${layout.size} bytes. */`,
        `export interface ${structs.get(struct)} {`,
        ...layout.fields.map(({ name: field, type }) =>
          type.kind === "number"
            ? `  ${property(field)}: ${numberType(type.type, false)};`
            : type.kind === "other"
            ? `  // ${comment(field)}: ${comment(type.c)}`
            : `  ${property(field)}?: Deno.PointerValue;`
        ),
        "}",
      ].join("\n")
    ),
    functionsOf(
      name,
      api,
      (f) => declaration(f, structs, pointer, nonblocking.includes(f.name)),
    ),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function functionsOf(
  name: string,
  { functions, skipped }: FfiInterface,
  declare: (described: FfiFunction) => string,
): string {
  const members = [
    ...functions.flatMap((described) => [
      `  /** ${comment(signature(described))} */`,
      declare(described),
    ]),
    ...skipped.map(({ name, reason }) => `  // ${name}: ${comment(reason)}`),
  ];
  const head = `/** Functions of the engine ${name}. */`;
  // An empty interface would take any value.
  return functions.length === 0
    ? [
      head,
      `export type ${pascalCase(name)} = Record<string, never>;`,
      ...members.map((line) => line.trimStart()),
    ].join("\n")
    : [head, `export interface ${pascalCase(name)} {`, ...members, "}"]
      .join("\n");
}

function declaration(
  { name, parameters, result }: FfiFunction,
  structs: ReadonlyMap<string, string>,
  pointer: string,
  isPromise: boolean,
): string {
  const used = new Set<string>();
  const list = parameters.map((parameter, index) => {
    let label = /^[A-Za-z_$][\w$]*$/.test(parameter.name)
      ? parameter.name
      : `arg${index}`;
    while (RESERVED.has(label) || used.has(label)) label += "_";
    used.add(label);
    return `${label}: ${parameterType(parameter.type, structs, pointer)}`;
  });
  const returned = resultType(result);
  const type = isPromise ? `Promise<${returned}>` : returned;
  const method = property(name);
  const line = `  ${method}(${list.join(", ")}): ${type};`;
  if (line.length <= 80 || list.length === 0) return line;
  return [
    `  ${method}(`,
    ...list.map(onLines),
    `  ): ${type};`,
  ].join("\n");
}

/** A parameter on a line of its own, or more if it has alternatives. */
function onLines(parameter: string): string {
  const line = `    ${parameter},`;
  if (line.length <= 80 || !parameter.includes(" | ")) return line;
  const [label, ...types] = parameter.split(/: | \| /);
  return [`    ${label}:`, ...types.map((type) => `      | ${type}`)]
    .join("\n") + ",";
}

function parameterType(
  type: FfiType,
  structs: ReadonlyMap<string, string>,
  pointer: string,
): string {
  if (type.kind === "number") return numberType(type.type, true);
  if (type.kind === "string") return `string | ${pointer}`;
  const struct = type.kind === "pointer" && type.struct
    ? structs.get(type.struct)
    : undefined;
  return struct ? `${struct} | ${pointer}` : pointer;
}

function resultType(type: FfiType): string {
  if (type.kind === "void") return "void";
  if (type.kind === "number") return numberType(type.type, false);
  return type.kind === "string" ? "string | null" : "Deno.PointerValue";
}

function numberType(type: string, isParameter: boolean): string {
  if (type === "bool") return "boolean";
  if (type !== "i64" && type !== "u64") return "number";
  return isParameter ? "number | bigint" : "bigint";
}

/** A function as C declares it. */
function signature({ name, parameters, result }: FfiFunction): string {
  const list = parameters.map(({ name: label, type }) => spell(type, label));
  return spell(result, `${name}(${list.join(", ")})`);
}

/** A type in front of what has it. */
function spell(type: FfiType, label: string): string {
  switch (type.kind) {
    case "void":
      return `void ${label}`;
    case "string":
      return `const char* ${label}`;
    case "pointer":
      return pointerTo(type.to, "*", label);
    case "number":
      return `${type.enum ?? C_NAMES[type.type]} ${label}`;
  }
}

const C_NAMES: Record<NumberType, string> = {
  i8: "int8_t",
  u8: "uint8_t",
  i16: "int16_t",
  u16: "uint16_t",
  i32: "int32_t",
  u32: "uint32_t",
  i64: "int64_t",
  u64: "uint64_t",
  f32: "float",
  f64: "double",
  bool: "bool",
};

/** Names that the file uses itself. */
const GLOBALS = ["ArrayBuffer", "ArrayBufferView", "Deno", "Promise", "Record"];

/** Name of the alias for memory, which an engine may have as well. */
function pointerName(own: string): string {
  return own === "Pointer" ? "Memory" : "Pointer";
}

/** Struct names may have colons and templates' brackets in them. */
function structNames(
  structs: readonly string[],
  own: string,
): Map<string, string> {
  const taken = new Set([own, pointerName(own), ...GLOBALS]);
  return new Map(structs.map((struct) => {
    const pascal = pascalCase(struct.replace(/\W+/g, "_"));
    const base = /^[A-Za-z]/.test(pascal) ? pascal : `Struct${pascal}`;
    let name = base;
    if (taken.has(name)) name = `${base}Struct`;
    for (let n = 2; taken.has(name); n++) name = `${base}Struct${n}`;
    taken.add(name);
    return [struct, name];
  }));
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string): string {
  return text.replaceAll("*/", "* /").replace(/\s+/g, " ");
}

const RESERVED = new Set(
  ("arguments await break case catch class const continue debugger default " +
    "delete do else enum eval export extends false finally for function if " +
    "implements import in instanceof interface let new null package private " +
    "protected public return static super switch this throw true try typeof " +
    "var void while with yield").split(" "),
);
