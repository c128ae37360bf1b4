#include "daemon/access.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kTokenBytes = 25;  // 50 hex characters

Error io_error(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

}  // namespace

Result<Access> load_access(BlobStore& blobs, const ApiConfig& config, Random& random) {
  Access access;
  TRY(const auto saved, blobs.load(kAccessBlob));
  if (saved) {
    if (const auto parsed = json::parse(as_text(*saved))) {
      access.id_instance = static_cast<std::uint64_t>(json::int_at(*parsed, "id").value_or(0));
      access.token = json::string_at(*parsed, "token").value_or("");
      access.care_token = json::string_at(*parsed, "care").value_or("");
    }
  }
  // Green-API's form: a pool of four digits and a serial number.
  if (access.id_instance == 0) access.id_instance = random.between(7'100'000'000, 7'199'999'999);
  if (access.token.empty()) {
    access.token = hex_encode(random.bytes(kTokenBytes));
    access.fresh = true;
  }
  // Boxes from before there were two rights get theirs at the first start with it.
  if (access.care_token.empty()) access.care_token = hex_encode(random.bytes(kTokenBytes));
  json::Value out;
  out["id"] = static_cast<::Json::UInt64>(access.id_instance);
  out["token"] = access.token;
  out["care"] = access.care_token;
  TRY(blobs.save(kAccessBlob, as_bytes(json::write(out))));
  if (config.id_instance != 0) access.id_instance = config.id_instance;
  if (!config.token.empty()) {
    access.token = config.token;
    access.fresh = false;
  }
  if (!config.care_token.empty()) access.care_token = config.care_token;
  return access;
}

Result<std::string> renew_token(BlobStore& blobs, Random& random) {
  TRY(const auto saved, blobs.load(kAccessBlob));
  auto value = saved ? json::parse(as_text(*saved)) : json::Value(::Json::objectValue);
  if (!value || !value->isObject()) return fail(Errc::io, "id and token cannot be read");
  std::string token = hex_encode(random.bytes(kTokenBytes));
  (*value)["token"] = token;
  TRY(blobs.save(kAccessBlob, as_bytes(json::write(*value))));
  return token;
}

Result<void> write_access_file(const std::string& data_dir, const std::string& url,
                               const Access& access) {
  json::Value out;
  out["url"] = url;
  out["idInstance"] = static_cast<::Json::UInt64>(access.id_instance);
  out["apiTokenInstance"] = access.token;
  out["careToken"] = access.care_token;
  const std::string text = json::write(out) + "\n";
  const std::string path = data_dir + "/access.json";
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return tl::unexpected(io_error(fresh));
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = close(file) == 0;
  if (!written || !closed || rename(fresh.c_str(), path.c_str()) != 0) {
    return tl::unexpected(io_error(path));
  }
  return {};
}

}  // namespace posthorn::daemon
