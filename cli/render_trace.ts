/** A trace as text: the one place that does it. */

import { basename, dirname } from "node:path";
import type { Trace } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import { safeText, shortPath } from "./paths.ts";
import { wrap } from "./text.ts";

/**
 * A trace as text, paths below its folder relative to that:
 *
 * ```text
 * deps (2)
 *   Makefile
 *   main.c
 * targets (1)
 *   main.o
 * 4 commands, 112 accesses to system files; method auto
 * ```
 */
export function renderTrace(
  trace: Trace,
  { verbose, columns }: Pick<CommandContext, "verbose" | "columns">,
): string {
  const paths = (list: readonly string[]) =>
    list.map((path) => shortPath(path, trace.cwd));
  const pathsOf = (facts: readonly { path: string }[]) =>
    paths(facts.map(({ path }) => path));
  const deps = trace.deps.map(({ path, rewritten }) =>
    `${shortPath(path, trace.cwd)}${rewritten ? " (and changed)" : ""}`
  );
  const sections = [
    section("deps", deps),
    section("not there", absentLines(trace, columns), trace.absent.length),
    section("targets", pathsOf(trace.targets)),
    section("removed", paths(trace.removed)),
    section("listed folders", pathsOf(trace.listed)),
    section("changed by others while it ran", paths(trace.unstable)),
    section("variables", Object.keys(trace.env).map(safeText)),
  ];
  if (verbose) {
    const commands = trace.commands.map(({ argv }) => safeText(argv.join(" ")));
    sections.push(
      section("written and removed", paths(trace.scratch)),
      section("commands", commands),
    );
  }
  return `${sections.join("")}${wrap(summary(trace), columns).join("\n")}\n`;
}

/**
 * Paths below the command's folder one by one; of others the names by folder,
 * since each program is looked for in all of PATH.
 */
function absentLines(trace: Trace, columns: number): string[] {
  const lines: string[] = [];
  const names = new Map<string, string[]>();
  for (const path of trace.absent) {
    if (path.startsWith(`${trace.cwd}/`)) {
      lines.push(shortPath(path, trace.cwd));
      continue;
    }
    const folder = dirname(path);
    const others = names.get(folder);
    if (others) others.push(basename(path));
    else names.set(folder, [basename(path)]);
  }
  for (const [folder, [first = "", ...others]] of names) {
    const all = [shortPath(`${folder}/${first}`.replace("//", "/"), "")];
    all.push(...others.map(safeText));
    const [line = "", ...rest] = wrap(all.join(", "), columns - 4);
    lines.push(line, ...rest.map((text) => `  ${text}`));
  }
  return lines;
}

function section(
  title: string,
  lines: readonly string[],
  total = lines.length,
): string {
  if (total === 0) return "";
  return `${title} (${total.toLocaleString("en")})\n${
    lines.map((line) => `  ${line}\n`).join("")
  }`;
}

function summary(trace: Trace): string {
  const { scratch, systemReads, method } = trace;
  const parts = [count(trace.commands.length, "command")];
  if (scratch.length > 0) {
    parts.push(`${count(scratch.length, "file")} written and removed`);
  }
  if (systemReads > 0) {
    parts.push(`${count(systemReads, "access", "accesses")} to system files`);
  }
  const seen = trace.escapes.filter((escape) => escape.seen).length;
  const followed = seen > 0
    ? `, ${count(seen, "program")} followed with ptrace`
    : "";
  return `${parts.join(", ")}; method ${method}${followed}`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
