/** Finds what files are made of: jobs, their deps, and so on to the sources. */

import { NO_FILE } from "../../host/checksum.ts";
import { parseAssociationKey } from "../codec/tables.ts";
import {
  candidatesFor,
  filesOf,
  folderOf,
  isSource,
  jobOf,
  knownMakerOf,
  makerOf,
  nameOf,
  reading,
} from "../companions/repo.ts";
import type { RulesOptions } from "../companions/types.ts";
import { differs } from "../engine/files.ts";
import type { Repo } from "../repo.ts";
import type { JobRecord } from "../state/record.ts";
import type { GraphEdge, GraphNode, RulesGraph } from "./types.ts";

/** A node, and the edges to what it needs. */
interface Entry {
  node: GraphNode;
  record?: JobRecord;
  needs: Map<string, GraphEdge>;
}

/** The graph of some files; see {@linkcode RulesGraph}. */
export async function collectGraph(options: RulesOptions): Promise<RulesGraph> {
  const names = filesOf(options);
  return await reading(options, (repo) => {
    const collector = new Collector(repo);
    const roots = names.map((name) => {
      if (options.byJob || options.rule !== undefined) {
        const file = options.byJob
          ? name
          : nameOf(repo, folderOf(options), name);
        return collector.addJob(jobOf(repo, file, options));
      }
      const file = nameOf(repo, folderOf(options), name);
      // Also what no rule makes any more.
      const record = isSource(repo, file) ? undefined : makerOf(repo, file);
      return record ? collector.addJob(record) : collector.addFile(file);
    });
    return collector.graph(roots);
  });
}

class Collector {
  readonly #repo: Repo;
  readonly #entries = new Map<string, Entry>();
  readonly #byFile = new Map<string, Entry>();
  readonly #todo: Entry[] = [];
  readonly #marks: ReadonlyMap<string, "f" | "t">;

  constructor(repo: Repo) {
    this.#repo = repo;
    this.#marks = repo.store.marks();
  }

  /** All that the roots need. */
  graph(roots: readonly Entry[]): RulesGraph {
    for (let entry; (entry = this.#todo.pop());) this.#addNeeds(entry);
    const order = this.#inOrder(roots);
    // What is needed first: whether it holds decides about its users.
    for (const entry of order.toReversed()) this.#judge(entry);
    return {
      targets: roots.map(({ node }) => node.files[0] ?? node.name),
      nodes: order.map(({ node }) => node),
      edges: order.flatMap(({ needs }) => [...needs.values()]),
    };
  }

  /** The node that a file comes from. */
  addFile(file: string): Entry {
    let entry = this.#byFile.get(file);
    if (entry) return entry;
    entry = this.#found(file);
    this.#byFile.set(file, entry);
    return entry;
  }

  #found(file: string): Entry {
    if (isSource(this.#repo, file)) return this.#addPlain(file);
    const record = knownMakerOf(this.#repo, file);
    if (record) return this.addJob(record);
    const [candidate] = candidatesFor(this.#repo, file);
    if (!candidate) return this.#addPlain(file);
    const { table } = this.#repo;
    const job = table.jobOf(candidate.rule, candidate.stems);
    return this.#add({
      id: this.#repo.idOf(job),
      kind: "job",
      name: job.display,
      rule: job.rule.name,
      files: job.targets.flatMap((target) => target.file ?? []),
      state: "never ran",
    }, (entry) => {
      if (job.deps === "dynamic") return;
      for (const { pattern } of job.deps) this.#need(entry, pattern, true);
    });
  }

  #addPlain(file: string): Entry {
    const isThere = this.#repo.files.look(file).sum !== NO_FILE;
    return this.#add({
      id: `file ${file}`,
      kind: "file",
      name: file,
      files: [file],
      state: isThere ? "source" : "missing",
      ...(isThere && !isSource(this.#repo, file)
        ? { reason: "no source, and nothing makes it" }
        : {}),
    });
  }

  /** The node of a job that ran. */
  addJob(record: JobRecord): Entry {
    return this.#add(
      {
        id: record.id,
        kind: "job",
        name: record.name,
        rule: record.rule,
        files: record.targets.map(({ file }) => file),
        state: "up to date",
        durationMs: record.durationMs,
      },
      undefined,
      record,
    );
  }

