// usage FILE COMMAND...: writes wall seconds, and processor seconds of all that
// it started, orphans too, to a file. Exits as the command does.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 3) return 125;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  double start = now(), end = start;
  pid_t pid = fork();
  if (!pid) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  int status, result = 125;
  pid_t ended;
  while ((ended = wait(&status)) > 0) {
    if (ended != pid) continue;
    end = now();
    result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  FILE *file = fopen(argv[1], "w");
  if (!file) return 125;
  fprintf(file, "%f %f\n", end - start,
          (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
              (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
  fclose(file);
  return result;
}
