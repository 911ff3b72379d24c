// Libraries that the loader brings, variables that are asked for, and calls
// made to the kernel by number.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "shim.h"
#include "writer.h"

// --- libraries --------------------------------------------------------------

static void report_file(const char *path, int error) {
  struct shim_slot *slot = shim_take();
  if (!slot) return;
  struct shim_place place = shim_resolve(slot, AT_FDCWD, path, true);
  shim_report(slot, place, TRACE_READ, trace_state_of(error), 0);
  shim_give(slot);
}

// Looks for `name` as the loader does in one folder of a search path. Returns
// whether it is there.
static bool probe(const char *dir, size_t n, const char *origin,
                  const char *name) {
  char path[4096];
  size_t used = 0;
  for (size_t i = 0; i < n && used + 2 < sizeof path; i++) {
    size_t skip = strncmp(dir + i, "$ORIGIN", 7) == 0     ? 7
                  : strncmp(dir + i, "${ORIGIN}", 9) == 0 ? 9
                                                          : 0;
    if (!skip) {
      path[used++] = dir[i];
      continue;
    }
    size_t m = strlen(origin);
    if (used + m + 2 > sizeof path) return false;
    memcpy(path + used, origin, m);
    used += m;
    i += skip - 1;
  }
  if (used == 0) path[used++] = '.';
  path[used] = 0;
  if (path[0] == '/' && trace_is_system(path) && !trace_keeps_system()) {
    return false;
  }
  // Versions for newer processors come first, each in a folder of its own.
  static const char *const variants[] = {
#if defined(__x86_64__)
      "/glibc-hwcaps/x86-64-v4/", "/glibc-hwcaps/x86-64-v3/",
      "/glibc-hwcaps/x86-64-v2/",
#endif
      "/"};
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
    size_t a = strlen(variants[i]), b = strlen(name);
    if (used + a + b + 1 > sizeof path) return false;
    memcpy(path + used, variants[i], a);
    memcpy(path + used + a, name, b + 1);
    bool found = KERNEL(faccessat, AT_FDCWD, path, F_OK, 0) == 0;
    report_file(path, found ? 0 : ENOENT);
    if (found) return true;
  }
  return false;
}

static bool probe_list(const char *list, const char *origin, const char *name) {
  while (list && *list) {
    size_t n = strcspn(list, ":");
    if (probe(list, n, origin, name)) return true;
    list += n + (list[n] == ':');
  }
  return false;
}

struct needs {
  const char *search_path;
  unsigned count;
};

static const char *dynamic_text(struct dl_phdr_info *info, long tag,
                                size_t *index) {
  const ElfW(Dyn) *dynamic = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
      dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    }
  }
  const char *strings = 0;
  for (const ElfW(Dyn) *d = dynamic; d && d->d_tag; d++) {
    if (d->d_tag == DT_STRTAB) strings = (const char *)d->d_un.d_ptr;
  }
  // A loader that does not relocate the section leaves an offset there.
  if (strings && (uintptr_t)strings < info->dlpi_addr) {
    strings += info->dlpi_addr;
  }
  size_t at = 0;
  for (const ElfW(Dyn) *d = dynamic; strings && d && d->d_tag; d++) {
    if (d->d_tag == tag && at++ == *index) {
      ++*index;
      return strings + d->d_un.d_val;
    }
  }
  return 0;
}

static void folder_of(const char *path, char *to, size_t room) {
  size_t n = 0;
  const char *slash = strrchr(path, '/');
  while (slash && path + n < slash && n + 1 < room) to[n] = path[n], n++;
  to[n] = 0;
}

static unsigned reported_libraries;

