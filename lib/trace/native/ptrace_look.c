// Calls that only look: the answer is found by looking too, so that the
// program need not stop a second time.

#define _GNU_SOURCE
#include <limits.h>

#include "ptrace.h"

// Whether a name is a word to us; obeyed if so.
static bool is_switch(struct task *task, const char *name) {
  if (memcmp(name, "/proc/self/clibs", 16) != 0) return false;
  bool on = strcmp(name, TRACE_SWITCH_ON) == 0;
  if (!on && strcmp(name, TRACE_SWITCH_OFF) != 0) return false;
  struct process *process = task->process;
  if (on && process->off) {
    process->off = false;
    if (!process->started) report_start(process);
    report_switch(process, true);
  } else if (!on && !process->off) {
    report_switch(process, false);
    process->off = true;
  }
  return true;
}

struct place argument_path(struct task *task, int dir, uint64_t address,
                           unsigned how, struct buffer *to) {
  static char name[PATH_MAX + 16];
  const struct place nothing = {.usable = false};
  ssize_t length = read_string(task->tid, address, name, PATH_MAX);
  if (length < 0 || (length > 16 && is_switch(task, name))) return nothing;
  if (task->process->off) return nothing;
  return resolve(task, dir, name, (size_t)length, how, to);
}

static void look_at(struct task *task, int dir, uint64_t address, unsigned how,
                    uint16_t op) {
  struct place place = argument_path(task, dir, address, how, &buffers[0]);
  if (place.usable) report(task, op, 0, &place, place.state);
}

static unsigned how_of(uint64_t flags) {
  return (flags & AT_SYMLINK_NOFOLLOW ? 0 : FOLLOW) |
         (flags & AT_EMPTY_PATH ? EMPTY_IS_FD : 0);
}

void see_open(struct task *task, int dir, uint64_t address, uint64_t flags) {
  bool follow = !(flags & O_NOFOLLOW);
  struct place place = argument_path(task, dir, address, follow ? FOLLOW : 0,
                                     &buffers[0]);
  if (!place.usable) return;
  if (flags & O_PATH) {
    report(task, TRACE_ACCESS, 0, &place, place.state);
  } else {
    // A link that is not followed cannot be opened.
    uint8_t state = place.is_link ? TRACE_FAILED : place.state;
    report(task, TRACE_READ, 0, &place, state);
  }
}

static void look_link(struct task *task, int dir, uint64_t address) {
  struct place place =
      argument_path(task, dir, address, EMPTY_IS_FD, &buffers[0]);
  if (!place.usable) return;
  report(task, TRACE_LINK, 0, &place, place.state);
}

static void look_names(struct task *task, int fd) {
  if (task->process->off) return;
  char *path = buffers[0].path;
  ssize_t n = path_of_fd(task->tid, "fd", fd, path, ROOM);
  if (n <= 0) return;
  struct place place = {
      .path = path,
      .length = (size_t)n,
      .hash = hash_path(path, (size_t)n),
      .usable = true,
      .system = !trace_keeps_system() && trace_is_system(path),
  };
  report(task, TRACE_READDIR, 0, &place, TRACE_FOUND);
}

void see_look(struct task *task, const struct arguments *a) {
  const uint64_t *v = a->at;
  int dir = (int)v[0];
  switch (a->call) {
    case CALL_OPEN: see_open(task, AT_FDCWD, v[0], v[1]); break;
    case CALL_OPENAT: see_open(task, dir, v[1], v[2]); break;
    case CALL_STAT: look_at(task, AT_FDCWD, v[0], FOLLOW, TRACE_STAT); break;
    case CALL_LSTAT: look_at(task, AT_FDCWD, v[0], 0, TRACE_STAT); break;
    case CALL_STATAT:
      look_at(task, dir, v[1], how_of(v[3]), TRACE_STAT);
      break;
    case CALL_STATX:
    case CALL_STATXATTR:
      look_at(task, dir, v[1], how_of(v[2]), TRACE_STAT);
      break;
    case CALL_ACCESS:
      look_at(task, AT_FDCWD, v[0], FOLLOW, TRACE_ACCESS);
      break;
    case CALL_ACCESSAT: look_at(task, dir, v[1], FOLLOW, TRACE_ACCESS); break;
    case CALL_ACCESSAT2:
      look_at(task, dir, v[1], how_of(v[3]), TRACE_ACCESS);
      break;
    case CALL_WATCH:
      look_at(task, AT_FDCWD, v[1], v[2] & 0x02000000 ? 0 : FOLLOW,
              TRACE_ACCESS);  // IN_DONT_FOLLOW
      break;
    case CALL_READLINK: look_link(task, AT_FDCWD, v[0]); break;
    case CALL_READLINKAT: look_link(task, dir, v[1]); break;
    case CALL_GETDENTS: look_names(task, (int)v[0]); break;
    case CALL_EXECVE:
    case CALL_EXECVEAT: see_exec(task, a); break;
    default: break;
  }
}
