// The seccomp filter of the ptrace method: which calls stop the caller so that
// the tracer sees them. Whoever is to be traced installs it on itself, just
// before it executes the program: the tracer's child and the preload shim.
//
// Calls that only look are sent to a seccomp listener where the kernel can
// switch straight between the two processes (Linux 6.6 and later): that is
// several times cheaper than a ptrace stop. Calls that change something stop
// under ptrace, which also shows how they ended.

#ifndef CLIBS_FILTER_H
#define CLIBS_FILTER_H

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

// What a call does, whatever its number on a machine.
enum trace_call {
  CALL_NONE,
  CALL_OPEN, CALL_OPENAT, CALL_OPENAT2, CALL_CREAT,
  CALL_STAT, CALL_LSTAT, CALL_STATAT, CALL_STATX, CALL_STATXATTR,
  CALL_ACCESS, CALL_ACCESSAT, CALL_ACCESSAT2, CALL_WATCH,
  CALL_READLINK, CALL_READLINKAT,
  CALL_EXECVE, CALL_EXECVEAT,
  CALL_GETDENTS,
  CALL_RENAME, CALL_RENAMEAT, CALL_RENAMEAT2,
  CALL_LINK, CALL_LINKAT, CALL_SYMLINK, CALL_SYMLINKAT,
  CALL_UNLINK, CALL_UNLINKAT, CALL_RMDIR, CALL_MKDIR, CALL_MKDIRAT,
  CALL_MKNOD, CALL_MKNODAT,
  CALL_CHANGE, CALL_LCHANGE, CALL_FCHANGE, CALL_CHANGEAT,
  CALL_CHANGEAT_FLAGS2, CALL_CHANGEAT_FLAGS3, CALL_CHANGEAT_FLAGS4,
  CALL_CHDIR, CALL_FCHDIR, CALL_UNSHARE, CALL_CHROOT,
  CALL_REFUSED,  // answered with ENOSYS: its accesses could not be seen
};

// What else decides: some uses of a call concern no name.
enum trace_check {
  CHECK_NONE,
  CHECK_OPEN1, CHECK_OPEN2,      // flags of open() are that argument
  CHECK_EMPTY2, CHECK_EMPTY3,    // AT_EMPTY_PATH in it: glibc's fstat()
  CHECK_NULL1,                   // no name, only a descriptor
};

struct trace_number {
  uint8_t call, check;
  int16_t x86_64, i386, aarch64;
};

