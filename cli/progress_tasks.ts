/** What is running: the state that both progress views show. */

import {
  type EventFields,
  type FeedbackEvent,
  plainLine,
  type TaskKind,
} from "../mod.ts";
import { formatBytes, formatDuration } from "./text.ts";

/** One running task. Times are in milliseconds since the epoch. */
export interface Task {
  kind: TaskKind;
  label: string;
  startedAt: number;
  bytes: number;
  totalBytes?: number;
  entries: number;
  /** Last line of output, made plain. */
  line: string;
  /** Bytes at some moments of the last seconds, for the rate. */
  samples: [time: number, bytes: number][];
}

/** Running tasks by their ids, the oldest first. */
export type Tasks = Map<string, Task>;

/** The span over which a rate is measured, in milliseconds. */
const RATE_SPAN = 3000;

/**
 * Brings the state up to date with an event.
 *
 * @returns The task that has ended, if one has.
 */
export function updateTasks(
  tasks: Tasks,
  event: FeedbackEvent,
): Task | undefined {
  switch (event.code) {
    case "task.start": {
      const { task, kind, label } = event.fields;
      tasks.set(task, {
        kind,
        label: plainLine(label),
        startedAt: event.time,
        bytes: 0,
        entries: 0,
        line: "",
        samples: [[event.time, 0]],
      });
      return undefined;
    }
    case "task.progress":
      progress(tasks.get(event.fields.task), event.time, event.fields);
      return undefined;
    case "command.output": {
      const task = tasks.get(event.fields.task);
      const line = plainLine(event.fields.line);
      if (task && line.trim() !== "") task.line = line;
      return undefined;
    }
    case "task.end": {
      const task = tasks.get(event.fields.task);
      tasks.delete(event.fields.task);
      return task;
    }
    default:
      return undefined;
  }
}

function progress(
  task: Task | undefined,
  time: number,
  fields: EventFields["task.progress"],
): void {
  if (!task) return;
  task.totalBytes = fields.totalBytes ?? task.totalBytes;
  task.entries = fields.entries ?? task.entries;
  if (fields.line !== undefined) task.line = plainLine(fields.line);
  if (fields.bytes === undefined) return;
  task.bytes = fields.bytes;
  const last = task.samples.at(-1);
  if (last && time - last[0] < 100) last[1] = fields.bytes;
  else task.samples.push([time, fields.bytes]);
  while (task.samples.length > 2 && time - task.samples[1]![0] > RATE_SPAN) {
    task.samples.shift();
  }
}

/** Bytes per second over the last seconds; 0 if not known yet. */
export function rate(task: Task, now: number): number {
  const [first] = task.samples;
  if (!first || now - first[0] < 200) return 0;
  return (task.bytes - first[1]) * 1000 / (now - first[0]);
}

/** The line that stays when a task has ended. */
export function endLine(
  task: Task,
  fields: EventFields["task.end"],
): string {
  const counts = [
    ...task.entries > 0 ? [`${task.entries} entries`] : [],
    ...task.bytes > 0 ? [formatBytes(task.bytes)] : [],
    formatDuration(fields.durationMs),
  ].join(", ");
  const status = fields.status === "done" ? "" : `: ${fields.status}`;
  return `${task.kind} ${task.label}${status} (${counts})`;
}

/** A line that says that a task is alive. */
export function aliveLine(task: Task, now: number): string {
  const elapsed = Math.round((now - task.startedAt) / 1000);
  const what = task.line !== ""
    ? `: ${task.line}`
    : task.bytes > 0
    ? `: ${amount(task)}`
    : "";
  return `${task.kind} ${task.label}: ${elapsed} s, still running${what}`;
}

/** How far a task has got, in bytes. */
export function amount(task: Task): string {
  return task.totalBytes === undefined
    ? formatBytes(task.bytes)
    : `${formatBytes(task.bytes)} of ${formatBytes(task.totalBytes)}`;
}

/** What both views say about an event that is not progress; empty: nothing. */
export function messageOf(
  event: FeedbackEvent,
  verbose: boolean,
  tasks: Tasks,
): string {
  if (event.code === "lock.wait") return plainLine(event.message);
  if (event.code === "command.output") {
    if (!verbose) return "";
    const label = tasks.get(event.fields.task)?.label ?? event.fields.task;
    return `${label} | ${plainLine(event.fields.line)}`.trimEnd();
  }
  if (event.code !== "note") return "";
  // The command's result, or its errors, say the same.
  const { about } = event.fields;
  const isSaid = event.level === "success" || about === "engine.failed" ||
    event.level === "info" && about === "engine.prebuilt.rejected";
  if (isSaid && !verbose) return "";
  if (event.level === "debug" && !verbose) return "";
  const prefix = { warn: "warning: ", error: "error: ", debug: "debug: " };
  return (prefix[event.level as keyof typeof prefix] ?? "") +
    plainLine(event.message);
}

/** Whether `--quiet` lets the event through. */
export function isUrgent(event: FeedbackEvent): boolean {
  return event.code === "lock.wait" ||
    event.code === "note" &&
      (event.level === "warn" || event.level === "error");
}
