/** Makes the functions of a library callable. */

import { ClibsError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import type {
  FfiFunction,
  FfiInterface,
  FfiType,
  StructLayout,
} from "./interface.ts";
import { packStruct, unpackStruct } from "./structs.ts";

/** A function as JavaScript calls it. */
export type BoundFunction = (...args: unknown[]) => unknown;

/** A library that is loaded. */
export interface BoundLibrary {
  /** Its functions, by name. */
  functions: Record<string, BoundFunction>;
  /** Unloads it; its functions must not be called any more. */
  close(): void;
}

/**
 * Loads a library.
 *
 * Functions that only take and give numbers are Deno's own, which V8 calls
 * directly. The others get a wrapper that turns texts, buffers and objects into
 * pointers.
 *
 * @param path The library, absolute.
 * @param nonblocking Functions that run on another thread and return a promise.
 * @throws {ClibsError} `CLIBS_ENGINE_CONFIG` if one of those is no function.
 */
export function bindFfi(
  path: string,
  api: FfiInterface,
  { nonblocking = [] }: { nonblocking?: readonly string[] } = {},
): BoundLibrary {
  checkNames(api, nonblocking);
  const symbols = Object.fromEntries(
    api.functions.map(({ name, parameters, result }) => [name, {
      parameters: parameters.map(({ type }) => nativeType(type)),
      result: nativeType(result),
      nonblocking: nonblocking.includes(name),
    }]),
  ) as Deno.ForeignLibraryInterface;
  const library = Deno.dlopen(path, symbols);
  const raw = library.symbols as unknown as Record<string, BoundFunction>;
  const functions = Object.fromEntries(
    api.functions.map((description) => {
      const native = raw[description.name]!;
      return [
        description.name,
        isPlain(description) ? native : wrap(native, description, api.structs),
      ];
    }),
  );
  return { functions, close: () => library.close() };
}

function checkNames(api: FfiInterface, nonblocking: readonly string[]): void {
  const names = api.functions.map(({ name }) => name);
  for (const name of nonblocking) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const skipped = api.skipped.find((other) => other.name === name);
    throw new ClibsError(
      "CLIBS_ENGINE_CONFIG",
      `Cannot run ${name}() on another thread: the engine has no such function`,
      {
        facts: {
          ...(skipped ? { skipped: skipped.reason } : {}),
          ...(near ? { nearest: near } : {}),
        },
        hint: 'mend "nonblocking" in engines.json',
      },
    );
  }
}

function nativeType(type: FfiType): Deno.NativeResultType {
  if (type.kind === "void") return "void";
  return type.kind === "number" ? type.type : "pointer";
}

function isPlain({ parameters, result }: FfiFunction): boolean {
  return [...parameters.map(({ type }) => type), result]
    .every(({ kind }) => kind === "number" || kind === "void");
}

function wrap(
  native: BoundFunction,
  { name, parameters, result }: FfiFunction,
  structs: Record<string, StructLayout>,
): BoundFunction {
  const toNative = parameters.map((parameter) =>
    converter(
      parameter.type,
      `${name}(): argument "${parameter.name}"`,
      structs,
    )
  );
  const fromNative = result.kind === "string"
    ? (value: unknown) => readText(value as Deno.PointerValue)
    : (value: unknown) => value;
  const labels = parameters.map((parameter) => parameter.name).join(", ");
  return (...args) => {
    if (args.length !== toNative.length) {
      const takes = toNative.length === 1
        ? "1 argument"
        : `${toNative.length} arguments`;
      throw new TypeError(
        `${name}() takes ${takes}${
          labels ? ` (${labels})` : ""
        }, not ${args.length}`,
      );
    }
    const passed = args.map((arg, index) => toNative[index]!(arg));
    const returned = native(...passed.map(({ value }) => value));
    const after = () => {
      for (const { done } of passed) done?.();
    };
    if (returned instanceof Promise) {
      // `passed` keeps the buffers alive until the call is over.
      return returned.then((value) => {
        after();
        return fromNative(value);
      });
    }
    after();
    return fromNative(returned);
  };
}

/** A value as the library gets it. */
interface Passed {
  value: unknown;
  /** Keeps the memory that `value` points to from being freed. */
  held?: unknown;
  /** To be called when the call is over. */
  done?: () => void;
}

type Converter = (arg: unknown) => Passed;

function converter(
  type: FfiType,
  where: string,
  structs: Record<string, StructLayout>,
): Converter {
  if (type.kind === "number") return numberConverter(type.type, where);
  const layout = type.kind === "pointer" && type.struct !== undefined
    ? structs[type.struct]
    : undefined;
  const isConst = type.kind === "string" ||
    type.kind === "pointer" && type.const;
  const accepted = type.kind === "string"
    ? "a text, a buffer, a pointer or null"
    : layout
    ? "an object, a buffer, a pointer or null"
    : "a buffer, a pointer or null";
  return (arg) => {
    if (arg === null) return { value: null };
    if (typeof arg === "string" && type.kind === "string") {
      return held(encodeText(arg, where));
    }
    if (arg instanceof ArrayBuffer) return held(new Uint8Array(arg));
    if (ArrayBuffer.isView(arg)) return held(arg as Uint8Array<ArrayBuffer>);
    if (typeof arg === "object") {
      if (Object.getPrototypeOf(arg) === null) return { value: arg };
      if (layout) return structArgument(layout, arg, isConst, where);
    }
    throw new TypeError(`${where} must be ${accepted}, not ${kindOf(arg)}`);
  };
}

function numberConverter(type: string, where: string): Converter {
  const wide = type === "i64" || type === "u64";
  return (arg) => {
    const isGood = type === "bool"
      ? typeof arg === "boolean"
      : typeof arg === "number" || wide && typeof arg === "bigint";
    if (isGood) return { value: arg };
    const wanted = type === "bool" ? "true or false" : "a number";
    throw new TypeError(`${where} must be ${wanted}, not ${kindOf(arg)}`);
  };
}

/** What a value is, with its article. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

function held(view: Uint8Array<ArrayBuffer>): Passed {
  return { value: Deno.UnsafePointer.of(view), held: view };
}

function structArgument(
  layout: StructLayout,
  value: object,
  isConst: boolean,
  where: string,
): Passed {
  const target = value as Record<string, unknown>;
  const bytes = packStruct(layout, target, where);
  return {
    ...held(bytes),
    ...(isConst ? {} : { done: () => unpackStruct(layout, bytes, target) }),
  };
}

function encodeText(text: string, where: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(`${where} must not have a NUL character`);
  }
  return encoder.encode(`${text}\0`);
}

const encoder = new TextEncoder();

function readText(pointer: Deno.PointerValue): string | null {
  return pointer === null ? null : Deno.UnsafePointerView.getCString(pointer);
}
