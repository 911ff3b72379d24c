// Programs that print what they meet: it must be the same whoever watches.

#ifndef BEHAVE_H
#define BEHAVE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct part {
  const char *name;
  int (*run)(int argc, char **argv);
};

extern const struct part CALLS[], SIGNALS[], PROCESSES[], THREADS[];
extern char *self;  // path of this program
extern char **environ;

void put_file(const char *path);
void list_descriptors(const char *when);
void print_status(const char *what, int status);

#endif
