// The seccomp listener: calls that only look are seen here, in the thread that
// the kernel wakes on the processor of the caller, instead of by ptrace stops.

#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>

#include "ptrace.h"

static int listener = -1;

bool is_listening(void) { return listener >= 0; }

#ifdef TRACE_LISTENS

// Of <linux/seccomp.h>, which may be older than the kernel.
#define SET_FLAGS _IOW('!', 4, uint64_t)
#define SYNC_WAKE_UP 1

#define THREADS 4

// A call by its number, as the filter has it.
static unsigned call_of(uint32_t machine, int number) {
  static uint8_t wide[512], narrow[512];
  if (!wide[257]) {
    for (size_t i = 0; i < TRACE_NUMBERS; i++) {
      const struct trace_number *n = &trace_numbers[i];
      if (n->x86_64 >= 0) wide[n->x86_64] = n->call;
      if (n->i386 >= 0) narrow[n->i386] = n->call;
    }
  }
  if (number < 0 || number >= 512) return CALL_NONE;
  return machine == AUDIT_ARCH_I386 ? narrow[number] : wide[number];
}

static void *serve(void *unused) {
  (void)unused;
  for (;;) {
    struct seccomp_notif asked = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) {
      if (errno != ENOENT && errno != EINTR) return NULL;
      // The caller was killed before it was looked at, or nobody is left.
      struct pollfd left = {.fd = listener};
      if (poll(&left, 1, 0) > 0 && left.revents & POLLHUP) return NULL;
      continue;
    }
    struct arguments a = {
        .tid = (pid_t)asked.pid,
        .narrow = asked.data.arch == AUDIT_ARCH_I386,
    };
    memcpy(a.at, asked.data.args, sizeof a.at);
    tracer_lock();
    a.call = call_of(asked.data.arch, asked.data.nr);
    struct task *task = task_find(a.tid);
    if (!task || !task->process) task = task_discover(a.tid);
    see_look(task, &a);
    tracer_unlock();
    struct seccomp_notif_resp answer = {
        .id = asked.id,
        .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
    };
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

void listen_to(pid_t tid, int descriptor) {
  long handle = syscall(SYS_pidfd_open, tid, 0);
  if (handle < 0) return;
  long fd = syscall(SYS_pidfd_getfd, handle, descriptor, 0);
  close((int)handle);
  if (fd < 0) return;
  ioctl((int)fd, SET_FLAGS, SYNC_WAKE_UP);
  listener = (int)fd;
  // One for each processor on which a caller may wait.
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  if (count < 1) count = 1;
  if (count > THREADS) count = THREADS;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 * 1024);
  for (long i = 0; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &small, serve, NULL) && i == 0) {
      close(listener);
      listener = -1;
    }
  }
}

// Whether an open may itself be what a signal interrupted.
static bool may_wait(pid_t tid, uint64_t address) {
  char name[PATH_MAX], path[PATH_MAX + 64];
  struct stat info;
  if (read_string(tid, address, name, sizeof name) < 0) return false;
  proc_path(path, tid, *name == '/' ? "root" : "cwd", -1);
  strcat(path, "/");
  if (strlen(path) + strlen(name) >= sizeof path) return false;
  strcat(path, name);
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode) &&
         !S_ISDIR(info.st_mode);
}

void mend_restart(struct task *task) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, task->tid, 0, &registers)) return;
  // 512: ERESTARTSYS, which a handler without SA_RESTART turns into EINTR.
  if ((int32_t)registers.rax != -512 || (int64_t)registers.orig_rax < 0) return;
  bool narrow = registers.cs == 0x23;
  unsigned call = call_of(narrow ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64,
                          (int)registers.orig_rax);
  if (call == CALL_NONE || !trace_call_looks(call)) return;
  if (call == CALL_OPEN || call == CALL_OPENAT) {
    uint64_t name = narrow                ? call == CALL_OPEN ? registers.rbx
                                                              : registers.rcx
                    : call == CALL_OPEN ? registers.rdi
                                        : registers.rsi;
    if (may_wait(task->tid, name)) return;
  }
  registers.rax = (uint64_t)-513;  // ERESTARTNOINTR
  ptrace(PTRACE_SETREGS, task->tid, 0, &registers);
}

#else

void listen_to(pid_t tid, int descriptor) { (void)tid, (void)descriptor; }
void mend_restart(struct task *task) { (void)task; }

#endif
