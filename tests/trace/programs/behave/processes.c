// Starting programs in every way.

#include "behave.h"

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int spawns(int argc, char **argv) {
  if (argc > 1) {
    char text[100] = "";
    char *folder = getcwd(NULL, 0);
    printf("%s in %s, group %d\n", argv[1], strrchr(folder, '/'), getpgrp() == getpid());
    free(folder);
    fflush(stdout);
    ssize_t length = read(0, text, sizeof text);
    printf("read %.*s", (int)length, text);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("masked %d\n", sigismember(&mask, SIGUSR1));
    return 7;
  }
  mkdir("dir", 0755);
  FILE *file = fopen("dir/in", "w");
  fputs("from a file\n", file);
  fclose(file);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, "dir");
  posix_spawn_file_actions_addopen(&actions, 0, "in", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 5, "out", O_WRONLY | O_CREAT, 0644);
  posix_spawn_file_actions_adddup2(&actions, 5, 1);
  posix_spawn_file_actions_addclose(&actions, 5);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  char *const list[] = {"spawned", "spawns", "x", NULL}, *const env[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
  pid_t pid;
  int status = -1;
  printf("%d\n", posix_spawn(&pid, self, &actions, &attributes, list, env));
  waitpid(pid, &status, 0);
  print_status("spawned", status);
  if ((file = fopen("dir/out", "r"))) {
    char line[200];
    while (fgets(line, sizeof line, file)) fputs(line, stdout);
  }
  printf("missing %d\n", posix_spawn(&pid, "./missing", NULL, NULL, list, env));
  printf("missing on PATH %d\n", posix_spawnp(&pid, "no-such-program", NULL, NULL, list, env));
  put_file("plain");
  printf("not to be executed %d\n", posix_spawn(&pid, "./plain", NULL, NULL, list, env));
  chmod("plain", 0755);
  printf("no program %d\n", posix_spawn(&pid, "./plain", NULL, NULL, list, env));
  posix_spawn_file_actions_addopen(&actions, 6, "missing", O_RDONLY, 0);
  printf("action fails %d\n", posix_spawn(&pid, self, &actions, NULL, list, env));
  printf("left %d %d\n", waitpid(-1, &status, WNOHANG), errno);
  return 0;
}

static void run(const char *what, const char *path, char *const *list, int how) {
  fflush(stdout);
  pid_t pid = how == 1 ? vfork() : fork();
  if (!pid) {
    if (how == 2) execvp(path, list);
    else if (how == 3) fexecve(open(path, O_RDONLY | O_CLOEXEC), list, environ);
    else execv(path, list);
    _exit(errno);
  }
  int status;
  waitpid(pid, &status, 0);
  print_status(what, status);
}

static void put_script(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  fputs(text, file);
  fclose(file);
  chmod(path, 0755);
}

static int scripts(int argc, char **argv) {
  (void)argc, (void)argv;
  char *const list[] = {"name", "one two", "", NULL};
  put_script("script", "#!/bin/sh\necho script $0 $# \"$@\"; exit 4\n");
  put_script("with-argument", "#!/bin/sh -e  \necho $-; false; echo never\n");
  put_script("nested", "#!./script\n");
  put_script("no-interpreter", "#!/no/such/interpreter\n");
  put_script("no-line", "echo no line $0 $#; exit 5\n");
  put_script("empty", "");
  put_script("env", "#!/usr/bin/env -S sh -u\necho env $1\n");
  put_script("self", "#!./self\n");
  symlink("script", "link");
  const char *names[] = {"./script", "./with-argument", "./nested", "./no-interpreter",
                         "./no-line", "./empty", "./env", "./self", "./link", "./missing"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    for (int how = 0; how < 3; how++) run(names[i], names[i], list, how);
  run("by descriptor", self, (char *const[]){"x", "die", "9", NULL}, 3);
  setenv("PATH", "missing:.:/usr/bin", 1);
  run("on PATH", "script", list, 2);
  run("program on PATH", "true", list, 2);
  char *const nobody[] = {NULL};
  run("without a name", "/bin/true", nobody, 0);
  fflush(stdout);
  execl("./script", "last", "1", NULL);
  return 9;
}

static int shells(int argc, char **argv) {
  (void)argc, (void)argv;
  setbuf(stdout, NULL);
  printf("%d\n", system("exit 3"));
  printf("%d\n", system("no-such-program 2>/dev/null"));
  printf("%d\n", system("kill -9 $$"));
  printf("%d\n", system(NULL));
  FILE *file = popen("cat; exit 6", "w");
  fputs("to cat\n", file);
  printf("%d\n", pclose(file));
  file = popen("yes", "r");
  char line[10];
  printf("%s", fgets(line, sizeof line, file));
  printf("%d\n", pclose(file));
  signal(SIGCHLD, SIG_IGN);
  printf("%d %d\n", system("true"), errno);
  return 0;
}

// A daemon: nobody waits for it, and it is not to be killed.
static int daemons(int argc, char **argv) {
  (void)argc, (void)argv;
  fflush(stdout);
  if (!fork()) {
    setsid();
    if (fork()) _exit(0);
    close_range(0, 1023, 0);
    usleep(300000);
    put_file("by-daemon");
    execl("/bin/sh", "sh", "-c", "echo more > by-shell", NULL);
    _exit(1);
  }
  wait(NULL);
  puts("gone");
  return 0;
}

// Many short lives, and deaths in the middle of calls.
static int killed(int argc, char **argv) {
  (void)argc, (void)argv;
  int signalled = 0;
  for (int i = 0; i < 100; i++) {
    pid_t pid = fork();
    if (!pid) {
      for (int n = 0;; n++) {
        char name[64];
        snprintf(name, sizeof name, "file-%d", n % 20);
        close(open(name, O_WRONLY | O_CREAT, 0644));
        unlink(name);
      }
    }
    usleep((unsigned)(i % 10) * 300);
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    signalled += WIFSIGNALED(status);
  }
  for (int n = 0; n < 20; n++) {
    char name[64];
    snprintf(name, sizeof name, "file-%d", n);
    unlink(name);
  }
  put_file("last");
  printf("%d\n", signalled);
  return 0;
}

static int big(int argc, char **argv) {
  if (argc > 1) {
    size_t size = 0;
    for (char **each = argv; *each; each++) size += strlen(*each) + 1;
    for (char **each = environ; *each; each++)
      if (strncmp(*each, "LD_PRELOAD=", 11) && strncmp(*each, "CLIBS_", 6)) size += strlen(*each) + 1;
    printf("%d %zu\n", argc, size);
    return 0;
  }
  enum { COUNT = 3000 };
  static char *list[COUNT + 3], *env[COUNT + 1];
  list[0] = self, list[1] = "big";
  for (int i = 0; i < COUNT; i++) {
    if (asprintf(&list[i + 2], "argument-%0200d", i) < 0 || asprintf(&env[i], "V%d=%0100d", i, i) < 0) return 1;
  }
  execve(self, list, env);
  return 9;
}

const struct part PROCESSES[] = {
    {"spawns", spawns}, {"scripts", scripts}, {"shells", shells}, {"daemons", daemons},
    {"killed", killed}, {"big", big}, {0}};
