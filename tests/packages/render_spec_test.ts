import { equal } from "node:assert/strict";
import { parsePackageSpec } from "../../lib/packages/parse_spec.ts";
import {
  type PackageDescription,
  renderPackageYaml,
} from "../../lib/packages/render_spec.ts";

Deno.test("renderPackageYaml() writes what a person would", () => {
  equal(
    renderPackageYaml({
      schema: "https://example.org/pkg.schema.json",
      name: "hello",
      version: "1.10",
      files: [{
        url: "https://example.org/h.tgz",
        sha256: "ab".repeat(32),
      }],
      command: "make\n\nmake install\n",
    }),
    `# yaml-language-server: $schema=https://example.org/pkg.schema.json
name: "hello"
version: "1.10"
files:
  - url: "https://example.org/h.tgz"
    sha256: ${"ab".repeat(32)}
build:
  # Runs with \`set -e\` in a copy of the sources; installs to $CLIBS_BUILD_DIR.
  command: |
    make

    make install
`,
  );
});

const described: [string, PackageDescription][] = [
  ["git", { version: "1", git: { repo: "a b", ref: "v1" }, command: "make" }],
  ["a command with a tab", { version: "1", command: "if x\n\tthen y\nfi" }],
  ["a command that is indented", { version: "1", command: "  a\nb" }],
  ["an escape in a command", { version: "1", command: "printf '\x1b[1m'" }],
  ["what YAML would read otherwise", {
    version: "1: # 2",
    files: [{ url: './a "b"/{c}.tgz' }],
    command: "# nothing\n: |\n--- *x &y !z",
  }],
];

Deno.test("renderPackageYaml() writes what parsePackageSpec() reads", async (t) => {
  for (const [name, description] of described) {
    await t.step(name, async () => {
      const spec = await parsePackageSpec(
        new TextEncoder().encode(renderPackageYaml(description)),
        "/deps/hello/pkg.yaml",
      );
      equal(spec.version, description.version);
      equal(spec.build.command.trimEnd(), description.command);
      equal(spec.git?.repo, description.git?.repo);
      equal(spec.git?.ref, description.git?.ref);
      equal(spec.files[0]?.url, description.files?.[0]?.url);
    });
  }
});
