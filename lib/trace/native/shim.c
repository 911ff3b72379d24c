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
  uint64_t hash = shim_hash(1, slot->path, place.length);
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
