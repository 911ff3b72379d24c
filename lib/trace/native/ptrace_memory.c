// Reads what traced processes hold in memory.

#define _GNU_SOURCE
#include <sys/uio.h>

#include "ptrace.h"

// Pages are the smallest there are: a larger one only takes more steps.
#define PAGE 4096

static ssize_t peek(pid_t tid, uint64_t address, void *to, size_t size) {
  struct iovec mine = {to, size}, theirs = {(void *)(uintptr_t)address, size};
  return process_vm_readv(tid, &mine, 1, &theirs, 1, 0);
}

ssize_t read_string(pid_t tid, uint64_t address, char *to, size_t size) {
  size_t have = 0;
  // Most names are short; none is read beyond its page before it must be.
  size_t step = 256;
  while (have < size) {
    size_t left = PAGE - (address + have) % PAGE;
    size_t want = left < step ? left : step;
    if (want > size - have) want = size - have;
    ssize_t n = peek(tid, address + have, to + have, want);
    if (n <= 0) return -1;
    char *end = memchr(to + have, 0, (size_t)n);
    if (end) return end - to;
    have += (size_t)n;
    step = PAGE;
  }
  return -1;
}

bool read_memory(pid_t tid, uint64_t address, void *to, size_t size) {
  return peek(tid, address, to, size) == (ssize_t)size;
}

static char *put_number(char *to, unsigned number) {
  char digits[12];
  int n = 0;
  do digits[n++] = (char)('0' + number % 10);
  while (number /= 10);
  while (n) *to++ = digits[--n];
  return to;
}

void proc_path(char *to, pid_t tid, const char *what, int number) {
  memcpy(to, "/proc/", 6);
  to = put_number(to + 6, (unsigned)tid);
  *to++ = '/';
  size_t n = strlen(what);
  memcpy(to, what, n);
  to += n;
  if (number >= 0) {
    *to++ = '/';
    to = put_number(to, (unsigned)number);
  }
  *to = 0;
}
