// What the parts of the ptrace tracer share. See ptrace.c.

#ifndef CLIBS_PTRACE_H
#define CLIBS_PTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "filter.h"
#include "trace.h"
#include "writer.h"

// Longest path that is followed: what a record can hold.
#define ROOM 65536

// --- processes (ptrace_tasks.c) ---------------------------------------------

struct process {
  pid_t pid, parent;
  unsigned threads;
  bool off;         // recording is switched off
  bool started;     // its start was recorded
  bool shares_cwd;  // with others, in ways that are not followed: ask always
  char *cwd;        // NULL: to be asked for
  size_t cwd_length;
};

// What a call is to be remembered for until it returns.
struct change {
  bool active;
  uint8_t call;
  bool links;         // may change what is a link
  bool moves_folder;  // names of many files change at once
  uint64_t at[2];     // records; 0: none
  uint64_t hashes[2]; // of the paths that it changes
  char *cwd;          // where a chdir leads
  size_t cwd_length;
};

// The program that an exec was asked for.
struct image {
  char *text;  // program, cwd, arguments; each with NUL
  size_t program, length;
  uint8_t flags;
  int escape;  // why it cannot be followed; 0: it can
};

struct task {
  pid_t tid;
  struct task *next;
  struct process *process;  // NULL: seen before its parent's event
  bool held;                // stopped until that event
  bool ended;               // ended before it
  int status;               // of that end
  struct change change;
  struct image image;
};

struct task *task_find(pid_t tid);
struct task *task_add(pid_t tid);
void task_remove(struct task *task);
// Gives a task to a process: a thread of `parent`, or a new process if it has
// another thread group.
void task_adopt(struct task *task, struct task *parent, bool may_share);
// A task that nothing told us of; its process is looked up.
struct task *task_discover(pid_t tid);
// The next task that is held, or NULL.
struct task *task_held(void);
void process_forget_cwd(struct process *process);
void process_set_cwd(struct process *process, const char *path, size_t length);
// The working folder, or NULL.
const char *task_cwd(struct task *task, size_t *length);

// --- memory of the traced process (ptrace_memory.c) -------------------------

// Copies a string with its NUL; returns its length, or -1.
ssize_t read_string(pid_t tid, uint64_t address, char *to, size_t size);
bool read_memory(pid_t tid, uint64_t address, void *to, size_t size);
// "/proc/TID/WHAT" and, unless negative, "/N".
void proc_path(char *to, pid_t tid, const char *what, int number);

// --- paths (ptrace_path.c) --------------------------------------------------

struct place {
  char *path;     // canonical; valid until the buffer's next use
  size_t length;
  uint64_t hash;
  uint8_t state;  // FOUND, ABSENT or FAILED
  bool system;    // counted only
  bool is_link;   // the last component is a link that is not followed
  bool usable;    // else there is nothing to report
};

// Two, for calls with two paths.
struct buffer {
  char path[ROOM + 8];
};
extern struct buffer buffers[2];

// DEEP: also what is below a system prefix, where /proc leads elsewhere.
enum { FOLLOW = 1, EMPTY_IS_FD = 2, DEEP = 4 };

// Resolves a name as the kernel will, reporting links on the way.
struct place resolve(struct task *task, int dir, const char *name,
                     size_t length, unsigned how, struct buffer *to);
// The path behind a descriptor; -1 if it has none.
ssize_t path_of_fd(pid_t tid, const char *what, int fd, char *to, size_t size);
// While a call is under way that may change links, folders are looked at again.
void links_begin(void);
void links_end(bool changed);
uint64_t hash_path(const char *path, size_t length);

// --- records (ptrace_report.c) ----------------------------------------------

// Reports an access that changes nothing, once.
void report(struct task *task, uint16_t op, uint8_t flags,
            const struct place *place, uint8_t state);
uint64_t report_change(struct task *task, uint16_t op, uint8_t flags,
                       const struct place *a, const struct place *b);
void report_start(struct process *process);
void report_exit(struct process *process, int status);
void report_switch(struct process *process, bool on);
void report_image(struct task *task);
// What is known of a path no longer holds; 0: of any path.
void forget(uint64_t hash);

// --- calls ------------------------------------------------------------------

struct arguments {
  pid_t tid;
  unsigned call;
  uint64_t at[6];
  bool narrow;  // of a 32-bit program: pointers are four bytes
};

// Calls that only look (ptrace_look.c).
void see_look(struct task *task, const struct arguments *a);
void see_open(struct task *task, int dir, uint64_t address, uint64_t flags);
// Calls that change something (ptrace_change.c). Returns whether its end is to
// be seen too.
bool see_change(struct task *task, const struct arguments *a);
void see_end(struct task *task, int64_t result);
// execve and execveat (ptrace_exec.c).
void see_exec(struct task *task, const struct arguments *a);

// Reads a path argument and resolves it. Obeys the switch.
struct place argument_path(struct task *task, int dir, uint64_t address,
                           unsigned how, struct buffer *to);

// The listener (ptrace_listen.c).
void listen_to(pid_t tid, int descriptor);
bool is_listening(void);
// If a signal came before a notified call was looked at, the call must seem not
// to have been made: it is restarted, whatever the signal's handler says.
void mend_restart(struct task *task);

// --- the whole --------------------------------------------------------------

// All the state above is used by the thread that holds this.
void tracer_lock(void);
void tracer_unlock(void);

// Serves until nothing is traced any more (ptrace_loop.c).
void tracer_loop(void);
bool tracer_seize(pid_t pid);

#endif
