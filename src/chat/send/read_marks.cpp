#include "chat/send/read_marks.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kPrivacyTimeout{10'000};

}  // namespace

Node build_privacy_query() {
  Node iq(
      "iq",
      {{"to", Jid{"", std::string(wire::kServerUser), 0}}, {"type", "get"}, {"xmlns", "privacy"}});
  iq.content = std::vector<Node>{Node("privacy")};
  return iq;
}

std::optional<ReadTo> parse_read_privacy(const Node& iq) {
  const Node* privacy = iq.child("privacy");
  if (privacy == nullptr) return std::nullopt;
  for (const Node& category : privacy->children()) {
    if (category.text_attr("name") != "readreceipts") continue;
    const std::string value = category.text_attr("value");
    if (value == "error") return std::nullopt;
    return value == "none" ? ReadTo::own_devices : ReadTo::everybody;
  }
  return std::nullopt;
}

void ReadMarker::mark(const std::string& chat, const std::string& message_id,
                      Once<void(Result<std::size_t>)> done) {
  const auto jid = context_.names.addressed(chat);
  if (!jid) return done(fail(jid.error(), "chat"));
  if (!context_.line.online()) return done(fail(Errc::disconnected, "not connected"));
  const auto named = context_.names.preferred(*jid);
  if (!named) return done(fail(named.error(), "chat"));
  // Behind the batch that is open: a message is told before its row is written.
  auto rows = std::make_shared<Rows>();  // shared: one call fills what the other reads
  lane_.exclusive(
      [this, named = *named, message_id, rows]() -> Result<void> {
        TRY(*rows, rows_of(named, message_id));
        return {};
      },
      [this, named = *named, rows, done = std::move(done)](Result<void> read) mutable {
        if (!read) return done(fail(read.error(), "unread messages"));
        on_rows(named, std::move(*rows), std::move(done));
      });
}

void ReadMarker::on_rows(const Jid& chat, Rows rows, Once<void(Result<std::size_t>)> done) {
  if (rows.empty()) return done(std::size_t{0});
  ask_privacy([this, chat, rows = std::move(rows),
               done = std::move(done)](std::optional<ReadTo> to) mutable {
    if (!to) return done(fail(Errc::cancelled, "read receipts"));
    done(write(chat, rows, *to));
  });
}

Result<ReadMarker::Rows> ReadMarker::rows_of(const Jid& chat, const std::string& message_id) {
  if (message_id.empty()) return context_.messages.unread(to_string(chat));
  TRY(auto row, context_.messages.received(to_string(chat), message_id));
  if (!row || !row->unread) return Rows{};
  return Rows{std::move(*row)};
}

void ReadMarker::ask_privacy(Once<void(std::optional<ReadTo>)> done) {
  if (asked_) return done(read_to_);
  context_.line.ask(
      build_privacy_query(), kPrivacyTimeout,
      [this, alive = context_.alive, done = std::move(done)](Result<Node> reply) mutable {
        if (!*alive) return done(std::nullopt);
        const auto said = reply ? parse_read_privacy(*reply) : std::nullopt;
        asked_ = said.has_value();
        // Unsaid: what held before. Never said: nobody, since a customer cannot be untold.
        if (said) read_to_ = *said;
        done(read_to_);
      });
}

Result<std::size_t> ReadMarker::write(const Jid& chat, const Rows& rows, ReadTo to) {
  if (!context_.line.online()) return fail(Errc::disconnected, "not connected");
  std::map<std::string, std::vector<std::string>> by_sender;
  std::vector<std::string> all;
  for (const auto& row : rows) {
    by_sender[row.sender].push_back(row.id);
    all.push_back(row.id);
  }
  for (const auto& [sender_text, ids] : by_sender) {
    std::optional<Jid> sender;
    if (!chat.is_person()) {
      TRY(sender, wire::parse_jid(sender_text));
    }
    for (std::size_t first = 0; first < ids.size(); first += kReceiptMaxIds) {
      const auto part = std::span(ids).subspan(first, std::min(kReceiptMaxIds, ids.size() - first));
      context_.line.write(build_read_receipt(chat, sender, part, context_.clock.now(), to));
    }
  }
  TRY(context_.messages.mark_read(to_string(chat), all));
  return rows.size();
}

}  // namespace posthorn::chat
