// Functions that change what a name stands for.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "kernel.h"
#include "shim.h"

// `call` between the begin and the end of a change of one path.
#define CHANGE(dir, path, follow, op, call)                      \
  do {                                                           \
    struct shim_change change = shim_begin(dir, path, follow, op, 0); \
    int result = call;                                           \
    shim_end(change, SHIM_ERROR(result));                        \
    return result;                                               \
  } while (0)

#define CHANGE_TWO(dir, path, follow, dir2, path2, op, call)     \
  do {                                                           \
    struct shim_change change =                                  \
        shim_begin_two(dir, path, follow, dir2, path2, op);      \
    int result = call;                                           \
    shim_end(change, SHIM_ERROR(result));                        \
    return result;                                               \
  } while (0)

EXPORT int unlink(const char *path) {
  CHANGE(AT_FDCWD, path, false, TRACE_UNLINK, REAL(unlink)(path));
}
EXPORT int unlinkat(int dir, const char *path, int flags) {
  CHANGE(dir, path, false, flags & AT_REMOVEDIR ? TRACE_RMDIR : TRACE_UNLINK,
         REAL(unlinkat)(dir, path, flags));
}
EXPORT int rmdir(const char *path) {
  CHANGE(AT_FDCWD, path, false, TRACE_RMDIR, REAL(rmdir)(path));
}
EXPORT int remove(const char *path) {
  struct stat info;
  bool is_dir = path &&
                KERNEL(newfstatat, AT_FDCWD, path, &info,
                       AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISDIR(info.st_mode);
  CHANGE(AT_FDCWD, path, false, is_dir ? TRACE_RMDIR : TRACE_UNLINK,
         REAL(remove)(path));
}

EXPORT int rename(const char *from, const char *to) {
  CHANGE_TWO(AT_FDCWD, from, false, AT_FDCWD, to, TRACE_RENAME,
             REAL(rename)(from, to));
}
EXPORT int renameat(int dir, const char *from, int dir2, const char *to) {
  CHANGE_TWO(dir, from, false, dir2, to, TRACE_RENAME,
             REAL(renameat)(dir, from, dir2, to));
}
EXPORT int renameat2(int dir, const char *from, int dir2, const char *to,
                     unsigned flags) {
  struct shim_change back = {0};
  if (flags & RENAME_EXCHANGE) {
    back = shim_begin_two(dir2, to, false, dir, from, TRACE_RENAME);
  }
  struct shim_change change =
      shim_begin_two(dir, from, false, dir2, to, TRACE_RENAME);
  int result = REAL(renameat2)(dir, from, dir2, to, flags);
  shim_end(change, SHIM_ERROR(result));
  shim_end(back, SHIM_ERROR(result));
  return result;
}

EXPORT int link(const char *from, const char *to) {
  CHANGE_TWO(AT_FDCWD, from, false, AT_FDCWD, to, TRACE_HARDLINK,
             REAL(link)(from, to));
}
EXPORT int linkat(int dir, const char *from, int dir2, const char *to,
                  int flags) {
  // An unnamed file gets a name: the file is made.
  if (from && !*from) {
    CHANGE(dir2, to, false, TRACE_WRITE,
           REAL(linkat)(dir, from, dir2, to, flags));
  }
  CHANGE_TWO(dir, from, flags & AT_SYMLINK_FOLLOW, dir2, to, TRACE_HARDLINK,
             REAL(linkat)(dir, from, dir2, to, flags));
}
EXPORT int symlink(const char *text, const char *path) {
  CHANGE(AT_FDCWD, path, false, TRACE_SYMLINK, REAL(symlink)(text, path));
}
EXPORT int symlinkat(const char *text, int dir, const char *path) {
  CHANGE(dir, path, false, TRACE_SYMLINK, REAL(symlinkat)(text, dir, path));
}

EXPORT int mkdir(const char *path, mode_t mode) {
  CHANGE(AT_FDCWD, path, false, TRACE_MKDIR, REAL(mkdir)(path, mode));
}
EXPORT int mkdirat(int dir, const char *path, mode_t mode) {
  CHANGE(dir, path, false, TRACE_MKDIR, REAL(mkdirat)(dir, path, mode));
}
EXPORT int mknod(const char *path, mode_t mode, dev_t device) {
  CHANGE(AT_FDCWD, path, false, TRACE_WRITE, REAL(mknod)(path, mode, device));
}
EXPORT int mknodat(int dir, const char *path, mode_t mode, dev_t device) {
  CHANGE(dir, path, false, TRACE_WRITE, REAL(mknodat)(dir, path, mode, device));
}
int __xmknod(int version, const char *path, mode_t mode, dev_t *device);
EXPORT int __xmknod(int version, const char *path, mode_t mode,
                    dev_t *device) {
  CHANGE(AT_FDCWD, path, false, TRACE_WRITE,
         REAL(__xmknod)(version, path, mode, device));
}
EXPORT int mkfifo(const char *path, mode_t mode) {
  CHANGE(AT_FDCWD, path, false, TRACE_WRITE, REAL(mkfifo)(path, mode));
}
EXPORT int mkfifoat(int dir, const char *path, mode_t mode) {
  CHANGE(dir, path, false, TRACE_WRITE, REAL(mkfifoat)(dir, path, mode));
}
EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length) {
  const char *path = 0;
  char name[sizeof(struct sockaddr_un)];
  size_t head = offsetof(struct sockaddr_un, sun_path);
  if (address && address->sa_family == AF_UNIX && length > head &&
      length <= sizeof name) {
    const char *given = ((const struct sockaddr_un *)address)->sun_path;
    size_t n = 0;
    while (n < length - head && given[n]) name[n] = given[n], n++;
    name[n] = 0;
    if (n) path = name;
  }
  CHANGE(AT_FDCWD, path, false, TRACE_WRITE, REAL(bind)(fd, address, length));
}

