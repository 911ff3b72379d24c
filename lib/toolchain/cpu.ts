/** Processor features: what a compile relied on, and what this machine has. */

/** Predefined macros of compilers whose feature /proc/cpuinfo calls otherwise. */
const OTHER_NAMES: Record<string, string> = {
  SSE3: "pni",
  LZCNT: "abm",
  SHA: "sha_ni",
  RDRND: "rdrand",
  RDSEED: "rdseed",
  AVX512VNNI: "avx512_vnni",
  AVX512VBMI2: "avx512_vbmi2",
  AVX512BITALG: "avx512_bitalg",
  AVX512VPOPCNTDQ: "avx512_vpopcntdq",
  AVX512BF16: "avx512_bf16",
  AVX512FP16: "avx512_fp16",
  AVX512VP2INTERSECT: "avx512_vp2intersect",
  AVXVNNI: "avx_vnni",
  AMX_TILE: "amx_tile",
  AMX_INT8: "amx_int8",
  AMX_BF16: "amx_bf16",
  ARM_FEATURE_ATOMICS: "atomics",
  ARM_FEATURE_DOTPROD: "asimddp",
  ARM_FEATURE_SVE: "sve",
  ARM_FEATURE_SVE2: "sve2",
  ARM_FEATURE_CRC32: "crc32",
  ARM_FEATURE_SHA2: "sha2",
  ARM_FEATURE_AES: "aes",
  ARM_FEATURE_QRDMX: "asimdrdm",
  ARM_FEATURE_FP16_SCALAR_ARITHMETIC: "fphp",
  ARM_FEATURE_FP16_VECTOR_ARITHMETIC: "asimdhp",
  ARM_FEATURE_FP16_FML: "asimdfhm",
  ARM_FEATURE_BF16_VECTOR_ARITHMETIC: "bf16",
  ARM_FEATURE_MATMUL_INT8: "i8mm",
  ARM_FEATURE_JCVT: "jscvt",
  ARM_FEATURE_COMPLEX: "fcma",
  ARM_FEATURE_FRINT: "frint",
};

/** Macros whose feature has the same name in lower case. */
const SAME_NAMES = new Set([
  "SSSE3",
  "SSE4_1",
  "SSE4_2",
  "SSE4A",
  "AVX",
  "AVX2",
  "FMA",
  "FMA4",
  "F16C",
  "BMI2",
  "MOVBE",
  "POPCNT",
  "AES",
  "PCLMUL",
  "ADX",
  "XSAVE",
  "GFNI",
  "VAES",
  "VPCLMULQDQ",
  "AVX512F",
  "AVX512CD",
  "AVX512DQ",
  "AVX512BW",
  "AVX512VL",
  "AVX512IFMA",
  "AVX512VBMI",
  "XOP",
  "TBM",
]);

/**
 * The features that a compile relied on, as /proc/cpuinfo names them.
 *
 * @param macros What `-dM -E` printed. What every x86_64 has is left out.
 */
export function cpuFeaturesOfMacros(macros: string): string[] {
  const features = new Set<string>();
  for (const [, name = ""] of macros.matchAll(/^#define __(\w+?)__ 1$/gm)) {
    if (name === "BMI") features.add("bmi1");
    else if (name === "PCLMUL") features.add("pclmulqdq");
    else if (SAME_NAMES.has(name)) features.add(name.toLowerCase());
    else if (OTHER_NAMES[name]) features.add(OTHER_NAMES[name]);
  }
  for (const [, name = ""] of macros.matchAll(/^#define __(ARM_\w+) /gm)) {
    if (OTHER_NAMES[name]) features.add(OTHER_NAMES[name]);
  }
  return [...features].sort();
}

/** The features in the text of /proc/cpuinfo: those of its first processor. */
export function cpuFeaturesOfInfo(cpuinfo: string): Set<string> {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  return new Set(line.split(/\s+/).filter((name) => name !== ""));
}
