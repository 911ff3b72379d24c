/**
 * Asks the server of a repo before the rest of clibs is loaded, which takes
 * longer than most things that the server is asked for.
 */

import { findRoot } from "../root.ts";
import type { AskedServer, MakeReport } from "../make_types.ts";
import { addressInRepo, SPEAKER } from "./address.ts";
import { LineWriter, readLines } from "./lines.ts";
import type { Answer, Request } from "./protocol.ts";

/**
 * How long the first line is waited for. Loading the rest of clibs keeps us
 * busy for longer than it takes to look at thousands of files; while jobs run,
 * Ctrl-C is to be heard.
 */
const PATIENCE_MS = 300;
/** From the first line on: the last one mostly comes with it. */
const LINE_MS = 5;

/** A server that has been asked, and has more to say. */
export interface Asked extends AskedServer {
  /** The connection to it. */
  readonly socket: Deno.UnixConn;
  /** All of its answers, from the first one. */
  readonly answers: AsyncIterable<Answer>;
  /** What it is told goes through this. */
  readonly writer: LineWriter;
}

/** What a server that answered at once had to say. */
export interface QuickAnswer {
  /** Lines for the user. */
  readonly lines: readonly string[];
  readonly report: MakeReport;
}

/**
 * Asks the server of this folder's repo to make files; all else is left at its
 * default.
 *
 * @param wants What it is to tell: lines for the user, how far it is.
 * @returns What it said if it was done at once; else the server, for
 *   `makeByServer`; undefined if there is none.
 */
export async function askQuickly(
  options: { targets: string[]; jobs?: number },
  wants: { lines: boolean; progress: boolean },
): Promise<QuickAnswer | Asked | undefined> {
  let root: string;
  let socket: Deno.UnixConn;
  try {
    root = findRoot(".");
    const path = addressInRepo(root);
    if (path === undefined) return undefined;
    socket = await Deno.connect({ transport: "unix", path });
  } catch {
    return undefined;
  }
  const request: Request = {
    op: "make",
    speaker: SPEAKER,
    options: {
      ...options,
      cwd: Deno.realPathSync("."),
      environ: Deno.env.toObject(),
    },
    wants: { ...wants, events: false, stdout: false },
  };
  const writer = new LineWriter(socket);
  writer.send(request);
  return await hear(root, socket, writer);
}

async function hear(
  root: string,
  socket: Deno.UnixConn,
  writer: LineWriter,
): Promise<QuickAnswer | Asked> {
  const coming = readLines<Answer>(socket);
  const heard: Answer[] = [];
  const lines: string[] = [];
  const late = Promise.withResolvers<undefined>();
  const giveUp = () => late.resolve(undefined);
  let timer = setTimeout(giveUp, PATIENCE_MS);
  try {
    for (;;) {
      const next = coming.next();
      const came = await Promise.race([next, late.promise]);
      if (!came) {
        return { root, socket, writer, answers: all(heard, next, coming) };
      }
      const answer = came.done ? undefined : came.value;
      if (answer) heard.push(answer);
      if (answer?.kind === "done") {
        socket.close();
        return { lines, report: answer.report };
      }
      if (answer?.kind === "line") {
        if (lines.push(answer.text) > 1) continue;
        clearTimeout(timer);
        timer = setTimeout(giveUp, LINE_MS);
      } else if (answer?.kind !== "progress") {
        // Not for us to show.
        return { root, socket, writer, answers: all(heard, next, coming) };
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** What was heard, what is being waited for, and the rest. */
async function* all(
  heard: readonly Answer[],
  next: Promise<IteratorResult<Answer>>,
  rest: AsyncIterable<Answer>,
): AsyncGenerator<Answer> {
  yield* heard;
  const { done, value } = await next;
  if (done) return;
  if (value !== heard.at(-1)) yield value;
  yield* rest;
}
