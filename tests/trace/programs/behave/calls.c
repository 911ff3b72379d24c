// Errors, descriptors, limits, environment.

#include "behave.h"

#include <dirent.h>
#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define SAY(call)                                                    \
  do {                                                               \
    errno = 0;                                                       \
    long result = (long)(call);                                      \
    printf("%s = %ld, %d\n", #call, result < 0 ? -1 : result > 0 ? 1 : 0, errno); \
  } while (0)

static int errors(int argc, char **argv) {
  (void)argc, (void)argv;
  char long_name[300], long_path[5000], text[10];
  struct stat st;
  struct open_how how = {.flags = ~0ull};
  memset(long_name, 'n', 299), long_name[299] = 0;
  memset(long_path, '/', 4999), long_path[4999] = 0;
  const char *volatile null = NULL;
  char *const none[] = {NULL};
  put_file("file");
  put_file("plain");
  mkdir("dir", 0755);
  put_file("dir/in");
  symlink("loop", "loop");
  SAY(open("missing", O_RDONLY));
  SAY(open("file/x", O_RDONLY));
  SAY(open("loop", O_RDONLY));
  SAY(open("dir", O_WRONLY));
  SAY(open("file", O_RDONLY | O_DIRECTORY));
  SAY(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644));
  SAY(open(long_name, O_RDONLY));
  SAY(open(long_path, O_RDONLY));
  SAY(open("", O_RDONLY));
  SAY(open(null, O_RDONLY));
  SAY(open((char *)8, O_RDONLY));
  SAY(openat(99, "file", O_RDONLY));
  SAY(openat(0, "file", O_RDONLY));
  SAY(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof how));
  SAY(syscall(SYS_openat2, AT_FDCWD, "file", &how, 3));
  SAY(stat("missing", &st));
  SAY(stat("file", (struct stat *)8) < 0 ? -1 : 0);
  SAY(fstatat(99, "x", &st, 0));
  SAY(fstatat(AT_FDCWD, "", &st, 0));
  SAY(fstatat(AT_FDCWD, "file", &st, 0x7000000));
  SAY(statx(AT_FDCWD, "file", 0, 0x80000000, (struct statx *)8) < 0 ? -1 : 0);
  SAY(lstat("file/", &st));
  SAY(access("file", 99));
  SAY(access("missing", F_OK));
  SAY(access("file", X_OK));
  SAY(faccessat(AT_FDCWD, "file", F_OK, 0x100000));
  SAY(readlink("file", text, sizeof text));
  SAY(readlink("loop", text, 0));
  SAY(readlink("loop", text, 2));
  SAY(mkdir("dir", 0755));
  SAY(mkdir("missing/x", 0755));
  SAY(rmdir("dir"));
  SAY(rmdir("file"));
  SAY(rmdir("."));
  SAY(unlink("dir"));
  SAY(unlink("missing"));
  SAY(unlinkat(AT_FDCWD, "file", 0x7));
  SAY(remove("dir"));
  SAY(rename("missing", "x"));
  SAY(rename("dir", "dir/sub"));
  SAY(rename("file", "dir"));
  SAY(rename("file", "/proc/x"));
  SAY(renameat2(AT_FDCWD, "file", AT_FDCWD, "plain", 1));
  SAY(renameat2(AT_FDCWD, "file", AT_FDCWD, "plain", 7));
  SAY(link("dir", "x"));
  SAY(link("file", "plain"));
  SAY(linkat(AT_FDCWD, "file", AT_FDCWD, "x", 0x7777));
  SAY(symlink("", "x"));
  SAY(symlink("x", "file"));
  SAY(chdir("file"));
  SAY(chdir("missing"));
  SAY(fchdir(99));
  SAY(truncate("file", -1));
  SAY(truncate("dir", 0));
  SAY(chmod("missing", 0644));
  SAY(utimensat(AT_FDCWD, NULL, NULL, 0));
  SAY(utimensat(AT_FDCWD, "missing", NULL, 0));
  SAY(fopen("file", "?") ? 1 : -1);
  SAY(fopen("missing", "r") ? 1 : -1);
  SAY(freopen("missing", "r", fopen("file", "r")) ? 1 : -1);
  SAY(opendir("file") ? 1 : -1);
  SAY(opendir("") ? 1 : -1);
  SAY(fdopendir(99) ? 1 : -1);
  char wrong[] = "template", good[] = "missing/XXXXXX";
  SAY(mkstemp(wrong));
  SAY(mkstemp(good));
  SAY(mkdtemp(good) ? 1 : -1);
  SAY(realpath(null, NULL) ? 1 : -1);
  SAY(realpath("", NULL) ? 1 : -1);
  SAY(realpath("missing/x", NULL) ? 1 : -1);
  SAY(dlopen("./file", RTLD_NOW) ? 1 : -1);
  printf("%s\n", dlerror() ? "an error" : "no error");
  SAY(execve("missing", none, environ));
  SAY(execve("file", none, environ));
  SAY(execve("dir", none, environ));
  SAY(execve(null, none, environ));
  SAY(execve("", none, environ));
  SAY(execvp("no-such-program-at-all", (char *const[]){"x", NULL}));
  SAY(execvp("", (char *const[]){"x", NULL}));
  chmod("plain", 0755);
  SAY(execve("plain", (char *const[]){"x", NULL}, environ));
  SAY(syscall(99999));
  glob_t found;
  SAY(glob("missing/*", 0, NULL, &found) == GLOB_NOMATCH);
  // Success leaves the number alone, or does what the C library does.
  errno = 77;
  close(open("file", O_RDONLY));
  printf("open %d\n", errno);
  stat("file", &st);
  access("file", F_OK);
  printf("stat %d\n", errno);
  rename("file", "file2");
  mkdir("dir2", 0755);
  symlink("x", "link");
  chmod("file2", 0600);
  unlink("link");
  printf("change %d\n", errno);
  free(realpath("dir", NULL));
  printf("realpath %d\n", errno);
  closedir(opendir("dir"));
  printf("opendir %d\n", errno);
  fclose(fopen("file2", "r"));
  printf("fopen %d\n", errno);
  chdir("dir");
  printf("chdir %d\n", errno);
  return 0;
}

