/** Errors of reading `Lmakefile.ts`, from what its process says of them. */

import { ClibsError } from "../../errors.ts";
import { type Place, placeIn, relativeTo } from "../define/place.ts";
import type { Failure } from "./protocol.ts";

/** What was being done. */
export interface Action {
  /** Such as `read Lmakefile.ts`. */
  action: string;
  /** Root of the repo. */
  root: string;
}

/** Lines of a cause that are shown. */
const CAUSE_LINES = 4;

/** The error for a failure of user code. */
export function failureError(
  failure: Failure,
  { action, root }: Action,
): ClibsError {
  if (failure.kind === "clibs") {
    const { code, message, facts, hint } = failure.error;
    return new ClibsError(code, message, { facts, hint });
  }
  if (failure.kind === "exit") {
    return new ClibsError(
      "CLIBS_LMAKE_EXIT",
      `Cannot ${action}: it called exit(${failure.code})`,
      {
        facts: placeFact(failure.place, root),
        hint: "throw an error to give up, or leave rules out to go on",
      },
    );
  }
  const { name, message, place } = failure;
  const isMissing =
    /^(?:Module not found|Cannot resolve module|Unable to load|Import ".*" not a dependency|Could not find)/i;
  if (isMissing.test(message)) {
    const what = /"([^"]+)"/.exec(message)?.[1] ?? "a module";
    return new ClibsError(
      "CLIBS_LMAKE_IMPORT",
      `Cannot ${action}: there is no module ${what.replace(/^file:\/\//, "")}`,
      {
        facts: placeFact(place, root),
        hint: "correct the name in the import; modules of npm and JSR are " +
          "named in the imports of deno.json",
      },
    );
  }
  const isSyntax = name === "SyntaxError" ||
    SYNTAX.test(message);
  const [cause = "", ...more] = causeLines(message);
  const code = isSyntax ? codeLine(message) : undefined;
  const said = name === "" || isSyntax || name === "Error"
    ? cause
    : `${name}: ${cause}`;
  return new ClibsError(
    isSyntax ? "CLIBS_LMAKE_SYNTAX" : "CLIBS_LMAKE_THROWN",
    `Cannot ${action}: ${said}`,
    {
      facts: {
        ...(code === undefined ? {} : { code }),
        ...(more.length > 0 ? { more: more.join("\n") } : {}),
        ...placeFact(place, root),
      },
    },
  );
}

/** How Deno begins to say that a module cannot be parsed. */
const SYNTAX =
  /^(?:The module's source code could not be parsed|SyntaxError): /;

/** The line of code that a message about syntax shows. */
function codeLine(message: string): string | undefined {
  return /^\s*\d+ \| (.*)$/m.exec(message)?.[1]?.trim() ||
    /\n {2}(\S.*)\n\s+~/.exec(message)?.[1];
}

/** The first lines of a message, without places and pictures of code. */
function causeLines(message: string): string[] {
  const text = message
    .replace(SYNTAX, "")
    .replace(/^\s*\d* *\|.*$/gm, "")
    .replace(/^ {2}.*\n\s+~+ *$/gm, "")
    .replace(/ at file:\/\/\S+?:\d+:\d+/g, "")
    .replace(/^\s+at .*$/gm, "");
  return text.split("\n").filter((line) => line.trim() !== "")
    .map((line) => line.replace(/\.$/, "")).slice(0, CAUSE_LINES);
}

function placeFact(
  place: Place | undefined,
  root: string,
): Record<string, string> {
  if (!place) return {};
  const file = relativeTo(root, place.file);
  return { at: `${file}:${place.line}:${place.column}` };
}

/** The error for a process that ended without a word. */
export function endError(
  lines: readonly string[],
  code: number,
  { action, root }: Action,
): ClibsError {
  const text = lines.join("\n");
  if (/Top-level await promise never resolved/.test(text)) {
    return new ClibsError(
      "CLIBS_LMAKE_THROWN",
      `Cannot ${action}: it waits for something that never happens`,
      { hint: "look at its top-level `await`" },
    );
  }
  const place = lines.map(placeIn).find((found) => found !== undefined);
  const said = lines.filter((line) => !/^\s+at /.test(line)).slice(-CAUSE_LINES)
    .join("\n").trim();
  return new ClibsError(
    "CLIBS_LMAKE_PROCESS",
    `Cannot ${action}: its process ended with code ${code}`,
    {
      facts: {
        ...(said === "" ? {} : { output: said }),
        ...placeFact(place, root),
      },
      hint: "run `deno run -A Lmakefile.ts` to see it alone",
    },
  );
}

/** The error for a process that took too long. */
export function timeoutError(timeoutMs: number, action: string): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_TIMEOUT",
    `Cannot ${action}: it took more than ${timeoutMs / 1000} s`,
    {
      hint:
        "look for a loop without end; slow work belongs in a rule, whose result is kept",
    },
  );
}
