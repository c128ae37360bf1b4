#include "simulator/media_shelf.h"

#include <algorithm>
#include <charconv>

#include "posthorn/base/crypto.h"

namespace posthorn::simulator {
namespace {

std::string value(const std::map<std::string, std::string>& query, const char* name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

std::string token_of(ByteView sealed) {
  std::string text = base64_encode(crypto::sha256(sealed));
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

MediaAnswer refused(int status) {
  MediaAnswer out;
  out.status = status;
  out.text = "{\"error\":" + std::to_string(status) + "}";
  return out;
}

}  // namespace

MediaRule MediaShelf::next_rule(MediaRule::On on) {
  for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
    if (rule->on != on) continue;
    if (rule->skip > 0) {
      --rule->skip;
      continue;
    }
    const MediaRule found = *rule;
    if (rule->count != 0 && --rule->count == 0) rules_.erase(rule);
    return found;
  }
  return {};
}

MediaAnswer MediaShelf::stored(const std::string& path) const {
  MediaAnswer out;
  out.text = "{\"url\":\"https://" + host + path + "\",\"direct_path\":\"" + path + "\"}";
  return out;
}

MediaAnswer MediaShelf::upload(const std::string& path,
                               const std::map<std::string, std::string>& query, Bytes body) {
  const std::string token = value(query, "token");
  const MediaRule rule = next_rule(MediaRule::On::upload);
  if (rule.cut_after) {
    body.resize(std::min<std::uint64_t>(body.size(), *rule.cut_after));
    begun_[token] = std::move(body);
    MediaAnswer out;
    out.cut_after = 0;
    return out;
  }
  if (rule.status != 0) return refused(rule.status);
  if (value(query, "auth") != "sim") return refused(401);
  const std::string kept = path + "?ccb=11-4";
  if (value(query, "resume") == "1") {
    MediaAnswer out;
    if (files_.contains(path)) {
      out = stored(kept);
      out.text.insert(1, "\"resume\":\"complete\",");
    } else {
      out.text = "{\"resume\":\"" + std::to_string(begun_[token].size()) + "\"}";
    }
    return out;
  }
  std::uint64_t offset = 0;
  const std::string from = value(query, "file_offset");
  std::from_chars(from.data(), from.data() + from.size(), offset);
  if (offset != 0) {
    Bytes whole = begun_[token];
    if (whole.size() < offset) return refused(400);
    whole.resize(offset);
    append(whole, body);
    body = std::move(whole);
  }
  begun_.erase(token);
  // The real host looks at the name as well.
  if (token_of(body) != token || !path.ends_with("/" + token)) return refused(400);
  ++uploads_;
  files_[path] = std::make_shared<const Bytes>(std::move(body));
  return stored(kept);
}

MediaAnswer MediaShelf::download(const std::string& path) {
  ++downloads_;
  const MediaRule rule = next_rule(MediaRule::On::download);
  if (rule.status != 0) return refused(rule.status);
  const auto found = files_.find(path);
  if (found == files_.end()) return refused(404);
  MediaAnswer out;
  out.bytes = found->second;
  out.cut_after = rule.cut_after;
  if (rule.corrupt && !found->second->empty()) {
    Bytes wrong = *found->second;
    wrong[wrong.size() / 2] ^= std::byte{1};
    out.bytes = std::make_shared<const Bytes>(std::move(wrong));
  }
  return out;
}

std::string MediaShelf::put(const std::string& type, Bytes sealed) {
  const std::string path = "/v/t62." + hex_encode(random_.bytes(8)) + "/" + type + ".enc";
  files_[path] = std::make_shared<const Bytes>(std::move(sealed));
  return path + "?ccb=11-4";
}

std::string MediaShelf::put_again(const std::string& path) {
  const std::string bare = path.substr(0, path.find('?'));
  const auto expired = expired_.find(bare);
  const auto here = files_.find(bare);
  if (expired == expired_.end() && here == files_.end()) return "";
  const Held held = expired != expired_.end() ? expired->second : here->second;
  return put("again", *held);
}

const Bytes* MediaShelf::find(const std::string& path) const {
  const auto found = files_.find(path.substr(0, path.find('?')));
  return found == files_.end() ? nullptr : found->second.get();
}

void MediaShelf::expire_all() {
  for (auto& [path, bytes] : files_) expired_[path] = bytes;
  files_.clear();
}

}  // namespace posthorn::simulator
