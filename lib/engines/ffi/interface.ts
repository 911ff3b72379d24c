/** The functions of a library with their types, from its debug information. */

import { readElf } from "../../toolchain/elf.ts";
import { type Die, type Dwarf, readDwarf, Tag } from "./dwarf.ts";

/** Types of numbers that a function can take or give. */
export type NumberType =
  | "i8"
  | "u8"
  | "i16"
  | "u16"
  | "i32"
  | "u32"
  | "i64"
  | "u64"
  | "f32"
  | "f64"
  | "bool";

/** Type of a parameter or a result. */
export type FfiType =
  | { kind: "void" }
  /** `enum` is its name if it is one. */
  | { kind: "number"; type: NumberType; enum?: string }
  /** `const char*` */
  | { kind: "string" }
  /** `to` is what it points to, in C; `struct` its key in the interface. */
  | {
    kind: "pointer";
    to: string;
    const: boolean;
    element?: NumberType;
    struct?: string;
  };

/** A parameter. */
export interface FfiParameter {
  /** Its name in the source; `arg0` if it has none. */
  name: string;
  /** Its type. */
  type: FfiType;
}

/** A function that can be called. */
export interface FfiFunction {
  /** Its name. */
  name: string;
  /** Its parameters, in order. */
  parameters: FfiParameter[];
  /** What it gives back. */
  result: FfiType;
}

/** A field of a struct. */
export interface StructField {
  /** Its name. */
  name: string;
  /** Bytes from the start of the struct. */
  offset: number;
  /** Its type; `other` cannot be read or written by name. */
  type: FfiType | { kind: "other"; c: string; size: number };
}

/** How a struct lies in memory. */
export interface StructLayout {
  /** Bytes that it takes. */
  size: number;
  /** Its fields, in order. */
  fields: StructField[];
}

/** What a library offers; plain data. */
export interface FfiInterface {
  /** Version of this form. */
  format: 1;
  /** The functions, by name. */
  functions: FfiFunction[];
  /** Structs that functions take or give pointers to, by name. */
  structs: Record<string, StructLayout>;
  /** Functions that cannot be called from JavaScript, and why. */
  skipped: { name: string; reason: string }[];
}

/**
 * Reads the `extern "C"` functions of a library and their types.
 *
 * @param bytes An ELF file with debug information.
 * @param exported Names to limit the functions to. Default: what it exports.
 * @throws {SyntaxError} If it has no debug information that can be read.
 */
export function readInterface(
  bytes: Uint8Array,
  exported?: ReadonlySet<string>,
): FfiInterface {
  const elf = readElf(bytes);
  const dwarf = readDwarf(elf);
  return new InterfaceReader(dwarf, exported ?? new Set(elf.exports)).read();
}

/** A type that no JavaScript value can stand for. */
class Unsupported extends Error {}

/** How many typedefs, consts and the like may be around a type. */
const MAX_PEEL = 100;

class InterfaceReader {
  readonly #dwarf: Dwarf;
  readonly #exported: ReadonlySet<string>;
  readonly #structs: Record<string, StructLayout> = {};

  constructor(dwarf: Dwarf, exported: ReadonlySet<string>) {
    this.#dwarf = dwarf;
    this.#exported = exported;
  }

  read(): FfiInterface {
    const functions = new Map<string, FfiFunction>();
    const skipped = new Map<string, string>();
    for (const die of this.#dwarf.units.flatMap((unit) => this.#below(unit))) {
      const whole = this.#whole(die);
      const { name } = whole;
      if (name === undefined || !this.#exported.has(name)) continue;
      if (!isPlainC(whole) || !die.hasCode) continue;
      try {
        functions.set(name, this.#function(name, die, whole));
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
        skipped.set(name, error.message);
      }
    }
    const byName = (a: { name: string }, b: { name: string }) =>
      a.name < b.name ? -1 : 1;
    return {
      format: 1,
      functions: [...functions.values()].sort(byName),
      structs: this.#structs,
      skipped: [...skipped].map(([name, reason]) => ({ name, reason }))
        .sort(byName),
    };
  }

  /** The functions of a unit, and of its namespaces. */
  #below(die: Die, depth = 0): Die[] {
    if (depth > MAX_PEEL) return [];
    return die.children.flatMap((child) =>
      child.tag === Tag.function
        ? [child]
        : child.tag === Tag.namespace
        ? this.#below(child, depth + 1)
        : []
    );
  }

  /** A function's entry with what the entry that it completes adds. */
  #whole(die: Die): Die {
    let whole = die;
    for (let depth = 0; whole.origin !== undefined && depth < 4; depth++) {
      const origin = this.#dwarf.dies.get(whole.origin);
      if (!origin) break;
      whole = { ...origin, ...definedOnly(whole), origin: origin.origin };
    }
    return whole;
  }

  #function(name: string, die: Die, whole: Die): FfiFunction {
    const members = die.children.length > 0 ? die.children : whole.children;
    if (members.some(({ tag }) => tag === Tag.variadic)) {
      throw new Unsupported("it takes a variable number of arguments");
    }
    const parameters = members.filter(({ tag }) => tag === Tag.parameter)
      .map((member, index): FfiParameter => {
        const parameter = this.#whole(member);
        const label = parameter.name ?? `arg${index}`;
        const type = this.#type(parameter.type, `parameter "${label}" is`);
        return { name: label, type };
      });
    return { name, parameters, result: this.#type(whole.type, "it returns") };
  }

