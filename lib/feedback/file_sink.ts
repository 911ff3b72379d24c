/** Writes events to a log file, one line each. */

import type { FeedbackEvent, Subscriber } from "./bus.ts";
import { plainLine } from "./escape.ts";
import { jsonLine } from "./json_lines.ts";

/** A subscriber that owns an open file. */
export interface FileSink {
  /** To be given to {@linkcode FeedbackBus.subscribe}. */
  subscriber: Subscriber;
  /** Closes the file; later events are dropped. */
  close(): void;
}

/**
 * Opens a log file for appending.
 *
 * Each event is written with one write, at once, so lines of several processes
 * do not mix and nothing is lost when the process is killed. Progress events
 * are left out of the plain form.
 *
 * @param path File; created if missing. Its folder must exist.
 * @param format `text`: `2026-01-31T12:00:00.000Z INFO  message`; `json`: the
 * whole event as one JSON object per line. Default: `json` if the path ends in
 * `.jsonl`, else `text`.
 * @throws {Error} What Deno throws if the file cannot be opened.
 */
export function openFileSink(
  path: string,
  format: "text" | "json" = path.endsWith(".jsonl") ? "json" : "text",
): FileSink {
  const file = Deno.openSync(path, { append: true, create: true });
  const encoder = new TextEncoder();
  const render = format === "json" ? jsonLine : textLine;
  let open = true;
  return {
    subscriber(event) {
      const line = open ? render(event) : "";
      if (line !== "") file.writeSync(encoder.encode(line));
    },
    close() {
      if (open) file.close();
      open = false;
    },
  };
}

/** An event as a line of a log; empty for progress. */
export function textLine(event: FeedbackEvent): string {
  if (event.code === "task.progress" || event.code === "status") return "";
  const time = new Date(event.time).toISOString();
  const level = event.level.toUpperCase().padEnd(5);
  return `${time} ${level} ${plainLine(event.message)}\n`;
}
