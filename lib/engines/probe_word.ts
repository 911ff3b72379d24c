/** How a compiled clibs is told to try a module instead of running a command. */

/** The first word of its command line. */
export const PROBE_WORD = "engines-probe";
