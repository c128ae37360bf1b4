// CPU per received and per sent 1:1 message in the session alone: Signal, SQLite, protobuf,
// stanzas; without socket, Noise and inbox ring. Two devices of the customer and our own phone, as
// design.md section 7 counts.
//
//     cmake -S . -B build/bench -DCMAKE_BUILD_TYPE=Release -DPOSTHORN_BENCH=ON
//     ninja -C build/bench messages_bench && build/bench/tests/bench/messages/messages_bench

#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <vector>

#include "chat/rig.h"

namespace {

using namespace posthorn;
using chat::chat_test::Rig;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string id_of(int n) {
  char text[32];
  std::snprintf(text, sizeof text, "3EB0%018X", static_cast<unsigned>(n));
  return text;
}

/// burst: how many wait at once.
void receive(int count, int burst) {
  Rig rig;
  rig.introduce(rig.customer);
  // The first of a session are pkmsg; an answer makes the rest ordinary.
  rig.listener().on_message(rig.text_from(rig.customer, "FIRST", "hello"));
  rig.turn();
  (void)rig.send(rig.job(id_of(0xFFFFFF), "answer"));
  const auto answer = rig.written_of("message").back();
  if (!rig.customer.decrypt(*Rig::enc_for(answer, rig.customer.jid), rig.box_jid)) return;
  std::vector<wire::Node> stanzas;
  stanzas.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    stanzas.push_back(rig.text_from(rig.customer, id_of(i), "Is my order ready? " + id_of(i)));
  }
  rig.line.events.clear();
  const double start = cpu_seconds();
  for (int i = 0; i < count; ++i) {
    rig.listener().on_message(std::move(stanzas[static_cast<std::size_t>(i)]));
    if ((i + 1) % burst == 0) rig.turn();
    if (i % 1000 == 999) rig.line.take_written();
  }
  rig.turn();
  const double used = cpu_seconds() - start;
  std::printf("received %d in bursts of %d: %zu events, %.1f us CPU each\n", count, burst,
              rig.line.events.size(), used * 1e6 / count);
}

void send(int count) {
  Rig rig;
  (void)rig.send(rig.job(id_of(0), "warm up"));
  const double start = cpu_seconds();
  for (int i = 1; i <= count; ++i) {
    (void)rig.send(rig.job(id_of(i), "Your order 1234 is ready. Thank you! " + id_of(i)));
    rig.line.take_written();
  }
  const double used = cpu_seconds() - start;
  std::printf("sent %d to three devices: %.1f us CPU each\n", count, used * 1e6 / count);
}

}  // namespace

int main() {
  receive(2000, 100);
  receive(2000, 1);
  send(1000);
  return 0;
}
