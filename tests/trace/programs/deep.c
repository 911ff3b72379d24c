// Names that are hard: of every byte, long, deep, and through many links.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT, 0644);
  if (fd < 0) perror(path);
  else close(fd);
}

static void get(const char *path) {
  int fd = open(path, O_RDONLY);
  printf("%d\n", fd < 0 ? errno : 0);
  if (fd >= 0) close(fd);
}

// With an argument the absolute paths of folders grow longer than PATH_MAX.
int main(int argc, char **argv) {
  (void)argv;
  int depth = argc > 1 ? 30 : 15;
  char path[2 * PATH_MAX], text[PATH_MAX];
  struct stat st;
  // Every byte that a name can have.
  for (int c = 1; c < 256; c++) {
    if (c == '/') continue;
    snprintf(path, sizeof path, "byte-%c", c);
    put(path);
    get(path);
  }
  // A chain of forty links, then one more, and circles.
  put("end");
  symlink("end", "l0");
  for (int i = 1; i <= 42; i++) {
    snprintf(path, sizeof path, "l%d", i);
    snprintf(text, sizeof text, "l%d", i - 1);
    symlink(text, path);
  }
  get("l38");
  get("l39");
  get("l40");
  get("l42");
  symlink("self", "self");
  get("self");
  symlink("b", "a");
  symlink("a", "b");
  get("a/x");
  stat("b", &st);
  // Deep folders.
  memset(text, 'n', 200);
  text[200] = 0;
  for (int i = 0; i < depth; i++) {
    mkdir(text, 0755);
    if (chdir(text)) perror("chdir");
    put("file");
    get("file");
    get("missing");
    if (i % 7 == 3) symlink("file", "link");
    get("link");
  }
  for (int i = 0; i < depth; i++) {
    get("../file");
    if (chdir("..")) perror("chdir ..");
  }
  // A relative path as long as can be.
  *path = 0;
  while (strlen(path) + 3 < PATH_MAX - 5) strcat(path, "./");
  strcat(path, "end");
  get(path);
  while (strlen(path) + 3 < PATH_MAX + 5) memmove(path + 2, path, strlen(path) + 1), memcpy(path, "./", 2);
  get(path);
  puts("done");
  return 0;
}
