// queue_bench FOLDER DEVICE [SECONDS [TABLE.md [PLOT.svg]]]
// Measures the ring file against its rivals in FOLDER, which is on the block device DEVICE
// ("loop7"). tests/bench/queue/run makes such a folder.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "report.h"
#include "rivals.h"

namespace {

using namespace posthorn::bench;

std::unique_ptr<Rival> warm(std::unique_ptr<Rival> rival) {
  for (std::uint64_t id = 1; id <= 300; ++id) {
    rival->accept(id);
    rival->done(id);
  }
  return rival;
}

/// Of several rounds the one in the middle by rate, so that one slow moment of the disk decides
/// nothing.
Sample median(std::vector<Sample> samples) {
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return a.messages_per_second < b.messages_per_second;
  });
  return samples[samples.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: queue_bench FOLDER DEVICE [SECONDS [TABLE.md [PLOT.svg]]]\n");
    return 2;
  }
  const std::string folder = argv[1];
  DeviceCounters counters(argv[2], folder);
  const double seconds = argc > 3 ? std::atof(argv[3]) : 1.0;

  struct Case {
    std::string name;
    std::function<Sample(int)> run;
  };
  // Each rival lives through all rounds and is warmed up first: SQLite's log, for one, changes no
  // metadata any more once it has been all through its file.
  int folders = 0;
  const auto rival = [&](std::unique_ptr<Rival> (*make)(const std::string&)) {
    const std::string own = folder + "/" + std::to_string(++folders);
    std::filesystem::create_directory(own);
    return [&, shared = std::shared_ptr<Rival>(warm(make(own)))](int posters) {
      return measure(*shared, counters, posters, seconds);
    };
  };
  const std::vector<Case> cases = {
      {"Posthorn ring", [&](int n) { return measure_ring(folder, false, counters, n, seconds); }},
      {"Posthorn buffered",
       [&](int n) { return measure_ring(folder, true, counters, n, seconds); }},
      {"raw, direct",
       rival([](const std::string& f) { return make_raw(f, RawMode::direct_one_sync); })},
      {"raw, buffered",
       rival([](const std::string& f) { return make_raw(f, RawMode::buffered_one_sync); })},
      {"raw, done synced too",
       rival([](const std::string& f) { return make_raw(f, RawMode::buffered_two_syncs); })},
      {"SQLite WAL FULL",
       rival([](const std::string& f) { return make_sqlite(f, SqliteMode::wal_full); })},
      {"SQLite rollback",
       rival([](const std::string& f) { return make_sqlite(f, SqliteMode::rollback); })},
      {"LMDB", rival([](const std::string& f) { return make_lmdb(f); })},
  };

  constexpr int kRounds = 3;
  std::vector<Row> rows;
  for (const Case& one : cases) rows.push_back({one.name, {}});
  for (const int posters : {1, 8, 64}) {
    // Rounds over all, not all rounds of one: the disk's mood changes for all alike.
    std::vector<std::vector<Sample>> samples(cases.size());
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < cases.size(); ++i) samples[i].push_back(cases[i].run(posters));
    }
    for (std::size_t i = 0; i < cases.size(); ++i) rows[i].by_posters[posters] = median(samples[i]);
  }
  std::string table = to_markdown(rows);
  const Opening opening = measure_opening(folder, 100'000);
  char line[300];
  std::snprintf(
      line, sizeof line,
      "\nOpening a ring with 100,000 pending records of 512 bytes: %.0f ms, %.2f MiB of heap.\n",
      opening.milliseconds, opening.heap_mib);
  table += line;
  const LoopKept kept = measure_loop_kept(folder, 200, 5 * seconds);
  std::snprintf(line, sizeof line,
                "A disk that takes 500 ms per sync, 200 posters (%llu confirmed): the loop came at "
                "most %.2f ms "
                "late to a timer, without a queue %.2f ms.\n",
                static_cast<unsigned long long>(kept.confirmed), kept.with_ms, kept.without_ms);
  table += line;
  std::fputs(table.c_str(), stdout);
  if (argc > 4) std::ofstream(argv[4]) << table;
  if (argc > 5) std::ofstream(argv[5]) << to_svg(rows);
  return 0;
}
