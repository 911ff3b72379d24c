// Turns the names that programs use into canonical paths.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "ptrace.h"

#define MAX_LINKS 40

struct buffer buffers[2];

uint64_t hash_path(const char *text, size_t length) {
  uint64_t hash = 0x9ae16a3b2f90404full ^ length;
  while (length >= 8) {
    uint64_t word;
    memcpy(&word, text, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
    text += 8;
    length -= 8;
  }
  uint64_t word = 0;
  memcpy(&word, text, length);
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9ull;
  return (hash ^ hash >> 32) | 1;  // 0 means none
}

// --- folders known to be no links -------------------------------------------

#define KNOWN 16384
static struct {
  uint64_t hash;
  uint32_t epoch;
} known[KNOWN];
static uint32_t epoch = 1, known_at;
static unsigned changing;

static void follow_generation(void) {
  uint32_t now = __atomic_load_n(&trace_map->links, __ATOMIC_ACQUIRE);
  if (now != known_at) {
    known_at = now;
    epoch++;
  }
}

static bool is_known(uint64_t hash) {
  return !changing && known[hash % KNOWN].hash == hash &&
         known[hash % KNOWN].epoch == epoch;
}

static void know(uint64_t hash) {
  if (changing) return;
  known[hash % KNOWN].hash = hash;
  known[hash % KNOWN].epoch = epoch;
}

void links_begin(void) { changing++; }

void links_end(bool changed) {
  changing--;
  if (changed) __atomic_fetch_add(&trace_map->links, 1, __ATOMIC_ACQ_REL);
}

// --- looking ----------------------------------------------------------------

// Opens the folder that holds the last component of a path too long for the
// kernel; `*rest` becomes that component.
static int open_far(const char *path, size_t length, const char **rest) {
  static char part[PATH_MAX];
  int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const char *end = path + length;
  while (*path == '/') path++;
  while (dir >= 0 && end - path >= PATH_MAX - 1) {
    const char *cut = memrchr(path, '/', PATH_MAX - 2);
    if (!cut) break;
    memcpy(part, path, (size_t)(cut - path));
    part[cut - path] = 0;
    int next = openat(dir, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    close(dir);
    errno = error;
    dir = next;
    path = cut + 1;
  }
  *rest = path;
  return dir;
}

// What readlink() says of a path of any length: EINVAL for what is no link.
static ssize_t look(const char *path, size_t length, char *to, size_t size) {
  if (length < PATH_MAX) return readlink(path, to, size);
  const char *rest;
  int dir = open_far(path, length, &rest);
  if (dir < 0) return -1;
  ssize_t n = readlinkat(dir, rest, to, size);
  int error = errno;
  close(dir);
  errno = error;
  return n;
}

// The name of the folder `child` in the folder `parent`.
static bool name_in(int parent, const struct stat *child, char *to) {
  int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *entry;
  bool found = false;
  while (dir && !found && (entry = readdir(dir))) {
    struct stat info;
    found = entry->d_name[0] != '.' || entry->d_name[1];
    found = found && strcmp(entry->d_name, "..") != 0 &&
            fstatat(parent, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_ino == child->st_ino && info.st_dev == child->st_dev;
    if (found) strcpy(to, entry->d_name);
  }
  if (dir) closedir(dir);
  return found;
}

// The path of a folder that is too deep for the kernel to tell: upwards, until
// it can.
static ssize_t path_of_deep(const char *proc, char *to, size_t size) {
  char own[64], name[NAME_MAX + 1];
  static char text[PATH_MAX];
  size_t start = size;  // the path grows from its end
  int dir = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (dir >= 0) {
    snprintf(own, sizeof own, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(own, text, sizeof text);
    if (n > 0 || errno != ENAMETOOLONG) {
      close(dir);
      if (n <= 0 || (size_t)n > start) return -1;
      memmove(to + n, to + start, size - start);
      memcpy(to, text, (size_t)n);
      return n + (ssize_t)(size - start);
    }
    struct stat info;
    int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool named = up >= 0 && fstat(dir, &info) == 0 && name_in(up, &info, name);
    close(dir);
    size_t m = named ? strlen(name) : 0;
    if (!named || start < m + 1) {
      if (up >= 0) close(up);
      return -1;
    }
    start -= m;
    memcpy(to + start, name, m);
    to[--start] = '/';
    dir = up;
  }
  return -1;
}

ssize_t path_of_fd(pid_t tid, const char *what, int fd, char *to,
                   size_t size) {
  char proc[64];
  proc_path(proc, tid, what, fd);
  ssize_t n = readlink(proc, to, size < PATH_MAX ? size : PATH_MAX);
  if (n < 0 && errno == ENAMETOOLONG) n = path_of_deep(proc, to, size - 1);
  if (n <= 0 || to[0] != '/') return -1;
  const char gone[] = " (deleted)";
  size_t m = sizeof gone - 1;
  struct stat info;
  if ((size_t)n > m && memcmp(to + n - m, gone, m) == 0 &&
      stat(proc, &info) == 0 && info.st_nlink == 0) {
    n -= (ssize_t)m;
  }
  to[n] = 0;
  return n;
}

// --- resolving --------------------------------------------------------------

// Whether a path cannot leave the system prefix that it starts with: `..`
// never climbs above it. Links in there are taken to stay.
static bool is_system(const char *path) {
  if (!trace_is_system(path)) return false;
  if (trace_is_plain(path)) return true;
  const char *prefix = trace_map->prefixes;
  size_t n = 0;
  for (; *prefix; prefix += n + 1) {
    n = strlen(prefix);
    if (strncmp(path, prefix, n) == 0 && (path[n] == '/' || !path[n])) break;
  }
  int depth = 0;
  for (const char *p = path + n; *p;) {
    while (*p == '/') p++;
    size_t m = strcspn(p, "/");
    if (m == 2 && p[0] == '.' && p[1] == '.') {
      if (--depth < 0) return false;
    } else if (m > 1 || (m == 1 && p[0] != '.')) {
      depth++;
    }
    p += m;
  }
  return true;
}

static struct place finish(struct place place, char *path, size_t length) {
  if (length == 0) path[length++] = '/';
  path[length] = 0;
  place.path = path;
  place.length = length;
  place.hash = hash_path(path, length);
  place.usable = true;
  place.system = !trace_keeps_system() && trace_is_system(path);
  return place;
}

static struct place unusable(void) {
  return (struct place){.state = TRACE_FAILED};
}

// A state for what a look at a path failed with.
static uint8_t state_of_look(void) {
  return errno == EINVAL                      ? TRACE_FOUND
         : errno == ENOENT || errno == ENOTDIR ? TRACE_ABSENT
                                               : TRACE_FAILED;
}

// The text of a link; those of /proc that depend on who asks are answered as
// for the task.
static ssize_t text_of(struct task *task, const char *path, size_t length,
                       char *to, size_t size) {
  if (length == 10 && memcmp(path, "/proc/self", 10) == 0) {
    return sprintf(to, "%d", task->process->pid);
  }
  if (length == 17 && memcmp(path, "/proc/thread-self", 17) == 0) {
    return sprintf(to, "%d/task/%d", task->process->pid, task->tid);
  }
  ssize_t n = look(path, length, to, size);
  // Descriptors of what has no path: there is nothing further.
  if (n > 0 && *to != '/' && memcmp(path, "/proc/", 6) == 0 &&
      (strstr(path, "/fd/") || strstr(path, "/ns/"))) {
    errno = EINVAL;
    return -1;
  }
  return n;
}

static bool is_folder(char *path, size_t length) {
  char text[1];
  memcpy(path + length, "/.", 3);
  ssize_t size = look(path, length + 2, text, sizeof text);
  path[length] = 0;
  return size >= 0 || state_of_look() != TRACE_ABSENT;
}

// Follows `rest` from the folder whose canonical path is the first `length`
// bytes of `path`. `rest` is a buffer of ROOM bytes.
static struct place walk(struct task *task, char *path, size_t length,
                         char *start, unsigned how) {
  static char text[PATH_MAX];
  struct place place = {.state = TRACE_FOUND};
  size_t origin = length;  // up to here it is a folder for sure
  int hops = 0;
  char *rest = start;
  for (;;) {
    while (*rest == '/') rest++;
    if (!*rest) return finish(place, path, length);
    size_t m = strcspn(rest, "/");
    bool is_last = rest[m] == 0;
    if (m == 1 && rest[0] == '.') {
      rest += m;
      continue;
    }
    if (m == 2 && rest[0] == '.' && rest[1] == '.') {
      if (length > origin) {
        // The kernel goes no further where this is no folder: what would come
        // next is not looked at.
        if (place.state != TRACE_FOUND) return finish(place, path, length);
        if (!is_folder(path, length)) {
          place = finish(place, path, length);
          report(task, TRACE_STAT, 0, &place, TRACE_FOUND);
          return unusable();
        }
      }
      while (length > 0 && path[--length] != '/') {
      }
      if (length < origin) origin = length;
      rest += m;
      continue;
    }
    size_t before = length;
    if (length + m + 2 > ROOM) return unusable();
    path[length++] = '/';
    memcpy(path + length, rest, m);
    length += m;
    path[length] = 0;
    rest += m;
    if (place.state != TRACE_FOUND) continue;
    uint64_t hash = is_last ? 0 : hash_path(path, length);
    if (!is_last && is_known(hash)) continue;
    ssize_t size = text_of(task, path, length, text, sizeof text);
    if (size < 0) {
      place.state = state_of_look();
      if (place.state == TRACE_FOUND && !is_last) know(hash);
      continue;
    }
    if (is_last && !(how & FOLLOW)) {
      place.is_link = true;
      continue;
    }
    struct place link = finish(place, path, length);
    report(task, TRACE_LINK, 0, &link, TRACE_FOUND);
    size_t left = strlen(rest);
    if (++hops > MAX_LINKS || (size_t)size + left + 1 > ROOM) {
      link.state = TRACE_FAILED;
      return link;
    }
    memmove(start + size, rest, left + 1);
    memcpy(start, text, (size_t)size);
    rest = start;
    length = *rest == '/' ? 0 : before;
    origin = length;
  }
}

// The common case: a plain path in a folder that is known.
static bool walk_known(struct task *task, char *path, size_t length,
                       unsigned how, struct place *place) {
  char *slash = memrchr(path, '/', length);
  if (slash == path || slash == path + length - 1 || !trace_is_plain(path)) {
    return false;
  }
  if (!is_known(hash_path(path, (size_t)(slash - path)))) return false;
  char text[PATH_MAX];
  ssize_t size = text_of(task, path, length, text, sizeof text);
  if (size >= 0 && (how & FOLLOW)) return false;
  *place = (struct place){.is_link = size >= 0};
  place->state = size >= 0 ? TRACE_FOUND : state_of_look();
  *place = finish(*place, path, length);
  return true;
}

struct place resolve(struct task *task, int dir, const char *name,
                     size_t length, unsigned how, struct buffer *to) {
  static char rest[ROOM];
  char *path = to->path;
  size_t start = 0;
  if (length >= PATH_MAX) return unusable();  // the kernel refuses it
  if (length == 0 && !(how & EMPTY_IS_FD)) return unusable();
  if (*name != '/') {
    if (dir == AT_FDCWD) {
      const char *cwd = task_cwd(task, &start);
      if (!cwd) return unusable();
      memcpy(path, cwd, start);
    } else {
      ssize_t n = path_of_fd(task->tid, "fd", dir, path, ROOM);
      if (n < 0) return unusable();
      start = (size_t)n;
    }
    if (length == 0) {
      struct place place = finish((struct place){0}, path, start);
      char text[PATH_MAX];
      place.is_link = look(path, start, text, sizeof text) >= 0;
      place.state = place.is_link ? TRACE_FOUND : state_of_look();
      return place;
    }
    if (start == 1) start = 0;  // "/" is written as ""
  }
  if (start + length + 2 > ROOM) return unusable();
  // The whole as it is spelled, to see whether that suffices.
  size_t whole = start;
  if (*name != '/') path[whole++] = '/';
  memcpy(path + whole, name, length + 1);
  whole += length;
  if (!trace_keeps_system() && !(how & DEEP) && is_system(path)) {
    return (struct place){.path = path, .length = whole, .state = TRACE_FOUND,
                          .system = true, .usable = true};
  }
  struct place place;
  follow_generation();
  if (walk_known(task, path, whole, how, &place)) return place;
  memcpy(rest, path + start, whole - start + 1);
  // With a slash at its end the name stands for what the link leads to.
  bool is_folder = rest[whole - start - 1] == '/';
  place = walk(task, path, start, rest, is_folder ? how | FOLLOW : how);
  if (is_folder && place.usable && place.state == TRACE_FOUND) {
    char text[PATH_MAX];
    memcpy(path + place.length, "/", 2);
    if (look(path, place.length + 1, text, sizeof text) < 0) {
      place.state = state_of_look();
    }
    path[place.length] = 0;
  }
  return place;
}
