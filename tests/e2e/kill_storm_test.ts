/** clibs is killed at random moments, and the next run puts everything right. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { cliArgs, NEUTRAL } from "../support/cli.ts";
import { serveFolder } from "../support/http_server.ts";
import { leftovers } from "../support/leftovers.ts";
import { Session } from "../support/session.ts";
import { TempDir } from "../support/temp.ts";

const MOMENTS = 20;

/** Random numbers that a seed repeats (xorshift). */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

Deno.test("kill -9 at random moments, of two that race, needs no cleaning", async () => {
  const seed = Number(Deno.env.get("CLIBS_TEST_SEED")) || Date.now() & 0xffffff;
  console.log(`CLIBS_TEST_SEED=${seed}`);
  const random = randomFrom(seed);
  using sources = new TempDir();
  await makeTarball(sources);
  await using server = serveFolder(sources.path);
  const yaml = (round: number) =>
    `version: "${round}"
files: [{ url: "${server.url}/big.tar.gz" }]
build:
  command: |
    echo "$CLIBS_BUILD_DIR" > marker
    mkdir -p "$CLIBS_BUILD_DIR/a" "$CLIBS_BUILD_DIR/b"
    for i in 1 2 3 4 5 6 7 8; do
      cp "file$i" "$CLIBS_BUILD_DIR/a/"
      sleep 0.01
      (sleep 0.01; cp "file$i" "$CLIBS_BUILD_DIR/b/") & wait
    done
    echo ${round} > "$CLIBS_BUILD_DIR/round"
`;
  using session = new Session({ "pkg/pkg.yaml": yaml(0) });
  await session.ok("build");
  const expected = artifacts(session);
  equal(expected.length, 17);
  for (let round = 1; round <= MOMENTS; round++) {
    // Half of the rounds start from nothing: no download, no cache, no build.
    if (random() < 0.5) {
      await session.bash(
        "rm -rf pkg/_download; chmod -R u+w $CLIBS_CACHE_DIR; rm -rf $CLIBS_CACHE_DIR",
      );
    }
    session.dir.write({ "pkg/pkg.yaml": yaml(round) });
    const racers = [start(session), start(session)];
    const victims = random() < 0.5 ? racers : racers.slice(0, 1);
    await new Promise((resolve) => setTimeout(resolve, 30 + random() * 400));
    for (const victim of victims) {
      try {
        victim.kill("SIGKILL");
      } catch {
        // It had ended already.
      }
    }
    await Promise.all(racers.map((racer) => racer.status));
    const before = session.dir.has("pkg/_build/x86_64-linux-gnu/_build_hash");
    await session.ok("build");
    const where = `seed ${seed}, round ${round}, complete before: ${before}`;
    deepEqual(artifacts(session), expected, where);
    equal(read(session, "round"), `${round}\n`, where);
    deepEqual(leftovers(session.dir, "pkg"), [], where);
    ok(!await anyLeft(session.dir.path), where);
  }
});

/** Some megabytes, so that fetching and unpacking take a moment. */
async function makeTarball(dir: TempDir): Promise<void> {
  const script = `mkdir big; cd big
for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/urandom > file$i; done
cd ..; tar czf big.tar.gz big; rm -r big`;
  const { success } = await new Deno.Command("bash", {
    args: ["-ec", script],
    cwd: dir.path,
  }).output();
  ok(success);
}

function start(session: Session): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...cliArgs(), "build"],
    cwd: session.dir.path,
    env: { ...NEUTRAL, ...session.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

const TREE = "pkg/_build/x86_64-linux-gnu";

function artifacts(session: Session): string[] {
  return ["", "a", "b"].flatMap((sub) =>
    [...Deno.readDirSync(session.dir.join(TREE, sub))]
      .filter((entry) => entry.isFile && !entry.name.startsWith("_"))
      .map((entry) => `${sub}/${entry.name}`)
  ).sort();
}

function read(session: Session, name: string): string {
  return session.dir.read(`${TREE}/${name}`);
}

/** Whether a process of a build is still there. */
async function anyLeft(dir: string): Promise<boolean> {
  const deadline = Date.now() + 5000;
  while (processesIn(dir) > 0) {
    if (Date.now() > deadline) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

function processesIn(dir: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/cwd`).startsWith(dir)) count++;
    } catch {
      // It ended meanwhile.
    }
  }
  return count;
}
