/** Download and unpacking, beside curl and tar; and memory. */

import { fileURLToPath } from "node:url";
import { bash, benchDir, type Contender, medians, report } from "./measure.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** 100 MB in 10,000 files, fetched from a server on this machine. */
export async function benchFetch(): Promise<void> {
  const dir = benchDir();
  await using server = await serveFiles(dir);
  try {
    bash(
      dir,
      `mkdir -p big/{0..99}
for d in big/*/; do for i in {0..99}; do head -c 10000 /dev/urandom > $d/$i; done; done
tar czf big.tar.gz big; rm -r big; mkdir pkg out
head -c 10000000 /dev/zero | gzip > small.gz
head -c 1000000000 /dev/zero | gzip > large.gz`,
    );
    Deno.writeTextFileSync(
      `${dir}/pkg/pkg.yaml`,
      yaml(server.url, "big.tar.gz"),
    );
    const contenders: Contender[] = [
      {
        name: "curl | tar",
        command: [
          "bash",
          "-ec",
          `curl -s ${server.url}/big.tar.gz | tar xz -C ${dir}/out`,
        ],
        prepare: () => bash(dir, "rm -rf out; mkdir out; sync"),
      },
      {
        name: "clibs fetch",
        command: [Deno.execPath(), "run", "-A", main, "fetch", `${dir}/pkg`],
        env: { CLIBS_CACHE_DIR: `${dir}/cache` },
        prepare: () => clear(dir),
      },
    ];
    report(
      "Download and unpack 100 MB, 10,000 files, median of 5",
      contenders,
      medians(contenders, 5),
    );
    console.log("\nPeak memory of clibs fetch");
    for (const [name, size] of [["small.gz", "10 MB"], ["large.gz", "1 GB"]]) {
      clear(dir);
      Deno.writeTextFileSync(
        `${dir}/pkg/pkg.yaml`,
        yaml(server.url, name ?? ""),
      );
      console.log(`  unpacking ${size}: ${peakMemory(dir)} MB`);
    }
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function yaml(url: string, file: string): string {
  return `version: "1"
files: [{ url: "${url}/${file}" }]
build: { command: "true" }
`;
}

function clear(dir: string): void {
  bash(dir, "rm -rf cache pkg/_* pkg/pkg.lock.json; sync");
}

/** High-water mark of the process, read by it at its end. */
function peakMemory(dir: string): number {
  const out = bash(
    dir,
    `cat > peak.ts <<'END'
import { fetchPackages } from "${
      new URL("../../mod.ts", import.meta.url).href
    }";
await fetchPackages(["${dir}/pkg"]);
console.log(/VmHWM:\\s+(\\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))[1]);
END
CLIBS_CACHE_DIR=${dir}/cache ${Deno.execPath()} run -A --config ${
      fileURLToPath(new URL("../../deno.json", import.meta.url))
    } peak.ts`,
  );
  return Math.round(Number(out) / 1024);
}

/** A server in a process of its own, so that it does not share our thread. */
async function serveFiles(
  dir: string,
): Promise<AsyncDisposable & { url: string }> {
  const program = `Deno.serve({ hostname: "127.0.0.1", port: 0,
    onListen: ({ port }) => console.log(port) }, async (request) => {
    const file = await Deno.open("${dir}" + new URL(request.url).pathname);
    const { size } = await file.stat();
    return new Response(file.readable, { headers: { "content-length": String(size) } });
  });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = new TextDecoder().decode(value).trim();
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}
