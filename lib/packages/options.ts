/** Options that several calls of the library share. */

import { type Feedback, silent } from "../feedback/bus.ts";
import { cacheDir } from "../host/dirs.ts";

/** Options of everything that may use the network. */
export interface FetchOptions {
  /** Use caches only. Default: false. */
  offline?: boolean;
  /** Refuse to write pkg.lock.json. Default: false. */
  locked?: boolean;
  /** Where to report what happens. Default: nowhere. */
  feedback?: Feedback;
  /** Interrupts the work. */
  signal?: AbortSignal;
  /**
   * Reads a variable of the environment: `CLIBS_CACHE_DIR`, `CLIBS_MIRROR`,
   * `CLIBS_HTTP_STALL_S`, `CLIBS_BUILD_CFLAGS`, `CLIBS_BUILD_LDFLAGS`,
   * `CLIBS_BUILD_TARGET`. Default: the process's environment.
   */
  env?: (name: string) => string | undefined;
}

/** {@linkcode FetchOptions} with the defaults filled in. */
export interface FetchContext {
  offline: boolean;
  locked: boolean;
  feedback: Feedback;
  signal?: AbortSignal;
  env: (name: string) => string | undefined;
  cache: string;
  mirrors: string[];
  stallMs: number;
}

/** Fills in the defaults. */
export function fetchContext(options: FetchOptions): FetchContext {
  const env = options.env ?? ((name: string) => Deno.env.get(name));
  const stallS = Number(env("CLIBS_HTTP_STALL_S"));
  return {
    offline: options.offline ?? false,
    locked: options.locked ?? false,
    feedback: options.feedback ?? silent,
    signal: options.signal,
    env,
    cache: cacheDir(env),
    mirrors: (env("CLIBS_MIRROR") ?? "").split(",").map((part) => part.trim())
      .filter((part) => part !== ""),
    stallMs: (stallS > 0 ? stallS : 60) * 1000,
  };
}
