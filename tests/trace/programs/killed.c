// Children that tell after each access that it was made, until they are killed.
// Prints how far each got.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  for (int child = 0; child < 40; child++) {
    int ends[2], last = -1, next;
    if (pipe(ends)) return 1;
    pid_t pid = fork();
    if (!pid) {
      for (int i = 0;; i++) {
        char name[64];
        sprintf(name, "%d-%d", child, i);
        close(open(name, i % 2 ? O_RDONLY : O_WRONLY | O_CREAT, 0644));
        if (write(ends[1], &i, sizeof i) != sizeof i) _exit(1);
      }
    }
    close(ends[1]);
    usleep((unsigned)(500 + child * 50));
    kill(pid, SIGKILL);
    while (read(ends[0], &next, sizeof next) == sizeof next) last = next;
    waitpid(pid, NULL, 0);
    close(ends[0]);
    printf("%d %d\n", child, last);
  }
  return 0;
}
