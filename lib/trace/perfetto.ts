/** A trace's programs as a timeline for ui.perfetto.dev and Chrome. */

import { basename } from "node:path";
import type { CommandFact } from "./facts.ts";
import type { Trace } from "./trace.ts";

/**
 * The timeline, in the Trace Event Format (JSON).
 *
 * Programs that ran at the same time are put into rows of their own, each into
 * the first that is free.
 */
export function perfettoTrace(trace: Trace): string {
  const rowEnds: number[] = [];
  const events: unknown[] = [{
    name: "process_name",
    ph: "M",
    pid: 1,
    tid: 0,
    args: { name: trace.command.join(" ") },
  }];
  for (const command of [...trace.commands].sort(byStart)) {
    const end = endOf(command, trace);
    const free = rowEnds.findIndex((until) => until <= command.startMs);
    const row = free < 0 ? rowEnds.length : free;
    rowEnds[row] = end;
    events.push({
      name: basename(command.argv[0] ?? command.program),
      cat: "command",
      ph: "X",
      ts: Math.round(command.startMs * 1000),
      dur: Math.max(1, Math.round((end - command.startMs) * 1000)),
      pid: 1,
      tid: row + 1,
      args: {
        command: command.argv.join(" "),
        program: command.program,
        cwd: command.cwd,
        pid: command.pid,
        parent: command.parent,
      },
    });
  }
  // Viewers take text that is well-formed only, as names of files are not.
  const wellFormed = (_key: string, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value;
  const document = { displayTimeUnit: "ms", traceEvents: events };
  return `${JSON.stringify(document, wellFormed)}\n`;
}

function byStart(a: CommandFact, b: CommandFact): number {
  return a.startMs - b.startMs;
}

/** When a program ended; one that was killed, with the run. */
function endOf(command: CommandFact, trace: Trace): number {
  return command.durationMs === undefined
    ? Math.max(trace.durationMs, command.startMs)
    : command.startMs + command.durationMs;
}
