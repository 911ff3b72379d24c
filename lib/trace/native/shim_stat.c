// Functions that look at a name without opening it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim.h"
#include "writer.h"

// `call`, then the report of one look at a path.
#define LOOK(type, failed, dir, path, follow, op, call)          \
  do {                                                           \
    type result = call;                                          \
    shim_look(dir, path, follow, op, SHIM_ERROR(result == (type)(failed))); \
    return result;                                               \
  } while (0)

#define STAT(name, type, follow)                                 \
  EXPORT int name(const char *path, struct type *to) {           \
    LOOK(int, -1, AT_FDCWD, path, follow, TRACE_STAT,            \
         REAL(name)(path, to));                                  \
  }
STAT(stat, stat, true)
STAT(stat64, stat64, true)
STAT(lstat, stat, false)
STAT(lstat64, stat64, false)

// What a path relative to a descriptor with AT_EMPTY_PATH names is no path.
#define STAT_AT(name, type)                                      \
  EXPORT int name(int dir, const char *path, struct type *to, int flags) { \
    int result = REAL(name)(dir, path, to, flags);               \
    if (path && *path) {                                         \
      shim_look(dir, path, !(flags & AT_SYMLINK_NOFOLLOW), TRACE_STAT, \
                SHIM_ERROR(result));                             \
    }                                                            \
    return result;                                               \
  }
STAT_AT(fstatat, stat)
STAT_AT(fstatat64, stat64)

EXPORT int statx(int dir, const char *path, int flags, unsigned mask,
                 struct statx *to) {
  int result = REAL(statx)(dir, path, flags, mask, to);
  if (path && *path) {
    shim_look(dir, path, !(flags & AT_SYMLINK_NOFOLLOW), TRACE_STAT,
              SHIM_ERROR(result));
  }
  return result;
}

// What programs linked against a libc before 2.33 call.
#define XSTAT(name, type, follow)                                \
  int name(int version, const char *path, struct type *to);      \
  EXPORT int name(int version, const char *path, struct type *to) { \
    LOOK(int, -1, AT_FDCWD, path, follow, TRACE_STAT,            \
         REAL(name)(version, path, to));                         \
  }
XSTAT(__xstat, stat, true)
XSTAT(__xstat64, stat64, true)
XSTAT(__lxstat, stat, false)
XSTAT(__lxstat64, stat64, false)

#define FXSTATAT(name, type)                                     \
  int name(int version, int dir, const char *path, struct type *to, int flags); \
  EXPORT int name(int version, int dir, const char *path, struct type *to,      \
                  int flags) {                                   \
    int result = REAL(name)(version, dir, path, to, flags);      \
    if (path && *path) {                                         \
      shim_look(dir, path, !(flags & AT_SYMLINK_NOFOLLOW), TRACE_STAT, \
                SHIM_ERROR(result));                             \
    }                                                            \
    return result;                                               \
  }
FXSTATAT(__fxstatat, stat)
FXSTATAT(__fxstatat64, stat64)

EXPORT int access(const char *path, int mode) {
  LOOK(int, -1, AT_FDCWD, path, true, TRACE_ACCESS, REAL(access)(path, mode));
}
EXPORT int euidaccess(const char *path, int mode) {
  LOOK(int, -1, AT_FDCWD, path, true, TRACE_ACCESS,
       REAL(euidaccess)(path, mode));
}
EXPORT int eaccess(const char *path, int mode) {
  LOOK(int, -1, AT_FDCWD, path, true, TRACE_ACCESS, REAL(eaccess)(path, mode));
}
EXPORT int faccessat(int dir, const char *path, int mode, int flags) {
  LOOK(int, -1, dir, path, !(flags & AT_SYMLINK_NOFOLLOW), TRACE_ACCESS,
       REAL(faccessat)(dir, path, mode, flags));
}

