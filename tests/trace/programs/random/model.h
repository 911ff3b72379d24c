// A model of a small tree of files, which knows what each operation must do.
//
// It lives in memory that all processes of the program share, at one address,
// so that a child goes on where its parent waits.

#ifndef MODEL_H
#define MODEL_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum type { DIR_, FILE_, LINK_, SCRIPT_, PROGRAM_ };

// A file. A folder has one name, which it knows; others may have several.
struct inode {
  enum type type;
  int held;     // processes whose folder it is, or that have it open
  bool chain;   // a folder around the sequence's: most of it is unknown
  int mode;
  struct inode *parent;
  char *name;
  char *text;   // of a link; of a script: its interpreter
  struct entry *entries;
};

struct entry {
  char *name;
  struct inode *node;
  struct entry *next;
};

// A descriptor of a folder.
struct held {
  int fd;
  struct inode *node;
};

#define MAX_HELD 6
#define ARENA_FD 200
#define ARENA_SIZE (64u << 20)
#define LOG_SIZE (8u << 20)
#define PATH_SIZE 8192

struct arena {
  uint64_t random;
  size_t used;
  size_t log_used;
  long faults;
  struct inode *root, *home, *program, *twin;
  char home_path[PATH_MAX];
  char program_path[PATH_MAX];
  char twin_path[PATH_MAX];  // of this program without a loader; may be empty
  // For a child that begins anew after an exec.
  struct inode *child_cwd;
  int child_steps;
  int depth;
  char log[LOG_SIZE];
  char memory[];
};

extern struct arena *arena;
extern struct inode *cwd;
extern struct held held[MAX_HELD];

void arena_make(void);
void arena_attach(int fd);
void arena_reset(void);
void *grab(size_t size);
char *copy(const char *text);

unsigned roll(unsigned limit);
bool chance(unsigned percent);

// Where a path leads.
struct where {
  int error;           // of looking it up
  bool outside;        // leads where nothing is known: not to be tried
  bool vague;          // the canonical name is a matter of taste
  bool slash;          // ends with one
  bool unnamed;        // what it leads to is not named on the way
  struct inode *dir;   // the folder of the last name, if the walk got there
  char name[NAME_MAX + 8];
  struct inode *node;  // what is there, or NULL
  char path[PATH_SIZE];
  char missing[PATH_SIZE];  // what ended the walk before its last name
  int links;
  char *link[48];
};

void path_of(const struct inode *dir, char *to);
struct entry *find(const struct inode *dir, const char *name);
struct inode *add(struct inode *dir, const char *name, struct inode *node);
struct inode *make(enum type type);
void drop(struct inode *dir, const char *name);
bool is_below(const struct inode *node, const struct inode *dir);
void look_up(struct inode *base, const char *text, bool follow, struct where *to);

// The log: what a tracer must see. Kinds: R contents, S stat, A access, L link,
// D list, W changed, X executed, P named in any way, p too, n too and changed or
// not, o renamed away, r opened for both, V may be named, M
// a part of a path that was not there, T a name that was moved.
void note(char kind, int error, const char *path);
void note_links(const struct where *where);
void expect(const char *what, const struct where *where, int expected, int got);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A path to try, and the folder that it is relative to.
struct arg {
  int fd;
  struct inode *base;
  char text[PATH_SIZE];
};

void pick_path(struct arg *arg, bool at, bool fresh);
void pick_name(char *to);

void step(void);
void steps(int count);
bool read_step(unsigned which);
bool write_step(unsigned which);
bool name_step(unsigned which);
bool process_step(unsigned which);
#define READ_STEPS 11
#define WRITE_STEPS 5
#define NAME_STEPS 6
#define PROCESS_STEPS 7

#endif
