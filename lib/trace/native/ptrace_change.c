// Calls that change something: recorded before they are made, in case nobody
// lives to tell, and again when they have returned.

#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "ptrace.h"

static bool is_regular(const struct place *place) {
  struct stat info;
  return lstat(place->path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool is_folder(const struct place *place) {
  struct stat info;
  return lstat(place->path, &info) == 0 && S_ISDIR(info.st_mode);
}

// Remembers what must be known at the call's end.
static bool begin(struct task *task, unsigned call, uint64_t at,
                  const struct place *a, const struct place *b, bool links) {
  struct change *change = &task->change;
  *change = (struct change){
      .active = true,
      .call = (uint8_t)call,
      .links = links,
      .at = {at},
      .hashes = {a && !a->system ? a->hash : 0, b && !b->system ? b->hash : 0},
  };
  if (links) links_begin();
  return true;
}

static uint8_t existed(const struct place *place) {
  return place->state == TRACE_FOUND ? TRACE_EXISTED : 0;
}

static bool change_one(struct task *task, unsigned call, int dir,
                       uint64_t address, unsigned how, uint16_t op) {
  struct place place = argument_path(task, dir, address, how, &buffers[0]);
  if (!place.usable) return false;
  uint8_t flags = existed(&place);
  if (op == TRACE_WRITE) flags |= TRACE_CREATES;
  uint64_t at = report_change(task, op, flags, &place, NULL);
  bool links = op == TRACE_SYMLINK || (op == TRACE_UNLINK && place.is_link);
  if (!at && !links) return false;
  return begin(task, call, at, &place, NULL, links);
}

static bool change_open(struct task *task, unsigned call, int dir,
                        uint64_t address, uint64_t flags) {
  if (!(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))) {
    see_open(task, dir, address, flags);
    return false;
  }
  // A file without a name; it gets one, if at all, by linkat().
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    struct place folder =
        argument_path(task, dir, address, FOLLOW, &buffers[0]);
    report(task, TRACE_ACCESS, 0, &folder, folder.state);
    return false;
  }
  bool made = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  unsigned how = (flags & O_NOFOLLOW) || made ? 0 : FOLLOW;
  struct place place = argument_path(task, dir, address, how, &buffers[0]);
  if (!place.usable) return false;
  uint8_t kind = existed(&place) | (flags & O_TRUNC ? TRACE_TRUNCATED : 0) |
                 (flags & O_APPEND ? TRACE_APPENDS : 0) |
                 ((flags & O_ACCMODE) != O_WRONLY ? TRACE_READS : 0) |
                 (flags & O_CREAT ? TRACE_CREATES : 0);
  uint64_t at = report_change(task, TRACE_WRITE, kind, &place, NULL);
  return at && begin(task, call, at, &place, NULL, false);
}

static bool change_openat2(struct task *task, const struct arguments *a) {
  uint64_t how[3];  // flags, mode, resolve
  if (!read_memory(task->tid, a->at[2], how, sizeof how)) return false;
  return change_open(task, a->call, (int)a->at[0], a->at[1], how[0]);
}

// Whether a hard link is of a descriptor: of a file that may have no name.
static bool is_nameless(struct task *task, uint64_t address) {
  char name[6] = "";
  return read_memory(task->tid, address, name, 1) &&
         (!*name || (read_memory(task->tid, address, name, sizeof name) &&
                     memcmp(name, "/proc/", sizeof name) == 0));
}

// Calls with two names. That of a hard link may be of a file that has none.
static bool change_two(struct task *task, unsigned call, int dir,
                       uint64_t address, unsigned how, int dir2,
                       uint64_t address2, uint16_t op, bool swaps) {
  struct place a = argument_path(task, dir, address, how, &buffers[0]);
  struct place b = argument_path(task, dir2, address2, 0, &buffers[1]);
  if (!b.usable || (!a.usable && op == TRACE_RENAME)) return false;
  uint64_t at, other = 0;
  if (!a.usable || (op == TRACE_HARDLINK && a.state == TRACE_ABSENT &&
                    is_nameless(task, address))) {
    at = report_change(task, TRACE_WRITE, TRACE_CREATES | existed(&b), &b,
                       NULL);
  } else {
    at = report_change(task, op, existed(&b), &a, &b);
  }
  if (swaps) other = report_change(task, op, existed(&a), &b, &a);
  bool moves_folder = op == TRACE_RENAME && is_folder(&a);
  bool links = op == TRACE_RENAME &&
               (a.is_link || b.is_link || !is_regular(&a) || swaps);
  if (!at && !links) return false;
  begin(task, call, at, a.usable ? &a : NULL, &b, links);
  task->change.at[1] = other;
  task->change.moves_folder = moves_folder || (swaps && is_folder(&b));
  return true;
}