static int report_library(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct needs *needs = data;
  bool is_program = needs->count == 0;
  if (needs->count++ < reported_libraries) return 0;
  const char *path = info->dlpi_name;
  char origin[4096];
  if (is_program) {
    long n = kernel_readlinkat(AT_FDCWD, "/proc/self/exe", origin,
                               sizeof origin - 1);
    origin[n > 0 ? n : 0] = 0;
    char *slash = strrchr(origin, '/');
    if (slash) *slash = 0;
  } else {
    if (!path || !strchr(path, '/') || strcmp(path, trace_map->shim) == 0) {
      return 0;
    }
    report_file(path, 0);
    folder_of(path, origin, sizeof origin);
  }
  // Where it was looked for and was not, or first was.
  size_t zero = 0;
  const char *run_path = dynamic_text(info, DT_RUNPATH, &zero);
  zero = 0;
  const char *r_path = run_path ? 0 : dynamic_text(info, DT_RPATH, &zero);
  if (!run_path && !r_path && !needs->search_path) return 0;
  size_t index = 0;
  const char *name;
  while ((name = dynamic_text(info, DT_NEEDED, &index))) {
    if (strchr(name, '/')) continue;
    if (probe_list(r_path, origin, name)) continue;
    if (probe_list(needs->search_path, origin, name)) continue;
    probe_list(run_path, origin, name);
  }
  return 0;
}

void shim_libraries(void) {
  struct needs needs = {.search_path = getenv("LD_LIBRARY_PATH")};
  dl_iterate_phdr(report_library, &needs);
  reported_libraries = needs.count;
}

// Reported before the call, which then must be a jump: the loader takes the
// search path of whoever called it.
EXPORT void *dlopen(const char *path, int flags) {
  void *(*real)(const char *, int) = REAL(dlopen);
  if (path && *path && shim_is_on()) {
    int saved = errno;
    shim_libraries();
    if (strchr(path, '/')) {
      bool found = KERNEL(faccessat, AT_FDCWD, path, F_OK, 0) == 0;
      report_file(path, found ? 0 : ENOENT);
    } else {
      probe_list(getenv("LD_LIBRARY_PATH"), "", path);
    }
    errno = saved;
  }
  return real(path, flags);
}

// --- variables --------------------------------------------------------------

static void report_variable(const char *name) {
  if (!trace_map || !(trace_map->flags & TRACE_GETENV) || !name ||
      !shim_is_on()) {
    return;
  }
  struct shim_slot *slot = shim_take();
  if (!slot) return;
  size_t n = strlen(name);
  if (n < ROOM) {
    memcpy(slot->path, name, n + 1);
    shim_report(slot, (struct shim_place){.length = n, .usable = true},
                TRACE_GETENV_OP, TRACE_FOUND, 0);
  }
  shim_give(slot);
}

EXPORT char *getenv(const char *name) {
  report_variable(name);
  return REAL(getenv)(name);
}
EXPORT char *secure_getenv(const char *name) {
  report_variable(name);
  return REAL(secure_getenv)(name);
}

// --- by number --------------------------------------------------------------

static long answer(long result) {
  if ((unsigned long)result < (unsigned long)-4095) return result;
  errno = (int)-result;
  return -1;
}

// libc's syscall() with the reports of what it does. Calls that are not about
// paths go straight through.
EXPORT long syscall(long n, ...) {
  va_list list;
  va_start(list, n);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long),
       d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