// The most frequent first: the kernel tries them in this order.
static const struct trace_number trace_numbers[] = {
  {CALL_OPENAT, CHECK_OPEN2, 257, 295, 56},
  {CALL_STATAT, CHECK_EMPTY3, 262, 300, 79},
  {CALL_ACCESS, 0, 21, 33, -1},
  {CALL_READLINK, 0, 89, 85, -1},
  {CALL_STAT, 0, 4, 195, -1},
  {CALL_LSTAT, 0, 6, 196, -1},
  {CALL_OPEN, CHECK_OPEN1, 2, 5, -1},
  {CALL_STATX, CHECK_EMPTY2, 332, 383, 291},
  {CALL_ACCESSAT, 0, 269, 307, 48},
  {CALL_ACCESSAT2, 0, 439, 439, 439},
  {CALL_READLINKAT, 0, 267, 305, 78},
  {CALL_GETDENTS, 0, 217, 220, 61},
  {CALL_EXECVE, 0, 59, 11, 221},
  {CALL_UNLINK, 0, 87, 10, -1},
  {CALL_UNLINKAT, 0, 263, 301, 35},
  {CALL_EXECVEAT, 0, 322, 358, 281},
  {CALL_OPENAT2, 0, 437, 437, 437},
  {CALL_CREAT, 0, 85, 8, -1},
  {CALL_STAT, 0, -1, 106, -1},
  {CALL_STAT, 0, -1, 18, -1},
  {CALL_LSTAT, 0, -1, 107, -1},
  {CALL_LSTAT, 0, -1, 84, -1},
  {CALL_ACCESS, 0, 137, 99, 43},    // statfs
  {CALL_ACCESS, 0, -1, 268, -1},    // statfs64
  {CALL_STAT, 0, 191, 229, 8},      // getxattr
  {CALL_LSTAT, 0, 192, 230, 9},     // lgetxattr
  {CALL_STAT, 0, 194, 232, 11},     // listxattr
  {CALL_LSTAT, 0, 195, 233, 12},    // llistxattr
  {CALL_STATXATTR, 0, 464, 464, 464},  // getxattrat
  {CALL_STATXATTR, 0, 465, 465, 465},  // listxattrat
  {CALL_WATCH, 0, 254, 292, 27},    // inotify_add_watch
  {CALL_GETDENTS, 0, 78, 141, -1},
  {CALL_RENAME, 0, 82, 38, -1},
  {CALL_RENAMEAT, 0, 264, 302, 38},
  {CALL_RENAMEAT2, 0, 316, 353, 276},
  {CALL_LINK, 0, 86, 9, -1},
  {CALL_LINKAT, 0, 265, 303, 37},
  {CALL_SYMLINK, 0, 88, 83, -1},
  {CALL_SYMLINKAT, 0, 266, 304, 36},
  {CALL_RMDIR, 0, 84, 40, -1},
  {CALL_MKDIR, 0, 83, 39, -1},
  {CALL_MKDIRAT, 0, 258, 296, 34},
  {CALL_MKNOD, 0, 133, 14, -1},
  {CALL_MKNODAT, 0, 259, 297, 33},
  {CALL_CHANGE, 0, 76, 92, 45},     // truncate
  {CALL_CHANGE, 0, -1, 193, -1},    // truncate64
  {CALL_CHANGE, 0, 90, 15, -1},     // chmod
  {CALL_FCHANGE, 0, 91, 94, 52},    // fchmod: sets the execute bit
  {CALL_CHANGEAT, 0, 268, 306, 53}, // fchmodat
  {CALL_CHANGEAT_FLAGS3, 0, 452, 452, 452},  // fchmodat2
  {CALL_CHANGE, 0, 92, 212, -1},    // chown
  {CALL_CHANGE, 0, -1, 182, -1},
  {CALL_LCHANGE, 0, 94, 198, -1},   // lchown
  {CALL_LCHANGE, 0, -1, 16, -1},
  {CALL_CHANGEAT_FLAGS4, 0, 260, 298, 54},   // fchownat
  {CALL_CHANGE, 0, 132, 30, -1},    // utime
  {CALL_CHANGE, 0, 235, 271, -1},   // utimes
  {CALL_CHANGEAT_FLAGS3, CHECK_NULL1, 280, 320, 88},  // utimensat
  {CALL_CHANGEAT_FLAGS3, CHECK_NULL1, -1, 412, -1},
  {CALL_CHANGEAT, CHECK_NULL1, 261, 299, -1},         // futimesat
  {CALL_CHANGE, 0, 188, 226, 5},    // setxattr
  {CALL_LCHANGE, 0, 189, 227, 6},   // lsetxattr
  {CALL_CHANGE, 0, 197, 235, 14},   // removexattr
  {CALL_LCHANGE, 0, 198, 236, 15},  // lremovexattr
  {CALL_CHANGEAT_FLAGS2, 0, 463, 463, 463},  // setxattrat
  {CALL_CHANGEAT_FLAGS2, 0, 466, 466, 466},  // removexattrat
  {CALL_CHDIR, 0, 80, 12, 49},
  {CALL_FCHDIR, 0, 81, 133, 50},
  {CALL_UNSHARE, 0, 272, 310, 97},
  {CALL_CHROOT, 0, 161, 61, 51},
  {CALL_REFUSED, 0, 425, 425, 425}, // io_uring_setup
};

#define TRACE_NUMBERS (sizeof trace_numbers / sizeof *trace_numbers)

// A traced process that has a listener tells the tracer its descriptor by
// mkdir(TRACE_LISTENER, descriptor), which reaches no file system.
#define TRACE_LISTENER "/proc/self/clibs-trace/listener"

// Calls that only look, and so may go to the listener.
static inline int trace_call_looks(unsigned call) {
  return call <= CALL_GETDENTS && call != CALL_OPENAT2 && call != CALL_CREAT;
}

struct trace_code {
  struct sock_filter code[6 * TRACE_NUMBERS + 32];
  unsigned length;
  uint32_t look;  // the action for calls that only look
};

static void trace_emit(struct trace_code *c, uint16_t op, uint32_t k,
                       uint8_t if_true, uint8_t if_false) {
  c->code[c->length++] = (struct sock_filter){op, if_true, if_false, k};
}

// Jumps over `if_false` instructions unless the loaded value is `k`.
static void trace_unless(struct trace_code *c, uint32_t k, uint8_t if_false) {
  trace_emit(c, BPF_JMP | BPF_JEQ | BPF_K, k, 0, if_false);
}

