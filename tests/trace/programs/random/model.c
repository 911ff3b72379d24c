// The tree, how names are looked up in it, and the log.

#include "model.h"

#include <stdarg.h>
#include <sys/mman.h>

struct arena *arena;
struct inode *cwd;
struct held held[MAX_HELD];

void arena_attach(int fd) {
  void *at = (void *)0x200000000000;
  arena = mmap(at, ARENA_SIZE, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
  if (arena == MAP_FAILED) {
    perror("mmap");
    _exit(99);
  }
}

void arena_make(void) {
  int fd = memfd_create("arena", 0);
  if (fd < 0 || ftruncate(fd, ARENA_SIZE) || dup2(fd, ARENA_FD) < 0) {
    perror("memfd_create");
    _exit(99);
  }
  close(fd);
  arena_attach(ARENA_FD);
}

void arena_reset(void) {
  arena->used = 0;
  arena->log_used = 0;
}

void *grab(size_t size) {
  void *found = arena->memory + arena->used;
  arena->used += (size + 15) & ~15ul;
  if (sizeof *arena + arena->used > ARENA_SIZE) {
    fprintf(stderr, "the arena is full\n");
    _exit(99);
  }
  return memset(found, 0, size);
}

char *copy(const char *text) {
  return memcpy(grab(strlen(text) + 1), text, strlen(text) + 1);
}

unsigned roll(unsigned limit) {
  uint64_t x = arena->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  arena->random = x;
  return (unsigned)((x >> 11) % limit);
}

bool chance(unsigned percent) { return roll(100) < percent; }

void path_of(const struct inode *dir, char *to) {
  if (!dir->parent) {
    *to = 0;
    return;
  }
  path_of(dir->parent, to);
  strcat(to, "/");
  strcat(to, dir->name);
}

struct entry *find(const struct inode *dir, const char *name) {
  for (struct entry *entry = dir->entries; entry; entry = entry->next)
    if (!strcmp(entry->name, name)) return entry;
  return NULL;
}

struct inode *make(enum type type) {
  struct inode *node = grab(sizeof *node);
  node->type = type;
  node->mode = type == FILE_ ? 0644 : 0755;
  return node;
}

struct inode *add(struct inode *dir, const char *name, struct inode *node) {
  struct entry *entry = grab(sizeof *entry);
  entry->name = copy(name);
  entry->node = node;
  entry->next = dir->entries;
  dir->entries = entry;
  if (node->type == DIR_) {
    node->parent = dir;
    node->name = entry->name;
  }
  return node;
}

void drop(struct inode *dir, const char *name) {
  for (struct entry **at = &dir->entries; *at; at = &(*at)->next)
    if (!strcmp((*at)->name, name)) {
      *at = (*at)->next;
      return;
    }
}

bool is_below(const struct inode *node, const struct inode *dir) {
  for (; node; node = node->parent)
    if (node == dir) return true;
  return false;
}

static bool only_slashes(const char *text) {
  return text[strspn(text, "/")] == 0;
}

// The rest of a path, after a name that ended the walk.
static void give_up(struct where *to, const struct inode *dir, const char *name,
                    const char *rest, int error) {
  path_of(dir, to->path);
  if (*name) strcat(strcat(to->path, "/"), name);
  if (!only_slashes(rest)) strcpy(to->missing, to->path);
  while (*rest) {
    rest += strspn(rest, "/");
    size_t length = strcspn(rest, "/");
    if (length == 2 && !strncmp(rest, "..", 2)) to->vague = true;
    if (length && !(length == 1 && *rest == '.')) {
      strcat(to->path, "/");
      strncat(to->path, rest, length);
    }
    rest += length;
  }
  to->error = error;
}

void look_up(struct inode *base, const char *text, bool follow, struct where *to) {
  static char buffers[2][3 * PATH_SIZE];
  int turn = 0;
  memset(to, 0, sizeof *to);
  if (!*text) {
    to->error = ENOENT;
    to->outside = true;
    return;
  }
  if (strlen(text) >= PATH_MAX) {
    to->error = ENAMETOOLONG;
    return;
  }
  to->slash = text[strlen(text) - 1] == '/';
  char *todo = strcpy(buffers[0], text);
  struct inode *at = *text == '/' ? arena->root : base;
  to->unnamed = true;
  for (;;) {
    todo += strspn(todo, "/");
    size_t length = strcspn(todo, "/");
    char name[PATH_SIZE];
    memcpy(name, todo, length);
    name[length] = 0;
    char *rest = todo + length;
    if (!length) {
      to->node = at;
      to->dir = at->parent;
      if (at->parent) strcpy(to->name, at->name);
      path_of(at, to->path);
      if (!*to->path) strcpy(to->path, "/");
      return;
    }
    todo = rest;
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
      if (name[1] && at->parent) at = at->parent;
      if (name[1]) to->unnamed = true;
      continue;
    }
    if (length > NAME_MAX) {
      to->vague = true;
      give_up(to, at, name, rest, ENAMETOOLONG);
      return;
    }
    struct entry *entry = find(at, name);
    bool last = only_slashes(rest);
    if (!entry) {
      to->outside = at->chain;
      give_up(to, at, name, rest, ENOENT);
      if (last) {
        to->dir = at;
        strcpy(to->name, name);
      }
      return;
    }
    struct inode *node = entry->node;
    to->unnamed = false;
    if (node->type == LINK_ && !(last && !follow && !*rest)) {
      char path[PATH_SIZE];
      path_of(at, path);
      if (to->links < 41) to->link[to->links] = copy(strcat(strcat(path, "/"), name));
      if (++to->links > 40) {
        to->links = 40;
        to->error = ELOOP;
        return;
      }
      turn = !turn;
      strcat(strcpy(buffers[turn], node->text), rest);
      todo = buffers[turn];
      if (*todo == '/') at = arena->root;
      continue;
    }
    if (node->type == DIR_) {
      at = node;
      continue;
    }
    if (!last || *rest) {
      give_up(to, at, name, rest, ENOTDIR);
      return;
    }
    to->node = node;
    to->dir = at;
    strcpy(to->name, name);
    path_of(at, to->path);
    strcat(strcat(to->path, "/"), name);
    return;
  }
}

