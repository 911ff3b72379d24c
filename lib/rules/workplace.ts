/** What commands of one repo share: its memory, its lock, and who runs jobs. */

import { join } from "node:path";
import type { Feedback } from "../feedback/bus.ts";
import { type Checksums, loadChecksums } from "../host/checksum.ts";
import { removeTree, sortedEntries } from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { endStaleGroup } from "../jobs/group.ts";
import { obtainNative } from "../toolchain/native.ts";
import { Backends } from "./backends/choose.ts";
import { JobServer } from "./channel/server.ts";
import { TWINS } from "./channel/twins.ts";
import { CodecTables } from "./codec/tables.ts";
import { Spawner } from "./engine/spawner.ts";
import { RepoMemo } from "./memo.ts";
import launch from "./native/launch.c" with { type: "text" };
import spawn from "./native/spawn.c" with { type: "text" };
import { placePython } from "./python/place.ts";
import { openRepo, type Repo } from "./repo.ts";
import { Store } from "./state/store.ts";
import { PRIVATE } from "./root.ts";
import type { CommandWatch } from "./watch/command.ts";
import { LookAgain } from "./watch/looks.ts";
import type { Watcher } from "./watch/watcher.ts";

/** How a workplace is entered. */
export interface WorkplaceOptions {
  /** What is going to be done, for those who wait. */
  doing: string;
  /** Where waiting and building of tools is reported. */
  feedback?: Feedback;
  /** Gives up waiting for another command. */
  signal?: AbortSignal;
  /** Whether the repo is watched if its config says so. Default: false. */
  watches?: boolean;
}

/**
 * Works in a repo that nobody else may change meanwhile.
 *
 * What a killed command left is ended and removed first.
 *
 * @throws {CancelledError} If `signal` fires while waiting.
 */
export async function inWorkplace<T>(
  root: string,
  options: WorkplaceOptions,
  work: (place: Workplace) => Promise<T>,
): Promise<T> {
  Deno.mkdirSync(join(root, PRIVATE, "running"), { recursive: true });
  return await withLock(join(root, PRIVATE, "lock"), options, async () => {
    await endLeftOvers(root);
    const [store, sums] = await Promise.all([
      Store.open(root),
      loadChecksums(),
    ]);
    const { feedback, watches = false } = options;
    const place = new Workplace(root, store, sums, feedback, watches);
    try {
      return await work(place);
    } finally {
      await place.close();
    }
  });
}

