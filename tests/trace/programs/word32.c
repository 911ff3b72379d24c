// A 32-bit program without a C library: gcc -m32 -nostdlib -static.

static int call(int n, int a, int b, int c) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}

void _start(void) {
  static char bytes[4096];
  int fd = call(5, (int)"in", 0, 0);              // open
  call(3, fd, (int)bytes, sizeof bytes);          // read
  call(5, (int)"missing", 0, 0);
  call(33, (int)"gone", 0, 0);                    // access
  call(195, (int)"link", (int)bytes, 0);          // stat64
  fd = call(5, (int)"out", 0101, 0644);
  call(4, fd, (int)"text\n", 5);                  // write
  call(39, (int)"made", 0755, 0);                 // mkdir
  call(12, (int)"dir", 0, 0);                     // chdir
  call(5, (int)"file", 0, 0);
  call(1, 0, 0, 0);                               // exit
}
