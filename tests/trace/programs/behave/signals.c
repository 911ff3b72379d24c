// Signals: deaths, handlers, interrupted calls.

#include "behave.h"

#include <setjmp.h>
#include <sys/time.h>

static int die(int argc, char **argv) {
  if (argc < 2) return 2;
  int number = atoi(argv[1]);
  signal(number, SIG_DFL);
  put_file("out");
  printf("dying\n");
  fflush(stdout);
  raise(number);
  return 0;
}

static int abort_now(int argc, char **argv) {
  (void)argc, (void)argv;
  abort();
}

static int crash(int argc, char **argv) {
  (void)argc, (void)argv;
  *(volatile int *)8 = 1;
  return 0;
}

static volatile int handled, failures;

static void on_signal(int number) {
  (void)number;
  handled++;
}

static void start_timer(int microseconds, int again) {
  struct itimerval timer = {{0, again}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int interrupted(int argc, char **argv) {
  (void)argc, (void)argv;
  mkfifo("fifo", 0644);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGALRM, &action, NULL);
  start_timer(50000, 0);
  int fd = open("fifo", O_RDONLY);
  printf("open %d %d\n", fd < 0 ? errno : 0, handled);
  start_timer(50000, 0);
  FILE *file = fopen("fifo", "r");
  printf("fopen %d %d\n", file ? 0 : errno, handled);
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  pid_t pid = fork();
  if (!pid) {
    usleep(200000);
    fd = open("fifo", O_WRONLY);
    usleep(100000);
    if (write(fd, "x", 1) != 1) _exit(1);
    _exit(0);
  }
  start_timer(50000, 0);
  fd = open("fifo", O_RDONLY);
  printf("open %d %d\n", fd < 0 ? errno : 0, handled);
  start_timer(30000, 0);
  char text[4];
  printf("read %zd %d\n", read(fd, text, 4), handled);
  int status;
  waitpid(pid, &status, 0);
  print_status("writer", status);
  sigset_t mask, old;
  sigemptyset(&mask);
  sigaddset(&mask, SIGALRM);
  sigprocmask(SIG_BLOCK, &mask, &old);
  raise(SIGALRM);
  close(open("fifo", O_RDONLY | O_NONBLOCK));
  sigset_t pending;
  sigpending(&pending);
  printf("pending %d %d\n", sigismember(&pending, SIGALRM), handled);
  sigprocmask(SIG_SETMASK, &old, NULL);
  printf("after %d\n", handled);
  return 0;
}

static void open_in_handler(int number) {
  (void)number;
  int before = errno;
  struct stat st;
  int fd = open("in-handler", O_RDONLY);
  if (fd >= 0) close(fd), failures++;
  if (errno != ENOENT || !stat("in-handler2", &st)) failures++;
  handled++;
  errno = before;
}

// A handler that opens files, while the program does, on a small stack.
static int handlers(int argc, char **argv) {
  (void)argc, (void)argv;
  stack_t stack = {.ss_sp = malloc(16384), .ss_size = 16384};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_handler = open_in_handler, .sa_flags = SA_ONSTACK | SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  put_file("file");
  start_timer(200, 200);
  for (int i = 0; i < 20000; i++) {
    errno = 5;
    int fd = open("file", O_RDONLY);
    if (fd < 0) failures++;
    close(fd);
    char name[32];
    snprintf(name, sizeof name, "missing-%d", i);
    if (open(name, O_RDONLY) >= 0 || errno != ENOENT) failures++;
  }
  start_timer(0, 0);
  printf("%d failures, %s\n", failures, handled > 10 ? "many" : "few");
  return 0;
}

static sigjmp_buf place;

static void jump(int number) {
  (void)number;
  siglongjmp(place, 1);
}

// Calls that are left by a jump: what they had taken must come back.
static int jumps(int argc, char **argv) {
  (void)argc, (void)argv;
  struct sigaction action = {.sa_handler = jump};
  sigaction(SIGALRM, &action, NULL);
  put_file("file");
  volatile int count = 0;
  volatile long i = 0;
  sigsetjmp(place, 1);
  while (count++ < 800) {
    struct stat st;
    start_timer(100 + count % 100, 0);
    for (;;) {
      char name[64];
      snprintf(name, sizeof name, "dir/../missing-%ld", i++ % 50);
      stat(name, &st);
      access("file", F_OK);
    }
  }
  start_timer(0, 0);
  put_file("at-the-end");
  struct stat st;
  printf("%d\n", stat("at-the-end", &st));
  return 0;
}

static int stops(int argc, char **argv) {
  (void)argc, (void)argv;
  int go[2], status;
  char byte = 0;
  if (pipe(go)) return 1;
  pid_t pid = fork();
  if (!pid) {
    put_file("before");
    raise(SIGSTOP);
    put_file("after");
    // A stop too soon would hide that it went on.
    if (read(go[0], &byte, 1) != 1) _exit(1);
    raise(SIGSTOP);
    if (read(go[0], &byte, 1) != 1) _exit(1);
    _exit(3);
  }
  for (int i = 0; i < 2; i++) {
    if (waitpid(pid, &status, WUNTRACED) != pid) perror("waitpid");
    print_status("child", status);
    kill(pid, SIGCONT);
    if (waitpid(pid, &status, WCONTINUED) != pid) perror("waitpid");
    printf("%s\n", WIFCONTINUED(status) ? "continued" : "not continued");
    fflush(stdout);
    if (write(go[1], &byte, 1) != 1) perror("write");
  }
  if (waitpid(pid, &status, 0) != pid) perror("waitpid");
  print_status("child", status);
  return 0;
}

static int children(int argc, char **argv) {
  (void)argc, (void)argv;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  for (int i = 0; i < 30; i++) {
    fflush(stdout);
    pid_t pid = i % 2 ? fork() : vfork();
    if (!pid) _exit(i);
    int status = -1;
    if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != i) failures++;
  }
  siginfo_t info;
  if (!fork()) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  waitid(P_ALL, 0, &info, WEXITED);
  printf("%d %d %d, %d\n", info.si_code, info.si_status, failures, handled);
  printf("%d %d\n", waitpid(-1, NULL, WNOHANG), errno);
  return 0;
}

const struct part SIGNALS[] = {
    {"die", die}, {"abort", abort_now}, {"crash", crash}, {"interrupted", interrupted},
    {"handlers", handlers}, {"jumps", jumps}, {"stops", stops}, {"children", children}, {0}};
