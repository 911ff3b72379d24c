/** Extraction of a source tree, as a ratio to GNU tar in the same run. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { extractArchive } from "../../lib/host/archive/mod.ts";

const FILES = 10_000;
const FILE_BYTES = 10_000;
const ROUNDS = 7;

/**
 * Unpacks about 100 MB in 10,000 files, as .tar.gz, and prints a ratio to
 * `tar xzf` and to `cat | tar xz` (a download without a network).
 */
export async function benchExtract(): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "clibs-bench-" });
  try {
    makeTree(`${root}/tree`);
    shell("tar -czf a.tar.gz tree", root);
    const times = {
      clibs: [] as number[],
      tar: [] as number[],
      pipe: [] as number[],
    };
    const measure = async (
      list: number[],
      work: (into: string) => unknown,
    ) => {
      const into = `${root}/out`;
      Deno.mkdirSync(into);
      const start = performance.now();
      await work(into);
      list.push(performance.now() - start);
      Deno.removeSync(into, { recursive: true });
    };
    for (let round = 0; round < ROUNDS; round++) {
      await measure(
        times.clibs,
        (into) => extractArchive(`${root}/a.tar.gz`, into, { strip: "auto" }),
      );
      await measure(times.tar, (into) => shell("tar -xzf ../a.tar.gz", into));
      await measure(
        times.pipe,
        (into) => shell("cat ../a.tar.gz | tar -xz", into),
      );
    }
    const [clibs, tar, pipe] = [times.clibs, times.tar, times.pipe].map(median);
    console.log(
      `extract ${FILES} files: clibs ${show(clibs)}, tar ${show(tar)}, ` +
        `cat | tar ${show(pipe)}; ratio ${ratio(clibs, tar)} and ${
          ratio(clibs, pipe)
        } (aim: 1.30)`,
    );
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** Content that compresses about as well as source text. */
function makeTree(root: string): void {
  for (let i = 0; i < FILES; i++) {
    const folder = `${root}/d${i % 97}/s${i % 11}`;
    if (i < 97 * 11) Deno.mkdirSync(folder, { recursive: true });
    const words: string[] = [];
    for (let size = 0; size < FILE_BYTES; size += 41) {
      const word = createHash("md5").update(`${i % 500} ${size}`).digest("hex");
      words.push(`int v_${word.slice(0, 6)} = 0; // same words again`);
    }
    Deno.writeFileSync(
      `${folder}/f${i}.c`,
      Buffer.from(words.join("\n")).subarray(0, FILE_BYTES),
    );
  }
}

function shell(command: string, cwd: string): void {
  const { success } = new Deno.Command("bash", {
    args: ["-c", command],
    cwd,
  }).outputSync();
  if (!success) throw new Error(`failed: ${command}`);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function show(ms: number | undefined): string {
  return `${Math.round(ms ?? NaN)} ms`;
}

function ratio(a: number | undefined, b: number | undefined): string {
  return ((a ?? NaN) / (b ?? NaN)).toFixed(2);
}

if (import.meta.main) await benchExtract();
