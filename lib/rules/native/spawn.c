// Starts jobs for clibs and tells how they end. A small process of its own
// forks faster than a large one, never holds it up, and outlives it for as long
// as it takes to end all jobs.
//
// Requests come on descriptor 0: a length, then struct request, and texts that
// end with NUL: folder, standard input, output and error, program, arguments,
// variables.
// Answers go to descriptor 1, see struct answer.
//
// A request may wait for its turn: until so many jobs of its class have ended.
// So a place that becomes free is taken at once, not after clibs has heard of
// it; clibs counts ends as we do, so that both know who takes which place.

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
enum { KILL_GROUP = 1, PASS = 2, SKIP = 4 };

struct request {
  uint32_t id;
  uint32_t flags;
  uint32_t argc, envc;
  uint32_t class;
  uint32_t turn;  // 0: at once
};

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
  uint32_t id, flags, class;
};

static struct job *jobs;
static size_t job_count, job_room;

// A request that waits, in a list by age.
struct queued {
  struct queued *next;
  size_t size;
  char bytes[];
};

static struct queued *queue;

// How many jobs of each class have ended; classes are small numbers.
static uint32_t *ended;
static size_t class_room;

static void count_end(uint32_t class) {
  if (class >= class_room) {
    size_t room = class_room ? class_room * 2 : 64;
    while (room <= class) room *= 2;
    uint32_t *more = realloc(ended, room * sizeof *ended);
    if (!more) return;
    memset(more + class_room, 0, (room - class_room) * sizeof *more);
    ended = more;
    class_room = room;
  }
  ended[class]++;
}

static bool is_due(const struct request *request) {
  return request->turn == 0 ||
         (request->class < class_room && ended[request->class] >= request->turn);
}

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
static void become(const char *cwd, char **files, const char *program,
                   char **argv, char **env, volatile int *error) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  for (int i = 1; i < 32; i++) signal(i, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, 0);
  if (chdir(cwd) == 0 && open_as(0, files[0], O_RDONLY) &&
      open_as(1, files[1], O_WRONLY | O_CREAT | O_TRUNC) &&
      open_as(2, files[2], O_WRONLY | O_CREAT | O_TRUNC)) {
    execve(program, argv, env);
  }
  *error = errno;
  _exit(127);
}

static void start(char *bytes, size_t size) {
  struct request request;
  memcpy(&request, bytes, sizeof request);
  char *at = bytes + sizeof request;
  char *end = bytes + size;
  char *cwd = text(&at);
  char *files[3] = {text(&at), text(&at), text(&at)};
  char *program = text(&at);
  char **argv = calloc(request.argc + 1, sizeof *argv);
  char **env = calloc(request.envc + 1, sizeof *env);
  for (uint32_t i = 0; i < request.argc && at < end; i++) argv[i] = text(&at);
  for (uint32_t i = 0; i < request.envc && at < end; i++) env[i] = text(&at);
  volatile int error = 0;
  pid_t pid = vfork();
  if (pid == 0) become(cwd, files, program, argv, env, &error);
  if (pid < 0) error = errno;
  free(argv);
  free(env);
  if (error) {
    if (pid > 0) waitpid(pid, 0, 0);
    count_end(request.class);
    tell((struct answer){.id = request.id, .kind = FAILED, .value = error});
    return;
  }
  if (job_count == job_room) {
    job_room = job_room ? job_room * 2 : 64;
    jobs = realloc(jobs, job_room * sizeof *jobs);
  }
  jobs[job_count++] = (struct job){
      .pid = pid, .id = request.id, .flags = request.flags, .class = request.class};
  tell((struct answer){.id = request.id, .kind = STARTED, .value = pid});
}

static void skip_turn(const struct request *skipped) {
  for (struct queued *at = queue; at; at = at->next) {
    struct request request;
    memcpy(&request, at->bytes, sizeof request);
    if (request.class != skipped->class || request.turn <= skipped->turn) continue;
    request.turn--;
    memcpy(at->bytes, &request, sizeof request);
  }
}

// Starts a request that came, or has it wait.
static void take(char *bytes, size_t size) {
  struct request request;
  if (size < sizeof request) return;
  memcpy(&request, bytes, sizeof request);
  if (request.flags & PASS) {
    // A job ended that was never started.
    count_end(request.class);
    return;
  }
  if (request.flags & SKIP) {
    // Nobody takes this turn: the later ones come one earlier.
    skip_turn(&request);
    return;
  }
  if (is_due(&request)) {
    start(bytes, size);
    return;
  }
  struct queued *waiting = malloc(sizeof *waiting + size);
  if (!waiting) {
    tell((struct answer){.id = request.id, .kind = FAILED, .value = ENOMEM});
    return;
  }
  waiting->next = 0;
  waiting->size = size;
  memcpy(waiting->bytes, bytes, size);
  struct queued **last = &queue;
  while (*last) last = &(*last)->next;
  *last = waiting;
}

// Starts those whose turn has come; one that cannot be started is an end too.
static void advance(void) {
  for (struct queued **at = &queue; *at;) {
    struct queued *waiting = *at;
    struct request request;
    memcpy(&request, waiting->bytes, sizeof request);
    if (!is_due(&request)) {
      at = &waiting->next;
      continue;
    }
    *at = waiting->next;
    start(waiting->bytes, waiting->size);
    free(waiting);
    at = &queue;
  }
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
      struct job job = jobs[i];
      jobs[i] = jobs[--job_count];
      count_end(job.class);
      // Who waits for its place first, then whoever wants to know of it.
      advance();
      tell((struct answer){
          .id = job.id,
          .kind = ENDED,
          .value = status,
          .cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
                        1000000u +
                    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
          .peak_kb = (uint64_t)usage.ru_maxrss,
      });
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
    take(buffer + at + sizeof size, size);
  }
  memmove(buffer, buffer + at, used - at);
  used -= at;
  advance();
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
  // clibs does not read answers while it writes requests: there is to be room
  // for those of as many jobs as anybody runs at once.
  fcntl(1, F_SETPIPE_SZ, 1 << 20);
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
