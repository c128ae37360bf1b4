#include "daemon/refused_list.h"

#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr const char* kBlob = "webhook/refused";
constexpr const char* kRows = "notifications";

/// Damage costs the list, never the queue behind it.
json::Value sound(json::Value all) {
  if (!json::at(all, kRows).isArray()) {
    all = json::Value(::Json::objectValue);
    all[kRows] = json::Value(::Json::arrayValue);
  }
  all["total"] = static_cast<::Json::Int64>(json::int_at(all, "total").value_or(0));
  return all;
}

void drop_oldest(json::Value& rows) {
  json::Value removed;
  rows.removeIndex(0, &removed);
}

}  // namespace

Result<json::Value> RefusedList::load() const {
  TRY(const auto blob, blobs_.load(kBlob));
  if (!blob) return sound(json::Value(::Json::objectValue));
  auto all = json::parse(as_text(*blob));
  if (!all) log::warn("webhooks", "the list of refused notifications was damaged and is empty");
  return sound(all ? std::move(*all) : json::Value(::Json::objectValue));
}

void RefusedList::save(const json::Value& all, Once<void(Result<void>)> done) {
  const auto saved = blobs_.save(kBlob, as_bytes(json::write(all)));
  if (!saved) return done(saved);
  blobs_.durable(std::move(done));
}

void RefusedList::add(const webhooks::Mailbox::Head& head,
                      const webhooks::Mailbox::Refusal& refusal, Once<void(Result<void>)> done) {
  auto all = load();
  if (!all) return done(tl::unexpected(all.error()));
  json::Value row;
  row["receiptId"] = head.receipt_id;
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
  }
  return all;
}

Result<std::vector<std::string>> RefusedList::bodies() const {
  TRY(const json::Value all, load());
  std::vector<std::string> bodies;
  for (const json::Value& row : json::at(all, kRows)) {
    if (auto body = json::string_at(row, "body")) bodies.push_back(std::move(*body));
  }
  return bodies;
}

void RefusedList::clear(Once<void(Result<void>)> done) {
  auto all = load();
  if (!all) return done(tl::unexpected(all.error()));
  (*all)[kRows] = json::Value(::Json::arrayValue);
  save(*all, std::move(done));
}

}  // namespace posthorn::daemon
