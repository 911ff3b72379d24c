// Threads: cancellation, forks, small stacks, exec.

#include "behave.h"

#include <dirent.h>
#include <pthread.h>

static void *block(void *path) {
  int fd = open(path, O_RDONLY);
  return (void *)(long)fd;
}

static void *block_in_fopen(void *path) { return fopen(path, "w"); }

static void cleaned(void *count) { ++*(int *)count; }

static int clean_ups;
static void *block_cleanly(void *path) {
  int fd;
  pthread_cleanup_push(cleaned, &clean_ups);
  fd = open(path, O_WRONLY);
  pthread_cleanup_pop(0);
  return (void *)(long)fd;
}

static int cancels(int argc, char **argv) {
  (void)argc, (void)argv;
  mkfifo("fifo", 0644);
  void *(*const all[])(void *) = {block, block_in_fopen, block_cleanly};
  for (int i = 0; i < 90; i++) {
    pthread_t thread;
    void *result = NULL;
    // What fopen() has locked or allocated when it is cancelled stays so.
    if (i % 3 == 1) continue;
    pthread_create(&thread, NULL, all[i % 3], "fifo");
    if (i < 6) usleep(20000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    if (result != PTHREAD_CANCELED) printf("%d was not cancelled\n", i);
  }
  printf("%s clean-ups\n", clean_ups > 0 ? "some" : "no");
  put_file("after");
  struct stat st;
  printf("%d\n", stat("after", &st));
  return 0;
}

static volatile int done;
static void *busy(void *name) {
  struct stat st;
  char path[64];
  for (int i = 0; !done; i++) {
    snprintf(path, sizeof path, "%s-%d", (char *)name, i % 100);
    stat(path, &st);
    close(open(path, O_RDONLY));
    closedir(opendir("."));
  }
  return NULL;
}

static int forks(int argc, char **argv) {
  (void)argc, (void)argv;
  pthread_t threads[4];
  char *names[] = {"a", "b", "c", "d"};
  int failed = 0;
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, busy, names[i]);
  for (int i = 0; i < 150; i++) {
    pid_t pid = i % 3 == 2 ? vfork() : fork();
    if (!pid) {
      if (i % 3 == 0) {
        put_file("by-child");
        _exit(0);
      }
      execlp("true", "true", NULL);
      _exit(9);
    }
    int status;
    waitpid(pid, &status, 0);
    failed += status != 0;
  }
  done = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("%d failed\n", failed);
  return 0;
}

static void *on_small_stack(void *unused) {
  (void)unused;
  struct stat st;
  long result = 0;
  result |= stat("missing/../x", &st) == 0;
  result |= access("missing", F_OK) == 0;
  int fd = open("small", O_WRONLY | O_CREAT, 0644);
  result |= (fd < 0) << 1;
  close(fd);
  result |= (rename("small", "small2") != 0) << 2;
  pid_t pid = vfork();
  if (!pid) {
    execl("/bin/true", "true", NULL);
    _exit(9);
  }
  int status;
  waitpid(pid, &status, 0);
  result |= (status != 0) << 3;
  return (void *)result;
}

static int stacks(int argc, char **argv) {
  (void)argc, (void)argv;
  char name[20];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "V%d", i);
    setenv(name, "1", 1);
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 16384);
  pthread_t thread;
  void *result;
  if (pthread_create(&thread, &attributes, on_small_stack, NULL)) return 1;
  pthread_join(thread, &result);
  printf("%ld\n", (long)result);
  return 0;
}

static void *exec_self(void *unused) {
  (void)unused;
  put_file("by-thread");
  execl("/bin/sh", "sh", "-c", "echo by a thread; read x < in; exit 3", NULL);
  return NULL;
}

static int exec_in_thread(int argc, char **argv) {
  (void)argc, (void)argv;
  pthread_t threads[3];
  char *names[] = {"a", "b"};
  pthread_create(&threads[0], NULL, busy, names[0]);
  pthread_create(&threads[1], NULL, busy, names[1]);
  pthread_create(&threads[2], NULL, exec_self, NULL);
  for (;;) pause();
}

static void *leave(void *code) { _exit((int)(long)code); }

static int exit_in_thread(int argc, char **argv) {
  (void)argc, (void)argv;
  pthread_t thread;
  pthread_create(&thread, NULL, leave, (void *)5);
  for (;;) pause();
}

const struct part THREADS[] = {
    {"cancels", cancels}, {"forks", forks}, {"stacks", stacks},
    {"exec-in-thread", exec_in_thread}, {"exit-in-thread", exit_in_thread}, {0}};
