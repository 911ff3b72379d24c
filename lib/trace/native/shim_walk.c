// Functions that list folders.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

static void report_list(int dir, const char *path, int error) {
  shim_look(dir, path, true, TRACE_READ, error);
  if (!error) shim_look(dir, path, true, TRACE_READDIR, 0);
}

// A descriptor is turned into a path by `.` relative to it.
static void report_list_of(int fd) { shim_look(fd, ".", true, TRACE_READDIR, 0); }

EXPORT DIR *opendir(const char *path) {
  DIR *result = REAL(opendir)(path);
  int saved = errno;
  report_list(AT_FDCWD, path, result ? 0 : saved);
  errno = saved;
  return result;
}
EXPORT DIR *fdopendir(int fd) {
  DIR *result = REAL(fdopendir)(fd);
  if (result) report_list_of(fd);
  return result;
}
EXPORT ssize_t getdents64(int fd, void *to, size_t size) {
  ssize_t result = REAL(getdents64)(fd, to, size);
  if (result > 0) report_list_of(fd);
  return result;
}

#define SCANDIR(name, entry)                                     \
  EXPORT int name(const char *path, struct entry ***list,        \
                  int (*choose)(const struct entry *),           \
                  int (*order)(const struct entry **,            \
                               const struct entry **)) {         \
    int result = REAL(name)(path, list, choose, order);          \
    report_list(AT_FDCWD, path, SHIM_ERROR(result < 0));         \
    return result;                                               \
  }
SCANDIR(scandir, dirent)
SCANDIR(scandir64, dirent64)

#define SCANDIRAT(name, entry)                                   \
  EXPORT int name(int dir, const char *path, struct entry ***list, \
                  int (*choose)(const struct entry *),           \
                  int (*order)(const struct entry **,            \
                               const struct entry **)) {         \
    int result = REAL(name)(dir, path, list, choose, order);     \
    report_list(dir, path, SHIM_ERROR(result < 0));              \
    return result;                                               \
  }
SCANDIRAT(scandirat, dirent)
SCANDIRAT(scandirat64, dirent64)

// glob() asks the functions that it is given, which are ours.
#define GLOB(name, type, look, look_link, entry, next)           \
  EXPORT int name(const char *pattern, int flags,                \
                  int (*failed)(const char *, int), type *to) {  \
    if (!shim_is_on() || !to || (flags & GLOB_ALTDIRFUNC)) {     \
      return REAL(name)(pattern, flags, failed, to);             \
    }                                                            \
    type kept = *to;                                             \
    to->gl_closedir = (void *)closedir;                \
    to->gl_readdir = (entry * (*)(void *)) next;                 \
    to->gl_opendir = (void *(*)(const char *))opendir;           \
    to->gl_lstat = look_link;                                    \
    to->gl_stat = look;                                          \
    int result = REAL(name)(pattern, flags | GLOB_ALTDIRFUNC, failed, to); \
    to->gl_closedir = kept.gl_closedir;                          \
    to->gl_readdir = kept.gl_readdir;                            \
    to->gl_opendir = kept.gl_opendir;                            \
    to->gl_lstat = kept.gl_lstat;                                \
    to->gl_stat = kept.gl_stat;                                  \
    to->gl_flags &= ~GLOB_ALTDIRFUNC;                            \
    return result;                                               \
  }
static int look(const char *path, struct stat *to) { return stat(path, to); }
static int look_link(const char *path, struct stat *to) {
  return lstat(path, to);
}
static int look64(const char *path, struct stat64 *to) {
  return stat64(path, to);
}
static int look_link64(const char *path, struct stat64 *to) {
  return lstat64(path, to);
}
GLOB(glob, glob_t, look, look_link, struct dirent, readdir)
GLOB(glob64, glob64_t, look64, look_link64, struct dirent64, readdir64)

// A walk calls back for each name; its paths stay relative to the folder that
// it began in, also when it changes folders.
struct walk {
  int start;
  void *callback;
  bool links;  // not followed
};
static __thread struct walk walk;

