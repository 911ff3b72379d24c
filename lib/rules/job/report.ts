/** Tells how a job's function failed: what the user wrote, nothing of ours. */

import type { JobSource } from "./evaluate.ts";

/** Where our own modules are: their frames are no news to anybody. */
const OURS = new URL("../../", import.meta.url).href;

/** What is known of the function. */
export interface ReportContext extends Pick<JobSource, "offset"> {
  /** Name of the rule. */
  rule: string;
  /** Root of the repo. */
  root: string;
}

/** An error as the job prints it, with a newline. */
export function reportError(error: unknown, context: ReportContext): string {
  const lines = describe(error, context);
  const seen = new Set([error]);
  for (let cause = error; cause instanceof Error;) {
    cause = cause.cause;
    if (cause === undefined || seen.has(cause)) break;
    seen.add(cause);
    const [first, ...rest] = describe(cause, context);
    lines.push(`Caused by: ${first}`, ...rest);
  }
  return lines.join("\n") + "\n";
}

function describe(error: unknown, context: ReportContext): string[] {
  if (!(error instanceof Error)) {
    const text = typeof error === "string" ? error : Deno.inspect(error);
    return [`Error: ${text}`];
  }
  const { name, message } = error;
  const extras = error as { hint?: unknown; isStackless?: unknown };
  const lines = [message === "" ? name : `${name}: ${message}`];
  if (!extras.isStackless) lines.push(...frames(error, context));
  if (error instanceof AggregateError) {
    for (const one of error.errors) {
      lines.push(...describe(one, context).map((line) => `  ${line}`));
    }
  }
  if (typeof extras.hint === "string") lines.push(`hint: ${extras.hint}`);
  return lines;
}

function frames({ stack }: Error, context: ReportContext): string[] {
  const found: string[] = [];
  for (const line of stack?.split("\n") ?? []) {
    const frame = /^ {4}at (?:async )?(?:(.*) \()?(.*?):(\d+):(\d+)\)?$/
      .exec(line);
    if (!frame) continue;
    const [, called, url = "", row, column] = frame;
    const place = placeOf(url, Number(row), column!, context);
    if (place === undefined) continue;
    // These names are none of the user's.
    const name = called?.replace(
      /^(Module\.default|default|Timeout\._onTimeout)$/,
      "",
    );
    found.push(`    at ${name ? `${name} (${place})` : place}`);
  }
  return found;
}

/** Where a frame is; undefined if that is not the user's. */
function placeOf(
  url: string,
  row: number,
  column: string,
  { offset, root, rule }: ReportContext,
): string | undefined {
  if (url.startsWith("data:text/javascript,")) {
    return `cmd of ${rule}, line ${row - offset}`;
  }
  if (url.startsWith(OURS) || /^(ext|node|native|<)/.test(url)) {
    return undefined;
  }
  if (!url.startsWith("file://")) return `${url}:${row}:${column}`;
  const path = decodeURIComponent(url.slice("file://".length));
  const shown = path.startsWith(`${root}/`)
    ? path.slice(root.length + 1)
    : path;
  return `${shown}:${row}:${column}`;
}
