// Memory of this machine, read from /proc/meminfo: an engine for Deno's FFI.

#include <cstdint>
#include <fstream>
#include <string>

extern "C" {

/// Sizes in bytes.
struct Memory {
  uint64_t total;
  uint64_t available;
};

/// Fills in `memory`; false if /proc/meminfo cannot be read.
bool read_memory(Memory *memory) {
  std::ifstream file("/proc/meminfo");
  std::string label, unit;
  uint64_t kib = 0;
  while (file >> label >> kib) {
    if (label == "MemTotal:") memory->total = kib * 1024;
    if (label == "MemAvailable:") memory->available = kib * 1024;
    std::getline(file, unit);
  }
  return memory->total > 0;
}

/// How much of `total` is not `available`, from 0 to 1.
double used_share(double total, double available) {
  return total > 0 ? 1 - available / total : 0;
}

}
