// Programs that the library cannot go into: the ptrace tracer takes over.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "shim.h"
#include "writer.h"

void shim_report_escape(int dir, const char *path, bool follow,
                        char *const *argv, int reason) {
  struct shim_slot *slot = shim_take();
  if (!slot) return;
  struct shim_place place = shim_resolve(slot, dir, path, follow);
  long n = KERNEL(getcwd, slot->rest, 4096, 0, 0);
  size_t used = n > 0 ? (size_t)n : 1;
  if (n <= 0) *slot->rest = 0;
  for (; argv && *argv; argv++) {
    size_t m = strlen(*argv) + 1;
    if (used + m > ROOM) break;
    memcpy(slot->rest + used, *argv, m);
    used += m;
  }
  uint32_t pid = kernel_getpid();
  // The program itself cannot say that it runs.
  trace_put((struct trace_draft){
                .op = TRACE_EXEC, .state = TRACE_CALLING, .pid = pid},
            slot->path, place.length, slot->rest, used);
  trace_put((struct trace_draft){.op = TRACE_ESCAPE,
                                 .state = TRACE_CALLING,
                                 .pid = pid,
                                 .other = reason},
            slot->path, place.length, 0, 0);
  shim_give(slot);
}

// Starts the ptrace tracer beside this process, as nobody's child, and lets it
// take hold. Returns whether it did.
static bool be_seized(void) {
  int pipes[2];
  if (KERNEL(pipe2, pipes, O_CLOEXEC, 0, 0) != 0) return false;
  char pid[16], fd[16];
  snprintf(pid, sizeof pid, "%d", kernel_getpid());
  snprintf(fd, sizeof fd, "%d", pipes[1]);
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  long child = KERNEL(clone, SIGCHLD, 0, 0, 0);
  if (child == 0) {
    // The middle one ends at once, so that the tracer belongs to init and no
    // wait() of the program ever sees it.
    long tracer = KERNEL(clone, SIGCHLD, 0, 0, 0);
    if (tracer == 0) {
      struct sigaction plain = {.sa_handler = SIG_DFL};
      for (int i = 1; i < 32; i++) sigaction(i, &plain, 0);
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, 0);
      KERNEL(setsid, 0, 0, 0, 0);
      KERNEL(fcntl, pipes[1], F_SETFD, 0, 0);
      char *argv[] = {trace_map->tracer, trace_map->path, "--seize", pid, fd, 0};
      char *env[] = {"PATH=/usr/bin:/bin", 0};
      KERNEL(execve, argv[0], argv, env, 0);
    }
    for (;;) KERNEL(exit_group, tracer < 0, 0, 0, 0);
  }
  KERNEL(close, pipes[1], 0, 0, 0);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  int status;
  if (child > 0) KERNEL(wait4, child, &status, 0, 0);
  char answer = '0';
  long n;
  do n = KERNEL(read, pipes[0], &answer, 1, 0); while (n == -EINTR);
  KERNEL(close, pipes[0], 0, 0, 0);
  sigprocmask(SIG_SETMASK, &old, 0);
  return n == 1 && answer == '1';
}

// Whether somebody traces this process already.
static bool is_traced(void) {
  char text[2048];
  long fd =
      KERNEL(openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  long n = KERNEL(read, fd, text, sizeof text - 1, 0);
  KERNEL(close, fd, 0, 0, 0);
  text[n > 0 ? n : 0] = 0;
  const char *line = strstr(text, "TracerPid:");
  return line && atoi(line + 10) != 0;
}

void shim_follow_escape(int dir, const char *path, bool follow,
                        char *const *argv, int reason) {
  bool traced = false, held = false;
  if (reason != TRACE_ESCAPE_SETUID && (trace_map->flags & TRACE_ESCALATE) &&
      *trace_map->tracer) {
    traced = is_traced();
    held = traced || be_seized();
  }
  // Before the filter: behind it, a call that looks waits for the tracer, which
  // only comes with the exec.
  shim_report_escape(dir, path, follow, argv,
                     reason | (held ? TRACE_ESCAPE_SEEN : 0));
  if (held && !traced && trace_install_filter() != 0) {
    shim_report_escape(dir, path, follow, argv, reason);
  }
}
