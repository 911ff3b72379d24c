/**
 * The job functions for the module that `Lmakefile.ts` imports.
 *
 * The same ones: in a process that belongs to no job, as the one that reads
 * `Lmakefile.ts`, each of them throws.
 */

export {
  Autodep,
  checkDeps,
  cpTargetTree,
  decode,
  depend,
  encode,
  getAutodep,
  listDeps,
  listRoot,
  listTargets,
  mvTargetTree,
  reportImport,
  rmTargetTree,
  runCc,
  setAutodep,
  target,
  xxhsum,
  xxhsumFile,
} from "./mod.ts";
