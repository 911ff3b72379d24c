// behave PART [ARGUMENT]...

#include "behave.h"

#include <dirent.h>

char *self;

void put_file(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT, 0644);
  if (fd < 0) printf("%s: %s\n", path, strerror(errno));
  else close(fd);
}

// The numbers of all open descriptors but the one that lists them.
void list_descriptors(const char *when) {
  printf("%s:", when);
  for (int fd = 0; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf(" %d", fd);
  printf("\n");
  fflush(stdout);
}

void print_status(const char *what, int status) {
  if (WIFEXITED(status)) printf("%s: code %d\n", what, WEXITSTATUS(status));
  else if (WIFSIGNALED(status)) printf("%s: signal %d\n", what, WTERMSIG(status));
  else if (WIFSTOPPED(status)) printf("%s: stopped by %d\n", what, WSTOPSIG(status));
  else printf("%s: %x\n", what, status);
  fflush(stdout);
}

int main(int argc, char **argv) {
  const struct part *all[] = {CALLS, SIGNALS, PROCESSES, THREADS};
  self = realpath("/proc/self/exe", NULL);
  for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
    for (const struct part *part = all[i]; part->name; part++)
      if (!strcmp(part->name, argv[1])) return part->run(argc - 1, argv + 1);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    for (const struct part *part = all[i]; part->name; part++) puts(part->name);
  return 2;
}
