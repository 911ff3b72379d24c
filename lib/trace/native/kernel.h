// System calls without the C library: they touch no errno and take no lock, so
// they may be used from signal handlers, after vfork and before libc is ready.

#ifndef CLIBS_KERNEL_H
#define CLIBS_KERNEL_H

#include <stdint.h>
#include <sys/syscall.h>

// Returns what the kernel returns: a negative errno for a failure.
static inline long kernel6(long n, long a, long b, long c, long d, long e,
                           long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error "clibs traces on x86_64 and aarch64 only"
#endif
}

#define KERNEL(n, a, b, c, d) \
  kernel6(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static inline long kernel_readlinkat(int dir, const char *path, char *to,
                                     unsigned long size) {
  return KERNEL(readlinkat, dir, path, to, size);
}

static inline int kernel_getpid(void) { return (int)KERNEL(getpid, 0, 0, 0, 0); }

#endif
