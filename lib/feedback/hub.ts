/** The bus that a program shares with the library, with its usual sinks. */

import { FeedbackBus, type FeedbackEvent, type Level } from "./bus.ts";
import { plainLine } from "./escape.ts";
import { type FileSink, openFileSink } from "./file_sink.ts";

/** A bus that can show its events on the console and write them to a file. */
export class FeedbackHub extends FeedbackBus {
  #console: (() => void) | undefined;
  #file: { sink: FileSink; leave: () => void } | undefined;

  /**
   * Shows events on standard error, a line each: `SUCCESS cpu: built`.
   * Progress and debug notes are left out.
   *
   * @param enabled Whether to show them. Default: true.
   */
  enableConsole(enabled: boolean = true): void {
    this.#console?.();
    this.#console = enabled ? this.subscribe(showOnConsole) : undefined;
  }

  /**
   * Appends all events to a file, as JSON lines if its name ends in `.jsonl`.
   * Its folder is made if need be.
   *
   * @param path The file; undefined ends the writing.
   */
  setFileSink(path: string | undefined): void {
    this.#file?.leave();
    this.#file?.sink.close();
    this.#file = undefined;
    if (path === undefined) return;
    const folder = path.replace(/[^/\\]*$/, "");
    if (folder !== "") Deno.mkdirSync(folder, { recursive: true });
    const sink = openFileSink(path);
    this.#file = { sink, leave: this.subscribe(sink.subscriber) };
  }

  /** Reports a message of the program's own, for a person to read. */
  log(level: Exclude<Level, "debug">, message: string): void {
    this.emit(level, "note", message, { about: "program" });
  }
}

function showOnConsole(event: FeedbackEvent): void {
  if (event.level === "debug") return;
  console.error(`${event.level.toUpperCase()} ${plainLine(event.message)}`);
}

/** The bus that engines report to, unless a call is given another. */
export const feedback: FeedbackHub = new FeedbackHub();
