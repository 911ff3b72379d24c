/** Events as JSON lines, for other programs. */

import type { FeedbackEvent, Subscriber } from "./bus.ts";

/** An event as one line of JSON, with its newline. */
export function jsonLine(event: FeedbackEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/**
 * A subscriber that writes every event as a line of JSON.
 *
 * @param write Gets each line with its newline.
 */
export function jsonLines(write: (line: string) => void): Subscriber {
  return (event) => write(jsonLine(event));
}
