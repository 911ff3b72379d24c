/** Shows what the library reports: one interface, a plain and a live form. */

import type { FeedbackEvent } from "../mod.ts";
import { LiveView } from "./progress_live.ts";
import { PlainView } from "./progress_plain.ts";

/** A view of the feedback bus. */
export interface ProgressView {
  /** Receives every event of the bus. */
  show(event: FeedbackEvent): void;
  /** Writes lines that stay, with their newlines, and leaves the rest alone. */
  print(text: string): void;
  /** How many tasks are running. */
  readonly running: number;
  /**
   * Leaves the terminal clean for somebody else's output, until the next
   * event or tick.
   */
  clear(): void;
  /** Stops the timer and gives the terminal back; can be called twice. */
  close(): void;
}

/** What a view needs; tests give their own. */
export interface ViewOptions {
  /** Writes to standard error. */
  write(text: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `tick` every so many milliseconds until the result is called. */
  every(ms: number, tick: () => void): () => void;
  /** Size of the terminal now. */
  size(): { columns: number; rows: number };
  /** Warnings and errors only. */
  quiet: boolean;
  /** Output of commands and debug notes too. */
  verbose: boolean;
  /** Whether to use colours. */
  color: boolean;
}

/** Whether standard error can show a view that redraws itself. */
export function canRedraw(
  isTerminal: boolean,
  env: (name: string) => string | undefined,
): boolean {
  const ci = env("CI");
  return isTerminal && env("TERM") !== "dumb" &&
    (!ci || ci === "false" || ci === "0");
}

/** Makes the view that fits. */
export function createView(live: boolean, options: ViewOptions): ProgressView {
  return live && !options.quiet
    ? new LiveView(options)
    : new PlainView(options);
}
