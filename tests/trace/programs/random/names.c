// Operations that change names.

#include "model.h"

#include <sys/syscall.h>

#define RESULT(call) (errno = 0, (call) < 0 ? errno : 0)

// Whether a new name can be made there: what would fail otherwise is known.
static int error_of_new(const struct where *w) {
  if (w->error == ENOENT && w->dir) return 0;
  return w->error ? w->error : EEXIST;
}

static bool in_chain(const struct where *w) {
  return (w->dir && w->dir->chain) || (w->node && w->node->chain);
}

static bool step_mkdir(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, true);
  look_up(arg.base, arg.text, false, &w);
  if (w.outside || in_chain(&w) || (w.slash && (w.node || !w.dir))) return false;
  int error = error_of_new(&w);
  int got = RESULT(arg.fd == AT_FDCWD && chance(60) ? mkdir(arg.text, 0755) : mkdirat(arg.fd, arg.text, 0755));
  expect("mkdir", &w, error, got);
  note_links(&w);
  if (*w.path) note(!error ? 'W' : w.vague ? 'V' : 'P', error, w.path);
  if (!error) add(w.dir, w.name, make(DIR_));
  return true;
}

static bool ends_in_dots(const char *text) {
  const char *last = strrchr(text, '/');
  last = last ? last + 1 : text;
  return !strcmp(last, ".") || !strcmp(last, "..") || !*last;
}

// Whether somebody is in a folder, or has it open.
static bool is_held(const struct inode *dir) {
  if (dir->type != DIR_) return false;
  return dir->held || dir->chain || dir == arena->home;
}

static bool step_remove(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, false);
  look_up(arg.base, arg.text, false, &w);
  if (w.outside || in_chain(&w) || ends_in_dots(arg.text)) return false;
  if (w.node && is_held(w.node)) return false;
  bool folder = w.node && w.node->type == DIR_ ? chance(80) : chance(15);
  bool remove_it = arg.fd == AT_FDCWD && chance(25);
  if (remove_it) folder = w.node && w.node->type == DIR_;
  int error = w.error;
  if (!error && folder && w.node->type != DIR_) error = ENOTDIR;
  if (!error && !folder && w.node->type == DIR_) error = EISDIR;
  if (!error && folder && w.node->entries) error = ENOTEMPTY;
  int got;
  if (remove_it) got = RESULT(remove(arg.text));
  else if (arg.fd != AT_FDCWD || chance(50)) got = RESULT(unlinkat(arg.fd, arg.text, folder ? AT_REMOVEDIR : 0));
  else got = RESULT(folder ? rmdir(arg.text) : unlink(arg.text));
  expect(folder ? "rmdir" : "unlink", &w, error, got);
  note_links(&w);
  if (*w.path) note(!error ? 'W' : w.vague ? 'V' : 'P', error, w.path);
  if (!error) drop(w.dir, w.name);
  return true;
}

static int rename_some(const struct arg *from, const struct arg *to, unsigned flags) {
  if (!flags && from->fd == AT_FDCWD && to->fd == AT_FDCWD && chance(50))
    return rename(from->text, to->text);
  if (!flags && chance(50)) return renameat(from->fd, from->text, to->fd, to->text);
  if (chance(30)) return (int)syscall(SYS_renameat2, from->fd, from->text, to->fd, to->text, flags);
  return renameat2(from->fd, from->text, to->fd, to->text, flags);
}

// What the kernel says to a rename, in the order in which it looks.
static int error_of_rename(const struct where *from, const struct where *to, unsigned flags) {
  if (from->error) return from->error;
  if (!to->dir || (to->error && to->error != ENOENT)) return to->error;
  if (to->node && flags & 1) return EEXIST;
  if (!to->node && flags & 2) return ENOENT;
  bool folder = from->node->type == DIR_;
  if (folder && is_below(to->dir, from->node)) return EINVAL;
  if (to->node && to->node->type == DIR_ && is_below(from->dir, to->node))
    return flags & 2 ? EINVAL : ENOTEMPTY;
  if (from->node == to->node || !to->node || flags & 2) return 0;
  if (folder && to->node->type != DIR_) return ENOTDIR;
  if (!folder && to->node->type == DIR_) return EISDIR;
  if (folder && to->node->entries) return ENOTEMPTY;
  return 0;
}