/** Ends jobs of a command that was killed, and removes what they left. */
async function endLeftOvers(root: string): Promise<void> {
  const running = join(root, PRIVATE, "running");
  for (const { name } of sortedEntries(running)) {
    const mark = join(running, name);
    try {
      const { pid, jobId } = JSON.parse(Deno.readTextFileSync(mark));
      await endStaleGroup(Number(pid), String(jobId));
    } catch {
      // Torn: its job had not been started.
    }
    Deno.removeSync(mark);
  }
  const withdraw = () => removeTree(join(root, PRIVATE, "run"));
  if (!exists(join(root, PRIVATE, "slurm"))) return withdraw();
  const { endSlurmLeftOvers } = await import("./backends/slurm_journal.ts");
  await endSlurmLeftOvers(root, withdraw);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A repo that is locked for us. */
export class Workplace {
  /** Root of the repo. */
  readonly root: string;
  /** Its memory. */
  readonly store: Store;
  /** Checksums. */
  readonly sums: Checksums;
  /** Where jobs run; shared by all commands. */
  readonly backends: Backends;
  readonly #feedback: Feedback | undefined;
  readonly #watches: boolean;
  #watcher: Promise<Watcher> | undefined;
  readonly #looks = new LookAgain();
  #server: Promise<JobServer> | undefined;
  #tools: Promise<string> | undefined;
  #spawner: Promise<Spawner> | undefined;
  /** What earlier commands found out. */
  readonly memo = new RepoMemo();
  /** Tables of codes: what one command adds, the others see. */
  readonly codecs: CodecTables;
  readonly #busy = new Map<string, Promise<unknown>>();

  /** Enters a repo; see {@linkcode inWorkplace}. */
  constructor(
    root: string,
    store: Store,
    sums: Checksums,
    feedback: Feedback | undefined,
    watches = false,
  ) {
    this.root = root;
    this.store = store;
    this.sums = sums;
    this.codecs = new CodecTables(root, sums);
    this.backends = new Backends(root, () => this.spawner());
    this.#feedback = feedback;
    this.#watches = watches;
  }

  /** The repo as its rules are now. */
  async repo(
    environ: Readonly<Record<string, string>> | undefined,
    feedback: Feedback | undefined,
  ): Promise<Repo> {
    const { store, sums } = this;
    return await openRepo(this.root, {
      environ,
      feedback,
      store,
      sums,
      memo: this.memo,
      watch: (isOn) => this.#watch(isOn, feedback),
    });
  }

  /** Begins a command in the watched repo; undefined if it is not watched. */
  async #watch(
    isOn: boolean,
    feedback: Feedback | undefined,
  ): Promise<CommandWatch | undefined> {
    if (!this.#watches) return undefined;
    if (!isOn) {
      const watcher = this.#watcher;
      this.#watcher = undefined;
      (await watcher)?.close();
      return this.#looks.begin();
    }
    this.#watcher ??= import("./watch/watcher.ts")
      .then(({ Watcher }) => new Watcher(this.root));
    return (await this.#watcher).begin((reason) =>
      feedback?.emit("warn", "note", `not all is watched: ${reason}`, {
        about: "lmake.watch",
        reason,
      })
    );
  }

  /** Answers the requests of jobs. */
  server(): Promise<JobServer> {
    return this.#server ??= JobServer.listen(join(this.root, PRIVATE));
  }

  /** Starts the processes of jobs. */
  spawner(): Promise<Spawner> {
    return this.#spawner ??= obtainNative(SPAWN, { feedback: this.#feedback })
      .then((program) => new Spawner(program));
  }

  /** A folder with the programs that jobs may call. */
  tools(): Promise<string> {
    return this.#tools ??= toolFolder(this.root, this.#feedback);
  }

  /** What works on a job now, if something does. */
  busy(id: string): Promise<unknown> | undefined {
    return this.#busy.get(id);
  }

  /** Works on a job while no other command does. */
  async exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    while (this.#busy.has(id)) await this.#busy.get(id);
    const mine = work();
    const over = mine.then(() => {}, () => {}).finally(() =>
      this.#busy.delete(id)
    );
    this.#busy.set(id, over);
    return await mine;
  }

  /** Ends what was started, and closes the memory. */
  async close(): Promise<void> {
    (await this.#watcher?.catch(() => undefined))?.close();
    await this.backends.close();
    await (await this.#spawner?.catch(() => undefined))?.close();
    await (await this.#server?.catch(() => undefined))?.close();
    this.store.close();
  }
}

const SPAWN = {
  name: "lmake-spawn",
  sources: { "spawn.c": spawn },
  args: ["-O2", "-std=gnu11", "-w"],
};

const LAUNCH = {
  name: "lmake-job",
  sources: { "launch.c": launch },
  args: ["-O2", "-std=gnu11", "-w"],
};

/** Makes the programs that jobs may call, under their names. */
async function toolFolder(
  root: string,
  feedback: Feedback | undefined,
): Promise<string> {
  placePython(root);
  const program = await obtainNative(LAUNCH, { feedback });
  const folder = join(root, PRIVATE, "bin");
  Deno.mkdirSync(folder, { recursive: true });
  for (const name of TWINS) {
    const path = join(folder, name);
    try {
      if (Deno.readLinkSync(path) === program) continue;
      Deno.removeSync(path);
    } catch {
      // Not there yet.
    }
    Deno.symlinkSync(program, path);
  }
  return folder;
}
