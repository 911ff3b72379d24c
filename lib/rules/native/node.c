// Runs one job on the node that a scheduler such as Slurm chose for it, and
// leaves word of how it went in files, which is all that clibs can rely on:
// what schedulers remember of a job differs, and goes when they do.
//
// The only argument names the request: texts that end with NUL, see struct
// request. It is taken by renaming it, so that only one of several starts wins
// and none does once clibs has taken it back. While the job runs the renamed
// file is its ticket: whoever removes it wants the job ended.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct request {
  char *boot;        // id of the boot of the machine that clibs runs on
  char *started;     // file that says that it runs, and where
  char *ended;       // file that says how it ended
  char *timeout;     // milliseconds, or 0
  char *signals;     // numbers that end it, one a second, with blanks between
  char *kill_group;  // 1 to end what it leaves running
  char *trace;       // file that must reach the disk before the end is told
  char *address;     // how another machine reaches clibs, or @ and whose it is
  char *cwd, *in, *out, *err;
  char *argc, *envc;
  char **argv, **env;
};

static char *next_text(char **at, char *end) {
  char *found = *at;
  size_t length = strnlen(found, (size_t)(end - found));
  if (found + length >= end) exit(65);
  *at = found + length + 1;
  return found;
}

static char *read_all(const char *path, size_t *size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) < 0) return NULL;
  char *bytes = malloc((size_t)info.st_size + 1);
  size_t used = 0;
  for (ssize_t n; used < (size_t)info.st_size; used += (size_t)n) {
    n = read(fd, bytes + used, (size_t)info.st_size - used);
    if (n <= 0) break;
  }
  close(fd);
  bytes[used] = 0;
  *size = used;
  return bytes;
}

static struct request parse(char *at, char *end) {
  struct request request;
  char **fields[] = {
      &request.boot,    &request.started, &request.ended,
      &request.timeout, &request.signals, &request.kill_group,
      &request.trace,   &request.address, &request.cwd,
      &request.in,      &request.out,     &request.err,
      &request.argc,    &request.envc,
  };
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    *fields[i] = next_text(&at, end);
  }
  size_t argc = strtoul(request.argc, NULL, 10);
  size_t envc = strtoul(request.envc, NULL, 10);
  request.argv = calloc(argc + 1, sizeof *request.argv);
  for (size_t i = 0; i < argc; i++) request.argv[i] = next_text(&at, end);
  size_t own = 0;
  while (environ[own]) own++;
  request.env = calloc(envc + own + 1, sizeof *request.env);
  for (size_t i = 0; i < envc; i++) request.env[i] = next_text(&at, end);
  return request;
}

static bool same_machine(const char *boot) {
  char mine[64] = "";
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool is_read = read(fd, mine, sizeof mine - 1) > 0;
  close(fd);
  return is_read && strncmp(mine, boot, strlen(boot)) == 0;
}

static bool starts(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

// What the scheduler granted is told in variables.
static bool is_granted(const char *variable) {
  const char *equals = strchr(variable, '=');
  size_t length = equals ? (size_t)(equals - variable) : 0;
  const char *tail = "_VISIBLE_DEVICES";
  return starts(variable, "SLURM_") || starts(variable, "GPU_DEVICE_ORDINAL=") ||
         (length > strlen(tail) && starts(equals - strlen(tail), tail));
}

static bool has_variable(char **env, const char *variable) {
  size_t length = strcspn(variable, "=") + 1;
  for (; *env; env++) {
    if (strncmp(*env, variable, length) == 0) return true;
  }
  return false;
}

static void complete(struct request *request, bool is_here) {
  const char *name = "CLIBS_JOB_SOCKET=";
  size_t count = 0;
  for (; request->env[count]; count++) {
    if (is_here || !starts(request->env[count], name)) continue;
    char *variable = malloc(strlen(name) + strlen(request->address) + 1);
    // Sockets of another machine may lie in a folder that is shared.
    sprintf(variable, "%s%s", name, request->address);
    request->env[count] = variable;
  }
  for (char **own = environ; *own; own++) {
    if (is_granted(*own) && !has_variable(request->env, *own)) {
      request->env[count++] = *own;
    }
  }
}

// Whoever sees the file sees all of it.
static void publish(const char *path, const char *text, bool is_here) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.new", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ssize_t length = (ssize_t)strlen(text);
  bool is_whole = write(fd, text, (size_t)length) == length;
  if (!is_here) is_whole = fsync(fd) == 0 && is_whole;
  if (close(fd) == 0 && is_whole) rename(temporary, path);
}

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool open_as(int fd, const char *path, int flags) {
  int opened = open(path, flags | O_CLOEXEC, 0666);
  if (opened < 0) return false;
  if (opened == fd) fcntl(fd, F_SETFD, 0);
  else dup2(opened, fd);
  return true;
}

// In the child of vfork(), which shares our memory: only calls, no changes.
static void become(struct request *request, volatile int *error) {
  setsid();
  // Whoever kills us would leave it running, beside its next try.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  for (int i = 1; i < 32; i++) signal(i, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, 0);
  if (chdir(request->cwd) == 0 && open_as(0, request->in, O_RDONLY) &&
      open_as(1, request->out, O_WRONLY | O_CREAT | O_TRUNC) &&
      open_as(2, request->err, O_WRONLY | O_CREAT | O_TRUNC)) {
    execve(request->argv[0], request->argv, request->env);
  }
  *error = errno;
  _exit(127);
}

