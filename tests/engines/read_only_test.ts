/** A project that cannot be written to, as in a container. */

import { equal, ok } from "node:assert/strict";
import { buildEngine, buildEngines } from "../../lib/engines/build.ts";
import { ANSWER, EngineSpace, engineTest } from "../support/engines.ts";

engineTest(
  "prebuilts are loaded from a project that cannot be written",
  async () => {
    using space = new EngineSpace({ "core/engines/cpu.cpp": ANSWER });
    await buildEngines([], { ...space.options, outputDir: false });
    Deno.removeSync(space.dir.join(".clibs"), { recursive: true });
    // For root, nothing is read-only but what cannot be a folder.
    space.dir.write({ ".clibs": "" });
    Deno.removeSync(space.dir.join(".clibs"));
    Deno.symlinkSync("/proc/1/no-such-folder", space.dir.join(".clibs"));
    const cpu = await buildEngine<{ answer(): number }>("cpu", {
      ...space.options,
      outputDir: "/proc/clibs",
      policy: "prebuilt_only",
    }).catch((error) => error);
    ok(!(cpu instanceof Error), String(cpu));
    equal(cpu.answer(), 42);
    ok(
      space.messages("warn").some((message) =>
        message.startsWith("cpu: no copy was put into /proc/clibs: ")
      ),
      space.messages("warn").join("\n"),
    );
  },
);
