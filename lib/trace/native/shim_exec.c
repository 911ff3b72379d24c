// Functions that start a program: the library goes along, whatever environment
// the program is given, or the ptrace tracer does where it cannot.

#define _GNU_SOURCE
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim.h"
#include "writer.h"

extern char **environ;
bool shim_is_off(void);

// --- environment ------------------------------------------------------------

static bool starts(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

// Room for the variables that we put into an environment.
struct carried {
  char preload[1024];
  char file[600];
  char asan[256];
};

static void join(char *to, size_t room, const char *a, const char *b,
                 const char *c) {
  size_t n = 0;
  for (const char *s = a; *s && n + 1 < room; s++) to[n++] = *s;
  for (const char *s = b; *s && n + 1 < room; s++) to[n++] = *s;
  for (const char *s = c; *s && n + 1 < room; s++) to[n++] = *s;
  to[n] = 0;
}

// LD_PRELOAD without the library: the loader of another libc or machine would
// complain of it, or give up. Returns whether anything is left.
static bool leave_out(const char *variable, struct carried *room) {
  const char *shim = trace_map->shim, *at = strstr(variable, shim);
  size_t n = (size_t)(at - variable);
  const char *rest = at + strlen(shim);
  if (*rest == ':') rest++;
  else if (n > 11 && variable[n - 1] == ':') n--;
  if (n + strlen(rest) >= sizeof room->preload) return false;
  memcpy(room->preload, variable, n);
  strcpy(room->preload + n, rest);
  return room->preload[11];
}

// An environment with what tracing needs; `to` has room for four more.
static void carry(char *const *env, char **to, struct carried *room, bool asan,
                  bool alone) {
  const char *shim = trace_map->shim;
  size_t n = 0;
  bool preloaded = false;
  join(room->file, sizeof room->file, TRACE_FILE_VARIABLE "=", trace_map->path,
       "");
  join(room->preload, sizeof room->preload, "LD_PRELOAD=", shim, "");
  join(room->asan, sizeof room->asan,
       "ASAN_OPTIONS=verify_asan_link_order=0", "", "");
  for (; env && *env; env++) {
    if (starts(*env, TRACE_FILE_VARIABLE "=") ||
        starts(*env, TRACE_OFF_VARIABLE "=")) {
      continue;
    }
    if (starts(*env, "LD_PRELOAD=") && !preloaded) {
      preloaded = true;
      if (alone && strstr(*env, shim)) {
        if (leave_out(*env, room)) to[n++] = room->preload;
        continue;
      }
      if (alone || strstr(*env, shim)) {
        to[n++] = *env;
        continue;
      }
      join(room->preload, sizeof room->preload, "LD_PRELOAD=", shim, ":");
      size_t used = strlen(room->preload);
      join(room->preload + used, sizeof room->preload - used, *env + 11, "",
           "");
      to[n++] = room->preload;
      continue;
    }
    if (asan && starts(*env, "ASAN_OPTIONS=")) {
      join(room->asan, sizeof room->asan, *env, ":verify_asan_link_order=0",
           "");
      continue;
    }
    to[n++] = *env;
  }
  if (!preloaded && !alone) to[n++] = room->preload;
  to[n++] = room->file;
  if (shim_is_off()) to[n++] = TRACE_OFF_VARIABLE "=1";
  if (asan) to[n++] = room->asan;
  to[n] = 0;
}

static size_t count(char *const *list) {
  size_t n = 0;
  while (list && list[n]) n++;
  return n;
}

#define CARRY(env, asan, alone)                                         \
  struct carried room;                                             \
  char **carried = alloca((count(env) + 5) * sizeof *carried);     \
  carry(env, carried, &room, asan, alone)

// Whether a program's loader cannot load the library.
static bool is_foreign(int reason) {
  return reason == TRACE_ESCAPE_LOADER || reason == TRACE_ESCAPE_MACHINE;
}

// --- exec -------------------------------------------------------------------

static int exec_at(int dir, const char *path, char *const *argv,
                   char *const *env, int flags) {
  int reason = 0;
  bool asan = false, alone = false;
  if (path && shim_is_on()) {
    bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
    enum shim_fate fate = SHIM_RUN;
    char name[32];
    if (!*path && (flags & AT_EMPTY_PATH)) {
      snprintf(name, sizeof name, "/proc/self/fd/%d", dir);
      fate = shim_program(AT_FDCWD, name, true, &reason);
    } else {
      fate = shim_program(dir, path, follow, &reason);
    }
    asan = fate == SHIM_ASAN;
    alone = fate == SHIM_ESCAPES && is_foreign(reason);
    if (fate == SHIM_ESCAPES) {
      shim_follow_escape(dir, path, follow, argv, reason);
    }
  }
  if (!trace_map) {
    return REAL(execveat)(dir, path, argv, env, flags);
  }
  CARRY(env, asan, alone);
  if (dir == AT_FDCWD && flags == 0) return REAL(execve)(path, argv, carried);
  return REAL(execveat)(dir, path, argv, carried, flags);
}

EXPORT int execve(const char *path, char *const argv[], char *const env[]) {
  if (!trace_map && !shim_is_on()) return REAL(execve)(path, argv, env);
  return exec_at(AT_FDCWD, path, argv, env, 0);
}
EXPORT int execveat(int dir, const char *path, char *const argv[],
                    char *const env[], int flags) {
  return exec_at(dir, path, argv, env, flags);
}
EXPORT int fexecve(int fd, char *const argv[], char *const env[]) {
  return exec_at(fd, "", argv, env, AT_EMPTY_PATH);
}
EXPORT int execv(const char *path, char *const argv[]) {
  return execve(path, argv, environ);
}

// A file that is neither a program nor a script is one for the shell.
static int exec_or_shell(const char *path, char *const argv[],
                         char *const env[]) {
  execve(path, argv, env);
  if (errno != ENOEXEC) return -1;
  size_t n = count(argv);
  char **with = alloca((n + 3) * sizeof *with);
  with[0] = "/bin/sh";
  with[1] = (char *)path;
  for (size_t i = 1; i <= n; i++) with[i + 1] = argv[i];
  if (n == 0) with[2] = 0;
  return execve("/bin/sh", with, env);
}

// The next candidate of a search along PATH; false after the last.
static bool next_candidate(const char **list, const char *name, char *to) {
  if (!*list) return false;
  size_t n = strcspn(*list, ":"), m = strlen(name);
  const char *dir = *list;
  *list = (*list)[n] ? *list + n + 1 : 0;
  if (n + m + 2 > PATH_MAX) {
    *to = 0;
    return true;
  }
  memcpy(to, dir, n);
  if (n) to[n++] = '/';
  memcpy(to + n, name, m + 1);
  return true;
}

static const char *search_path(void) {
  const char *path = getenv("PATH");
  return path ? path : "/bin:/usr/bin";
}

EXPORT int execvpe(const char *file, char *const argv[], char *const env[]) {
  if (!file || !*file) {
    errno = ENOENT;
    return -1;
  }
  if (strchr(file, '/')) return exec_or_shell(file, argv, env);
  char path[PATH_MAX];
  bool denied = false;
  errno = ENOENT;
  for (const char *list = search_path(); next_candidate(&list, file, path);) {
    if (!*path) continue;
    exec_or_shell(path, argv, env);
    if (errno == EACCES) denied = true;
    else if (errno != ENOENT && errno != ESTALE && errno != ENOTDIR &&
             errno != ENODEV && errno != ETIMEDOUT) {
      return -1;
    }
  }
  if (denied) errno = EACCES;
  return -1;
}
EXPORT int execvp(const char *file, char *const argv[]) {
  return execvpe(file, argv, environ);
}

// The arguments of the execl family, as a list on the stack of the caller.
#define LIST(first)                                          \
  va_list list;                                              \
  int n = 1;                                                 \
  va_start(list, first);                                     \
  while (va_arg(list, char *)) n++;                          \
  va_end(list);                                              \
  char **argv = alloca((n + 1) * sizeof *argv);              \
  argv[0] = (char *)first;                                   \
  va_start(list, first);                                     \
  for (int i = 1; i <= n; i++) argv[i] = va_arg(list, char *)

EXPORT int execl(const char *path, const char *first, ...) {
  LIST(first);
  va_end(list);
  return execve(path, argv, environ);
}
EXPORT int execlp(const char *file, const char *first, ...) {
  LIST(first);
  va_end(list);
  return execvpe(file, argv, environ);
}
EXPORT int execle(const char *path, const char *first, ...) {
  LIST(first);
  char **env = va_arg(list, char **);
  va_end(list);
  return execve(path, argv, env);
}

// --- spawn ------------------------------------------------------------------

typedef int (*spawner)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                       const posix_spawnattr_t *, char *const[], char *const[]);

