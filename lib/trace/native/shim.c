// The preloaded library: stands in front of every function of the C library
// that reaches a file, and reports what the call does.
//
// It must not be felt: errno, cancellation, signals, descriptors and the
// environment that a program sees are as without it. So it asks the kernel
// directly (kernel.h), keeps no descriptor open, allocates nothing and locks
// nothing.

#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "writer.h"

extern char **environ;

TRACE_MAP

// --- start ------------------------------------------------------------------

static bool switched_off;
static int known_pid;
static bool is_first;  // of the trace: nobody has told who we are

static const char *variable(char **env, const char *name) {
  size_t n = strlen(name);
  for (; env && *env; env++) {
    if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') return *env + n + 1;
  }
  return 0;
}

static void attach(char **env) {
  static bool tried;
  if (__atomic_exchange_n(&tried, true, __ATOMIC_ACQ_REL)) return;
  const char *path = variable(env, TRACE_FILE_VARIABLE);
  if (!path || !trace_attach(path)) return;
  is_first = __atomic_load_n(&trace_map->head, __ATOMIC_RELAXED) ==
             TRACE_HEADER_SIZE;
  const char *off = variable(env, TRACE_OFF_VARIABLE);
  switched_off = off && *off;
}

bool shim_is_on(void) {
  // A constructor of another library may come before ours.
  if (!trace_map) attach(environ);
  return trace_map && !switched_off;
}

// Reports the process if it is a new one: after a fork, or a vfork.
static uint32_t pid_now(void) {
  int pid = kernel_getpid();
  if (pid != known_pid) {
    known_pid = pid;
    trace_put((struct trace_draft){.op = TRACE_START,
                                   .state = TRACE_FOUND,
                                   .pid = pid,
                                   .other = KERNEL(getppid, 0, 0, 0, 0)},
              "", 0, 0, 0);
  }
  return (uint32_t)pid;
}

static void report_image(int argc, char **argv) {
  struct shim_slot *slot = shim_take();
  if (!slot) return;
  uint32_t pid = pid_now();
  const char *name = (const char *)getauxval(AT_EXECFN);
  struct shim_place place =
      shim_resolve(slot, AT_FDCWD, name ? name : argv[0], true);
  char *to = slot->rest;
  long n = KERNEL(getcwd, to, 4096, 0, 0);
  size_t used = n > 0 ? (size_t)n : 1;
  if (n <= 0) *to = 0;
  uint8_t flags = 0;
  for (int i = 0; i < argc; i++) {
    size_t m = strlen(argv[i]) + 1;
    // Over rest and into scratch, which follows it.
    if (used + m > 2 * ROOM - 4096) {
      flags |= TRACE_TRUNCATED;
      break;
    }
    memcpy(to + used, argv[i], m);
    used += m;
  }
  trace_put((struct trace_draft){.op = TRACE_EXEC,
                                 .state = TRACE_FOUND,
                                 .flags = flags,
                                 .pid = pid},
            slot->path, place.usable ? place.length : 0, to, used);
  shim_give(slot);
}

__attribute__((constructor)) static void start(int argc, char **argv,
                                               char **env) {
  attach(env);
  if (!trace_map) return;
  if (argc > 0 && argv) report_image(argc, argv);
  if (is_first && !switched_off) {
    const char *name = (const char *)getauxval(AT_EXECFN);
    int reason;
    if (name) shim_program(AT_FDCWD, name, true, &reason);
  }
  if (!switched_off) shim_libraries();
}

__attribute__((destructor)) static void finish(void) {
  if (!trace_map) return;
  if (!switched_off) shim_libraries();
  trace_put((struct trace_draft){.op = TRACE_EXIT,
                                 .state = TRACE_FOUND,
                                 .pid = pid_now(),
                                 .other = -1},
            "", 0, 0, 0);
}

