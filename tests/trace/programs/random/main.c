// random FOLDER FIRST COUNT [static]: sequences of random operations on files,
// one per seed, each in its own folder; prints what a tracer must have seen.
// FOLDER/program is this program, FOLDER/static the same without a loader.

#include "model.h"

static const char *const NAMES[] = {
    "a", "b", "c", "d", "e", "f.c", "g h", "n\nl", "\xff\xfe", "\xc3\xa9", "-x", "%20", "..."};

void pick_name(char *to) {
  if (chance(2)) {
    memset(to, 'l', 255);
    to[255] = 0;
  } else if (chance(1)) {
    memset(to, 'm', 256);
    to[256] = 0;
  } else {
    strcpy(to, NAMES[roll(chance(75) ? 6 : sizeof NAMES / sizeof *NAMES)]);
  }
}

static struct inode *descend(struct inode *at, const char *text) {
  static struct where w;
  look_up(at, text, true, &w);
  return w.node && w.node->type == DIR_ ? w.node : NULL;
}

static struct entry *any_entry(const struct inode *dir) {
  unsigned count = 0;
  struct entry *found = NULL;
  for (struct entry *entry = dir->entries; entry; entry = entry->next)
    if (!roll(++count)) found = entry;
  return found;
}

// A path that mostly leads somewhere; a fresh one mostly ends in a new name.
void pick_path(struct arg *arg, bool at, bool fresh) {
  arg->fd = AT_FDCWD;
  arg->base = cwd;
  *arg->text = 0;
  struct inode *here = cwd;
  if (at && chance(40)) {
    struct held *one = &held[roll(MAX_HELD)];
    if (one->node) {
      arg->fd = one->fd;
      arg->base = here = one->node;
    }
  } else if (chance(15)) {
    here = arena->home;
    path_of(here, arg->text);
    strcat(arg->text, "/");
  }
  for (int depth = 0; depth < 6; depth++) {
    size_t length = strlen(arg->text);
    char *end = arg->text + length;
    struct entry *entry = here ? any_entry(here) : NULL;
    if (here && here->chain && chance(70)) {
      // Back into the sequence's own folder.
      struct inode *down = arena->home;
      while (down->parent && down->parent != here) down = down->parent;
      strcpy(end, down->name);
    } else if (chance(6)) {
      strcpy(end, ".");
    } else if (chance(here && is_below(here, arena->home) && here != arena->home ? 15 : 3)) {
      strcpy(end, "..");
    } else if (entry && !(fresh && chance(25)) && chance(90)) {
      strcpy(end, entry->name);
    } else {
      pick_name(end);
    }
    here = here ? descend(here, end) : NULL;
    if (!here ? chance(90) : chance(fresh ? 20 : 40)) break;
    strcat(arg->text, chance(5) ? "//" : "/");
  }
  size_t length = strlen(arg->text);
  while (length > 1 && arg->text[length - 1] == '/' && !(here && chance(10))) arg->text[--length] = 0;
}

void step(void) {
  for (int tries = 0; tries < 50; tries++) {
    unsigned kind = roll(100);
    bool done = kind < 45 ? read_step(roll(READ_STEPS))
        : kind < 60 ? write_step(roll(WRITE_STEPS))
        : kind < 88 ? name_step(roll(NAME_STEPS))
        : process_step(roll(PROCESS_STEPS));
    if (done) return;
  }
}

void steps(int count) {
  while (count--) step();
}

static void again(void) {
  arena_attach(ARENA_FD);
  cwd = arena->child_cwd;
  cwd->held++;
  steps(arena->child_steps);
  cwd->held--;
  _exit(0);
}

static void start(const char *folder, uint64_t seed) {
  arena_reset();
  arena->random = (seed + 1) * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < 10; i++) roll(2);
  arena->depth = 0;
  struct inode *at = arena->root = make(DIR_);
  at->chain = true;
  char path[PATH_MAX];
  strcpy(path, folder);
  for (char *part = strtok(path, "/"); part; part = strtok(NULL, "/")) {
    at = add(at, part, make(DIR_));
    at->chain = true;
  }
  arena->program = add(at, "program", make(PROGRAM_));
  if (*arena->twin_path) arena->twin = add(at, "static", make(PROGRAM_));
  snprintf(path, sizeof path, "s%lu", seed);
  arena->home = add(at, path, make(DIR_));
  path_of(arena->home, arena->home_path);
  cwd = arena->home;
  cwd->held++;
  if (mkdir(arena->home_path, 0755) || chdir(arena->home_path)) {
    perror(arena->home_path);
    exit(99);
  }
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "@again")) again();
  if (argc < 4) return 2;
  arena_make();
  snprintf(arena->program_path, PATH_MAX, "%s/program", argv[1]);
  if (argc > 4) snprintf(arena->twin_path, PATH_MAX, "%s/static", argv[1]);
  uint64_t first = strtoul(argv[2], NULL, 10), count = strtoul(argv[3], NULL, 10);
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  for (uint64_t seed = first; seed < first + count; seed++) {
    start(argv[1], seed);
    steps(40);
    for (int i = 0; i < MAX_HELD; i++)
      if (held[i].node) {
        close(held[i].fd);
        held[i].node = NULL;
      }
    printf("= %lu %s\n", seed, arena->home_path);
    fwrite(arena->log, 1, arena->log_used, stdout);
    if (chdir(argv[1])) return 99;
  }
  fflush(stdout);
  return arena->faults ? 1 : 0;
}