static void trace_load(struct trace_code *c, size_t offset) {
  trace_emit(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void trace_return(struct trace_code *c, uint32_t action) {
  trace_emit(c, BPF_RET | BPF_K, action, 0, 0);
}

// Low half of an argument; machines here are little-endian.
#define TRACE_ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

static void trace_emit_call(struct trace_code *c, const struct trace_number *n,
                            int number) {
  uint32_t stop = SECCOMP_RET_TRACE | n->call;
  uint32_t action = !trace_call_looks(n->call)             ? stop
                    : c->look == SECCOMP_RET_USER_NOTIF ? c->look
                                                           : stop;
  switch (n->check) {
    case CHECK_OPEN1:
    case CHECK_OPEN2:
      trace_unless(c, (uint32_t)number, 4);
      trace_load(c, TRACE_ARGUMENT(n->check == CHECK_OPEN1 ? 1 : 2));
      trace_emit(c, BPF_JMP | BPF_JSET | BPF_K,
                 O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1);
      trace_return(c, stop);
      trace_return(c, action);
      return;
    case CHECK_EMPTY2:
    case CHECK_EMPTY3:
      trace_unless(c, (uint32_t)number, 4);
      trace_load(c, TRACE_ARGUMENT(n->check == CHECK_EMPTY2 ? 2 : 3));
      trace_emit(c, BPF_JMP | BPF_JSET | BPF_K, 0x1000, 0, 1);
      trace_return(c, SECCOMP_RET_ALLOW);
      trace_return(c, action);
      return;
    case CHECK_NULL1:
      trace_unless(c, (uint32_t)number, 6);
      trace_load(c, TRACE_ARGUMENT(1));
      trace_unless(c, 0, 3);
      trace_load(c, TRACE_ARGUMENT(1) + 4);
      trace_unless(c, 0, 1);
      trace_return(c, SECCOMP_RET_ALLOW);
      trace_return(c, action);
      return;
    default:
      trace_unless(c, (uint32_t)number, 1);
      trace_return(c, n->call == CALL_REFUSED ? SECCOMP_RET_ERRNO | ENOSYS
                                              : action);
  }
}

// The part of the filter for one kind of machine code.
static void trace_emit_machine(struct trace_code *c, uint32_t machine) {
  trace_emit(c, BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0);
  unsigned skip = c->length;
  trace_emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
  trace_load(c, offsetof(struct seccomp_data, nr));
  if (machine == AUDIT_ARCH_X86_64) {
    // The x32 variants of calls, whose numbers and structures are their own.
    trace_emit(c, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    trace_return(c, SECCOMP_RET_ERRNO | ENOSYS);
  }
  for (size_t i = 0; i < TRACE_NUMBERS; i++) {
    const struct trace_number *n = &trace_numbers[i];
    int number = machine == AUDIT_ARCH_X86_64 ? n->x86_64
                 : machine == AUDIT_ARCH_I386 ? n->i386
                                              : n->aarch64;
    if (number >= 0) trace_emit_call(c, n, number);
  }
  trace_return(c, SECCOMP_RET_ALLOW);
  c->code[skip].k = c->length - skip - 1;
}

// Without a listener all stops are ptrace's; a build for tests and benchmarks can
// have it so.
#if defined __x86_64__ && !defined TRACE_NO_LISTENER
#define TRACE_LISTENS 1
#endif

#ifdef TRACE_LISTENS
// Whether the tracer can be asked through a listener without being slower than
// ptrace: Linux 6.6 knows how to wake it on the same processor. Containers may
// forbid it to fetch the descriptor.
static int trace_can_listen(void) {
  struct utsname name;
  if (uname(&name)) return 0;
  int major = 0, minor = 0;
  const char *p = name.release;
  while (*p >= '0' && *p <= '9') major = major * 10 + *p++ - '0';
  if (*p == '.') p++;
  while (*p >= '0' && *p <= '9') minor = minor * 10 + *p++ - '0';
  if (major < 6 || (major == 6 && minor < 6)) return 0;
  long self = syscall(SYS_pidfd_open, syscall(SYS_getpid), 0);
  if (self < 0) return 0;
  long copy = syscall(SYS_pidfd_getfd, self, self, 0);
  if (copy >= 0) syscall(SYS_close, copy);
  syscall(SYS_close, self);
  return copy >= 0;
}
#endif

// Returns what seccomp() does: a listener, 0 without one, -1 with errno.
static long trace_apply_filter(uint32_t look, unsigned long flags) {
  struct trace_code c;
  c.length = 0;
  c.look = look;
  trace_load(&c, offsetof(struct seccomp_data, arch));
#ifdef __x86_64__
  trace_emit_machine(&c, AUDIT_ARCH_X86_64);
  trace_emit_machine(&c, AUDIT_ARCH_I386);
#elif defined __i386__
  trace_emit_machine(&c, AUDIT_ARCH_I386);
#elif defined __aarch64__
  trace_emit_machine(&c, AUDIT_ARCH_AARCH64);
#endif
  trace_return(&c, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)c.length, c.code};
  long result =
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result >= 0 || errno != EACCES) return result;
  // Only who has rights over the system may filter and still gain rights.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

// Makes the calling thread, and what it executes or starts, stop for the
// tracer that has seized it. Async-signal-safe. Returns 0, or -1 with errno.
__attribute__((unused)) static int trace_install_filter(void) {
#ifdef TRACE_LISTENS
  if (trace_can_listen()) {
    // 8: listener; 32: once the tracer looks, signals wait until it answered.
    long listener = trace_apply_filter(SECCOMP_RET_USER_NOTIF, 8 | 32);
    if (listener >= 0) {
      syscall(SYS_mkdir, TRACE_LISTENER, listener);
      syscall(SYS_close, listener);
      // Without anyone who listens the kernel knows no such call.
      if (syscall(SYS_access, 0, F_OK) < 0 && errno == ENOSYS) return -1;
      return 0;
    }
  }
#endif
  return trace_apply_filter(SECCOMP_RET_TRACE, 0) < 0 ? -1 : 0;
}

#endif
