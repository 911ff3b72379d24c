/** Decompresses files as a stream, and notices when one is cut short. */

import { spawn } from "node:child_process";
import { closeSync, createReadStream, openSync } from "node:fs";
import { createGunzip } from "node:zlib";
import { findProgram } from "../process.ts";
import type { FaultReporter } from "./failure.ts";
import { decodeWithoutTool } from "./decode_js.ts";
import { CHUNK_BYTES } from "./queue.ts";

/** How a file is compressed. */
export type Codec = "none" | "gz" | "bz2" | "xz" | "zst";

/** Finds a program on PATH. */
export type FindProgram = (name: string) => string | undefined;

const tools = {
  bz2: { name: "bzip2", args: ["-dc"] },
  xz: { name: "xz", args: ["-dc"] },
  // The default window limit of 128 MiB would refuse `zstd --ultra --long=31`.
  zst: { name: "zstd", args: ["-dcq", "--long=31"] },
};

/**
 * The decompressed bytes of a file, in chunks that are not used again.
 *
 * Multi-member gzip, and files of several bzip2 or xz streams or zstd frames,
 * are read as a whole. The system's tools are about twice as fast as what a
 * JavaScript program can do, so they are used where they are installed.
 *
 * @param find Finds those tools; for tests.
 */
export function decode(
  path: string,
  codec: Codec,
  faults: FaultReporter,
  find: FindProgram = findProgram,
): AsyncGenerator<Uint8Array> {
  if (codec === "none") return readFile(path);
  if (codec === "gz") return readGzip(path, faults);
  const tool = tools[codec];
  const program = find(tool.name);
  return program === undefined
    ? decodeWithoutTool(path, codec, faults)
    : readThrough(program, tool, path, faults);
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: CHUNK_BYTES });
}

async function* readGzip(
  path: string,
  faults: FaultReporter,
): AsyncGenerator<Uint8Array> {
  // Smaller than elsewhere: the stream may hold 1032 times as much as output.
  const file = createReadStream(path, { highWaterMark: 32 * 1024 });
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  file.on("error", (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    yield* gunzip;
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (/^E[A-Z]+$/.test(code)) throw error;
    const cut = code === "Z_BUF_ERROR";
    throw faults.make(
      "CORRUPT",
      cut ? "is cut short" : "is not valid gzip data",
      { gzip: (error as Error).message },
      error,
    );
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  checkZeros(path, gunzip.bytesWritten, faults);
}

/** Zeros may follow (padding of tapes); zlib would ignore anything after one. */
function checkZeros(path: string, from: number, faults: FaultReporter): void {
  using file = Deno.openSync(path);
  file.seekSync(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let n; (n = file.readSync(buffer)) !== null;) {
    if (buffer.subarray(0, n).some((byte) => byte !== 0)) {
      throw faults.make("CORRUPT", "has data after its end");
    }
  }
}

async function* readThrough(
  program: string,
  tool: { name: string; args: string[] },
  path: string,
  faults: FaultReporter,
): AsyncGenerator<Uint8Array> {
  // As an open file: no name of ours can be taken for an option.
  const input = openSync(path, "r");
  // Their variables for default options (XZ_OPT, BZIP2) are left out.
  const env = { PATH: Deno.env.get("PATH") ?? "", LC_ALL: "C" };
  const child = spawn(program, tool.args, {
    stdio: [input, "pipe", "pipe"],
    env,
  });
  closeSync(input);
  let said = "";
  child.stderr!.on("data", (data) => {
    if (said.length < 2000) said += String(data);
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", reject);
  });
  // Awaited below, but possibly after the failure.
  closed.catch(() => {});
  let done = false;
  try {
    yield* child.stdout!;
    done = true;
  } finally {
    if (!done) child.kill("SIGKILL");
    await closed;
  }
  const code = await closed;
  // bzip2 only warns about garbage at the end.
  if (code === 0 && said.trim() === "") return;
  const cut = /unexpected end|ends unexpectedly|premature/i.test(said);
  throw faults.make(
    "CORRUPT",
    cut ? "is cut short" : `is not valid ${tool.name} data`,
    { [tool.name]: firstLine(said) || `exit code ${code}` },
  );
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.replace(/^\S*: (\(stdin\)|\S*\*): /, "") ??
    "";
}
