// What exec will make of a file: which interpreters it reads, and whether the
// library can be preloaded into the program.

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "shim.h"
#include "writer.h"

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#else
#define OUR_MACHINE EM_AARCH64
#endif

// The loader that this library was made for.
static const char *our_loader(void) {
#if defined(__GLIBC__) && defined(__x86_64__)
  return "ld-linux-x86-64.so.2";
#elif defined(__GLIBC__)
  return "ld-linux-aarch64.so.1";
#else
  return "ld-musl-";
#endif
}

static bool has(const char *text, const char *part) {
  return strstr(text, part) != 0;
}

// Go calls the kernel by itself, even when linked against libc.
static bool is_go(const char *head, size_t size, const Elf64_Phdr *part) {
  if (part->p_offset + 16 > size) return false;
  const Elf64_Nhdr *note = (const void *)(head + part->p_offset);
  return note->n_namesz == 4 && memcmp(note + 1, "Go\0\0", 4) == 0;
}

// Whether the first library that a program needs is AddressSanitizer's, which
// refuses to run behind another.
static bool is_asan(int fd, const Elf64_Phdr *parts, int count,
                    const Elf64_Phdr *dynamic) {
  Elf64_Dyn entries[64];
  long n = KERNEL(pread64, fd, entries, sizeof entries, dynamic->p_offset);
  if (n <= 0) return false;
  uint64_t strings = 0, first = UINT64_MAX;
  for (long i = 0; i < n / (long)sizeof *entries; i++) {
    if (entries[i].d_tag == DT_STRTAB) strings = entries[i].d_un.d_val;
    if (entries[i].d_tag == DT_NEEDED && first == UINT64_MAX) {
      first = entries[i].d_un.d_val;
    }
  }
  if (first == UINT64_MAX) return false;
  for (int i = 0; i < count; i++) {
    const Elf64_Phdr *p = &parts[i];
    if (p->p_type != PT_LOAD || strings < p->p_vaddr ||
        strings >= p->p_vaddr + p->p_filesz) {
      continue;
    }
    char name[32] = {0};
    KERNEL(pread64, fd, name, sizeof name - 1,
           strings - p->p_vaddr + p->p_offset + first);
    return has(name, "libasan.so") || has(name, "libclang_rt.asan");
  }
  return false;
}

static enum shim_fate elf_fate(int fd, char *head, size_t size, int *reason) {
  const Elf64_Ehdr *elf = (const void *)head;
  if (elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_machine != OUR_MACHINE) {
    *reason = TRACE_ESCAPE_MACHINE;
    return SHIM_ESCAPES;
  }
  if (elf->e_phentsize != sizeof(Elf64_Phdr) ||
      elf->e_phoff + elf->e_phnum * sizeof(Elf64_Phdr) > size) {
    return SHIM_RUN;
  }
  const Elf64_Phdr *parts = (const void *)(head + elf->e_phoff);
  const Elf64_Phdr *loader = 0, *dynamic = 0;
  for (int i = 0; i < elf->e_phnum; i++) {
    if (parts[i].p_type == PT_INTERP) loader = &parts[i];
    if (parts[i].p_type == PT_DYNAMIC) dynamic = &parts[i];
    if (parts[i].p_type == PT_NOTE && is_go(head, size, &parts[i])) {
      *reason = TRACE_ESCAPE_GO;
      return SHIM_ESCAPES;
    }
  }
  if (!loader) {
    *reason = TRACE_ESCAPE_STATIC;
    return SHIM_ESCAPES;
  }
  if (loader->p_offset + loader->p_filesz > size || loader->p_filesz < 2) {
    return SHIM_RUN;
  }
  head[loader->p_offset + loader->p_filesz - 1] = 0;
  if (!has(head + loader->p_offset, our_loader())) {
    *reason = TRACE_ESCAPE_LOADER;
    return SHIM_ESCAPES;
  }
  if (dynamic && is_asan(fd, parts, elf->e_phnum, dynamic)) return SHIM_ASAN;
  return SHIM_RUN;
}

// Whether exec changes rights, for which the loader ignores LD_PRELOAD.
static bool changes_rights(int fd) {
  struct stat info;
  if (KERNEL(fstat, fd, &info, 0, 0) != 0) return false;
  if ((info.st_mode & S_ISUID) &&
      info.st_uid != (uid_t)KERNEL(geteuid, 0, 0, 0, 0)) {
    return true;
  }
  if ((info.st_mode & S_ISGID) && (info.st_mode & S_IXGRP) &&
      info.st_gid != (gid_t)KERNEL(getegid, 0, 0, 0, 0)) {
    return true;
  }
  return KERNEL(geteuid, 0, 0, 0, 0) != 0 &&
         KERNEL(fgetxattr, fd, "security.capability", 0, 0) > 0;
}

// The word after `#!`, in place; 0 if there is none.
static char *interpreter_of(char *head, size_t size) {
  char *word = head + 2;
  head[size < 256 ? size : 255] = 0;
  while (*word == ' ' || *word == '\t') word++;
  word[strcspn(word, " \t\n")] = 0;
  return *word ? word : 0;
}

// Whether the process has become somebody who may not open the library or the
// trace.
static bool is_locked_out(void) {
  if (KERNEL(geteuid, 0, 0, 0, 0) == 0) return false;
  return KERNEL(faccessat, AT_FDCWD, trace_map->shim, R_OK, 0) == -EACCES ||
         KERNEL(faccessat, AT_FDCWD, trace_map->path, R_OK | W_OK, 0) ==
             -EACCES;
}

enum shim_fate shim_program(int dir, const char *path, bool follow,
                            int *reason) {
  struct shim_slot *slot = shim_take();
  if (!slot) return SHIM_RUN;
  enum shim_fate fate = SHIM_RUN;
  // The kernel follows five scripts that name scripts.
  for (int depth = 0; depth < 6; depth++) {
    struct shim_place place = shim_resolve(slot, dir, path, follow);
    if (!place.usable) {
      fate = SHIM_ABSENT;
      break;
    }
    long fd = KERNEL(openat, AT_FDCWD, slot->path, O_RDONLY | O_CLOEXEC, 0);
    bool runs = fd >= 0 ? KERNEL(faccessat, AT_FDCWD, slot->path, 1, 0) == 0
                        : fd == -EACCES;
    shim_report(slot, place, TRACE_READ,
                fd == -ENOENT || fd == -ENOTDIR ? TRACE_ABSENT
                : runs                          ? TRACE_FOUND
                                                : TRACE_FAILED,
                TRACE_EXECUTES);
    if (!runs && depth == 0) fate = SHIM_ABSENT;
    if (fd < 0) break;
    char *head = slot->scratch;
    long n = KERNEL(pread64, fd, head, 4096, 0);
    char *next = 0;
    if (n > 4 && head[0] == '#' && head[1] == '!') {
      next = interpreter_of(head, (size_t)n);
    } else if (runs && n >= (long)sizeof(Elf64_Ehdr) &&
               memcmp(head, ELFMAG, SELFMAG) == 0) {
      fate = changes_rights((int)fd) || is_locked_out()
                 ? SHIM_ESCAPES
                 : elf_fate((int)fd, head, n, reason);
      if (fate == SHIM_ESCAPES && !*reason) *reason = TRACE_ESCAPE_SETUID;
    }
    KERNEL(close, fd, 0, 0, 0);
    if (!next) break;
    // shim_resolve() writes over scratch.
    char *name = slot->scratch + 4096 * 2;
    memmove(name, next, strlen(next) + 1);
    path = name;
    dir = AT_FDCWD;
    follow = true;
  }
  shim_give(slot);
  return fate;
}
