#include "meter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace posthorn::bench {

DeviceCounters::Raw DeviceCounters::read() const {
  // Documentation/block/stat: 7th value sectors written, 16th flushes.
  std::ifstream in("/sys/block/" + device_ + "/stat");
  Raw raw;
  std::uint64_t value = 0;
  for (int field = 1; in >> value; ++field) {
    if (field == 7) raw.sectors = value;
    if (field == 16) raw.flushes = value;
  }
  return raw;
}

/// Writes what is outstanding on this file system, and waits.
void DeviceCounters::settle() const {
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY);
  ::syncfs(folder);
  ::close(folder);
}

void DeviceCounters::start() {
  settle();
  before_ = read();
}

DeviceCounters::Delta DeviceCounters::stop() const {
  settle();
  const Raw after = read();
  return {512.0 * static_cast<double>(after.sectors - before_.sectors),
          static_cast<double>(after.flushes - before_.flushes)};
}

Sample summarize(std::vector<double> latencies_ms, double seconds, DeviceCounters::Delta delta) {
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const double count = static_cast<double>(latencies_ms.size());
  return {count / seconds, latencies_ms[latencies_ms.size() / 2],
          latencies_ms[latencies_ms.size() * 99 / 100], delta.bytes / count, delta.flushes / count};
}

}  // namespace posthorn::bench