#define STATFS(name, type)                                       \
  EXPORT int name(const char *path, struct type *to) {           \
    LOOK(int, -1, AT_FDCWD, path, true, TRACE_ACCESS,            \
         REAL(name)(path, to));                                  \
  }
STATFS(statfs, statfs)
STATFS(statfs64, statfs64)
STATFS(statvfs, statvfs)
STATFS(statvfs64, statvfs64)

EXPORT int chdir(const char *path) {
  // Before the call: afterwards a relative path means another place.
  bool usable = (uintptr_t)path >= 4096 && shim_is_on();
  struct shim_slot *slot = usable ? shim_take() : 0;
  struct shim_place place = {0};
  if (slot) place = shim_resolve(slot, AT_FDCWD, path, true);
  int result = REAL(chdir)(path);
  if (slot) {
    int error = SHIM_ERROR(result);
    bool absent = error == ENOENT || error == ENOTDIR;
    shim_report(slot, place, TRACE_ACCESS, shim_state_of(place, error), 0);
    if (absent && place.usable && !place.system &&
        trace_make_folders(slot->path, place.length)) {
      result = REAL(chdir)(path);
    }
    shim_give(slot);
  }
  return result;
}

// What is no link is there all the same.
static int link_error(ssize_t result) {
  int error = SHIM_ERROR(result < 0);
  return error == EINVAL ? 0 : error;
}

#define READLINK(name, parameters, dir, arguments)               \
  ssize_t name parameters;                                       \
  EXPORT ssize_t name parameters {                               \
    ssize_t result = REAL(name) arguments;                       \
    shim_look(dir, path, false, TRACE_LINK, link_error(result)); \
    return result;                                               \
  }
READLINK(readlink, (const char *path, char *to, size_t size), AT_FDCWD,
         (path, to, size))
READLINK(__readlink_chk,
         (const char *path, char *to, size_t size, size_t room), AT_FDCWD,
         (path, to, size, room))

#define READLINK_AT(name, parameters, arguments)                 \
  ssize_t name parameters;                                       \
  EXPORT ssize_t name parameters {                               \
    ssize_t result = REAL(name) arguments;                       \
    if (path && *path) {                                         \
      shim_look(dir, path, false, TRACE_LINK, link_error(result)); \
    }                                                            \
    return result;                                               \
  }
READLINK_AT(readlinkat, (int dir, const char *path, char *to, size_t size),
            (dir, path, to, size))
READLINK_AT(__readlinkat_chk,
            (int dir, const char *path, char *to, size_t size, size_t room),
            (dir, path, to, size, room))

EXPORT char *realpath(const char *path, char *to) {
  LOOK(char *, NULL, AT_FDCWD, path, true, TRACE_LINK, REAL(realpath)(path, to));
}
char *__realpath_chk(const char *path, char *to, size_t room);
EXPORT char *__realpath_chk(const char *path, char *to, size_t room) {
  LOOK(char *, NULL, AT_FDCWD, path, true, TRACE_LINK,
       REAL(__realpath_chk)(path, to, room));
}
EXPORT char *canonicalize_file_name(const char *path) {
  LOOK(char *, NULL, AT_FDCWD, path, true, TRACE_LINK,
       REAL(canonicalize_file_name)(path));
}

#define GETXATTR(name, follow)                                   \
  EXPORT ssize_t name(const char *path, const char *key, void *to, \
                      size_t size) {                             \
    LOOK(ssize_t, -1, AT_FDCWD, path, follow, TRACE_STAT,        \
         REAL(name)(path, key, to, size));                       \
  }
GETXATTR(getxattr, true)
GETXATTR(lgetxattr, false)

#define LISTXATTR(name, follow)                                  \
  EXPORT ssize_t name(const char *path, char *to, size_t size) { \
    LOOK(ssize_t, -1, AT_FDCWD, path, follow, TRACE_STAT,        \
         REAL(name)(path, to, size));                            \
  }
LISTXATTR(listxattr, true)
LISTXATTR(llistxattr, false)