  #add(
    node: GraphNode,
    addNeeds?: (entry: Entry) => void,
    record?: JobRecord,
  ): Entry {
    let entry = this.#entries.get(node.id);
    if (entry) return entry;
    entry = { node, needs: new Map(), ...(record ? { record } : {}) };
    this.#entries.set(node.id, entry);
    for (const file of node.files) {
      if (!this.#byFile.has(file)) this.#byFile.set(file, entry);
    }
    addNeeds?.(entry);
    if (record) this.#todo.push(entry);
    return entry;
  }

  #addNeeds(entry: Entry): void {
    for (const dep of entry.record!.deps) {
      const file = dep.codec
        ? parseAssociationKey(dep.file)?.table ?? dep.file
        : dep.file;
      const isStatic = dep.key !== undefined;
      // Looked for and not found, as headers are in folder after folder.
      if (
        dep.sum === NO_FILE && !isStatic &&
        !dep.flags.includes("required") && !isSource(this.#repo, file) &&
        !knownMakerOf(this.#repo, file)
      ) continue;
      this.#need(entry, file, isStatic);
    }
  }

  #need(entry: Entry, file: string, isStatic: boolean): void {
    const { id } = this.addFile(file).node;
    if (id === entry.node.id) return;
    const known = entry.needs.get(id);
    if (!known) {
      entry.needs.set(id, {
        from: entry.node.id,
        to: id,
        files: [file],
        static: isStatic,
      });
      return;
    }
    known.static ||= isStatic;
    if (!known.files.includes(file)) known.files.push(file);
  }

  /** Users before what they need; of a loop, one edge points back. */
  #inOrder(roots: readonly Entry[]): Entry[] {
    const done: Entry[] = [];
    const seen = new Set<Entry>();
    // Without recursion: a chain may be longer than the stack.
    for (const root of roots) {
      const path: { entry: Entry; needs: Iterator<GraphEdge> }[] = [];
      const enter = (entry: Entry) => {
        if (seen.has(entry)) return;
        seen.add(entry);
        path.push({ entry, needs: entry.needs.values() });
      };
      enter(root);
      for (let at; (at = path.at(-1));) {
        const edge = at.needs.next();
        if (edge.done) done.push(path.pop()!.entry);
        else enter(this.#entries.get(edge.value.to)!);
      }
    }
    return done.reverse();
  }

  #judge({ node, record, needs }: Entry): void {
    if (!record) return;
    if (record.targets.some(({ file }) => this.#marks.get(file) === "f")) {
      node.state = "frozen";
      return;
    }
    const reason = this.#whyNot(record, [...needs.keys()]);
    if (record.status !== "ok") {
      node.state = "in error";
      node.reason = record.unreliable ?? record.status;
    } else if (reason !== undefined) {
      node.state = "out of date";
      node.reason = reason;
    }
  }

  /** Why the last run does not hold; undefined if it does, as far as files tell. */
  #whyNot(record: JobRecord, needs: readonly string[]): string | undefined {
    if (record.unreliable !== undefined) return record.unreliable;
    for (const { file, sum, kinds, codec } of record.deps) {
      if (codec || this.#marks.get(file) === "t") continue;
      if (differs(sum, this.#sumOf(file), kinds)) {
        return `dep out of date: ${file}`;
      }
    }
    for (const { file, sum } of record.targets) {
      const now = this.#repo.files.look(file).sum;
      // What was removed is made again when it is needed.
      if (now !== NO_FILE && now !== sum) return `target was changed: ${file}`;
    }
    for (const id of needs) {
      const { node } = this.#entries.get(id)!;
      if (node.kind !== "job") continue;
      if (node.state !== "up to date" && node.state !== "frozen") {
        return `${node.rule} ${node.name} is ${
          node.state === "never ran" ? "yet to run" : node.state
        }`;
      }
    }
    return undefined;
  }

  /** Checksum of a file: as its job left it, or as it is. */
  #sumOf(file: string): string {
    const maker = this.#byFile.get(file)?.record;
    return maker?.targets.find((target) => target.file === file)?.sum ??
      this.#repo.files.look(file).sum;
  }
}
