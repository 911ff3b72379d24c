/** `clibs completions`: completion scripts, written from the table. */

import { explanations } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import { commandList, type Flags, groupList } from "./commands.ts";
import { bashScript } from "./completions_bash.ts";
import { fishScript } from "./completions_fish.ts";
import { powershellScript } from "./completions_powershell.ts";
import { zshScript } from "./completions_zsh.ts";
import { completionModel } from "./completions_model.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  [shell]: string[],
  _flags: Flags<"completions">,
): Promise<number> {
  const codes = (await explanations()).map(([code]) => code);
  const model = completionModel(commandList, codes, groupList);
  const writers: Record<string, (typeof bashScript)> = {
    bash: bashScript,
    zsh: zshScript,
    fish: fishScript,
    powershell: powershellScript,
  };
  const script = writers[shell!]!(model);
  context.stdout(script);
  context.result({ shell, script });
  return 0;
}
