/** Checks whether this machine has what packages need. */

import { dirname } from "node:path";
import { cacheEntries } from "../host/cache.ts";
import { cacheDir } from "../host/dirs.ts";
import { lstatIfExists } from "../host/files.ts";
import { runProcess } from "../host/process.ts";
import type { Check } from "../toolchain/doctor.ts";
import { discoverPackages } from "./discover.ts";
import { loadPackage } from "./list.ts";

export type { Check };

/** Result of {@linkcode doctor}. */
export interface DoctorReport {
  /** Version of this form. */
  version: 1;
  /** Whether every required check is fine. */
  ok: boolean;
  /** The checks, in the order shown. */
  checks: Check[];
}

/** Options of {@linkcode doctor}. */
export interface DoctorOptions {
  /** Skip what needs the network. Default: false. */
  offline?: boolean;
  /** Folder whose packages' hosts are asked. Default: the current one. */
  dir?: string;
  /** Interrupts the checks. */
  signal?: AbortSignal;
}

/** Below so many free bytes a build is likely to fail. */
const LOW_DISK_BYTES = 1e9;
/** How long a host may take to answer. */
const HOST_TIMEOUT_MS = 5000;

/** Checks tools, disk, cache and network, and says what to install. */
export async function doctor(
  options: DoctorOptions = {},
): Promise<DoctorReport> {
  const dir = options.dir ?? ".";
  const { probeTools } = await import("../toolchain/doctor.ts");
  const checks = [
    ...await probeTools(),
    await diskCheck("disk", dir),
    cacheCheck(),
    await traceCheck(),
    await diskCheck("cache disk", existingParent(cacheDir())),
    ...(options.offline ? [] : await networkChecks(dir, options.signal)),
  ];
  const ok = checks.every((check) => check.ok || !check.required);
  return { version: 1, ok, checks };
}

function existingParent(path: string): string {
  let dir = path;
  while (!lstatIfExists(dir) && dirname(dir) !== dir) dir = dirname(dir);
  return dir;
}

async function diskCheck(name: string, dir: string): Promise<Check> {
  const result = await runProcess({ command: "df", args: ["-Pk", "--", dir] });
  const fields = result.stdout.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
  const free = Number(fields[3]) * 1024;
  if (!result.ok || Number.isNaN(free)) {
    return { name, ok: true, required: false, detail: "unknown" };
  }
  return {
    name,
    ok: free >= LOW_DISK_BYTES,
    required: false,
    detail: `${(free / 1e9).toFixed(1)} GB free`,
    ...(free >= LOW_DISK_BYTES ? {} : { fix: "clibs clean --all --dry-run" }),
  };
}

function cacheCheck(): Check {
  const cache = cacheDir();
  try {
    Deno.mkdirSync(cache, { recursive: true });
    const probe = Deno.makeTempFileSync({ dir: cache, prefix: ".probe-" });
    Deno.removeSync(probe);
  } catch (error) {
    return {
      name: "cache",
      ok: false,
      required: true,
      detail: `${cache} cannot be written: ${(error as Error).message}`,
      fix: "set CLIBS_CACHE_DIR to a folder that can be written",
    };
  }
  const entries = cacheEntries(cache);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  return {
    name: "cache",
    ok: true,
    required: true,
    detail: `${cache}: ${entries.length} entries, ${
      (bytes / 1e6).toFixed(1)
    } MB`,
  };
}

/** Which ways of tracing work; builds what they need if that was never done. */
async function traceCheck(): Promise<Check> {
  const { traceMethods } = await import("../trace/api.ts");
  const states = await traceMethods();
  const working = states.filter(({ works }) => works);
  const broken = states.filter(({ works }) => !works)
    .map(({ method, reason }) => `${method} does not work: ${reason}`);
  return {
    name: "trace",
    ok: broken.length === 0,
    required: false,
    detail: [...working.map(({ method }) => method), ...broken].join(", "),
  };
}

/** Asks each host that the packages here are fetched from. */
async function networkChecks(
  dir: string,
  signal: AbortSignal | undefined,
): Promise<Check[]> {
  const checks: Check[] = [];
  const proxy = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]
    .filter((name) => Deno.env.get(name));
  if (proxy.length > 0) {
    checks.push({
      name: "proxy",
      ok: true,
      required: false,
      detail: `set by ${proxy.join(", ")}`,
    });
  }
  for (const origin of await origins(dir)) {
    checks.push(await hostCheck(origin, signal));
  }
  return checks;
}

async function hostCheck(
  origin: string,
  signal: AbortSignal | undefined,
): Promise<Check> {
  const base = { name: `host ${new URL(origin).host}`, required: false };
  const signals = [AbortSignal.timeout(HOST_TIMEOUT_MS)];
  if (signal) signals.push(signal);
  try {
    const response = await fetch(origin, {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.any(signals),
    });
    await response.body?.cancel();
    return { ...base, ok: true, detail: `answers (${response.status})` };
  } catch {
    return {
      ...base,
      ok: false,
      detail: "does not answer",
      fix: "check the network and HTTPS_PROXY, or use --offline with caches",
    };
  }
}

async function origins(dir: string): Promise<string[]> {
  const found = new Set<string>();
  let dirs: string[] = [];
  try {
    dirs = discoverPackages([dir]);
  } catch {
    // No package here: nothing to ask.
  }
  for (const path of dirs) {
    const spec = await loadPackage(path).catch(() => undefined);
    const urls = [spec?.git?.repo, ...(spec?.files ?? []).map((f) => f.url)];
    for (const url of urls) {
      if (url && /^https?:/i.test(url) && URL.canParse(url)) {
        found.add(new URL(url).origin);
      }
    }
  }
  return [...found];
}
