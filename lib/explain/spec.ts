import type { Explanations } from "./codes.ts";

/** Failures of reading pkg.yaml. */
export const specErrors: Explanations = {
  CLIBS_PKG_MISSING: {
    title: "There is no pkg.yaml",
    text:
      "A package is a folder with a `pkg.yaml`. `clibs init URL` writes one from an archive or a git repository. Folders whose name starts with `_` or `.` are not searched.",
  },
  CLIBS_PKG_YAML: {
    title: "pkg.yaml is not valid YAML",
    text:
      "The message shows the place. Common causes: a tab in the indentation, a text with `: ` or a leading `*`, `&`, `@` or `{` that needs quotes, a bracket that is never closed, a key given twice.",
  },
  CLIBS_PKG_SCHEMA: {
    title: "pkg.yaml says something that clibs does not know",
    text: `The keys of a pkg.yaml, with * for those that are needed:

  name            default: the folder's name
  version *
  git             repo *, ref *, submodules
  files           list of: url *, filename, sha256, extract, dir, strip, mirrors
  patches         list of paths
  deps            list of paths or names
  build *         command *, env, empty, targets
  export          a bash script

\`git\` and \`files\` exclude each other. Unknown keys are errors, because a typo
would otherwise be a setting without effect. \`docs/pkg-yaml.md\` describes each,
and \`schema/pkg.schema.json\` lets an editor complete them.`,
  },
  CLIBS_PKG_TOO_LARGE: {
    title: "pkg.yaml is larger than 1 MiB",
    text:
      "A description of a package is small; something else was probably saved under that name. Keep long scripts in files beside it and call them from the build command.",
  },
};
