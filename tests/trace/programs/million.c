// million COUNT NAMES: accesses to files, over and over.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  long count = atol(argv[1]), names = atol(argv[2]);
  struct stat st;
  char name[32];
  for (long i = 0; i < count; i++) {
    snprintf(name, sizeof name, "dir/file-%ld", i % names);
    if (i & 1) {
      stat(name, &st);
    } else {
      int fd = open(name, O_RDONLY);
      if (fd >= 0) close(fd);
    }
  }
  return 0;
}
