// Programs that are executed: the file, the interpreters that it needs, and
// the arguments, which must be read before the new program replaces them.

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "ptrace.h"

#define MAX_ARGUMENTS 16384
#define MAX_INTERPRETERS 5

// --- what a file needs to be executed ---------------------------------------

struct program {
  uint64_t path;
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
  bool is_script;
  int escape;
  char interpreter[256];  // empty: none
};

// By path: a build executes few programs many times.
static struct program programs[512];

static int machine_here(void) {
#ifdef __aarch64__
  return EM_AARCH64;
#else
  return EM_X86_64;
#endif
}

static void read_elf(int fd, const unsigned char *head, ssize_t n,
                     struct program *to) {
  const Elf64_Ehdr *elf = (const void *)head;
  if (n < (ssize_t)sizeof *elf || elf->e_ident[EI_DATA] != ELFDATA2LSB) return;
  bool wide = elf->e_ident[EI_CLASS] == ELFCLASS64;
  // The filter knows the calls of these machines only.
  bool known = elf->e_machine == machine_here();
#ifdef __x86_64__
  known = (known && wide) || elf->e_machine == EM_386;
#endif
  if (!known) to->escape = TRACE_ESCAPE_MACHINE;
  const Elf32_Ehdr *elf32 = (const void *)head;
  uint64_t at = wide ? elf->e_phoff : elf32->e_phoff;
  unsigned count = wide ? elf->e_phnum : elf32->e_phnum;
  size_t step = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  for (unsigned i = 0; i < count && i < 64; i++) {
    union {
      Elf64_Phdr wide;
      Elf32_Phdr narrow;
    } part;
    uint64_t from = at + i * step;
    if (from + step <= (uint64_t)n) memcpy(&part, head + from, step);
    else if (pread(fd, &part, step, (off_t)from) != (ssize_t)step) return;
    uint32_t type = wide ? part.wide.p_type : part.narrow.p_type;
    if (type != PT_INTERP) continue;
    uint64_t text = wide ? part.wide.p_offset : part.narrow.p_offset;
    uint64_t size = wide ? part.wide.p_filesz : part.narrow.p_filesz;
    if (size == 0 || size > sizeof to->interpreter) return;
    if (pread(fd, to->interpreter, size, (off_t)text) != (ssize_t)size) size = 1;
    to->interpreter[size - 1] = 0;
    return;
  }
}

static void read_script(const char *head, ssize_t n, struct program *to) {
  // The kernel looks at so much of the line.
  if (n > 255) n = 255;
  const char *p = head + 2, *end = memchr(head, '\n', (size_t)n);
  if (!end) end = head + n;
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  const char *start = p;
  while (p < end && *p != ' ' && *p != '\t' && *p) p++;
  memcpy(to->interpreter, start, (size_t)(p - start));
  to->interpreter[p - start] = 0;
  to->is_script = true;
}

// NULL if it cannot be executed; `*state` then says why.
static const struct program *program_at(const char *path, uint64_t hash,
                                        uint8_t *state) {
  struct stat info;
  if (stat(path, &info)) {
    *state = trace_state_of(errno);
    return NULL;
  }
  *state = TRACE_FAILED;
  if (!S_ISREG(info.st_mode) || !(info.st_mode & 0111)) return NULL;
  *state = TRACE_FOUND;
  struct program *program =
      &programs[hash % (sizeof programs / sizeof *programs)];
  if (program->path == hash && program->inode == info.st_ino &&
      program->device == info.st_dev && program->size == info.st_size &&
      program->changed.tv_sec == info.st_ctim.tv_sec &&
      program->changed.tv_nsec == info.st_ctim.tv_nsec) {
    return program;
  }
  memset(program, 0, sizeof *program);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return program;
  *program = (struct program){
      .path = hash,
      .device = info.st_dev,
      .inode = info.st_ino,
      .size = info.st_size,
      .changed = info.st_ctim,
  };
  _Alignas(8) unsigned char head[1024];
  ssize_t n = pread(fd, head, sizeof head, 0);
  if (n > 2 && head[0] == '#' && head[1] == '!') {
    read_script((const char *)head, n, program);
  } else if (n > 4 && memcmp(head, ELFMAG, SELFMAG) == 0) {
    read_elf(fd, head, n, program);
  }
  close(fd);
  return program;
}

// Reports a file as executed, then what it needs for that. Returns whether the
// kernel will take it.
static bool report_program(struct task *task, struct place place,
                           int *escape) {
  for (int i = 0; i < MAX_INTERPRETERS; i++) {
    uint64_t hash =
        place.hash ? place.hash : hash_path(place.path, place.length);
    uint8_t state = place.state;
    const struct program *program = NULL;
    if (place.state == TRACE_FOUND) {
      program = program_at(place.path, hash, &state);
    }
    report(task, TRACE_READ, TRACE_EXECUTES, &place, state);
    if (!program) return false;
    if (program->escape) *escape = program->escape;
    if (!*program->interpreter) return true;
    bool is_script = program->is_script;
    char name[sizeof program->interpreter];
    memcpy(name, program->interpreter, sizeof name);
    place = resolve(task, AT_FDCWD, name, strlen(name), FOLLOW, &buffers[1]);
    if (!place.usable) return true;
    if (!is_script) {
      report(task, TRACE_READ, TRACE_EXECUTES, &place, place.state);
      return true;
    }
  }
  return true;
}

