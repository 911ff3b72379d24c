import assert from "node:assert/strict";
import {
  resourceArgs,
  splitArgs,
} from "../../lib/rules/backends/slurm_args.ts";
import {
  isStuck,
  Listings,
  SlurmJob,
} from "../../lib/rules/backends/slurm_jobs.ts";
import {
  complaint,
  isSilent,
  slurmEnvironment,
} from "../../lib/rules/backends/slurm_programs.ts";

Deno.test("resources are Slurm's, or licenses, or ours", () => {
  const own = new Set(["slots"]);
  const cases: [Record<string, number>, string[]][] = [
    [{ cpu: 1 }, ["--cpus-per-task=1"]],
    [{ cpu: 0 }, ["--cpus-per-task=1"]],
    [{ cpu: 2.1, mem: 0 }, ["--cpus-per-task=3"]],
    [{ mem: 512, tmp: 0.5 }, ["--mem=512M", "--tmp=1M"]],
    [{ slots: 3, a: 1, b: 2 }, ["--licenses=a:1,b:2"]],
    [{ slots: 3, a: 0 }, []],
  ];
  for (const [resources, args] of cases) {
    assert.deepEqual(resourceArgs(resources, own), args);
  }
});

Deno.test("arguments for the backend are parted as in a shell", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["  ", []],
    ["-p short  --qos=x\n", ["-p", "short", "--qos=x"]],
    ["--comment='a  b' \"c d\"", ["--comment=a  b", "c d"]],
    ['a\\ b "q\\"q" \'x\\y\' "x\\y"', ["a b", 'q"q', "x\\y", "x\\y"]],
    ["'' a''b", ["", "ab"]],
    ["\\\n", ["\n"]],
  ];
  for (const [text, args] of cases) assert.deepEqual(splitArgs(text), args);
  for (const text of ["'", 'a "b', "c\\"]) {
    assert.throws(() => splitArgs(text), { code: "CLIBS_SLURM_ARGS" });
  }
});

Deno.test("Slurm that is away is told from Slurm that refuses", () => {
  const silent = [
    "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
    "sbatch: error: Batch job submission failed: Unexpected message received: Zero Bytes were transmitted or received",
    "scancel: error: Kill job error on job id 5: Unable to contact slurm controller (connect failure)",
    "sbatch: error: Batch job submission failed: Resource temporarily unavailable",
  ];
  const refusing = [
    "sbatch: error: Batch job submission failed: Invalid license specification",
    "sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available",
    "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
    "sbatch: unrecognized option '--nonsense'\nTry \"sbatch --help\" for more information",
    "sbatch: error: invalid partition specified: nope",
    "",
  ];
  const answer = (stderr: string, code = 1) => ({ code, stdout: "", stderr });
  for (const text of silent) assert.ok(isSilent(answer(text)), text);
  for (const text of refusing) assert.ok(!isSilent(answer(text)), text);
  assert.ok(isSilent(answer("", -1)), "it had to be killed");
  assert.ok(!isSilent(answer(silent[0]!, 0)), "it went well");
  assert.equal(
    complaint(answer(refusing[1]!)),
    "Batch job submission failed: Requested node configuration is not available",
  );
  assert.equal(complaint(answer("", 9)), "exit code 9");
});

Deno.test("settings for another job are not handed on", () => {
  const { PATH, SLURM_CONF, SBATCH_PARTITION, ...rest } = slurmEnvironment({
    PATH: "/bin",
    SLURM_CONF: "/c",
    SBATCH_PARTITION: "p",
    SLURM_JOB_ID: "1",
    SLURM_CPUS_PER_TASK: "4",
    SQUEUE_FORMAT: "%x",
    SECRET: "s",
  });
  assert.deepEqual([PATH, SLURM_CONF, SBATCH_PARTITION], ["/bin", "/c", "p"]);
  assert.deepEqual(Object.keys(rest), ["LC_ALL", "SLURM_TIME_FORMAT"]);
});

Deno.test("jobs are known by their comments, else by their numbers", () => {
  const job = (key: number, id?: number) =>
    Object.assign(new SlurmJob(key, {} as never, {} as never), { id });
  const listings = new Listings(
    [
      "7|RUNNING|None|clibs:x:1 R j",
      "8|PENDING|PartitionConfig|clibs:x:12 R k",
      "9|PENDING|Nodes required, for|(null)",
      "10|RUNNING|None|clibs:y:3 R l",
      "11|RUNNING|None|",
      "torn",
      "",
    ].join("\n"),
    "clibs:x:",
  );
  assert.equal(listings.of(job(1, 99))?.id, 7, "its number may be another");
  assert.equal(listings.of(job(12))?.reason, "PartitionConfig");
  assert.equal(listings.of(job(2, 9))?.state, "PENDING");
  assert.equal(listings.of(job(2, 11))?.state, "RUNNING");
  assert.equal(listings.of(job(3, 10)), undefined, "another command's");
  assert.equal(listings.of(job(2, 7)), undefined, "another job's");
  assert.ok(isStuck(listings.of(job(12))!));
  assert.ok(!isStuck(listings.of(job(2, 9))!));
});
