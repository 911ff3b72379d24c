// Calls the kernel without the functions of the C library: by instructions of
// its own where it is built with -DOWN, as Go does, and by syscall() if not.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef OWN
static long call(long n, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}
#define CALL(name, a, b, c, d) call(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d))
#else
#define CALL(name, a, b, c, d) syscall(SYS_##name, a, b, c, d, 0)
#endif

int main(void) {
  char bytes[4096];
  struct stat st;
  long fd = CALL(openat, AT_FDCWD, "in", O_RDONLY, 0);
  CALL(read, fd, bytes, sizeof bytes, 0);
  CALL(close, fd, 0, 0, 0);
  CALL(openat, AT_FDCWD, "missing", O_RDONLY, 0);
  CALL(newfstatat, AT_FDCWD, "link", &st, 0);
  CALL(newfstatat, AT_FDCWD, "link2", &st, AT_SYMLINK_NOFOLLOW);
  CALL(readlinkat, AT_FDCWD, "link", bytes, sizeof bytes);
  CALL(faccessat, AT_FDCWD, "gone", F_OK, 0);
  CALL(mkdirat, AT_FDCWD, "made", 0755, 0);
  fd = CALL(openat, AT_FDCWD, "made/out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CALL(write, fd, "text\n", 5, 0);
  CALL(close, fd, 0, 0, 0);
  CALL(renameat, AT_FDCWD, "made/out", AT_FDCWD, "out");
  CALL(linkat, AT_FDCWD, "out", AT_FDCWD, "out2");
  CALL(symlinkat, "out", AT_FDCWD, "out3", 0);
  CALL(unlinkat, AT_FDCWD, "out2", 0, 0);
  fd = CALL(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY, 0);
  CALL(getdents64, fd, bytes, sizeof bytes, 0);
  CALL(fchdir, fd, 0, 0, 0);
  CALL(openat, AT_FDCWD, "../in2", O_RDONLY, 0);
  CALL(chdir, "..", 0, 0, 0);
#ifdef SYS_open
  CALL(open, "dir/file", O_RDONLY, 0, 0);
  CALL(stat, "dir/file2", &st, 0, 0);
#endif
  puts("done");
  return 0;
}