struct end {
  int status;
  bool timed_out, killed, cancelled;
  int64_t ran_ms;
  struct rusage usage;
};

// The signals that end the job, one a second, then SIGKILL.
struct ending {
  const char *rest;
  int64_t next_ms;
};

static void send_next(struct ending *ending, pid_t pid) {
  char *after;
  long number = strtol(ending->rest, &after, 10);
  bool is_last = after == ending->rest;
  if (is_last) number = SIGKILL;
  else ending->rest = after;
  if (number > 0) kill(-pid, (int)number);
  ending->next_ms = is_last ? INT64_MAX : now_ms() + 1000;
}

static bool is_over(pid_t job, struct end *end) {
  int status;
  pid_t pid;
  struct rusage usage;
  bool over = false;
  while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
    if (pid != job) continue;
    end->status = status;
    end->usage = usage;
    over = true;
  }
  return over;
}

enum { LOOK_MS = 1000 };

static void watch(pid_t pid, struct request *request, const char *ticket,
                  int signals, struct end *end) {
  int64_t began = now_ms();
  int64_t timeout = strtoll(request->timeout, NULL, 10);
  int64_t deadline = timeout > 0 ? began + timeout : INT64_MAX;
  struct ending ending = {request->signals, INT64_MAX};
  bool is_ending = false;
  for (int64_t look = began + LOOK_MS;;) {
    int64_t now = now_ms(), next = look;
    if (deadline < next) next = deadline;
    if (ending.next_ms < next) next = ending.next_ms;
    struct pollfd fd = {.fd = signals, .events = POLLIN};
    poll(&fd, 1, next > now ? (int)(next - now) : 0);
    bool wants_end = false;
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) continue;
      // SIGUSR1 is ours; what else comes, the scheduler or somebody wanted.
      if (info.ssi_signo == SIGUSR1) end->killed = true;
      else end->cancelled = true;
      wants_end = true;
    }
    if (is_over(pid, end)) break;
    now = now_ms();
    if (now >= look) {
      look = now + LOOK_MS;
      if (access(ticket, F_OK) < 0 && errno == ENOENT) {
        end->killed = true;
        wants_end = true;
      }
    }
    if (now >= deadline) {
      deadline = INT64_MAX;
      end->timed_out = true;
      wants_end = true;
    }
    if (wants_end && !is_ending) {
      is_ending = true;
      ending.next_ms = now;
    }
    if (now >= ending.next_ms) send_next(&ending, pid);
  }
  // Nothing may write into what counts as complete.
  if (*request->kill_group == '1') kill(-pid, SIGKILL);
  end->ran_ms = now_ms() - began;
}

static void tell_start(struct request *request, bool is_here) {
  char host[256] = "", text[512];
  gethostname(host, sizeof host - 1);
  const char *id = getenv("SLURM_JOB_ID"), *node = getenv("SLURMD_NODENAME");
  snprintf(text, sizeof text, "%s %s\n", id && *id ? id : "0",
           node && *node ? node : host);
  publish(request->started, text, is_here);
}

static void tell_end(struct request *request, struct end *end, int error,
                     bool is_here) {
  int64_t cpu_ms = 0;
  struct timeval times[] = {end->usage.ru_utime, end->usage.ru_stime};
  for (int i = 0; i < 2; i++) {
    cpu_ms += (int64_t)times[i].tv_sec * 1000 + times[i].tv_usec / 1000;
  }
  bool was_killed = WIFSIGNALED(end->status);
  char text[256];
  snprintf(text, sizeof text, "%d %d %d %d %d %d %lld %lld %ld\n", error,
           was_killed ? -1 : WEXITSTATUS(end->status),
           was_killed ? WTERMSIG(end->status) : 0, end->timed_out, end->killed,
           end->cancelled, (long long)end->ran_ms, (long long)cpu_ms,
           end->usage.ru_maxrss);
  publish(request->ended, text, is_here);
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  // Before anybody can know that we run.
  sigset_t set;
  sigemptyset(&set);
  int wanted[] = {SIGCHLD, SIGUSR1, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGXCPU};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    sigaddset(&set, wanted[i]);
  }
  sigprocmask(SIG_BLOCK, &set, 0);
  char ticket[4096];
  snprintf(ticket, sizeof ticket, "%s.taken", argv[1]);
  if (rename(argv[1], ticket) < 0) {
    if (errno == ENOENT) return 0;
    fprintf(stderr, "cannot take %s: %s\n", argv[1], strerror(errno));
    return 66;
  }
  size_t size;
  char *bytes = read_all(ticket, &size);
  if (!bytes) {
    fprintf(stderr, "cannot read %s: %s\n", ticket, strerror(errno));
    return 66;
  }
  struct request request = parse(bytes, bytes + size);
  bool is_here = same_machine(request.boot);
  complete(&request, is_here);
  tell_start(&request, is_here);
  // Who leaves its group and its parent comes to us, and can be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  struct end end = {0};
  volatile int error = 0;
  pid_t pid = vfork();
  if (pid == 0) become(&request, &error);
  if (pid < 0) error = errno;
  if (!error) watch(pid, &request, ticket, signals, &end);
  if (*request.trace && !is_here) {
    int fd = open(request.trace, O_RDWR | O_CLOEXEC);
    if (fd >= 0) fsync(fd);
  }
  tell_end(&request, &end, error, is_here);
  return 0;
}
