// Processes that look for ever new files, say so, and are killed at random.
//
//   victims SEED COUNT THREADS
//
// Prints "VICTIM N" once file N of a victim has been looked for, and was told.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *look(void *start) {
  char path[64], line[64];
  int victim = ((int *)start)[0], thread = ((int *)start)[1];
  for (int i = 0;; i++) {
    int name = 10 * i + thread;
    snprintf(path, sizeof path, "none-%d-%d", victim, name);
    // Once in a while something that takes two steps.
    if (i % 7 == 0) {
      int fd = open(path, O_CREAT | O_WRONLY, 0600);
      close(fd);
      unlink(path);
    } else {
      access(path, F_OK);
    }
    int n = snprintf(line, sizeof line, "%d %d\n", victim, name);
    if (write(1, line, n) != n) _exit(1);
  }
  return NULL;
}

int main(int argc, char **argv) {
  unsigned seed = argc > 1 ? atoi(argv[1]) : 1;
  int count = argc > 2 ? atoi(argv[2]) : 10;
  int threads = argc > 3 ? atoi(argv[3]) : 1;
  for (int victim = 0; victim < count; victim++) {
    pid_t pid = fork();
    if (pid == 0) {
      static int starts[8][2];
      for (int i = 0; i < threads; i++) {
        starts[i][0] = victim;
        starts[i][1] = i;
        pthread_t thread;
        if (i + 1 == threads) look(starts[i]);
        else pthread_create(&thread, NULL, look, starts[i]);
      }
    }
    seed = seed * 1103515245 + 12345;
    usleep((seed >> 16) % 5000);
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status)) return 1;
  }
  return 0;
}
