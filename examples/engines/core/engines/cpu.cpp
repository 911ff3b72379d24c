// Processor time of this machine, read from /proc/stat: a module for Python.

#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

struct Times {
  double busy = 0, all = 0;
};

static Times read_times() {
  std::ifstream file("/proc/stat");
  std::string label;
  file >> label;
  if (label != "cpu") throw std::runtime_error("cannot read /proc/stat");
  Times times;
  double ticks = 0;
  // user nice system idle iowait irq softirq steal
  for (int i = 0; i < 8 && file >> ticks; i++) {
    times.all += ticks;
    if (i != 3 && i != 4) times.busy += ticks;
  }
  return times;
}

// How busy all processors were for some time, from 0 to 1.
static double get_usage(double seconds) {
  if (seconds <= 0) throw pybind11::value_error("seconds must be more than 0");
  Times before = read_times();
  {
    pybind11::gil_scoped_release others_may_run;
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }
  Times after = read_times();
  double all = after.all - before.all;
  return all > 0 ? (after.busy - before.busy) / all : 0;
}

// Average load of the last 1, 5 and 15 minutes.
static std::vector<double> get_load() {
  std::ifstream file("/proc/loadavg");
  std::vector<double> load(3);
  for (double &value : load) file >> value;
  return load;
}

PYBIND11_MODULE(cpu, module) {
  module.doc() = "Processor time of this machine";
  module.attr("cores") = std::thread::hardware_concurrency();
  module.def("get_usage", &get_usage, pybind11::arg("seconds") = 0.1);
  module.def("get_load", &get_load);
}
