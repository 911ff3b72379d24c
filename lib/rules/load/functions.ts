/** Commands that are functions: what they need from outside goes with them. */

import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ClibsError } from "../../errors.ts";
import { readTextIfExists } from "../../host/files.ts";
import type { CommandSpec, RuleSpec } from "../model.ts";
import { type FreeName, type Uses, usesOf } from "./free_names.ts";
import { headerImports, type ImportedName } from "./header_imports.ts";

/** The module that only makes sense under its own name. */
const LMAKE_MODULE = "@clibs/cli/lmake";

/** Globals of windows and workers, which are taken for variables by mistake. */
const MISLEADING = /^(?:name|close|closed|location|on[a-z]+)$/;

type FunctionSpec = CommandSpec & { kind: "function" };

/**
 * Completes a command that is a function: finds the imports that it needs.
 *
 * @param rule The rule.
 * @param file The file that defines it, absolute.
 * @returns The command with imports; `import()` of files next to `file` is
 *   made to work from elsewhere.
 * @throws {ClibsError} `CLIBS_LMAKE_FUNCTION` if it uses what cannot be had in
 *   another process.
 */
export async function completeFunction(
  rule: RuleSpec,
  command: FunctionSpec,
  file: string,
): Promise<FunctionSpec> {
  const { text } = command;
  const { uses, shift } = await parseFunction(rule, text);
  const wanted = uses.names.filter(({ name }) =>
    !(name in globalThis) || MISLEADING.test(name)
  );
  const home = wanted.length === 0 && uses.imports.length === 0
    ? file
    : await definingFile(text, file);
  const imported = wanted.length === 0
    ? new Map<string, ImportedName>()
    : headerImports(readTextIfExists(home) ?? "");
  const unreachable = wanted.filter(({ name }) => !imported.has(name));
  if (uses.forbidden !== undefined) {
    throw functionError(
      rule,
      `it uses ${uses.forbidden}, which is another one there`,
      {},
      uses.forbidden === "import.meta"
        ? "use j.lmake, or lmake.repoRoot by `vars: { root: lmake.repoRoot }`"
        : "use j, the object that it gets",
    );
  }
  if (unreachable.length > 0) {
    throw unreachableError(rule, text, unreachable, shift);
  }
  refuseLmakefileNames(rule, wanted, imported);
  return {
    ...command,
    text: withAbsoluteImports(text, uses, shift, home),
    imports: importStatements(wanted, imported, home),
  };
}

/** Parses a function; `shift` is what stands before its text in the parsed one. */
async function parseFunction(
  rule: RuleSpec,
  text: string,
): Promise<{ uses: Uses; shift: number }> {
  const { parseExpressionAt } = await import("acorn");
  // As an expression first; what `toString()` gives of a method is none.
  for (const [before, after] of [["(", "\n)"], ["({", "\n})"]] as const) {
    try {
      const node = parseExpressionAt(`${before}${text}${after}`, 0, {
        ecmaVersion: "latest",
        sourceType: "module",
      });
      const uses = usesOf(
        before === "(" ? node : methodOf(node as unknown as ObjectNode),
      );
      return { uses, shift: before.length };
    } catch (error) {
      if (!(error instanceof SyntaxError) || before === "({") {
        throw functionError(
          rule,
          `its text cannot be read: ${
            error instanceof Error ? error.message : String(error)
          }`,
          { text: firstLine(text) },
          "write an arrow function: (j) => ...",
        );
      }
    }
  }
  throw new TypeError("unreachable");
}

interface ObjectNode {
  properties: { value: Parameters<typeof usesOf>[0] }[];
}

function methodOf(object: ObjectNode): Parameters<typeof usesOf>[0] {
  return object.properties[0]!.value;
}

/**
 * The file in which a function stands: the one that defines the rule, or one
 * that this imports.
 */
