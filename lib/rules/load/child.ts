/** Entry of the process that reads `Lmakefile.ts`. */

import { read } from "./reader.ts";

await read();
