/** Functions as commands: what can be told without reading their text. */

import type { CommandSpec } from "../model.ts";
import { BadValue, describe, jsonValue } from "./check.ts";
import type { Attribute } from "./targets.ts";

/**
 * The command that a rule gives.
 *
 * The text of a function is as the engine has it; the identifiers that it
 * uses are looked into when the whole `Lmakefile.ts` has been read.
 *
 * @throws {BadValue} If it cannot be one.
 */
export function readCommand(
  cmd: unknown,
  vars: unknown,
  attribute: Attribute,
): CommandSpec {
  if (typeof cmd === "string") return { kind: "shell", text: cmd };
  return {
    kind: "function",
    text: attribute("cmd", () => functionText(cmd)),
    imports: [],
    vars: attribute("vars", () => jsonValue(vars ?? null)),
  };
}

function functionText(cmd: unknown): string {
  if (typeof cmd !== "function") {
    throw new BadValue(
      cmd === undefined
        ? "is missing"
        : `must be a string or a function, not ${describe(cmd)}`,
      "give a shell script, or a function of j; an empty string does nothing",
    );
  }
  const text = String(cmd);
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    throw new BadValue(
      "is a bound or built-in function, whose text cannot be had",
      "write a function that makes the call: (j) => ...",
    );
  }
  if (/^class\b/.test(text)) {
    throw new BadValue("is a class", "write a function: (j) => ...");
  }
  if (/Generator/.test(Object.getPrototypeOf(cmd).constructor.name)) {
    throw new BadValue(
      "is a generator, whose body nobody would run",
      "write a plain or async function, without *",
    );
  }
  return text;
}