async function definingFile(text: string, file: string): Promise<string> {
  const files = [file];
  for (let at = 0; at < files.length && at < 200; at++) {
    const source = readTextIfExists(files[at]!);
    if (source === undefined) continue;
    if ((await asJavaScript(source))?.includes(text)) return files[at]!;
    for (const { specifier } of headerImports(source).values()) {
      if (!/^\.{0,2}\//.test(specifier)) continue;
      const next = resolve(dirname(files[at]!), specifier);
      if (!files.includes(next)) files.push(next);
    }
  }
  return file;
}

/** A module as Deno runs it. */
async function asJavaScript(source: string): Promise<string | undefined> {
  try {
    const { stripTypeScriptTypes } = await import("node:module");
    return stripTypeScriptTypes(source, { mode: "transform" });
  } catch {
    return undefined;
  }
}

/** Refuses names of our module that only work while rules are read. */
function refuseLmakefileNames(
  rule: RuleSpec,
  wanted: readonly FreeName[],
  imported: ReadonlyMap<string, ImportedName>,
): void {
  for (const { name } of wanted) {
    const { imported: there, specifier } = imported.get(name)!;
    const isOurs = specifier === LMAKE_MODULE;
    if (!isOurs || !/^(?:userEnviron|\w*[rR]ule)$/.test(there)) continue;
    throw functionError(
      rule,
      `it uses ${there} of ${LMAKE_MODULE}, which means something only while ` +
        "Lmakefile.ts is read",
      {},
      there === "userEnviron"
        ? "pass what it needs: vars: { CC: userEnviron.CC }, and use j.vars.CC"
        : "define rules at the top level of Lmakefile.ts",
    );
  }
}

/** The statements for the names that are used, one for each. */
function importStatements(
  wanted: readonly FreeName[],
  imported: ReadonlyMap<string, ImportedName>,
  home: string,
): string[] {
  return wanted.map(({ name }) => {
    const { specifier, imported: there, attributes } = imported.get(name)!;
    const clause = there === "*"
      ? `* as ${name}`
      : there === "default"
      ? name
      : `{ ${there === name ? name : `${there} as ${name}`} }`;
    const from = JSON.stringify(absolute(specifier, home));
    return `import ${clause} from ${from}${attributes && ` ${attributes}`}`;
  }).sort();
}

function withAbsoluteImports(
  text: string,
  uses: Uses,
  shift: number,
  home: string,
): string {
  let result = text;
  for (const { specifier, start, end } of [...uses.imports].reverse()) {
    const url = absolute(specifier, home);
    if (url === specifier) continue;
    result = result.slice(0, start - shift) + JSON.stringify(url) +
      result.slice(end - shift);
  }
  return result;
}

function absolute(specifier: string, home: string): string {
  return /^\.{0,2}\//.test(specifier)
    ? new URL(specifier, pathToFileURL(home)).href
    : specifier;
}

function unreachableError(
  rule: RuleSpec,
  text: string,
  unreachable: readonly FreeName[],
  shift: number,
): ClibsError {
  const first = unreachable[0]!;
  const names = unreachable.map(({ name }) => name);
  const list = names.length === 1
    ? names[0]
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  const line = text.slice(0, first.at - shift).split("\n").length - 1;
  const code = text.split("\n")[line]!.trim();
  return functionError(
    rule,
    `it uses ${list}, which a job cannot reach`,
    { code: code.length <= 70 ? code : `${code.slice(0, 67)}...` },
    first.isCalled
      ? `move ${first.name} to a module of its own and import it at the top, ` +
        `or within cmd: const { ${first.name} } = await import("./...")`
      : `pass it as vars: { ${
        names.join(", ")
      } } and use j.vars.${first.name}, ` +
        "or import it",
  );
}

function functionError(
  rule: RuleSpec,
  cause: string,
  facts: Record<string, string>,
  hint: string,
): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_FUNCTION",
    `Cannot run cmd of the rule ${rule.name} in a job: ${cause}`,
    { facts: { ...facts, at: rule.place }, hint },
  );
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length <= 70 ? line : `${line.slice(0, 67)}...`;
}
