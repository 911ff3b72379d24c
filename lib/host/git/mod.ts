/**
 * Safe checkouts of git repositories through the system's git.
 *
 * @module
 */

export { checkGitAddress } from "./address.ts";
export { checkGitRef } from "./ref.ts";
export { checkoutGit, latestGitTag, resolveGitRef } from "./checkout.ts";
export type {
  GitRefKind,
  GitRequest,
  GitResult,
  GitSubmodule,
} from "./types.ts";
