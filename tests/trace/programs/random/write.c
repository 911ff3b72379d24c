// Operations that change what is in files.

#include "model.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <utime.h>

#define RESULT(call) (errno = 0, (call) < 0 ? errno : 0)

// Whether a file may be changed: programs that run may not.
static bool is_plain(const struct where *w) {
  return !w->node || w->node->type == FILE_ || w->node->type == DIR_;
}

static int flags_of(const char *mode) {
  int flags = strchr(mode, '+') ? O_RDWR : O_WRONLY;
  if (*mode == 'r') return O_RDWR;
  if (strchr(mode, 'x')) flags |= O_EXCL;
  return flags | O_CREAT | (*mode == 'w' ? O_TRUNC : O_APPEND);
}

static int put_file(FILE *file) {
  if (!file) return -1;
  fputs("text\n", file);
  fclose(file);
  return 0;
}

static int put_fd(int fd) {
  if (fd < 0) return -1;
  if (write(fd, "text\n", 5) != 5) perror("write");
  close(fd);
  return 0;
}

static int write_some(const struct arg *arg, int flags, const char *mode) {
  const char *path = arg->text;
  struct open_how how = {.flags = (uint64_t)flags, .mode = flags & O_CREAT ? 0644 : 0};
  if (mode)
    switch (roll(3)) {
      case 0: return put_file(fopen(path, mode));
      case 1: return put_file(fopen64(path, mode));
      default: return put_file(freopen(path, mode, fdopen(dup(ARENA_FD), "r")));
    }
  if (arg->fd == AT_FDCWD) {
    if (flags == (O_WRONLY | O_CREAT | O_TRUNC) && chance(50))
      return put_fd(chance(50) ? creat(path, 0644) : creat64(path, 0644));
    switch (roll(5)) {
      case 0: return put_fd(open(path, flags, 0644));
      case 1: return put_fd(open64(path, flags, 0644));
      case 2: return put_fd((int)syscall(SYS_open, path, flags, 0644));
    }
  }
  switch (roll(4)) {
    case 0: return put_fd(openat(arg->fd, path, flags, 0644));
    case 1: return put_fd(openat64(arg->fd, path, flags, 0644));
    case 2: return put_fd((int)syscall(SYS_openat, arg->fd, path, flags, 0644));
    default: return put_fd((int)syscall(SYS_openat2, arg->fd, path, &how, sizeof how));
  }
}

static bool step_write(void) {
  static const char *modes[] = {"w", "a", "r+", "w+", "a+", "wx", "we", "r+e"};
  struct arg arg;
  struct where w;
  pick_path(&arg, true, true);
  const char *mode = arg.fd == AT_FDCWD && chance(35) ? modes[roll(8)] : NULL;
  int flags = chance(60) ? O_WRONLY : O_RDWR;
  if (chance(70)) flags |= O_CREAT;
  if (chance(40)) flags |= chance(50) ? O_TRUNC : O_APPEND;
  if (flags & O_CREAT && chance(15)) flags |= O_EXCL;
  if (chance(10)) flags |= O_NOFOLLOW;
  if (mode) flags = flags_of(mode);
  bool stays = flags & (O_EXCL | O_NOFOLLOW);
  look_up(arg.base, arg.text, !stays, &w);
  if (w.outside || w.slash || !is_plain(&w)) return false;
  int error = w.error;
  bool created = error == ENOENT && w.dir && flags & O_CREAT;
  if (created) error = 0;
  else if (!error && flags & O_EXCL) error = EEXIST;
  else if (!error && w.node->type == DIR_) error = EISDIR;
  expect("write", &w, error, RESULT(write_some(&arg, flags, mode)));
  note_links(&w);
  if (*w.path) {
    if (!error) note('W', 0, w.path);
    else note(w.vague ? 'V' : 'P', error, w.path);
    if (!error && !created && (flags & (O_RDWR | O_TRUNC)) == O_RDWR) note('r', 0, w.path);
  }
  if (created) add(w.dir, w.name, make(FILE_));
  return true;
}

static bool step_truncate(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || !is_plain(&w)) return false;
  int error = w.error ? w.error : w.node->type == DIR_ ? EISDIR : 0;
  expect("truncate", &w, error, RESULT(chance(50) ? truncate(arg.text, 3) : truncate64(arg.text, 3)));
  note_links(&w);
  if (*w.path) note(!error ? 'W' : w.vague ? 'V' : 'P', error, w.path);
  return true;
}

