// A journal of 100,000 messages of 1,000 chats on a real disk: what an entry costs, and how long a
// history of 100, a message by its id and the last hour take. journal_bench FOLDER (kept there,
// removed at the end).
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "posthorn/journal/journal.h"
#include "posthorn/store/store.h"
#include "support/fakes.h"

namespace posthorn {
namespace {

using journal::Entry;
using Steady = std::chrono::steady_clock;

constexpr int kMessages = 100'000;
constexpr int kChats = 1000;
constexpr int kBatch = 16;
constexpr std::int64_t kStart = 1'790'000'000;

double ms_since(Steady::time_point begin) {
  return std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
}

std::string chat_of(int i) { return std::to_string(4915550000000 + i % kChats) + "@c.us"; }

Entry entry_of(int i) {
  Entry entry;
  entry.id = "3EB0" + std::to_string(100'000'000'000'000 + i * 7919LL);
  entry.chat = chat_of(i);
  entry.at = Wall::from_unix(kStart + i);
  entry.body = R"({"data":{"textMessageData":{"textMessage":")" + std::string(120, 'x') +
               R"("},"typeMessage":"textMessage"},"name":"Ida","sender":")" + entry.chat + "\"}";
  return entry;
}

template <class Work>
void time(const char* what, int times, Work work) {
  double most = 0;
  const auto begin = Steady::now();
  for (int i = 0; i < times; ++i) {
    const auto one = Steady::now();
    work(i);
    most = std::max(most, ms_since(one));
  }
  std::printf("%-44s %8.3f ms mean, %8.3f ms at most\n", what, ms_since(begin) / times, most);
}

int run(const std::string& folder) {
  std::filesystem::create_directories(folder);
  test::FakeScheduler scheduler;
  Clock clock(scheduler, Wall::from_unix(kStart - 1000));
  clock.on_server_time(kStart);
  test::InlineWorker worker(scheduler);
  auto opened = store::Store::open(folder + "/posthorn.db", worker);
  if (!opened) return 1;
  journal::Journal::Options options;
  options.limit_bytes = 256ULL << 20;
  auto made = journal::Journal::open(opened->store->database(), scheduler, clock, options);
  if (!made) return 1;
  journal::Journal& journal = **made;
  const auto begin = Steady::now();
  std::int64_t pages = 0;
  for (int i = 0; i < kMessages; ++i) {
    journal.add(entry_of(i));
    if (i % kBatch != kBatch - 1) continue;
    const int before = opened->store->database().wal_pages();
    if (!journal.flush()) return 1;
    // Less than before: the WAL has begun anew.
    const int now = opened->store->database().wal_pages();
    pages += now > before ? now - before : now;
    opened->store->durable([](Result<void>) {});
    scheduler.run_posted();
  }
  std::printf(
      "%d entries of %d chats, flushed and synced %d at a time: %.1f us each, %.1f KiB of WAL "
      "each, "
      "%.1f MiB counted\n",
      kMessages, kChats, kBatch, ms_since(begin) * 1000 / kMessages,
      static_cast<double>(pages) * 2 / kMessages, static_cast<double>(journal.bytes()) / (1 << 20));
  time("a history of 100", 200, [&](int i) {
    journal::Query query;
    query.chat = chat_of(i * 37);
    journal::Position position;
    if (journal.next(query, position, 100)->size() != 100) std::abort();
  });
  time("a message by its id", 1000, [&](int i) {
    const Entry wanted = entry_of(i * 97);
    if (!*journal.find(wanted.chat, wanted.id)) std::abort();
  });
  time("100 of the last hour, all chats", 200, [&](int) {
    journal::Query query;
    query.direction = journal::Direction::incoming;
    query.since = Wall::from_unix(kStart + kMessages - 3600);
    journal::Position position;
    if (journal.next(query, position, 100)->size() != 100) std::abort();
  });
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace posthorn

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "journal_bench FOLDER\n");
    return 2;
  }
  return posthorn::run(argv[1]);
}
