/** The runner's end of the request channel: one socket for all its jobs. */

import { ClibsError, toClibsError } from "../../errors.ts";
import type { JobServices } from "../services.ts";
import { FrameReader, MAX_FRAME, toFrame, writeAll } from "./frames.ts";
import { answerRequest, type JobRequestMessage } from "./requests.ts";
import { runTwin } from "./twins.ts";
import { parseTwinRequest, twinReply } from "./twin_frames.ts";

/** Version of the protocol, in the first frame of a client. */
export const CHANNEL_VERSION = 1;

/** Room for the path of a socket in the kernel, without the NUL. */
const MAX_ADDRESS = 107;

/** Answers what jobs ask for. */
export class JobServer implements AsyncDisposable {
  /** Path of the socket: what jobs have in `CLIBS_JOB_SOCKET`. */
  readonly address: string;
  readonly #listener: Deno.UnixListener;
  readonly #folder: string | undefined;
  readonly #jobs = new Map<string, JobServices>();
  readonly #connections = new Set<Connection>();
  readonly #accepting: Promise<void>;
  #far: { listener: Deno.TcpListener; accepting: Promise<void> } | undefined;

  /**
   * Starts a server.
   *
   * @param dir Folder for the socket, absolute. A socket elsewhere is used if
   *   its path would be too long for the kernel.
   */
  // Async, so that another transport may take its time.
  // deno-lint-ignore require-await
  static async listen(dir: string): Promise<JobServer> {
    let address = `${dir}/jobs-${Deno.pid}.sock`;
    let folder: string | undefined;
    if (new TextEncoder().encode(address).length > MAX_ADDRESS) {
      folder = Deno.makeTempDirSync({ prefix: "clibs-jobs-" });
      address = `${folder}/s`;
    } else {
      // Of a process that was killed and had the same number.
      removeIfThere(address);
    }
    const listener = Deno.listen({ transport: "unix", path: address });
    // The id of a job is what lets a caller in; this keeps out its readers.
    Deno.chmodSync(address, 0o600);
    return new JobServer(listener, address, folder);
  }

  private constructor(
    listener: Deno.UnixListener,
    address: string,
    folder: string | undefined,
  ) {
    this.#listener = listener;
    this.address = address;
    this.#folder = folder;
    this.#accepting = this.#accept(listener);
  }

  /**
   * Lets jobs on other machines in, too; the secret of each is its key.
   *
   * @param hostname Name or number by which they know this machine.
   * @returns What they have in `CLIBS_JOB_SOCKET`.
   * @throws {ClibsError} `CLIBS_JOB_ADDRESS` if it is none of this machine.
   */
  listenFar(hostname: string): string {
    if (!this.#far) {
      try {
        const listener = Deno.listen({ hostname, port: 0 });
        this.#far = { listener, accepting: this.#accept(listener) };
      } catch (error) {
        throw new ClibsError(
          "CLIBS_JOB_ADDRESS",
          `Cannot listen for jobs at ${hostname}: ${(error as Error).message}`,
          { hint: "set lmake.config.slurm.address to a name of this machine" },
        );
      }
    }
    const { port } = this.#far.listener.addr as Deno.NetAddr;
    return `tcp:${hostname}:${port}`;
  }

