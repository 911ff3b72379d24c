import assert from "node:assert/strict";
import { cachePlaces } from "../../lib/rules/cache/config.ts";
import { keyOf, writeKey } from "../../lib/rules/cache/key.ts";
import { DEFAULTS, JobState } from "../../lib/rules/engine/state.ts";
import type { Attributes, RuleSpec } from "../../lib/rules/model.ts";
import { RuleTable } from "../../lib/rules/select.ts";

const RULE: RuleSpec = {
  name: "Rule",
  kind: "plain",
  prio: 0,
  stems: { F: ".*" },
  targets: [{ key: "O", pattern: "{F}.o", star: false, flags: [] }],
  sideTargets: [],
  deps: [{ key: "C", pattern: "{F}.c", flags: ["required"] }],
  sideDeps: [],
  cmd: { kind: "shell", text: "cc {C}" },
  attributes: {},
  dynamic: [],
  place: "Lmakefile.ts:1",
};

function stateOf(
  rule: Partial<RuleSpec> = {},
  attributes: Partial<Attributes> = {},
  stem = "a",
): JobState {
  const spec = { ...RULE, ...rule };
  const job = new RuleTable({ rules: [spec] }).jobOf(spec, { F: stem });
  const state = new JobState(job, "id", { job: () => undefined });
  state.attributes = { ...DEFAULTS, ...attributes };
  state.statics = job.deps === "dynamic" ? [] : job.deps;
  return state;
}

Deno.test("a key covers what a job is, not where or under which name", () => {
  const key = keyOf(stateOf(), "/repo");
  const cases: [label: string, state: JobState, isSame: boolean][] = [
    ["nothing", stateOf(), true],
    ["rule's name", stateOf({ name: "Other" }), true],
    ["priority", stateOf({ prio: 5 }), true],
    ["place", stateOf({ place: "b.ts:7" }), true],
    ["ancillary", stateOf({}, { environAncillary: { A: "1" } }), true],
    ["resources", stateOf({}, { resources: { cpu: 2 } }), true],
    ["timeout", stateOf({}, { timeout: 9 }), true],
    ["autodep", stateOf({}, { autodep: "ptrace" }), true],
    ["compression", stateOf({}, { compression: 9 }), true],
    ["stem", stateOf({}, {}, "b"), false],
    ["command", stateOf({ cmd: { kind: "shell", text: "cc" } }), false],
    ["shell", stateOf({}, { shell: ["/bin/sh"] }), false],
    ["environ", stateOf({}, { environ: { A: "1" } }), false],
    ["environ's name", stateOf({}, { environ: { B: "1" } }), false],
    ["stderrOk", stateOf({}, { stderrOk: true }), false],
    ["readdirOk", stateOf({}, { readdirOk: true }), false],
    ["autoMkdir", stateOf({}, { autoMkdir: true }), false],
    ["checkAbsPaths", stateOf({}, { checkAbsPaths: true }), false],
    ["stem's pattern", stateOf({ stems: { F: "[a-z]*" } }), false],
    ["pattern", stateOf({ targets: [of("O", "{F}.obj")] }), false],
    ["target's key", stateOf({ targets: [of("X", "{F}.o")] }), false],
    [
      "more targets",
      stateOf({ targets: [...RULE.targets, of("P", "{F}.p")] }),
      false,
    ],
    [
      "target's flags",
      stateOf({
        targets: [{ ...RULE.targets[0]!, flags: ["phony"] }],
      }),
      false,
    ],
    ["side targets", stateOf({ sideTargets: [of("S", "{F}.log")] }), false],
    [
      "side deps",
      stateOf({
        sideDeps: [{ key: "D", pattern: "x", flags: ["ignore"] }],
      }),
      false,
    ],
    [
      "more deps",
      stateOf({
        deps: [...RULE.deps as [], { key: "D", pattern: "d", flags: [] }],
      }),
      false,
    ],
    [
      "dep's flags",
      stateOf({
        deps: [{ key: "C", pattern: "{F}.c", flags: ["critical"] }],
      }),
      false,
    ],
  ];
  for (const [label, state, isSame] of cases) {
    assert.equal(keyOf(state, "/repo") === key, isSame, label);
  }
  const places = ["/repo", "/elsewhere/repo"].map((root) =>
    keyOf(stateOf({}, { environ: { HERE: "$REPO_ROOT/x" } }), root)
  );
  assert.equal(places[0], places[1]);
  function of(key: string, pattern: string) {
    return { key, pattern, star: false, flags: [] };
  }
});

Deno.test("modules of the repo are the same wherever it is", () => {
  const state = (root: string) =>
    stateOf({
      cmd: {
        kind: "function",
        text: `async () => (await import("file://${root}/b.ts")).b`,
        imports: [`import { a } from "file://${root}/a%20b.ts"`],
        vars: { n: 1 },
      },
    });
  assert.equal(
    keyOf(state("/one/repo"), "/one/repo"),
    keyOf(state("/two"), "/two"),
  );
  // One that is elsewhere is another.
  assert.notEqual(
    keyOf(state("/one/repo"), "/one/repo"),
    keyOf(state("/two"), "/three"),
  );
});

Deno.test("what a key covers has labels", () => {
  const labels: string[] = [];
  writeKey(
    { add: (label) => void labels.push(label) },
    stateOf({}, { environ: { B: "2", A: "1" } }),
    "/repo",
  );
  assert.deepEqual(labels, [
    "format",
    "system",
    "rule",
    "stem F",
    "dep C",
    "command",
    "shell",
    "environ A",
    "environ B",
    "allowed",
  ]);
});

Deno.test("settings of caches say where they are, and how large", () => {
  const config = (size?: string) => ({
    caches: { main: { dir: "cache", ...(size === undefined ? {} : { size }) } },
  });
  const rules = [{ ...RULE, attributes: { cache: "main" } }];
  const limit = (size?: string) =>
    // deno-lint-ignore no-explicit-any
    cachePlaces({ rules, config: config(size) as any }, "/repo").get("main")!;
  assert.deepEqual(limit(), { dir: "/repo/cache", limit: 10 * 2 ** 30 });
  const sizes: [string, number][] = [
    ["1000", 1000],
    ["2k", 2048],
    ["1.5 MiB", 1.5 * 2 ** 20],
    ["20G", 20 * 2 ** 30],
    ["1TB", 2 ** 40],
  ];
  for (const [size, bytes] of sizes) assert.equal(limit(size).limit, bytes);
  for (const size of ["", "G", "-1", "1X", "1e9", "1 G G"]) {
    assert.throws(() => limit(size), {
      code: "CLIBS_LMAKE_CACHE",
      message: /as the size of the cache main: it is no amount$/,
    });
  }
  const other = [{ ...RULE, attributes: { cache: "other" } }];
  assert.throws(
    // deno-lint-ignore no-explicit-any
    () => cachePlaces({ rules: other, config: config() as any }, "/repo"),
    {
      code: "CLIBS_LMAKE_CACHE",
      message:
        "Cannot use the cache other of rule Rule: there is none of that name",
      facts: { rule: "Lmakefile.ts:1", caches: "main" },
      hint: 'set lmake.config.caches.other = { dir: "/some/folder" }',
    },
  );
});
