// The ptrace tracer: follows programs that a preloaded library cannot see.
//
//   clibs-ptrace TRACE -- PROGRAM ARGUMENTS...
//   clibs-ptrace TRACE --seize PID DESCRIPTOR
//
// The first form becomes the program, by exec; the tracer is a process beside
// it that is nobody's child. So exit code, signals, job control, parent and
// children are those of the program itself.
//
// The second takes hold of a process that waits for it: '1' is written to the
// descriptor if that worked, else '0'. The process then installs the filter of
// filter.h on itself.
//
// Exit codes of its own, as those of a shell: 127 for a program that is not
// there, 126 for one that cannot be executed, 125 for all else.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "ptrace.h"

TRACE_MAP

static int fail(const char *what, int error) {
  fprintf(stderr, "clibs-ptrace: %s: %s\n", what, strerror(error));
  return 125;
}

// The tracer is to be no part of what it traces: it holds no pipe open and no
// folder busy, and what is meant for the programs does not end it.
static void stand_aside(int kept) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  signal(SIGCHLD, SIG_DFL);
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++) {
    if (fd != kept) dup2(null, fd);
  }
  if (null > 2) close(null);
  long first = kept < 3 ? 3 : kept + 1;
#ifdef SYS_close_range
  if (kept > 3) syscall(SYS_close_range, 3, kept - 1, 0);
  if (syscall(SYS_close_range, first, ~0u, 0))
#endif
  {
    long last = sysconf(_SC_OPEN_MAX);
    if (last < 0 || last > 65536) last = 65536;
    for (long fd = 3; fd < last; fd++) {
      if (fd != kept) close((int)fd);
    }
  }
  if (chdir("/")) return;
}

// Never returns. `parent` is that of a process whose start is to be recorded, or
// -1.
static void trace(pid_t pid, int told, pid_t parent) {
  stand_aside(told);
  bool seized = tracer_seize(pid);
  int error = errno;
  struct task *task = seized ? task_find(pid) : NULL;
  if (task && parent >= 0) {
    task->process->parent = parent;
    task->process->started = false;
    if (!task->process->off) report_start(task->process);
  }
  char answer[5] = {seized ? '1' : '0'};
  memcpy(answer + 1, &error, sizeof error);
  size_t size = parent >= 0 ? sizeof answer : 1;
  if (write(told, answer, size) != (ssize_t)size) _exit(125);
  close(told);
  if (seized) tracer_loop();
  _exit(0);
}

// Starts the tracer of this process. Returns 0 or an errno.
static int be_traced(void) {
  int told[2];
  if (pipe2(told, O_CLOEXEC)) return errno;
  pid_t pid = getpid(), parent = getppid();
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  // No signal tells of its end: nothing of it must be left for the program.
  long between = syscall(SYS_clone, 0, 0, 0, 0, 0);
  if (between < 0) return errno;
  if (between == 0) {
    pid_t tracer = fork();
    if (tracer == 0) trace(pid, told[1], parent);
    _exit(tracer < 0);
  }
  close(told[1]);
  while (waitpid((pid_t)between, NULL, __WALL) < 0 && errno == EINTR) {
  }
  char answer[5];
  ssize_t n;
  do n = read(told[0], answer, sizeof answer);
  while (n < 0 && errno == EINTR);
  close(told[0]);
  if (n != sizeof answer) return ECHILD;
  int error;
  memcpy(&error, answer + 1, sizeof error);
  return answer[0] == '1' ? 0 : error ? error : EPERM;
}

static int run(char **command) {
  int error = be_traced();
  if (error) return fail("Cannot trace", error);
  if (trace_install_filter()) return fail("Cannot filter calls", errno);
  prctl(PR_SET_PTRACER, 0, 0, 0, 0);
  execvp(*command, command);
  error = errno;
  bool is_path = strchr(*command, '/');
  if (error == ENOENT && !is_path) {
    fprintf(stderr, "clibs-ptrace: %s: command not found\n", *command);
  } else {
    fprintf(stderr, "clibs-ptrace: %s: %s\n", *command, strerror(error));
  }
  return error == ENOENT || (error == ENOTDIR && !is_path) ? 127 : 126;
}

// Executes a program with the preloaded library in this process, which follows
// the program if it cannot go along. For those who cannot call exec themselves.
static int execute(char **argv) {
  execv(argv[0], argv + 1);
  int error = errno;
  fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
  return error == ENOENT ? 127 : 126;
}

int main(int argc, char **argv) {
  if (argc > 3 && strcmp(argv[1], "--exec") == 0) return execute(argv + 2);
  bool runs = argc > 3 && strcmp(argv[2], "--") == 0;
  bool seizes = argc == 5 && strcmp(argv[2], "--seize") == 0;
  if (!runs && !seizes) {
    fputs("usage: clibs-ptrace TRACE -- PROGRAM [ARGUMENT]...\n"
          "       clibs-ptrace TRACE --seize PID DESCRIPTOR\n"
          "       clibs-ptrace --exec PATH NAME [ARGUMENT]...\n",
          stderr);
    return 125;
  }
  errno = EINVAL;
  if (!trace_attach(argv[1])) return fail(argv[1], errno ? errno : EINVAL);
  if (seizes) trace(atoi(argv[3]), atoi(argv[4]), -1);
  return run(argv + 3);
}