static int spawn(spawner real, pid_t *pid, const char *path, const char *given,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[],
                 char *const env[]) {
  int reason = 0;
  enum shim_fate fate = shim_program(AT_FDCWD, path, true, &reason);
  bool follows =
      *trace_map->tracer && (trace_map->flags & TRACE_ESCALATE);
  CARRY(env, fate == SHIM_ASAN,
        fate == SHIM_ESCAPES && is_foreign(reason) && !follows);
  if (fate == SHIM_ESCAPES) {
    if (follows) {
      // Its exec happens where we cannot be; a program of ours does it instead,
      // with the library in it.
      size_t n = count(argv);
      char **with = alloca((n + 4) * sizeof *with);
      with[0] = trace_map->tracer;
      with[1] = "--exec";
      with[2] = (char *)path;
      for (size_t i = 0; i <= n; i++) with[i + 3] = argv[i];
      return REAL(posix_spawn)(pid, trace_map->tracer, actions, attributes,
                               with, carried);
    }
    shim_report_escape(AT_FDCWD, path, true, argv, reason);
  }
  return real(pid, given, actions, attributes, argv, carried);
}

EXPORT int posix_spawn(pid_t *pid, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[],
                       char *const env[]) {
  if (!path || !shim_is_on()) {
    if (!trace_map) {
      return REAL(posix_spawn)(pid, path, actions, attributes, argv, env);
    }
    CARRY(env, false, false);
    return REAL(posix_spawn)(pid, path, actions, attributes, argv, carried);
  }
  return spawn(REAL(posix_spawn), pid, path, path, actions, attributes, argv,
               env);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file,
                        const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes,
                        char *const argv[], char *const env[]) {
  if (!file || !*file || !shim_is_on()) {
    if (!trace_map) {
      return REAL(posix_spawnp)(pid, file, actions, attributes, argv, env);
    }
    CARRY(env, false, false);
    return REAL(posix_spawnp)(pid, file, actions, attributes, argv, carried);
  }
  char path[PATH_MAX];
  if (!strchr(file, '/')) {
    for (const char *list = search_path(); next_candidate(&list, file, path);) {
      int reason = 0;
      if (!*path) continue;
      if (KERNEL(faccessat, AT_FDCWD, path, X_OK, 0) == 0) {
        return spawn(REAL(posix_spawnp), pid, path, file, actions, attributes,
                     argv, env);
      }
      shim_program(AT_FDCWD, path, true, &reason);
    }
    CARRY(env, false, false);
    return REAL(posix_spawnp)(pid, file, actions, attributes, argv, carried);
  }
  return spawn(REAL(posix_spawnp), pid, file, file, actions, attributes, argv,
               env);
}