// --- arguments --------------------------------------------------------------

#define BATCH 32
#define SLOT 128

// Copies the strings that `pointers` lead to; most in a single step. Returns
// where they end; `*cut` tells whether there was no room.
static char *read_batch(pid_t tid, const uint64_t *pointers, unsigned count,
                        char *to, const char *end, bool *cut) {
  static char slots[BATCH][SLOT];
  static char whole[MAX_ARGUMENTS + 1];
  struct iovec mine[BATCH], theirs[BATCH];
  size_t sizes[BATCH], total = 0;
  for (unsigned i = 0; i < count; i++) {
    size_t left = 4096 - pointers[i] % 4096;
    sizes[i] = left < SLOT ? left : SLOT;
    mine[i] = (struct iovec){slots[i], sizes[i]};
    theirs[i] = (struct iovec){(void *)(uintptr_t)pointers[i], sizes[i]};
    total += sizes[i];
  }
  ssize_t n = process_vm_readv(tid, mine, count, theirs, count, 0);
  for (unsigned i = 0; i < count; i++) {
    const char *text = slots[i];
    const char *stop = n == (ssize_t)total ? memchr(text, 0, sizes[i]) : NULL;
    ssize_t length = stop ? stop - text : -1;
    if (!stop) {
      text = whole;
      length = read_string(tid, pointers[i], whole, sizeof whole);
    }
    if (length < 0 || length >= end - to) {
      *cut = true;
      return to;
    }
    memcpy(to, text, (size_t)length);
    to += length;
    *to++ = 0;
  }
  return to;
}

static char *read_arguments(const struct arguments *a, uint64_t list, char *to,
                            bool *cut) {
  const char *end = to + MAX_ARGUMENTS;
  size_t width = a->narrow ? 4 : 8;
  while (list) {
    unsigned char raw[BATCH * 8];
    uint64_t pointers[BATCH];
    // Not beyond the page: what follows may not be there.
    size_t room = (4096 - list % 4096) / width;
    unsigned want = room == 0 ? 1 : room < BATCH ? (unsigned)room : BATCH;
    if (!read_memory(a->tid, list, raw, want * width)) return to;
    unsigned count = 0;
    for (; count < want; count++) {
      uint64_t pointer = 0;
      memcpy(&pointer, raw + count * width, width);
      if (!pointer) break;
      pointers[count] = pointer;
    }
    to = read_batch(a->tid, pointers, count, to, end, cut);
    if (count < want || *cut) return to;
    list += want * width;
  }
  return to;
}

// --- the call ---------------------------------------------------------------

// Takes `.` and `..` out of a system path, which is not resolved.
static size_t normalize(char *to, const char *path) {
  size_t n = 0;
  while (*path) {
    while (*path == '/') path++;
    size_t m = strcspn(path, "/");
    if (m == 2 && path[0] == '.' && path[1] == '.') {
      while (n > 0 && to[--n] != '/') {
      }
    } else if (m > 0 && !(m == 1 && path[0] == '.')) {
      to[n++] = '/';
      memcpy(to + n, path, m);
      n += m;
    }
    path += m;
  }
  if (n == 0) to[n++] = '/';
  to[n] = 0;
  return n;
}

void see_exec(struct task *task, const struct arguments *a) {
  bool at = a->call == CALL_EXECVEAT;
  const uint64_t *v = at ? a->at + 1 : a->at;
  unsigned how = FOLLOW;
  if (at) {
    how = (v[3] & AT_SYMLINK_NOFOLLOW ? 0 : FOLLOW) |
          (v[3] & AT_EMPTY_PATH ? EMPTY_IS_FD : 0);
  }
  struct image *image = &task->image;
  free(image->text);
  *image = (struct image){0};
  struct place place = argument_path(task, at ? (int)a->at[0] : AT_FDCWD, v[0],
                                     how, &buffers[0]);
  if (!place.usable || !report_program(task, place, &image->escape)) return;
  size_t cwd_length = 0;
  const char *cwd = task_cwd(task, &cwd_length);
  // A record's second part has two bytes for its length.
  if (cwd_length > UINT16_MAX - MAX_ARGUMENTS - 2) cwd_length = 0;
  char *text = malloc(place.length + cwd_length + MAX_ARGUMENTS + 4);
  if (!text) return;
  if (place.system) {
    image->program = normalize(text, place.path);
  } else {
    image->program = place.length;
    memcpy(text, place.path, place.length + 1);
  }
  char *to = text + image->program + 1;
  if (cwd_length) memcpy(to, cwd, cwd_length);
  to += cwd_length;
  *to++ = 0;
  bool cut = false;
  to = read_arguments(a, v[1], to, &cut);
  image->flags = cut ? TRACE_TRUNCATED : 0;
  image->length = (size_t)(to - text);
  image->text = realloc(text, image->length);
  if (!image->text) image->text = text;
}
