// Operations in other processes and threads.

#include "model.h"

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static void leave(void) {
  cwd->held--;
  for (int i = 0; i < MAX_HELD; i++)
    if (held[i].node) held[i].node->held--;
}

static void await(const char *what, pid_t pid) {
  int status = -1;
  if (waitpid(pid, &status, 0) != pid) expect("waitpid", NULL, 0, errno);
  expect(what, NULL, 0, status);
}

// The child has its own folder and descriptors from here on.
static bool step_fork(void) {
  if (arena->depth >= 3) return false;
  arena->depth++;
  pid_t pid = chance(80) ? fork() : (pid_t)syscall(SYS_fork);
  if (!pid) {
    cwd->held++;
    for (int i = 0; i < MAX_HELD; i++)
      if (held[i].node) held[i].node->held++;
    steps((int)(1 + roll(6)));
    leave();
    _exit(0);
  }
  await("fork", pid);
  arena->depth--;
  return true;
}

static void *in_thread(void *which) {
  unsigned n = (unsigned)(uintptr_t)which;
  if (n < READ_STEPS) read_step(n);
  else if (n < READ_STEPS + WRITE_STEPS) write_step(n - READ_STEPS);
  else name_step(n - READ_STEPS - WRITE_STEPS);
  return NULL;
}

static bool step_thread(void) {
  pthread_t thread;
  uintptr_t which = roll(READ_STEPS + WRITE_STEPS + NAME_STEPS);
  if (pthread_create(&thread, NULL, in_thread, (void *)which)) return false;
  pthread_join(thread, NULL);
  return true;
}

// Looks up a program as execve() does, down to the one that is loaded. Returns
// the error, or -1 where it is not known.
static int look_up_program(struct inode *base, const char *text, char notes[][PATH_SIZE], int *count) {
  static struct where w;
  char path[PATH_SIZE];
  strcpy(path, text);
  for (int depth = 0; depth < 3; depth++) {
    look_up(base, path, true, &w);
    if (w.outside || w.vague) return -1;
    note_links(&w);
    if (*w.path) strcpy(notes[(*count)++], w.path);
    if (w.error) return w.error;
    if (w.node->type == DIR_ || !(w.node->mode & 0111)) return EACCES;
    if (w.node->type == PROGRAM_) return 0;
    if (w.node->type != SCRIPT_) return ENOEXEC;
    strcpy(path, w.node->text);
  }
  return -1;
}

enum how { EXECVE, EXECV, EXECL, FEXECVE, EXECVEAT, SPAWN, HOWS };

static int execute(enum how how, char *path, char **argv, char **env) {
  switch (how) {
    case EXECVE: return execve(path, argv, env);
    case EXECV: return execv(path, argv);
    case EXECL: return chance(50) ? execl(path, argv[0], argv[1], NULL) : execle(path, argv[0], argv[1], NULL, env);
    case EXECVEAT: return (int)syscall(SYS_execveat, AT_FDCWD, path, argv, env, 0);
    default: return execvpe(path, argv, env);
  }
}

// Runs this program again, from wherever it is now.
static bool step_exec(void) {
  static char notes[8][PATH_SIZE];
  struct arg arg;
  int count = 0;
  if (arena->depth >= 3) return false;
  size_t before = arena->log_used;
  for (int i = 0; i < 20; i++) {
    struct where w;
    pick_path(&arg, false, false);
    look_up(arg.base, arg.text, true, &w);
    if (w.node && (w.node->type == PROGRAM_ || w.node->type == SCRIPT_)) break;
  }
  if (!strchr(arg.text, '/')) memmove(arg.text + 2, arg.text, strlen(arg.text) + 1), memcpy(arg.text, "./", 2);
  int error = look_up_program(cwd, arg.text, notes, &count);
  enum how how = roll(HOWS);
  if (error < 0 || (error == ENOEXEC && how >= FEXECVE) || (error && how == FEXECVE)) {
    arena->log_used = before;
    return false;
  }
  char *argv[] = {"again", "@again", NULL};
  char *empty[] = {"A=1", NULL};
  char **env = chance(40) ? empty : environ;
  arena->child_cwd = cwd;
  arena->child_steps = (int)(1 + roll(5));
  arena->depth++;
  expect("exec", NULL, 0, 0);
  for (int i = 0; i < count; i++) note(error ? 'P' : 'X', i < count - 1 ? 0 : error, notes[i]);
  pid_t pid;
  int got = 0;
  if (how == SPAWN) {
    got = chance(50) ? posix_spawn(&pid, arg.text, NULL, NULL, argv, env)
                     : posix_spawnp(&pid, arg.text, NULL, NULL, argv, env);
  } else {
    // The memory of a child of vfork() is its parent's: it must not roll.
    volatile int failed = 0;
    unsigned kind = roll(3);
    pid = kind == 0 ? fork() : kind == 1 ? vfork() : (pid_t)syscall(SYS_fork);
    if (!pid) {
      execute(how, arg.text, argv, env);
      failed = errno;
      if (kind != 1) _exit(errno == error ? 0 : 98);
      _exit(0);
    }
    if (kind == 1) got = failed;
    else got = error;
  }
  // Until it has ended, the log is the child's.
  if (!(how == SPAWN && got)) await("exec", pid);
  expect("exec", NULL, error, got);
  arena->depth--;
  return true;
}