EXPORT __attribute__((noreturn)) void _exit(int code) {
  if (trace_map) {
    trace_put((struct trace_draft){.op = TRACE_EXIT,
                                   .state = TRACE_FOUND,
                                   .pid = pid_now(),
                                   .other = (code & 0xff) << 8},
              "", 0, 0, 0);
  }
  for (;;) KERNEL(exit_group, code, 0, 0, 0);
}
EXPORT __attribute__((noreturn, alias("_exit"))) void _Exit(int code);

void *shim_next(const char *name) { return dlsym(RTLD_NEXT, name); }

// --- buffers ----------------------------------------------------------------

static struct shim_slot slots[64];
static uint64_t taken;

// Takes back what this thread took in a call that a signal handler left by a
// jump: it is deeper in the stack than `frame`. On another stack nothing is.
static bool reclaim(char *frame) {
  bool any = false;
  for (int i = 0; i < 64; i++) {
    struct shim_slot *slot = &slots[i];
    if (slot->thread != __builtin_thread_pointer()) continue;
    if (slot->frame > frame || frame - slot->frame > 65536) continue;
    shim_give(slot);
    any = true;
  }
  return any;
}

static struct shim_slot *take(char *frame, char *inner) {
  do {
    uint64_t now = __atomic_load_n(&taken, __ATOMIC_RELAXED);
    while (~now) {
      int i = __builtin_ctzll(~now);
      if (__atomic_compare_exchange_n(&taken, &now, now | 1ull << i, true,
                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        slots[i].thread = __builtin_thread_pointer();
        slots[i].frame = frame;
        return &slots[i];
      }
    }
  } while (reclaim(inner));
  // Sixty-four calls at once, in threads and handlers: say so, do not wait.
  trace_lose();
  return 0;
}

__attribute__((noinline)) struct shim_slot *shim_take(void) {
  char *frame = __builtin_frame_address(0);
  return take(frame, frame);
}

// A second one for a function that has one.
__attribute__((noinline)) static struct shim_slot *shim_take_second(void) {
  char *frame = __builtin_frame_address(0);
  return take(frame, frame - 1);
}

void shim_give(struct shim_slot *slot) {
  slot->thread = 0;
  __atomic_fetch_and(&taken, ~(1ull << (slot - slots)), __ATOMIC_RELEASE);
}

// --- paths ------------------------------------------------------------------

static uint64_t hash_more(uint64_t hash, const char *text, size_t length) {
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
    uint64_t hash = hash_more(1, slot->path, length);
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

// --- reports ----------------------------------------------------------------

// What was reported: the upper bits of a path's hash, and a bit for each kind
// and outcome. A small table first: most processes fit into one page.
static uint64_t seen_small[512];
static uint64_t seen_large[65536];
static uint32_t seen_count;

static bool is_news(uint64_t hash, unsigned kind) {
  bool large = __atomic_load_n(&seen_count, __ATOMIC_RELAXED) > 400;
  uint64_t *entry =
      large ? &seen_large[hash % 65536] : &seen_small[hash % 512];
  uint64_t tag = hash & ~0xffffull, bit = 1ull << kind;
  uint64_t now = __atomic_load_n(entry, __ATOMIC_RELAXED);
  if ((now & ~0xffffull) != tag) {
    if (!large) __atomic_fetch_add(&seen_count, 1, __ATOMIC_RELAXED);
    now = tag;
  } else if (now & bit) {
    return false;
  }
  __atomic_store_n(entry, now | bit, __ATOMIC_RELAXED);
  return true;
}

static unsigned kind_of(uint16_t op, uint8_t state) {
  unsigned at = op == TRACE_READ     ? 0
                : op == TRACE_STAT   ? 3
                : op == TRACE_ACCESS ? 6
                : op == TRACE_LINK   ? 9
                                     : 12;
  return at + (state - TRACE_FOUND);
}

void shim_report(struct shim_slot *slot, struct shim_place place, uint16_t op,
                 uint8_t state, uint8_t flags) {
  if (!place.usable) return;
  if (place.system) {
    trace_count_system();
    return;
  }
  uint64_t hash = hash_more(1, slot->path, place.length);
  if (flags == 0 && !is_news(hash, kind_of(op, state))) return;
  trace_put((struct trace_draft){
                .op = op, .state = state, .flags = flags, .pid = pid_now()},
            slot->path, place.length, 0, 0);
}

// Whether a path is a word to us; obeyed if so.
static bool is_switch(const char *path) {
  bool off;
  if (path[0] != '/' || path[1] != 'p') return false;
  if (strcmp(path, TRACE_SWITCH_OFF) == 0) off = true;
  else if (strcmp(path, TRACE_SWITCH_ON) == 0) off = false;
  else return false;
  if (trace_map) switched_off = off;
  return true;
}

bool shim_is_off(void) { return switched_off; }

// What an error tells of the path: that it is no folder says that it is there.
uint8_t shim_state_of(struct shim_place place, int error) {
  return error == ENOTDIR && place.existed ? TRACE_FOUND
                                           : trace_state_of(error);
}

// The kernel refuses such a path, or nearly so: it is not for us to crash.
static bool is_bad(const char *path) { return (uintptr_t)path < 4096; }

void shim_look(int dir, const char *path, bool follow, uint16_t op,
               int error) {
  if (is_bad(path) || error == EFAULT) return;
  if (is_switch(path) || !shim_is_on()) return;
  struct shim_slot *slot = shim_take();
  if (!slot) return;
  struct shim_place place = shim_resolve(slot, dir, path, follow);
  shim_report(slot, place, op, shim_state_of(place, error), 0);
  shim_give(slot);
}

struct shim_change shim_begin(int dir, const char *path, bool follow,
                              uint16_t op, uint8_t flags) {
  struct shim_change change = {0};
  if (is_bad(path) || !shim_is_on()) return change;
  struct shim_slot *slot = shim_take();
  if (!slot) return change;
  struct shim_place place = shim_resolve(slot, dir, path, follow);
  if (place.usable && !place.system) {
    if (place.existed && !(flags & SHIM_MADE)) flags |= TRACE_EXISTED;
    flags &= ~SHIM_MADE;
    change.at = trace_put((struct trace_draft){.op = op,
                                               .state = TRACE_CALLING,
                                               .flags = flags,
                                               .pid = pid_now()},
                          slot->path, place.length, 0, 0);
  } else if (place.system) {
    trace_count_system();
  }
  change.links = op == TRACE_SYMLINK || op == TRACE_RMDIR ||
                 (op == TRACE_UNLINK && place.is_link);
  shim_give(slot);
  return change;
}

struct shim_change shim_begin_two(int dir, const char *path, bool follow,
                                  int dir2, const char *path2, uint16_t op) {
  struct shim_change change = {0};
  if (is_bad(path) || is_bad(path2) || !shim_is_on()) return change;
  struct shim_slot *slot = shim_take(), *slot2 = slot ? shim_take_second() : 0;
  if (slot2) {
    struct shim_place a = shim_resolve(slot, dir, path, follow);
    struct shim_place b = shim_resolve(slot2, dir2, path2, false);
    if (a.usable && b.usable && !(a.system && b.system)) {
      uint8_t flags = b.existed ? TRACE_EXISTED : 0;
      change.at = trace_put((struct trace_draft){.op = op,
                                                 .state = TRACE_CALLING,
                                                 .flags = flags,
                                                 .pid = pid_now()},
                            slot->path, a.length, slot2->path, b.length);
    }
    // Of a rename's two names only links and folders can turn into links.
    struct stat info;
    change.links =
        op == TRACE_HARDLINK ? a.is_link :
        (a.is_link || b.is_link ||
         KERNEL(newfstatat, AT_FDCWD, slot->path, &info, AT_SYMLINK_NOFOLLOW) ||
         !S_ISREG(info.st_mode));
    shim_give(slot2);
  }
  if (slot) shim_give(slot);
  return change;
}

void shim_end(struct shim_change change, int error) {
  if (!trace_map) return;
  trace_settle(change.at, trace_state_of(error));
  if (change.links && !error) {
    __atomic_fetch_add(&trace_map->links, 1, __ATOMIC_ACQ_REL);
  }
}
