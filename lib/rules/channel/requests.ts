/** Answers the requests of jobs that come as JSON. */

import type { DepState, JobServices } from "../services.ts";
import {
  argumentError,
  checkName,
  checkRegexpr,
  dependOptions,
  fileNames,
  targetOptions,
} from "./arguments.ts";

/** A request: the call, and its arguments by name. */
export type JobRequestMessage = Record<string, unknown> & { op?: unknown };

type Answer = (
  services: JobServices,
  request: JobRequestMessage,
) => Promise<unknown>;

const answers: Readonly<Record<string, Answer>> = {
  async depend(services, request) {
    const options = dependOptions(request.options);
    const files = fileNames("depend", request.files, options.regexpr);
    const states = await services.depend(cwdOf(request), files, options);
    return dependResult(files, options, states);
  },
  async target(services, request) {
    const options = targetOptions(request.options);
    const files = fileNames("target", request.files, options.regexpr);
    await services.target(cwdOf(request), files, options);
    return null;
  },
  async checkDeps(services, { delay = 0, sync = false }) {
    if (typeof delay !== "number" || !(delay >= 0)) {
      throw argumentError("checkDeps", "delay is a number of seconds");
    }
    if (typeof sync !== "boolean") {
      throw argumentError("checkDeps", "sync is true or false");
    }
    const ok = await services.checkDeps(delay, sync);
    return sync ? ok : null;
  },
  listDeps(services, request) {
    return services.listDeps(cwdOf(request), ...listing("listDeps", request));
  },
  listTargets(services, request) {
    return services.listTargets(
      cwdOf(request),
      ...listing("listTargets", request),
    );
  },
  listRoot(services, request) {
    return services.listRoot(
      cwdOf(request),
      checkName("listRoot", request.dir),
    );
  },
  encode(services, request) {
    const { minLength = 1 } = request;
    return services.encode(
      cwdOf(request),
      checkName("encode", request.table),
      text("encode", "context", request.context),
      text("encode", "value", request.value),
      checkMinLength(minLength),
    );
  },
  decode(services, request) {
    return services.decode(
      cwdOf(request),
      checkName("decode", request.table),
      text("decode", "context", request.context),
      text("decode", "code", request.code),
    );
  },
  xxhsum(services, request) {
    return services.xxhsum(text("xxhsum", "text", request.text));
  },
  xxhsumFile(services, request) {
    return services.xxhsumFile(
      cwdOf(request),
      checkName("xxhsumFile", request.file),
    );
  },
};

/**
 * Answers a request.
 *
 * Everything up to the service's own work happens before it returns, so
 * requests of a connection reach the service in their order.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT`, or what the service throws.
 */
// Async, so that a mistake is a rejection like any other failure.
// deno-lint-ignore require-await
export async function answerRequest(
  services: JobServices,
  request: JobRequestMessage,
): Promise<unknown> {
  const { op } = request;
  const answer = typeof op === "string" && Object.hasOwn(answers, op)
    ? answers[op]
    : undefined;
  if (!answer) {
    throw argumentError(String(op), "the runner has no such call");
  }
  return answer(services, request);
}

/**
 * What `depend` returns: states by name, whether all is well, or nothing.
 *
 * @param files As the caller spelt them.
 */
export function dependResult(
  files: readonly string[],
  { direct, verbose }: { direct?: boolean; verbose?: boolean },
  states: readonly DepState[],
): Record<string, DepState> | boolean | null {
  if (direct) return states.every(({ ok }) => ok !== false);
  if (!verbose) return null;
  return Object.fromEntries(files.map((file, i) => [file, states[i] ?? {}]));
}

/**
 * The length that a new code has at least.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT` unless it is within 1 to 16.
 */
export function checkMinLength(length: unknown): number {
  if (
    typeof length !== "number" || !Number.isInteger(length) ||
    length < 1 || length > 16
  ) {
    throw argumentError("encode", "minLength is a whole number from 1 to 16");
  }
  return length;
}

function cwdOf({ op, cwd }: JobRequestMessage): string {
  if (typeof cwd !== "string" || !cwd.startsWith("/")) {
    throw argumentError(String(op), "cwd is not an absolute path");
  }
  return cwd;
}

function text(call: string, name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw argumentError(call, `${name} is not a string`);
  }
  return value;
}

function listing(
  call: string,
  { dir, regexpr }: JobRequestMessage,
): [string | undefined, string | undefined] {
  return [
    dir === undefined || dir === null ? undefined : checkName(call, dir),
    regexpr === undefined || regexpr === null
      ? undefined
      : checkRegexpr(call, regexpr),
  ];
}
