/** Progress that redraws itself: one line for each running task, and one for all. */

import { type FeedbackEvent, plainLine } from "../mod.ts";
import { painter } from "./color.ts";
import type { ProgressView, ViewOptions } from "./progress.ts";
import {
  amount,
  endLine,
  messageOf,
  rate,
  type Task,
  type Tasks,
  updateTasks,
} from "./progress_tasks.ts";
import { displayWidth, formatBytes, formatDuration, truncate } from "./text.ts";

/** Milliseconds between two frames. */
export const FRAME_MS = 100;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/**
 * The lines of one frame: at most `rows - 1`, each narrower than `columns`,
 * so that a terminal neither wraps nor scrolls them.
 */
export function renderTasks(
  tasks: Tasks,
  now: number,
  size: { columns: number; rows: number },
  status = "",
): string[] {
  const all = [...tasks.values()];
  const last = status === "" ? [] : [status];
  if (all.length === 0) {
    return last.map((line) => truncate(line, size.columns - 1));
  }
  const room = Math.max(1, size.rows - 1 - last.length);
  const shown = all.length > room ? all.slice(0, room - 1) : all;
  const lines = shown.map((task) => taskLine(task, now, size.columns));
  if (shown.length < all.length) {
    lines.push(`... and ${all.length - shown.length} more`);
  }
  if (lines.length + last.length < Math.max(2, size.rows)) lines.push(...last);
  return lines.map((line) => truncate(line, size.columns - 1));
}

function taskLine(task: Task, now: number, columns: number): string {
  const head = `${task.kind} ${task.label}`;
  if (task.kind === "fetch") {
    const speed = rate(task, now);
    return [
      head,
      ...bar(task, columns),
      amount(task),
      ...speed > 0 ? [`${formatBytes(Math.round(speed))}/s`] : [],
    ].join("  ");
  }
  if (task.kind === "extract") {
    return [
      head,
      ...task.entries > 0 ? [`${task.entries} entries`] : [],
      ...task.bytes > 0 ? [amount(task)] : [],
    ].join("  ");
  }
  const elapsed = formatDuration(
    Math.floor(Math.max(0, now - task.startedAt) / 1000) * 1000,
  ).replace(".0", "");
  return [
    head,
    elapsed,
    ...task.line === "" ? [] : [task.line.replaceAll("\t", " ")],
  ].join("  ");
}

function bar(task: Task, columns: number): string[] {
  if (!task.totalBytes || columns < 60) return [];
  const part = Math.min(1, task.bytes / task.totalBytes);
  const width = 20;
  const full = Math.floor(part * width);
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  return [`[${"=".repeat(full)}${" ".repeat(width - full)}]${percent}`];
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}

/** Draws frames below the lines that stay. */
export class LiveView implements ProgressView {
  #options: ViewOptions;
  #tasks: Tasks = new Map();
  #status = "";
  /** Lines that stay, not written yet: each frame writes them at once. */
  #pending: string[] = [];
  /** The frame on the screen. */
  #drawn: string[] = [];
  #stop: (() => void) | undefined;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#tasks.size;
  }

  show(event: FeedbackEvent): void {
    const paint = painter(this.#options.color);
    const ended = updateTasks(this.#tasks, event);
    if (event.code === "status") {
      this.#status = plainLine(event.fields.line);
    } else if (event.code === "task.end" && ended) {
      const failed = event.fields.status !== "done";
      const line = endLine(ended, event.fields);
      this.#pending.push(failed ? paint("error", line) : line);
    } else {
      const text = messageOf(event, this.#options.verbose, this.#tasks);
      if (text !== "") {
        const style = event.level === "warn"
          ? "warn"
          : event.level === "error"
          ? "error"
          : undefined;
        const mark = text.indexOf(": ") + 1;
        this.#pending.push(
          style && event.code === "note"
            ? paint(style, text.slice(0, mark)) + text.slice(mark)
            : text,
        );
      }
    }
    if (this.#tasks.size > 0 || this.#status !== "") {
      this.#stop ??= this.#options.every(FRAME_MS, () => this.#frame());
    } else if (this.#stop || this.#pending.length > 0) this.close();
  }

  print(text: string): void {
    // Each erasing of the frame flickers: lines wait for the next one.
    if (this.#stop) this.#pending.push(...text.replace(/\n$/, "").split("\n"));
    else this.#options.write(text);
  }

  #frame(): void {
    const lines = renderTasks(
      this.#tasks,
      this.#options.now(),
      this.#options.size(),
      this.#status,
    );
    if (this.#pending.length === 0 && sameLines(lines, this.#drawn)) return;
    const cursor = this.#drawn.length === 0 ? HIDE_CURSOR : "";
    const text = cursor + this.#erase() + this.#takePending() +
      lines.map((line) => `${line}\x1b[K`).join("\n") + "\x1b[J";
    this.#drawn = lines;
    this.#options.write(text);
  }

  /** Moves to where the frame began; the new text overwrites it. */
  #erase(): string {
    if (this.#drawn.length === 0) return "";
    // A terminal that got narrower since has wrapped the lines.
    const { columns } = this.#options.size();
    const rows = this.#drawn.map((line) =>
      Math.max(1, Math.ceil(displayWidth(line) / columns))
    ).reduce((sum, n) => sum + n, 0);
    return "\r" + (rows > 1 ? `\x1b[${rows - 1}A` : "");
  }

  #takePending(): string {
    const lines = this.#pending.map((line) => `${line}\x1b[K\n`).join("");
    this.#pending = [];
    return lines;
  }

  clear(): void {
    const drawn = this.#drawn.length > 0;
    const text = this.#erase() + this.#takePending() +
      (drawn ? `\x1b[J${SHOW_CURSOR}` : "");
    this.#drawn = [];
    if (text !== "") this.#options.write(text);
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.clear();
  }
}
