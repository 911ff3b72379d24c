// Calls that the ptrace tracer must see: `ptrace_calls WHAT ARGUMENT...`. Says
// nothing but when a call does not do what it should.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#define CHECK(x) do { if (!(x)) { perror(#x); exit(99); } } while (0)
static void changes(void) {
  CHECK(mkdir("d", 0777) == 0);
  int fd = open("d/a", O_WRONLY | O_CREAT | O_TRUNC, 0666);
  CHECK(fd >= 0 && fchmod(fd, 0755) == 0 && close(fd) == 0);
  CHECK(rename("d/a", "d/b") == 0 && link("d/b", "d/c") == 0);
  CHECK(symlink("b", "d/l") == 0 && open("d/l", O_RDONLY) >= 0);
  CHECK(chmod("d/l", 0700) == 0 && truncate("d/b", 1) == 0);
  CHECK(unlink("d/l") == 0 && unlink("d/nope") < 0 && errno == ENOENT);
  CHECK(open("d/l", O_RDONLY) < 0 && errno == ENOENT);
  CHECK(open("d", O_WRONLY) < 0 && errno == EISDIR);
  CHECK(rmdir("d") < 0 && errno == ENOTEMPTY);
  CHECK(unlinkat(AT_FDCWD, "d/b", 0) == 0 && unlink("d/c") == 0 && rmdir("d") == 0);
}
static void raw(void) {
  struct open_how how = {.flags = O_RDONLY};
  CHECK(syscall(SYS_openat2, AT_FDCWD, "one", &how, sizeof how) >= 0);
  CHECK(syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", 2) == 0);
  int dir = syscall(SYS_openat, AT_FDCWD, "sub", O_RDONLY | O_DIRECTORY);
  CHECK(dir >= 0 && syscall(SYS_faccessat, dir, "in", R_OK) == 0);
  char list[4096];
  CHECK(syscall(SYS_getdents64, dir, list, sizeof list) > 0);
  CHECK(syscall(SYS_getdents64, dir, list, sizeof list) == 0);
  CHECK(syscall(425, 8, list) < 0 && errno == ENOSYS);
  int made = open(".", O_TMPFILE | O_RDWR, 0600);
  if (made >= 0) {
    char name[64];
    sprintf(name, "/proc/self/fd/%d", made);
    CHECK(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
  }
}
static void *reader(void *at) {
  char name[64];
  for (int i = 0; i < 200; i++) {
    sprintf(name, "t%ld-%d", (long)at, i);
    CHECK(access(name, F_OK) < 0 && errno == ENOENT);
  }
  return 0;
}
static void threads(void) {
  pthread_t all[8];
  for (long i = 0; i < 8; i++) pthread_create(&all[i], 0, reader, (void *)i);
  for (int i = 0; i < 8; i++) pthread_join(all[i], 0);
}
static void *replace(void *program) {
  execl(program, program, "exit", (char *)0);
  return 0;
}
static void storm(int n, char *program) {
  for (int i = 0; i < n; i++) {
    pid_t pid = vfork();
    if (pid == 0) { execl(program, program, "exit", (char *)0); _exit(1); }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 7 << 8);
  }
}
static void deep(void) {
  char name[201];
  memset(name, 'x', 200);
  name[200] = 0;
  for (int i = 0; i < 25; i++) CHECK(mkdir(name, 0777) == 0 && chdir(name) == 0);
  int fd = open("f", O_WRONLY | O_CREAT, 0666);
  CHECK(fd >= 0 && access("g", F_OK) < 0 && access("f", F_OK) == 0);
  CHECK(fork() || (access("h", F_OK), _exit(0), 0));
  wait(0);
}
static volatile int beats;
static void beat(int s) { (void)s; beats++; }
// A handler without SA_RESTART must not make these calls fail with EINTR.
static void signals(int n) {
  struct sigaction action = {.sa_handler = beat};
  sigaction(SIGALRM, &action, 0);
  struct itimerval often = {{0, 150}, {0, 150}};
  setitimer(ITIMER_REAL, &often, 0);
  struct stat info;
  for (int i = 0; i < n; i++) {
    CHECK(stat("nope", &info) < 0 && errno == ENOENT);
    int fd = open("there", O_RDONLY);
    CHECK(fd >= 0 && close(fd) == 0);
  }
  CHECK(beats > 0);
}
// Whoever waits for it sees it stop, go on and end.
static void stopper(char **command) {
  pid_t pid = fork();
  if (pid == 0) { execv(*command, command); _exit(1); }
  int status;
  CHECK(waitpid(pid, &status, WUNTRACED) == pid);
  CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  kill(pid, SIGCONT);
  CHECK(waitpid(pid, &status, WUNTRACED) == pid && status == 4 << 8);
}
// What the preloaded library does for a program that it cannot go into.
#include FILTER
static void seized(char *tracer, char *trace, char *program) {
  int pipes[2];
  CHECK(pipe(pipes) == 0);
  char pid[16], fd[16], answer = 0;
  sprintf(pid, "%d", getpid());
  sprintf(fd, "%d", pipes[1]);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  if (fork() == 0) {
    if (fork() == 0) execl(tracer, tracer, trace, "--seize", pid, fd, (char *)0);
    _exit(0);
  }
  wait(0);
  close(pipes[1]);
  CHECK(read(pipes[0], &answer, 1) == 1 && answer == '1');
  CHECK(read(pipes[0], &answer, 1) == 0);
  CHECK(trace_install_filter() == 0);
  execl(program, program, "changes", (char *)0);
}
int main(int argc, char **argv) {
  char *what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "exit")) return 7;
  if (!strcmp(what, "changes")) changes();
  if (!strcmp(what, "raw")) raw();
  if (!strcmp(what, "threads")) threads();
  if (!strcmp(what, "storm")) storm(atoi(argv[2]), argv[0]);
  if (!strcmp(what, "deep")) deep();
  if (!strcmp(what, "signals")) signals(atoi(argv[2]));
  if (!strcmp(what, "stopper")) stopper(argv + 2);
  if (!strcmp(what, "seized")) seized(argv[2], argv[3], argv[4]);
  if (!strcmp(what, "replace")) {
    pthread_t other;
    pthread_create(&other, 0, replace, argv[0]);
    pause();
  }
  if (!strcmp(what, "open")) for (int i = 2; i < argc; i++) open(argv[i], O_RDONLY);
  if (!strcmp(what, "switch")) {
    access("/proc/self/clibs-trace/off", F_OK);
    if (fork() == 0) { open("hidden", O_RDWR | O_CREAT, 0666); _exit(0); }
    wait(0);
    open("hidden", O_RDONLY);
    chdir("sub");
    access("/proc/self/clibs-trace/on", F_OK);
    open("shown", O_RDONLY);
  }
  if (!strcmp(what, "many")) {
    char name[32];
    for (int i = 0; i < atoi(argv[2]); i++) { sprintf(name, "n%d", i); access(name, F_OK); }
  }
  return 0;
}
