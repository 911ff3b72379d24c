// The format in which the tracers report: one file, mapped by every traced
// process and by the ptrace tracer, read by the runner with plain reads.
//
// A writer reserves room by adding to `head`, stores the record's size first
// and its contents after. A record's place is its number in time. Room that was
// reserved by a process killed at once after holds zeros only, so a reader
// skips eight bytes at a time until it meets a size again. A record whose state
// is TRACE_WRITING is torn; one in TRACE_CALLING is of a call that never
// returned.

#ifndef CLIBS_TRACE_H
#define CLIBS_TRACE_H

#include <stdint.h>

#define TRACE_MAGIC 0x3172547362696c63ull  // "clibsTr1"
#define TRACE_VERSION 1
#define TRACE_HEADER_SIZE 4096
#define TRACE_ALLOCATE (1u << 18)

enum trace_header_flag {
  TRACE_KEEP_SYSTEM = 1,  // record accesses under system prefixes too
  TRACE_GETENV = 2,       // record variables that getenv() is asked for
  TRACE_ESCALATE = 4,     // follow what the shim cannot see with the tracer
  TRACE_MAKE_FOLDERS = 8, // chdir() makes a folder that is missing
};

struct trace_header {
  uint64_t magic;
  uint32_t version;
  uint32_t flags;
  uint64_t size;          // length of the file, and of its mapping
  uint64_t head;          // atomic: where the next record goes
  uint64_t allocated;     // atomic: storage is reserved up to here
  uint64_t system_reads;  // atomic: accesses that were counted, not recorded
  uint32_t lost;          // atomic: records that could not be written
  uint32_t links;         // atomic: generation; grows when a link may change
  char path[512];         // of this file
  char shim[512];         // of the library to preload; empty: none
  char tracer[512];       // of the ptrace tracer; empty: none
  // Absolute folders without a last slash, each ended by NUL, then an empty one.
  char prefixes[1024];
};

enum trace_op {
  TRACE_START = 1,   // a process is first seen; other = parent's pid
  TRACE_EXEC,        // paths: program, then cwd, then arguments, each with NUL
  TRACE_EXIT,        // other = wait status as waitpid() gives it
  TRACE_READ,        // contents read: Regular and Link
  TRACE_STAT,        // Regular, Link and Stat
  TRACE_ACCESS,      // existence and rights: Link and Stat
  TRACE_LINK,        // a symbolic link was read or traversed: Link
  TRACE_READDIR,     // names in a folder were listed
  TRACE_WRITE,       // opened for writing; flags say how
  TRACE_UNLINK,
  TRACE_RENAME,      // path, NUL, second path
  TRACE_HARDLINK,    // path, NUL, second path: the new name
  TRACE_SYMLINK,     // path is the new link
  TRACE_MKDIR,
  TRACE_RMDIR,
  TRACE_ATTRIBUTES,  // chmod, chown, utime, truncate, setxattr
  TRACE_GETENV_OP,   // path is the name of the variable
  TRACE_ESCAPE,      // path is a program that the method cannot see; other = why
  TRACE_SWITCH,      // other = 1: recording on again, 0: off, for this process
};

enum trace_state {
  TRACE_WRITING = 0,
  TRACE_CALLING,  // written before the call, which has not returned
  TRACE_FOUND,    // the call succeeded
  TRACE_ABSENT,   // ENOENT or ENOTDIR
  TRACE_FAILED,   // another error
};

enum trace_flag {
  TRACE_EXISTED = 1,    // WRITE: the file was there before
  TRACE_TRUNCATED = 2,  // WRITE: with O_TRUNC; EXEC: arguments were cut
  TRACE_APPENDS = 4,    // WRITE: with O_APPEND
  TRACE_READS = 8,      // WRITE: opened for reading too
  TRACE_CREATES = 16,   // WRITE: with O_CREAT
  TRACE_EXECUTES = 32,  // READ: as a program, interpreter or library
  TRACE_BY_PTRACE = 64, // reported by the ptrace tracer
};

enum trace_escape {
  TRACE_ESCAPE_STATIC = 1,   // no dynamic loader
  TRACE_ESCAPE_LOADER = 2,   // the loader of another libc
  TRACE_ESCAPE_MACHINE = 3,  // another architecture or word size
  TRACE_ESCAPE_GO = 4,       // a Go program: calls the kernel by itself
  TRACE_ESCAPE_SETUID = 5,   // runs with other rights
  TRACE_ESCAPE_SEEN = 0x100, // added: the ptrace tracer follows it
};

struct trace_record {
  uint32_t size;  // atomic: of the whole record; a multiple of 8
  uint16_t op;
  uint8_t state;
  uint8_t flags;
  uint32_t pid;
  int32_t other;
  uint64_t time;      // CLOCK_REALTIME in ns
  uint16_t length;    // of the path, without a NUL
  uint16_t length2;   // of what follows the path's NUL; 0: nothing
  uint32_t reserved;
  char path[];
};

// A stat, access or open of one of these names switches recording off or on for
// the calling process and those it starts while it is off. The call fails with
// ENOENT and reaches no file system.
#define TRACE_SWITCH_OFF "/proc/self/clibs-trace/off"
#define TRACE_SWITCH_ON "/proc/self/clibs-trace/on"

// In the environment of traced processes.
#define TRACE_FILE_VARIABLE "CLIBS_TRACE_FILE"  // path of the trace
#define TRACE_OFF_VARIABLE "CLIBS_TRACE_OFF"    // set: starts switched off

#endif