// Gives this program another name, in the tree.
static bool step_program(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, false, true);
  look_up(arg.base, arg.text, false, &w);
  if (w.outside || w.slash || w.error != ENOENT || !w.dir || w.dir->chain) return false;
  if (chance(50)) {
    bool twin = *arena->twin_path && chance(50);
    if (link(twin ? arena->twin_path : arena->program_path, arg.text)) expect("link", &w, 0, errno);
    add(w.dir, w.name, twin ? arena->twin : arena->program);
  } else {
    // The interpreter: this program, in any of its guises.
    struct arg by;
    struct where to;
    for (int i = 0; i < 30; i++) {
      pick_path(&by, false, false);
      look_up(by.base, by.text, true, &to);
      if (to.node && (to.node->type == PROGRAM_ || to.node->type == SCRIPT_)) break;
    }
    if (!to.node || to.node->type == DIR_ || strlen(by.text) > 200 || strpbrk(by.text, " \t\n"))
      strcpy(by.text, arena->program_path);
    FILE *file = fopen(arg.text, "w");
    if (!file) {
      expect("script", &w, 0, errno);
      return true;
    }
    fprintf(file, "#!%s%s\nnothing\n", chance(50) ? " " : "", by.text);
    fchmod(fileno(file), 0755);
    fclose(file);
    add(w.dir, w.name, make(SCRIPT_))->text = copy(by.text);
  }
  note_links(&w);
  note('W', 0, w.path);
  return true;
}

static bool is_simple(const char *text) {
  return *text != '-' && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789./")];
}

// What a shell does, by system() and popen().
static bool step_shell(void) {
  struct arg arg;
  struct where w;
  if (arena->depth >= 2 || chance(60)) return false;
  pick_path(&arg, false, true);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.vague || w.slash || !is_simple(arg.text)) return false;
  char line[PATH_SIZE + 50];
  if (chance(50)) {
    if (w.node && w.node->type != FILE_) return false;
    bool created = w.error == ENOENT && w.dir;
    int error = created ? 0 : w.error;
    snprintf(line, sizeof line, ": 2>&- > %s", arg.text);
    int got = system(line);
    expect("system >", &w, error != 0, got != 0);
    note_links(&w);
    if (*w.path) note(error ? 'P' : 'W', error, w.path);
    if (created) add(w.dir, w.name, make(FILE_));
  } else {
    if (w.node && w.node->type == DIR_) return false;
    snprintf(line, sizeof line, "exec 2>&-; read x < %s || test -e %s", arg.text, arg.text);
    FILE *file = popen(line, "r");
    int got = pclose(file);
    expect("popen <", &w, w.error != 0, got != 0);
    note_links(&w);
    if (*w.path) note(w.error ? 'P' : 'R', w.error, w.path);
    // Of an empty file nothing is read, and its existence is tested.
    if (*w.path) note('V', w.error, w.path);
  }
  return true;
}

// A thread with a folder of its own.
static void *in_other_folder(void *path) {
  struct stat st;
  if (unshare(CLONE_FS) || chdir(path)) return (void *)1;
  return stat("a", &st) ? NULL : (void *)2;
}

static bool step_folder(void) {
  struct arg arg;
  struct where w, a;
  pthread_t thread;
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.error || w.node->type != DIR_ || w.node->chain) return false;
  look_up(w.node, "a", true, &a);
  if (a.outside || a.vague) return false;
  void *got;
  if (pthread_create(&thread, NULL, in_other_folder, arg.text)) return false;
  pthread_join(thread, &got);
  if (got == (void *)1) return true;  // not allowed to
  expect("stat in a thread's own folder", &a, a.error == 0, got == (void *)2);
  note_links(&w);
  note('V', 0, w.path);
  note_links(&a);
  if (*a.path) note('S', a.error, a.path);
  return true;
}

bool process_step(unsigned which) {
  static bool (*const all[PROCESS_STEPS])(void) = {
      step_fork, step_thread, step_thread, step_exec, step_program, step_shell, step_folder};
  return all[which]();
}
