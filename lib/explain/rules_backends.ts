import type { Explanations } from "./codes.ts";

/** Failures of handing jobs to other machines. */
export const rulesBackendsErrors: Explanations = {
  CLIBS_JOB_ADDRESS: {
    title: "No jobs of other machines can be heard",
    text:
      "`lmake.config.slurm.address` is the name or number by which nodes reach this machine, for `depend`, `ldepend` and the like in jobs that run there. It has to belong to a network of this machine: `hostname -I` lists them. Without the setting only jobs on this machine may call such functions.",
  },
  CLIBS_JOB_NODE: {
    title: "A job on another machine calls its runner",
    text:
      "`depend`, `target`, `ldepend` and the like ask the `clibs make` that the job belongs to, through a socket that only its own machine has. Set `lmake.config.slurm.address` to a name by which the nodes know that machine: jobs elsewhere then come over the network. What a job opens and writes is seen without.",
  },
  CLIBS_SLURM_ARGS: {
    title: "The arguments for the backend cannot be read",
    text:
      "`clibs make -b ARGS` hands arguments to `sbatch`. They are parted at blanks as in a shell: quotes and backslashes keep words together, and each quote needs its second one.",
  },
  CLIBS_SLURM_LEFT: {
    title: "Jobs of a killed command may still be running in Slurm",
    text:
      "A command that is killed cannot end its jobs; the next one does, before it begins. It knows them by the journal that is named, and waits until Slurm lists none of them. If Slurm does not answer, nobody can say whether one of them still writes to the repo.\n\nStart Slurm again, or end the jobs with `scancel`. Remove the journal only if you know that none of its jobs runs any more.",
  },
  CLIBS_SLURM_REFUSED: {
    title: "Slurm does not take a job",
    text:
      "`sbatch` refused it, or Slurm says that it can never be started: no node has as many CPUs, as much memory or such a license, or the account or partition is not allowed. `resources` of the rule say what the job takes; `lmake.config.slurm.args` and `clibs make -b` add arguments of `sbatch`.",
  },
  CLIBS_SLURM_SILENT: {
    title: "Slurm does not answer any more",
    text:
      "Its daemon was there when the command began and has been silent for longer than `lmake.config.slurm.patience` seconds. Jobs that were running were waited for; those that Slurm had not started yet were taken back. `scontrol ping` tells whether it is there; the next `clibs make` goes on where this one ended.",
  },
};
