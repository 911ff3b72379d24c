/** Errors as text: the one place that does it. */

import { type ClibsError, escapeControls } from "../mod.ts";
import { painter } from "./color.ts";

/** How an error is shown. */
export interface RenderOptions {
  /** Whether to use colours. */
  color: boolean;
  /** Whether to add the chain of causes and the stack. */
  verbose: boolean;
}

/**
 * An error as text that ends with a newline:
 *
 * ```text
 * error: Cannot fetch bdwgc: git ref "v8.2.9" is not in the repository
 *   repo     https://example.com/bdwgc.git
 *   nearest  v8.2.8
 * hint: set `ref: v8.2.8` in bdwgc/pkg.yaml
 * more: clibs explain CLIBS_GIT_REF
 * ```
 */
export function renderError(error: ClibsError, options: RenderOptions): string {
  const paint = painter(options.color);
  const lines = [
    paint("error", "error:") + " " + indented(error.message, 2),
    ...factLines(error.facts).map((line) => `  ${line}`),
  ];
  if (error.hint !== undefined) {
    lines.push(paint("good", "hint:") + " " + indented(error.hint, 6));
  }
  lines.push(paint("dim", `more: clibs explain ${error.code}`));
  if (options.verbose) lines.push(...causeLines(error));
  return lines.join("\n") + "\n";
}

/** `name  value` lines, the values aligned. */
function factLines(facts: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(facts).map(([name, value]) =>
    [escapeControls(name), value] as const
  );
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) =>
    `${name.padEnd(width)}  ${indented(value, width + 4)}`.trimEnd()
  );
}

/** Escapes each line, and indents those after the first. */
function indented(text: string, indent: number): string {
  return text.replace(/\n$/, "").split("\n").map(escapeControls).map((
    line,
    i,
  ) => i === 0 || line === "" ? line : " ".repeat(indent) + line).join("\n");
}

function causeLines(error: ClibsError): string[] {
  const lines: string[] = [];
  let innermost: Error = error;
  // The limit is for a cause that causes itself.
  for (let i = 0; i < 10 && innermost.cause instanceof Error; i++) {
    innermost = innermost.cause;
    lines.push(
      `caused by: ${innermost.name}: ${indented(innermost.message, 2)}`,
    );
  }
  const frames = (innermost.stack ?? "").split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => `  ${escapeControls(line.trim())}`);
  return [...lines, ...frames];
}
