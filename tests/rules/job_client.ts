/** A client of the request channel that sends what it is told. */

import {
  FrameReader,
  toFrame,
  writeAll,
} from "../../lib/rules/channel/frames.ts";
import type { Session } from "./job_support.ts";

/** A client that speaks frames. */
export class Client implements Disposable {
  readonly #reader: FrameReader;

  constructor(readonly socket: Deno.UnixConn) {
    this.#reader = new FrameReader(socket);
  }

  static async connect(address: string): Promise<Client> {
    return new Client(
      await Deno.connect({ transport: "unix", path: address }),
    );
  }

  /** A client of a session's job. */
  static async of(session: Session): Promise<Client> {
    const client = await Client.connect(session.server.address);
    await client.send({ hello: 1, job: session.id });
    return client;
  }

  async send(...messages: unknown[]): Promise<void> {
    for (const message of messages) {
      await writeAll(this.socket, toFrame(JSON.stringify(message)));
    }
  }

  /** The next answer; null if the server hung up. */
  // deno-lint-ignore no-explicit-any
  async receive(): Promise<any> {
    const payload = await this.#reader.next().catch((error) => {
      // What was not read when the server closed makes it a reset.
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    });
    return payload && JSON.parse(new TextDecoder().decode(payload));
  }

  // deno-lint-ignore no-explicit-any
  async ask(message: unknown): Promise<any> {
    await this.send(message);
    return await this.receive();
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}