#define ATTRIBUTES(name, parameters, dir, follow, arguments)     \
  EXPORT int name parameters {                                   \
    CHANGE(dir, path, follow, TRACE_ATTRIBUTES, REAL(name) arguments); \
  }
ATTRIBUTES(truncate, (const char *path, off_t size), AT_FDCWD, true,
           (path, size))
ATTRIBUTES(truncate64, (const char *path, off64_t size), AT_FDCWD, true,
           (path, size))
ATTRIBUTES(chmod, (const char *path, mode_t mode), AT_FDCWD, true, (path, mode))
ATTRIBUTES(lchmod, (const char *path, mode_t mode), AT_FDCWD, false,
           (path, mode))
ATTRIBUTES(fchmodat, (int dir, const char *path, mode_t mode, int flags), dir,
           !(flags & AT_SYMLINK_NOFOLLOW), (dir, path, mode, flags))
ATTRIBUTES(chown, (const char *path, uid_t user, gid_t group), AT_FDCWD, true,
           (path, user, group))
ATTRIBUTES(lchown, (const char *path, uid_t user, gid_t group), AT_FDCWD,
           false, (path, user, group))
ATTRIBUTES(utime, (const char *path, const struct utimbuf *times), AT_FDCWD,
           true, (path, times))
ATTRIBUTES(utimes, (const char *path, const struct timeval times[2]), AT_FDCWD,
           true, (path, times))
ATTRIBUTES(lutimes, (const char *path, const struct timeval times[2]),
           AT_FDCWD, false, (path, times))
ATTRIBUTES(futimesat,
           (int dir, const char *path, const struct timeval times[2]), dir,
           true, (dir, path, times))
ATTRIBUTES(setxattr,
           (const char *path, const char *key, const void *value, size_t size,
            int flags),
           AT_FDCWD, true, (path, key, value, size, flags))
ATTRIBUTES(lsetxattr,
           (const char *path, const char *key, const void *value, size_t size,
            int flags),
           AT_FDCWD, false, (path, key, value, size, flags))
ATTRIBUTES(removexattr, (const char *path, const char *key), AT_FDCWD, true,
           (path, key))
ATTRIBUTES(lremovexattr, (const char *path, const char *key), AT_FDCWD, false,
           (path, key))

// An empty path, or none, stands for the descriptor itself.
#define ATTRIBUTES_AT(name, parameters, arguments)               \
  EXPORT int name parameters {                                   \
    CHANGE(dir, path && *path ? path : 0, !(flags & AT_SYMLINK_NOFOLLOW), \
           TRACE_ATTRIBUTES, REAL(name) arguments);              \
  }
ATTRIBUTES_AT(fchownat,
              (int dir, const char *path, uid_t user, gid_t group, int flags),
              (dir, path, user, group, flags))
ATTRIBUTES_AT(utimensat,
              (int dir, const char *path, const struct timespec times[2],
               int flags),
              (dir, path, times, flags))
