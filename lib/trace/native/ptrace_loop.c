// Serves the stops of the traced processes.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "ptrace.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
void tracer_lock(void) { pthread_mutex_lock(&mutex); }
void tracer_unlock(void) { pthread_mutex_unlock(&mutex); }

// Without EXITKILL, calls of processes whose tracer died would fail in ways
// that no program expects.
#define OPTIONS                                                          \
  (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |    \
   PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |    \
   PTRACE_O_EXITKILL)

// Of <linux/ptrace.h>, which cannot be used together with <sys/ptrace.h>
// everywhere.
#define GET_SYSCALL_INFO 0x420e
struct syscall_info {
  uint8_t op;  // 2: exit, 3: seccomp
  uint8_t pad[3];
  uint32_t machine;
  uint64_t instruction, stack;
  union {
    struct {
      uint64_t number, arguments[6];
      uint32_t data;
    } seccomp;
    struct {
      int64_t result;
      uint8_t is_error;
    } exit;
  };
};

// So many events may come before that of a held task's parent.
#define MOST_HELD 64

// What is to run on. It does so once the lock is free: it would wait for the
// lock, in its next call, before we had given it back.
static struct {
  pid_t tid;
  int how, signal;
} resumed[2];
static unsigned resumed_count;

static void resume(pid_t tid, int how, int signal) {
  resumed[resumed_count].tid = tid;
  resumed[resumed_count].how = how;
  resumed[resumed_count++].signal = signal;
}

static void resume_all(void) {
  for (unsigned i = 0; i < resumed_count; i++) {
    // It may have been killed meanwhile; its end is reported then.
    ptrace(resumed[i].how, resumed[i].tid, 0, resumed[i].signal);
  }
  resumed_count = 0;
}

static void on_seccomp(struct task *task) {
  struct syscall_info info;
  if (ptrace(GET_SYSCALL_INFO, task->tid, sizeof info, &info) <= 0 ||
      info.op != 3) {
    resume(task->tid, PTRACE_CONT, 0);
    return;
  }
  struct arguments a = {
      .tid = task->tid,
      .call = info.seccomp.data,
      .narrow = info.machine == AUDIT_ARCH_I386,
  };
  memcpy(a.at, info.seccomp.arguments, sizeof a.at);
  bool ends = see_change(task, &a);
  resume(task->tid, ends ? PTRACE_SYSCALL : PTRACE_CONT, 0);
}

static void on_return(struct task *task) {
  struct syscall_info info;
  if (task->change.active &&
      ptrace(GET_SYSCALL_INFO, task->tid, sizeof info, &info) > 0 &&
      info.op == 2) {
    see_end(task, info.exit.result);
  }
  resume(task->tid, PTRACE_CONT, 0);
}

static void end_task(struct task *task, int status) {
  struct process *process = task->process;
  if (process && task->tid == process->pid) report_exit(process, status);
  task_remove(task);
}

// Children that stopped before their parents told of them.
static unsigned held_count;

// Those that were not held any longer: they may be gone when their parents tell
// after all. The oldest are forgotten: then that is never.
static pid_t early[256];
static unsigned early_count;

static bool was_early(pid_t tid) {
  for (unsigned i = 0; i < 256; i++) {
    if (early[i] != tid) continue;
    early[i] = 0;
    return true;
  }
  return false;
}

// A parent that is killed within its fork never tells.
static void take_held(void) {
  for (struct task *task; (task = task_held());) {
    bool ended = task->ended;
    early[early_count++ % 256] = task->tid;
    task_discover(task->tid);
    if (task->held) ptrace(PTRACE_CONT, task->tid, 0, 0);
    task->held = task->ended = false;
    if (ended) end_task(task, task->status);
  }
  held_count = 0;
}

static void on_new(struct task *task, bool may_share) {
  unsigned long message = 0;
  ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &message);
  struct task *child = task_find((pid_t)message);
  bool is_known = !message || was_early((pid_t)message);
  if (!child && !is_known) child = task_add((pid_t)message);
  if (child && !child->process) {
    task_adopt(child, task, may_share);
    if (child->held || child->ended) held_count--;
    if (child->held) resume(child->tid, PTRACE_CONT, 0);
    child->held = false;
    if (child->ended) end_task(child, child->status);
  }
  resume(task->tid, PTRACE_CONT, 0);
}

