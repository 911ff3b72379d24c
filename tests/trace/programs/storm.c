// Many short processes by vfork() and posix_spawn(), each reading its own file.
// storm COUNT: `storm read FILE` is what it runs.

#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[1], "read")) {
    int fd = open(argv[2], O_RDONLY);
    char path[4096];
    snprintf(path, sizeof path, "%s.out", argv[2]);
    close(open(path, O_WRONLY | O_CREAT, 0644));
    return fd < 0 ? 3 : 0;
  }
  int count = argc > 1 ? atoi(argv[1]) : 100, failed = 0;
  for (int i = 0; i < count; i += 4) {
    pid_t pids[4];
    for (int k = 0; k < 4; k++) {
      char file[32];
      snprintf(file, sizeof file, "in%d", i + k);
      char *args[] = {argv[0], "read", file, NULL};
      if (k == 0 && posix_spawn(&pids[k], argv[0], NULL, NULL, args, environ)) return 4;
      if (k == 1 && posix_spawnp(&pids[k], argv[0], NULL, NULL, args, environ)) return 4;
      if (k > 1 && !(pids[k] = k == 2 ? vfork() : fork())) {
        execv(argv[0], args);
        _exit(5);
      }
    }
    for (int k = 0; k < 4; k++) {
      int status = 0;
      waitpid(pids[k], &status, 0);
      failed += status != 0;
    }
  }
  printf("%d failed\n", failed);
  return failed != 0;
}
