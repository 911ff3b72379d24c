// Functions that open a file.

#define _GNU_SOURCE
#define open open_hidden
#define open64 open64_hidden
#define openat openat_hidden
#define openat64 openat64_hidden
#define creat creat_hidden
#define creat64 creat64_hidden
#include <fcntl.h>
#undef open
#undef open64
#undef openat
#undef openat64
#undef creat
#undef creat64
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "shim.h"

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int openat(int dir, const char *path, int flags, ...);
int openat64(int dir, const char *path, int flags, ...);
int creat(const char *path, mode_t mode);
int creat64(const char *path, mode_t mode);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

struct shim_open shim_begin_open(int dir, const char *path, int flags) {
  struct shim_open open = {.dir = dir, .path = path};
  if (!path) return open;
  bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
  open.follow = !(flags & O_NOFOLLOW) &&
                (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
  // The folder of a file without a name is only looked at.
  open.looks = flags & O_PATH || nameless;
  int access = flags & O_ACCMODE;
  bool writes = access != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
  open.reads = open.looks || !writes;
  if (!open.reads) {
    uint8_t how = (flags & O_TRUNC ? TRACE_TRUNCATED : 0) |
                  (flags & O_APPEND ? TRACE_APPENDS : 0) |
                  (access != O_WRONLY ? TRACE_READS : 0) |
                  (flags & O_CREAT ? TRACE_CREATES : 0);
    open.change = shim_begin(dir, path, open.follow, TRACE_WRITE, how);
  }
  return open;
}

void shim_end_open(const struct shim_open *open, int error) {
  if (!open->path) return;
  if (open->reads) {
    shim_look(open->dir, open->path, open->follow,
              open->looks ? TRACE_ACCESS : TRACE_READ, error);
  } else {
    shim_end(open->change, error);
  }
}

// `call` with the reports around it; errno is that of the call.
#define OPEN(dir, path, flags, type, failed, call)              \
  do {                                                          \
    struct shim_open opening = shim_begin_open(dir, path, flags); \
    type result = call;                                         \
    shim_end_open(&opening, SHIM_ERROR(result == (failed)));    \
    return result;                                              \
  } while (0)

#define MODE(flags, after)                              \
  mode_t mode = 0;                                      \
  if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) { \
    va_list list;                                       \
    va_start(list, after);                              \
    mode = va_arg(list, mode_t);                        \
    va_end(list);                                       \
  }

#define OPEN_PLAIN(name)                                          \
  EXPORT int name(const char *path, int flags, ...) {             \
    MODE(flags, flags)                                            \
    OPEN(AT_FDCWD, path, flags, int, -1, REAL(name)(path, flags, mode)); \
  }
OPEN_PLAIN(open)
OPEN_PLAIN(open64)
OPEN_PLAIN(__open)
OPEN_PLAIN(__open64)

#define OPEN_AT(name)                                             \
  EXPORT int name(int dir, const char *path, int flags, ...) {    \
    MODE(flags, flags)                                            \
    OPEN(dir, path, flags, int, -1, REAL(name)(dir, path, flags, mode)); \
  }
OPEN_AT(openat)
OPEN_AT(openat64)

#define OPEN_2(name)                                     \
  EXPORT int name(const char *path, int flags) {         \
    OPEN(AT_FDCWD, path, flags, int, -1, REAL(name)(path, flags)); \
  }
OPEN_2(__open_2)
OPEN_2(__open64_2)

#define OPENAT_2(name)                                            \
  EXPORT int name(int dir, const char *path, int flags) {         \
    OPEN(dir, path, flags, int, -1, REAL(name)(dir, path, flags)); \
  }
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

#define CREATE(name)                                              \
  EXPORT int name(const char *path, mode_t mode) {                \
    OPEN(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, int, -1,   \
         REAL(name)(path, mode));                                 \
  }
CREATE(creat)
CREATE(creat64)

// The flags that fopen() derives from its mode.
static int flags_of(const char *mode) {
  if (!mode) return O_RDONLY;
  bool both = strchr(mode, '+');
  int flags = *mode == 'r'   ? (both ? O_RDWR : O_RDONLY)
              : *mode == 'w' ? (both ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC
                             : (both ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND;
  if (strchr(mode, 'x')) flags |= O_EXCL;
  return flags;
}

#define FOPEN(name)                                               \
  EXPORT FILE *name(const char *path, const char *mode) {         \
    OPEN(AT_FDCWD, path, flags_of(mode), FILE *, NULL,            \
         REAL(name)(path, mode));                                 \
  }
FOPEN(fopen)
FOPEN(fopen64)

#define FREOPEN(name)                                             \
  EXPORT FILE *name(const char *path, const char *mode, FILE *f) { \
    OPEN(AT_FDCWD, path, flags_of(mode), FILE *, NULL,            \
         REAL(name)(path, mode, f));                              \
  }
FREOPEN(freopen)
FREOPEN(freopen64)

// The name is known once the file is made.
static void report_made(const char *path, uint16_t op, int error) {
  if (error) return;
  shim_end(shim_begin(AT_FDCWD, path, false, op, TRACE_CREATES | SHIM_MADE), 0);
}

#define MAKE(name, parameters, arguments)                    \
  EXPORT int name parameters {                               \
    int result = REAL(name) arguments;                       \
    int saved = errno;                                       \
    report_made(path, TRACE_WRITE, SHIM_ERROR(result < 0));  \
    errno = saved;                                           \
    return result;                                           \
  }
MAKE(mkstemp, (char *path), (path))
MAKE(mkstemp64, (char *path), (path))
MAKE(mkostemp, (char *path, int flags), (path, flags))
MAKE(mkostemp64, (char *path, int flags), (path, flags))
MAKE(mkstemps, (char *path, int suffix), (path, suffix))
MAKE(mkstemps64, (char *path, int suffix), (path, suffix))
MAKE(mkostemps, (char *path, int suffix, int flags), (path, suffix, flags))
MAKE(mkostemps64, (char *path, int suffix, int flags), (path, suffix, flags))

EXPORT char *mkdtemp(char *path) {
  char *result = REAL(mkdtemp)(path);
  report_made(path, TRACE_MKDIR, SHIM_ERROR(!result));
  return result;
}
