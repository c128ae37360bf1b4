#include "posthorn/cloud/templates.h"

#include <algorithm>

#include "cloud/content/template.h"
#include "cloud/fields.h"
#include "posthorn/base/log.h"

namespace posthorn::cloud {
namespace {

constexpr const char* kBlob = "cloud/templates";
constexpr std::uint64_t kIdLow = 100'000'000'000'000;
constexpr std::uint64_t kIdHigh = 999'999'999'999'999;
constexpr hours kReplyWithin{24};
constexpr std::size_t kPerBucket = 64;

json::Value stored(const Template& one) {
  json::Value out = to_json(one);
  out["sent"] = static_cast<::Json::UInt64>(one.sent);
  out["replied"] = static_cast<::Json::UInt64>(one.replied);
  return out;
}

std::uint64_t count_in(const json::Value& object, const char* name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(json::int_at(object, name).value_or(0), 0));
}

std::optional<Template> restored(const json::Value& in) {
  Template out;
  out.id = json::string_at(in, "id").value_or("");
  out.name = json::string_at(in, "name").value_or("");
  out.language = json::string_at(in, "language").value_or("");
  out.category = json::string_at(in, "category").value_or("UTILITY");
  out.parameter_format = json::string_at(in, "parameter_format").value_or("POSITIONAL");
  out.components = json::at(in, "components");
  out.sent = count_in(in, "sent");
  out.replied = count_in(in, "replied");
  if (out.id.empty() || out.name.empty() || !out.components.isArray()) return std::nullopt;
  return out;
}

}  // namespace

json::Value to_json(const Template& one) {
  json::Value out(::Json::objectValue);
  out["name"] = one.name;
  out["language"] = one.language;
  out["status"] = "APPROVED";
  out["category"] = one.category;
  out["parameter_format"] = one.parameter_format;
  out["components"] = one.components;
  out["id"] = one.id;
  return out;
}

Templates::Templates(BlobStore& blobs, Random& random)
    : blobs_(blobs), random_(random), sent_to_(blobs, "cloud/template-sent", kPerBucket) {
  const auto blob = blobs_.load(kBlob);
  if (!blob || !*blob) return;
  const auto list = json::parse(as_text(**blob));
  if (!list || !list->isArray()) {
    log::error("cloud", "the templates on disk are damaged and are left out", {});
    return;
  }
  for (const json::Value& one : *list) {
    if (auto kept = restored(one)) templates_.push_back(std::move(*kept));
  }
}

Result<void> Templates::save() const {
  json::Value list(::Json::arrayValue);
  for (const Template& one : templates_) list.append(stored(one));
  const std::string text = json::write(list);
  if (text.size() > kBytes) return fail(Errc::full, "the templates of this box are full (256 KiB)");
  return blobs_.save(kBlob, as_bytes(text));
}

void Templates::save_use() {
  if (const auto saved = save(); !saved) {
    log::warn("cloud", "the use of templates is not kept", {{"error", saved.error()}});
  }
}

Result<Template> Templates::create(const json::Value& body) {
  TRY(Template made, parse_template(body));
  if (find(made.name, made.language) != nullptr) {
    return fail(Errc::malformed, "a template of this name is there in this language");
  }
  if (templates_.size() >= kMost) {
    return fail(Errc::full, "this box keeps 250 templates; delete some");
  }
  do {
    made.id = std::to_string(random_.between(kIdLow, kIdHigh));
  } while (find_id(made.id) != nullptr);
  templates_.push_back(made);
  if (auto saved = save(); !saved) {
    templates_.pop_back();
    return tl::unexpected(saved.error());
  }
  return made;
}

Result<std::size_t> Templates::remove(const std::string& name, const std::string& id) {
  const auto before = templates_;
  const std::size_t gone = std::erase_if(templates_, [&](const Template& one) {
    return one.name == name && (id.empty() || one.id == id);
  });
  if (gone == 0) return gone;
  if (auto saved = save(); !saved) {
    templates_ = before;
    return tl::unexpected(saved.error());
  }
  return gone;
}

const Template* Templates::find(const std::string& name, const std::string& language) const {
  const auto found = std::find_if(templates_.begin(), templates_.end(), [&](const Template& one) {
    return one.name == name && one.language == language;
  });
  return found == templates_.end() ? nullptr : &*found;
}

const Template* Templates::find_id(const std::string& id) const {
  const auto found = std::find_if(templates_.begin(), templates_.end(),
                                  [&](const Template& one) { return one.id == id; });
  return found == templates_.end() ? nullptr : &*found;
}

void Templates::on_sent(const Template& one, const std::string& chat, Wall at) {
  const auto found = std::find_if(templates_.begin(), templates_.end(),
                                  [&](const Template& each) { return each.id == one.id; });
  if (found == templates_.end()) return;
  ++found->sent;
  if (const auto kept = sent_to_.put(chat, one.id + " " + std::to_string(at.unix_seconds()));
      !kept) {
    log::warn("cloud", "the use of templates is not kept", {{"error", kept.error()}});
  }
  save_use();
}

void Templates::on_reply(const std::string& chat, Wall at) {
  if (templates_.empty()) return;
  const auto fact = sent_to_.find(chat);
  if (!fact) return;
  const std::size_t blank = fact->find(' ');
  const std::string id = fact->substr(0, blank);
  const auto sent = whole_number(
      json::Value(blank == std::string::npos ? std::string() : fact->substr(blank + 1)));
  (void)sent_to_.erase(chat);
  const auto found = std::find_if(templates_.begin(), templates_.end(),
                                  [&](const Template& each) { return each.id == id; });
  if (found == templates_.end() || !sent) return;
  if (at.unix_seconds() - *sent > seconds(kReplyWithin).count()) return;
  ++found->replied;
  save_use();
}

}  // namespace posthorn::cloud
