#include "daemon/refused_list.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr const char* kBlob = "webhook/refused";
constexpr const char* kRows = "notifications";

constexpr std::int64_t kMostTotal = 1'000'000'000;

/// Damage costs the list or a row of it, never the queue behind it.
json::Value sound(const json::Value& all) {
  json::Value out(::Json::objectValue);
  const std::int64_t total = json::int_at(all, "total").value_or(0);
  out["total"] = static_cast<::Json::Int64>(std::clamp<std::int64_t>(total, 0, kMostTotal));
  out[kRows] = json::Value(::Json::arrayValue);
  for (const json::Value& row : json::at(all, kRows)) {
    if (row.isObject()) out[kRows].append(row);
  }
  return out;
}

void drop_oldest(json::Value& rows) {
  json::Value removed;
  rows.removeIndex(0, &removed);
}

/// Rows of a release that knew the till's only do not say it.
std::string receiver_of(const json::Value& row) {
  return json::string_at(row, "receiver").value_or(RefusedList::kTill);
}

/// nullopt: the row is damaged.
std::optional<webhooks::Mailbox::Head> head_of(const json::Value& row) {
  auto body = json::string_at(row, "body");
  const auto id = json::int_at(row, "receiptId");
  if (!body || !id) return std::nullopt;
  return webhooks::Mailbox::Head{static_cast<std::uint32_t>(*id), std::move(*body)};
}

}  // namespace

Result<json::Value> RefusedList::load() const {
  TRY(const auto blob, blobs_.load(kBlob));
  if (!blob) return sound(json::Value(::Json::objectValue));
  auto all = json::parse(as_text(*blob));
  if (!all) log::warn("webhooks", "the list of refused notifications was damaged and is empty");
  return sound(all ? *all : json::Value(::Json::objectValue));
}

void RefusedList::save(const json::Value& all, Once<void(Result<void>)> done) {
  const auto saved = blobs_.save(kBlob, as_bytes(json::write(all)));
  if (!saved) return done(saved);
  blobs_.durable(std::move(done));
}

void RefusedList::add(const webhooks::Mailbox::Head& head,
                      const webhooks::Mailbox::Refusal& refusal, Once<void(Result<void>)> done,
                      const char* receiver) {
  auto all = load();
  if (!all) return done(tl::unexpected(all.error()));
  json::Value row;
  row["receiptId"] = head.receipt_id;
  row["receiver"] = receiver;
  row["refusedAt"] = static_cast<::Json::Int64>(clock_.now().unix_seconds());
  row["status"] = refusal.status;
  row["answer"] = refusal.answer;
  row["times"] = refusal.times;
  row["body"] = head.body;
  json::Value& rows = (*all)[kRows];
  rows.append(std::move(row));
  (*all)["total"] = static_cast<::Json::Int64>(json::int_at(*all, "total").value_or(0) + 1);
  while (rows.size() > kKept || (rows.size() > 1 && json::write(rows).size() > kKeptBytes)) {
    drop_oldest(rows);
  }
  save(*all, std::move(done));
}

Result<json::Value> RefusedList::list() const {
  TRY(json::Value all, load());
  for (json::Value& row : all[kRows]) {
    const std::string text = json::string_at(row, "body").value_or("");
    auto body = json::parse(text);
    row["body"] = body ? std::move(*body) : json::Value(text);
    row["receiver"] = receiver_of(row);
  }
  return all;
}

Result<std::size_t> RefusedList::count(std::string_view receiver) const {
  TRY(const auto all, heads(receiver));
  return all.size();
}

Result<std::vector<RefusedList::Head>> RefusedList::heads(std::string_view receiver) const {
  TRY(const json::Value all, load());
  std::vector<Head> heads;
  for (const json::Value& row : json::at(all, kRows)) {
    if (receiver_of(row) != receiver) continue;
    if (auto head = head_of(row)) heads.push_back(std::move(*head));
  }
  return heads;
}

struct RefusedList::Retry {
  Once<void(Result<std::size_t>)> done;
  std::size_t elsewhere = 0;  ///< that the Cloud API's callback gets
  std::size_t open = 0;       ///< that the inbox has and has not answered for
  std::vector<Head> stored;   ///< that it has on disk
  std::optional<Error> error;
};

void RefusedList::retry(Inbox& inbox, Once<void(Result<std::size_t>)> done) {
  if (retrying_) return done(fail(Errc::busy, "a retry of the refused notifications is under way"));
  const auto listed = heads(kTill);
  if (!listed) return done(tl::unexpected(listed.error()));
  auto webhooks = heads(kCloud);
  const bool asked = webhooks && !webhooks->empty() && to_cloud_;
  const std::size_t elsewhere = asked ? to_cloud_(*webhooks) : 0;
  if (listed->empty()) return done(elsewhere);
  retrying_ = true;
  // Shared by the inbox's answers: the last of them ends it.
  auto retry = std::make_shared<Retry>();
  retry->done = std::move(done);
  retry->elsewhere = elsewhere;
  retry->open = listed->size();
  for (const Head& head : *listed) {
    inbox.append({head.body, api::NotificationKind::message, {}},
                 [self = alive_.weak(), retry, head](const Result<void>& stored) {
                   if (stored) retry->stored.push_back(head);
                   if (!stored) retry->error = stored.error();
                   if (--retry->open > 0) return;
                   if (auto* me = self.get()) return me->finish(retry);
                   retry->done(fail(Errc::cancelled, "shutting down"));
                 });
  }
}

void RefusedList::finish(const std::shared_ptr<Retry>& retry) {
  remove(retry->stored, [self = alive_.weak(), retry](const Result<void>& removed) {
    if (auto* me = self.get()) me->retrying_ = false;
    if (retry->error) return retry->done(tl::unexpected(*retry->error));
    if (!removed) return retry->done(tl::unexpected(removed.error()));
    retry->done(retry->stored.size() + retry->elsewhere);
  });
}

void RefusedList::remove(const std::vector<Head>& heads, Once<void(Result<void>)> done) {
  auto all = load();
  if (!all) return done(tl::unexpected(all.error()));
  json::Value left(::Json::arrayValue);
  for (json::Value& row : (*all)[kRows]) {
    // Not by the receiptId alone: a new ring begins to count anew.
    const auto listed = head_of(row);
    const bool goes = listed && std::any_of(heads.begin(), heads.end(), [&](const Head& head) {
                        return head.receipt_id == listed->receipt_id && head.body == listed->body;
                      });
    if (!goes) left.append(std::move(row));
  }
  (*all)[kRows] = std::move(left);
  save(*all, std::move(done));
}

void RefusedList::clear(Once<void(Result<void>)> done) {
  auto all = load();
  if (!all) return done(tl::unexpected(all.error()));
  (*all)[kRows] = json::Value(::Json::arrayValue);
  save(*all, std::move(done));
}

}  // namespace posthorn::daemon
