#include "chat/people/addressing.h"

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

constexpr auto kRecord = "chat.addressing";

}  // namespace

bool Addressing::by_number() {
  read();
  switch (*name_) {
    case Name::lid:
      return false;
    case Name::number:
      if (told_moved() && !told_then_) return false;
      return clock_.now() - since_ < kRemembered;
    case Name::as_told:
      return line_.identity().lid_migrated == false;
  }
  return false;
}

void Addressing::on_number_taken() { remember(Name::number); }

void Addressing::on_moved() {
  read();
  if (*name_ != Name::lid) remember(Name::lid);
}

void Addressing::forget() { remember(Name::as_told); }

void Addressing::read() {
  if (name_) return;
  name_ = Name::as_told;
  const auto kept = blobs_.load(kRecord);
  if (!kept || !*kept) return;
  const auto record = json::parse(as_text(**kept));
  if (!record) return;
  const auto word = json::string_at(*record, "name");
  if (word == "number") name_ = Name::number;
  if (word == "lid") name_ = Name::lid;
  since_ = Wall::from_unix(json::int_at(*record, "since").value_or(0));
  told_then_ = json::bool_at(*record, "told").value_or(true);
}

void Addressing::remember(Name name) {
  name_ = name;
  since_ = clock_.now();
  told_then_ = told_moved();
  json::Value record(::Json::objectValue);
  record["name"] = name == Name::number ? "number" : name == Name::lid ? "lid" : "as_told";
  record["told"] = told_then_;
  record["since"] = static_cast<::Json::Int64>(since_.unix_seconds());
  log::info("messages", "people are written to by another name",
            {{"name", json::string_at(record, "name").value_or("")}});
  if (auto saved = blobs_.save(kRecord, as_bytes(json::write(record))); !saved)
    log::warn("messages", "addressing was not saved", {{"error", saved.error()}});
}

}  // namespace posthorn::chat
