/** Reads the imports at the top of a module, TypeScript or not. */

/** Something that a module imports. */
export interface ImportedName {
  /** The module, as it was written. */
  specifier: string;
  /** Name in that module; `default`, or `*` for all of it. */
  imported: string;
  /** What stands after the specifier, such as `with { type: "json" }`. */
  attributes: string;
}

type Token = { text: string; start: number; end: number };

const TOKEN =
  /(?:\s|\uFEFF|\/\/[^\n]*|\/\*[^]*?\*\/)*(?:([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([^]))/uy;

/**
 * Reads the imports with which a module begins, by the names that it gives
 * them. Imports of types are left out, and so are imports without names.
 *
 * @param source Text of the module.
 */
export function headerImports(source: string): Map<string, ImportedName> {
  const names = new Map<string, ImportedName>();
  const reader = new Reader(source.replace(/^#!.*/, ""));
  while (true) {
    const token = reader.peek();
    if (token === ";" || /^["']/.test(token)) reader.take();
    else if (token !== "import" || !readImport(reader, names)) return names;
  }
}

/** Reads one statement; false if it is none, such as `import.meta`. */
function readImport(reader: Reader, names: Map<string, ImportedName>): boolean {
  reader.take();
  const found: [local: string, imported: string][] = [];
  let isType = false;
  if (/^["']/.test(reader.peek())) {
    readEnd(reader);
    return true;
  }
  if (reader.peek() === "type" && !/^(?:from|,)$/.test(reader.peek(1))) {
    isType = true;
    reader.take();
  }
  if (isName(reader.peek())) {
    found.push([reader.take(), "default"]);
    if (reader.peek() === ",") reader.take();
  }
  if (reader.peek() === "*") {
    reader.take();
    if (reader.take() !== "as") return false;
    found.push([reader.take(), "*"]);
  } else if (reader.peek() === "{") {
    reader.take();
    while (reader.peek() !== "}") {
      const one = readOne(reader);
      if (!one) return false;
      if (!one.isType) found.push([one.local, one.imported]);
      if (reader.peek() === ",") reader.take();
    }
    reader.take();
  }
  if (reader.take() !== "from") return false;
  const end = readEnd(reader);
  if (!end) return false;
  if (isType) return true;
  for (const [local, imported] of found) names.set(local, { ...end, imported });
  return true;
}

/** Reads a name within braces. */
function readOne(
  reader: Reader,
): { local: string; imported: string; isType: boolean } | undefined {
  const isType = reader.peek() === "type" &&
    /^(?:[\p{ID_Start}$_"'])/u.test(reader.peek(1)) &&
    (reader.peek(1) !== "as" || /^(?:as|[,}])$/.test(reader.peek(2)));
  if (isType) reader.take();
  const imported = reader.take();
  if (!/^[\p{ID_Start}$_"']/u.test(imported)) return undefined;
  if (reader.peek() !== "as") return { local: imported, imported, isType };
  reader.take();
  return { local: reader.take(), imported, isType };
}

/** Reads a specifier and what follows it. */
function readEnd(
  reader: Reader,
): { specifier: string; attributes: string } | undefined {
  const literal = reader.take();
  if (!/^["']/.test(literal)) return undefined;
  const specifier = literal.slice(1, -1);
  if (!/^(?:with|assert)$/.test(reader.peek()) || reader.peek(1) !== "{") {
    return { specifier, attributes: "" };
  }
  const words = [];
  while (words.at(-1) !== "}" && reader.peek() !== "") {
    words.push(reader.take());
  }
  return { specifier, attributes: words.join(" ") };
}

function isName(token: string): boolean {
  return /^[\p{ID_Start}$_]/u.test(token) && token !== "from";
}

/** Tokens of a source, with some to look at ahead. */
class Reader {
  readonly #source: string;
  readonly #ahead: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Text of a token ahead; empty at the end. */
  peek(index = 0): string {
    while (this.#ahead.length <= index) {
      TOKEN.lastIndex = this.#at;
      const found = TOKEN.exec(this.#source);
      const text = found ? found[1] ?? found[2] ?? found[3]! : "";
      const end = found ? TOKEN.lastIndex : this.#source.length;
      this.#ahead.push({ text, start: end - text.length, end });
      this.#at = end;
    }
    return this.#ahead[index]!.text;
  }

  /** Takes the next token. */
  take(): string {
    const text = this.peek();
    this.#ahead.shift();
    return text;
  }
}
