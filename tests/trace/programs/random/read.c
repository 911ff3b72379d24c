// Operations that change nothing.

#include "model.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#define RESULT(call) (errno = 0, (call) < 0 ? errno : 0)

// Entry points that only old or fortified programs use.
int __open_2(const char *, int);
int __open64_2(const char *, int);
int __openat_2(int, const char *, int);
int __openat64_2(int, const char *, int);
#ifdef STATIC
#define old_xstat(version, path, to) stat(path, to)
#define old_lxstat(version, path, to) lstat(path, to)
#define old_fxstatat(version, dir, path, to, flags) fstatat(dir, path, to, flags)
#define dlopen(path, flags) (closed(open(path, O_RDONLY)), NULL)
#else
int old_xstat(int, const char *, struct stat *);
int old_lxstat(int, const char *, struct stat *);
int old_fxstatat(int, int, const char *, struct stat *, int);
__asm__(".symver old_xstat,__xstat@GLIBC_2.2.5");
__asm__(".symver old_lxstat,__lxstat@GLIBC_2.2.5");
__asm__(".symver old_fxstatat,__fxstatat@GLIBC_2.4");
#endif

static int closed(int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return fd;
}

static int shut(FILE *file) {
  int error = errno;
  if (file) fclose(file);
  errno = error;
  return file ? 0 : -1;
}

static int open_some(const struct arg *arg, int flags) {
  const char *path = arg->text;
  struct open_how how = {.flags = (uint64_t)flags};
  if (arg->fd == AT_FDCWD && !(flags & (O_DIRECTORY | O_NOFOLLOW)))
    switch (roll(6)) {
      case 0: return shut(fopen(path, "r"));
      case 1: return shut(fopen64(path, "re"));
      case 2: {
        FILE *file = fdopen(dup(ARENA_FD), "r");
        return shut(freopen(path, "r", file));
      }
    }
  if (arg->fd == AT_FDCWD)
    switch (roll(6)) {
      case 0: return closed(open(path, flags));
      case 1: return closed(open64(path, flags));
      case 2: return closed(__open_2(path, flags));
      case 3: return closed(__open64_2(path, flags));
      case 4: return closed((int)syscall(SYS_open, path, flags, 0));
    }
  switch (roll(6)) {
    case 0: return closed(openat(arg->fd, path, flags));
    case 1: return closed(openat64(arg->fd, path, flags));
    case 2: return closed(__openat_2(arg->fd, path, flags));
    case 3: return closed(__openat64_2(arg->fd, path, flags));
    case 4: return closed((int)syscall(SYS_openat, arg->fd, path, flags, 0));
    default: return closed((int)syscall(SYS_openat2, arg->fd, path, &how, sizeof how));
  }
}

static bool step_open(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, false);
  int flags = O_RDONLY | (chance(15) ? O_DIRECTORY : 0) | (chance(15) ? O_NOFOLLOW : 0);
  look_up(arg.base, arg.text, !(flags & O_NOFOLLOW), &w);
  if (w.outside) return false;
  int error = w.error;
  if (!error && w.node->type == LINK_) error = flags & O_DIRECTORY ? ENOTDIR : ELOOP;
  if (!error && flags & O_DIRECTORY && w.node->type != DIR_) error = ENOTDIR;
  bool file = w.node && w.node->type != DIR_ && w.node->type != LINK_;
  expect("open", &w, error, RESULT(open_some(&arg, flags)));
  note_links(&w);
  if (*w.path) note(w.vague ? 'V' : file && !error ? 'R' : 'P', error, w.path);
  return true;
}