void say(const char *format, ...) {
  va_list list;
  va_start(list, format);
  size_t room = LOG_SIZE - arena->log_used;
  int length = vsnprintf(arena->log + arena->log_used, room, format, list);
  va_end(list);
  if ((size_t)length >= room) {
    fprintf(stderr, "the log is full\n");
    _exit(99);
  }
  arena->log_used += (size_t)length;
}

static void say_bytes(const char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c <= ' ' || c >= 127 || c == '%') say("%%%02x", c);
    else say("%c", c);
  }
}

void note(char kind, int error, const char *path) {
  char state = !error ? 'F' : error == ENOENT || error == ENOTDIR ? 'N' : 'E';
  say("%c%c ", kind, state);
  say_bytes(path);
  say("\n");
}

void note_links(const struct where *where) {
  // A tracer may stop where the kernel did, or name the whole.
  if (*where->missing) {
    note('V', ENOENT, where->missing);
    note('M', ENOENT, where->missing);
  }
  for (int i = 0; i < where->links; i++) {
    note(where->vague ? 'V' : 'L', 0, where->link[i]);
    // In a circle of links any of them may stand for where the path leads.
    if (where->error == ELOOP) note('V', 0, where->link[i]);
  }
}

// Says what is done, for a person who looks for a fault, and checks its end.
void expect(const char *what, const struct where *where, int expected, int got) {
  say("# %d %s ", getpid(), what);
  if (where) say_bytes(where->path);
  say(" = %d\n", got);
  if (expected == got) return;
  arena->faults++;
  say("! %s ", what);
  if (where) say_bytes(where->path);
  say(": errno %d (%s), not %d (%s)\n", got, strerror(got), expected, strerror(expected));
}