// --- the shell --------------------------------------------------------------

// Whether the environment is as ours would be. Another one for a while would be
// seen by other threads.
static bool is_carried(void) {
  bool preloaded = false, file = false, off = false;
  for (char **env = environ; env && *env; env++) {
    if (starts(*env, "LD_PRELOAD=")) preloaded |= !!strstr(*env, trace_map->shim);
    if (starts(*env, TRACE_OFF_VARIABLE "=")) off = true;
    if (starts(*env, TRACE_FILE_VARIABLE "=")) {
      file = strcmp(*env + sizeof TRACE_FILE_VARIABLE, trace_map->path) == 0;
    }
  }
  return preloaded && file && off == shim_is_off();
}

// The C library starts the shell itself, with the environment as it stands.
#define WITH_CARRIED(type, call)                   \
  do {                                             \
    if (!trace_map || is_carried()) return call;   \
    char **before = environ;                       \
    CARRY(before, false, false);                   \
    environ = carried;                             \
    type result = call;                            \
    if (environ == carried) environ = before;      \
    return result;                                 \
  } while (0)

EXPORT int system(const char *command) {
  WITH_CARRIED(int, REAL(system)(command));
}
EXPORT FILE *popen(const char *command, const char *type) {
  WITH_CARRIED(FILE *, REAL(popen)(command, type));
}