static int stat_some(const struct arg *arg, bool follow) {
  const char *path = arg->text;
  int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  struct stat st;
  struct stat64 st64;
  struct statx stx;
  if (arg->fd == AT_FDCWD && follow)
    switch (roll(6)) {
      case 0: return stat(path, &st);
      case 1: return stat64(path, &st64);
      case 2: return old_xstat(1, path, &st);
      case 3: return (int)syscall(SYS_stat, path, &st);
    }
  if (arg->fd == AT_FDCWD && !follow)
    switch (roll(6)) {
      case 0: return lstat(path, &st);
      case 1: return lstat64(path, &st64);
      case 2: return old_lxstat(1, path, &st);
      case 3: return (int)syscall(SYS_lstat, path, &st);
    }
  switch (roll(5)) {
    case 0: return fstatat(arg->fd, path, &st, flags);
    case 1: return fstatat64(arg->fd, path, &st64, flags);
    case 2: return old_fxstatat(1, arg->fd, path, &st, flags);
    case 3: return (int)syscall(SYS_newfstatat, arg->fd, path, &st, flags);
    default: return statx(arg->fd, path, flags, STATX_BASIC_STATS, &stx);
  }
}

static bool step_stat(void) {
  struct arg arg;
  struct where w;
  bool follow = chance(60);
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, follow, &w);
  if (w.outside) return false;
  expect("stat", &w, w.error, RESULT(stat_some(&arg, follow)));
  note_links(&w);
  if (*w.path) note(w.vague ? 'V' : 'S', w.error, w.path);
  return true;
}

static bool step_access(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, false);
  bool follow = arg.fd == AT_FDCWD || chance(80);
  int mode = chance(30) ? X_OK : chance(50) ? R_OK : F_OK;
  look_up(arg.base, arg.text, follow, &w);
  if (w.outside || (w.node && w.node->type == LINK_)) return false;
  int error = w.error;
  if (!error && mode == X_OK && w.node->type != DIR_ && !(w.node->mode & 0111)) error = EACCES;
  int got;
  unsigned which = arg.fd == AT_FDCWD ? roll(5) : 3 + roll(2);
  switch (which) {
    case 0: got = RESULT(access(arg.text, mode)); break;
    case 1: got = RESULT(euidaccess(arg.text, mode)); break;
    case 2: got = RESULT(eaccess(arg.text, mode)); break;
    case 3: got = RESULT(faccessat(arg.fd, arg.text, mode, follow ? 0 : AT_SYMLINK_NOFOLLOW)); break;
    default: got = RESULT(faccessat(arg.fd, arg.text, mode, AT_EACCESS | (follow ? 0 : AT_SYMLINK_NOFOLLOW)));
  }
  expect("access", &w, error, got);
  note_links(&w);
  // The C library asks for more than it tells where it has to find out itself.
  if (*w.path && which != 0) note('V', error, w.path);
  if (*w.path) note(w.vague ? 'V' : 'A', error, w.path);
  return true;
}

static bool step_readlink(void) {
  struct arg arg;
  struct where w;
  char text[PATH_SIZE];
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, false, &w);
  if (w.outside) return false;
  int error = w.error ? w.error : w.node->type == LINK_ ? 0 : EINVAL;
  errno = 0;
  ssize_t length = arg.fd == AT_FDCWD && chance(50)
      ? readlink(arg.text, text, sizeof text)
      : readlinkat(arg.fd, arg.text, text, sizeof text);
  expect("readlink", &w, error, length < 0 ? errno : 0);
  if (!error && ((size_t)length != strlen(w.node->text) || memcmp(text, w.node->text, (size_t)length)))
    expect("readlink's text", &w, 0, 1);
  note_links(&w);
  // What is no link is there all the same.
  if (*w.path) note(w.vague ? 'V' : 'L', error == EINVAL ? 0 : error, w.path);
  return true;
}