#define TEXT(x) ((const char *)(x))
  switch (n) {
#ifdef SYS_open
    case SYS_open: return open(TEXT(a), (int)b, (mode_t)c);
    case SYS_creat: return creat(TEXT(a), (mode_t)b);
    case SYS_stat:
    case SYS_lstat: {
      long looked = answer(kernel6(n, a, b, 0, 0, 0, 0));
      shim_look(AT_FDCWD, TEXT(a), n == SYS_stat, TRACE_STAT,
                SHIM_ERROR(looked < 0));
      return looked;
    }
    case SYS_access: return access(TEXT(a), (int)b);
    case SYS_readlink: return readlink(TEXT(a), (char *)b, (size_t)c);
    case SYS_unlink: return unlink(TEXT(a));
    case SYS_rmdir: return rmdir(TEXT(a));
    case SYS_mkdir: return mkdir(TEXT(a), (mode_t)b);
    case SYS_rename: return rename(TEXT(a), TEXT(b));
    case SYS_link: return link(TEXT(a), TEXT(b));
    case SYS_symlink: return symlink(TEXT(a), TEXT(b));
    case SYS_chmod: return chmod(TEXT(a), (mode_t)b);
    case SYS_mknod: return mknod(TEXT(a), (mode_t)b, (dev_t)c);
#endif
    default: break;
  }
  long result;
  switch (n) {
    case SYS_openat: return openat((int)a, TEXT(b), (int)c, (mode_t)d);
#ifdef SYS_openat2
    case SYS_openat2: {
      struct shim_open open =
          shim_begin_open((int)a, TEXT(b), (int)*(const uint64_t *)c);
      result = answer(kernel6(n, a, b, c, d, 0, 0));
      shim_end_open(&open, SHIM_ERROR(result < 0));
      return result;
    }
#endif
    case SYS_statx:
      return statx((int)a, TEXT(b), (int)c, (unsigned)d, (struct statx *)e);
    case SYS_newfstatat:
      result = answer(kernel6(n, a, b, c, d, 0, 0));
      if (b && *TEXT(b)) {
        shim_look((int)a, TEXT(b), !(d & AT_SYMLINK_NOFOLLOW), TRACE_STAT,
                  SHIM_ERROR(result < 0));
      }
      return result;
    case SYS_faccessat:
#ifdef SYS_faccessat2
    case SYS_faccessat2:
#endif
      result = answer(kernel6(n, a, b, c, d, 0, 0));
      shim_look((int)a, TEXT(b), true, TRACE_ACCESS, SHIM_ERROR(result < 0));
      return result;
    case SYS_readlinkat:
      return readlinkat((int)a, TEXT(b), (char *)c, (size_t)d);
    case SYS_unlinkat: return unlinkat((int)a, TEXT(b), (int)c);
    case SYS_mkdirat: return mkdirat((int)a, TEXT(b), (mode_t)c);
#ifdef SYS_renameat
    case SYS_renameat: return renameat((int)a, TEXT(b), (int)c, TEXT(d));
#endif
    case SYS_mknodat: return mknodat((int)a, TEXT(b), (mode_t)c, (dev_t)d);
    case SYS_truncate: return truncate(TEXT(a), (off_t)b);
    case SYS_fchownat:
      return fchownat((int)a, TEXT(b), (uid_t)c, (gid_t)d, (int)e);
    case SYS_utimensat:
      if (!b) break;  // of the descriptor
      return utimensat((int)a, TEXT(b), (const struct timespec *)c, (int)d);
    case SYS_renameat2:
      return renameat2((int)a, TEXT(b), (int)c, TEXT(d), (unsigned)e);
    case SYS_linkat:
      return linkat((int)a, TEXT(b), (int)c, TEXT(d), (int)e);
    case SYS_symlinkat: return symlinkat(TEXT(a), (int)b, TEXT(c));
    case SYS_fchmodat: return fchmodat((int)a, TEXT(b), (mode_t)c, 0);
    case SYS_chdir: return chdir(TEXT(a));
    case SYS_execve:
      return execve(TEXT(a), (char *const *)b, (char *const *)c);
    case SYS_execveat:
      return execveat((int)a, TEXT(b), (char *const *)c, (char *const *)d,
                      (int)e);
    case SYS_getdents64: return getdents64((int)a, (void *)b, (size_t)c);
#ifdef SYS_io_uring_setup
    // Its reads and opens would go unseen; without it programs use plain calls.
    case SYS_io_uring_setup:
      if (shim_is_on()) {
        errno = ENOSYS;
        return -1;
      }
      break;
#endif
    default: break;
  }
  return answer(kernel6(n, a, b, c, d, e, f));
}
