// What the parts of the preloaded library share. See shim.c.

#ifndef CLIBS_SHIM_H
#define CLIBS_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

#define EXPORT __attribute__((visibility("default")))

// Longest spelling while a path is resolved: a folder, a link in it, the rest.
#define ROOM (3 * 4096)

// The library's function behind the one that we stand in front of. Looked up at
// its first use; never freed.
void *shim_next(const char *name);
#define REAL(name)                                                      \
  ({                                                                    \
    static void *found;                                                 \
    void *now = __atomic_load_n(&found, __ATOMIC_RELAXED);              \
    if (!now) {                                                         \
      now = shim_next(#name);                                           \
      __atomic_store_n(&found, now, __ATOMIC_RELAXED);                  \
    }                                                                   \
    (__typeof__(&name))now;                                             \
  })

// Buffers of one call. They are not on the stack: a signal handler may run on
// an alternate stack of two kilobytes.
struct shim_slot {
  char path[ROOM];    // the canonical path
  char rest[ROOM];    // what is still to be resolved
  char scratch[ROOM];
  // Who took it, and how deep in the stack: see shim_take().
  void *thread;
  char *frame;
};
struct shim_slot *shim_take(void);
void shim_give(struct shim_slot *slot);

// A path as a call sees it.
struct shim_place {
  size_t length;
  bool system;   // under a system prefix: counted only
  bool is_link;  // the last component is a link that is not followed
  bool existed;  // something is there
  bool usable;   // resolved; else there is nothing to report
};

// Whether accesses of this process are recorded now.
bool shim_is_on(void);

// Resolves `path` into slot->path and reports the links on the way.
struct shim_place shim_resolve(struct shim_slot *slot, int dir,
                               const char *path, bool follow);

// Goes on hashing a text.
uint64_t shim_hash(uint64_t hash, const char *text, size_t length);

// Reports a read of slot->path, once for each kind and outcome.
void shim_report(struct shim_slot *slot, struct shim_place place, uint16_t op,
                 uint8_t state, uint8_t flags);

uint8_t shim_state_of(struct shim_place place, int error);

// One path of a call that only looks.
void shim_look(int dir, const char *path, bool follow, uint16_t op, int error);

// Among a record's flags: what is there was made by the call itself, which has
// returned already.
#define SHIM_MADE 128

// One path of a call that changes something: begun before it, ended after.
struct shim_change {
  uint64_t at;   // the record; 0: none
  bool links;    // may turn a folder into a link
};
struct shim_change shim_begin(int dir, const char *path, bool follow,
                              uint16_t op, uint8_t flags);
struct shim_change shim_begin_two(int dir, const char *path, bool follow,
                                  int dir2, const char *path2, uint16_t op);
void shim_end(struct shim_change change, int error);

// An open, whichever function does it.
struct shim_open {
  struct shim_change change;
  int dir;
  const char *path;
  bool follow, reads, looks;
};
struct shim_open shim_begin_open(int dir, const char *path, int flags);
void shim_end_open(const struct shim_open *open, int error);

// What a path means to exec: its programs are reported, and what they are told.
enum shim_fate {
  SHIM_RUN,       // the library can be preloaded into it
  SHIM_ASAN,      // that too, but AddressSanitizer must be told
  SHIM_ESCAPES,   // it cannot; `reason` tells why
  SHIM_ABSENT,    // there is no such program
};
enum shim_fate shim_program(int dir, const char *path, bool follow,
                            int *reason);

// Says that a program escapes; the other follows it too, if that is wanted.
void shim_report_escape(int dir, const char *path, bool follow,
                        char *const *argv, int reason);
void shim_follow_escape(int dir, const char *path, bool follow,
                        char *const *argv, int reason);

// The libraries that the loader brought, and where it looked for them.
void shim_libraries(void);

#define SHIM_ERROR(failed) ((failed) ? errno : 0)

#endif
