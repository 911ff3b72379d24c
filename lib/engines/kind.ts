/** Kinds of engine, and how the source tells which one it is. */

/** What an engine is loaded by: Deno's FFI, Node-API, or Python. */
export type EngineKind = "ffi" | "napi" | "pybind11";

/** All kinds. */
export const KINDS: readonly EngineKind[] = ["ffi", "napi", "pybind11"];

/** The kind of a source; undefined if nothing in it tells. */
export function detectKind(source: string): EngineKind | undefined {
  const code = withoutComments(source);
  if (/\bPYBIND11_(EMBEDDED_)?MODULE\s*\(/.test(code)) return "pybind11";
  if (NODE_API.test(code)) return "napi";
  return /\bextern\s*"C"/.test(code) ? "ffi" : undefined;
}

const NODE_API =
  /\b(NODE_API_MODULE|NODE_API_NAMED_ADDON|NAPI_MODULE(_INIT|_X)?|napi_register_module_v1)\s*\(/;

/** Comments become blanks; texts stay, for `extern "C"` is one. */
function withoutComments(source: string): string {
  return source.replace(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|\/\/.*|\/\*[\s\S]*?(?:\*\/|$)/g,
    (part) => part.startsWith("/") ? " " : part,
  );
}
