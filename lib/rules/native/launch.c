// The twins of the job module as programs: ldepend, ltarget, lcheck_deps,
// lencode, ldecode, lrun_cc, xxhsum. One program under all their names: it
// sends its arguments to the runner and prints the answer, see
// docs/request-channel.md. All knowledge of options is the runner's.

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_VARIABLE "CLIBS_JOB_SOCKET"
#define JOB_ID_VARIABLE "CLIBS_JOB_ID"
#define MAX_FRAME (64u << 20)

enum { EXIT_OUTSIDE = 2, EXIT_UNREACHABLE = 4, EXIT_SYSTEM = 10 };

static const char *program = "";

static void fail(int code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s: ", program);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(code);
}

struct buffer {
  char *bytes;
  size_t size, room;
};

static void reserve(struct buffer *buffer, size_t count) {
  if (buffer->room - buffer->size >= count) return;
  size_t room = buffer->room ? buffer->room * 2 : 4096;
  while (room - buffer->size < count) room *= 2;
  char *bytes = realloc(buffer->bytes, room);
  if (!bytes) fail(EXIT_SYSTEM, "out of memory");
  buffer->bytes = bytes;
  buffer->room = room;
}

static void add(struct buffer *buffer, const void *bytes, size_t count) {
  reserve(buffer, count);
  memcpy(buffer->bytes + buffer->size, bytes, count);
  buffer->size += count;
}

// With its NUL, which ends the field.
static void add_field(struct buffer *buffer, const char *text) {
  add(buffer, text, strlen(text) + 1);
}

static void add_stdin(struct buffer *buffer) {
  for (;;) {
    reserve(buffer, 65536);
    ssize_t count = read(0, buffer->bytes + buffer->size, 65536);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(EXIT_SYSTEM, "cannot read stdin: %s", strerror(errno));
    if (count == 0) return;
    buffer->size += (size_t)count;
    if (buffer->size > MAX_FRAME)
      fail(1, "what came on stdin is over %u MiB", MAX_FRAME >> 20);
  }
}

// Whether the runner will want to know stdin.
static int wants_stdin(int argc, char **argv) {
  if (!strcmp(program, "lencode")) {
    for (int i = 1; i < argc; i++)
      if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) return 0;
    return 1;
  }
  if (strcmp(program, "xxhsum")) return 0;
  return argc == 1 || (argc == 2 && !strcmp(argv[1], "--"));
}

// To a runner on another machine: `host:port`.
static int connect_far(const char *address) {
  char host[256];
  const char *colon = strrchr(address, ':');
  if (!colon || (size_t)(colon - address) >= sizeof host)
    fail(EXIT_UNREACHABLE, "cannot reach the runner: tcp:%s is no address", address);
  memcpy(host, address, (size_t)(colon - address));
  host[colon - address] = 0;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int wrong = getaddrinfo(host, colon + 1, &hints, &found);
  if (wrong)
    fail(EXIT_UNREACHABLE, "cannot reach the runner at %s: %s", address, gai_strerror(wrong));
  for (struct addrinfo *at = found; at; at = at->ai_next) {
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) return fd;
    if (fd >= 0) close(fd);
  }
  fail(EXIT_UNREACHABLE, "cannot reach the runner at %s: %s", address, strerror(errno));
  return -1;
}

static int connect_to(const char *path) {
  if (*path == '@')
    fail(EXIT_UNREACHABLE,
         "cannot reach the runner on %s from this machine: set lmake.config.slurm.address to a "
         "name by which nodes know that machine, or run the job there",
         path + 1);
  if (!strncmp(path, "tcp:", 4)) return connect_far(path + 4);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path)
    fail(EXIT_UNREACHABLE, "cannot reach the runner: %s is too long a path", path);
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(EXIT_SYSTEM, "cannot make a socket: %s", strerror(errno));
  // EAGAIN: its queue is full, because many came at once.
  for (int tries = 0; connect(fd, (struct sockaddr *)&address, sizeof address);) {
    if (errno == EISCONN) break;
    if (errno != EINTR && (errno != EAGAIN || ++tries > 3000))
      fail(EXIT_UNREACHABLE, "cannot reach the runner at %s: %s", path, strerror(errno));
    usleep(1000);
  }
  return fd;
}

