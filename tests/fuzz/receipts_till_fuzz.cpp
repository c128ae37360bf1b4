// A till that prints by LPD, whose jobs arrive the same whatever pieces the line makes of them; the
// shop's list of customers; what a receipt says of whose it is.
//
// Input: a byte for the size of the pieces, then what the till sends, which is also the list and
// the receipt.

#include "fuzz/fuzz_support.h"
#include "receipts/lpd_till.h"
#include "receipts/tokens.h"
#include "receipts/whose.h"
#include "support/fakes.h"

using namespace posthorn;

namespace {

struct End final : Stream::Handler {
  void on_data(ByteView data) override { append(got, data); }
  void on_closed(Error) override {}
  Bytes got;
};

/// What comes out at the printer's side, and what the till is answered.
std::pair<Bytes, Bytes> print(ByteView bytes, std::size_t piece) {
  test::FakeScheduler scheduler;
  End job, answers;  // outlive the streams
  test::StreamPair pair = test::make_stream_pair(scheduler, piece);
  receipts::LpdTill till(std::move(pair.a));
  till.start(job);
  pair.b->start(answers);
  pair.b->write(to_bytes(bytes));
  scheduler.run_posted();
  return {job.got, answers.got};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  const ByteView bytes = input.rest();
  const auto whole = print(bytes, 65536);
  fuzz::require(whole == print(bytes, piece), "pieces do not matter");
  fuzz::require(whole.first.size() <= bytes.size(), "no more is printed than came");

  const std::string_view text = as_text(bytes);
  const auto table = receipts::parse_customers(text, "49");
  receipts::CustomerTable customers;
  if (table) {
    customers = *table;
    for (const auto& [id, number] : customers) {
      fuzz::require(!id.empty() && number.size() >= 7 && number.size() <= 15, "numbers");
    }
  }
  (void)receipts::parse_token(text);
  receipts::Rendered receipt;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    receipt.lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  receipt.tagged = receipt.lines;
  receipts::Settings settings;
  settings.country = "49";
  settings.phone_pattern = true;
  (void)receipts::find_total(receipt.lines);
  (void)receipts::find_customer_id(receipt, settings);
  const auto customer = receipts::find_customer(receipt, settings, customers, "4915550001234");
  if (customer) fuzz::require(customer->number != "4915550001234", "never the shop's own");
  return 0;
}