static int descriptors(int argc, char **argv) {
  if (argc > 1) {
    list_descriptors("after exec");
    return 0;
  }
  list_descriptors("start");
  put_file("file");
  struct stat st;
  for (int i = 0; i < 100; i++) {
    stat("file", &st);
    closedir(opendir("."));
    rename("file", "file2");
    rename("file2", "file");
  }
  list_descriptors("after calls");
  if (!fork()) {
    list_descriptors("after fork");
    _exit(0);
  }
  wait(NULL);
  char line[5000];
  snprintf(line, sizeof line, "%s descriptors again", self);
  fflush(stdout);
  if (system(line)) puts("system failed");
  int fd = open("file", O_RDONLY);
  printf("next %d\n", fd);
  fflush(stdout);
  execl(self, self, argv[0], "again", NULL);
  return 1;
}

static int no_descriptors(int argc, char **argv) {
  (void)argc, (void)argv;
  struct rlimit limit = {16, 16};
  setrlimit(RLIMIT_NOFILE, &limit);
  put_file("file");
  int count = 0;
  struct stat st;
  while (fcntl(1, F_DUPFD_CLOEXEC, 0) >= 0) count++;
  printf("%d more, then %d\n", count, errno);
  printf("open %d\n", open("file", O_RDONLY) < 0 ? errno : 0);
  printf("fopen %d\n", fopen("file", "r") ? 0 : errno);
  printf("opendir %d\n", opendir(".") ? 0 : errno);
  printf("stat %d\n", stat("file", &st) ? errno : 0);
  printf("rename %d\n", rename("file", "file2") ? errno : 0);
  printf("mkdir %d\n", mkdir("dir", 0755) ? errno : 0);
  for (int i = 0; i < 3000; i++) {
    char name[32];
    snprintf(name, sizeof name, "missing-%d", i);
    stat(name, &st);
  }
  fflush(stdout);
  if (!fork()) {
    execlp("cat", "cat", "file2", NULL);
    _exit(errno);
  }
  int status;
  wait(&status);
  print_status("cat", status);
  if (!vfork()) {
    execlp("no-such-program", "x", NULL);
    _exit(errno);
  }
  wait(&status);
  print_status("missing", status);
  return 0;
}

