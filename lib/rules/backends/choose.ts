/** Which backend a job runs on, and what there is for it there. */

import { ClibsError } from "../../errors.ts";
import { type Feedback, silent } from "../../feedback/bus.ts";
import { Pool } from "../engine/pool.ts";
import { type Amounts, parseAmounts } from "../engine/resources.ts";
import type { Spawner } from "../engine/spawner.ts";
import type { Attributes, Config } from "../model.ts";
import { type Backend, LocalBackend } from "./backend.ts";
import type { SlurmBackend } from "./slurm.ts";
import type { SlurmRequest } from "./slurm_open.ts";

/** What a command asks of all backends. */
export interface BackendRequest {
  /** Settings of the repo. */
  config: Config;
  /** Jobs at once; undefined: as many as there is room for. */
  jobs: number | undefined;
  /** Arguments for the backend, as one text. */
  args: string | undefined;
  /** Environment of the caller. */
  environ: Readonly<Record<string, string>> | undefined;
  /** Where it is told that a backend cannot be had. */
  feedback: Feedback | undefined;
}

/** A backend, and what one job takes of it. */
export interface Place {
  backend: Backend;
  pool: Pool;
  wants: Amounts;
  /** Setting that says what there is. */
  setting: string;
}

/** Slurm, and how many jobs it had better have at most. */
interface OpenSlurm {
  backend: SlurmBackend;
  jobs: number;
}

/** Counts jobs, beside the amounts that they ask for; no other can be named so. */
const JOBS = "jobs at once";

/** The backends of a repo, started when they are first needed. */
export class Backends {
  readonly #root: string;
  readonly #spawner: () => Promise<Spawner>;
  readonly #local: LocalBackend;
  readonly #slurms = new Map<string, Promise<SlurmBackend>>();
  readonly #slurmOf = new WeakMap<
    BackendRequest,
    Promise<OpenSlurm | string>
  >();
  readonly #hereOf = new WeakMap<BackendRequest, Pool>();
  readonly #pools = new Map<string, Pool>();
  readonly #warned = new WeakSet<BackendRequest>();

  /**
   * @param root Root of the repo.
   * @param spawner Starts processes.
   */
  constructor(root: string, spawner: () => Promise<Spawner>) {
    this.#root = root;
    this.#spawner = spawner;
    this.#local = new LocalBackend(root, spawner);
  }

  /**
   * Where a job runs: on the backend of its rule, or here if there is none.
   *
   * @param request The same object for all jobs of a command.
   */
  async choose(
    request: BackendRequest,
    attributes: Attributes,
  ): Promise<Place> {
    const wants = attributes.resources as Amounts;
    if (attributes.backend !== "slurm") return this.#here(request, wants);
    const slurm = await this.#slurm(request);
    if (typeof slurm !== "string") {
      slurm.backend.tellTo(request.feedback ?? silent);
      return this.#inSlurm(request, slurm, wants);
    }
    if (!this.#warned.has(request)) {
      this.#warned.add(request);
      (request.feedback ?? silent).emit(
        "warn",
        "note",
        `no Slurm (${slurm}): its jobs run on this machine`,
        { about: "slurm" },
      );
    }
    return this.#instead(request, wants);
  }

  /** Waits until the backends have let go of all jobs. */
  async close(): Promise<void> {
    for (const backend of this.#slurms.values()) await (await backend).close();
    this.#local.close();
  }

  #here(request: BackendRequest, wants: Amounts): Place {
    let pool = this.#hereOf.get(request);
    if (!pool) {
      pool = this.#pool("local", hereTotal(request));
      this.#hereOf.set(request, pool);
    }
    return {
      backend: this.#local,
      pool,
      wants,
      setting: "lmake.config.backends.local",
    };
  }

  /** What was meant for Slurm takes no more than this machine has. */
  #instead(request: BackendRequest, wants: Amounts): Place {
    const total = hereTotal(request);
    const place = this.#here(request, wants);
    return {
      ...place,
      wants: Object.fromEntries(
        Object.entries(wants).flatMap(([name, amount]) => {
          const most = total[name];
          return most === undefined ? [] : [[name, Math.min(amount, most)]];
        }),
      ),
    };
  }

  #inSlurm(
    { config, jobs }: BackendRequest,
    slurm: OpenSlurm,
    wants: Amounts,
  ): Place {
    const own = parseAmounts(config.backends["slurm"] ?? {});
    const total = {
      cpu: Infinity,
      mem: Infinity,
      tmp: Infinity,
      ...own,
      [JOBS]: jobs ?? config.slurm?.jobs ?? slurm.jobs,
    };
    const counted = Object.fromEntries(
      Object.entries(wants).filter(([name]) => name in total),
    );
    return {
      backend: slurm.backend,
      pool: this.#pool("slurm", total),
      wants: { ...counted, [JOBS]: 1 },
      setting: "lmake.config.backends.slurm",
    };
  }

  /** Commands with the same settings share what there is. */
  #pool(name: string, total: Amounts): Pool {
    const key = JSON.stringify([name, Object.entries(total).map(String)]);
    let pool = this.#pools.get(key);
    if (!pool) this.#pools.set(key, pool = new Pool(total));
    return pool;
  }

  /** Slurm as a command wants it, or why it cannot be had. */
  #slurm(request: BackendRequest): Promise<OpenSlurm | string> {
    let slurm = this.#slurmOf.get(request);
    if (!slurm) this.#slurmOf.set(request, slurm = this.#openSlurm(request));
    return slurm;
  }

  async #openSlurm(request: BackendRequest): Promise<OpenSlurm | string> {
    const { config, environ, args } = request;
    const wanted: SlurmRequest = {
      root: this.#root,
      spawner: this.#spawner,
      environ: environ ?? Deno.env.toObject(),
      settings: config.slurm ?? {},
      args: args ?? "",
      counters: Object.keys(config.backends["slurm"] ?? {}),
      feedback: request.feedback ?? silent,
    };
    const { openSlurm, probeSlurm, slurmKey } = await import("./slurm_open.ts");
    // Each command looks: it may have come, or gone, since the last one.
    const jobs = await probeSlurm(wanted);
    if (typeof jobs === "string") return jobs;
    const key = slurmKey(wanted);
    let backend = this.#slurms.get(key);
    if (!backend) {
      backend = openSlurm(wanted);
      this.#slurms.set(key, backend);
      backend.catch(() => this.#slurms.delete(key));
    }
    return { backend: await backend, jobs };
  }
}

function hereTotal({ config, jobs }: BackendRequest): Amounts {
  return {
    mem: Infinity,
    tmp: Infinity,
    cpu: navigator.hardwareConcurrency,
    ...parseAmounts(config.backends["local"] ?? {}),
    // Whoever asks for more than there is by default gets it.
    ...(jobs === undefined ? {} : { cpu: jobs }),
  };
}

/**
 * Makes sure that a place has what a job takes.
 *
 * @param title The job.
 * @throws {ClibsError} `CLIBS_LMAKE_RESOURCE` if it never will.
 */
export function checkPlace(
  { pool, wants, setting }: Place,
  title: string,
): void {
  const problem = pool.problem(wants);
  if (problem === undefined) return;
  throw new ClibsError(
    "CLIBS_LMAKE_RESOURCE",
    `Cannot run ${title}: ${problem}`,
    { hint: `ask for less, or raise ${setting}` },
  );
}
