/**
 * The job's end of the request channel.
 *
 * Every function job loads it, so it imports next to nothing and connects at
 * the first call only.
 */

import {
  FrameReader,
  JOB_ID_VARIABLE,
  SOCKET_VARIABLE,
  toFrame,
  writeAll,
} from "../channel/frames.ts";

/** An error that the runner answered with. */
export interface JobError extends Error {
  /** Stable code, such as `CLIBS_JOB_ARGUMENT`. */
  code: string;
  /** One next step. */
  hint?: string;
}

interface Reply {
  id?: unknown;
  result?: unknown;
  error?: { code: string; message: string; hint?: string };
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/** Replies may be longer than requests: the runner is trusted. */
const MAX_REPLY = 0xffffffff;

const waiting = new Map<number, Waiting>();
const unsent: Uint8Array[] = [];
let socket: Promise<Deno.Conn> | undefined;
let connected: Deno.Conn | undefined;
let reader: FrameReader | undefined;
let isSending = false;
let isReceiving = false;
let lastId = 0;

/**
 * Makes an error as the job sees it.
 *
 * Its name stays `Error`: what a job prints when it ends with it is meant for
 * people.
 */
export function jobError(
  code: string,
  message: string,
  hint?: string,
): JobError {
  return Object.assign(new Error(message), { code, hint });
}

/** Whether this process belongs to a job. */
export function isInJob(): boolean {
  return !!Deno.env.get(SOCKET_VARIABLE) && !!Deno.env.get(JOB_ID_VARIABLE);
}

/** Throws unless this process belongs to a job. */
export function assertInJob(call: string): void {
  if (isInJob()) return;
  throw jobError(
    "CLIBS_JOB_OUTSIDE",
    `Cannot call ${call}: it only works inside cmd, while a job runs`,
    "call it in the function that is the cmd of a rule",
  );
}

/**
 * Asks the runner, and waits for its answer.
 *
 * @param fields Arguments by name; the current folder is added.
 */
export async function ask(
  op: string,
  fields: Record<string, unknown>,
): Promise<unknown> {
  assertInJob(op);
  const id = ++lastId;
  const reply = await new Promise<Reply>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    unsent.push(
      toFrame(JSON.stringify({ id, op, cwd: Deno.cwd(), ...fields })),
    );
    void send();
  });
  // Made here, not where the reply came in: this stack leads to the caller.
  if (reply.error) {
    const { code, message, hint } = reply.error;
    throw jobError(code, message, hint);
  }
  return reply.result;
}

/** Ends the connection; the next call makes another one. */
export function disconnect(): void {
  failAll(new Error("disconnected"));
}

async function send(): Promise<void> {
  if (isSending) return;
  isSending = true;
  try {
    // Without a pause if there is a connection: a request is on its way before
    // the call returns, also to somebody who forgets to wait for it.
    const to = connected ?? await (socket ??= connect());
    void receive();
    for (let frame; (frame = unsent.shift());) await writeAll(to, frame);
  } catch (error) {
    failAll(error);
  } finally {
    isSending = false;
  }
}

async function connect(): Promise<Deno.Conn> {
  const address = Deno.env.get(SOCKET_VARIABLE)!;
  const job = Deno.env.get(JOB_ID_VARIABLE)!;
  const made = await dial(address);
  reader = new FrameReader(made, MAX_REPLY);
  connected = made;
  await writeAll(made, toFrame(JSON.stringify({ hello: 1, job })));
  return made;
}

/** Connects to `/path`, or `tcp:host:port`; `@host` is out of reach. */
async function dial(address: string): Promise<Deno.Conn> {
  if (address.startsWith("@")) {
    throw jobError(
      "CLIBS_JOB_NODE",
      `Cannot reach the runner on ${address.slice(1)} from this machine`,
      "set lmake.config.slurm.address to a name by which nodes know that machine, or run the job there",
    );
  }
  const far = /^tcp:(.+):(\d+)$/.exec(address);
  return far
    ? await Deno.connect({ hostname: far[1]!, port: Number(far[2]) })
    : await Deno.connect({ transport: "unix", path: address });
}

/** Reads only while somebody waits: else the process could never end. */
async function receive(): Promise<void> {
  if (isReceiving) return;
  isReceiving = true;
  try {
    while (waiting.size > 0 && reader) {
      const payload = await reader.next();
      if (payload === null) throw new Error("it hung up");
      const reply: Reply = JSON.parse(new TextDecoder().decode(payload));
      if (typeof reply.id !== "number") {
        const { error } = reply;
        throw error ? jobError(error.code, error.message, error.hint) : reply;
      }
      waiting.get(reply.id)?.resolve(reply);
      waiting.delete(reply.id);
    }
  } catch (error) {
    failAll(error);
  } finally {
    isReceiving = false;
  }
}

function failAll(error: unknown): void {
  const cause = error as Partial<JobError>;
  for (const { reject } of waiting.values()) {
    reject(
      cause.code?.startsWith("CLIBS_") ? cause : jobError(
        "CLIBS_JOB_CHANNEL",
        `Cannot ask the runner: ${cause.message ?? error}`,
      ),
    );
  }
  waiting.clear();
  unsent.length = 0;
  try {
    connected?.close();
  } catch {
    // It was closed already.
  }
  connected = socket = reader = undefined;
}