static bool change_mode(struct task *task, unsigned call, int fd) {
  if (task->process->off) return false;
  char *path = buffers[0].path;
  ssize_t n = path_of_fd(task->tid, "fd", fd, path, ROOM);
  if (n <= 0) return false;
  struct place place = {
      .path = path,
      .length = (size_t)n,
      .hash = hash_path(path, (size_t)n),
      .system = !trace_keeps_system() && trace_is_system(path),
  };
  uint64_t at =
      report_change(task, TRACE_ATTRIBUTES, TRACE_EXISTED, &place, NULL);
  return at && begin(task, call, at, &place, NULL, false);
}

static bool change_cwd(struct task *task, const struct arguments *a) {
  char *path = buffers[0].path;
  size_t length;
  if (a->call == CALL_FCHDIR) {
    ssize_t n = path_of_fd(task->tid, "fd", (int)a->at[0], path, ROOM);
    if (n < 0) return false;
    length = (size_t)n;
  } else {
    struct place place =
        argument_path(task, AT_FDCWD, a->at[0], FOLLOW, &buffers[0]);
    if (place.usable) report(task, TRACE_ACCESS, 0, &place, place.state);
    // By spelling alone it is not known where a system folder really is.
    bool tracked = place.usable && !place.system;
    bool made = tracked && place.state == TRACE_ABSENT &&
                trace_make_folders(path, place.length);
    bool known = tracked && (place.state == TRACE_FOUND || made);
    if (place.usable && place.state != TRACE_FOUND && !made) return false;
    length = known ? place.length : 0;
  }
  begin(task, a->call, 0, NULL, NULL, false);
  if (length && (task->change.cwd = malloc(length))) {
    memcpy(task->change.cwd, path, length);
    task->change.cwd_length = length;
  }
  return true;
}

static bool change_attributes(struct task *task, const struct arguments *a,
                              int flags_at) {
  uint64_t flags = flags_at < 0 ? 0 : a->at[flags_at];
  unsigned how = (flags & AT_SYMLINK_NOFOLLOW ? 0 : FOLLOW) |
                 (flags & AT_EMPTY_PATH ? EMPTY_IS_FD : 0);
  return change_one(task, a->call, (int)a->at[0], a->at[1], how,
                    TRACE_ATTRIBUTES);
}

// What a process sees after this is not followed: the root folder is taken to
// be everybody's.
static void look_at_root(struct task *task, uint64_t address) {
  struct place place =
      argument_path(task, AT_FDCWD, address, FOLLOW, &buffers[0]);
  if (place.usable) report(task, TRACE_ACCESS, 0, &place, place.state);
}

#ifdef TRACE_LISTENS
// The address may belong to a child that has a listener to hand over.
static bool is_listener(struct task *task, uint64_t address) {
  char name[sizeof TRACE_LISTENER];
  return !is_listening() &&
         read_memory(task->tid, address, name, sizeof name) &&
         memcmp(name, TRACE_LISTENER, sizeof name) == 0;
}
#endif