static int change_times(const struct arg *arg, bool follow) {
  const char *path = arg->text;
  struct timespec times[2] = {{1000, 0}, {2000, 0}};
  struct timeval values[2] = {{1000, 0}, {2000, 0}};
  struct utimbuf buffer = {1000, 2000};
  if (arg->fd == AT_FDCWD && follow)
    switch (roll(4)) {
      case 0: return utime(path, &buffer);
      case 1: return utimes(path, values);
    }
  if (arg->fd == AT_FDCWD && !follow && chance(40)) return lutimes(path, values);
  if (follow && chance(30)) return futimesat(arg->fd, path, values);
  return utimensat(arg->fd, path, times, follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

static int change_owner(const struct arg *arg, bool follow) {
  if (arg->fd != AT_FDCWD || chance(40))
    return fchownat(arg->fd, arg->text, (uid_t)-1, (gid_t)-1, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  return follow ? chown(arg->text, (uid_t)-1, (gid_t)-1) : lchown(arg->text, (uid_t)-1, (gid_t)-1);
}

static bool step_attributes(void) {
  struct arg arg;
  struct where w;
  bool mode = chance(50), follow = mode || chance(60);
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, follow, &w);
  // Programs of this process are one file with the program itself.
  if (w.outside || (w.node && (w.node->chain || w.node->type == PROGRAM_))) return false;
  int bits = chance(40) ? 0755 : 0644;
  if (w.node && w.node->type == DIR_) bits = 0755;
  int got;
  if (mode)
    got = RESULT(arg.fd == AT_FDCWD && chance(60) ? chmod(arg.text, (mode_t)bits)
                                                  : fchmodat(arg.fd, arg.text, (mode_t)bits, 0));
  else if (chance(70)) got = RESULT(change_times(&arg, follow));
  else got = RESULT(change_owner(&arg, follow));
  expect(mode ? "chmod" : "times", &w, w.error, got);
  if (mode && w.node) w.node->mode = bits;
  note_links(&w);
  if (*w.path) note(!w.error ? 'W' : w.vague ? 'V' : 'P', w.error, w.path);
  return true;
}

static bool step_temporary(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.error || w.node->type != DIR_ || w.node->chain) return false;
  if (strlen(arg.text) > 3000) return false;
  bool folder = chance(30);
  size_t tail = 0;
  strcat(arg.text, "/tXXXXXX");
  int error;
  if (folder) {
    error = mkdtemp(arg.text) ? 0 : errno;
  } else {
    int fd;
    switch (roll(6)) {
      case 0: fd = mkstemp(arg.text); break;
      case 1: fd = mkostemp(arg.text, O_CLOEXEC); break;
      case 2: fd = mkstemp64(arg.text); break;
      case 3: fd = mkostemp64(arg.text, O_APPEND); break;
      case 4: strcat(arg.text, ".c"); fd = mkstemps(arg.text, 2); tail = 2; break;
      default: strcat(arg.text, ".c"); fd = mkostemps(arg.text, 2, 0); tail = 2;
    }
    error = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
  }
  (void)tail;
  expect("temporary", &w, 0, error);
  note_links(&w);
  const char *name = strrchr(arg.text, '/') + 1;
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "%.4000s/%s", w.path, name);
  note('W', 0, path);
  add(w.node, name, make(folder ? DIR_ : FILE_));
  return true;
}

// A file without a name changes nothing that has one.
static bool step_nameless(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.error || w.node->type != DIR_ || w.node->chain) return false;
  int fd = openat(arg.fd, arg.text, O_TMPFILE | O_RDWR, 0600);
  // Not every file system has them.
  if (fd < 0 && errno != EOPNOTSUPP) expect("O_TMPFILE", &w, 0, errno);
  note_links(&w);
  note('V', 0, w.path);
  if (fd >= 0 && chance(50)) {
    char name[8], path[PATH_SIZE], magic[40];
    snprintf(name, sizeof name, "n%u", roll(100000));
    snprintf(path, sizeof path, "%.4000s/%s", w.path, name);
    if (!find(w.node, name)) {
      snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
      int error = RESULT(linkat(AT_FDCWD, magic, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
      expect("link a nameless file", &w, 0, error);
      note('W', 0, path);
      add(w.node, name, make(FILE_));
    }
  }
  if (fd >= 0) close(fd);
  return true;
}

bool write_step(unsigned which) {
  static bool (*const all[WRITE_STEPS])(void) = {
      step_write, step_truncate, step_attributes, step_temporary, step_nameless};
  return all[which]();
}
