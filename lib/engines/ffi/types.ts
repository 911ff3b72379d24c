/** Writes TypeScript declarations of a library's functions. */

import type { FfiFunction, FfiInterface, FfiType } from "./interface.ts";

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
  const structs = new Map(
    Object.keys(api.structs).map((struct) => [struct, structName(struct)]),
  );
  const own = pascalCase(name);
  const blocks = [
    `// Written by \`clibs engines types\` from ${name}.cpp; do not edit.`,
    [
      "/** Memory that is passed by its address. */",
      "export type Pointer = ArrayBuffer | ArrayBufferView | Deno.PointerValue;",
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
    [
      `/** Functions of the engine ${name}. */`,
      `export interface ${own} {`,
      api.functions.map((f) =>
        `  /** ${comment(signature(f))} */\n` +
        declaration(f, structs, nonblocking.includes(f.name))
      ).join("\n"),
      ...api.skipped.map((skipped) =>
        `  // ${skipped.name}: ${comment(skipped.reason)}`
      ),
      "}",
    ].join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function declaration(
  { name, parameters, result }: FfiFunction,
  structs: ReadonlyMap<string, string>,
  isPromise: boolean,
): string {
  const used = new Set<string>();
  const list = parameters.map((parameter, index) => {
    let label = /^[A-Za-z_$][\w$]*$/.test(parameter.name)
      ? parameter.name
      : `arg${index}`;
    while (RESERVED.has(label) || used.has(label)) label += "_";
    used.add(label);
    return `${label}: ${parameterType(parameter.type, structs)}`;
  });
  const returned = resultType(result);
  const type = isPromise ? `Promise<${returned}>` : returned;
  const line = `  ${name}(${list.join(", ")}): ${type};`;
  if (line.length <= 80) return line;
  return [
    `  ${name}(`,
    ...list.map((item) => `    ${item},`),
    `  ): ${type};`,
  ].join("\n");
}

function parameterType(
  type: FfiType,
  structs: ReadonlyMap<string, string>,
): string {
  if (type.kind === "number") return numberType(type.type, true);
  if (type.kind === "string") return "string | Pointer";
  const struct = type.kind === "pointer" && type.struct
    ? structs.get(type.struct)
    : undefined;
  return struct ? `${struct} | Pointer` : "Pointer";
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
  const list = parameters.map(({ name: label, type }) =>
    `${spell(type)} ${label}`
  );
  return `${spell(result)} ${name}(${list.join(", ")})`;
}

function spell(type: FfiType): string {
  switch (type.kind) {
    case "void":
      return "void";
    case "string":
      return "const char*";
    case "pointer":
      return `${type.to}*`;
    case "number":
      return type.enum ?? C_NAMES[type.type] ?? type.type;
  }
}

const C_NAMES: Record<string, string> = {
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

/** Struct names may have templates' brackets in them. */
function structName(struct: string): string {
  const name = pascalCase(struct.replace(/\W+/g, "_"));
  return RESERVED.has(name) || name === "Pointer" ? `${name}Struct` : name;
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
