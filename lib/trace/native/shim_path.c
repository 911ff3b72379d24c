// Canonical paths of what a call names, with the links on the way reported.

#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kernel.h"
#include "writer.h"

uint64_t shim_hash(uint64_t hash, const char *text, size_t length) {
  while (length >= 8) {
    uint64_t word;
    memcpy(&word, text, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 29;
    text += 8;
    length -= 8;
  }
  uint64_t word = length + 1;
  while (length--) word = word << 8 | (unsigned char)*text++;
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 32;
}

// Folders that are known to be no links, while no link has been made since.
static uint64_t folders[256];
static uint32_t folders_at;

static bool is_known_folder(uint64_t hash, uint32_t links) {
  if (__atomic_load_n(&folders_at, __ATOMIC_RELAXED) != links) {
    memset(folders, 0, sizeof folders);
    __atomic_store_n(&folders_at, links, __ATOMIC_RELAXED);
    return false;
  }
  return __atomic_load_n(&folders[hash % 256], __ATOMIC_RELAXED) == hash;
}

// The path that the working folder had before it was removed.
static long path_of_removed(struct shim_slot *slot) {
  const char gone[] = " (deleted)";
  long n = kernel_readlinkat(AT_FDCWD, "/proc/self/cwd", slot->path, ROOM);
  long m = sizeof gone - 1;
  return n > m && memcmp(slot->path + n - m, gone, m) == 0 ? n - m : n;
}

static size_t start_of(struct shim_slot *slot, int dir, const char *path) {
  if (*path == '/') return 0;
  long n;
  if (dir == AT_FDCWD) {
    n = KERNEL(getcwd, slot->path, ROOM, 0, 0) - 1;
    if (n == -ENOENT - 1) n = path_of_removed(slot);
  } else {
    char name[32] = "/proc/self/fd/";
    char digits[12];
    int k = 0, at = 14;
    unsigned left = (unsigned)dir;
    do digits[k++] = '0' + left % 10; while (left /= 10);
    while (k) name[at++] = digits[--k];
    name[at] = 0;
    n = kernel_readlinkat(AT_FDCWD, name, slot->path, ROOM);
  }
  if (n < 1 || slot->path[0] != '/') return SIZE_MAX;
  return n == 1 ? 0 : (size_t)n;  // "/" is written as ""
}

static struct shim_place finish_place(struct shim_slot *slot, size_t length,
                                      struct shim_place place) {
  if (length == 0) slot->path[length++] = '/';
  slot->path[length] = 0;
  place.length = length;
  place.usable = true;
  place.system = !trace_keeps_system() && trace_is_system(slot->path);
  return place;
}

static bool is_folder(struct shim_slot *slot, size_t length) {
  memcpy(slot->path + length, "/.", 3);
  long size = kernel_readlinkat(AT_FDCWD, slot->path, slot->scratch, 1);
  slot->path[length] = 0;
  return size != -ENOENT && size != -ENOTDIR;
}

struct shim_place shim_resolve(struct shim_slot *slot, int dir,
                               const char *path, bool follow) {
  struct shim_place place = {.existed = true};
  if (!path) return place;
  size_t n = strlen(path);
  if (n == 0 || n >= 4096) return place;  // the kernel refuses it
  if (*path == '/' && !trace_keeps_system() && trace_is_system(path) &&
      trace_is_plain(path)) {
    place.system = place.usable = true;
    memcpy(slot->path, path, n + 1);
    place.length = n;
    return place;
  }
  size_t length = start_of(slot, dir, path);
  if (length == SIZE_MAX) {
    // A path relative to a descriptor that is no folder fails by itself.
    if (dir == AT_FDCWD) trace_lose();
    return place;
  }
  // Up to here it is a folder for sure.
  size_t start = length;
  uint32_t links = __atomic_load_n(&trace_map->links, __ATOMIC_ACQUIRE);
  memcpy(slot->rest, path, n + 1);
  char *rest = slot->rest;
  bool absent = false;
  for (int hops = 0;;) {
    while (*rest == '/') rest++;
    if (!*rest) return finish_place(slot, length, place);
    size_t m = strcspn(rest, "/");
    bool is_last = rest[m] == 0;
    if (m == 1 && rest[0] == '.') {
      rest += m;
      continue;
    }
    if (m == 2 && rest[0] == '.' && rest[1] == '.') {
      if (length > start && (absent || !is_folder(slot, length))) {
        // The kernel goes no further: what would come next is not looked at.
        place = finish_place(slot, length, place);
        shim_report(slot, place, TRACE_STAT,
                    absent ? TRACE_ABSENT : TRACE_FOUND, 0);
        place.usable = place.existed = false;
        return place;
      }
      while (length > 0 && slot->path[--length] != '/') {
      }
      if (length < start) start = length;
      rest += m;
      continue;
    }
    size_t before = length;
    if (length + m + 2 > ROOM) {
      trace_lose();
      return place;
    }
    slot->path[length] = '/';
    memcpy(slot->path + length + 1, rest, m);
    length += m + 1;
    slot->path[length] = 0;
    rest += m;
    if (absent) continue;
    uint64_t hash = shim_hash(1, slot->path, length);
    if (!is_last && is_known_folder(hash, links)) continue;
    long size = kernel_readlinkat(AT_FDCWD, slot->path, slot->scratch, 4096);
    if (size == -ENOENT || size == -ENOTDIR) {
      absent = true;
    } else if (size == -EINVAL && !is_last) {
      __atomic_store_n(&folders[hash % 256], hash, __ATOMIC_RELAXED);
    }
    if (size < 0 && size != -EINVAL) place.existed = false;
    if (size < 0) continue;
    // A slash after the last component has its link followed too.
    if (is_last && !follow) {
      place.is_link = true;
      continue;
    }
    struct shim_place link = finish_place(slot, length, place);
    shim_report(slot, link, TRACE_LINK, TRACE_FOUND, 0);
    if (++hops > 40) {
      place.existed = false;
      return finish_place(slot, length, place);
    }
    // The link's text, then what followed it.
    size_t left = strlen(rest);
    if (size + left + 1 > ROOM) {
      trace_lose();
      return place;
    }
    memmove(slot->rest + size, rest, left + 1);
    memcpy(slot->rest, slot->scratch, size);
    rest = slot->rest;
    length = *rest == '/' ? 0 : before;
    start = length;
  }
}
