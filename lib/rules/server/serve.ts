/**
 * The server of a repo: keeps its memory at hand, and lets several commands at
 * once share jobs. It goes when nobody has asked for anything for a while.
 */

import { join } from "node:path";
import { CancelledError, toClibsError } from "../../errors.ts";
import { lstatIfExists } from "../../host/files.ts";
import { makeIn } from "../make.ts";
import { PRIVATE } from "../root.ts";
import { inWorkplace, type Workplace } from "../workplace.ts";
import { SPEAKER } from "./address.ts";
import { LineWriter, readLines } from "./lines.ts";
import { type Answer, type Request, serverAddress } from "./protocol.ts";

/** Exit code if another process works in the repo. */
export const BUSY = 75;
/** How long a lock is waited for: whoever holds it is asked instead. */
const LOCK_MS = 300;
/** How often it is looked whether the repo is still there. */
const WATCH_MS = 500;
/** Seconds without a command after which the server goes. */
const IDLE_S = 60;

/**
 * Serves a repo until nobody needs it.
 *
 * @returns Exit code: 0, or {@linkcode BUSY}.
 */
export async function serve(root: string): Promise<number> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), LOCK_MS);
  try {
    await inWorkplace(
      root,
      {
        doing: "serving clibs make",
        signal: waiting.signal,
        watches: true,
      },
      async (place) => {
        clearTimeout(timer);
        await new RepoServer(place).run();
      },
    );
    return 0;
  } catch (error) {
    if (error instanceof CancelledError && waiting.signal.aborted) return BUSY;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

class RepoServer {
  readonly #place: Workplace;
  readonly #address: string;
  readonly #commands = new Set<Promise<void>>();
  readonly #ended = Promise.withResolvers<void>();
  #idleSince = Date.now();
  #isReleased = false;

  constructor(place: Workplace) {
    this.#place = place;
    this.#address = serverAddress(place.root);
  }

  async run(): Promise<void> {
    try {
      // Of a server that was killed: we hold the lock.
      Deno.removeSync(this.#address);
    } catch {
      // There is none.
    }
    const listener = Deno.listen({ transport: "unix", path: this.#address });
    Deno.chmodSync(this.#address, 0o600);
    const accepting = this.#accept(listener);
    const inode = this.#lockInode();
    const idleMs = 1000 * Number(Deno.env.get("CLIBS_MAKE_IDLE") || IDLE_S);
    const watch = setInterval(() => {
      const isIdle = this.#commands.size === 0 &&
        (this.#isReleased || Date.now() - this.#idleSince > idleMs);
      // A repo that was removed needs no server; one anew has another lock.
      if (isIdle || this.#lockInode() !== inode) this.#ended.resolve();
    }, WATCH_MS);
    await this.#ended.promise;
    clearInterval(watch);
    listener.close();
    await accepting;
    await Promise.all(this.#commands);
    try {
      Deno.removeSync(this.#address);
    } catch {
      // The repo is gone.
    }
  }

  /** Tells those who wait for the lock what is being done. */
  #announce(doing: string): void {
    try {
      Deno.writeTextFileSync(
        join(this.#place.root, PRIVATE, "lock"),
        `pid ${Deno.pid} ${doing}\n`,
      );
    } catch {
      // The repo is gone; so will we be.
    }
  }

  #lockInode(): number | null | undefined {
    return lstatIfExists(join(this.#place.root, PRIVATE, "lock"))?.ino;
  }

  async #accept(listener: Deno.UnixListener): Promise<void> {
    for (;;) {
      let socket: Deno.UnixConn;
      try {
        socket = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        if (error instanceof Deno.errors.Interrupted) return;
        await new Promise((done) => setTimeout(done, 10));
        continue;
      }
      const command = this.#serve(socket).catch(() => {}).finally(() => {
        this.#commands.delete(command);
        this.#idleSince = Date.now();
        if (this.#isReleased && this.#commands.size === 0) {
          this.#ended.resolve();
        }
      });
      this.#commands.add(command);
    }
  }

  async #serve(socket: Deno.UnixConn): Promise<void> {
    const writer = new LineWriter(socket);
    const cancelled = new AbortController();
    let making: Promise<void> | undefined;
    try {
      for await (const request of readLines<Request>(socket)) {
        if (request.op === "cancel") cancelled.abort(new CancelledError());
        else if (request.op === "release") this.#isReleased = true;
        else if (request.speaker !== SPEAKER) {
          this.#isReleased = true;
          writer.send({ kind: "gone" });
          break;
        } else {
          making = this.#make(request, writer, cancelled.signal)
            .finally(() => socket.closeWrite().catch(() => {}));
        }
      }
      // A client that is gone wants nothing any more.
      cancelled.abort(new CancelledError());
      await making;
      await writer.flushed();
    } finally {
      socket.close();
    }
  }

  async #make(
    request: Request & { op: "make" },
    writer: LineWriter,
    signal: AbortSignal,
  ): Promise<void> {
    const { options, wants } = request;
    this.#announce(`making ${(options.targets ?? []).join(" ") || "nothing"}`);
    const send = (answer: Answer) => writer.send(answer);
    const sendSoon = (answer: Answer) => writer.sendSoon(answer);
    try {
      const report = await makeIn(this.#place, {
        ...options,
        ...(wants.lines
          ? { onLine: (text) => sendSoon({ kind: "line", text }) }
          : {}),
        ...(wants.events
          ? { onEvent: (event) => sendSoon({ kind: "event", event }) }
          : {}),
        ...(wants.progress
          ? { onProgress: (progress) => send({ kind: "progress", progress }) }
          : {}),
        ...(wants.stdout
          ? {
            onStdout: (chunk) =>
              send({ kind: "stdout", base64: toBase64(chunk) }),
          }
          : {}),
        feedback: {
          emit: (level, code, message, fields) =>
            send({
              kind: "feedback",
              level,
              code,
              message,
              fields: fields as Record<string, unknown>,
            }),
        },
        signal,
      });
      send({ kind: "done", report });
    } catch (thrown) {
      const error = toClibsError(thrown);
      send({ kind: "error", name: error.name, error: error.toJSON() });
    }
    await writer.flushed();
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