static int list_some(const struct arg *arg) {
  DIR *dir = NULL;
  struct dirent **names;
  int count, error;
  if (arg->fd == AT_FDCWD && chance(40)) {
    count = scandir(arg->text, &names, NULL, alphasort);
  } else if (arg->fd != AT_FDCWD && chance(40)) {
    count = scandirat(arg->fd, arg->text, &names, NULL, NULL);
  } else {
    if (arg->fd == AT_FDCWD && chance(50)) {
      dir = opendir(arg->text);
    } else {
      int fd = openat(arg->fd, arg->text, O_RDONLY | O_DIRECTORY);
      dir = fd < 0 ? NULL : fdopendir(fd);
    }
    if (!dir) return -1;
    for (;;) {
      if (chance(50) ? !readdir(dir) : !readdir64(dir)) break;
    }
    closedir(dir);
    return 0;
  }
  error = errno;
  for (int i = 0; i < count; i++) free(names[i]);
  if (count >= 0) free(names);
  errno = error;
  return count;
}

static bool step_list(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || (w.node && w.node->chain)) return false;
  int error = w.error ? w.error : w.node->type == DIR_ ? 0 : ENOTDIR;
  expect("list", &w, error, RESULT(list_some(&arg)));
  note_links(&w);
  if (*w.path) note(w.vague ? 'V' : error ? 'P' : 'D', error, w.path);
  return true;
}

static bool step_glob(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.vague || (w.node && w.node->chain)) return false;
  if (strpbrk(arg.text, "*?[\\") || strlen(arg.text) > 3000) return false;
  int expected = 0;
  if (!w.error && w.node->type == DIR_)
    for (struct entry *entry = w.node->entries; entry; entry = entry->next)
      if (*entry->name != '.') expected++;
  strcat(arg.text, "/*");
  glob_t found;
  int got = (chance(50) ? glob(arg.text, 0, NULL, &found) : glob64(arg.text, 0, NULL, (glob64_t *)&found))
      ? 0 : (int)found.gl_pathc;
  expect("glob", &w, expected, got);
  globfree(&found);
  note_links(&w);
  bool lists = !w.error && w.node->type == DIR_;
  if (*w.path) note(lists ? 'D' : 'P', w.error, w.path);
  return true;
}

static void note_tree(struct inode *dir, const char *path, bool lists) {
  note('S', 0, path);
  if (lists) note('D', 0, path);
  for (struct entry *entry = dir->entries; entry; entry = entry->next) {
    char name[PATH_SIZE];
    snprintf(name, sizeof name, "%s/%s", path, entry->name);
    if (entry->node->type == DIR_) note_tree(entry->node, name, true);
    else note('S', 0, name);
  }
}

static int count_tree(const struct inode *dir) {
  int count = 1;
  for (struct entry *entry = dir->entries; entry; entry = entry->next)
    count += entry->node->type == DIR_ ? count_tree(entry->node) : 1;
  return count;
}

static int walked;
static int on_file(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)path, (void)st, (void)type, (void)ftw;
  walked++;
  return 0;
}
static int on_file64(const char *path, const struct stat64 *st, int type, struct FTW *ftw) {
  return on_file(path, (const struct stat *)st, type, ftw);
}

static bool step_walk(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, false, &w);
  // Links at the top, and names that end with a slash, are walked differently.
  if (w.outside || w.error || w.slash || w.node->type != DIR_ || w.node->chain) return false;
  walked = 0;
  switch (roll(3)) {
    case 0: nftw(arg.text, on_file, 8, FTW_PHYS); break;
    case 1: nftw64(arg.text, on_file64, 3, FTW_PHYS | FTW_DEPTH | (chance(50) ? FTW_CHDIR : 0)); break;
    default: {
      char *list[] = {arg.text, NULL};
      FTS *fts = fts_open(list, FTS_PHYSICAL | (chance(50) ? FTS_NOCHDIR : 0), NULL);
      for (FTSENT *entry; (entry = fts_read(fts));)
        if (entry->fts_info != FTS_DP) walked++;
      fts_close(fts);
    }
  }
  expect("walk", &w, count_tree(w.node), walked);
  note_links(&w);
  note_tree(w.node, w.path, true);
  return true;
}

