/** The functions of a library with their types, from its debug information. */

import { readElf } from "../../toolchain/elf.ts";
import { type Die, type Dwarf, readDwarf, Tag } from "./dwarf.ts";
import {
  bytesOf,
  isRecord,
  numberType,
  qualifiedName,
  Types,
} from "./dwarf_types.ts";

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

/** Bounds that only bytes made to do harm reach. */
const MAX = { scopes: 100, origins: 4, parameters: 255, structSize: 1 << 24 };

class InterfaceReader {
  readonly #dwarf: Dwarf;
  readonly #types: Types;
  readonly #exported: ReadonlySet<string>;
  readonly #structs = new Map<string, StructLayout>();
  /** Names of structs by their entries, and by what they are called and have. */
  readonly #structNames = new Map<Die | string, string | undefined>();
  /** Structs whose pointers are to be followed, with the types of those. */
  readonly #pending: [StructLayout, (number | undefined)[]][] = [];
  readonly #plainRecords = new Map<Die, boolean>();

  constructor(dwarf: Dwarf, exported: ReadonlySet<string>) {
    this.#dwarf = dwarf;
    this.#types = new Types(dwarf);
    this.#exported = exported;
  }

  read(): FfiInterface {
    const functions = new Map<string, FfiFunction>();
    const skipped = new Map<string, string>();
    for (const die of this.#dwarf.units.flatMap((unit) => this.#below(unit))) {
      const whole = this.#whole(die);
      const { name } = whole;
      if (name === undefined || !this.#exported.has(name)) continue;
      // Where its code is does not matter: functions of the same code share it,
      // and then only one of them is said to have it.
      if (!isPlainC(whole) || die.declaration) continue;
      // Files that share an inline function each describe it.
      if (functions.has(name) || skipped.has(name)) continue;
      try {
        functions.set(name, this.#function(name, die, whole));
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
        skipped.set(name, error.message);
      }
    }
    this.#followPointers();
    return {
      format: 1,
      functions: [...functions.values()].sort(byName),
      structs: Object.fromEntries(
        [...this.#structs].sort(([a], [b]) => a < b ? -1 : 1),
      ),
      skipped: [...skipped].map(([name, reason]) => ({ name, reason }))
        .sort(byName),
    };
  }

  /** The functions of a unit, and of its namespaces. */
  #below(die: Die, depth = 0): Die[] {
    if (depth > MAX.scopes) return [];
    return die.children.flatMap((child) =>
      child.tag === Tag.function
        ? [child]
        : child.tag === Tag.namespace
        ? this.#below(child, depth + 1)
        : []
    );
  }

  /** An entry with what the entry that it completes adds. */
  #whole(die: Die): Die {
    let whole = die;
    for (let n = 0; whole.origin !== undefined && n < MAX.origins; n++) {
      const origin = this.#dwarf.dies.get(whole.origin);
      if (!origin) break;
      whole = { ...origin, ...definedOnly(whole), origin: origin.origin };
    }
    return whole;
  }

  /**
   * The parameters as they are written in the source: a copy that the compiler
   * made for one caller may lack some, and a declaration may lack names.
   */
  #parametersOf(die: Die): Die[] {
    let best = die;
    let next = die;
    for (let n = 0; next.origin !== undefined && n < MAX.origins; n++) {
      const origin = this.#dwarf.dies.get(next.origin);
      if (!origin) break;
      if (origin.children.length > best.children.length) best = origin;
      next = origin;
    }
    return best.children;
  }

  #function(name: string, die: Die, whole: Die): FfiFunction {
    const members = this.#parametersOf(die);
    if (members.length > MAX.parameters) {
      throw new Unsupported("it takes too many arguments");
    }
    if (members.some(({ tag }) => tag === Tag.variadic)) {
      throw new Unsupported("it takes a variable number of arguments");
    }
    const described = members.filter(({ tag }) => tag === Tag.parameter)
      .map((member, index) => {
        const { name: label = `arg${index}`, type } = this.#whole(member);
        const what = `parameter "${label}" is`;
        if (type === undefined) throw new Unsupported(`${what} of no type`);
        return { name: label, type, read: this.#type(type, what) };
      });
    const result = this.#type(whole.type, "it returns");
    // Only now: a function that is skipped needs no structs.
    return {
      name,
      parameters: described.map(({ name, type, read }) => ({
        name,
        type: this.#withStruct(read, type),
      })),
      result: this.#withStruct(result, whole.type),
    };
  }

  #type(offset: number | undefined, what: string): FfiType {
    const { die } = this.#types.peel(offset);
    if (!die) return { kind: "void" };
    if (isPointer(die)) return this.#pointer(die);
    const type = numberType(die, this.#types);
    if (type) {
      const name = die.tag === Tag.enumeration && qualifiedName(die);
      return { kind: "number", type, ...(name ? { enum: name } : {}) };
    }
    // What the compilers call the type of nullptr.
    if (die.tag === Tag.unspecified && die.name?.includes("nullptr")) {
      return { kind: "pointer", to: "void", const: false };
    }
    const spelled = this.#types.spell(offset);
    throw new Unsupported(
      isRecord(die)
        ? `${what} a ${recordWord(die)} by value (${spelled})`
        : `${what} of ${
          die.tag === 0 ? "an unknown type" : `the type ${spelled}`
        }`,
    );
  }

