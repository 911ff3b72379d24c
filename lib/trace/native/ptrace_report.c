// Writes what was seen into the trace, each fact once.

#define _GNU_SOURCE
#include <stdlib.h>

#include "ptrace.h"

// --- what was reported ------------------------------------------------------

struct fact {
  uint64_t path;  // hash; 0: free
  uint64_t kinds; // a bit for each access and outcome
};

// Grows up to this, then starts anew: the records then repeat themselves, but
// memory does not depend on how much a program reads.
#define MOST_FACTS (1u << 20)
static struct fact *facts;
static uint32_t room, used;

static struct fact *fact_of(uint64_t hash) {
  uint32_t i = (uint32_t)(hash >> 16) & (room - 1);
  while (facts[i].path && facts[i].path != hash) i = (i + 1) & (room - 1);
  return &facts[i];
}

static void forget_all(void) {
  if (used) memset(facts, 0, room * sizeof *facts);
  used = 0;
}

static void grow(void) {
  struct fact *old = facts;
  uint32_t size = room;
  room = room ? room * 2 : 4096;
  facts = calloc(room, sizeof *facts);
  if (!facts) {
    facts = old;
    room = size;
    if (!facts) _exit(125);
    forget_all();
    return;
  }
  for (uint32_t i = 0; i < size; i++) {
    if (old[i].path) *fact_of(old[i].path) = old[i];
  }
  free(old);
}

static bool is_news(uint64_t hash, unsigned kind) {
  if (used >= room / 4 * 3) {
    if (room < MOST_FACTS) grow();
    else forget_all();
  }
  struct fact *fact = fact_of(hash);
  if (!fact->path) {
    fact->path = hash;
    fact->kinds = 0;
    used++;
  }
  if (fact->kinds >> kind & 1) return false;
  fact->kinds |= 1ull << kind;
  return true;
}

void forget(uint64_t hash) {
  if (!room) return;
  if (hash) fact_of(hash)->kinds = 0;
  else forget_all();
}

// --- records ----------------------------------------------------------------

// Lets go of what was written long ago: it is the file's, not ours to keep in
// memory.
static void trim(uint64_t at) {
  const uint64_t step = 4u << 20;
  static uint64_t kept;
  if (!trace_map_is_whole || at < kept + 2 * step) return;
  uint64_t end = (at - step) & ~(step - 1);
  madvise((char *)trace_map + kept, end - kept, MADV_DONTNEED);
  kept = end;
}

static uint64_t put(struct process *process, uint16_t op, uint8_t state,
                    uint8_t flags, int32_t other, const struct place *a,
                    const char *second, size_t length2) {
  uint64_t at = trace_put((struct trace_draft){.op = op,
                                               .state = state,
                                               .flags = flags | TRACE_BY_PTRACE,
                                               .pid = (uint32_t)process->pid,
                                               .other = other},
                          a ? a->path : "", a ? a->length : 0, second,
                          length2);
  trim(at);
  return at;
}

void report(struct task *task, uint16_t op, uint8_t flags,
            const struct place *place, uint8_t state) {
  if (!place->usable || task->process->off) return;
  if (place->system) {
    trace_count_system();
    return;
  }
  unsigned kind = 3 * op + (state - TRACE_FOUND);
  if (flags & TRACE_EXECUTES) kind += 40;
  if (!is_news(place->hash, kind)) return;
  put(task->process, op, state, flags, 0, place, NULL, 0);
}

uint64_t report_change(struct task *task, uint16_t op, uint8_t flags,
                       const struct place *a, const struct place *b) {
  if (task->process->off) return 0;
  if (a->system && (!b || b->system)) {
    trace_count_system();
    return 0;
  }
  return put(task->process, op, TRACE_CALLING, flags, 0, a,
             b ? b->path : NULL, b ? b->length : 0);
}

void report_start(struct process *process) {
  process->started = true;
  put(process, TRACE_START, TRACE_FOUND, 0, process->parent, NULL, NULL, 0);
}

void report_exit(struct process *process, int status) {
  if (!process->started) return;
  put(process, TRACE_EXIT, TRACE_FOUND, 0, status, NULL, NULL, 0);
}

void report_switch(struct process *process, bool on) {
  put(process, TRACE_SWITCH, TRACE_FOUND, 0, on, NULL, NULL, 0);
}

void report_image(struct task *task) {
  struct image *image = &task->image;
  if (!image->text) return;
  struct place program = {.path = image->text, .length = image->program};
  if (!task->process->off) {
    put(task->process, TRACE_EXEC, TRACE_FOUND, image->flags, 0, &program,
        image->text + image->program + 1,
        image->length - image->program - 1);
    if (image->escape) {
      put(task->process, TRACE_ESCAPE, TRACE_FOUND, 0, image->escape, &program,
          NULL, 0);
    }
  }
  free(image->text);
  image->text = NULL;
}