static bool step_rename(void) {
  static struct where from, to;
  struct arg a, b;
  pick_path(&a, true, false);
  pick_path(&b, true, true);
  unsigned flags = chance(15) ? 1 : chance(15) ? 2 : 0;
  look_up(a.base, a.text, false, &from);
  look_up(b.base, b.text, false, &to);
  if (from.outside || to.outside || from.vague || to.vague || in_chain(&from) || in_chain(&to)) return false;
  if (ends_in_dots(a.text) || ends_in_dots(b.text)) return false;
  if (from.node == arena->home || to.node == arena->home) return false;
  if (to.node && is_held(to.node) && to.node != from.node && !(flags & 2)) return false;
  // Whose error comes first when both have one is not worth knowing.
  if (from.error && (to.error != ENOENT || !to.dir)) return false;
  int error = error_of_rename(&from, &to, flags);
  if (from.error && flags) return false;
  bool nothing = !error && from.node == to.node;
  expect("rename", &from, error, RESULT(rename_some(&a, &b, flags)));
  note_links(&from);
  note_links(&to);
  // Of two names of one file nothing is changed, though it succeeds.
  note(nothing ? 'n' : error ? 'P' : 'W', from.error, from.path);
  if (!from.error && !error && !nothing) note('o', 0, from.path);
  if (*to.path) note(nothing ? 'n' : error ? 'p' : 'W', to.error, to.path);
  if (error || nothing) return true;
  // A folder takes along what is in it; what was there may be named anew.
  note('T', 0, from.path);
  note('T', 0, to.path);
  drop(from.dir, from.name);
  if (to.node) drop(to.dir, to.name);
  add(to.dir, to.name, from.node);
  if (flags & 2) add(from.dir, from.name, to.node);
  return true;
}

static bool step_link(void) {
  static struct where from, to;
  struct arg a, b;
  bool follow = chance(40);
  pick_path(&a, true, false);
  pick_path(&b, true, true);
  look_up(a.base, a.text, follow, &from);
  look_up(b.base, b.text, false, &to);
  if (from.outside || to.outside || from.vague || to.vague || in_chain(&to)) return false;
  if (from.slash || to.slash || (from.error && (to.error != ENOENT || !to.dir))) return false;
  int error = from.error ? from.error : error_of_new(&to);
  if (!error && from.node->type == DIR_) error = EPERM;
  int got = RESULT(!follow && a.fd == AT_FDCWD && b.fd == AT_FDCWD && chance(60)
      ? link(a.text, b.text)
      : linkat(a.fd, a.text, b.fd, b.text, follow ? AT_SYMLINK_FOLLOW : 0));
  expect("link", &from, error, got);
  note_links(&from);
  note_links(&to);
  if (*from.path) note(from.vague ? 'V' : 'P', from.error, from.path);
  if (*to.path) note(error ? 'p' : 'W', to.error, to.path);
  if (!error) add(to.dir, to.name, from.node);
  return true;
}

static bool step_symlink(void) {
  struct arg arg, target;
  struct where w;
  pick_path(&arg, true, true);
  pick_path(&target, false, chance(20));
  look_up(arg.base, arg.text, false, &w);
  if (w.outside || in_chain(&w) || w.slash || strlen(target.text) > 900) return false;
  int error = error_of_new(&w);
  int got = RESULT(arg.fd == AT_FDCWD && chance(60) ? symlink(target.text, arg.text)
                                                    : symlinkat(target.text, arg.fd, arg.text));
  expect("symlink", &w, error, got);
  note_links(&w);
  if (*w.path) note(!error ? 'W' : w.vague ? 'V' : 'P', error, w.path);
  if (!error) add(w.dir, w.name, make(LINK_))->text = copy(target.text);
  return true;
}

static bool step_mknod(void) {
  struct arg arg;
  struct where w;
  pick_path(&arg, true, true);
  look_up(arg.base, arg.text, false, &w);
  if (w.outside || in_chain(&w) || w.slash) return false;
  int error = error_of_new(&w);
  int got = RESULT(arg.fd == AT_FDCWD && chance(60) ? mknod(arg.text, S_IFREG | 0644, 0)
                                                    : mknodat(arg.fd, arg.text, S_IFREG | 0644, 0));
  expect("mknod", &w, error, got);
  note_links(&w);
  if (*w.path) note(!error ? 'W' : w.vague ? 'V' : 'P', error, w.path);
  if (!error) add(w.dir, w.name, make(FILE_));
  return true;
}

bool name_step(unsigned which) {
  static bool (*const all[NAME_STEPS])(void) = {
      step_mkdir, step_remove, step_rename, step_link, step_symlink, step_mknod};
  return all[which]();
}
