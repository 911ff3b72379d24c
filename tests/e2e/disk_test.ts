/** A full disk and a read-only one. */

import { equal, match, ok } from "node:assert/strict";
import { Session } from "../support/session.ts";

/** Mounts a small file system at `disk`; unmounted with the session. */
class SmallDisk implements Disposable {
  readonly session: Session;

  constructor(files: Record<string, string>) {
    this.session = new Session();
    Deno.mkdirSync(this.session.dir.join("disk"));
    run("mount", "-t", "tmpfs", "-o", "size=3M", "tmpfs", this.#path);
    this.session.dir.write(files);
  }

  get #path(): string {
    return this.session.dir.join("disk");
  }

  makeReadOnly(): void {
    run("mount", "-o", "remount,ro", this.#path);
  }

  [Symbol.dispose](): void {
    run("umount", this.#path);
    this.session[Symbol.dispose]();
  }
}

function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Whether this process may mount; a container may forbid it to root as well. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  try {
    using _ = new SmallDisk({});
    return true;
  } catch {
    return false;
  }
}

const ignore = !canMount();
const TREE = "disk/pkg/_build/x86_64-linux-gnu";

const yaml = (bytes: number) =>
  `version: "1"
build:
  command: head -c ${bytes} /dev/zero > "$CLIBS_BUILD_DIR/x"
`;

Deno.test({
  name: "a build that fills the disk leaves the previous one in place",
  ignore,
  async fn() {
    using disk = new SmallDisk({ "disk/pkg/pkg.yaml": yaml(100) });
    const { session } = disk;
    await session.ok("build");
    session.dir.write({ "disk/pkg/pkg.yaml": yaml(9_000_000) });
    const { code, stderr } = await session.clibs("build");
    equal(code, 1);
    match(stderr, /^error: /m);
    match(stderr, /No space left on device/);
    equal(Deno.statSync(session.dir.join(TREE, "x")).size, 100);
    ok(session.dir.has(`${TREE}/_build_hash`));
    session.dir.write({ "disk/pkg/pkg.yaml": yaml(200) });
    await session.ok("build");
    equal(Deno.statSync(session.dir.join(TREE, "x")).size, 200);
  },
});

Deno.test({
  name: "a full disk is told as such, and nothing is lost",
  ignore,
  async fn() {
    using disk = new SmallDisk({ "disk/pkg/pkg.yaml": yaml(100) });
    const { session } = disk;
    await session.ok("build");
    await session.bash("head -c 9000000 /dev/zero > disk/fill || true");
    const { code, stderr } = await session.clibs("build", "--force");
    equal(code, 1);
    match(stderr, /No space left on device/);
    match(stderr, /more: clibs explain CLIBS_DISK_FULL/);
    await session.bash("rm disk/fill");
    match(await session.ok("build"), /up to date\n$/);
    equal(Deno.statSync(session.dir.join(TREE, "x")).size, 100);
  },
});

Deno.test({
  name: "a built tree on a read-only disk is up to date, and cannot be built",
  ignore,
  async fn() {
    using disk = new SmallDisk({ "disk/pkg/pkg.yaml": yaml(100) });
    const { session } = disk;
    await session.ok("build");
    disk.makeReadOnly();
    match(await session.ok("build"), /up to date\n$/);
    match(await session.ok("env"), /^export CLIBS_LIB_DIR=/);
    const { code, stderr } = await session.clibs("build", "--force");
    equal(code, 1);
    equal(
      session.neutral(stderr),
      `error: System call failed: Read-only file system (os error 30): open 'DIR/disk/pkg/_build/.x86_64-linux-gnu.lock'
hint: the file system is mounted read-only; build in a copy of the folder
more: clibs explain CLIBS_READ_ONLY
`,
    );
  },
});