bool see_change(struct task *task, const struct arguments *a) {
  const uint64_t *v = a->at;
  int dir = (int)v[0];
  const int here = AT_FDCWD;
  switch (a->call) {
    case CALL_OPEN: return change_open(task, a->call, here, v[0], v[1]);
    case CALL_OPENAT: return change_open(task, a->call, dir, v[1], v[2]);
    case CALL_OPENAT2: return change_openat2(task, a);
    case CALL_CREAT:
      return change_open(task, a->call, here, v[0],
                         O_CREAT | O_WRONLY | O_TRUNC);
    case CALL_RENAME:
      return change_two(task, a->call, here, v[0], 0, here, v[1],
                        TRACE_RENAME, false);
    case CALL_RENAMEAT:
      return change_two(task, a->call, dir, v[1], 0, (int)v[2], v[3],
                        TRACE_RENAME, false);
    case CALL_RENAMEAT2:  // 2: RENAME_EXCHANGE
      return change_two(task, a->call, dir, v[1], 0, (int)v[2], v[3],
                        TRACE_RENAME, v[4] & 2);
    case CALL_LINK:
      return change_two(task, a->call, here, v[0], 0, here, v[1],
                        TRACE_HARDLINK, false);
    case CALL_LINKAT:
      return change_two(task, a->call, dir, v[1],
                        (v[4] & AT_SYMLINK_FOLLOW ? FOLLOW | DEEP : 0) |
                            (v[4] & AT_EMPTY_PATH ? EMPTY_IS_FD : 0),
                        (int)v[2], v[3], TRACE_HARDLINK, false);
    case CALL_SYMLINK:
      return change_one(task, a->call, here, v[1], 0, TRACE_SYMLINK);
    case CALL_SYMLINKAT:
      return change_one(task, a->call, (int)v[1], v[2], 0, TRACE_SYMLINK);
    case CALL_UNLINK:
      return change_one(task, a->call, here, v[0], 0, TRACE_UNLINK);
    case CALL_UNLINKAT:
      return change_one(task, a->call, dir, v[1], 0,
                        v[2] & AT_REMOVEDIR ? TRACE_RMDIR : TRACE_UNLINK);
    case CALL_RMDIR:
      return change_one(task, a->call, here, v[0], 0, TRACE_RMDIR);
    case CALL_MKDIR:
#ifdef TRACE_LISTENS
      if (v[1] < 0x10000 && is_listener(task, v[0])) {
        listen_to(task->tid, (int)v[1]);
        return false;
      }
#endif
      return change_one(task, a->call, here, v[0], 0, TRACE_MKDIR);
    case CALL_MKDIRAT:
      return change_one(task, a->call, dir, v[1], 0, TRACE_MKDIR);
    case CALL_MKNOD:
      return change_one(task, a->call, here, v[0], 0, TRACE_WRITE);
    case CALL_MKNODAT:
      return change_one(task, a->call, dir, v[1], 0, TRACE_WRITE);
    case CALL_CHANGE:
      return change_one(task, a->call, here, v[0], FOLLOW, TRACE_ATTRIBUTES);
    case CALL_LCHANGE:
      return change_one(task, a->call, here, v[0], 0, TRACE_ATTRIBUTES);
    case CALL_FCHANGE: return change_mode(task, a->call, (int)v[0]);
    case CALL_CHANGEAT: return change_attributes(task, a, -1);
    case CALL_CHANGEAT_FLAGS2: return change_attributes(task, a, 2);
    case CALL_CHANGEAT_FLAGS3: return change_attributes(task, a, 3);
    case CALL_CHANGEAT_FLAGS4: return change_attributes(task, a, 4);
    case CALL_CHDIR:
    case CALL_FCHDIR: return change_cwd(task, a);
    case CALL_UNSHARE:
      // Threads may each have a folder of their own from now on.
      if (v[0] & 0x200) task->process->shares_cwd = true;  // CLONE_FS
      return false;
    case CALL_CHROOT:
      look_at_root(task, v[0]);
      return false;
    default: see_look(task, a); return false;
  }
}

void see_end(struct task *task, int64_t result) {
  struct change *change = &task->change;
  if (!change->active) return;
  change->active = false;
  bool done = result >= 0;
  uint8_t state = trace_state_of(done ? 0 : (int)-result);
  for (int i = 0; i < 2; i++) {
    trace_settle(change->at[i], state);
    if (done && change->hashes[i]) forget(change->hashes[i]);
  }
  if (done && change->moves_folder) forget(0);
  if (change->links) links_end(done);
  if (change->call == CALL_CHDIR || change->call == CALL_FCHDIR) {
    struct process *process = task->process;
    if (done && change->cwd) {
      process_set_cwd(process, change->cwd, change->cwd_length);
    } else if (done) {
      process_forget_cwd(process);
    }
    free(change->cwd);
    change->cwd = NULL;
  }
}
