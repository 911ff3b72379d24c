// The traced threads and the processes they belong to.

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "ptrace.h"

#define BUCKETS 1024
static struct task *buckets[BUCKETS];

struct task *task_find(pid_t tid) {
  struct task *task = buckets[(unsigned)tid % BUCKETS];
  while (task && task->tid != tid) task = task->next;
  return task;
}

struct task *task_add(pid_t tid) {
  struct task *task = calloc(1, sizeof *task);
  if (!task) _exit(125);
  struct task **bucket = &buckets[(unsigned)tid % BUCKETS];
  task->tid = tid;
  task->next = *bucket;
  *bucket = task;
  return task;
}

void task_remove(struct task *task) {
  struct task **at = &buckets[(unsigned)task->tid % BUCKETS];
  while (*at != task) at = &(*at)->next;
  *at = task->next;
  struct process *process = task->process;
  if (process && --process->threads == 0) {
    free(process->cwd);
    free(process);
  }
  // A call that it died in may have had its effect.
  if (task->change.active && task->change.links) links_end(true);
  free(task->change.cwd);
  free(task->image.text);
  free(task);
}

static struct process *process_add(pid_t pid) {
  struct process *process = calloc(1, sizeof *process);
  if (!process) _exit(125);
  process->pid = pid;
  return process;
}

void task_adopt(struct task *task, struct task *parent, bool may_share) {
  struct process *from = parent->process;
  // Signal 0 to a thread of that group fails unless it is one.
  if (may_share && syscall(SYS_tgkill, from->pid, task->tid, 0) == 0) {
    task->process = from;
    from->threads++;
    return;
  }
  struct process *process = process_add(task->tid);
  process->threads = 1;
  process->off = from->off;
  process->parent = from->pid;
  if (may_share) {
    // A process by clone() may have its folder in common with its parent.
    process->shares_cwd = from->shares_cwd = true;
  } else {
    process->shares_cwd = from->shares_cwd;
  }
  if (from->cwd && !process->shares_cwd) {
    process_set_cwd(process, from->cwd, from->cwd_length);
  }
  task->process = process;
  if (!process->off) report_start(process);
}

struct task *task_discover(pid_t tid) {
  char name[64], line[128];
  pid_t pid = tid, parent = 0;
  proc_path(name, tid, "status", -1);
  FILE *file = fopen(name, "re");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, "Tgid:", 5) == 0) pid = atoi(line + 5);
    if (strncmp(line, "PPid:", 5) == 0) parent = atoi(line + 5);
  }
  if (file) fclose(file);
  struct task *task = task_find(tid);
  if (!task) task = task_add(tid);
  if (task->process) return task;
  struct task *leader = pid == tid ? NULL : task_find(pid);
  struct task *before = task_find(parent);
  if (leader && leader->process) {
    task->process = leader->process;
    task->process->threads++;
    return task;
  }
  task->process = process_add(pid);
  task->process->threads = 1;
  task->process->parent = parent;
  task->process->off = before && before->process && before->process->off;
  if (!task->process->off) report_start(task->process);
  return task;
}

struct task *task_held(void) {
  for (unsigned i = 0; i < BUCKETS; i++) {
    for (struct task *task = buckets[i]; task; task = task->next) {
      if (task->held || task->ended) return task;
    }
  }
  return NULL;
}

void process_forget_cwd(struct process *process) {
  free(process->cwd);
  process->cwd = NULL;
}

void process_set_cwd(struct process *process, const char *path,
                     size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) _exit(125);
  memcpy(copy, path, length);
  copy[length] = 0;
  free(process->cwd);
  process->cwd = copy;
  process->cwd_length = length;
}

const char *task_cwd(struct task *task, size_t *length) {
  static char fresh[ROOM];
  struct process *process = task->process;
  if (!process->cwd || process->shares_cwd) {
    ssize_t n = path_of_fd(task->tid, "cwd", -1, fresh, sizeof fresh);
    if (n < 0) return NULL;
    process_set_cwd(process, fresh, (size_t)n);
  }
  *length = process->cwd_length;
  return process->cwd;
}