static bool step_realpath(void) {
  struct arg arg;
  struct where w;
  char text[PATH_MAX] = "";
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.vague || (w.error && w.error != ENOENT && w.error != ENOTDIR && w.error != ELOOP))
    return false;
  errno = 0;
  char *found = chance(50) ? realpath(arg.text, text) : canonicalize_file_name(arg.text);
  expect("realpath", &w, w.error, found ? 0 : errno);
  if (!w.error && strcmp(found, w.path)) expect("realpath's text", &w, 0, 1);
  if (found != text) free(found);
  note_links(&w);
  if (*w.path) note(w.error ? 'P' : w.unnamed ? 'V' : 'L', w.error, w.path);
  return true;
}

static bool step_chdir(void) {
  struct arg arg;
  struct where w;
  if (chance(30)) {
    struct held *one = &held[roll(MAX_HELD)];
    if (!one->node) return false;
    if (fchdir(one->fd)) expect("fchdir", NULL, 0, errno);
    cwd->held--;
    cwd = one->node;
    cwd->held++;
  } else {
    pick_path(&arg, false, false);
    look_up(arg.base, arg.text, true, &w);
    if (w.outside || (w.node && w.node->chain)) return false;
    int error = w.error ? w.error : w.node->type == DIR_ ? 0 : ENOTDIR;
    expect("chdir", &w, error, RESULT(chdir(arg.text)));
    note_links(&w);
    if (*w.path) note(w.vague || !error ? 'V' : 'P', error, w.path);
    if (error) return true;
    cwd->held--;
    cwd = w.node;
    cwd->held++;
  }
  char path[PATH_SIZE], *got = chance(50) ? getcwd(NULL, 0) : get_current_dir_name();
  path_of(cwd, path);
  if (strcmp(got, path)) expect("getcwd", NULL, 0, 1);
  free(got);
  return true;
}

// Gets, copies and closes descriptors of folders, so that their numbers change hands.
static bool step_hold(void) {
  struct held *one = &held[roll(MAX_HELD)];
  struct arg arg;
  struct where w;
  if (one->node && chance(50)) {
    one->node->held--;
    if (chance(30)) {
      struct held *other = &held[roll(MAX_HELD)];
      if (other->node && other != one) {
        if (chance(50)) dup2(other->fd, one->fd);
        else dup3(other->fd, one->fd, O_CLOEXEC);
        one->node = other->node;
        one->node->held++;
        return true;
      }
    }
    one->node = NULL;
    if (chance(20)) syscall(SYS_close, one->fd);
    else if (chance(20)) close_range((unsigned)one->fd, (unsigned)one->fd, 0);
    else close(one->fd);
    return true;
  }
  if (one->node) return false;
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || w.error || w.node->type != DIR_) return false;
  int fd = openat(arg.fd, arg.text, chance(30) ? O_PATH : O_RDONLY | O_DIRECTORY);
  if (fd >= 0 && chance(30)) {
    int other = chance(50) ? dup(fd) : fcntl(fd, F_DUPFD_CLOEXEC, 20);
    close(fd);
    fd = other;
  }
  expect("hold", &w, 0, fd < 0 ? errno : 0);
  note_links(&w);
  note('V', 0, w.path);
  *one = (struct held){fd, w.node};
  w.node->held++;
  return true;
}

static bool step_dlopen(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, false, false);
  look_up(arg.base, arg.text, true, &w);
  if (w.outside || !strchr(arg.text, '/') || w.error == ELOOP) return false;
  if (w.node && w.node->type == PROGRAM_) return false;
  if (dlopen(arg.text, RTLD_NOW)) expect("dlopen", &w, 0, 1);
  note_links(&w);
  if (*w.path) note(w.vague ? 'V' : w.node && w.node->type != DIR_ ? 'R' : 'P', w.error, w.path);
  return true;
}

bool read_step(unsigned which) {
  static bool (*const all[READ_STEPS])(void) = {
      step_open, step_stat, step_access, step_readlink, step_list, step_glob,
      step_walk, step_realpath, step_chdir, step_hold, step_dlopen};
  return all[which]();
}