  /**
   * Answers the requests of a job from now on, until the result is disposed.
   *
   * @param jobId What the job has in `CLIBS_JOB_ID`: nobody can guess it, and
   *   no other job has it.
   */
  add(jobId: string, services: JobServices): Disposable {
    if (this.#jobs.has(jobId)) throw new RangeError("job id is used twice");
    this.#jobs.set(jobId, services);
    return {
      [Symbol.dispose]: () => {
        if (this.#jobs.get(jobId) === services) this.#jobs.delete(jobId);
      },
    };
  }

  /** Ends all connections and the server. */
  async close(): Promise<void> {
    this.#jobs.clear();
    for (const listener of [this.#listener, this.#far?.listener]) {
      try {
        listener?.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
    for (const connection of this.#connections) connection.close();
    await this.#accepting;
    await this.#far?.accepting;
    removeIfThere(this.address);
    if (this.#folder !== undefined) removeIfThere(this.#folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    const served = new Set<Promise<void>>();
    for (;;) {
      let socket: Deno.Conn;
      try {
        socket = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) break;
        if (error instanceof Deno.errors.Interrupted) break;
        // Out of descriptors, say: the next one may have more luck.
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      const connection = new Connection(socket, (id) => this.#jobs.get(id));
      this.#connections.add(connection);
      const serving = connection.serve().finally(() => {
        this.#connections.delete(connection);
        served.delete(serving);
      });
      served.add(serving);
    }
    await Promise.all(served);
  }
}

/** One client. */
class Connection {
  readonly #socket: Deno.Conn;
  readonly #find: (jobId: string) => JobServices | undefined;
  #sent: Promise<void> = Promise.resolve();
  #isOpen = true;

  constructor(
    socket: Deno.Conn,
    find: (jobId: string) => JobServices | undefined,
  ) {
    this.#socket = socket;
    this.#find = find;
  }

  /** Answers until the client hangs up, or sends what is no frame of ours. */
  async serve(): Promise<void> {
    try {
      const reader = new FrameReader(this.#socket, MAX_FRAME);
      const first = await reader.next();
      if (first === null) return;
      if (first[0] !== BRACE) return await this.#serveTwin(first);
      const jobId = this.#greet(parse(first));
      if (jobId === undefined) return await this.#sent;
      for (let next; (next = await reader.next()) !== null;) {
        void this.#answer(jobId, parse(next));
      }
    } catch {
      // Cut off, too long, not JSON, or the client is gone: nobody to tell.
    } finally {
      this.close();
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.close();
  }

  /** The job of the client; undefined if it was refused. */
  #greet({ hello, job }: Record<string, unknown>): string | undefined {
    const services = typeof job === "string" ? this.#find(job) : undefined;
    if (hello === CHANNEL_VERSION && services) return job as string;
    this.#send(JSON.stringify(failure(
      undefined,
      hello === CHANNEL_VERSION ? jobEnded() : new ClibsError(
        "CLIBS_JOB_CHANNEL",
        `Cannot talk to the runner: it speaks version ${CHANNEL_VERSION} of the channel, the job ${
          JSON.stringify(hello)
        }`,
      ),
    )));
    return undefined;
  }

  async #answer(
    jobId: string,
    request: JobRequestMessage & { id?: unknown },
  ): Promise<void> {
    let reply: unknown;
    try {
      const services = this.#find(jobId);
      if (!services) throw jobEnded();
      const result = await answerRequest(services, request);
      reply = { id: request.id, result: result ?? null };
    } catch (error) {
      reply = failure(request.id, error);
    }
    this.#send(JSON.stringify(reply));
  }

  async #serveTwin(payload: Uint8Array): Promise<void> {
    const request = parseTwinRequest(payload);
    const services = this.#find(request.jobId);
    const refusal = services ? NOT_TEXT : ENDED;
    const result = services && request.isExact
      ? await runTwin(services, request)
      : {
        code: services ? 1 : 2,
        stdout: "",
        stderr: `${request.program}: ${refusal}\n`,
      };
    this.#send(twinReply(result, request.args.length));
    await this.#sent;
  }

  #send(payload: string | Uint8Array): void {
    this.#sent = this.#sent.then(async () => {
      if (this.#isOpen) await writeAll(this.#socket, toFrame(payload));
    }).catch(() => this.close());
  }
}

const BRACE = 0x7b;

const ENDED = "Cannot ask the runner: the job has ended";

const NOT_TEXT = "Cannot read the arguments: they are not UTF-8";

function jobEnded(): ClibsError {
  return new ClibsError("CLIBS_JOB_ENDED", ENDED);
}

/** A payload as an object; whatever else it is ends the connection. */
function parse(payload: Uint8Array): Record<string, unknown> {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
  const value = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("frame is not an object");
  }
  return value;
}

function failure(id: unknown, error: unknown): unknown {
  const { code, message, facts, hint } = toClibsError(error);
  return { id: id ?? null, error: { code, message, facts, hint } };
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
