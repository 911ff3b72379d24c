import assert from "node:assert/strict";
import {
  endSlurmLeftOvers,
  slurmJobs,
  SlurmJournal,
} from "../../lib/rules/backends/slurm_journal.ts";
import type { SlurmPrograms } from "../../lib/rules/backends/slurm_programs.ts";
import { TempDir } from "../support/temp.ts";

const JOB = { rule: "R", name: "j" };

/** A repo in which a command was killed, and what Slurm has of it. */
class Left implements Disposable {
  readonly dir = new TempDir();
  readonly calls: string[] = [];
  /** Jobs by number, with their comments. */
  readonly jobs = new Map<number, string>();
  withdrawn = 0;
  #away = 0;

  constructor() {
    this.dir.write({ "LMAKE/run/ended/none": "" });
  }

  /** Has Slurm not answer so many times. */
  goAway(times: number): void {
    this.#away = times;
  }

  journal(): SlurmJournal {
    return new SlurmJournal(
      this.dir.path,
      "clibs:abc:",
      this.dir.join("LMAKE/run/ended"),
      { SLURM_CONF: "/some.conf" },
    );
  }

  async end(): Promise<void> {
    await endSlurmLeftOvers(
      this.dir.path,
      () => void this.withdrawn++,
      (env) => this.#programs(env),
    );
  }

  /** Names of the journals that are there. */
  journals(): string[] {
    return [...Deno.readDirSync(this.dir.join("LMAKE/slurm"))]
      .map(({ name }) => name);
  }

  #programs(env: Record<string, string>): SlurmPrograms {
    assert.equal(env["SLURM_CONF"], "/some.conf");
    return {
      run: (program, args) => {
        const reply = (code: number, stdout = "", stderr = "") =>
          Promise.resolve({ code, stdout, stderr });
        this.calls.push(
          program === "squeue" ? program : [program, ...args].join(" "),
        );
        if (this.#away-- > 0) return reply(1, "", "Unable to contact");
        if (program === "squeue") {
          const lines = [...this.jobs].map(([id, text]) => `${id}|${text}\n`);
          return reply(0, lines.join(""));
        }
        for (const id of args) this.jobs.delete(Number(id));
        return reply(0);
      },
    };
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("jobs of a killed command are found, by number and by comment", async () => {
  using left = new Left();
  const journal = left.journal();
  for (const key of [1, 2, 3, 4]) journal.begin(key, JOB);
  journal.submitted(1, 11);
  journal.submitted(2, 12);
  journal.submitted(3, 13);
  journal.end(2);
  journal[Symbol.dispose]();
  // Number 4 was handed over, and nobody had time to write its number down.
  left.dir.write({ "LMAKE/run/ended/3": "0 0 0 0 0 0 5 5 5" });
  left.jobs.set(11, "(null)").set(14, "clibs:abc:4 R j");
  left.jobs.set(12, "theirs").set(13, "theirs").set(99, "clibs:abd:1 R j");
  await left.end();
  assert.deepEqual(left.calls, ["squeue", "scancel 11 14", "squeue"]);
  assert.deepEqual([...left.jobs.keys()], [12, 13, 99]);
  assert.deepEqual([left.withdrawn, left.journals()], [1, []]);
});

Deno.test("Slurm is not asked where nothing was left", async () => {
  using left = new Left();
  const journal = left.journal();
  journal.begin(1, JOB);
  journal.submitted(1, 11);
  journal.end(1);
  const name = `LMAKE/slurm/${left.journals()[0]}`;
  const text = left.dir.read(name);
  journal[Symbol.dispose]();
  // As if the command had been killed here.
  left.dir.write({ [name]: text, "LMAKE/slurm/torn": '{"tag":"cli' });
  await left.end();
  assert.deepEqual([left.calls, left.withdrawn, left.journals()], [[], 1, []]);
});

Deno.test("a journal is short again when all jobs have ended, and then gone", () => {
  using left = new Left();
  const journal = left.journal();
  const path = left.dir.join("LMAKE/slurm", left.journals()[0]!);
  const empty = Deno.readTextFileSync(path);
  for (let key = 1; key <= 100; key++) journal.begin(key, JOB);
  for (let key = 1; key <= 100; key++) journal.end(key);
  assert.equal(Deno.readTextFileSync(path), empty);
  assert.equal((Deno.statSync(path).mode! & 0o777).toString(8), "600");
  journal[Symbol.dispose]();
  assert.deepEqual(left.journals(), []);
});

Deno.test("a journal stays while nobody knows how its jobs ended", async () => {
  using left = new Left();
  const journal = left.journal();
  journal.begin(1, JOB);
  journal[Symbol.dispose]();
  assert.equal(left.journals().length, 1);
  left.goAway(2);
  left.jobs.set(5, "clibs:abc:1 R j");
  await left.end();
  assert.deepEqual(left.calls, [
    "squeue",
    "squeue",
    "squeue",
    "scancel 5",
    "squeue",
  ]);
  assert.deepEqual(left.journals(), []);
});

Deno.test("a journal tells what Slurm has of commands that are at work", () => {
  using left = new Left();
  assert.deepEqual(slurmJobs(left.dir.path), []);
  using journal = left.journal();
  for (const key of [1, 2, 3]) {
    journal.begin(key, { rule: "R", name: `j${key}` });
  }
  journal.submitted(2, 12);
  journal.end(1);
  const jobs = slurmJobs(left.dir.path);
  assert.deepEqual(
    jobs.map(({ rule, name, id }) => [rule, name, id]),
    [["R", "j2", 12], ["R", "j3", undefined]],
  );
  assert.ok(jobs.every(({ startedMs }) => startedMs > 0));
  for (const key of [2, 3]) journal.end(key);
  assert.deepEqual(slurmJobs(left.dir.path), []);
});