// All descriptors are closed: the next ones are the lowest.
static int closed(int argc, char **argv) {
  (void)argc, (void)argv;
  put_file("file");
  int out = fcntl(1, F_DUPFD, 50);
  close_range(0, 49, 0);
  int a = open("file", O_RDONLY), b = open("file", O_RDONLY), c = openat(a, "", O_RDONLY);
  int d = open("/dev/null", O_WRONLY);
  dprintf(out, "%d %d %d %d\n", a, b, c, d);
  close(a), close(b), close(d);
  if (!fork()) {
    execl("/bin/sh", "sh", "-c", "cat < file; echo ignored", NULL);
    _exit(9);
  }
  int status;
  wait(&status);
  dprintf(out, "sh %d\n", WEXITSTATUS(status));
  close_range(0, ~0u, 0);
  put_file("file3");
  return access("file3", F_OK) ? 8 : 0;
}

// Limits that tracing must not run into in the program's stead.
static int limits(int argc, char **argv) {
  (void)argc, (void)argv;
  put_file("file");
  struct rlimit none = {0, 0}, space = {512 << 20, 512 << 20};
  struct stat st;
  signal(SIGXFSZ, SIG_DFL);
  setrlimit(RLIMIT_FSIZE, &none);
  for (int i = 0; i < 20000; i++) {
    char name[64];
    snprintf(name, sizeof name, "a-name-of-a-file-that-is-not-there-%d", i);
    stat(name, &st);
  }
  setrlimit(RLIMIT_AS, &space);
  if (!fork()) {
    execlp("sh", "sh", "-c", "read x < file; test -e missing; cat file", NULL);
    _exit(9);
  }
  int status;
  wait(&status);
  print_status("in little space", status);
  return 0;
}

static int environment(int argc, char **argv) {
  if (argc > 1) {
    for (char **each = environ; *each; each++)
      if (strncmp(*each, "LD_PRELOAD=", 11) && strncmp(*each, "CLIBS_", 6)) puts(*each);
    printf("%d %s\n", argc, argv[argc - 1]);
    return 0;
  }
  char *const list[] = {self, "environment", "x y", NULL};
  char *const mine[] = {"B=2", "A=1", NULL}, *const none[] = {NULL};
  int status;
  for (int i = 0; i < 4; i++) {
    fflush(stdout);
    if (!(i % 2 ? vfork() : fork())) {
      execve(self, list, i < 2 ? mine : i == 2 ? none : NULL);
      _exit(9);
    }
    wait(&status);
    print_status("execve", status);
  }
  clearenv();
  setenv("PATH", "/usr/bin:/bin", 1);
  setenv("C", "3", 1);
  fflush(stdout);
  if (system("cat in > out; test -e missing")) puts("system: failed");
  FILE *file = popen("env | grep -v -e PRELOAD -e CLIBS -e PWD -e SHLVL -e '^_='", "r");
  char line[1000];
  while (fgets(line, sizeof line, file)) fputs(line, stdout);
  pclose(file);
  environ = NULL;
  fflush(stdout);
  execv(self, list);
  return 9;
}

static int gone(int argc, char **argv) {
  (void)argc, (void)argv;
  mkdir("dir", 0755);
  chdir("dir");
  rmdir("../dir");
  struct stat st;
  char path[PATH_MAX];
  SAY(stat("x", &st));
  SAY(stat(".", &st));
  SAY(open("x", O_CREAT | O_WRONLY, 0644));
  SAY(open("../file", O_RDONLY));
  SAY(getcwd(path, sizeof path) ? 1 : -1);
  SAY(opendir(".") ? 1 : -1);
  SAY(system("true"));
  return 0;
}

const struct part CALLS[] = {
    {"errors", errors}, {"descriptors", descriptors}, {"no-descriptors", no_descriptors},
    {"closed", closed}, {"limits", limits}, {"environment", environment}, {"gone", gone}, {0}};