  #type(offset: number | undefined, what: string): FfiType {
    const { die } = this.#peel(offset);
    if (!die) return { kind: "void" };
    switch (die.tag) {
      case Tag.pointer:
      case Tag.reference:
      case Tag.rvalueReference:
        return this.#pointer(die);
      case Tag.enumeration: {
        const number = this.#number(die);
        if (!number) break;
        return {
          kind: "number",
          type: number,
          ...(die.name ? { enum: die.name } : {}),
        };
      }
      case Tag.base: {
        const number = this.#number(die);
        if (number) return { kind: "number", type: number };
        break;
      }
      case Tag.unspecified:
        // std::nullptr_t
        return { kind: "pointer", to: "void", const: false };
      case Tag.struct:
      case Tag.class:
      case Tag.union:
        throw new Unsupported(
          `${what} a struct by value (${die.name ?? "without a name"})`,
        );
    }
    throw new Unsupported(`${what} of the type ${this.#spell(offset)}`);
  }

  #pointer(die: Die): FfiType {
    const { die: to, isConst } = this.#peel(die.type);
    const spelled = { to: this.#spell(die.type), const: isConst };
    if (!to) return { kind: "pointer", ...spelled };
    const number = this.#number(to);
    const isText = to.tag === Tag.base && to.name === "char" &&
      die.tag === Tag.pointer;
    if (isText && isConst) return { kind: "string" };
    if (number) return { kind: "pointer", ...spelled, element: number };
    const isStruct = to.tag === Tag.struct || to.tag === Tag.class ||
      to.tag === Tag.union;
    const name = isStruct ? this.#struct(to) : undefined;
    return { kind: "pointer", ...spelled, ...(name ? { struct: name } : {}) };
  }

  /** Takes down a struct; undefined if only its name is known. */
  #struct(die: Die): string | undefined {
    const { name } = die;
    if (name === undefined || die.declaration || die.size === undefined) {
      return undefined;
    }
    if (Object.hasOwn(this.#structs, name)) return name;
    const layout: StructLayout = { size: die.size, fields: [] };
    // Entered first: a struct may have pointers to itself.
    Object.defineProperty(this.#structs, name, {
      value: layout,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    for (const member of die.children) {
      const isField = member.tag === Tag.member && !member.external ||
        member.tag === Tag.inheritance;
      if (isField) layout.fields.push(this.#field(member, die));
    }
    return name;
  }

  #field(member: Die, owner: Die): StructField {
    const { die } = this.#peel(member.type);
    const field = {
      name: member.name ?? this.#spell(member.type),
      offset: member.location ?? 0,
    };
    const other = {
      kind: "other" as const,
      c: this.#spell(member.type),
      size: die?.size ?? 0,
    };
    if (member.bits || owner.tag === Tag.union) {
      return { ...field, type: other };
    }
    try {
      return { ...field, type: this.#type(member.type, "it is") };
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      return { ...field, type: other };
    }
  }

  #number(die: Die): NumberType | undefined {
    const { encoding, size = 0 } = die;
    if (die.tag === Tag.enumeration) {
      const { die: base } = this.#peel(die.type);
      return base && base.tag === Tag.base
        ? this.#number(base)
        : integer("u", size);
    }
    if (die.tag !== Tag.base) return undefined;
    switch (encoding) {
      case 2:
        return size === 1 ? "bool" : undefined;
      case 4:
        return size === 4 ? "f32" : size === 8 ? "f64" : undefined;
      case 5:
      case 6:
        return integer("i", size);
      case 7:
      case 8:
      case 16:
        return integer("u", size);
      default:
        return undefined;
    }
  }

  /** A type without its names and qualifiers. */
  #peel(offset: number | undefined): { die?: Die; isConst: boolean } {
    let isConst = false;
    let next = offset;
    for (let depth = 0; depth < MAX_PEEL; depth++) {
      const die = next === undefined ? undefined : this.#dwarf.dies.get(next);
      if (!die) return { isConst };
      if (!PEELED.has(die.tag)) return { die, isConst };
      isConst ||= die.tag === Tag.const;
      next = die.type;
    }
    throw new SyntaxError("types are named by each other in a circle");
  }

  /** A type as C writes it. */
  #spell(offset: number | undefined, depth = 0): string {
    const die = offset === undefined ? undefined : this.#dwarf.dies.get(offset);
    if (!die) return "void";
    if (depth > MAX_PEEL) return "...";
    const inner = () => this.#spell(die.type, depth + 1);
    switch (die.tag) {
      case Tag.const:
        return `const ${inner()}`;
      case Tag.volatile:
        return `volatile ${inner()}`;
      case Tag.restrict:
      case Tag.atomic:
        return inner();
      case Tag.pointer:
        return `${inner()}*`;
      case Tag.reference:
        return `${inner()}&`;
      case Tag.rvalueReference:
        return `${inner()}&&`;
      case Tag.array:
        return `${inner()}[]`;
      case Tag.functionType:
        return "function";
      default:
        return die.name ?? "unnamed";
    }
  }
}

const PEELED: ReadonlySet<number> = new Set([
  Tag.typedef,
  Tag.const,
  Tag.volatile,
  Tag.restrict,
  Tag.atomic,
]);

function integer(sign: "i" | "u", size: number): NumberType | undefined {
  return size === 1 || size === 2 || size === 4 || size === 8
    ? `${sign}${size * 8 as 8 | 16 | 32 | 64}`
    : undefined;
}

/** C++ gives all but `extern "C"` functions another name for the linker. */
function isPlainC(die: Die): boolean {
  const { name, linkageName, external } = die;
  return external === true &&
    (linkageName === undefined || linkageName === name);
}

function definedOnly(die: Die): Partial<Die> {
  return Object.fromEntries(
    Object.entries(die).filter(([, value]) =>
      value !== undefined && !(Array.isArray(value) && value.length === 0)
    ),
  );
}
