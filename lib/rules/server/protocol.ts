/** What `clibs make` and the server of a repo say to each other: lines of JSON. */

import { join } from "node:path";
import type { ErrorInfo } from "../../errors.ts";
import type { Level } from "../../feedback/bus.ts";
import { sha256Hex } from "../../host/digest.ts";
import type { ReportEvent } from "../engine/report.ts";
import type { MakeOptions, MakeReport } from "../make_types.ts";
import type { MakeProgress } from "../profile/progress.ts";
import { addressInRepo } from "./address.ts";

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
    wants: {
      lines: boolean;
      events: boolean;
      progress: boolean;
      stdout: boolean;
    };
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

/** Path of the socket of a repo's server. */
export function serverAddress(root: string): string {
  const name = `clibs-make-${Deno.uid()}-${sha256Hex(root).slice(0, 16)}.sock`;
  return addressInRepo(root) ??
    join(Deno.env.get("XDG_RUNTIME_DIR") || "/tmp", name);
}
