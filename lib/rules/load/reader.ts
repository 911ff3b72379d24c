/**
 * The process that reads `Lmakefile.ts`, and then evaluates attributes that
 * are functions. It loads little, as somebody waits for it.
 */

import { ClibsError } from "../../errors.ts";
import { readConfig } from "../define/config.ts";
import { evaluate } from "../define/evaluate.ts";
import { callerPlace, placeIn, placeOfStack } from "../define/place.ts";
import { checked } from "../define/report.ts";
import { beginSession, newSession, type Session } from "../define/session.ts";
import {
  type Answer,
  ANSWER_FD,
  type Failure,
  type Request,
  REQUEST_FD,
  type Start,
} from "./protocol.ts";
import { noteReadsOfDeno, recordFiles } from "./record_files.ts";

/** Thrown in place of the end of the process. */
class Exit extends Error {
  readonly failure: Failure;

  constructor(code: number) {
    super(`exit(${code})`);
    this.failure = { kind: "exit", code, place: callerPlace() };
  }
}

/** Reads `Lmakefile.ts` as the descriptors say, and serves until they close. */
export async function read(): Promise<void> {
  const answers = Deno.openSync(`/dev/fd/${ANSWER_FD}`, { write: true });
  const requests = new LineReader(Deno.openSync(`/dev/fd/${REQUEST_FD}`));
  const answer = (message: Answer) => {
    const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    for (let at = 0; at < bytes.length;) {
      at += answers.writeSync(bytes.subarray(at));
    }
  };
  const exit = Deno.exit;
  const fail = (error: unknown): never => {
    answer({ kind: "failed", failure: describe(error) });
    return exit(1);
  };
  const start: Start = JSON.parse(requests.nextSync()!);
  const session = newSession(start);
  beginSession(session);
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    fail(event.error ?? event.message);
  });
  refuseExit(answer, exit);
  noteReadsOfDeno();
  try {
    await import(new URL(`file://${encodePath(start.file)}`).href);
    answer(await definition(session, start));
  } catch (error) {
    fail(error);
  }
  const rules = session.rules;
  if ([...rules.values()].every(({ spec }) => spec.dynamic.length === 0)) {
    exit(0);
  }
  for (let line = await requests.next(); line; line = await requests.next()) {
    const { id, rule, attribute, context }: Request = JSON.parse(line);
    const before = new Map(session.environUsed);
    const files = recordFiles();
    try {
      const value = await evaluate(rules.get(rule)!, attribute, context);
      const environ = Object.fromEntries(
        [...session.environUsed].filter(([name]) => !before.has(name)),
      );
      answer({ kind: "value", id, value, files: files(), environ });
    } catch (error) {
      files();
      answer({ kind: "error", id, failure: describe(error) });
    }
  }
  exit(0);
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function definition(session: Session, { root }: Start): Answer {
  const rules = [...session.rules.values()];
  const config = checked(
    "use",
    {
      what: "lmake.config",
      code: "CLIBS_LMAKE_CONFIG",
      place: session.configPlace,
    },
    undefined,
    () => readConfig(session.config ?? {}),
  );
  const files = rules.flatMap(({ spec, file }) =>
    spec.cmd?.kind === "function" ? [[spec.name, file ?? root]] : []
  );
  return {
    kind: "defined",
    definition: { rules: rules.map(({ spec }) => spec), config },
    environUsed: Object.fromEntries(session.environUsed),
    files: Object.fromEntries(files),
  };
}

/** Makes the user's calls of `exit()` errors, which have a place. */
function refuseExit(answer: (message: Answer) => void, exit: typeof Deno.exit) {
  const refuse = (code: number = Deno.exitCode): never => {
    const error = new Exit(code);
    // Not only thrown: somebody may catch it.
    answer({ kind: "failed", failure: error.failure });
    return exit(1);
  };
  Object.defineProperty(Deno, "exit", { value: refuse });
  const { process } = globalThis as { process?: object };
  if (process) Object.defineProperty(process, "exit", { value: refuse });
}

function describe(error: unknown): Failure {
  if (error instanceof Exit) return error.failure;
  if (isClibsError(error)) {
    return { kind: "clibs", error: error.toJSON() };
  }
  if (!(error instanceof Error)) {
    return { kind: "thrown", name: "", message: String(error) };
  }
  return {
    kind: "thrown",
    name: error.name,
    message: error.message,
    place: placeIn(error.message) ?? placeOfStack(error.stack),
  };
}

/** Also of another copy of the class: the user may have imported the library. */
function isClibsError(error: unknown): error is ClibsError {
  return error instanceof ClibsError ||
    error instanceof Error &&
      /^CLIBS_/.test(String(Reflect.get(error, "code"))) &&
      typeof Reflect.get(error, "toJSON") === "function";
}

/** Reads lines, the first of them while nothing else may run. */
class LineReader {
  readonly #file: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(64 * 1024);
  #rest = "";

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  nextSync(): string | undefined {
    while (!this.#rest.includes("\n")) {
      if (!this.#take(this.#file.readSync(this.#buffer))) return undefined;
    }
    return this.#line();
  }

  async next(): Promise<string | undefined> {
    while (!this.#rest.includes("\n")) {
      if (!this.#take(await this.#file.read(this.#buffer))) return undefined;
    }
    return this.#line();
  }

  #take(count: number | null): boolean {
    if (count === null) return false;
    const bytes = this.#buffer.subarray(0, count);
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    return true;
  }

  #line(): string {
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }
}