  #pointer(die: Die): FfiType {
    const { die: to, isConst } = this.#types.peel(die.type);
    const isText = to?.tag === Tag.base && to.name === "char" &&
      die.tag === Tag.pointer;
    if (isText && isConst) return { kind: "string" };
    const element = to && numberType(to, this.#types);
    return {
      kind: "pointer",
      to: this.#types.spell(die.type),
      const: isConst,
      ...(element ? { element } : {}),
    };
  }

  /** Adds to a pointer the name of the struct that it points to. */
  #withStruct(type: FfiType, offset: number | undefined): FfiType {
    if (type.kind !== "pointer") return type;
    const pointer = this.#types.peel(offset).die;
    const { die: to, alias } = this.#types.peel(pointer?.type);
    const struct = to && this.#struct(to, alias);
    return struct === undefined ? type : { ...type, struct };
  }

  /** Takes down a struct; undefined if no plain object can stand for it. */
  #struct(die: Die, alias: Die | undefined): string | undefined {
    if (this.#structNames.has(die)) return this.#structNames.get(die);
    const wanted = qualifiedName(die) ?? (alias && qualifiedName(alias));
    const members = this.#isPlainRecord(die)
      ? die.children.filter(isField)
      : [];
    const layout = this.#layout(die, members);
    const hasFields = layout.fields.some(({ type }) => type.kind !== "other");
    if (wanted === undefined || !hasFields) {
      this.#structNames.set(die, undefined);
      return undefined;
    }
    // Each file describes a struct anew. Others may have the same name: those
    // within functions, and in files that do not know of each other.
    const key = `${wanted} ${JSON.stringify(layout)}`;
    let name = this.#structNames.get(key);
    if (name === undefined) {
      name = wanted;
      // Counted from their number, so that many of one name cost no search.
      for (let n = this.#structs.size + 1; this.#structs.has(name); n++) {
        name = `${wanted}_${n}`;
      }
      this.#structs.set(name, layout);
      this.#pending.push([layout, members.map(({ type }) => type)]);
    }
    this.#structNames.set(key, name);
    this.#structNames.set(die, name);
    return name;
  }

  /** Names the structs that fields point to; not at once: they may be many. */
  #followPointers(): void {
    for (const [{ fields }, types] of this.#pending) {
      for (const [index, field] of fields.entries()) {
        if (field.type.kind !== "pointer") continue;
        field.type = this.#withStruct(field.type, types[index]);
      }
    }
  }

  /**
   * Whether bytes alone make a whole one: it has no bases, virtual functions or
   * destructor, nor a member that does.
   */
  #isPlainRecord(die: Die, depth = 0): boolean {
    const known = this.#plainRecords.get(die);
    if (known !== undefined) return known;
    this.#plainRecords.set(die, true);
    const isPlain = depth < MAX.scopes && !die.declaration &&
      die.tag !== Tag.union && die.size !== undefined &&
      die.size <= MAX.structSize &&
      die.children.every(({ tag, name, type, external }) => {
        if (tag === Tag.inheritance) return false;
        if (tag === Tag.function) return !name?.startsWith("~");
        if (!isField({ tag, external })) return true;
        if (name?.startsWith("_vptr")) return false;
        const { die: member } = this.#types.peel(type);
        const isWhole = member?.tag === Tag.struct || member?.tag === Tag.class;
        return !isWhole || this.#isPlainRecord(member, depth + 1);
      });
    this.#plainRecords.set(die, isPlain);
    return isPlain;
  }

  #layout({ size = 0 }: Die, members: readonly Die[]): StructLayout {
    const fields = members.map((member) => this.#field(member));
    for (const { name, offset, type } of fields) {
      const width = type.kind === "number" ? bytesOf(type.type) : 8;
      if (type.kind !== "other" && offset + width > size) {
        throw new SyntaxError(`the field "${name}" lies outside its struct`);
      }
    }
    return { size, fields };
  }

  #field({ name, type, location = 0, bits }: Die): StructField {
    const c = this.#types.spell(type);
    const field = { name: name ?? c, offset: location };
    try {
      if (!bits && type !== undefined) {
        return { ...field, type: this.#type(type, "it is") };
      }
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
    const size = this.#types.sizeOf(type);
    return { ...field, type: { kind: "other", c, size } };
  }
}

function isPointer({ tag }: Die): boolean {
  return tag === Tag.pointer || tag === Tag.reference ||
    tag === Tag.rvalueReference;
}

/** Static members are no fields. */
function isField({ tag, external }: Pick<Die, "tag" | "external">): boolean {
  return tag === Tag.member && !external;
}

function recordWord({ tag }: Die): string {
  return tag === Tag.union ? "union" : "struct";
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

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
