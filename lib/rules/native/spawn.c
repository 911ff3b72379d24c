// Starts jobs for clibs and tells how they end. A small process of its own
// forks faster than a large one, never holds it up, and outlives it for as long
// as it takes to end all jobs.
//
// Requests come on descriptor 0: a length, then id, flags, number of arguments,
// number of variables (32 bits each, in the machine's order), and texts that
// end with NUL: folder, standard input, output and error, arguments, variables.
// Answers go to descriptor 1, see struct answer.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STARTED = 1, ENDED, FAILED };
enum { KILL_GROUP = 1 };

struct answer {
  uint32_t id;
  uint32_t kind;
  int32_t value;  // pid, wait status, or errno
  uint32_t unused;
  uint64_t cpu_us;
  uint64_t peak_kb;
};

struct job {
  pid_t pid;
  uint32_t id, flags;
};

static struct job *jobs;
static size_t job_count, job_room;

static void tell(struct answer answer) {
  const char *at = (const char *)&answer;
  size_t left = sizeof answer;
  while (left > 0) {
    ssize_t n = write(1, at, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // clibs is gone: the end of descriptor 0 says so too
    at += n;
    left -= (size_t)n;
  }
}

// The next text of a request.
static char *text(char **at) {
  char *found = *at;
  *at += strlen(found) + 1;
  return found;
}

static bool open_as(int fd, const char *path, int flags) {
  int opened = open(path, flags | O_CLOEXEC, 0666);
  if (opened < 0) return false;
  if (opened == fd) fcntl(fd, F_SETFD, 0);
  else dup2(opened, fd);
  return true;
}

// In the child of vfork(), which shares our memory: only calls, no changes.
static void become(const char *cwd, char **files, char **argv, char **env,
                   volatile int *error) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  for (int i = 1; i < 32; i++) signal(i, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, 0);
  if (chdir(cwd) == 0 && open_as(0, files[0], O_RDONLY) &&
      open_as(1, files[1], O_WRONLY | O_CREAT | O_TRUNC) &&
      open_as(2, files[2], O_WRONLY | O_CREAT | O_TRUNC)) {
    execve(argv[0], argv, env);
  }
  *error = errno;
  _exit(127);
}

static void start(char *request, size_t size) {
  uint32_t head[4];
  memcpy(head, request, sizeof head);
  char *at = request + sizeof head;
  char *end = request + size;
  char *cwd = text(&at);
  char *files[3] = {text(&at), text(&at), text(&at)};
  char **argv = calloc(head[2] + 1, sizeof *argv);
  char **env = calloc(head[3] + 1, sizeof *env);
  for (uint32_t i = 0; i < head[2] && at < end; i++) argv[i] = text(&at);
  for (uint32_t i = 0; i < head[3] && at < end; i++) env[i] = text(&at);
  volatile int error = 0;
  pid_t pid = vfork();
  if (pid == 0) become(cwd, files, argv, env, &error);
  if (pid < 0) error = errno;
  free(argv);
  free(env);
  if (error) {
    if (pid > 0) waitpid(pid, 0, 0);
    tell((struct answer){.id = head[0], .kind = FAILED, .value = error});
    return;
  }
  if (job_count == job_room) {
    job_room = job_room ? job_room * 2 : 64;
    jobs = realloc(jobs, job_room * sizeof *jobs);
  }
  jobs[job_count++] = (struct job){.pid = pid, .id = head[0], .flags = head[1]};
  tell((struct answer){.id = head[0], .kind = STARTED, .value = pid});
}

static void reap(void) {
  int status;
  struct rusage usage;
  pid_t pid;
  while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
    for (size_t i = 0; i < job_count; i++) {
      if (jobs[i].pid != pid) continue;
      // Nothing may write into what counts as complete.
      if (jobs[i].flags & KILL_GROUP) kill(-pid, SIGKILL);
      tell((struct answer){
          .id = jobs[i].id,
          .kind = ENDED,
          .value = status,
          .cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
                        1000000u +
                    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
          .peak_kb = (uint64_t)usage.ru_maxrss,
      });
      jobs[i] = jobs[--job_count];
      break;
    }
  }
}

// Takes in what has come and starts the jobs that are complete. False at the end.
static bool receive(void) {
  static char *buffer;
  static size_t used, room;
  if (room - used < 65536) {
    room = room ? room * 2 : 262144;
    buffer = realloc(buffer, room);
    if (!buffer) return false;
  }
  ssize_t n = read(0, buffer + used, room - used);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (n == 0) return false;
  used += (size_t)n;
  size_t at = 0;
  for (uint32_t size; used - at >= sizeof size; at += sizeof size + size) {
    memcpy(&size, buffer + at, sizeof size);
    if (used - at - sizeof size < size) break;
    start(buffer + at + sizeof size, size);
  }
  memmove(buffer, buffer + at, used - at);
  used -= at;
  return true;
}

int main(void) {
  // A terminal's Ctrl-C comes to us too; clibs says what becomes of jobs.
  int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
    signal(ignored[i], SIG_IGN);
  }
  // Who leaves its group and its parent comes to us, and can be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, 0);
  fcntl(0, F_SETFD, FD_CLOEXEC);
  fcntl(1, F_SETFD, FD_CLOEXEC);
  struct pollfd fds[2] = {
      {.fd = 0, .events = POLLIN},
      {.fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK),
       .events = POLLIN},
  };
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
    if (fds[1].revents) {
      struct signalfd_siginfo info[16];
      while (read(fds[1].fd, info, sizeof info) > 0) {
      }
      reap();
    }
    if (fds[0].revents && !receive()) break;
  }
  for (size_t i = 0; i < job_count; i++) kill(-jobs[i].pid, SIGKILL);
  return 0;
}
