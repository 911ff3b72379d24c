// Files that posix_spawn() opens for a child, where we cannot see it: they are
// reported when they are asked for.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "shim.h"

// Folders that children will be in by then.
static struct folder {
  posix_spawn_file_actions_t *actions;
  int dir;
  char path[PATH_MAX];  // relative to `dir`; empty: that itself
} folders[16];

static struct folder *folder_of(posix_spawn_file_actions_t *actions) {
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    if (__atomic_load_n(&folders[i].actions, __ATOMIC_ACQUIRE) == actions) {
      return &folders[i];
    }
  }
  return 0;
}

static void forget(posix_spawn_file_actions_t *actions) {
  struct folder *folder = folder_of(actions);
  if (folder) __atomic_store_n(&folder->actions, 0, __ATOMIC_RELEASE);
}

static void enter(posix_spawn_file_actions_t *actions, int dir,
                  const char *path) {
  struct folder *folder = folder_of(actions);
  bool is_new = !folder;
  if (is_new && !(folder = folder_of(0))) return;
  size_t used = strlen(folder->path);
  if (is_new || *path == '/' || dir != AT_FDCWD) {
    folder->dir = dir;
    used = 0;
  }
  if (used + strlen(path) + 2 > PATH_MAX) return;
  if (used) folder->path[used++] = '/';
  strcpy(folder->path + used, path);
  __atomic_store_n(&folder->actions, actions, __ATOMIC_RELEASE);
}

EXPORT int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions) {
  forget(actions);
  return REAL(posix_spawn_file_actions_init)(actions);
}
EXPORT int posix_spawn_file_actions_destroy(
    posix_spawn_file_actions_t *actions) {
  forget(actions);
  return REAL(posix_spawn_file_actions_destroy)(actions);
}

// The names without `_np` are newer than many a C library. Who finds ours must
// get what they promise.
#define CHDIR(name)                                                        \
  int name(posix_spawn_file_actions_t *actions, const char *path);         \
  EXPORT int name(posix_spawn_file_actions_t *actions, const char *path) { \
    int result = REAL(posix_spawn_file_actions_addchdir_np)(actions, path); \
    if (result == 0) enter(actions, AT_FDCWD, path);                       \
    return result;                                                         \
  }
CHDIR(posix_spawn_file_actions_addchdir_np)
CHDIR(posix_spawn_file_actions_addchdir)

#define FCHDIR(name)                                                       \
  int name(posix_spawn_file_actions_t *actions, int dir);                  \
  EXPORT int name(posix_spawn_file_actions_t *actions, int dir) {          \
    int result = REAL(posix_spawn_file_actions_addfchdir_np)(actions, dir); \
    if (result == 0) enter(actions, dir, "");                              \
    return result;                                                         \
  }
FCHDIR(posix_spawn_file_actions_addfchdir_np)
FCHDIR(posix_spawn_file_actions_addfchdir)

EXPORT int posix_spawn_file_actions_addopen(
    posix_spawn_file_actions_t *actions, int fd, const char *path, int flags,
    mode_t mode) {
  int result =
      REAL(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
  if (result != 0) return result;
  struct folder *folder = *path == '/' ? 0 : folder_of(actions);
  char joined[2 * PATH_MAX];
  int dir = folder ? folder->dir : AT_FDCWD;
  const char *name = path;
  if (folder && *folder->path) {
    snprintf(joined, sizeof joined, "%s/%s", folder->path, path);
    name = joined;
  }
  bool absent = KERNEL(faccessat, dir, name, F_OK, 0) != 0;
  struct shim_open open = shim_begin_open(dir, name, flags);
  shim_end_open(&open, absent && !(flags & O_CREAT) ? ENOENT : 0);
  return 0;
}
