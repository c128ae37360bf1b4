#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "files/power_folder.h"
#include "posthorn/receipts/receipts.h"
#include "support/fakes.h"

namespace posthorn::receipts::desk_test {

struct TillEnd final : Stream::Handler {
  void on_data(ByteView data) override { got += as_text(data); }
  void on_closed(Error) override {}
  std::string got;
};

/// A box with one printer, a folder that survives it, and an outbox that keeps ids.
struct Box {
  using Blobs = std::map<std::string, Bytes, std::less<>>;
  /// kept: what the box's database held.
  explicit Box(std::shared_ptr<files::test::PowerFolder> folder, Settings settings = {},
               PrinterSettings::Qr qr = PrinterSettings::Qr::native, Blobs kept = {},
               std::size_t most_kept = 2000)
      : disk(std::move(folder)) {
    blobs.values = std::move(kept);
    PrinterSettings printer;
    printer.name = "1";
    printer.qr = qr;
    Receipts::Outside outside{scheduler, clock, random, worker, blobs, dialer, disk};
    outside.shop_phone = [this] { return phone; };
    outside.new_message_id = [this] { return "ID" + std::to_string(++ids) + run; };
    outside.send = [this](Outgoing message, Once<void(Result<std::string>)> done) {
      ++asked;
      if (refuse_send) return done(fail(refuse_with, "the queue is full"));
      sent.push_back(std::move(message));
      done(same_file ? "file" : "file" + std::to_string(sent.size()));
    };
    outside.remove_file = [this](const std::string& file) { removed.push_back(file); };
    outside.file_waits = [this](const std::string& file) { return waiting.contains(file); };
    outside.announce = [this](const Receipt& receipt, Once<void(Result<void>)> done) {
      if (deaf) return done(fail(Errc::cancelled, "the power goes"));
      printed.push_back(receipt.number);
      done({});
    };
    outside.tell = [this](const Event& event) { events.push_back(event); };
    outside.utc_offset = [](Wall) { return seconds(0); };
    outside.most_kept = most_kept;
    auto opened = Receipts::open(std::move(settings), {printer}, std::move(outside));
    EXPECT_TRUE(opened);
    receipts = std::move(*opened);
    turn();
  }
  ~Box() {
    receipts->stop();
    scheduler.run_posted();  // what was given to the disk is answered
  }
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  void turn() { scheduler.advance(milliseconds(1)); }
  /// A till prints, and closes.
  void print(std::string_view job) {
    test::StreamPair pair = test::make_stream_pair(scheduler);
    receipts->accept(0, std::move(pair.a));
    TillEnd end;
    pair.b->start(end);
    pair.b->write(to_bytes(job));
    pair.b->close();
    scheduler.advance(milliseconds(50));
  }
  /// The token that was printed last: in the box's own mind, since no printer is there.
  std::string token() {
    const std::string text(as_text(*disk->content(newest_job())));
    const std::size_t at = text.find("\"token\":\"R-");
    return at == std::string::npos ? "" : text.substr(at + 9, 7);
  }
  std::string newest_job() {
    std::string newest;
    const auto list = *disk->list();
    for (const auto& entry : list) {
      if (entry.name.ends_with(".job")) newest = std::max(newest, entry.name);
    }
    return newest;
  }
  template <class T>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [](const Event& e) { return std::holds_alternative<T>(e); }));
  }

  std::shared_ptr<files::test::PowerFolder> disk;
  test::FakeScheduler scheduler;
  Clock clock{scheduler, Wall::from_unix(1'780'000'000, false)};
  test::SeededRandom random;
  test::InlineWorker worker{scheduler};
  test::MemoryBlobStore blobs{scheduler};
  test::MemoryDialer dialer{scheduler};
  std::string phone = "4915550000000";
  int ids = 0;
  std::string run;
  bool refuse_send = false;
  Errc refuse_with = Errc::full;
  int asked = 0;           ///< how often the outbox was asked
  bool same_file = false;  ///< as of receipts whose pictures are the same bytes
  std::vector<Outgoing> sent;
  std::vector<std::string> removed;
  std::set<std::string> waiting;       ///< files of messages that are in the outbox
  std::vector<std::uint64_t> printed;  ///< what the till was told of
  bool deaf = false;                   ///< nothing that it is told comes to its inbox
  std::vector<Event> events;
  std::unique_ptr<Receipts> receipts;
};

inline std::shared_ptr<files::test::PowerFolder> folder() {
  return std::make_shared<files::test::PowerFolder>();
}

using std::string_literals::operator""s;

inline const std::string kSale = "Tea 2,40\nTOTAL 2,40\n\x1dV\0"s;
inline constexpr auto kAnna = "4915550001234@c.us";
inline constexpr auto kBert = "4915550005678@c.us";

}  // namespace posthorn::receipts::desk_test
