// Eight threads that open files at once, each its own and all the same.

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 8, FILES = 200 };

static void *work(void *number) {
  char path[64];
  struct stat st;
  for (int i = 0; i < FILES; i++) {
    snprintf(path, sizeof path, "t%d/in%d", (int)(uintptr_t)number, i);
    int fd = open(path, O_RDONLY);
    if (fd >= 0) close(fd);
    snprintf(path, sizeof path, "common/in%d", i);
    stat(path, &st);
    snprintf(path, sizeof path, "t%d/out%d", (int)(uintptr_t)number, i);
    fd = open(path, O_WRONLY | O_CREAT, 0644);
    if (write(fd, path, 4) != 4) return (void *)1;
    close(fd);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    char path[16];
    snprintf(path, sizeof path, "t%d", i);
    mkdir(path, 0755);
  }
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  puts("done");
  return 0;
}
