// Writes records into the trace. Async-signal-safe and lock-free: any number of
// processes and threads write at once, and may be killed at any instruction.

#ifndef CLIBS_WRITER_H
#define CLIBS_WRITER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel.h"
#include "trace.h"

#ifndef AT_FDCWD
#define AT_FDCWD -100
#endif

// The header is always mapped; the records too, unless address space is scarce.
// Defined once in each program, by TRACE_MAP.
#define HIDDEN __attribute__((visibility("hidden")))
extern HIDDEN struct trace_header *trace_map;
extern HIDDEN bool trace_map_is_whole;
#define TRACE_MAP                  \
  struct trace_header *trace_map;  \
  bool trace_map_is_whole;

// Each part of a program uses some of these.
#define PART __attribute__((unused)) static

// Maps a trace. Returns false, and changes nothing, if that is no trace.
PART bool trace_attach(const char *path) {
  long fd = KERNEL(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return false;
  struct trace_header *header = 0;
  bool whole = false;
  uint64_t start[3];
  if (KERNEL(pread64, fd, start, sizeof start, 0) == sizeof start &&
      start[0] == TRACE_MAGIC && (uint32_t)start[1] == TRACE_VERSION) {
    long at = kernel6(SYS_mmap, 0, (long)start[2], PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_NORESERVE, fd, 0);
    whole = at > 0 || at < -4095;
    if (!whole) {
      at = kernel6(SYS_mmap, 0, TRACE_HEADER_SIZE, PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
    }
    if (at > 0 || at < -4095) header = (struct trace_header *)at;
  }
  KERNEL(close, fd, 0, 0, 0);
  if (!header) return false;
  trace_map_is_whole = whole;
  __atomic_store_n(&trace_map, header, __ATOMIC_RELEASE);
  return true;
}

static inline void trace_lose(void) {
  if (trace_map) __atomic_fetch_add(&trace_map->lost, 1, __ATOMIC_RELAXED);
}

// Has storage reserved up to `end`: a write to a page that a full file system
// cannot hold would kill the traced process with SIGBUS.
PART bool trace_allocate(uint64_t end) {
  struct trace_header *h = trace_map;
  uint64_t have = __atomic_load_n(&h->allocated, __ATOMIC_ACQUIRE);
  if (end <= have) return true;
  if (end > h->size) return false;
  // Ahead of what is needed, by more the more there is already.
  uint64_t want = end + (have / 4 > TRACE_ALLOCATE ? have / 4 : TRACE_ALLOCATE);
  if (want > h->size) want = h->size;
  long fd = KERNEL(openat, AT_FDCWD, h->path, O_RDWR | O_CLOEXEC, 0);
  // Without a free descriptor the page is written to as it is: only a full
  // file system at the same time makes that fatal.
  if (fd == -24 || fd == -23) return true;
  if (fd < 0) return false;
  long failed = KERNEL(fallocate, fd, 0, have, want - have);
  KERNEL(close, fd, 0, 0, 0);
  if (failed == -95) failed = 0;  // the file system cannot reserve
  if (failed < 0) return false;
  while (have < want && !__atomic_compare_exchange_n(
                            &h->allocated, &have, want, true, __ATOMIC_ACQ_REL,
                            __ATOMIC_ACQUIRE)) {
  }
  return true;
}

// The fine clock: a file system may stamp a write with it too, and what was
// written before a read must never look as if it came after.
static inline uint64_t trace_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// A record but for its payload.
struct trace_draft {
  uint16_t op;
  uint8_t state;
  uint8_t flags;
  uint32_t pid;
  int32_t other;
};

// A part of the trace, where there is no room to map the whole; mapped too, as
// a write beyond the limit for files (ulimit -f) would be deadly.
struct trace_window {
  char *start;
  size_t length;
  char *at;  // what was asked for; 0: not to be had
};

static struct trace_window trace_open_window(uint64_t at, size_t size) {
  struct trace_window window = {0};
  long fd = KERNEL(openat, AT_FDCWD, trace_map->path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return window;
  uint64_t page = at & ~(uint64_t)0xffff;  // of any size
  window.length = (size_t)(at - page) + size;
  long start = kernel6(SYS_mmap, 0, (long)window.length, PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd, (long)page);
  KERNEL(close, fd, 0, 0, 0);
  if (start < 0 && start >= -4095) return window;
  window.start = (char *)start;
  window.at = window.start + (at - page);
  return window;
}

static void trace_close_window(struct trace_window window) {
  if (window.at) KERNEL(munmap, window.start, window.length, 0, 0);
}

// Appends a record. Returns its place for trace_settle(); 0: it is lost.
PART uint64_t trace_put(struct trace_draft draft, const char *path,
                          size_t length, const char *second, size_t length2) {
  struct trace_header *h = trace_map;
  if (length > UINT16_MAX || length2 > UINT16_MAX) {
    trace_lose();
    return 0;
  }
  size_t size = offsetof(struct trace_record, path) + length + 1 + length2;
  size = (size + 7) & ~(size_t)7;
  uint64_t at = __atomic_fetch_add(&h->head, size, __ATOMIC_RELAXED);
  if (!trace_allocate(at + size)) {
    trace_lose();
    return 0;
  }
  struct trace_record head = {
      .size = (uint32_t)size,
      .op = draft.op,
      .state = draft.state,
      .flags = draft.flags,
      .pid = draft.pid,
      .other = draft.other,
      .time = trace_clock(),
      .length = (uint16_t)length,
      .length2 = (uint16_t)length2,
  };
  struct trace_window window = {.at = (char *)h + at};
  if (!trace_map_is_whole) {
    window = trace_open_window(at, size);
    if (!window.at) {
      trace_lose();
      return 0;
    }
  }
  struct trace_record *record = (struct trace_record *)window.at;
  __atomic_store_n(&record->size, head.size, __ATOMIC_RELEASE);
  head.state = TRACE_WRITING;
  memcpy((char *)record + sizeof head.size, (char *)&head + sizeof head.size,
         sizeof head - sizeof head.size);
  memcpy(record->path, path, length);
  if (length2) memcpy(record->path + length + 1, second, length2);
  __atomic_store_n(&record->state, draft.state, __ATOMIC_RELEASE);
  if (!trace_map_is_whole) trace_close_window(window);
  return at;
}

// Says how the call of a record ended.
__attribute__((unused)) static void trace_settle(uint64_t at, uint8_t state) {
  if (!at) return;
  struct trace_window window = {.at = (char *)trace_map + at};
  if (!trace_map_is_whole) {
    window = trace_open_window(at, sizeof(struct trace_record));
  }
  if (!window.at) return;
  struct trace_record *record = (struct trace_record *)window.at;
  __atomic_store_n(&record->state, state, __ATOMIC_RELEASE);
  if (!trace_map_is_whole) trace_close_window(window);
}

static inline uint8_t trace_state_of(int error) {
  return error == 0 ? TRACE_FOUND
         : error == 2 || error == 20 ? TRACE_ABSENT  // ENOENT, ENOTDIR
                                     : TRACE_FAILED;
}

// Whether an absolute path lies under a system prefix by its spelling alone.
PART bool trace_is_system(const char *path) {
  const char *prefix = trace_map->prefixes;
  while (*prefix) {
    size_t n = strlen(prefix);
    if (strncmp(path, prefix, n) == 0 && (path[n] == '/' || path[n] == 0)) {
      return true;
    }
    prefix += n + 1;
  }
  return false;
}

static inline bool trace_keeps_system(void) {
  return trace_map->flags & TRACE_KEEP_SYSTEM;
}

// Makes the folders of an absolute path that are missing, if that is wanted.
// Nobody hears of it: they are no files.
PART bool trace_make_folders(char *path, size_t length) {
  if (!(trace_map->flags & TRACE_MAKE_FOLDERS)) return false;
  long failed = 0;
  for (size_t end = 1; end <= length; end++) {
    if (end < length && path[end] != '/') continue;
    char next = path[end];
    path[end] = 0;
    failed = KERNEL(mkdirat, AT_FDCWD, path, 0777, 0);
    path[end] = next;
  }
  return failed == 0;
}

static inline void trace_count_system(void) {
  __atomic_fetch_add(&trace_map->system_reads, 1, __ATOMIC_RELAXED);
}

// Whether spelling can be trusted: no `.`, `..` or empty component.
PART bool trace_is_plain(const char *path) {
  for (const char *p = path; (p = strchr(p, '/')); p++) {
    if (p[1] == '/' || (p[1] == '.' && (p[2] == '/' || p[2] == 0)) ||
        (p[1] == '.' && p[2] == '.' && (p[3] == '/' || p[3] == 0))) {
      return false;
    }
  }
  return true;
}

#endif