static void report_walked(const char *path, int type) {
  int error = type == FTW_NS ? EACCES : 0;
  shim_look(walk.start, path, !walk.links, TRACE_STAT, error);
  if (type == FTW_D || type == FTW_DP) report_list(walk.start, path, 0);
  if (type == FTW_DNR) report_list(walk.start, path, EACCES);
}

#define WALK(name, type)                                         \
  static int name##_step(const char *path, const struct type *info, int kind) { \
    struct walk mine = walk;                                     \
    report_walked(path, kind);                                   \
    int result = ((int (*)(const char *, const struct type *,    \
                           int))mine.callback)(path, info, kind); \
    walk = mine;                                                 \
    return result;                                               \
  }                                                              \
  EXPORT int name(const char *path,                              \
                  int (*callback)(const char *, const struct type *, int), \
                  int limit) {                                   \
    if (!shim_is_on()) return REAL(name)(path, callback, limit); \
    struct walk outer = walk;                                    \
    walk = (struct walk){.start = AT_FDCWD, .callback = (void *)callback}; \
    int result = REAL(name)(path, name##_step, limit);           \
    walk = outer;                                                \
    if (result < 0) shim_look(AT_FDCWD, path, true, TRACE_STAT, errno); \
    return result;                                               \
  }
WALK(ftw, stat)
WALK(ftw64, stat64)

#define NWALK(name, type)                                        \
  static int name##_step(const char *path, const struct type *info, int kind, \
                         struct FTW *where) {                    \
    struct walk mine = walk;                                     \
    report_walked(path, kind);                                   \
    int result = ((int (*)(const char *, const struct type *, int, \
                           struct FTW *))mine.callback)(path, info, kind, \
                                                        where);  \
    walk = mine;                                                 \
    return result;                                               \
  }                                                              \
  EXPORT int name(const char *path,                              \
                  int (*callback)(const char *, const struct type *, int, \
                                  struct FTW *),                 \
                  int limit, int flags) {                        \
    if (!shim_is_on()) return REAL(name)(path, callback, limit, flags); \
    struct walk outer = walk;                                    \
    int start = AT_FDCWD;                                        \
    if (flags & FTW_CHDIR) {                                     \
      start = REAL(open)(".", O_PATH | O_DIRECTORY | O_CLOEXEC); \
      if (start < 0) start = AT_FDCWD;                           \
    }                                                            \
    walk = (struct walk){.start = start,                         \
                         .callback = (void *)callback,           \
                         .links = flags & FTW_PHYS};             \
    int result = REAL(name)(path, name##_step, limit, flags);    \
    int saved = errno;                                           \
    if (start != AT_FDCWD) close(start);                         \
    walk = outer;                                                \
    if (result < 0) shim_look(AT_FDCWD, path, true, TRACE_STAT, saved); \
    errno = saved;                                               \
    return result;                                               \
  }
NWALK(nftw, stat)
NWALK(nftw64, stat64)

// Where fts is in a folder, it has listed it, or will unless told to skip it.
static void report_entry(const char *path, int info, bool links) {
  bool failed = info == FTS_NS || info == FTS_DNR || info == FTS_ERR;
  bool absent = info == FTS_NS;
  shim_look(AT_FDCWD, path, links, TRACE_STAT,
            absent ? ENOENT : failed ? EACCES : 0);
  if (info == FTS_D) report_list(AT_FDCWD, path, 0);
}

#define FTS_STEP(name, tree, entry)                              \
  EXPORT entry *name(tree *of) {                                 \
    entry *result = REAL(name)(of);                              \
    int saved = errno;                                           \
    if (result && result->fts_info != FTS_DP) {                  \
      report_entry(result->fts_accpath, result->fts_info,        \
                   result->fts_info != FTS_SL &&                 \
                       result->fts_info != FTS_SLNONE);          \
    }                                                            \
    errno = saved;                                               \
    return result;                                               \
  }
FTS_STEP(fts_read, FTS, FTSENT)
FTS_STEP(fts64_read, FTS64, FTSENT64)
