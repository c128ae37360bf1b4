#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/padding.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/store.h"
#include "support/fakes.h"

/// What one message costs in signal and store: the ratchet alone (keys in maps) and on SQLite, with
/// the commit but without the sync, which is the worker's. Budget for all layers: 150 us per
/// message sent to two devices, 50 us per message received.
namespace posthorn {
namespace {

using signal::Address;

const Address kAlice{"100000000000001@lid", 3};
const Address kBob{"100000000000002@lid", 0};
const Bytes kText(200, std::byte{'x'});

class Folder {
 public:
  Folder() {
    path_ = (std::filesystem::temp_directory_path() / "posthorn-bench-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

signal::Bundle bundle_of(signal::Protocol& protocol) {
  signal::Bundle bundle;
  const auto own = protocol.own_identity({});
  const auto signed_key = protocol.current_signed_pre_key();
  const auto one_time = protocol.pre_key_for_retry();
  bundle.registration_id = own->registration_id;
  bundle.identity = own->key.public_key;
  bundle.signed_pre_key_id = signed_key->id;
  bundle.signed_pre_key = signed_key->key.public_key;
  bundle.signature = signed_key->signature;
  bundle.one_time = signal::Bundle::OneTime{one_time->id, one_time->key.public_key};
  return bundle;
}

/// Two sides that have spoken with each other.
struct Pair {
  Pair(signal::KeyStore& a, signal::KeyStore& b) : alice(a, random), bob(b, random) {
    static_cast<void>(alice.own_identity({}));
    static_cast<void>(bob.own_identity({}));
    static_cast<void>(alice.process_bundle(kBob, bundle_of(bob)));
    const auto hello = alice.encrypt(kBob, kText);
    if (!bob.decrypt_pkmsg(kAlice, hello->bytes)) std::abort();
    const auto reply = bob.encrypt(kAlice, kText);
    if (!alice.decrypt_msg(kBob, reply->bytes)) std::abort();
    const auto first = alice.encrypt(kBob, kText);
    if (!bob.decrypt_msg(kAlice, first->bytes)) std::abort();
  }

  test::SeededRandom random;
  signal::Protocol alice;
  signal::Protocol bob;
};

void encrypt(benchmark::State& state, Pair& pair) {
  for (auto _ : state) benchmark::DoNotOptimize(pair.alice.encrypt(kBob, kText));
}

/// A batch is encrypted with the clock stopped.
void decrypt(benchmark::State& state, Pair& pair) {
  constexpr std::size_t kBatch = 256;
  std::vector<signal::Encrypted> batch;
  for (auto _ : state) {
    if (batch.empty()) {
      state.PauseTiming();
      for (std::size_t i = 0; i < kBatch; ++i) batch.push_back(*pair.alice.encrypt(kBob, kText));
      std::reverse(batch.begin(), batch.end());
      state.ResumeTiming();
    }
    if (!pair.bob.decrypt_msg(kAlice, batch.back().bytes)) std::abort();
    batch.pop_back();
  }
}

/// Question and answer: each message turns the ratchet.
void ping_pong(benchmark::State& state, Pair& pair) {
  for (auto _ : state) {
    const auto ping = pair.alice.encrypt(kBob, kText);
    if (!pair.bob.decrypt_msg(kAlice, ping->bytes)) std::abort();
    const auto pong = pair.bob.encrypt(kAlice, kText);
    if (!pair.alice.decrypt_msg(kBob, pong->bytes)) std::abort();
  }
}

template <auto Run>
void in_memory(benchmark::State& state) {
  signal::MemoryKeyStore a;
  signal::MemoryKeyStore b;
  Pair pair(a, b);
  Run(state, pair);
}

template <auto Run>
void in_sqlite(benchmark::State& state) {
  const Folder folder;
  test::FakeScheduler scheduler;
  test::InlineWorker worker(scheduler);
  const auto a = store::Store::open(folder.file("a.db"), worker);
  const auto b = store::Store::open(folder.file("b.db"), worker);
  Pair pair(*a->store, *b->store);
  Run(state, pair);
}

/// One transaction with the sessions of two devices, as a message to a customer needs.
void send_to_two_devices(benchmark::State& state) {
  const Folder folder;
  test::FakeScheduler scheduler;
  test::InlineWorker worker(scheduler);
  const auto opened = store::Store::open(folder.file("a.db"), worker);
  store::Store& store = *opened->store;
  signal::MemoryKeyStore phone;
  Pair pair(store, phone);
  const Address own_phone{"100000000000001@lid", 0};
  signal::MemoryKeyStore own;
  signal::Protocol other(own, pair.random);
  static_cast<void>(other.own_identity({}));
  static_cast<void>(pair.alice.process_bundle(own_phone, bundle_of(other)));
  for (auto _ : state) {
    auto transaction = store.begin();
    benchmark::DoNotOptimize(pair.alice.encrypt(kBob, signal::pad(kText, pair.random)));
    benchmark::DoNotOptimize(pair.alice.encrypt(own_phone, signal::pad(kText, pair.random)));
    if (!transaction->commit()) std::abort();
  }
  state.counters["wal_bytes_per_message"] = benchmark::Counter(
      store.database().wal_pages() * 2072.0 / static_cast<double>(state.iterations()));
}

void process_bundle(benchmark::State& state) {
  signal::MemoryKeyStore a;
  signal::MemoryKeyStore b;
  Pair pair(a, b);
  const auto bundle = bundle_of(pair.bob);
  std::uint16_t device = 0;
  for (auto _ : state) {
    if (!pair.alice.process_bundle({"9@lid", device++}, bundle)) std::abort();
  }
}

void make_pre_key(benchmark::State& state) {
  test::SeededRandom random;
  for (auto _ : state) benchmark::DoNotOptimize(signal::make_key_pair(random));
}

BENCHMARK(in_memory<encrypt>)->Name("encrypt/maps");
BENCHMARK(in_sqlite<encrypt>)->Name("encrypt/sqlite");
BENCHMARK(in_memory<decrypt>)->Name("decrypt/maps");
BENCHMARK(in_sqlite<decrypt>)->Name("decrypt/sqlite");
BENCHMARK(in_memory<ping_pong>)->Name("ping_pong/maps");
BENCHMARK(in_sqlite<ping_pong>)->Name("ping_pong/sqlite");
BENCHMARK(send_to_two_devices);
BENCHMARK(process_bundle);
BENCHMARK(make_pre_key);

}  // namespace
}  // namespace posthorn

BENCHMARK_MAIN();
