#include "posthorn/cloud/official_reads.h"

#include <sstream>
#include <utility>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/cloud/official_account.h"

namespace posthorn::cloud {
namespace {

constexpr std::size_t kPerBucket = 64;
constexpr seconds kWait{30};
constexpr char kRead = 'r';
constexpr char kElsewhere = 'e';

}  // namespace

OfficialReads::OfficialReads(const CloudConfig& config, std::string token, Outside outside)
    : config_(config),
      token_(std::move(token)),
      out_(std::move(outside)),
      newest_(out_.blobs, "cloud/newest-in", kPerBucket) {}

std::optional<OfficialReads::Newest> OfficialReads::find(const std::string& chat) const {
  const auto fact = newest_.find(key_of(chat));
  if (!fact) return std::nullopt;
  std::istringstream in(*fact);
  Newest out;
  std::string flags;
  if (!(in >> out.at >> flags >> out.wamid)) return std::nullopt;
  out.read = flags.find(kRead) != std::string::npos;
  out.elsewhere = flags.find(kElsewhere) != std::string::npos;
  return out;
}

void OfficialReads::keep(const std::string& chat, const Newest& newest) {
  const std::string fact = std::to_string(newest.at) + " -" + (newest.read ? kRead : '-') +
                           (newest.elsewhere ? kElsewhere : '-') + " " + newest.wamid;
  if (const auto kept = newest_.put(key_of(chat), fact); !kept) {
    log::warn("cloud", "a customer's newest message is not remembered", {{"error", kept.error()}});
  }
}

void OfficialReads::on_inbound(const std::string& chat, const std::string& wamid,
                               std::int64_t unix_seconds) {
  const auto before = find(chat);
  // The same once more says nothing of what was read and written since.
  if (before && (before->at > unix_seconds || before->wamid == wamid)) return;
  keep(chat, {wamid, unix_seconds});
}

void OfficialReads::on_inbound_elsewhere(const std::string& chat, std::int64_t unix_seconds) {
  auto before = find(chat);
  if (!before || before->elsewhere || before->at > unix_seconds) return;
  before->elsewhere = true;
  keep(chat, *before);
}

void OfficialReads::on_joined(const std::string& from, const std::string& into) {
  const auto moved = find(from);
  if (!moved) return;
  const auto there = find(into);
  if (!there || there->at <= moved->at) keep(into, *moved);
  (void)newest_.erase(key_of(from));
}

bool OfficialReads::is_last(const std::string& chat) const {
  const auto newest = find(chat);
  return newest && !newest->elsewhere;
}

bool OfficialReads::has_unread(const std::string& chat) const {
  const auto newest = find(chat);
  return newest && !newest->read;
}

void OfficialReads::mark(const std::string& chat, const std::string& wamid, Typing typing,
                         Once<void(Result<std::size_t>)> done) {
  const auto newest = find(chat);
  const std::string id = wamid.empty() && newest ? newest->wamid : wamid;
  const bool told_before = newest && newest->wamid == id && newest->read;
  if (id.empty() || (told_before && typing == Typing::no)) return done(std::size_t{0});
  json::Value body;
  body["messaging_product"] = "whatsapp";
  body["status"] = "read";
  body["message_id"] = id;
  if (typing == Typing::yes) body["typing_indicator"]["type"] = "text";
  net::HttpRequest request;
  request.method = "POST";
  request.url = config_.url + "/" + config_.version + "/" + config_.phone_number_id + "/messages";
  request.headers.emplace_back("Authorization", "Bearer " + token_);
  request.headers.emplace_back("User-Agent", "posthorn");
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::write(body);
  request.timeout = kWait;
  request.proxy = out_.proxy;
  out_.http.send(std::move(request), [self = alive_.weak(), chat, id, done = std::move(done)](
                                         const Result<net::HttpResponse>& answer) mutable {
    if (!answer) return done(fail(answer.error(), "the official API was not reached"));
    if (answer->status != 200) return done(fail(Errc::malformed, refusal_in_words(*answer)));
    OfficialReads* me = self.get();
    auto now = me == nullptr ? std::nullopt : me->find(chat);
    if (now && now->wamid == id && !now->read) {
      now->read = true;
      me->keep(chat, *now);
    }
    done(std::size_t{1});
  });
}

}  // namespace posthorn::cloud
