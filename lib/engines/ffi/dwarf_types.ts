/** What the types of debug information are, and how C writes them. */

import { type Die, type Dwarf, Tag } from "./dwarf.ts";
import type { NumberType } from "./interface.ts";

/** How many typedefs, consts and the like may be around a type. */
const MAX_LAYERS = 100;
/** Longest name of a type, and most parameters of one, that are spelled. */
const MAX_SPELLED = { letters: 200, parameters: 20 };

/** Stands for a type that is not in the file. */
const UNKNOWN: Die = { tag: 0, children: [], name: "unknown" };

const QUALIFIERS: ReadonlySet<number> = new Set([
  Tag.typedef,
  Tag.alias,
  Tag.const,
  Tag.volatile,
  Tag.restrict,
  Tag.atomic,
]);

/** A type without its typedefs and qualifiers. */
export interface Peeled {
  /** Its entry; undefined for void. */
  die?: Die;
  /** Whether one of the qualifiers was const. */
  isConst: boolean;
  /** The innermost of the typedefs: the name of a struct without one. */
  alias?: Die;
}

/** The types of a library. */
export class Types {
  readonly #dies: Dwarf["dies"];

  /** @param dwarf What {@linkcode readDwarf} returned. */
  constructor(dwarf: Dwarf) {
    this.#dies = dwarf.dies;
  }

  /** The entry of a type; undefined for void. */
  at(offset: number | undefined): Die | undefined {
    return offset === undefined ? undefined : this.#dies.get(offset) ?? UNKNOWN;
  }

  /**
   * A type without its typedefs and qualifiers.
   *
   * @throws {SyntaxError} If the typedefs go in a circle.
   */
  peel(offset: number | undefined): Peeled {
    const peeled: Peeled = { isConst: false };
    let next = offset;
    for (let layer = 0; layer < MAX_LAYERS; layer++) {
      const die = this.at(next);
      if (!die) return peeled;
      if (!QUALIFIERS.has(die.tag)) return { ...peeled, die };
      if (die.tag === Tag.const) peeled.isConst = true;
      if (die.tag === Tag.typedef) peeled.alias = die;
      next = die.type;
    }
    throw new SyntaxError("types are named by each other in a circle");
  }

  /** Bytes that a type takes; 0 if that is not known. */
  sizeOf(offset: number | undefined): number {
    let factor = 1;
    let next = offset;
    for (let layer = 0; layer < MAX_LAYERS; layer++) {
      const { die } = this.peel(next);
      if (die?.tag !== Tag.array) return (die?.size ?? 0) * factor;
      for (const length of lengths(die)) factor *= length;
      next = die.type;
    }
    return 0;
  }

  /** A type as C writes it. */
  spell(offset: number | undefined, layer = 0): string {
    const die = this.at(offset);
    if (!die) return "void";
    if (layer > MAX_LAYERS) return "...";
    const inner = () => this.spell(die.type, layer + 1);
    switch (die.tag) {
      case Tag.const:
        return this.#qualified("const", die, inner());
      case Tag.volatile:
        return this.#qualified("volatile", die, inner());
      case Tag.restrict:
      case Tag.atomic:
        return inner();
      case Tag.pointer:
        return pointerTo(inner(), "*");
      case Tag.reference:
        return pointerTo(inner(), "&");
      case Tag.rvalueReference:
        return pointerTo(inner(), "&&");
      case Tag.memberPointer:
        return "pointer to a member";
      case Tag.array:
        return inner() + lengths(die).map((n) => `[${n || ""}]`).join("");
      case Tag.functionType:
        return this.#spellFunction(die, layer);
      default:
        return qualifiedName(die) ?? "unnamed";
    }
  }

  /** `const` stands behind what it makes constant if that is a pointer. */
  #qualified(qualifier: string, { type }: Die, inner: string): string {
    return this.at(type)?.tag === Tag.pointer
      ? `${inner} ${qualifier}`
      : `${qualifier} ${inner}`;
  }

  #spellFunction(die: Die, layer: number): string {
    // Functions that take functions are written out once: those could take
    // themselves, and so on.
    if (layer >= MAX_LAYERS / 2) return "void()";
    const list = die.children.slice(0, MAX_SPELLED.parameters).map((child) =>
      child.tag === Tag.parameter
        ? this.spell(child.type, layer + MAX_LAYERS / 2)
        : "..."
    );
    const result = this.spell(die.type, layer + MAX_LAYERS / 2);
    return `${result}(${list.join(", ")})`;
  }
}

/** `int(char)` becomes `int (*)(char)`, `int` becomes `int*`. */
export function pointerTo(spelled: string, sign: string, label = ""): string {
  const open = parameterList(spelled);
  if (open === undefined) return `${spelled}${sign}${label && ` ${label}`}`;
  return `${spelled.slice(0, open)} (${sign}${label})${spelled.slice(open)}`;
}

/** Where the parameters of a function type start; undefined if it is none. */
function parameterList(spelled: string): number | undefined {
  if (!spelled.endsWith(")")) return undefined;
  let depth = 0;
  for (let at = spelled.length - 1; at > 0; at--) {
    if (spelled[at] === ")") depth++;
    if (spelled[at] === "(" && --depth === 0) return at;
  }
  return undefined;
}

/** A name with those of the namespaces and classes around it. */
export function qualifiedName(die: Die): string | undefined {
  if (die.name === undefined) return undefined;
  const parts = [die.name];
  let around = die.parent;
  for (let layer = 0; around && layer < MAX_LAYERS; layer++) {
    const isScope = around.tag === Tag.namespace || isRecord(around);
    if (isScope && around.name !== undefined) parts.unshift(around.name);
    around = around.parent;
  }
  const name = parts.join("::");
  return name.length <= MAX_SPELLED.letters
    ? name
    : `${name.slice(0, MAX_SPELLED.letters)}...`;
}

/** Whether an entry is a struct, class or union. */
export function isRecord({ tag }: Die): boolean {
  return tag === Tag.struct || tag === Tag.class || tag === Tag.union;
}

/** What kind of number a type is; undefined if it is none. */
export function numberType(die: Die, types: Types): NumberType | undefined {
  const { encoding, size = 0 } = die;
  if (die.tag === Tag.enumeration) {
    const { die: base } = types.peel(die.type);
    return base?.tag === Tag.base
      ? numberType(base, types)
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

function integer(sign: "i" | "u", size: number): NumberType | undefined {
  return size === 1 || size === 2 || size === 4 || size === 8
    ? `${sign}${size * 8 as 8 | 16 | 32 | 64}`
    : undefined;
}

/** Bytes that a number takes. */
export function bytesOf(type: NumberType): number {
  return type === "bool" ? 1 : Number(type.slice(1)) / 8;
}

function lengths(array: Die): number[] {
  return array.children.filter(({ tag }) => tag === Tag.subrange)
    .map(({ count }) => count ?? 0);
}