// `task` is that of the process's id, which another thread may have taken over
// by its exec.
static void on_exec(struct task *task) {
  struct process *process = task->process;
  // While this is not waited for, the kernel takes what we ask of the id to be
  // meant for the thread that had it before.
  siginfo_t same;
  waitid(P_PID, (id_t)task->tid, &same, WSTOPPED | WNOHANG | __WALL);
  if (process->threads > 1 || task->tid != process->pid) {
    unsigned long former = 0;
    ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &former);
    struct task *other = task_find((pid_t)former);
    if (other && other != task && other->process == process) {
      free(task->image.text);
      task->image = other->image;
      other->image.text = NULL;
      task_remove(other);
    }
  }
  report_image(task);
  resume(task->tid, PTRACE_CONT, 0);
}

static bool is_stop_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
         signal == SIGTTOU;
}

static void on_stop(struct task *task, int status) {
  int event = status >> 8, signal = status & 0xff;
  switch (event) {
    case PTRACE_EVENT_SECCOMP: on_seccomp(task); return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK: on_new(task, false); return;
    case PTRACE_EVENT_CLONE: on_new(task, true); return;
    case PTRACE_EVENT_EXEC: on_exec(task); return;
    case PTRACE_EVENT_STOP:
      // Stopped for job control: it stays so until a SIGCONT comes.
      resume(task->tid, is_stop_signal(signal) ? PTRACE_LISTEN : PTRACE_CONT,
             0);
      return;
    default: break;
  }
  if (status == (SIGTRAP | 0x80)) {
    on_return(task);
    return;
  }
  if (is_listening()) mend_restart(task);
  resume(task->tid, PTRACE_CONT, signal);
}

// A wait status, of what waitid() tells.
static int status_of(const siginfo_t *info) {
  return info->si_code == CLD_EXITED   ? (info->si_status & 0xff) << 8
         : info->si_code == CLD_DUMPED ? info->si_status | 0x80
                                       : info->si_status;
}

static void on_report(const siginfo_t *info) {
  pid_t tid = info->si_pid;
  struct task *task = task_find(tid);
  bool is_end = info->si_code == CLD_EXITED || info->si_code == CLD_KILLED ||
                info->si_code == CLD_DUMPED;
  if (!task) task = task_add(tid);
  if (!task->process) {
    // Its parent's event has not come yet, and with it what it inherits.
    siginfo_t same;
    waitid(P_PID, (id_t)tid, &same, WEXITED | WSTOPPED | WNOHANG | __WALL);
    if (!task->held && !task->ended) held_count++;
    task->held = !is_end;
    task->ended = is_end;
    task->status = status_of(info);
    return;
  }
  if (!is_end) {
    on_stop(task, info->si_status);
    return;
  }
  // Recorded first: once it is waited for, its parent may know of its end.
  end_task(task, status_of(info));
  siginfo_t same;
  waitid(P_PID, (id_t)tid, &same, WEXITED | __WALL);
}

void tracer_loop(void) {
  for (unsigned since_held = 0;;) {
    siginfo_t info = {0};
    int how = WEXITED | WSTOPPED | WNOWAIT | __WALL;
    if (waitid(P_ALL, 0, &info, held_count ? how | WNOHANG : how)) {
      if (errno == EINTR) continue;
      return;
    }
    tracer_lock();
    if (info.si_pid) on_report(&info);
    // Its parent's event comes at once, or never.
    since_held = held_count ? since_held + 1 : 0;
    if (held_count && (!info.si_pid || since_held > MOST_HELD)) take_held();
    tracer_unlock();
    resume_all();
  }
}

bool tracer_seize(pid_t pid) {
  char name[64];
  proc_path(name, pid, "task", -1);
  struct process *process = NULL;
  // Threads may start threads until all are held.
  for (bool found = true; found;) {
    found = false;
    DIR *dir = opendir(name);
    if (!dir) return false;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
      pid_t tid = atoi(entry->d_name);
      if (tid <= 0 || task_find(tid)) continue;
      if (ptrace(PTRACE_SEIZE, tid, 0, OPTIONS)) {
        if (errno == ESRCH && tid != pid) continue;
        int error = errno;
        closedir(dir);
        errno = error;
        return false;
      }
      struct task *task = task_add(tid);
      if (!process && !(process = calloc(1, sizeof *process))) _exit(125);
      task->process = process;
      process->pid = pid;
      process->threads++;
      found = true;
    }
    closedir(dir);
  }
  if (!process) {
    errno = ESRCH;
    return false;
  }
  process->started = true;
  process->off = getenv(TRACE_OFF_VARIABLE) != NULL;
  return true;
}