static void send_all(int fd, const char *bytes, size_t count) {
  while (count) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // It may have refused the frame and said why.
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
    if (sent < 0) fail(EXIT_SYSTEM, "cannot ask the runner: %s", strerror(errno));
    bytes += sent;
    count -= (size_t)sent;
  }
}

static void receive(int fd, void *bytes, size_t count) {
  char *at = bytes;
  while (count) {
    ssize_t got = recv(fd, at, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ECONNRESET)
      fail(EXIT_SYSTEM, "cannot hear the runner: %s", strerror(errno));
    if (got <= 0) fail(EXIT_OUTSIDE, "the runner gave no answer");
    at += got;
    count -= (size_t)got;
  }
}

static uint32_t number(const unsigned char *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
         (uint32_t)bytes[3] << 24;
}

static void print(int to, const char *bytes, size_t count) {
  while (count) {
    ssize_t written = write(to, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(EXIT_SYSTEM, "cannot write: %s", strerror(errno));
    bytes += written;
    count -= (size_t)written;
  }
}

// Copies so many bytes of the answer to a descriptor.
static void copy(int from, int to, size_t count) {
  char chunk[65536];
  while (count) {
    size_t part = count < sizeof chunk ? count : sizeof chunk;
    receive(from, chunk, part);
    print(to, chunk, part);
    count -= part;
  }
}

static void add_request(struct buffer *frame, const char *job, int argc, char **argv) {
  char count[16];
  char *cwd = getcwd(NULL, 0);
  if (!cwd) fail(EXIT_SYSTEM, "cannot tell the current folder: %s", strerror(errno));
  add(frame, "\0\0\0\0", 4);
  add_field(frame, "twin1");
  add_field(frame, job);
  add_field(frame, cwd);
  add_field(frame, program);
  snprintf(count, sizeof count, "%d", argc - 1);
  add_field(frame, count);
  for (int i = 1; i < argc; i++) add_field(frame, argv[i]);
  free(cwd);
  if (wants_stdin(argc, argv)) add_stdin(frame);
  size_t size = frame->size - 4;
  if (size > MAX_FRAME) fail(1, "arguments are over %u MiB", MAX_FRAME >> 20);
  for (int i = 0; i < 4; i++) frame->bytes[i] = (char)(size >> (8 * i));
}

int main(int argc, char **argv) {
  program = argc > 0 ? argv[0] : "";
  const char *slash = strrchr(program, '/');
  if (slash) program = slash + 1;
  const char *path = getenv(SOCKET_VARIABLE), *job = getenv(JOB_ID_VARIABLE);
  if (!path || !*path || !job || !*job)
    fail(EXIT_OUTSIDE, "not inside a job of clibs make");
  struct buffer frame = {0};
  add_request(&frame, job, argc, argv);
  int fd = connect_to(path);
  send_all(fd, frame.bytes, frame.size);
  // Length of the frame, exit code, index of a command or -1, two lengths.
  unsigned char head[20];
  receive(fd, head, sizeof head);
  int32_t code = (int32_t)number(head + 4), run = (int32_t)number(head + 8);
  copy(fd, 1, number(head + 12));
  copy(fd, 2, number(head + 16));
  close(fd);
  if (run < 0) return code;
  if (run + 1 >= argc) fail(EXIT_OUTSIDE, "the runner gave no command");
  execvp(argv[run + 1], argv + run + 1);
  code = errno == ENOENT ? 127 : 126;
  fail(code, "cannot run %s: %s", argv[run + 1], strerror(errno));
}
