/** Progress as plain lines, for pipes, files and CI. */

import type { FeedbackEvent } from "../mod.ts";
import type { ProgressView, ViewOptions } from "./progress.ts";
import {
  aliveLine,
  endLine,
  isUrgent,
  messageOf,
  type Tasks,
  updateTasks,
} from "./progress_tasks.ts";

/** After so many milliseconds without a line, one says what is running. */
export const HEARTBEAT_MS = 10_000;

/** One line when a task starts, one when it ends, a heartbeat in between. */
export class PlainView implements ProgressView {
  #options: ViewOptions;
  #tasks: Tasks = new Map();
  #lastLine: number;
  #stop: (() => void) | undefined;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#lastLine = options.now();
  }

  get running(): number {
    return this.#tasks.size;
  }

  show(event: FeedbackEvent): void {
    const { quiet, verbose } = this.#options;
    const ended = updateTasks(this.#tasks, event);
    if (quiet && !isUrgent(event)) return;
    if (event.code === "task.start") {
      const { kind, label } = this.#tasks.get(event.fields.task)!;
      this.#line(`${kind} ${label} ...`);
      if (!quiet) this.#stop ??= this.#options.every(1000, () => this.#tick());
    } else if (event.code === "task.end") {
      if (ended) this.#line(endLine(ended, event.fields));
      if (this.#tasks.size === 0) this.close();
    } else {
      const message = messageOf(event, verbose, this.#tasks);
      if (message !== "") this.#line(message);
    }
  }

  #tick(): void {
    const now = this.#options.now();
    if (now - this.#lastLine < HEARTBEAT_MS) return;
    for (const task of this.#tasks.values()) this.#line(aliveLine(task, now));
  }

  #line(text: string): void {
    this.#lastLine = this.#options.now();
    this.#options.write(`${text}\n`);
  }

  print(text: string): void {
    this.#lastLine = this.#options.now();
    this.#options.write(text);
  }

  clear(): void {}

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
