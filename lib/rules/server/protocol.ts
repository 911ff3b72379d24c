/** What `clibs make` and the server of a repo say to each other: lines of JSON. */

import { join } from "node:path";
import type { ErrorInfo } from "../../errors.ts";
import type { Level } from "../../feedback/bus.ts";
import { sha256Hex } from "../../host/digest.ts";
import { version } from "../../version.ts";
import type { ReportEvent } from "../engine/report.ts";
import type { MakeOptions, MakeReport } from "../make_types.ts";
import type { MakeProgress } from "../profile/progress.ts";
import { PRIVATE } from "../root.ts";

/** Which clibs speaks: another one's server is asked to go. */
export const SPEAKER = `1 ${version} ${import.meta.url}`;

/** Options of a command that can be sent. */
export type SentOptions = Omit<
  MakeOptions,
  | "onLine"
  | "onEvent"
  | "onProgress"
  | "onStdout"
  | "feedback"
  | "signal"
>;

/** Lines to the server. */
export type Request =
  | {
    op: "make";
    speaker: string;
    options: SentOptions;
    /** What the client wants to hear of. */
    wants: { events: boolean; progress: boolean; stdout: boolean };
  }
  | { op: "cancel" }
  /** Go as soon as nobody needs you. */
  | { op: "release" };

/** Lines from the server. */
export type Answer =
  | { kind: "line"; text: string }
  | { kind: "event"; event: ReportEvent }
  | { kind: "progress"; progress: MakeProgress }
  | { kind: "stdout"; base64: string }
  | {
    kind: "feedback";
    level: Level;
    code: string;
    message: string;
    fields: Record<string, unknown>;
  }
  | { kind: "done"; report: MakeReport }
  | { kind: "error"; name: string; error: ErrorInfo }
  /** The server is another clibs, or about to go: ask again. */
  | { kind: "gone" };

/** Longest path that a socket may have. */
const MAX_ADDRESS = 107;

/** Path of the socket of a repo's server. */
export function serverAddress(root: string): string {
  const path = join(root, PRIVATE, "server.sock");
  if (new TextEncoder().encode(path).length <= MAX_ADDRESS) return path;
  const name = `clibs-make-${Deno.uid()}-${sha256Hex(root).slice(0, 16)}.sock`;
  return join(Deno.env.get("XDG_RUNTIME_DIR") || "/tmp", name);
}

/** Sends values as lines; in order, and without anybody waiting. */
export class LineWriter {
  readonly #to: { write(bytes: Uint8Array): Promise<number> };
  #queue: Promise<void> = Promise.resolve();

  /** @param to Where the lines go. */
  constructor(to: { write(bytes: Uint8Array): Promise<number> }) {
    this.#to = to;
  }

  /** Sends a value; a peer that is gone gets nothing. */
  send(value: Request | Answer): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
    this.#queue = this.#queue.then(async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#to.write(bytes.subarray(at));
      }
    }).catch(() => {});
  }

  /** Settled once everything was sent. */
  flushed(): Promise<void> {
    return this.#queue;
  }
}

/** Reads lines of JSON until the peer is gone. */
export async function* readLines<T>(
  from: { read(to: Uint8Array): Promise<number | null> },
): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let rest = "";
  for (;;) {
    let n: number | null;
    try {
      n = await from.read(buffer);
    } catch {
      return;
    }
    if (n === null) return;
    rest += decoder.decode(buffer.subarray(0, n), { stream: true });
    for (let end; (end = rest.indexOf("\n")) >= 0;) {
      yield JSON.parse(rest.slice(0, end)) as T;
      rest = rest.slice(end + 1);
    }
  }
}
