/** Frames of the launcher of the twins: see docs/request-channel.md. */

import type { TwinRequest, TwinResult } from "./twins.ts";

/** What the launcher sends. */
export interface TwinFrame extends TwinRequest {
  /** The secret of the job. */
  jobId: string;
  /** Whether its texts are as they were sent: they were UTF-8. */
  isExact: boolean;
}

/**
 * Takes a launcher's frame apart.
 *
 * @throws {Error} If it is not one.
 */
export function parseTwinRequest(payload: Uint8Array): TwinFrame {
  let isExact = true;
  let at = 0;
  const field = () => {
    const end = payload.indexOf(0, at);
    if (end < 0) throw new SyntaxError("field without an end");
    const bytes = payload.subarray(at, end);
    at = end + 1;
    try {
      return decoder.decode(bytes);
    } catch {
      isExact = false;
      return "";
    }
  };
  if (field() !== "twin1") throw new SyntaxError("not a launcher's frame");
  const jobId = field();
  const cwd = field();
  const program = field();
  const count = Number(field());
  if (!Number.isInteger(count) || count < 0 || count > payload.length) {
    throw new SyntaxError("count of arguments is not a number");
  }
  const args = Array.from({ length: count }, field);
  const stdin = payload.subarray(at);
  return { jobId, cwd, program, args, stdin, isExact };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The launcher's answer.
 *
 * @param count How many arguments the launcher had: what it is to run itself
 *   are the last ones of them, so that their bytes stay as they are.
 */
export function twinReply(result: TwinResult, count: number): Uint8Array {
  const encode = (value: string | Uint8Array) =>
    typeof value === "string" ? new TextEncoder().encode(value) : value;
  const stdout = encode(result.stdout);
  const stderr = encode(result.stderr);
  const reply = new Uint8Array(16 + stdout.length + stderr.length);
  const view = new DataView(reply.buffer);
  view.setInt32(0, result.code, true);
  view.setInt32(4, result.run ? count - result.run.length : -1, true);
  view.setUint32(8, stdout.length, true);
  view.setUint32(12, stderr.length, true);
  reply.set(stdout, 16);
  reply.set(stderr, 16 + stdout.length);
  return reply;
}
